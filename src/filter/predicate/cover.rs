//! From a predicate to what the kernel can be asked for.
//!
//! The kernel's filter need not say all that the predicate does, but it must
//! pass every entry that the predicate holds for.

use std::net::IpAddr;

use super::test::{Place, Side, Test, ZoneSide};
use super::{Node, Predicate};
use crate::conntrack::{L4Proto, Status};
use crate::filter::dump::DumpFilter;
use crate::nfnetlink::L3Proto;

/// A filter that passes all entries a predicate holds for.
#[derive(Clone, Debug)]
pub(crate) struct Cover {
    pub(crate) filter: DumpFilter,
    /// Whether it passes no others.
    pub(crate) exact: bool,
}

impl DumpFilter {
    /// The narrowest filter that passes all entries the predicate holds for;
    /// `None` where it holds for none. What the filter passes is still to be
    /// checked with the predicate.
    ///
    /// ```
    /// use netfilter_conntrack::filter::IpPrefix;
    /// use netfilter_conntrack::{Direction, DumpFilter, Predicate};
    ///
    /// let network: IpPrefix = "2001:db8::/32".parse()?;
    /// let predicate = Predicate::source(Direction::Original, network) & Predicate::mark(7);
    /// // The mark and the family of the addresses.
    /// let filter = DumpFilter::covering(&predicate).unwrap();
    /// # drop(filter);
    /// assert!(DumpFilter::covering(&Predicate::never()).is_none());
    /// # Ok::<(), netfilter_conntrack::Error>(())
    /// ```
    #[must_use]
    pub fn covering(predicate: &Predicate) -> Option<Self> {
        Some(predicate.cover()?.filter)
    }
}

/// The cover of an expression; `None` where the expression holds for no entry.
pub(super) fn cover(node: &Node) -> Option<Cover> {
    let mut cover = of_node(node, true)?;
    cover.exact &= cover.filter.tuples.is_exact();
    Some(cover)
}

/// The cover of the expression, or of its negation where `wanted` is false.
fn of_node(node: &Node, wanted: bool) -> Option<Cover> {
    match node {
        Node::Always(outcome) => (*outcome == wanted).then(Cover::all),
        Node::Not(inner) => of_node(inner, !wanted),
        Node::Test(test) if wanted => Some(of_test(test)),
        Node::Test(test) => Some(of_negated(test)),
        Node::All(nodes) if wanted => of_all(nodes, wanted),
        Node::Any(nodes) if !wanted => of_all(nodes, wanted),
        Node::All(nodes) | Node::Any(nodes) => of_any(nodes, wanted),
    }
}

fn of_all(nodes: &[Node], wanted: bool) -> Option<Cover> {
    let mut all = Cover::all();
    for node in nodes {
        all.narrow(&of_node(node, wanted)?);
    }
    Some(all)
}

fn of_any(nodes: &[Node], wanted: bool) -> Option<Cover> {
    let covers = nodes.iter().filter_map(|node| of_node(node, wanted));
    covers.reduce(Cover::widen)
}

fn of_test(test: &Test) -> Cover {
    let all = DumpFilter::new();
    match test {
        Test::Family(family) => Cover::exactly(all.family(*family)),
        Test::L4Proto(set) => match set.single() {
            Some(number) => Cover::exactly(all.l4proto(L4Proto(number))),
            None => Cover::roughly(all),
        },
        Test::Address(place, set) => match (set.single(), set.family()) {
            (Some(address), _) => Cover::exactly(at_address(all, *place, address)),
            (None, Some(family)) => Cover::roughly(all.family(family)),
            (None, None) => Cover::roughly(all),
        },
        Test::Port(place, set) => match set.single() {
            Some(port) => Cover::exactly(at_port(all, *place, port)),
            None => Cover::roughly(all),
        },
        Test::Endpoint(place, endpoints) => match endpoints[..] {
            [(address, port)] => {
                let filter = at_address(all, *place, address);
                Cover::exactly(at_port(filter, *place, port))
            }
            _ => of_addresses(endpoints.iter().map(|(address, _)| *address)),
        },
        // The kernel compares the number of the zone, whatever direction it is
        // for; a number of 0 means the default zone in both.
        Test::Zone(ZoneSide::Both, 0) => Cover::exactly(all.zone(0)),
        Test::Zone(_, 0) => Cover::roughly(all),
        Test::Zone(ZoneSide::Either, zone) => Cover::exactly(all.zone(*zone)),
        Test::Zone(_, zone) => Cover::roughly(all.zone(*zone)),
        Test::Mark { value, mask } => Cover::exactly(all.mark(*value, *mask)),
        Test::Status { value, mask } => Cover::exactly(status(*value, *mask)),
        Test::Icmp(..)
        | Test::TcpState(_)
        | Test::Helper(_)
        | Test::LabelsAll(_)
        | Test::LabelsAny(_)
        | Test::Amount(..) => Cover::roughly(all),
    }
}

/// The negation of a test on one bit is the test on its opposite.
fn of_negated(test: &Test) -> Cover {
    match test {
        Test::Mark { value, mask } if mask.is_power_of_two() => {
            Cover::exactly(DumpFilter::new().mark(value ^ mask, *mask))
        }
        Test::Status { value, mask } if mask.is_power_of_two() => {
            Cover::exactly(status(value ^ mask, *mask))
        }
        _ => Cover::roughly(DumpFilter::new()),
    }
}

fn of_addresses(addresses: impl Iterator<Item = IpAddr>) -> Cover {
    let filters = addresses.map(|address| match address {
        IpAddr::V4(_) => DumpFilter::new().family(L3Proto::IPV4),
        IpAddr::V6(_) => DumpFilter::new().family(L3Proto::IPV6),
    });
    let common = filters.map(Cover::roughly).reduce(Cover::widen);
    common.unwrap_or_else(|| Cover::roughly(DumpFilter::new()))
}

fn at_address(filter: DumpFilter, Place(direction, side): Place, address: IpAddr) -> DumpFilter {
    let family = match address {
        IpAddr::V4(_) => L3Proto::IPV4,
        IpAddr::V6(_) => L3Proto::IPV6,
    };
    let filter = filter.family(family);
    match side {
        Side::Source => filter.source(direction, address),
        Side::Destination => filter.destination(direction, address),
    }
}

fn at_port(filter: DumpFilter, Place(direction, side): Place, port: u16) -> DumpFilter {
    match side {
        Side::Source => filter.source_port(direction, port),
        Side::Destination => filter.destination_port(direction, port),
    }
}

fn status(value: u32, mask: u32) -> DumpFilter {
    let bits = Status::from_bits_retain;
    DumpFilter::new().status(bits(value), bits(mask))
}

impl Cover {
    fn all() -> Self {
        Self::exactly(DumpFilter::new())
    }

    fn exactly(filter: DumpFilter) -> Self {
        Self {
            filter,
            exact: true,
        }
    }

    fn roughly(filter: DumpFilter) -> Self {
        Self {
            filter,
            exact: false,
        }
    }

    /// Makes it pass only what `other` passes too, as far as a filter can say so.
    fn narrow(&mut self, other: &Self) {
        let narrowed = self.filter.narrow(&other.filter);
        self.exact &= other.exact && narrowed;
    }

    /// The cover of what one of both passes: the criteria they share.
    fn widen(self, other: Self) -> Self {
        let exact = self.exact && other.exact && self.filter.agrees(&other.filter);
        Self {
            filter: self.filter.shared(&other.filter),
            exact,
        }
    }
}
