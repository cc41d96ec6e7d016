//! What holds for all entries: copies equal their originals, objects share
//! nothing, and what is encoded is decoded.

mod common;

use std::net::IpAddr;

use common::attributes::assert_agree;
use netfilter_conntrack::conntrack::{
    AttrValue, DccpInfo, DccpState, Icmp, ProtoInfo, SctpInfo, SctpState, SeqAdjust, Synproxy,
    TcpFlags, TcpInfo, TcpState,
};
use netfilter_conntrack::netlink::Message;
use netfilter_conntrack::{
    Attr, Bitmask, CompareFlags, Conntrack, ConntrackRef, CopyFlags, Direction, L4Proto, Nat,
    Query, Status, Tuple,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// A value of the attribute's kind made of these bytes, set in `entry`; `false`
/// where only the kernel sets the attribute.
fn set(entry: &mut Conntrack, attr: Attr, bytes: &[u8; 16]) -> bool {
    let [a, b, c, d, e, f, g, h, ..] = *bytes;
    let mut labels = Bitmask::new(127).unwrap();
    bytes.iter().for_each(|byte| labels.set((*byte).into()));
    let name: Vec<u8> = bytes[..15].iter().map(|byte| b'a' + byte % 26).collect();
    // Just one of them is of the attribute's kind.
    let candidates = [
        AttrValue::U8(a),
        AttrValue::U16(u16::from_ne_bytes([a, b])),
        AttrValue::U32(u32::from_ne_bytes([a, b, c, d])),
        AttrValue::U64(u64::from_ne_bytes([a, b, c, d, e, f, g, h])),
        AttrValue::Ipv4([a, b, c, d].into()),
        AttrValue::Ipv6((*bytes).into()),
        AttrValue::Text(&name),
        AttrValue::Bytes(bytes),
        AttrValue::Labels(&labels),
    ];
    let taken = candidates
        .into_iter()
        .filter(|value| entry.set_attr(attr, *value).is_ok());
    let taken = taken.count();
    assert_eq!(taken, usize::from(!attr.is_read_only()), "{}", attr.name());
    taken == 1
}

/// An entry with some attributes set, in any order.
fn any_entry() -> impl Strategy<Value = Conntrack> {
    let attr = select(Attr::ALL.to_vec());
    vec((attr, any::<[u8; 16]>()), 0..30).prop_map(|attrs| {
        let mut entry = Conntrack::new();
        for (attr, bytes) in attrs {
            set(&mut entry, attr, &bytes);
        }
        entry
    })
}

/// All that can be seen of an entry.
fn seen(entry: &Conntrack) -> String {
    let mut message = Vec::new();
    let built = Query::Create(entry).encode(1, &mut message).is_ok();
    let options = [
        entry.is_snat(),
        entry.is_dnat(),
        entry.is_spat(),
        entry.is_dpat(),
    ];
    format!(
        "{entry:?} {:?} {:?} {options:?} {built} {message:?}",
        entry.snat(),
        entry.dnat()
    )
}

fn scope(attr: Attr) -> CopyFlags {
    match attr.number() {
        19.. => CopyFlags::META,
        2 | 3 | 6 | 7 | 10 | 11 | 16 | 18 => CopyFlags::REPL,
        _ => CopyFlags::ORIG,
    }
}

#[test]
fn every_attribute_is_copied_by_every_way() {
    for (number, attr) in (0..).zip(Attr::ALL) {
        let mut source = Conntrack::new();
        if !set(
            &mut source,
            attr,
            &std::array::from_fn(|index| number + index as u8 + 1),
        ) {
            continue;
        }
        let value = source.attr(attr).expect("it was set");
        for bits in 0..16 {
            let flags = CopyFlags::from_bits_retain(bits);
            let mut copy = Conntrack::new();
            copy.copy_from(&source, flags);
            let goes = flags.is_empty() || flags.intersects(scope(attr) | CopyFlags::OVERRIDE);
            assert_eq!(
                copy.attr(attr),
                goes.then_some(value),
                "{} {flags:?}",
                attr.name()
            );
            assert_eq!(copy.attrs().count(), usize::from(goes));
            if goes {
                assert_eq!(seen(&copy), seen(&source), "{} {flags:?}", attr.name());
            }
        }
        let mut copy = Conntrack::new();
        copy.copy_attr(&source, attr);
        assert_eq!(seen(&copy), seen(&source), "{}", attr.name());
        assert_eq!(seen(&source.clone()), seen(&source), "{}", attr.name());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn copies_equal_their_originals(source in any_entry(), old in any_entry()) {
        let all = CompareFlags::MASK | CompareFlags::STRICT;
        prop_assert_eq!(seen(&source.clone()), seen(&source));
        prop_assert!(source.clone().compare_with(&source, all));
        let mut copy = old.clone();
        copy.copy_from(&source, CopyFlags::OVERRIDE);
        prop_assert_eq!(seen(&copy), seen(&source));
        let mut fresh = Conntrack::new();
        fresh.copy_from(&source, CopyFlags::empty());
        prop_assert_eq!(format!("{fresh:?}"), format!("{source:?}"));
        prop_assert_eq!((fresh.snat(), fresh.dnat()), (source.snat(), source.dnat()));
        let scopes = [CopyFlags::ORIG, CopyFlags::REPL, CopyFlags::META];
        for flags in (0..16).map(CopyFlags::from_bits_retain) {
            let mut copy = old.clone();
            copy.copy_from(&source, flags);
            for attr in Attr::ALL {
                let overrides = flags.contains(CopyFlags::OVERRIDE);
                let scoped = flags.is_empty() || flags.contains(scope(attr));
                if source.is_set(attr) && (scoped || overrides) {
                    prop_assert_eq!(copy.attr(attr), source.attr(attr));
                } else {
                    prop_assert_eq!(copy.is_set(attr), old.is_set(attr) && !overrides);
                }
            }
        }
        // One scope after the other is all of them.
        let mut parts = old.clone();
        scopes.iter().for_each(|scope| parts.copy_from(&source, *scope));
        let mut whole = old.clone();
        whole.copy_from(&source, CopyFlags::empty());
        prop_assert_eq!(format!("{parts:?}"), format!("{whole:?}"));
    }

    #[test]
    fn objects_share_nothing(source in any_entry(), order: [Index; 6]) {
        let before = seen(&source);
        let copies = (0..6).map(|number| {
            let mut copy = Conntrack::new();
            copy.copy_from(&source, CopyFlags::from_bits_retain(number % 2 * 8));
            (before.clone(), copy)
        });
        let mut objects: Vec<_> = copies.collect();
        for object in &mut objects {
            object.0 = seen(&object.1);
        }
        objects.push((before, source));
        for index in order {
            // One is changed in all that has memory of its own, and dropped.
            let (_, mut gone) = objects.swap_remove(index.index(objects.len()));
            for attr in [Attr::HelperInfo, Attr::Connlabels, Attr::ConnlabelsMask] {
                set(&mut gone, attr, &[0x7f; 16]);
            }
            drop(gone);
            for (before, object) in &objects {
                prop_assert_eq!(&seen(object), before);
            }
        }
    }

    #[test]
    fn comparing_goes_by_its_rules(a in any_entry(), b in any_entry()) {
        let (mask, strict) = (CompareFlags::MASK, CompareFlags::STRICT);
        for scope in [CompareFlags::empty(), CompareFlags::ORIG, CompareFlags::REPL] {
            let equal = |flags| a.compare_with(&b, scope | flags);
            let none = equal(CompareFlags::empty());
            // Each rule only takes away.
            prop_assert!(none || !equal(mask));
            prop_assert!(equal(mask) || !equal(strict));
            prop_assert_eq!(equal(strict), equal(mask | strict));
            prop_assert!(a.compare_with(&a, scope | strict));
            prop_assert!(Conntrack::new().compare_with(&a, scope | mask));
        }
        let (scopes, all) = ([CompareFlags::ORIG, CompareFlags::REPL], CompareFlags::empty());
        let both = scopes.iter().all(|scope| a.compare_with(&b, *scope));
        prop_assert_eq!(both, a.compare_with(&b, CompareFlags::ORIG | CompareFlags::REPL));
        prop_assert!(both || !a.compare_with(&b, all));
    }

    #[test]
    fn what_is_encoded_is_decoded(entry in flow()) {
        let mut message = Vec::new();
        Query::Create(&entry).encode(1, &mut message).unwrap();
        let message = Message::parse(&message).unwrap();
        let view = ConntrackRef::parse(&message).unwrap();
        let back = view.to_owned().unwrap();
        assert_agree(&view, &back);
        // What the kernel never sends back is not decoded.
        let sent_only = [
            Attr::SnatIpv4, Attr::SnatIpv6, Attr::SnatPort,
            Attr::DnatIpv4, Attr::DnatIpv6, Attr::DnatPort,
            Attr::ConnlabelsMask,
        ];
        let mut expected = entry.clone();
        sent_only.iter().for_each(|attr| expected.unset(*attr));
        if let Some(status) = expected.status() {
            expected.set_status(status | Status::CONFIRMED);
        }
        prop_assert_eq!(format!("{back:?}"), format!("{expected:?}"));
        prop_assert_eq!((back.original(), back.reply(), back.master()),
            (expected.original(), expected.reply(), expected.master()));
        // Into an entry that was something else before.
        let mut reused = entry;
        view.decode_into(&mut reused).unwrap();
        prop_assert_eq!(format!("{reused:?}"), format!("{back:?}"));
    }
}

fn address(v6: bool) -> impl Strategy<Value = IpAddr> {
    any::<[u8; 16]>().prop_map(move |bytes| match v6 {
        true => bytes.into(),
        false => [bytes[0], bytes[1], bytes[2], bytes[3]].into(),
    })
}

fn tuple(v6: bool, l4proto: L4Proto, zoned: bool) -> impl Strategy<Value = Tuple> {
    let zone = any::<Option<u16>>().prop_map(move |zone| zone.filter(|_| zoned));
    let words = any::<(u16, u8, u8)>();
    (address(v6), address(v6), words, zone).prop_map(move |(source, destination, words, zone)| {
        let tuple = Tuple::new(source, destination, l4proto).unwrap();
        let (id, kind, code) = words;
        let tuple = match l4proto {
            L4Proto::ICMP | L4Proto::ICMPV6 => tuple.with_icmp(Icmp { kind, code, id }),
            L4Proto(50) => tuple,
            _ => tuple.with_ports(id, u16::from_be_bytes([kind, code])),
        };
        match zone {
            Some(zone) => tuple.with_zone(zone),
            None => tuple,
        }
    })
}

fn protoinfo(l4proto: L4Proto) -> BoxedStrategy<Option<ProtoInfo>> {
    match l4proto {
        L4Proto::TCP => any::<(Option<u8>, [Option<u8>; 2], [Option<(u8, u8)>; 2])>()
            .prop_map(|(state, [wscale_original, wscale_reply], flags)| {
                let [flags_original, flags_reply] =
                    flags.map(|flags| flags.map(|(flags, mask)| TcpFlags { flags, mask }));
                Some(ProtoInfo::Tcp(TcpInfo {
                    state: state.map(TcpState),
                    wscale_original,
                    wscale_reply,
                    flags_original,
                    flags_reply,
                }))
            })
            .boxed(),
        L4Proto::SCTP => any::<(Option<u8>, [Option<u32>; 2])>()
            .prop_map(|(state, [vtag_original, vtag_reply])| {
                Some(ProtoInfo::Sctp(SctpInfo {
                    state: state.map(SctpState),
                    vtag_original,
                    vtag_reply,
                }))
            })
            .boxed(),
        L4Proto::DCCP => any::<(Option<u8>, Option<u8>, Option<u64>)>()
            .prop_map(|(state, role, handshake_seq)| {
                Some(ProtoInfo::Dccp(DccpInfo {
                    state: state.map(DccpState),
                    role,
                    handshake_seq,
                }))
            })
            .boxed(),
        _ => Just(None).boxed(),
    }
}

fn nat(v6: bool) -> impl Strategy<Value = Nat> {
    (
        option::of((address(v6), address(v6))),
        any::<Option<(u16, u16)>>(),
    )
        .prop_map(|(addresses, ports)| Nat { addresses, ports })
}

/// Entries of all protocols that can be sent, with any of the other attributes.
fn flow() -> impl Strategy<Value = Conntrack> {
    let protocols = [6, 17, 1, 58, 132, 33, 47, 136, 50].map(L4Proto);
    (any::<bool>(), select(protocols.to_vec()))
        .prop_flat_map(|(v6, l4proto)| {
            let tuples = (
                tuple(v6, l4proto, true),
                option::of(tuple(v6, l4proto, true)),
                // ICMP attributes are those of the original tuple.
                option::of(tuple(v6, L4Proto::UDP, false)),
            );
            let numbers = (any::<[Option<u32>; 4]>(), any::<Option<u16>>());
            let labels = option::of((vec(0..128u32, 0..4), option::of(vec(0..128u32, 0..4))));
            let helper = option::of(("[a-z]{1,15}", any::<Option<Vec<u8>>>()));
            let adjusts = any::<[Option<(u32, i32, i32)>; 2]>();
            let rest = (
                labels,
                helper,
                adjusts,
                any::<Option<[u32; 3]>>(),
                [nat(v6), nat(v6)],
            );
            (tuples, numbers, protoinfo(l4proto), rest)
        })
        .prop_map(
            |((original, reply, master), (numbers, zone), protoinfo, rest)| {
                let (labels, helper, adjusts, synproxy, [snat, dnat]) = rest;
                let mut entry = Conntrack::new();
                entry.set_original(original);
                if let Some(reply) = reply {
                    entry.set_reply(reply);
                }
                if let Some(master) = master {
                    entry.set_master(master);
                }
                let attrs = [Attr::Timeout, Attr::Mark, Attr::Secmark, Attr::Status];
                for (attr, number) in attrs.into_iter().zip(numbers) {
                    if let Some(number) = number {
                        entry.set_attr(attr, AttrValue::U32(number)).unwrap();
                    }
                }
                if let Some(zone) = zone {
                    entry.set_zone(zone);
                }
                if let Some(info) = protoinfo {
                    entry.set_protoinfo(info);
                }
                let mask = |bits: Vec<u32>| {
                    let mut mask = Bitmask::new(127).unwrap();
                    bits.iter().for_each(|bit| mask.set(*bit));
                    mask
                };
                if let Some((labels, changed)) = labels {
                    entry.set_labels(mask(labels));
                    if let Some(changed) = changed {
                        entry.set_labels_mask(mask(changed));
                    }
                }
                if let Some((name, info)) = helper {
                    entry.set_helper(&name).unwrap();
                    if let Some(info) = info {
                        entry.set_helper_info(&info);
                    }
                }
                let directions = [Direction::Original, Direction::Reply];
                for (direction, adjust) in directions.into_iter().zip(adjusts) {
                    if let Some((correction_pos, offset_before, offset_after)) = adjust {
                        let adjust = SeqAdjust {
                            correction_pos,
                            offset_before,
                            offset_after,
                        };
                        entry.set_seq_adjust(direction, adjust);
                    }
                }
                if let Some([isn, its, tsoff]) = synproxy {
                    entry.set_synproxy(Synproxy { isn, its, tsoff });
                }
                entry.set_snat(snat).unwrap().set_dnat(dnat).unwrap();
                entry
            },
        )
}
