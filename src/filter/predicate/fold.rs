//! Simplifying expressions before they are compiled.

use super::Node;
use super::byte_set::ByteSet;
use super::test::Test;
use crate::filter::address_set::AddressSet;

impl Node {
    /// The same expression without constants inside, with tests of one thing
    /// joined to one test, and with what is quickly checked in front.
    pub(super) fn folded(self) -> Self {
        match self {
            Self::Always(_) => self,
            Self::Test(ref test) => test.constant().map_or(self, Self::Always),
            Self::Not(inner) => match inner.folded() {
                Self::Always(outcome) => Self::Always(!outcome),
                Self::Not(inner) => *inner,
                other => Self::Not(Box::new(other)),
            },
            Self::All(nodes) => junction(nodes, Joint::All),
            Self::Any(nodes) => junction(nodes, Joint::Any),
        }
    }

    fn cost(&self) -> usize {
        match self {
            Self::Always(_) => 0,
            Self::Test(test) => test.cost(),
            Self::Not(inner) => inner.cost(),
            Self::All(nodes) | Self::Any(nodes) => nodes.iter().map(Self::cost).sum(),
        }
    }
}

/// What joins expressions.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Joint {
    All,
    Any,
}

impl Joint {
    /// The outcome that an expression may have without effect.
    fn neutral(self) -> bool {
        self == Self::All
    }

    /// The parts of an expression of this kind; all of another one.
    fn parts(self, node: Node) -> Vec<Node> {
        match (self, node) {
            (Self::All, Node::All(nodes)) | (Self::Any, Node::Any(nodes)) => nodes,
            (_, node) => vec![node],
        }
    }
}

fn junction(nodes: Vec<Node>, joint: Joint) -> Node {
    let mut others = Vec::new();
    let mut groups: Vec<Vec<Test>> = Vec::new();
    let folded = nodes.into_iter().map(Node::folded);
    for node in folded.flat_map(|node| joint.parts(node)) {
        match node {
            Node::Always(outcome) if outcome == joint.neutral() => {}
            Node::Always(outcome) => return Node::Always(outcome),
            Node::Test(test) => {
                let alike = |group: &&mut Vec<Test>| {
                    let first = group.first();
                    first.is_some_and(|first| of_one_thing(first, &test))
                };
                match groups.iter_mut().find(alike) {
                    Some(group) => group.push(test),
                    None => groups.push(vec![test]),
                }
            }
            other => others.push(other),
        }
    }
    let mut kept = others;
    for group in groups {
        let test = match joint {
            Joint::All => intersection(group),
            Joint::Any => union(group),
        };
        let Some(test) = test else { continue };
        match test.constant() {
            Some(outcome) if outcome == joint.neutral() => {}
            Some(outcome) => return Node::Always(outcome),
            None => kept.push(Node::Test(test)),
        }
    }
    kept.sort_by_key(Node::cost);
    match (kept.len(), joint) {
        (0, _) => Node::Always(joint.neutral()),
        (1, _) => kept.swap_remove(0),
        (_, Joint::All) => Node::All(kept),
        (_, Joint::Any) => Node::Any(kept),
    }
}

/// Whether both ask for membership of the same thing in a set, or are equal.
fn of_one_thing(one: &Test, other: &Test) -> bool {
    match (one, other) {
        (Test::L4Proto(_), Test::L4Proto(_)) | (Test::TcpState(_), Test::TcpState(_)) => true,
        (Test::Address(one, _), Test::Address(other, _))
        | (Test::Port(one, _), Test::Port(other, _))
        | (Test::Endpoint(one, _), Test::Endpoint(other, _)) => one == other,
        _ => one == other,
    }
}

/// The test that holds where one of these, which are of one thing, does.
fn union(group: Vec<Test>) -> Option<Test> {
    let joined = match group.first()? {
        Test::L4Proto(_) => Test::L4Proto(bytes(&group, ByteSet::union)),
        Test::TcpState(_) => Test::TcpState(bytes(&group, ByteSet::union)),
        Test::Address(place, _) => {
            let sets = group.iter().filter_map(|test| match test {
                Test::Address(_, set) => Some(set),
                _ => None,
            });
            Test::Address(*place, AddressSet::union(sets))
        }
        Test::Port(place, _) => {
            let ranges = group.iter().filter_map(|test| match test {
                Test::Port(_, set) => Some(set.iter()),
                _ => None,
            });
            Test::Port(*place, ranges.flatten().collect())
        }
        Test::Endpoint(place, _) => {
            let endpoints = group.iter().filter_map(|test| match test {
                Test::Endpoint(_, endpoints) => Some(endpoints),
                _ => None,
            });
            Test::endpoints(*place, endpoints.flatten().copied().collect())
        }
        _ => return group.into_iter().next(),
    };
    Some(joined)
}

/// The test that holds where all of these, which are of one thing, do.
fn intersection(group: Vec<Test>) -> Option<Test> {
    if let Some(Test::L4Proto(_)) = group.first() {
        return Some(Test::L4Proto(bytes(&group, ByteSet::intersection)));
    }
    if let Some(Test::TcpState(_)) = group.first() {
        return Some(Test::TcpState(bytes(&group, ByteSet::intersection)));
    }
    group.into_iter().reduce(|one, other| match (one, other) {
        (Test::Address(place, one), Test::Address(_, other)) => {
            Test::Address(place, one.intersection(&other))
        }
        (Test::Port(place, one), Test::Port(_, other)) => {
            Test::Port(place, one.intersection(&other))
        }
        (Test::Endpoint(place, mut one), Test::Endpoint(_, other)) => {
            one.retain(|endpoint| other.binary_search(endpoint).is_ok());
            Test::Endpoint(place, one)
        }
        (one, _) => one,
    })
}

fn bytes(group: &[Test], join: fn(ByteSet, ByteSet) -> ByteSet) -> ByteSet {
    let sets = group.iter().filter_map(|test| match test {
        Test::L4Proto(set) | Test::TcpState(set) => Some(*set),
        _ => None,
    });
    sets.reduce(join).unwrap_or_default()
}
