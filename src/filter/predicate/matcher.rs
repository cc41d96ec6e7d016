//! The compiled form of predicates.

use super::Node;
use super::entry::Entry;
use super::test::{Probe, Test};

/// A compiled [`Predicate`](super::Predicate).
///
/// Checking an entry allocates nothing, decodes of a view only what the tests
/// ask for, and stops as soon as the outcome is known.
///
/// ```
/// use netfilter_conntrack::filter::Predicate;
/// use netfilter_conntrack::{Groups, Handle, L4Proto};
///
/// # fn run() -> netfilter_conntrack::Result<()> {
/// let udp = Predicate::l4proto(L4Proto::UDP).compile();
/// let mut handle = Handle::open(Groups::NEW)?;
/// loop {
///     let event = handle.next_event()?;
///     if event.conntrack().is_some_and(|entry| udp.matches(&entry)) {
///         println!("{:?}", event.conntrack());
///     }
/// }
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Matcher {
    /// Each leads only to those before it, so that every path ends.
    steps: Vec<Step>,
    start: Target,
}

#[derive(Clone, Debug)]
struct Step {
    test: Test,
    /// Where to go if the test holds.
    holds: Target,
    fails: Target,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    Outcome(bool),
    Step(usize),
}

impl Matcher {
    pub(super) fn new(folded: Node) -> Self {
        let mut matcher = Self {
            steps: Vec::new(),
            start: Target::Outcome(false),
        };
        matcher.start = matcher.add(folded, Target::Outcome(true), Target::Outcome(false));
        matcher
    }

    /// Whether the predicate holds for the entry.
    #[must_use]
    pub fn matches(&self, entry: &impl Entry) -> bool {
        let mut probe = Probe::new(entry);
        let mut target = self.start;
        loop {
            let step = match target {
                Target::Outcome(outcome) => return outcome,
                Target::Step(index) => match self.steps.get(index) {
                    Some(step) => step,
                    None => return false,
                },
            };
            target = match probe.holds(&step.test) {
                true => step.holds,
                false => step.fails,
            };
        }
    }

    /// Adds the steps of an expression, from the last one to the first, and
    /// tells where it starts.
    fn add(&mut self, node: Node, holds: Target, fails: Target) -> Target {
        match node {
            Node::Always(true) => holds,
            Node::Always(false) => fails,
            Node::Not(inner) => self.add(*inner, fails, holds),
            Node::All(nodes) => nodes
                .into_iter()
                .rev()
                .fold(holds, |next, node| self.add(node, next, fails)),
            Node::Any(nodes) => nodes
                .into_iter()
                .rev()
                .fold(fails, |next, node| self.add(node, holds, next)),
            Node::Test(test) => {
                self.steps.push(Step { test, holds, fails });
                Target::Step(self.steps.len() - 1)
            }
        }
    }
}
