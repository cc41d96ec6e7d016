//! Compiled programs in the kernel: on made-up messages and on real events.

use netfilter_conntrack::filter::EventFilter;
use netfilter_conntrack::netlink::{Attrs, Message, Socket};
use netfilter_conntrack::nfnetlink::Nfgenmsg;

use crate::common::netns;
use crate::message::Order;
use crate::properties::{LARGE, SMALL};
use crate::random::{self, Random, datagram};
use crate::sockets::{Trial, drain, listener};
use crate::table::{Table, adapt};
use crate::{interpreter, reference};

/// The interpreter is right, and the kernel takes what is compiled.
#[test]
fn the_kernel_agrees_with_the_interpreter() {
    let mut random = Random(10);
    let trial = Trial::new();
    let mut passed = [0; 2];
    for n in 0..500 {
        let shape = if n % 10 == 0 { &LARGE } else { &SMALL };
        let filter = random::filter(&mut random, shape);
        let program = filter.compile().unwrap();
        program.attach(&trial.receiver).unwrap();
        for _ in 0..40 {
            let mut message = datagram(&mut random, &filter, Order::HOST);
            if random.one_in(3) {
                random::damage(&mut random, &mut message);
            }
            let kept = interpreter::run(program.instructions(), &message, Order::HOST).unwrap();
            let passes = trial.passes(&message);
            assert_eq!(passes, kept != 0, "{filter:?}\n{message:02x?}");
            passed[usize::from(passes)] += 1;
        }
    }
    assert!(passed.iter().all(|&count| count > 5000), "{passed:?}");
}

/// Many filters at once on sockets that all get the same events.
#[test]
fn real_events_pass_as_the_filter_says() {
    netns::run(|| {
        let mut random = Random(11);
        let plain = listener();
        let filters: Vec<(EventFilter, Socket)> = (0..80)
            .map(|n| {
                let shape = if n % 8 == 0 { &LARGE } else { &SMALL };
                let filter = random::filter(&mut random, shape);
                let socket = listener();
                filter.attach(&socket).unwrap();
                (filter, socket)
            })
            .collect();
        let mut table = Table::open();
        let mut seen = Seen::default();
        for n in 0..600 {
            let aim = &filters[n % filters.len()].0;
            let flow = random::flow(&mut random, aim);
            let flow = adapt(&mut random, flow);
            table.create(&flow).unwrap();
            let mut changed = adapt(&mut random, flow.clone());
            changed.mark = random::flow(&mut random, aim).mark;
            table.update(&changed).unwrap();
            table.delete(&flow).unwrap();
            let events = drain(&plain);
            assert!((2..=3).contains(&events.len()), "{flow:?}: {events:02x?}");
            for (filter, socket) in &filters {
                let expected: Vec<&Vec<u8>> = events
                    .iter()
                    .filter(|event| reference::passes(filter, event, Order::HOST))
                    .collect();
                seen.passed += expected.len();
                seen.dropped += events.len() - expected.len();
                let received = drain(socket);
                assert!(
                    received.iter().eq(expected.iter().copied()),
                    "{filter:?}\n{received:02x?}\n{expected:02x?}"
                );
            }
            events.iter().for_each(|event| seen.add(event));
        }
        assert!(seen.all(), "{seen:?}");
    });
}

/// What the events of a test showed the filters.
#[derive(Debug, Default)]
struct Seen {
    passed: usize,
    dropped: usize,
    updates: usize,
    marks: usize,
    zones: usize,
    states: usize,
}

impl Seen {
    fn add(&mut self, event: &[u8]) {
        let message = Message::parse(event).unwrap();
        let (_, attributes) = Nfgenmsg::split(&message).unwrap();
        let has = |kind| {
            let mut all = Attrs::new(attributes);
            usize::from(all.any(|attr| attr.unwrap().kind() == kind))
        };
        self.updates += usize::from(message.flags().is_empty() && message.kind() == 0x100);
        self.marks += has(8);
        self.zones += has(18);
        self.states += has(4);
    }

    fn all(&self) -> bool {
        self.passed > 10_000
            && self.dropped > 10_000
            && [self.updates, self.marks, self.zones, self.states]
                .iter()
                .all(|&count| count > 200)
    }
}
