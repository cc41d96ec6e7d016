//! Predicates, each with what it means in plain words.

use std::rc::Rc;

use netfilter_conntrack::conntrack::{ProtoInfo, TcpState};
use netfilter_conntrack::filter::{AddressSet, IpPrefix, NatKind};
use netfilter_conntrack::{
    Bitmask, Conntrack, Direction, L3Proto, L4Proto, Predicate, Status, Tuple,
};

use super::mixed::host;
use Direction::{Original, Reply};

/// A predicate and its meaning.
#[derive(Clone)]
pub(crate) struct Wanted {
    pub(crate) name: String,
    pub(crate) predicate: Predicate,
    pub(crate) holds: Rc<dyn Fn(&Conntrack) -> bool>,
}

impl Wanted {
    fn new(
        name: impl Into<String>,
        predicate: Predicate,
        holds: impl Fn(&Conntrack) -> bool + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            predicate,
            holds: Rc::new(holds),
        }
    }

    /// The entries it holds for.
    pub(crate) fn of<'e>(&self, entries: &'e [Conntrack]) -> Vec<&'e Conntrack> {
        entries.iter().filter(|entry| (self.holds)(entry)).collect()
    }

    fn and(&self, other: &Self) -> Self {
        let (one, two) = (self.holds.clone(), other.holds.clone());
        let predicate = self.predicate.clone() & other.predicate.clone();
        let name = format!("({} and {})", self.name, other.name);
        Self::new(name, predicate, move |entry| one(entry) && two(entry))
    }

    fn or(&self, other: &Self) -> Self {
        let (one, two) = (self.holds.clone(), other.holds.clone());
        let predicate = self.predicate.clone() | other.predicate.clone();
        let name = format!("({} or {})", self.name, other.name);
        Self::new(name, predicate, move |entry| one(entry) || two(entry))
    }

    fn not(&self) -> Self {
        let one = self.holds.clone();
        let name = format!("not {}", self.name);
        Self::new(name, !self.predicate.clone(), move |entry| !one(entry))
    }
}

/// One predicate for each thing that can be asked, and more for what kernels
/// answer wrongly.
pub(crate) fn simple() -> Vec<Wanted> {
    let mut all = vec![
        Wanted::new("IPv4", Predicate::family(L3Proto::IPV4), |e| {
            original(e).l3proto() == L3Proto::IPV4
        }),
        Wanted::new("IPv6", Predicate::family(L3Proto::IPV6), |e| {
            original(e).l3proto() == L3Proto::IPV6
        }),
        Wanted::new("ICMP id", Predicate::icmp_id(27), |e| {
            original(e).icmp().is_some_and(|icmp| icmp.id == 27)
        }),
        Wanted::new("ICMP type", Predicate::icmp_type(128), |e| {
            original(e).icmp().is_some_and(|icmp| icmp.kind == 128)
        }),
        Wanted::new("mark", Predicate::mark(5), |e| e.mark() == Some(5)),
        Wanted::new("no mark", Predicate::mark(0), |e| {
            e.mark().unwrap_or(0) == 0
        }),
        Wanted::new("mark bits", Predicate::mark_masked(2, 6), |e| {
            e.mark().unwrap_or(0) & 6 == 2
        }),
        Wanted::new("assured", Predicate::status_set(Status::ASSURED), |e| {
            status(e).contains(Status::ASSURED)
        }),
        Wanted::new("silent", Predicate::status_clear(Status::SEEN_REPLY), |e| {
            !status(e).contains(Status::SEEN_REPLY)
        }),
        Wanted::new("translated", Predicate::nat(NatKind::Any), |e| {
            status(e).intersects(Status::SRC_NAT | Status::DST_NAT)
        }),
        Wanted::new("SNAT", Predicate::nat(NatKind::Source), |e| {
            status(e).contains(Status::SRC_NAT)
        }),
        Wanted::new("DNAT", Predicate::nat(NatKind::Destination), |e| {
            status(e).contains(Status::DST_NAT)
        }),
        Wanted::new(
            "TIME_WAIT",
            Predicate::tcp_state(TcpState::TIME_WAIT),
            |e| matches!(e.protoinfo(), Some(ProtoInfo::Tcp(tcp)) if tcp.state == Some(TcpState::TIME_WAIT)),
        ),
        Wanted::new("helper", Predicate::helper("ftp"), |e| {
            e.helper() == Some("ftp")
        }),
        Wanted::new("label 40", Predicate::labels_any(&label(40)), |e| {
            e.labels().is_some_and(|labels| labels.test(40))
        }),
        Wanted::new("long timeout", Predicate::timeout(1500..), |e| {
            e.timeout().is_some_and(|seconds| seconds >= 1500)
        }),
    ];
    for l4proto in [L4Proto::TCP, L4Proto::UDP, L4Proto::SCTP, L4Proto::GRE] {
        all.push(Wanted::new(
            l4proto.name(),
            Predicate::l4proto(l4proto),
            move |e| original(e).l4proto() == l4proto,
        ));
    }
    for zone in [0, 2] {
        all.extend(zones(zone));
    }
    for v6 in [false, true] {
        all.extend(addresses(v6));
        all.extend(ports(v6));
    }
    all
}

