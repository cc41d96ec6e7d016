//! Where this crate differs from the C library on purpose. Each difference has a
//! predicate, and the original's object is then put into the state that this
//! crate's has, so that all else can go on being compared.

use std::time::{SystemTime, UNIX_EPOCH};

use netfilter_conntrack::Attr;

use crate::c_api::Object;
use crate::c_side::{CSide, is_ip};
use crate::message;
use crate::op::Op;
use crate::side::Outcome;

/// A difference, and how often it was met.
#[derive(Debug)]
struct Explained {
    what: &'static str,
    applies: fn(&CSide<'_>, &Op) -> bool,
    /// Done to the original after the operation.
    make_good: fn(&mut CSide<'_>, &Op),
    met: u64,
}

/// The explained differences.
#[derive(Debug)]
pub(crate) struct Tally {
    objects: [Explained; 4],
    /// Differences of built messages, and how often they were met.
    outcomes: Vec<(&'static str, u64)>,
}

const HELPER_PRIVATE: &str = "messages of entries whose private data was set, not parsed";
const MASK_SIZE: &str = "labels and mask of different sizes are refused";
const MASTER_FAMILY: &str = "a master tuple of another family is refused";
const EXPECT_FAMILY: &str = "an expectation with a tuple of another family is refused";
const EXPECT_PARTS: &str = "class, translation and function of expectations are sent";
const XML_COUNTERS: &str = "XML has the counters of each direction by their own presence";
const DURATION: &str = "no flow lasts less than no time";
const OUTCOMES: [&str; 7] = [
    HELPER_PRIVATE,
    MASK_SIZE,
    MASTER_FAMILY,
    EXPECT_FAMILY,
    EXPECT_PARTS,
    XML_COUNTERS,
    DURATION,
];

impl Tally {
    pub(crate) fn new() -> Self {
        Self {
            objects: [
                Explained {
                    what: "both ends of a translation's range are copied",
                    applies: |side, op| copied(side, op, &RANGES),
                    make_good: copy_ranges,
                    met: 0,
                },
                Explained {
                    what: "the ICMP fields of the reply tuple are copied",
                    applies: |side, op| copied(side, op, &ICMP),
                    make_good: copy_icmp_reply,
                    met: 0,
                },
                Explained {
                    what: "private data of the helper is copied whole",
                    applies: |side, op| copied(side, op, &[Attr::HelperInfo]),
                    make_good: copy_info,
                    met: 0,
                },
                Explained {
                    what: "private data of the helper is cloned whole",
                    applies: cloned_info,
                    make_good: copy_info,
                    met: 0,
                },
            ],
            outcomes: OUTCOMES.map(|what| (what, 0)).into(),
        }
    }

    /// The differences of the C API, which sends of expectations and of labels
    /// what the original sends.
    pub(crate) fn of_the_c_api() -> Self {
        let mut tally = Self::new();
        let shown = |what| ![EXPECT_PARTS, MASK_SIZE].contains(&what);
        tally.outcomes.retain(|(what, _)| shown(*what));
        tally
    }

    /// What has been met, and how often.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        let objects = self
            .objects
            .iter()
            .map(|explained| (explained.what, explained.met));
        objects.chain(self.outcomes.iter().copied())
    }

    /// Lets the original do an operation, and makes good for what differs.
    pub(crate) fn make_good(&mut self, side: &mut CSide<'_>, op: &Op) -> Outcome {
        let hidden = match op {
            Op::Build { entry } => side.hide_unsure_help(*entry),
            _ => None,
        };
        let objects = self.objects.iter_mut();
        let applying: Vec<_> = objects
            .filter(|explained| (explained.applies)(side, op))
            .collect();
        let outcome = side.perform(op);
        for explained in applying {
            explained.met += 1;
            (explained.make_good)(side, op);
        }
        if let (Some(name), Op::Build { entry }) = (hidden, op) {
            side.show_help(*entry, &name);
            self.note(HELPER_PRIVATE);
        }
        outcome
    }

    /// Whether outcomes that are not equal differ only by what is explained.
    pub(crate) fn explains(
        &mut self,
        side: &CSide<'_>,
        op: &Op,
        theirs: &Outcome,
        ours: &Outcome,
    ) -> bool {
        match (op, theirs, ours) {
            (Op::Print { entry, .. }, Outcome::Text(Some(theirs)), Outcome::Text(Some(ours))) => {
                self.written_alike(side.entries[*entry], side, theirs, ours)
            }
            _ => self.built_alike(side, op, theirs, ours),
        }
    }

    fn written_alike(&mut self, entry: Object, side: &CSide<'_>, theirs: &str, ours: &str) -> bool {
        let (mut theirs, mut ours) = (theirs.to_owned(), ours.to_owned());
        let has_both = |attrs: [Attr; 2]| attrs.iter().all(|attr| side.is_set(entry, *attr));
        let original = has_both([Attr::OrigCounterPackets, Attr::OrigCounterBytes]);
        let reply = has_both([Attr::ReplCounterPackets, Attr::ReplCounterBytes]);
        if original != reply && ours.starts_with("<flow") {
            self.note(XML_COUNTERS);
            for text in [&mut theirs, &mut ours] {
                cut_out(text, "<counters>", "</counters>");
            }
        }
        if starts_after_end(side, entry) {
            self.note(DURATION);
            for (front, back) in [("delta-time=", " "), ("<deltatime>", "</deltatime>")] {
                for text in [&mut theirs, &mut ours] {
                    cut_out(text, front, back);
                }
            }
        }
        theirs == ours
    }

    /// Whether the messages that both have built differ only by what is explained.
    fn built_alike(&mut self, side: &CSide<'_>, op: &Op, theirs: &Outcome, ours: &Outcome) -> bool {
        let (Outcome::Built(theirs), Outcome::Built(ours)) = (theirs, ours) else {
            return false;
        };
        match (op, theirs, ours) {
            (Op::Build { entry }, Some(_), None) => {
                let object = side.entries[*entry];
                if mask_differs(side, object) && self.note(MASK_SIZE) {
                    true
                } else if master_is_odd(side, object) {
                    self.note(MASTER_FAMILY);
                    true
                } else {
                    false
                }
            }
            (Op::Build { entry }, Some(theirs), Some(ours)) => {
                const HELP: u16 = 5;
                side.has_unsure_info(*entry) && *theirs == message::without(ours, HELP)
            }
            (Op::BuildExpect { expect }, Some(_), None) => {
                self.note(EXPECT_FAMILY);
                side.has_odd_tuple(*expect)
            }
            (Op::BuildExpect { .. }, Some(theirs), Some(ours)) => {
                let rest = [9, 10, 11]
                    .into_iter()
                    .fold(ours.clone(), |rest, kind| message::without(&rest, kind));
                *theirs == rest && self.note(EXPECT_PARTS)
            }
            _ => false,
        }
    }

    /// Counts a difference; `false` where it is not one of the explained ones.
    fn note(&mut self, what: &str) -> bool {
        let mut outcomes = self.outcomes.iter_mut();
        let explained = outcomes.find(|(own, _)| *own == what);
        explained.map(|(_, met)| *met += 1).is_some()
    }
}

const RANGES: [Attr; 6] = [
    Attr::SnatIpv4,
    Attr::DnatIpv4,
    Attr::SnatPort,
    Attr::DnatPort,
    Attr::SnatIpv6,
    Attr::DnatIpv6,
];

const ICMP: [Attr; 3] = [Attr::IcmpType, Attr::IcmpCode, Attr::IcmpId];

/// Which entry is copied to which, and whether this attribute is.
fn copies(op: &Op, attr: Attr) -> Option<(usize, usize)> {
    const REPLY: [u32; 8] = [2, 3, 6, 7, 10, 11, 16, 18];
    match *op {
        Op::Copy { to, from, flags } => {
            let scope = match attr.number() {
                19.. => 4,
                number if REPLY.contains(&number) => 2,
                _ => 1,
            };
            let overrides = flags & 8 != 0;
            (!overrides && (flags == 0 || flags & scope != 0)).then_some((to, from))
        }
        Op::CopyAttr {
            to,
            from,
            attr: own,
        } => (own == attr).then_some((to, from)),
        _ => None,
    }
}

/// Whether the operation copies one of these attributes, which the source has.
fn copied(side: &CSide<'_>, op: &Op, attrs: &[Attr]) -> bool {
    attrs.iter().any(|attr| {
        copies(op, *attr).is_some_and(|(_, from)| side.is_set(side.entries[from], *attr))
    })
}

/// Setting the end of the range that was copied sets the other one too.
fn copy_ranges(side: &mut CSide<'_>, op: &Op) {
    // The IPv6 address goes first: it shares its place with the IPv4 one, and
    // the range may be wider than that.
    for attr in RANGES.into_iter().rev() {
        let Some((to, from)) = copies(op, attr) else {
            continue;
        };
        let (to, from) = (side.entries[to], side.entries[from]);
        if let (true, Some(bytes)) = (side.is_set(from, attr), side.bytes(to, attr)) {
            side.set(to, attr, &padded(&bytes));
        }
    }
}

fn copy_icmp_reply(side: &mut CSide<'_>, op: &Op) {
    let Some((to, from)) = ICMP.iter().find_map(|attr| copies(op, *attr)) else {
        return;
    };
    let (to, from) = (side.entries[to], side.entries[from]);
    let goes = |attr| copies(op, attr).is_some() && side.is_set(from, attr);
    let [mut id, mut kind_and_code] = side.reply_words(to);
    let [source_id, source_kind_and_code] = side.reply_words(from);
    if goes(Attr::IcmpId) {
        id = source_id;
    }
    if goes(Attr::IcmpType) {
        kind_and_code[0] = source_kind_and_code[0];
    }
    if goes(Attr::IcmpCode) {
        kind_and_code[1] = source_kind_and_code[1];
    }
    for (attr, word) in [(Attr::ReplPortSrc, id), (Attr::ReplPortDst, kind_and_code)] {
        let was_set = side.is_set(to, attr);
        side.set(to, attr, &padded(&word));
        if !was_set {
            side.unset(to, attr);
        }
    }
}

/// Whether all of an entry is copied that has private data.
fn cloned_info(side: &CSide<'_>, op: &Op) -> bool {
    match *op {
        Op::Clone { from, .. } => side.info[from].is_some(),
        Op::Copy { from, flags, .. } => flags & 8 != 0 && side.info[from].is_some(),
        _ => false,
    }
}

fn copy_info(side: &mut CSide<'_>, op: &Op) {
    let entry = op.entry().expect("a copy");
    let Some(info) = side.info[entry].clone() else {
        return;
    };
    let object = side.entries[entry];
    let was_set = side.is_set(object, Attr::HelperInfo);
    side.set_info(object, &info);
    if !was_set {
        side.unset(object, Attr::HelperInfo);
    }
}

fn mask_differs(side: &CSide<'_>, object: Object) -> bool {
    let sizes = [Attr::Connlabels, Attr::ConnlabelsMask].map(|attr| side.label_bits(object, attr));
    matches!(sizes, [Some(labels), Some(mask)] if labels != mask)
}

/// Whether a flow has started after its end, or after now.
fn starts_after_end(side: &CSide<'_>, entry: Object) -> bool {
    let time = |attr| {
        let bytes = side.bytes(entry, attr)?;
        Some(u64::from_ne_bytes(bytes.try_into().ok()?))
    };
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970");
    let end = time(Attr::TimestampStop).map_or(u128::MAX, u128::from);
    time(Attr::TimestampStart).is_some_and(|start| u128::from(start) > end.min(now.as_nanos()))
}

/// Whether the master tuple is there but neither IPv4 nor IPv6.
fn master_is_odd(side: &CSide<'_>, object: Object) -> bool {
    let master = [37, 38, 39, 40, 41, 42, 43, 44];
    let family = side.master_family(object);
    let attrs = master.into_iter().filter_map(Attr::from_number);
    !is_ip(family) && attrs.into_iter().any(|attr| side.is_set(object, attr))
}

/// Takes all that stands between two texts out of another one.
fn cut_out(text: &mut String, front: &str, back: &str) {
    while let Some(start) = text.find(front) {
        let end = text[start..]
            .find(back)
            .map_or(text.len(), |end| start + end + back.len());
        text.replace_range(start..end, "");
    }
}

fn padded(bytes: &[u8]) -> [u8; 16] {
    let mut value = [0; 16];
    value[..bytes.len()].copy_from_slice(bytes);
    value
}
