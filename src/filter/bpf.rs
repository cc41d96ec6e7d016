//! An assembler for classic BPF.
//!
//! The language is that of `linux/filter.h` and the kernel's
//! `Documentation/networking/filter.rst`: an accumulator A, an index register
//! X, sixteen words of scratch memory, jumps that only go forward, at most 4096
//! instructions.

use super::jumps::Output;
use super::program::Program;
use crate::error::{Error, Result};

/// The most instructions the kernel takes in one program (`BPF_MAXINSNS`).
const MAX_INSTRUCTIONS: usize = libc::BPF_MAXINSNS as usize;

/// A place in the program that jumps lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Label(pub(super) usize);

/// The width of a load from the packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Width {
    Byte,
    Half,
    Word,
}

impl Width {
    fn code(self) -> u32 {
        match self {
            Self::Byte => libc::BPF_B,
            Self::Half => libc::BPF_H,
            Self::Word => libc::BPF_W,
        }
    }

    /// All bits a load of this width can set.
    pub(super) fn mask(self) -> u32 {
        match self {
            Self::Byte => u32::from(u8::MAX),
            Self::Half => u32::from(u16::MAX),
            Self::Word => u32::MAX,
        }
    }
}

/// What a conditional jump asks of A, unsigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Test {
    /// A is equal to the constant.
    Equal,
    /// A is greater than the constant.
    Greater,
    /// A is greater than or equal to the constant.
    GreaterOrEqual,
    /// A and the constant have a bit in common.
    AnyBit,
}

impl Test {
    pub(super) fn code(self) -> u32 {
        match self {
            Self::Equal => libc::BPF_JEQ,
            Self::Greater => libc::BPF_JGT,
            Self::GreaterOrEqual => libc::BPF_JGE,
            Self::AnyBit => libc::BPF_JSET,
        }
    }
}

/// Where an ancillary load starts its search for an attribute of type X.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attributes {
    /// At offset A: the attributes from there on (`SKF_AD_NLATTR`).
    From,
    /// In the attribute at offset A: those nested in it (`SKF_AD_NLATTR_NEST`).
    Inside,
}

#[derive(Clone, Copy, Debug)]
enum Op {
    /// An instruction that does not jump.
    Plain { code: u32, k: u32 },
    /// A conditional jump: to the first label if the test holds, else to the second.
    Branch { test: Test, k: u32, to: [Label; 2] },
    /// An unconditional jump.
    Goto(Label),
    /// No instruction: the label stands for the next one.
    Bind(Label),
}

/// Collects a program in its order. Labels may be used before they are bound,
/// and must be bound behind their uses.
#[derive(Debug, Default)]
pub(super) struct Assembler {
    ops: Vec<Op>,
    labels: usize,
}

impl Assembler {
    /// A label that is yet to be bound.
    pub(super) fn label(&mut self) -> Label {
        let label = Label(self.labels);
        self.labels += 1;
        label
    }

    /// Lets the label stand for the next instruction.
    pub(super) fn bind(&mut self, label: Label) {
        self.ops.push(Op::Bind(label));
    }

    /// A = this constant.
    pub(super) fn load_constant(&mut self, k: u32) {
        self.plain(libc::BPF_LD | libc::BPF_IMM, k);
    }

    /// A = the number in network byte order at this offset of the packet; the
    /// program ends with 0 where the packet ends before.
    pub(super) fn load(&mut self, width: Width, offset: u32) {
        self.plain(libc::BPF_LD | width.code() | libc::BPF_ABS, offset);
    }

    /// The same at offset X + `offset`.
    pub(super) fn load_indexed(&mut self, width: Width, offset: u32) {
        self.plain(libc::BPF_LD | width.code() | libc::BPF_IND, offset);
    }

    /// Word `slot` of the scratch memory = A.
    pub(super) fn store(&mut self, slot: u32) {
        self.plain(libc::BPF_ST, slot);
    }

    /// A = word `slot` of the scratch memory, which has been stored on every way here.
    pub(super) fn load_stored(&mut self, slot: u32) {
        self.plain(libc::BPF_LD | libc::BPF_MEM, slot);
    }

    /// A = the offset of the first netlink attribute of this type, or 0 where
    /// there is none. Changes X.
    pub(super) fn find_attribute(&mut self, place: Attributes, kind: u16) {
        let extension = match place {
            Attributes::From => libc::SKF_AD_NLATTR,
            Attributes::Inside => libc::SKF_AD_NLATTR_NEST,
        };
        self.plain(libc::BPF_LDX | libc::BPF_IMM, u32::from(kind));
        let offset = (libc::SKF_AD_OFF + extension) as u32;
        self.load(Width::Word, offset);
    }

    /// A = A & this constant.
    pub(super) fn and(&mut self, k: u32) {
        self.plain(libc::BPF_ALU | libc::BPF_AND | libc::BPF_K, k);
    }

    /// X = A.
    pub(super) fn copy_to_index(&mut self) {
        self.plain(libc::BPF_MISC | libc::BPF_TAX, 0);
    }

    /// Goes to `yes` if the test of A against `k` holds, and to `no` otherwise.
    pub(super) fn branch(&mut self, test: Test, k: u32, yes: Label, no: Label) {
        let to = [yes, no];
        self.ops.push(Op::Branch { test, k, to });
    }

    /// Goes to `yes` if the test of A against `k` holds, else on to the next
    /// instruction.
    pub(super) fn branch_if(&mut self, test: Test, k: u32, yes: Label) {
        let next = self.label();
        self.branch(test, k, yes, next);
        self.bind(next);
    }

    /// Goes to `no` unless the test of A against `k` holds.
    pub(super) fn branch_unless(&mut self, test: Test, k: u32, no: Label) {
        let next = self.label();
        self.branch(test, k, next, no);
        self.bind(next);
    }

    /// Goes to the label.
    pub(super) fn goto(&mut self, label: Label) {
        self.ops.push(Op::Goto(label));
    }

    /// Ends the program: keeps so many bytes of the packet, 0 drops it.
    pub(super) fn ret(&mut self, bytes: u32) {
        self.plain(libc::BPF_RET | libc::BPF_K, bytes);
    }

    fn plain(&mut self, code: u32, k: u32) {
        self.ops.push(Op::Plain { code, k });
    }

    /// Resolves the labels.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the program came out longer than the kernel takes.
    pub(super) fn assemble(self) -> Result<Program> {
        let mut output = Output::new(self.labels);
        for op in self.ops.into_iter().rev() {
            match op {
                Op::Plain { code, k } => output.push(code, 0, 0, k),
                Op::Branch { test, k, to } => output.branch(test, k, to),
                Op::Goto(label) => output.goto(label),
                Op::Bind(label) => output.bind(label),
            }
            if output.len() > MAX_INSTRUCTIONS {
                return Err(Error::Invalid(
                    "an event filter that needs more than the 4096 BPF instructions the kernel takes",
                ));
            }
        }
        Ok(Program::new(output.finish()))
    }
}
