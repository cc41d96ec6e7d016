//! Expectations as plain text: the line of `conntrack -L expect`.

use super::attr::ExpectAttr;
use super::fields::{ExpectFlags, until_nul};
use super::object::Expect;
use crate::conntrack::{Format, RawTuple, opening};
use crate::text::Out;

impl Expect {
    /// Writes the expectation as plain text.
    // Tuples and flags are written whether their attributes are present or not,
    // as in the C library.
    pub(super) fn print_plain(&self, format: &Format<'_>, out: &mut Out<'_>) {
        opening(out, format);
        if self.is_set(ExpectAttr::Timeout) {
            out.decimal(self.timeout);
            out.put(" ");
        }
        let expected = &self.expected.tuple;
        out.put("proto=");
        out.decimal(expected.l4);
        put_tuple(out, expected, [" src=", " dst="]);
        put_tuple(out, &self.mask.tuple, [" mask-src=", " mask-dst="]);
        put_tuple(out, &self.master.tuple, [" master-src=", " master-dst="]);
        if self.is_set(ExpectAttr::Zone) {
            out.put(" zone=");
            out.decimal(self.zone);
        }
        self.put_flags(out);
        if self.is_set(ExpectAttr::Class) {
            out.put(" class=");
            out.decimal(self.class);
        }
        if self.is_set(ExpectAttr::HelperName) {
            out.put(" helper=");
            out.bytes(until_nul(&self.helper_name));
        }
    }

    /// Writes the names of the flags. Flags without a name show as a second
    /// blank in front of what follows.
    fn put_flags(&self, out: &mut Out<'_>) {
        if self.flags == 0 {
            return;
        }
        out.put(" ");
        let flags = ExpectFlags::from_bits_retain(self.flags);
        let mut separator = "";
        for (flag, name) in [
            (ExpectFlags::PERMANENT, "PERMANENT"),
            (ExpectFlags::INACTIVE, "INACTIVE"),
            (ExpectFlags::USERSPACE, "USERSPACE"),
        ] {
            if flags.contains(flag) {
                out.put(separator);
                out.put(name);
                separator = ",";
            }
        }
    }
}

fn put_tuple(out: &mut Out<'_>, tuple: &RawTuple, [source, destination]: [&str; 2]) {
    tuple.put_plain_addresses(out, source, destination);
    tuple.put_plain_l4(out);
}
