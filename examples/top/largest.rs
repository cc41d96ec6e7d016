//! The first rows of a long table, without sorting all of it.

use std::cmp::Ordering;

/// The `count` items with the largest ranks, largest first. Room is needed for
/// twice as many only, and time for one pass.
pub(crate) fn largest<R: Ord, T>(items: impl Iterator<Item = (R, T)>, count: usize) -> Vec<(R, T)> {
    let mut kept = Vec::new();
    if count == 0 {
        return kept;
    }
    for item in items {
        kept.push(item);
        if kept.len() >= count.saturating_mul(2) {
            kept.select_nth_unstable_by(count - 1, falling);
            kept.truncate(count);
        }
    }
    kept.sort_unstable_by(falling);
    kept.truncate(count);
    kept
}

fn falling<R: Ord, T>(one: &(R, T), other: &(R, T)) -> Ordering {
    other.0.cmp(&one.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same by sorting everything.
    fn sorted(ranks: &[u8], count: usize) -> Vec<u8> {
        let mut all = ranks.to_vec();
        all.sort_unstable_by(|one, other| other.cmp(one));
        all.truncate(count);
        all
    }

    #[test]
    fn it_is_the_beginning_of_the_sorted_table() {
        let mut random = fastrand::Rng::with_seed(7);
        for length in 0..200 {
            let ranks: Vec<u8> = (0..length).map(|_| random.u8(..)).collect();
            for count in [0, 1, 2, 7, 50, 199, 1000] {
                let items = ranks.iter().map(|rank| (*rank, ()));
                let found = largest(items, count).into_iter().map(|(rank, ())| rank);
                assert_eq!(found.collect::<Vec<_>>(), sorted(&ranks, count));
            }
        }
    }

    #[test]
    fn a_large_table_takes_no_more_room_than_the_rows() {
        let items = (0..100_000u32).map(|rank| (rank, rank));
        let found = largest(items, 20);
        assert!(found.capacity() <= 64, "{}", found.capacity());
        assert_eq!(found.first(), Some(&(99_999, 99_999)));
        assert_eq!(found.last(), Some(&(99_980, 99_980)));
    }
}
