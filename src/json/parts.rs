//! The smaller parts of an entry.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use super::put;
use crate::conntrack::attr_set::AttrSet;
use crate::conntrack::fields::{RawNat, put_address, v4};
use crate::conntrack::{Attr, Conntrack};

/// When a flow began and ended, and when the event happened.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct TimestampObject {
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<u64>,
}

impl TimestampObject {
    pub(super) fn new(entry: &Conntrack) -> Option<Self> {
        let times = entry.timestamps();
        let any = times.start.or(times.stop).or(times.event);
        any.map(|_| Self {
            start: times.start,
            stop: times.stop,
            event: times.event,
        })
    }

    pub(super) fn put(&self, entry: &mut Conntrack) {
        let set = &mut entry.head.set;
        put(
            set,
            Attr::TimestampStart,
            &mut entry.timestamp_start,
            self.start,
        );
        put(
            set,
            Attr::TimestampStop,
            &mut entry.timestamp_stop,
            self.stop,
        );
        put(
            set,
            Attr::TimestampEvent,
            &mut entry.timestamp_event,
            self.event,
        );
    }
}

/// What SYNPROXY keeps.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct SynproxyObject {
    #[serde(skip_serializing_if = "Option::is_none")]
    isn: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    its: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tsoff: Option<u32>,
}

impl SynproxyObject {
    pub(super) fn new(entry: &Conntrack) -> Option<Self> {
        let attrs = [Attr::SynproxyIsn, Attr::SynproxyIts, Attr::SynproxyTsoff];
        let [isn, its, tsoff] = attrs.map(|attr| entry.is_set(attr));
        (isn || its || tsoff).then(|| Self {
            isn: isn.then_some(entry.synproxy.isn),
            its: its.then_some(entry.synproxy.its),
            tsoff: tsoff.then_some(entry.synproxy.tsoff),
        })
    }

    pub(super) fn put(&self, entry: &mut Conntrack) {
        let (set, synproxy) = (&mut entry.head.set, &mut entry.synproxy);
        put(set, Attr::SynproxyIsn, &mut synproxy.isn, self.isn);
        put(set, Attr::SynproxyIts, &mut synproxy.its, self.its);
        put(set, Attr::SynproxyTsoff, &mut synproxy.tsoff, self.tsoff);
    }
}

/// A translation that is asked for: lowest and highest of each.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct NatObject {
    #[serde(skip_serializing_if = "Option::is_none")]
    ipv4: Option<[Ipv4Addr; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ipv6: Option<[Ipv6Addr; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ports: Option<[u16; 2]>,
}

/// The attributes of the addresses of both families and of the ports.
pub(super) const SNAT: [Attr; 3] = [Attr::SnatIpv4, Attr::SnatIpv6, Attr::SnatPort];
pub(super) const DNAT: [Attr; 3] = [Attr::DnatIpv4, Attr::DnatIpv6, Attr::DnatPort];

impl NatObject {
    pub(super) fn new(raw: &RawNat, set: AttrSet, attrs: [Attr; 3]) -> Option<Self> {
        let [ipv4, ipv6, ports] = attrs.map(|attr| set.contains(attr));
        (ipv4 || ipv6 || ports).then(|| Self {
            ipv4: ipv4.then(|| [v4(&raw.min), v4(&raw.max)]),
            ipv6: ipv6.then(|| [raw.min.into(), raw.max.into()]),
            ports: ports.then(|| raw.port_range().into()),
        })
    }

    pub(super) fn put(&self, raw: &mut RawNat, set: &mut AttrSet, attrs: [Attr; 3]) {
        let [ipv4, ipv6, ports] = attrs;
        // The families share their place; IPv4 is its front.
        if let Some([min, max]) = self.ipv6 {
            put_address(&mut raw.min, min.into());
            put_address(&mut raw.max, max.into());
            set.insert(ipv6);
        }
        if let Some([min, max]) = self.ipv4 {
            put_address(&mut raw.min, min.into());
            put_address(&mut raw.max, max.into());
            set.insert(ipv4);
        }
        if let Some([min, max]) = self.ports {
            raw.port_min = min.to_be_bytes();
            raw.port_max = max.to_be_bytes();
            set.insert(ports);
        }
    }
}
