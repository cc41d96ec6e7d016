//! Filters as users write them, and the flows that pass.

use netfilter_conntrack::conntrack::TcpState;
use netfilter_conntrack::filter::{AddrMask, EventFilter, FilterAttr};
use netfilter_conntrack::{EventKind, L4Proto};

use crate::capacity::from;
use crate::message::{Flow, Kind, Order};
use crate::properties::ORDERS;
use crate::{interpreter, reference};

/// Checks that new flows pass or are dropped, by the compiler and the reference.
fn check(filter: EventFilter, passing: &[Flow], dropped: &[Flow]) {
    let verdicts = [(passing, true), (dropped, false)];
    for (flow, expected) in verdicts
        .into_iter()
        .flat_map(|(flows, expected)| flows.iter().map(move |flow| (flow, expected)))
    {
        for (order, target) in ORDERS {
            let program = filter.compile_for(target).unwrap();
            let message = flow.message(order, Kind::NEW);
            let kept = interpreter::run(program.instructions(), &message, order).unwrap();
            assert_eq!(kept != 0, expected, "{filter:?}\n{flow:?}");
            let passes = reference::passes(&filter, &message, order);
            assert_eq!(passes, expected, "the reference: {filter:?}\n{flow:?}");
        }
    }
}

fn new() -> EventFilter {
    EventFilter::new()
}

fn net(text: &str) -> AddrMask {
    text.parse().unwrap()
}

/// A UDP flow from 192.0.2.1 to 198.51.100.1.
fn four() -> Flow {
    from("192.0.2.1".parse().unwrap())
}

/// A UDP flow from 2001:db8::1 to ::1.
fn six() -> Flow {
    from("2001:db8::1".parse().unwrap())
}

#[test]
fn no_criteria() {
    check(new(), &[four(), six()], &[]);
    let negative = FilterAttr::ALL
        .into_iter()
        .fold(new(), EventFilter::negative);
    check(negative, &[four(), six()], &[]);
}

#[test]
fn protocols() {
    let both = new().l4proto(L4Proto::TCP).l4proto(L4Proto::UDP);
    check(both.clone(), &[four(), six()], &[]);
    check(both.negative(FilterAttr::L4Proto), &[], &[four(), six()]);
    check(new().l4proto(L4Proto::TCP), &[], &[four(), six()]);
}

#[test]
fn addresses() {
    let listed = new().source(net("192.0.2.77/24"));
    check(listed.clone(), &[four(), six()], &[]);
    check(listed.negative(FilterAttr::SourceIpv4), &[six()], &[four()]);
    let other = new().source(net("192.0.3.0/24"));
    check(other.clone(), &[six()], &[four()]);
    check(
        other.negative(FilterAttr::SourceIpv4),
        &[four(), six()],
        &[],
    );
    check(new().destination(net("192.0.3.0/24")), &[six()], &[four()]);
    check(new().destination(net("2001:db8::/32")), &[four()], &[six()]);
}

#[test]
fn sources_and_destinations() {
    let destination = || new().destination(net("198.51.100.1"));
    check(destination().source(net("192.0.2.1")), &[four()], &[]);
    check(destination().source(net("192.0.2.2")), &[], &[four()]);
    let neither = destination()
        .source(net("192.0.2.2"))
        .negative(FilterAttr::SourceIpv4)
        .negative(FilterAttr::DestinationIpv4);
    check(neither, &[], &[four()]);
}

#[test]
fn all_addresses_of_a_family() {
    let all = new().source(net("0.0.0.0/0"));
    check(all.clone(), &[four(), six()], &[]);
    check(all.negative(FilterAttr::SourceIpv4), &[six()], &[four()]);
}

#[test]
fn marks() {
    let marked = |mark| Flow {
        mark: Some(mark),
        ..four()
    };
    let (five, long) = (marked(5), marked(0x105));
    let exact = new().mark(5, u32::MAX);
    check(exact, std::slice::from_ref(&five), &[long.clone(), four()]);
    check(new().mark(5, 0xff), &[five, long], &[four()]);
    let zero = new().mark(0, u32::MAX);
    check(zero.clone(), &[four(), marked(0)], &[marked(5)]);
    let marked_ones = zero.negative(FilterAttr::Mark);
    check(marked_ones, &[marked(5)], &[four(), marked(0)]);
}

#[test]
fn zones() {
    let mut in_five = four();
    in_five.zone = Some(5);
    check(new().zone(5), &[in_five.clone()], &[four()]);
    check(new().zone(0), &[four()], &[in_five]);
    // A zone of one direction is not looked at.
    let mut one_way = four();
    one_way.original.zone = Some(5);
    check(new().zone(0), &[one_way.clone()], &[]);
    check(new().zone(5), &[], &[one_way]);
}

#[test]
fn states() {
    let in_state = |protocol, state| Flow {
        state: Some((protocol, state)),
        ..four()
    };
    let established = new().l4state(TcpState::ESTABLISHED);
    // SCTP has states of its own, UDP has none.
    let others = [in_state(3, 3), in_state(3, 4), four()];
    check(established.clone(), &[in_state(1, 3)], &[in_state(1, 4)]);
    check(established.clone(), &others, &[]);
    let negative = established.negative(FilterAttr::L4State);
    check(negative.clone(), &[in_state(1, 4)], &[in_state(1, 3)]);
    check(negative, &others, &[]);
}

#[test]
fn kinds() {
    let update = new().kind(EventKind::Update);
    check(update.clone(), &[], &[four()]);
    check(update.kind(EventKind::New), &[four()], &[]);
    let not_new = new().kind(EventKind::New).negative(FilterAttr::Kind);
    check(not_new.clone(), &[], &[four()]);
    // An entry of a dump counts as updated.
    let dumped = four().message(Order::HOST, Kind::conntrack(0, 2));
    let program = not_new.compile().unwrap();
    let kept = interpreter::run(program.instructions(), &dumped, Order::HOST);
    assert_eq!(kept, Ok(u32::MAX));
}
