//! What can be asked of an entry, or done to it, as a whole: whether it is
//! translated, to take a translation out of its reply tuple, and to derive one
//! tuple from the other.
//!
//! All of it goes by the stored fields, present or not, except for the status.

use super::attr_number::Attr;
use super::attr_set::AttrSet;
use super::fields::RawNat;
use super::object::Conntrack;
use super::status::Status;
use crate::nfnetlink::L3Proto;

/// The attributes of both tuples, those of the other family and protocol too.
const TUPLES: AttrSet = AttrSet::range(Attr::OrigIpv4Src, Attr::ReplL4proto);

impl Conntrack {
    /// Whether the source address is translated: the answers go to another
    /// address than the original source. A status without `SRC_NAT_DONE`
    /// denies it; an entry without status is judged by its tuples alone.
    #[doc(alias = "nfct_getobjopt")]
    #[doc(alias = "NFCT_GOPT_IS_SNAT")]
    #[must_use]
    pub fn is_snat(&self) -> bool {
        self.may_be(Status::SRC_NAT_DONE)
            && self.addresses_differ(&self.reply.dst, &self.head.tuple.src)
    }

    /// Whether the destination address is translated: the answers come from
    /// another address than the original destination. A status without
    /// `DST_NAT_DONE` denies it.
    #[doc(alias = "nfct_getobjopt")]
    #[doc(alias = "NFCT_GOPT_IS_DNAT")]
    #[must_use]
    pub fn is_dnat(&self) -> bool {
        self.may_be(Status::DST_NAT_DONE)
            && self.addresses_differ(&self.reply.src, &self.head.tuple.dst)
    }

    /// Whether the source port is translated; see [`is_snat`](Self::is_snat).
    ///
    /// As in the C library the protocol is not looked at, and ICMP has its
    /// identifier, type and code in the place of the ports: an ICMP flow whose
    /// status has the bit counts as translated, since its type and answer differ.
    #[doc(alias = "nfct_getobjopt")]
    #[doc(alias = "NFCT_GOPT_IS_SPAT")]
    #[must_use]
    pub fn is_spat(&self) -> bool {
        self.may_be(Status::SRC_NAT_DONE) && self.reply.l4dst != self.head.tuple.l4src
    }

    /// Whether the destination port is translated; see [`is_spat`](Self::is_spat).
    #[doc(alias = "nfct_getobjopt")]
    #[doc(alias = "NFCT_GOPT_IS_DPAT")]
    #[must_use]
    pub fn is_dpat(&self) -> bool {
        self.may_be(Status::DST_NAT_DONE) && self.reply.l4src != self.head.tuple.l4dst
    }

    /// Moves the translated source address from the reply tuple to
    /// [`snat`](Self::snat) and puts the original one in its place: what
    /// re-creating the flow on another host takes. Without effect on other
    /// families than IPv4 and IPv6.
    ///
    /// ```
    /// use netfilter_conntrack::{Conntrack, Tuple};
    ///
    /// let tuple = Tuple::udp("10.0.0.2:4000".parse().unwrap(), "192.0.2.9:53".parse().unwrap())?;
    /// let seen = Tuple::udp("192.0.2.9:53".parse().unwrap(), "198.51.100.1:4000".parse().unwrap())?;
    /// let mut entry = Conntrack::flow(tuple);
    /// entry.set_reply(seen);
    /// assert!(entry.is_snat());
    /// entry.undo_snat();
    /// assert_eq!(entry.reply(), Some(tuple.inverted()));
    /// let address = "198.51.100.1".parse().unwrap();
    /// assert_eq!(entry.snat().unwrap().addresses, Some((address, address)));
    /// # Ok::<(), netfilter_conntrack::Error>(())
    /// ```
    #[doc(alias = "nfct_setobjopt")]
    #[doc(alias = "NFCT_SOPT_UNDO_SNAT")]
    pub fn undo_snat(&mut self) {
        let original = self.head.tuple;
        if let Some((attr, width)) = self.by_family((Attr::SnatIpv4, Attr::SnatIpv6)) {
            undo_address(&mut self.snat, &mut self.reply.dst, &original.src, width);
            self.head.set.insert(attr);
        }
    }