/// Combinations of these.
pub(crate) fn combined(simple: &[Wanted]) -> Vec<Wanted> {
    let mut random = fastrand::Rng::with_seed(2);
    let mut pick = || match random.u8(..4) {
        0 => random.choice(simple).unwrap().not(),
        _ => random.choice(simple).unwrap().clone(),
    };
    let mut all = Vec::new();
    for _ in 0..60 {
        all.push(pick().and(&pick()));
        all.push(pick().or(&pick()).and(&pick()));
        all.push(pick().and(&pick()).or(&pick().and(&pick())));
    }
    all
}

fn zones(zone: u16) -> Vec<Wanted> {
    let of = move |entry: &Conntrack, direction| {
        let tuple = tuple(entry, direction);
        entry.zone().or(tuple.zone()).unwrap_or(0)
    };
    let both = move |e: &Conntrack| match zone {
        0 => of(e, Original) == 0 && of(e, Reply) == 0,
        zone => e.zone() == Some(zone),
    };
    let mut all = vec![
        Wanted::new(format!("zone {zone}"), Predicate::zone(zone), both),
        Wanted::new(
            format!("zone {zone} of either"),
            Predicate::zone_of_either(zone),
            move |e| of(e, Original) == zone || of(e, Reply) == zone,
        ),
    ];
    for direction in [Original, Reply] {
        let predicate = Predicate::zone_of(direction, zone);
        let name = format!("zone {zone} of {direction:?}");
        all.push(Wanted::new(name, predicate, move |e| {
            of(e, direction) == zone
        }));
    }
    all
}

fn addresses(v6: bool) -> Vec<Wanted> {
    let (one, other) = (host(v6, 3), host(v6, 6));
    let half = IpPrefix::new(one, if v6 { 64 } else { 24 }).unwrap();
    let two: AddressSet = [one, other].into_iter().collect();
    let mixed: AddressSet = [host(v6, 3), host(!v6, 2)].into_iter().collect();
    let mut all = Vec::new();
    for direction in [Original, Reply] {
        let source = move |e: &Conntrack| tuple(e, direction).source();
        let destination = move |e: &Conntrack| tuple(e, direction).destination();
        let name = |what: String| format!("{what} of {direction:?}");
        all.extend([
            Wanted::new(
                name(format!("source {one}")),
                Predicate::source(direction, one),
                move |e| source(e) == one,
            ),
            Wanted::new(
                name(format!("destination {one}")),
                Predicate::destination(direction, one),
                move |e| destination(e) == one,
            ),
            Wanted::new(
                name(format!("source {half}")),
                Predicate::source(direction, half),
                move |e| half.contains(source(e)),
            ),
            Wanted::new(
                name(format!("source {one} or {other}")),
                Predicate::source(direction, two.clone()),
                move |e| [one, other].contains(&source(e)),
            ),
            Wanted::new(
                name(format!("destination {one} or one of the other family")),
                Predicate::destination(direction, mixed.clone()),
                move |e| [one, host(!v6, 2)].contains(&destination(e)),
            ),
        ]);
    }
    all
}

fn ports(v6: bool) -> Vec<Wanted> {
    let family = if v6 { L3Proto::IPV6 } else { L3Proto::IPV4 };
    let mut all = Vec::new();
    for l4proto in [L4Proto::TCP, L4Proto::UDP, L4Proto::SCTP, L4Proto::UDPLITE] {
        for direction in [Original, Reply] {
            let is = move |e: &Conntrack| {
                (original(e).l3proto(), original(e).l4proto()) == (family, l4proto)
            };
            let ports = move |e: &Conntrack| tuple(e, direction).ports().unwrap();
            let named = Predicate::family(family) & Predicate::l4proto(l4proto);
            let name = format!("{family:?} {l4proto} of {direction:?}");
            all.push(Wanted::new(
                format!("{name} from 2"),
                named.clone() & Predicate::source_port(direction, 2),
                move |e| is(e) && ports(e).0 == 2,
            ));
            all.push(Wanted::new(
                format!("{name} to 2..=3"),
                named & Predicate::destination_port(direction, 2..=3),
                move |e| is(e) && (2..=3).contains(&ports(e).1),
            ));
            // Without a family the kernel takes no ports: it is asked twice.
            all.push(Wanted::new(
                format!("{l4proto} of {direction:?} to 4"),
                Predicate::l4proto(l4proto) & Predicate::destination_port(direction, 4),
                move |e| original(e).l4proto() == l4proto && ports(e).1 == 4,
            ));
        }
    }
    let backends = [(host(v6, 5), 3), (host(v6, 2), 1), (host(v6, 6), 4)];
    all.push(Wanted::new(
        format!("UDP backends, IPv6 {v6}"),
        Predicate::udp_backends(backends.map(Into::into)),
        move |e| {
            let (from, to) = (tuple(e, Reply), original(e));
            to.l4proto() == L4Proto::UDP
                && (backends.contains(&(to.destination(), to.ports().unwrap().1))
                    || backends.contains(&(from.source(), from.ports().unwrap().0)))
        },
    ));
    all
}

fn original(entry: &Conntrack) -> Tuple {
    entry.original().unwrap()
}

fn tuple(entry: &Conntrack, direction: Direction) -> Tuple {
    match direction {
        Original => original(entry),
        Reply => entry.reply().unwrap(),
    }
}

fn status(entry: &Conntrack) -> Status {
    entry.status().unwrap()
}

fn label(bit: u32) -> Bitmask {
    let mut labels = Bitmask::new(127).unwrap();
    labels.set(bit);
    labels
}
