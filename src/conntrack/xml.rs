//! Entries as XML.

use super::attr_number::Attr;
use super::attr_set::AttrSet;
use super::fields::Counters;
use super::format::{Format, Show};
use super::labelmap::LabelMap;
use super::object::Conntrack;
use super::print::SECOND;
use super::protoinfo::{TcpState, place};
use super::status::Status;
use super::tuple::{Direction, RawTuple};
use super::tuple_text::opening;
use crate::text::{Out, date, escape};

/// The attributes whose presence opens the element for what belongs to no
/// direction. Security contexts and helpers do not.
const INDEPENDENT: AttrSet = AttrSet::of(&[
    Attr::TcpState,
    Attr::SctpState,
    Attr::DccpState,
    Attr::Timeout,
    Attr::Mark,
    Attr::Secmark,
    Attr::Zone,
    Attr::Use,
    Attr::Status,
    Attr::Id,
    Attr::Connlabels,
    Attr::TimestampStart,
    Attr::TimestampStop,
]);

impl Conntrack {
    /// Writes the entry as XML.
    pub(super) fn print_xml(&self, format: &Format<'_>, out: &mut Out<'_>) {
        opening(out, format);
        self.put_xml_direction(out, &self.head.tuple, Direction::Original);
        self.put_xml_direction(out, &self.reply, Direction::Reply);
        let independent = self.head.set.intersects(INDEPENDENT);
        if independent {
            out.put("<meta direction=\"independent\">");
        }
        self.put_xml_states(out);
        self.put_element(
            out,
            Attr::Timeout,
            ["<timeout>", "</timeout>"],
            self.timeout,
        );
        self.put_element(out, Attr::Mark, ["<mark>", "</mark>"], self.mark);
        if let Some(names) = format.labels {
            self.put_xml_labels(out, names);
        }
        self.put_element(
            out,
            Attr::Secmark,
            ["<secmark>", "</secmark>"],
            self.secmark,
        );
        if self.is_set(Attr::Secctx) {
            out.put("<secctx>");
            escape::xml(out, self.secctx_bytes().unwrap_or(b"(null)"));
            out.put("</secctx>");
        }
        self.put_element(out, Attr::Zone, ["<zone>", "</zone>"], self.zone);
        self.put_element(out, Attr::Use, ["<use>", "</use>"], self.use_count);
        self.put_element(out, Attr::Id, ["<id>", "</id>"], self.id);
        let status = self.status().unwrap_or(Status::SEEN_REPLY);
        if status.contains(Status::ASSURED) {
            out.put("<assured/>");
        }
        if !status.contains(Status::SEEN_REPLY) {
            out.put("<unreplied/>");
        }
        self.put_xml_times(out, format);
        if independent {
            out.put("</meta>");
        }
        if format.shows(Show::TIME) {
            date::when(out, format.now());
        }
        if self.is_set(Attr::HelperName) {
            out.put("<helper>");
            escape::xml(out, self.helper_bytes());
            out.put("</helper>");
        }
        out.put("</flow>");
    }

    fn put_xml_direction(&self, out: &mut Out<'_>, tuple: &RawTuple, direction: Direction) {
        let (tag, zone) = match direction {
            Direction::Original => ("<meta direction=\"original\">", Attr::OrigZone),
            Direction::Reply => ("<meta direction=\"reply\">", Attr::ReplZone),
        };
        out.put(tag);
        tuple.open_xml_l3(out);
        tuple.put_xml_addresses(out);
        out.put("</layer3>");
        tuple.open_xml_l4(out);
        tuple.put_xml_l4(out);
        out.put("</layer4>");
        self.put_element(out, zone, ["<zone>", "</zone>"], tuple.zone);
        if let Some(Counters { packets, bytes }) = self.counters(direction) {
            out.put("<counters><packets>");
            out.decimal(packets);
            out.put("</packets><bytes>");
            out.decimal(bytes);
            out.put("</bytes></counters>");
        }
        out.put("</meta>");
    }

    /// Writes the states. SCTP and DCCP have the names of TCP here, as in the C
    /// library, whose readers may have come to expect them.
    fn put_xml_states(&self, out: &mut Out<'_>) {
        let state = TcpState(self.protoinfo.u8(place::STATE));
        for attr in [Attr::TcpState, Attr::SctpState, Attr::DccpState] {
            if self.is_set(attr) {
                out.put("<state>");
                out.put(state.name());
                out.put("</state>");
            }
        }
    }

    fn put_xml_labels(&self, out: &mut Out<'_>, names: &LabelMap) {
        if !self.is_set(Attr::Connlabels) {
            return;
        }
        out.put("<labels>");
        for name in self.label_names(names) {
            out.put("<label>");
            out.put(name);
            out.put("</label>");
        }
        out.put("</labels>");
    }

    /// Writes start and end, where asked for, and how long the flow has lasted.
    // Unlike plain text, the difference of nanoseconds is cut to seconds, and
    // an end counts by its presence.
    fn put_xml_times(&self, out: &mut Out<'_>, format: &Format<'_>) {
        let (start, stop) = (self.timestamp_start, self.timestamp_stop);
        let has_start = self.is_set(Attr::TimestampStart);
        let has_stop = self.is_set(Attr::TimestampStop);
        if format.shows(Show::TIMESTAMP) && (has_start || has_stop) {
            out.put("<timestamp>");
            self.put_element(out, Attr::TimestampStart, ["<start>", "</start>"], start);
            self.put_element(out, Attr::TimestampStop, ["<stop>", "</stop>"], stop);
            out.put("</timestamp>");
        }
        if has_start {
            let seconds = if has_stop {
                stop.saturating_sub(start) / SECOND
            } else {
                format.now().saturating_sub(start / SECOND)
            };
            out.put("<deltatime>");
            out.decimal(seconds);
            out.put("</deltatime>");
        }
    }

    /// Writes a number as an element, where its attribute is present.
    #[inline(always)]
    fn put_element(
        &self,
        out: &mut Out<'_>,
        attr: Attr,
        [open, close]: [&str; 2],
        number: impl Into<u64>,
    ) {
        if self.is_set(attr) {
            out.put(open);
            out.decimal(number);
            out.put(close);
        }
    }
}