    /// Moves the translated destination address from the reply tuple to
    /// [`dnat`](Self::dnat); see [`undo_snat`](Self::undo_snat).
    #[doc(alias = "nfct_setobjopt")]
    #[doc(alias = "NFCT_SOPT_UNDO_DNAT")]
    pub fn undo_dnat(&mut self) {
        let original = self.head.tuple;
        if let Some((attr, width)) = self.by_family((Attr::DnatIpv4, Attr::DnatIpv6)) {
            undo_address(&mut self.dnat, &mut self.reply.src, &original.dst, width);
            self.head.set.insert(attr);
        }
    }

    /// Moves the translated source port from the reply tuple to
    /// [`snat`](Self::snat), whatever the protocol.
    #[doc(alias = "nfct_setobjopt")]
    #[doc(alias = "NFCT_SOPT_UNDO_SPAT")]
    pub fn undo_spat(&mut self) {
        let original = self.head.tuple.l4src;
        undo_port(&mut self.snat, &mut self.reply.l4dst, original);
        self.head.set.insert(Attr::SnatPort);
    }

    /// Moves the translated destination port from the reply tuple to
    /// [`dnat`](Self::dnat), whatever the protocol.
    #[doc(alias = "nfct_setobjopt")]
    #[doc(alias = "NFCT_SOPT_UNDO_DPAT")]
    pub fn undo_dpat(&mut self) {
        let original = self.head.tuple.l4dst;
        undo_port(&mut self.dnat, &mut self.reply.l4src, original);
        self.head.set.insert(Attr::DnatPort);
    }

    /// Makes the original tuple the reply tuple inverted, but leaves its zone
    /// and ICMP fields. As in the C library all attributes of both tuples are
    /// present afterwards, those of the other family too.
    #[doc(alias = "nfct_setobjopt")]
    #[doc(alias = "NFCT_SOPT_SETUP_ORIGINAL")]
    pub fn setup_original(&mut self) {
        self.head.tuple = self.reply.inverted_onto(self.head.tuple);
        self.head.set = self.head.set.union(TUPLES);
    }

    /// Makes the reply tuple the original tuple inverted, but leaves its zone
    /// and ICMP fields, which setting those of the original tuple has set; see
    /// [`setup_original`](Self::setup_original). [`Conntrack::flow`] is the
    /// way to an entry with two tuples and just their attributes.
    #[doc(alias = "nfct_setobjopt")]
    #[doc(alias = "NFCT_SOPT_SETUP_REPLY")]
    pub fn setup_reply(&mut self) {
        self.reply = self.head.tuple.inverted_onto(self.reply);
        self.head.set = self.head.set.union(TUPLES);
    }

    /// Whether the status allows for this translation.
    fn may_be(&self, done: Status) -> bool {
        self.status().is_none_or(|status| status.contains(done))
    }

    fn addresses_differ(&self, a: &[u8; 16], b: &[u8; 16]) -> bool {
        self.by_family(((), ()))
            .is_some_and(|((), width)| a.get(..width) != b.get(..width))
    }

    /// Picks by the original tuple's family, and gives the bytes of its addresses.
    fn by_family<T>(&self, (ipv4, ipv6): (T, T)) -> Option<(T, usize)> {
        match L3Proto(self.head.tuple.l3) {
            L3Proto::IPV4 => Some((ipv4, 4)),
            L3Proto::IPV6 => Some((ipv6, 16)),
            _ => None,
        }
    }
}

fn undo_address(nat: &mut RawNat, translated: &mut [u8; 16], original: &[u8; 16], width: usize) {
    for (index, byte) in translated.iter_mut().enumerate().take(width) {
        nat.min[index] = *byte;
        nat.max[index] = *byte;
        *byte = original[index];
    }
}

