//! Entries as plain text: the line of conntrack(8).

use super::attr_number::Attr;
use super::fields::Counters;
use super::format::{Format, Show};
use super::l4proto::L4Proto;
use super::labelmap::LabelMap;
use super::object::Conntrack;
use super::protoinfo::{DccpState, SctpState, TcpState, place};
use super::status::Status;
use super::tuple::{Direction, RawTuple};
use super::tuple_text::opening;
use crate::text::{Out, date};

/// Nanoseconds of a second.
pub(super) const SECOND: u64 = 1_000_000_000;

impl Conntrack {
    /// Writes the entry as plain text and gives whether the text is whole.
    // Whether a field is written mostly depends on whether its attribute is
    // present; tuples go by their protocol numbers alone, as in the C library.
    pub(super) fn print_plain(&self, format: &Format<'_>, out: &mut Out<'_>) -> bool {
        opening(out, format);
        if format.shows(Show::LAYER3) {
            if format.strict && !self.is_set(Attr::OrigL3proto) {
                return false;
            }
            put_protocol(out, self.head.tuple.l3name(), self.head.tuple.l3);
            out.put(" ");
        }
        if format.strict && !self.is_set(Attr::OrigL4proto) {
            return false;
        }
        let l4 = self.head.tuple.l4;
        put_protocol(out, L4Proto(l4).name(), l4);
        self.put_number(out, " ", Attr::Timeout, self.timeout);
        self.put_states(out);
        self.put_direction(out, &self.head.tuple, Direction::Original);
        let status = self.status().unwrap_or(Status::SEEN_REPLY);
        if !status.contains(Status::SEEN_REPLY) {
            out.put(" [UNREPLIED]");
        }
        self.put_direction(out, &self.reply, Direction::Reply);
        out.put(if status.contains(Status::HW_OFFLOAD) {
            " [HW_OFFLOAD]"
        } else if status.contains(Status::OFFLOAD) {
            " [OFFLOAD]"
        } else if status.contains(Status::ASSURED) {
            " [ASSURED]"
        } else {
            ""
        });
        self.put_number(out, " mark=", Attr::Mark, self.mark);
        self.put_number(out, " secmark=", Attr::Secmark, self.secmark);
        if self.is_set(Attr::Secctx) {
            out.put(" secctx=");
            out.bytes(self.secctx_bytes().unwrap_or(b"(null)"));
        }
        self.put_number(out, " zone=", Attr::Zone, self.zone);
        self.put_times(out, format);
        if self.is_set(Attr::HelperName) {
            out.put(" helper=");
            out.bytes(self.helper_bytes());
        }
        self.put_number(out, " use=", Attr::Use, self.use_count);
        if format.shows(Show::ID) {
            self.put_number(out, " id=", Attr::Id, self.id);
        }
        if let Some(names) = format.labels {
            self.put_labels(out, names);
        }
        true
    }

    /// Writes the states. The three share their place; each has its own names.
    fn put_states(&self, out: &mut Out<'_>) {
        let state = self.protoinfo.u8(place::STATE);
        for (attr, name) in [
            (Attr::TcpState, TcpState(state).name()),
            (Attr::SctpState, SctpState(state).name()),
            (Attr::DccpState, DccpState(state).name()),
        ] {
            if self.is_set(attr) {
                out.put(" ");
                out.put(name);
            }
        }
    }

    fn put_direction(&self, out: &mut Out<'_>, tuple: &RawTuple, direction: Direction) {
        tuple.put_plain_addresses(out, " src=", " dst=");
        tuple.put_plain_l4(out);
        match direction {
            Direction::Original => self.put_number(out, " zone-orig=", Attr::OrigZone, tuple.zone),
            Direction::Reply => self.put_number(out, " zone-reply=", Attr::ReplZone, tuple.zone),
        }
        if let Some(Counters { packets, bytes }) = self.counters(direction) {
            out.put(" packets=");
            out.decimal(packets);
            out.put(" bytes=");
            out.decimal(bytes);
        }
    }

    /// Writes how long the flow has lasted and, where asked for, its dates.
    fn put_times(&self, out: &mut Out<'_>, format: &Format<'_>) {
        let start = self.timestamp_start / SECOND;
        let has_start = self.is_set(Attr::TimestampStart);
        if has_start {
            let end = match self.timestamp_stop {
                0 => format.now(),
                stop => stop / SECOND,
            };
            out.put(" delta-time=");
            out.decimal(end.saturating_sub(start));
        }
        if !format.shows(Show::TIMESTAMP) {
            return;
        }
        if has_start {
            put_date(out, " [start=", start);
        }
        if self.is_set(Attr::TimestampStop) {
            put_date(out, " [stop=", self.timestamp_stop / SECOND);
        }
    }

    fn put_labels(&self, out: &mut Out<'_>, names: &LabelMap) {
        if !self.is_set(Attr::Connlabels) {
            return;
        }
        out.put(" labels");
        let mut separator = "=";
        for name in self.label_names(names) {
            out.put(separator);
            out.put(name);
            separator = ",";
        }
    }

    /// The names of the labels that have one.
    pub(super) fn label_names<'a>(&'a self, names: &'a LabelMap) -> impl Iterator<Item = &'a str> {
        let bits = self.labels.iter().flat_map(|labels| labels.iter());
        bits.filter_map(|bit| names.name(bit))
    }

    /// Writes a number behind `front`, where its attribute is present.
    #[inline(always)]
    fn put_number(&self, out: &mut Out<'_>, front: &str, attr: Attr, number: impl Into<u64>) {
        if self.is_set(attr) {
            out.put(front);
            out.decimal(number);
        }
    }
}

/// Writes name and number of a protocol in columns.
fn put_protocol(out: &mut Out<'_>, name: &str, number: u8) {
    const BLANKS: &str = "         ";
    out.put(name);
    out.put(BLANKS.get(name.len()..).unwrap_or_default());
    out.decimal(number);
}

fn put_date(out: &mut Out<'_>, front: &str, seconds: u64) {
    out.put(front);
    date::ctime(out, seconds);
    out.put("]");
}
