//! Sets of 8-bit numbers.

/// A set of protocol numbers or states.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ByteSet([u64; 4]);

impl ByteSet {
    /// The set of just this number.
    pub(super) fn of(number: u8) -> Self {
        let mut words = [0; 4];
        for (word, index) in words.iter_mut().zip(0u8..) {
            if index == number / 64 {
                *word = 1 << (number % 64);
            }
        }
        Self(words)
    }

    #[inline]
    pub(super) fn contains(self, number: u8) -> bool {
        let word = self.0.get(usize::from(number / 64));
        word.is_some_and(|word| word >> (number % 64) & 1 != 0)
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == [0; 4]
    }

    pub(super) fn union(self, other: Self) -> Self {
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        Self([a | e, b | f, c | g, d | h])
    }

    pub(super) fn intersection(self, other: Self) -> Self {
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        Self([a & e, b & f, c & g, d & h])
    }

    /// The number, where there is just one in the set.
    pub(super) fn single(self) -> Option<u8> {
        let mut inside = (0..=u8::MAX).filter(|number| self.contains(*number));
        inside.next().filter(|_| inside.next().is_none())
    }
}