fn undo_port(nat: &mut RawNat, translated: &mut [u8; 2], original: [u8; 2]) {
    nat.port_min = *translated;
    nat.port_max = *translated;
    *translated = original;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conntrack::{L4Proto, Nat, Tuple};

    /// A flow whose source is 10.0.0.2:1000, seen as 198.51.100.1:2000, and
    /// whose destination is 192.0.2.9:80, really 10.1.0.9:8080; and the same in IPv6.
    fn translated(v6: bool) -> (Conntrack, Tuple) {
        let address = |text: &str| {
            let text = if v6 {
                format!("[2001:db8::{text}]")
            } else {
                format!("10.0.0.{text}")
            };
            move |port: u16| format!("{text}:{port}").parse().unwrap()
        };
        let original = Tuple::tcp(address("2")(1000), address("9")(80)).unwrap();
        let mut entry = Conntrack::flow(original);
        entry.set_reply(Tuple::tcp(address("8")(8080), address("1")(2000)).unwrap());
        (entry, original)
    }

    #[test]
    fn undoing_moves_each_translation_out_of_the_reply() {
        for v6 in [false, true] {
            let (mut entry, original) = translated(v6);
            let reply = entry.reply().unwrap();
            assert!(entry.is_snat() && entry.is_dnat() && entry.is_spat() && entry.is_dpat());
            entry.undo_snat();
            assert!(!entry.is_snat() && entry.is_dnat() && entry.is_spat());
            entry.undo_dnat();
            assert!(!entry.is_dnat() && entry.is_dpat());
            entry.undo_spat();
            assert!(!entry.is_spat() && entry.is_dpat());
            entry.undo_dpat();
            assert!(!entry.is_dpat());
            assert_eq!(entry.reply(), Some(original.inverted()));
            let snat = Nat::to_address(reply.destination()).with_ports(2000, 2000);
            let dnat = Nat::to_address(reply.source()).with_ports(8080, 8080);
            assert_eq!((entry.snat(), entry.dnat()), (Some(snat), Some(dnat)));
        }
    }

    #[test]
    fn the_status_can_deny_a_translation() {
        let (mut entry, _) = translated(false);
        entry.set_status(Status::SRC_NAT | Status::DST_NAT);
        assert!(!entry.is_snat() && !entry.is_dnat() && !entry.is_spat() && !entry.is_dpat());
        entry.set_status(Status::SRC_NAT_DONE);
        assert!(entry.is_snat() && entry.is_spat() && !entry.is_dnat() && !entry.is_dpat());
        entry.set_status(Status::DST_NAT_DONE);
        assert!(entry.is_dnat() && entry.is_dpat() && !entry.is_snat() && !entry.is_spat());
        entry.unset(Attr::Status);
        assert!(entry.is_snat() && entry.is_dnat());
    }

    #[test]
    fn only_ipv4_and_ipv6_addresses_can_be_translated() {
        let (mut entry, _) = translated(false);
        entry.store(Attr::OrigL3proto, &[1]);
        assert!(!entry.is_snat() && !entry.is_dnat() && entry.is_spat());
        let before = entry.reply;
        entry.undo_snat();
        entry.undo_dnat();
        assert_eq!((entry.reply, entry.snat()), (before, None));
    }

    #[test]
    fn one_tuple_sets_up_the_other() {
        for v6 in [false, true] {
            let (mut entry, original) = translated(v6);
            let reply = entry.reply().unwrap();
            entry.setup_reply();
            assert_eq!(entry.reply(), Some(original.inverted()));
            assert_eq!(entry.head.set, TUPLES);
            entry.set_reply(reply).setup_original();
            assert_eq!(entry.original(), Some(reply.inverted()));
        }
    }

    #[test]
    fn setting_up_leaves_zones_and_what_are_no_ports() {
        for (number, inverts) in [(6, true), (47, true), (1, false), (58, false), (50, false)] {
            let (mut entry, original) = translated(false);
            let tuple = Tuple::new(original.source(), original.destination(), L4Proto(number));
            entry.set_original(tuple.unwrap().with_ports(1, 2).with_zone(7));
            entry.reply.zone = 9;
            entry.setup_reply();
            let words = if inverts { (2, 1) } else { (8080, 2000) };
            let reply = entry.reply;
            assert_eq!(u16::from_be_bytes(reply.l4src), words.0, "{number}");
            assert_eq!(u16::from_be_bytes(reply.l4dst), words.1, "{number}");
            assert_eq!((reply.l4, reply.zone), (number, 9));
        }
    }
}
