//! Code that searches the value of an attribute in a set.

use super::bpf::{Assembler, Label, Test};
use super::field::Field;
use super::mask_set::MaskSet;

/// The search for the value whose words are in the scratch memory.
pub(super) struct Search<'a> {
    pub(super) field: &'a Field,
    /// Up to so many values are compared one by one.
    pub(super) run: usize,
    /// Where to go once the value is found.
    pub(super) hit: Label,
}

/// A word of the value, and what is left of the mask from there on.
#[derive(Clone, Copy)]
struct Place {
    index: u32,
    mask: u128,
}

/// The numbers from `low` to `high`, all of which are there.
struct Range<'a> {
    low: u32,
    high: u32,
    /// The values that start with them and go on in later words; none if a
    /// number in the range is a hit.
    rest: &'a [u128],
}

impl Search<'_> {
    /// Searches the groups one after the other.
    pub(super) fn set(&self, asm: &mut Assembler, set: &MaskSet, miss: Label) {
        let mut groups = set.groups().peekable();
        while let Some((mask, values)) = groups.next() {
            let next = match groups.peek() {
                Some(_) => asm.label(),
                None => miss,
            };
            self.words(asm, Place { index: 0, mask }, &values, next);
            if groups.peek().is_some() {
                asm.bind(next);
            }
        }
    }

    /// Searches the value from a word on among `values`, which are in ascending
    /// order and agree in the words before.
    fn words(&self, asm: &mut Assembler, place: Place, values: &[u128], miss: Label) {
        if place.mask == 0 {
            return asm.goto(self.hit);
        }
        // The first word is in the highest bits.
        let shift = 32 * (self.field.words - 1 - place.index);
        let word = |number: u128| (number >> shift) as u32;
        let mask = word(place.mask);
        let later = Place {
            index: place.index + 1,
            mask: place.mask & ((1 << shift) - 1),
        };
        if mask == 0 {
            return self.words(asm, later, values, miss);
        }
        asm.load_stored(place.index);
        if mask != self.field.width.mask() {
            asm.and(mask);
        }
        let ranges = if later.mask == 0 {
            merge(values.iter().map(|&value| word(value)), mask)
        } else {
            let parts = values.chunk_by(|a, b| word(*a) == word(*b));
            parts
                .filter_map(|rest| {
                    let low = word(*rest.first()?);
                    Some(Range {
                        low,
                        high: low,
                        rest,
                    })
                })
                .collect()
        };
        self.ranges(asm, &ranges, later, miss);
    }

    /// Searches A among ranges in ascending order.
    fn ranges(&self, asm: &mut Assembler, ranges: &[Range<'_>], later: Place, miss: Label) {
        if ranges.len() > self.run {
            let (lower, upper) = ranges.split_at(ranges.len() / 2);
            let above = asm.label();
            if let Some(first) = upper.first() {
                asm.branch_if(Test::GreaterOrEqual, first.low, above);
            }
            self.ranges(asm, lower, later, miss);
            asm.bind(above);
            return self.ranges(asm, upper, later, miss);
        }
        let Some((last, others)) = ranges.split_last() else {
            return;
        };
        for range in others {
            let next = asm.label();
            self.range(asm, range, later, next, miss);
            asm.bind(next);
        }
        self.range(asm, last, later, miss, miss);
    }

    /// Compares A with one range. The ranges below it have been ruled out, so
    /// what is neither above it nor in it is a miss.
    fn range(
        &self,
        asm: &mut Assembler,
        range: &Range<'_>,
        later: Place,
        next: Label,
        miss: Label,
    ) {
        let inside = if range.rest.is_empty() {
            self.hit
        } else {
            asm.label()
        };
        if range.low == range.high {
            asm.branch(Test::Equal, range.low, inside, next);
        } else {
            asm.branch_if(Test::Greater, range.high, next);
            asm.branch(Test::GreaterOrEqual, range.low, inside, miss);
        }
        if !range.rest.is_empty() {
            asm.bind(inside);
            self.words(asm, later, range.rest, miss);
        }
    }
}

/// Joins values under one mask, in ascending order, to ranges.
///
/// Under a mask all numbers are multiples of its lowest bit, so two values that
/// differ by just that have nothing between them.
fn merge<'a>(values: impl Iterator<Item = u32>, mask: u32) -> Vec<Range<'a>> {
    let step = mask & mask.wrapping_neg();
    let mut ranges: Vec<Range<'_>> = Vec::new();
    for value in values {
        match ranges.last_mut() {
            Some(last) if last.high.checked_add(step) == Some(value) => last.high = value,
            _ => ranges.push(Range {
                low: value,
                high: value,
                rest: &[],
            }),
        }
    }
    ranges
}
