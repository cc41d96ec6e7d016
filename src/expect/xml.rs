//! Expectations as XML.

use super::attr::ExpectAttr;
use super::fields::{ExpectFlags, until_nul};
use super::object::Expect;
use crate::conntrack::{Format, Show, opening};
use crate::text::{Out, date, escape};

impl Expect {
    /// Writes the expectation as XML.
    // Tuples and flags are written whether their attributes are present or not,
    // as in the C library.
    pub(super) fn print_xml(&self, format: &Format<'_>, out: &mut Out<'_>) {
        opening(out, format);
        let expected = &self.expected.tuple;
        let tuples = [
            ("<expected>", expected, "</expected>"),
            ("<mask>", &self.mask.tuple, "</mask>"),
            ("<master>", &self.master.tuple, "</master>"),
        ];
        expected.open_xml_l3(out);
        for (open, tuple, close) in tuples {
            out.put(open);
            tuple.put_xml_addresses(out);
            out.put(close);
        }
        out.put("</layer3>");
        expected.open_xml_l4(out);
        for (open, tuple, close) in tuples {
            out.put(open);
            tuple.put_xml_l4(out);
            out.put(close);
        }
        out.put("</layer4><meta>");
        if self.is_set(ExpectAttr::HelperName) {
            out.put("<helper-name>");
            escape::xml(out, until_nul(&self.helper_name));
            out.put("</helper-name>");
        }
        if self.is_set(ExpectAttr::Timeout) {
            out.put("<timeout>");
            out.decimal(self.timeout);
            out.put("</timeout>");
        }
        if self.is_set(ExpectAttr::Class) {
            out.put("<class>");
            out.decimal(self.class);
            out.put("</class>");
        }
        if self.is_set(ExpectAttr::Zone) {
            out.put("<zone>");
            out.decimal(self.zone);
            out.put("</zone>");
        }
        if format.shows(Show::TIME) {
            date::when(out, format.now());
        }
        let flags = ExpectFlags::from_bits_retain(self.flags);
        for (flag, element) in [
            (ExpectFlags::PERMANENT, "<permanent/>"),
            (ExpectFlags::INACTIVE, "<inactive/>"),
            (ExpectFlags::USERSPACE, "<userspace/>"),
        ] {
            if flags.contains(flag) {
                out.put(element);
            }
        }
        out.put("</meta></flow>");
    }
}
