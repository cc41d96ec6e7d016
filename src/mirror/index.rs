//! Hash chains through values that stand elsewhere.
//!
//! A chain link is four bytes inside the value. The number of buckets grows one
//! by one, each time splitting one of them (linear hashing), so that no insertion
//! takes longer than another, however large the table is.

/// What stands in chains: whoever owns the values knows what it means.
pub(super) type Node = u32;

/// No node.
pub(super) const NONE: Node = Node::MAX;

/// The links of the nodes, which the owner of the values keeps.
pub(super) trait Links {
    /// The node's hash.
    fn hash(&self, node: Node) -> u32;
    /// The next node in the chain, or [`NONE`].
    fn next(&self, node: Node) -> Node;
    /// Sets the next node in the chain.
    fn set_next(&mut self, node: Node, next: Node);
}

#[derive(Debug)]
pub(super) struct Index {
    /// The first node of each chain, or [`NONE`].
    heads: Vec<Node>,
    nodes: usize,
}

/// Never fewer buckets than this; a power of two.
const BUCKETS_MIN: usize = 64;

impl Index {
    pub(super) fn new() -> Self {
        Self {
            heads: vec![NONE; BUCKETS_MIN],
            nodes: 0,
        }
    }

    /// Bytes of memory that are held.
    pub(super) fn memory(&self) -> usize {
        self.heads.capacity() * size_of::<Node>()
    }

    /// The first node of the chain in which nodes with this hash stand.
    #[inline]
    pub(super) fn first(&self, hash: u32) -> Node {
        self.heads.get(self.bucket(hash)).copied().unwrap_or(NONE)
    }

    /// Puts a node into its chain.
    pub(super) fn insert(&mut self, node: Node, links: &mut impl Links) {
        self.nodes += 1;
        while self.nodes > self.heads.len() {
            self.split_one(links);
        }
        self.push(node, links);
    }

    /// Takes a node out of its chain.
    pub(super) fn remove(&mut self, node: Node, links: &mut impl Links) {
        let bucket = self.bucket(links.hash(node));
        let Some(head) = self.heads.get_mut(bucket) else {
            return;
        };
        let after = links.next(node);
        if *head == node {
            *head = after;
            self.nodes -= 1;
            return;
        }
        let mut before = *head;
        while before != NONE {
            let next = links.next(before);
            if next == node {
                links.set_next(before, after);
                self.nodes -= 1;
                return;
            }
            before = next;
        }
    }

    /// Adds a bucket and moves to it what belongs there, all of which stands in
    /// one other.
    fn split_one(&mut self, links: &mut impl Links) {
        let buckets = self.heads.len();
        let half = buckets.checked_ilog2().map_or(0, |log| 1 << log);
        let Some(head) = self.heads.get_mut(buckets - half) else {
            return;
        };
        let mut node = std::mem::replace(head, NONE);
        self.heads.push(NONE);
        while node != NONE {
            let next = links.next(node);
            self.push(node, links);
            node = next;
        }
    }

    #[inline]
    fn push(&mut self, node: Node, links: &mut impl Links) {
        let bucket = self.bucket(links.hash(node));
        if let Some(head) = self.heads.get_mut(bucket) {
            links.set_next(node, *head);
            *head = node;
        }
    }

    /// The lowest bits of the hash that the number of buckets calls for; one
    /// fewer where that bucket is still to come.
    #[inline]
    fn bucket(&self, hash: u32) -> usize {
        let buckets = self.heads.len();
        let mask = (buckets - 1)
            .checked_ilog2()
            .map_or(0, |log| (2 << log) - 1);
        let bucket = hash as usize & mask;
        match bucket < buckets {
            true => bucket,
            false => bucket & (mask >> 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nodes whose hash is their own number times a factor.
    struct Chain {
        factor: u32,
        next: Vec<Node>,
    }

    impl Links for Chain {
        fn hash(&self, node: Node) -> u32 {
            node.wrapping_mul(self.factor)
        }
        fn next(&self, node: Node) -> Node {
            self.next[node as usize]
        }
        fn set_next(&mut self, node: Node, next: Node) {
            self.next[node as usize] = next;
        }
    }

    fn finds(index: &Index, links: &Chain, node: Node) -> bool {
        let mut at = index.first(links.hash(node));
        while at != NONE && at != node {
            at = links.next(at);
        }
        at == node
    }

    #[test]
    fn all_are_found_while_it_grows_and_shrinks() {
        // 0: all in one chain; 64: many in one chain; the last one: well spread.
        for factor in [0, 64, 1, 0x9e37_79b1] {
            let count = if factor == 0 { 200 } else { 3000 };
            let mut links = Chain {
                factor,
                next: vec![NONE; count as usize],
            };
            let mut index = Index::new();
            for node in 0..count {
                index.insert(node, &mut links);
                assert!(finds(&index, &links, node / 2));
            }
            assert!((0..count).all(|node| finds(&index, &links, node)));
            assert!(index.heads.len() <= (count as usize).max(BUCKETS_MIN));
            for node in (0..count).filter(|node| node % 3 != 0) {
                index.remove(node, &mut links);
            }
            for node in 0..count {
                assert_eq!(finds(&index, &links, node), node % 3 == 0, "{node}");
            }
            assert_eq!(index.nodes, count.div_ceil(3) as usize);
        }
    }
}
