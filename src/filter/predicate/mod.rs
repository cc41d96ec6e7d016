//! Predicates: which entries are meant, checked in user space.

mod byte_set;
mod cover;
mod entry;
mod fold;
mod matcher;
mod of_filter;
mod terms;
mod test;
#[cfg(test)]
mod tests;

use std::ops::{BitAnd, BitOr, Not};

pub(crate) use cover::Cover;
pub use entry::Entry;
pub(crate) use entry::Fields;
pub use matcher::Matcher;
pub use terms::{NatKind, Ports};

use test::Test;

/// Which entries are meant.
///
/// Predicates are combined with `&`, `|` and `!`, or [`all_of`](Self::all_of)
/// and [`any_of`](Self::any_of). The methods of [`Handle`](crate::Handle) take
/// them whole; to check entries and events one by one, [`compile`](Self::compile)
/// them first.
///
/// Mark, zone, status and labels of an entry that does not have them count as
/// 0 or empty: the kernel leaves them out where they are. All other tests do not
/// hold for what an entry does not have, and so their negation does.
///
/// ```
/// use netfilter_conntrack::filter::{IpPrefix, Predicate};
/// use netfilter_conntrack::{Conntrack, Direction, L4Proto, Status, Tuple};
///
/// let inside: IpPrefix = "10.0.0.0/8".parse()?;
/// let wanted = Predicate::l4proto(L4Proto::TCP)
///     & Predicate::source(Direction::Original, inside)
///     & !Predicate::destination_port(Direction::Original, 443)
///     & (Predicate::mark(5) | Predicate::status_set(Status::ASSURED));
/// let wanted = wanted.compile();
///
/// let tuple = Tuple::tcp("10.9.0.1:40000".parse().unwrap(), "192.0.2.1:80".parse().unwrap())?;
/// let mut entry = Conntrack::flow(tuple);
/// assert!(!wanted.matches(&entry));
/// entry.set_mark(5);
/// assert!(wanted.matches(&entry));
/// # Ok::<(), netfilter_conntrack::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Predicate(Node);

/// An expression over tests.
#[derive(Clone, Debug, PartialEq)]
enum Node {
    Always(bool),
    Test(Test),
    Not(Box<Node>),
    All(Vec<Node>),
    Any(Vec<Node>),
}

impl Predicate {
    /// Holds for all entries.
    pub fn always() -> Self {
        Self(Node::Always(true))
    }

    /// Holds for no entry.
    pub fn never() -> Self {
        Self(Node::Always(false))
    }

    /// Holds where all of these do; for all entries where there are none.
    pub fn all_of(predicates: impl IntoIterator<Item = Self>) -> Self {
        Self(Node::All(nodes(predicates)))
    }

    /// Holds where one of these does; for no entry where there are none.
    pub fn any_of(predicates: impl IntoIterator<Item = Self>) -> Self {
        Self(Node::Any(nodes(predicates)))
    }

    /// Holds where this one and `other` do; the same as `&`.
    pub fn and(self, other: Self) -> Self {
        Self(match (self.0, other.0) {
            (Node::All(mut nodes), other) => {
                nodes.push(other);
                Node::All(nodes)
            }
            (own, other) => Node::All(vec![own, other]),
        })
    }

    /// Holds where this one or `other` does; the same as `|`.
    pub fn or(self, other: Self) -> Self {
        Self(match (self.0, other.0) {
            (Node::Any(mut nodes), other) => {
                nodes.push(other);
                Node::Any(nodes)
            }
            (own, other) => Node::Any(vec![own, other]),
        })
    }

    /// Holds where this one does not; the same as `!`.
    pub fn negate(self) -> Self {
        Self(Node::Not(Box::new(self.0)))
    }

    /// The form that entries are checked with.
    #[must_use]
    pub fn compile(&self) -> Matcher {
        Matcher::new(self.0.clone().folded())
    }

    /// What the kernel can be asked for; `None` where no entry can match.
    pub(crate) fn cover(&self) -> Option<Cover> {
        cover::cover(&self.0.clone().folded())
    }

    fn test(test: Test) -> Self {
        Self(Node::Test(test))
    }
}

impl BitAnd for Predicate {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        self.and(other)
    }
}

impl BitOr for Predicate {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.or(other)
    }
}

impl Not for Predicate {
    type Output = Self;

    fn not(self) -> Self {
        self.negate()
    }
}

fn nodes(predicates: impl IntoIterator<Item = Predicate>) -> Vec<Node> {
    predicates
        .into_iter()
        .map(|predicate| predicate.0)
        .collect()
}
