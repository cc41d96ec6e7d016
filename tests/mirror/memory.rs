//! What a flow costs.

use std::time::Instant;

use netfilter_conntrack::mirror::{Change, Mirror, Replica, Task};
use netfilter_conntrack::{L4Proto, Status, Tuple};

use crate::common::allocations;
use crate::messages::{self, Told, parse};

const FLOWS: u32 = 100_000;
const BYTES_MAX: isize = 300;

fn told(number: u32) -> Told {
    let address = |text: &str| text.parse().unwrap();
    let ports = |number: u32| number as u16;
    let mut original = Tuple::new(address("2001:db8::1"), address("2001:db8::2"), L4Proto::TCP)
        .unwrap()
        .with_ports(ports(number), ports(number >> 16));
    if number % 2 == 0 {
        original = Tuple::new(address("192.0.2.1"), address("198.51.100.1"), L4Proto::UDP)
            .unwrap()
            .with_ports(ports(number), ports(number >> 16));
    }
    Told {
        original,
        reply: original.inverted(),
        zone: None,
        // As scattered as the kernel's.
        id: number.wrapping_mul(0x9e37_79b1),
        status: Status::CONFIRMED,
        mark: Some(number),
    }
}

fn feed(replica: &mut Replica, event: &[u8]) {
    replica.event(&parse(event));
    let now = Instant::now();
    while replica.next_task(now) == Task::TakeChange {
        assert!(!matches!(
            replica.change(),
            None | Some(Change::Resynced(_))
        ));
    }
}

#[test]
fn a_flow_takes_at_most_300_bytes_at_any_number_of_flows() {
    let before = allocations::held();
    let mut replica = Mirror::options().replica();
    for number in 0..FLOWS {
        feed(&mut replica, &messages::new(&told(number)));
        let flows = isize::try_from(number + 1).unwrap();
        let held = allocations::held() - before;
        // Room for the next thousand flows is made at once.
        assert!(held < BYTES_MAX * flows + 512 * 1024, "{held} for {flows}");
    }
    let held = allocations::held() - before;
    let flows = isize::try_from(FLOWS).unwrap();
    println!("{} bytes a flow", held / flows);
    assert!(held < BYTES_MAX * flows, "{} a flow", held / flows);
    let reported = isize::try_from(replica.statistics().memory).unwrap();
    assert!(
        (held - reported).abs() < held / 50,
        "{held}, reported {reported}"
    );
}

#[test]
fn memory_is_used_again() {
    let mut replica = Mirror::options().replica();
    let mut held = Vec::with_capacity(5);
    for round in 0..5 {
        for number in 0..20_000 {
            feed(&mut replica, &messages::new(&told(number + round * 1000)));
        }
        for number in 0..20_000 {
            feed(
                &mut replica,
                &messages::destroy(&told(number + round * 1000)),
            );
        }
        assert_eq!(replica.statistics().flows, 0);
        held.push(allocations::held());
    }
    held.dedup();
    assert_eq!(held.len(), 1, "{held:?}");
}
