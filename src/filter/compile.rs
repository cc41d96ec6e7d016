//! The compiler from [`EventFilter`] to classic BPF.
//!
//! A program first looks at the message header, then runs one section for each
//! field that has criteria: it finds the attribute, loads its value and
//! searches it among the criteria. A section leads on to the next one or to
//! the rejection.

use super::bpf::{Assembler, Attributes, Label, Test, Width};
use super::criterion::{Criterion, FilterAttr, Logic};
use super::event::EventFilter;
use super::field::{Absent, FIELDS, Field};
use super::mask_set::MaskSet;
use super::program::{ByteOrder, Program};
use super::search::Search;
use crate::conntrack::EventKind;
use crate::error::Result;
use crate::netlink::{Flags, HEADER_LEN};
use crate::nfnetlink::{Nfgenmsg, Subsystem};
use crate::uapi::ct_message;

/// Where the attributes start.
const ATTRIBUTES: u32 = (HEADER_LEN + Nfgenmsg::LEN) as u32;

/// Bytes of an attribute's header, `struct nlattr`.
const ATTRIBUTE_HEADER: u32 = 4;

/// What a program returns to keep a message: at most so many of its bytes.
const KEEP: u32 = u32::MAX;
/// What it returns to drop one.
const DROP: u32 = 0;

/// Up to so many values are compared one by one rather than searched by halves.
const SHORT_RUN: usize = 8;

/// Compiles the filter for machines of this byte order.
///
/// # Errors
/// [`Error::Invalid`](crate::Error::Invalid) where the kernel's 4096
/// instructions do not hold it.
pub(super) fn compile(filter: &EventFilter, order: ByteOrder) -> Result<Program> {
    // Searching by halves is quicker, comparing one by one is shorter.
    assemble(filter, order, SHORT_RUN).or_else(|_| assemble(filter, order, usize::MAX))
}

fn assemble(filter: &EventFilter, order: ByteOrder, run: usize) -> Result<Program> {
    let mut asm = Assembler::default();
    let (accept, reject) = (asm.label(), asm.label());
    header(&mut asm, filter, order, accept, reject);
    for field in FIELDS {
        let set: MaskSet = filter.criteria().iter().filter_map(field.entry).collect();
        if set.is_empty() {
            continue;
        }
        let pass = asm.label();
        let (hit, miss) = match filter.logic(field.attr) {
            Logic::Positive => (pass, reject),
            Logic::Negative => (reject, pass),
        };
        let absent = match field.absent {
            Absent::Passes => pass,
            Absent::CountsAsZero if set.matches(0) => hit,
            Absent::CountsAsZero => miss,
        };
        locate(&mut asm, field.path, absent);
        load(&mut asm, field);
        Search { field, run, hit }.set(&mut asm, &set, miss);
        asm.bind(pass);
    }
    asm.bind(accept);
    asm.ret(KEEP);
    asm.bind(reject);
    asm.ret(DROP);
    asm.assemble()
}

/// Lets pass what is about no entry of the table: control messages, other
/// subsystems, statistics. Then judges the kind of the event.
fn header(
    asm: &mut Assembler,
    filter: &EventFilter,
    order: ByteOrder,
    accept: Label,
    reject: Label,
) {
    // The message type is the 16-bit number at offset 4: the subsystem in its
    // high byte, the message in its low one. The flags are the number at 6;
    // those asked for are in its high byte.
    let (subsystem, message, flags) = match order {
        ByteOrder::Little => (5, 4, 7),
        ByteOrder::Big => (4, 5, 6),
    };
    let creation = u32::from((Flags::CREATE | Flags::EXCL).bits() >> 8);

    let sections = asm.label();
    let kinds = [EventKind::New, EventKind::Update, EventKind::Destroy];
    let [new, update, destroy] = kinds.map(|kind| {
        if passes(filter, kind) {
            sections
        } else {
            reject
        }
    });

    asm.load(Width::Byte, subsystem);
    asm.branch_unless(Test::Equal, u32::from(Subsystem::CONNTRACK.0), accept);
    asm.load(Width::Byte, message);
    asm.branch_if(Test::Equal, ct_message::DELETE.into(), destroy);
    asm.branch_unless(Test::Equal, ct_message::NEW.into(), accept);
    if new == update {
        asm.goto(new);
    } else {
        asm.load(Width::Byte, flags);
        asm.branch(Test::AnyBit, creation, new, update);
    }
    asm.bind(sections);
}

/// Tells whether the section about kinds of event passes this one.
fn passes(filter: &EventFilter, kind: EventKind) -> bool {
    let asked = |criterion: &&Criterion| criterion.attr() == FilterAttr::Kind;
    let mut asked = filter.criteria().iter().filter(asked).peekable();
    let positive = filter.logic(FilterAttr::Kind) == Logic::Positive;
    asked.peek().is_none() || asked.any(|&other| other == Criterion::Kind(kind)) == positive
}

/// Goes down the path of nests to an attribute and leaves its offset in X.
///
/// The search on the top level runs to the end of the datagram. Behind the
/// message it finds nothing: what stands there is at the most the header of a
/// second message, which reads as an attribute of type 0 or of length 0.
fn locate(asm: &mut Assembler, path: &[u16], absent: Label) {
    asm.load_constant(ATTRIBUTES);
    let mut place = Attributes::From;
    for &kind in path {
        asm.find_attribute(place, kind);
        asm.branch_if(Test::Equal, 0, absent);
        place = Attributes::Inside;
    }
    asm.copy_to_index();
}

/// Copies the value of the attribute at offset X to the scratch memory. A load
/// from there is one machine instruction, one from the packet a dozen.
fn load(asm: &mut Assembler, field: &Field) {
    for index in 0..field.words {
        asm.load_indexed(field.width, ATTRIBUTE_HEADER + 4 * index);
        asm.store(index);
    }
}
