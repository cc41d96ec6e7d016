//! The pieces of text that tuples are made of, plain and XML.

use super::event_kind::EventKind;
use super::format::{Format, Style};
use super::l4proto::{L4Layout, L4Proto};
use super::tuple::RawTuple;
use crate::nfnetlink::L3Proto;
use crate::text::{Out, address};

/// Writes what the text of an event begins with.
pub(crate) fn opening(out: &mut Out<'_>, format: &Format<'_>) {
    let (plain, xml) = match format.event {
        None => ("", "<flow>"),
        Some(EventKind::New) => ("    [NEW] ", "<flow type=\"new\">"),
        Some(EventKind::Update) => (" [UPDATE] ", "<flow type=\"update\">"),
        Some(EventKind::Destroy) => ("[DESTROY] ", "<flow type=\"destroy\">"),
    };
    out.put(match format.style {
        Style::Plain => plain,
        Style::Xml => xml,
    });
}

impl RawTuple {
    /// The name of the layer 3 protocol.
    pub(crate) fn l3name(&self) -> &'static str {
        match L3Proto(self.l3) {
            L3Proto::IPV4 => "ipv4",
            L3Proto::IPV6 => "ipv6",
            _ => "unknown",
        }
    }

    /// Writes an address of the tuple; nothing where the family has none.
    fn put_address(&self, out: &mut Out<'_>, place: &[u8; 16]) {
        match L3Proto(self.l3) {
            L3Proto::IPV4 => {
                let [a, b, c, d, ..] = *place;
                address::ipv4(out, [a, b, c, d]);
            }
            L3Proto::IPV6 => address::ipv6(out, *place),
            _ => {}
        }
    }

    /// Writes both addresses as plain fields with these names in front; nothing
    /// where the family has none.
    pub(crate) fn put_plain_addresses(&self, out: &mut Out<'_>, source: &str, destination: &str) {
        if matches!(L3Proto(self.l3), L3Proto::IPV4 | L3Proto::IPV6) {
            out.put(source);
            self.put_address(out, &self.src);
            out.put(destination);
            self.put_address(out, &self.dst);
        }
    }

    /// Writes what the layer 4 protocol has, as plain fields.
    pub(crate) fn put_plain_l4(&self, out: &mut Out<'_>) {
        let (source, destination) = self.words();
        match L4Proto(self.l4).layout() {
            L4Layout::Ports => {
                out.put(" sport=");
                out.decimal(source);
                out.put(" dport=");
                out.decimal(destination);
            }
            L4Layout::Keys => {
                out.put(" srckey=0x");
                out.hex(source);
                out.put(" dstkey=0x");
                out.hex(destination);
            }
            L4Layout::Icmp => {
                let [kind, code] = self.l4dst;
                out.put(" type=");
                out.decimal(kind);
                out.put(" code=");
                out.decimal(code);
                out.put(" id=");
                out.decimal(source);
            }
            L4Layout::Nothing => {}
        }
    }

    /// Writes the opening tag of the element for layer 3.
    pub(crate) fn open_xml_l3(&self, out: &mut Out<'_>) {
        out.put("<layer3 protonum=\"");
        out.decimal(self.l3);
        out.put("\" protoname=\"");
        out.put(self.l3name());
        out.put("\">");
    }

    /// Writes the opening tag of the element for layer 4.
    pub(crate) fn open_xml_l4(&self, out: &mut Out<'_>) {
        out.put("<layer4 protonum=\"");
        out.decimal(self.l4);
        out.put("\" protoname=\"");
        out.put(L4Proto(self.l4).name());
        out.put("\">");
    }

    /// Writes the elements of the two addresses.
    pub(crate) fn put_xml_addresses(&self, out: &mut Out<'_>) {
        out.put("<src>");
        self.put_address(out, &self.src);
        out.put("</src><dst>");
        self.put_address(out, &self.dst);
        out.put("</dst>");
    }

    /// Writes the elements of what the layer 4 protocol has; there are none
    /// for ICMP.
    pub(crate) fn put_xml_l4(&self, out: &mut Out<'_>) {
        let (source, destination) = self.words();
        match L4Proto(self.l4).layout() {
            L4Layout::Ports => {
                out.put("<sport>");
                out.decimal(source);
                out.put("</sport><dport>");
                out.decimal(destination);
                out.put("</dport>");
            }
            L4Layout::Keys => {
                out.put("<srckey>0x");
                out.hex(source);
                out.put("</srckey><dstkey>0x");
                out.hex(destination);
                out.put("</dstkey>");
            }
            L4Layout::Icmp | L4Layout::Nothing => {}
        }
    }

    fn words(&self) -> (u16, u16) {
        (
            u16::from_be_bytes(self.l4src),
            u16::from_be_bytes(self.l4dst),
        )
    }
}
