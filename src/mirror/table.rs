//! The flows of a mirror, found by tuple and by id.

use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};

use super::flow::{Flow, FlowParts, Report};
use super::index::{Index, Links, NONE, Node};
use super::slab::{Place, Slab};
use crate::conntrack::{Direction, Tuple};

/// All flows. As in the kernel one index has the tuples of both directions, each
/// in its zone.
pub(super) struct Table {
    slots: Slab<Slot>,
    tuples: Index,
    ids: Index,
    /// Keyed, since whoever sends packets chooses the tuples.
    hasher: RandomState,
}

/// A flow and what keeps it in order.
#[derive(Debug)]
struct Slot {
    flow: Flow,
    seen: Seen,
    /// Hash of each direction's key.
    hashes: [u32; 2],
    next_tuples: [Node; 2],
    next_id: Node,
}

/// When a flow was last heard of, counted in lists of the table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// Since the beginning of this list.
    pub(super) list: u32,
    /// Whether an event told of it.
    pub(super) by_event: bool,
    /// What events told of it.
    pub(super) parts: FlowParts,
}

/// There are two nodes for each flow, and one number must be left for "none".
pub(super) const FLOWS_MAX: usize = (NONE / 2) as usize;

impl Table {
    pub(super) fn new() -> Self {
        Self {
            slots: Slab::new(),
            tuples: Index::new(),
            ids: Index::new(),
            hasher: RandomState::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// One more than the highest place in use.
    pub(super) fn end(&self) -> Place {
        self.slots.end()
    }

    /// Bytes of memory that are held.
    pub(super) fn memory(&self) -> usize {
        self.slots.memory() + self.tuples.memory() + self.ids.memory()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Flow> {
        self.slots.iter().map(|slot| &slot.flow)
    }

    pub(super) fn get(&self, place: Place) -> Option<&Flow> {
        self.slots.get(place).map(|slot| &slot.flow)
    }

    /// When the flow was last heard of.
    pub(super) fn seen(&self, place: Place) -> Option<Seen> {
        self.slots.get(place).map(|slot| slot.seen)
    }

    pub(super) fn set_seen(&mut self, place: Place, seen: Seen) {
        if let Some(slot) = self.slots.get_mut(place) {
            slot.seen = seen;
        }
    }

    /// The hash of what the kernel finds flows by.
    pub(super) fn hash(&self, key: &Tuple) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        // One word for IPv4 and three for IPv6: hashing all bytes one after the
        // other would take longer than all else about an event.
        key.write_to(&mut hasher);
        hasher.finish()
    }

    /// The flow that has this key in one of its directions.
    pub(super) fn find(&self, key: &Tuple) -> Option<(Place, Direction)> {
        self.find_hashed(key, self.hash(key), |_| true)
    }

    /// The flow that has this key in its original direction.
    pub(super) fn find_original(&self, key: &Tuple, hash: u64) -> Option<Place> {
        let (place, _) =
            self.find_hashed(key, hash, |direction| direction == Direction::Original)?;
        Some(place)
    }

    /// The flow with this id and this key in its original direction. It costs
    /// less than to find it by key alone.
    pub(super) fn find_same(&self, id: u32, key: &Tuple) -> Option<Place> {
        self.with_id(id).find(|place| {
            let flow = self.get(*place);
            flow.is_some_and(|flow| flow.key(Direction::Original) == *key)
        })
    }

    /// The flows with this id.
    pub(super) fn with_id(&self, id: u32) -> impl Iterator<Item = Place> {
        let mut node = self.ids.first(id);
        std::iter::from_fn(move || {
            while node != NONE {
                let slot = self.slots.get(node)?;
                let place = node;
                node = slot.next_id;
                if slot.flow.id() == id {
                    return Some(place);
                }
            }
            None
        })
    }

    /// Puts a flow in whose original key has this hash.
    pub(super) fn insert(&mut self, flow: Flow, hash: u64, seen: Seen) -> Place {
        let reply = self.hash(&flow.key(Direction::Reply));
        let hashes = [low(hash), low(reply)];
        let place = self.slots.insert(Slot {
            flow,
            seen,
            hashes,
            next_tuples: [NONE; 2],
            next_id: NONE,
        });
        let mut tuples = TupleLinks(&mut self.slots);
        for direction in [Direction::Original, Direction::Reply] {
            self.tuples.insert(node(place, direction), &mut tuples);
        }
        self.ids.insert(place, &mut IdLinks(&mut self.slots));
        place
    }

    pub(super) fn remove(&mut self, place: Place) -> Option<Flow> {
        // The links of a place that is not in use must not be followed.
        self.slots.get(place)?;
        let mut tuples = TupleLinks(&mut self.slots);
        for direction in [Direction::Original, Direction::Reply] {
            self.tuples.remove(node(place, direction), &mut tuples);
        }
        self.ids.remove(place, &mut IdLinks(&mut self.slots));
        self.slots.remove(place).map(|slot| slot.flow)
    }

    /// Updates a flow, as [`Flow::update`] does.
    pub(super) fn update(&mut self, place: Place, report: &Report, but: FlowParts) -> FlowParts {
        let Some(slot) = self.slots.get_mut(place) else {
            return FlowParts::empty();
        };
        let changed = slot.flow.update(report, but);
        if changed.contains(FlowParts::REPLY) {
            self.index_reply(place);
        }
        changed
    }

    /// Puts a flow where its reply tuple belongs, which has changed.
    fn index_reply(&mut self, place: Place) {
        let reply = node(place, Direction::Reply);
        self.tuples.remove(reply, &mut TupleLinks(&mut self.slots));
        let Some(flow) = self.get(place) else { return };
        let hash = low(self.hash(&flow.key(Direction::Reply)));
        if let Some(slot) = self.slots.get_mut(place) {
            let [_, reply_hash] = &mut slot.hashes;
            *reply_hash = hash;
        }
        self.tuples.insert(reply, &mut TupleLinks(&mut self.slots));
    }

    fn find_hashed(
        &self,
        key: &Tuple,
        hash: u64,
        wanted: impl Fn(Direction) -> bool,
    ) -> Option<(Place, Direction)> {
        let hash = low(hash);
        let mut node = self.tuples.first(hash);
        while node != NONE {
            let (place, direction) = split(node);
            let slot = self.slots.get(place)?;
            let is_it = *of(&slot.hashes, direction) == hash
                && wanted(direction)
                && slot.flow.key(direction) == *key;
            if is_it {
                return Some((place, direction));
            }
            node = *of(&slot.next_tuples, direction);
        }
        None
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// The chains of the index of tuples.
struct TupleLinks<'a>(&'a mut Slab<Slot>);

impl Links for TupleLinks<'_> {
    fn hash(&self, node: Node) -> u32 {
        let (place, direction) = split(node);
        let slot = self.0.get(place);
        slot.map_or(0, |slot| *of(&slot.hashes, direction))
    }

    fn next(&self, node: Node) -> Node {
        let (place, direction) = split(node);
        let slot = self.0.get(place);
        slot.map_or(NONE, |slot| *of(&slot.next_tuples, direction))
    }

    fn set_next(&mut self, node: Node, next: Node) {
        let (place, direction) = split(node);
        if let Some(slot) = self.0.get_mut(place) {
            let [original, reply] = &mut slot.next_tuples;
            match direction {
                Direction::Original => *original = next,
                Direction::Reply => *reply = next,
            }
        }
    }
}

/// The chains of the index of ids, which the kernel makes as a keyed hash.
struct IdLinks<'a>(&'a mut Slab<Slot>);

impl Links for IdLinks<'_> {
    fn hash(&self, node: Node) -> u32 {
        self.0.get(node).map_or(0, |slot| slot.flow.id())
    }

    fn next(&self, node: Node) -> Node {
        self.0.get(node).map_or(NONE, |slot| slot.next_id)
    }

    fn set_next(&mut self, node: Node, next: Node) {
        if let Some(slot) = self.0.get_mut(node) {
            slot.next_id = next;
        }
    }
}

fn node(place: Place, direction: Direction) -> Node {
    match direction {
        Direction::Original => place << 1,
        Direction::Reply => place << 1 | 1,
    }
}

fn split(node: Node) -> (Place, Direction) {
    let direction = match node & 1 {
        0 => Direction::Original,
        _ => Direction::Reply,
    };
    (node >> 1, direction)
}

fn of<T>([original, reply]: &[T; 2], direction: Direction) -> &T {
    match direction {
        Direction::Original => original,
        Direction::Reply => reply,
    }
}

fn low(hash: u64) -> u32 {
    hash as u32
}
