//! Labels: the bits a rule can set on a flow.

use std::collections::TryReserveError;
use std::fmt;
use std::hash::{Hash, Hasher};

/// Bits per word of a bitmask.
const WORD: u32 = u32::BITS;

/// A set of bits: the labels of a flow, or which of them to change.
///
/// The kernel has 128 labels (0 to 127); a bitmask may hold up to 65,536 bits.
/// Its size is fixed when it is made, in whole words of 32 bits.
///
/// ```
/// use netfilter_conntrack::Bitmask;
///
/// let mut labels = Bitmask::new(127)?;
/// labels.set(3);
/// assert!(labels.test(3) && !labels.test(4));
/// assert_eq!(labels.iter().collect::<Vec<_>>(), [3]);
/// # Ok::<(), netfilter_conntrack::Error>(())
/// ```
#[doc(alias = "nfct_bitmask")]
#[doc(alias = "nfct_bitmask_clone")]
#[doc(alias = "nfct_bitmask_equal")]
#[doc(alias = "nfct_bitmask_destroy")]
#[derive(Clone, Default)]
pub struct Bitmask {
    words: Words,
}

/// Word `n / 32` holds bit `n`, at value `1 << n % 32`, in host byte order.
///
/// As many as the kernel's 128 labels take stand in place, so that a flow's
/// labels cost no further allocation.
#[derive(Clone)]
enum Words {
    Inline { len: u8, words: [u32; INLINE] },
    Heap(Vec<u32>),
}

const INLINE: usize = 4;

impl Words {
    fn zeroed(len: usize) -> Self {
        match u8::try_from(len) {
            Ok(short) if len <= INLINE => Self::Inline {
                len: short,
                words: [0; INLINE],
            },
            _ => Self::Heap(vec![0; len]),
        }
    }

    /// The same, unless there is no memory for them.
    fn try_zeroed(len: usize) -> Result<Self, TryReserveError> {
        if len <= INLINE {
            return Ok(Self::zeroed(len));
        }
        let mut words = Vec::new();
        words.try_reserve_exact(len)?;
        words.resize(len, 0);
        Ok(Self::Heap(words))
    }

    fn as_slice(&self) -> &[u32] {
        match self {
            Self::Inline { len, words } => words.get(..usize::from(*len)).unwrap_or(words),
            Self::Heap(words) => words,
        }
    }

    fn as_mut_slice(&mut self) -> &mut [u32] {
        match self {
            Self::Inline { len, words } => &mut words[..usize::from(*len).min(INLINE)],
            Self::Heap(words) => words,
        }
    }
}

impl Default for Words {
    fn default() -> Self {
        Self::zeroed(0)
    }
}

impl Bitmask {
    /// The highest bit number a bitmask can have.
    pub const MAX_BIT: u32 = 65_535;

    /// An empty bitmask with room for the bits 0 to `max_bit` at least.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) where `max_bit` exceeds
    /// [`MAX_BIT`](Self::MAX_BIT), [`Error::Io`](crate::Error::Io) (ENOMEM) where
    /// there is no memory.
    #[doc(alias = "nfct_bitmask_new")]
    pub fn new(max_bit: u32) -> crate::Result<Self> {
        if max_bit > Self::MAX_BIT {
            return Err(crate::Error::Invalid("a bitmask of more than 65536 bits"));
        }
        let words = Words::try_zeroed((max_bit / WORD + 1) as usize);
        let words = words.map_err(|_| crate::Error::io("malloc", libc::ENOMEM))?;
        Ok(Self { words })
    }

    /// A copy, unless there is no memory for it.
    #[cfg(feature = "capi")]
    pub(crate) fn try_clone(&self) -> crate::Result<Self> {
        let mut copy = Self::new(self.max_bit())?;
        copy.words.as_mut_slice().copy_from_slice(self.words());
        Ok(copy)
    }

    /// The highest bit there is room for; for a bitmask without any, 0.
    #[doc(alias = "nfct_bitmask_maxbit")]
    #[must_use]
    pub fn max_bit(&self) -> u32 {
        // At most 2048 words, so the product fits.
        (self.words().len() as u32 * WORD).saturating_sub(1)
    }

    /// Sets a bit; one beyond the last word is ignored.
    #[doc(alias = "nfct_bitmask_set_bit")]
    pub fn set(&mut self, bit: u32) {
        if let Some(word) = self.words.as_mut_slice().get_mut((bit / WORD) as usize) {
            *word |= 1 << (bit % WORD);
        }
    }

    /// Clears a bit; one beyond the last word is ignored.
    #[doc(alias = "nfct_bitmask_unset_bit")]
    pub fn unset(&mut self, bit: u32) {
        if let Some(word) = self.words.as_mut_slice().get_mut((bit / WORD) as usize) {
            *word &= !(1 << (bit % WORD));
        }
    }

    /// Whether a bit is set; one beyond the last word is not.
    #[doc(alias = "nfct_bitmask_test_bit")]
    #[must_use]
    pub fn test(&self, bit: u32) -> bool {
        let word = self.words().get((bit / WORD) as usize);
        word.is_some_and(|word| word >> (bit % WORD) & 1 != 0)
    }

    /// Clears all bits and keeps the size.
    #[doc(alias = "nfct_bitmask_clear")]
    pub fn clear(&mut self) {
        self.words.as_mut_slice().fill(0);
    }

    /// The bits that are set, in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        bits_of(self.words().iter().copied())
    }

    /// Whether both have the same bits set, whatever their sizes; `==` also
    /// compares the sizes.
    #[must_use]
    #[inline]
    pub fn same_bits(&self, other: &Self) -> bool {
        if let (Words::Inline { words: ours, .. }, Words::Inline { words: theirs, .. }) =
            (&self.words, &other.words)
        {
            // What is beyond their sizes is zero.
            return ours == theirs;
        }
        let (ours, theirs) = (self.words(), other.words());
        let (short, long) = if ours.len() <= theirs.len() {
            (ours, theirs)
        } else {
            (theirs, ours)
        };
        let (common, surplus) = long.split_at(short.len());
        short == common && surplus.iter().all(|word| *word == 0)
    }

    /// The words, lowest bits first.
    pub(crate) fn words(&self) -> &[u32] {
        self.words.as_slice()
    }

    /// Takes over the bits of a label attribute, whose words are in host byte
    /// order; a cut last word is filled up with zeros.
    pub(crate) fn assign(&mut self, payload: &[u8]) {
        let len = payload.len().div_ceil(size_of::<u32>());
        if self.words().len() != len {
            self.words = Words::zeroed(len);
        }
        for (word, bits) in self
            .words
            .as_mut_slice()
            .iter_mut()
            .zip(payload_words(payload))
        {
            *word = bits;
        }
    }
}

impl PartialEq for Bitmask {
    fn eq(&self, other: &Self) -> bool {
        self.words() == other.words()
    }
}

impl Eq for Bitmask {}

impl Hash for Bitmask {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.words().hash(state);
    }
}

impl fmt::Debug for Bitmask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bitmask(max bit {}, ", self.max_bit())?;
        f.debug_set().entries(self.iter()).finish()?;
        f.write_str(")")
    }
}

/// The labels of a flow, borrowed from the kernel's message.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Labels<'a> {
    payload: &'a [u8],
}

impl<'a> Labels<'a> {
    pub(crate) fn new(payload: &'a [u8]) -> Self {
        Self { payload }
    }

    /// Whether a label is set.
    #[must_use]
    pub fn test(&self, bit: u32) -> bool {
        let word = payload_words(self.payload).nth((bit / WORD) as usize);
        word.is_some_and(|word| word >> (bit % WORD) & 1 != 0)
    }

    /// The labels that are set, in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + 'a {
        bits_of(payload_words(self.payload))
    }

    /// The first words, lowest bits first; words that are not there are 0.
    pub(crate) fn words<const N: usize>(&self) -> [u32; N] {
        let mut words = [0; N];
        for (place, word) in words.iter_mut().zip(payload_words(self.payload)) {
            *place = word;
        }
        words
    }

    /// All words, lowest bits first.
    pub(crate) fn all_words(&self) -> impl Iterator<Item = u32> + use<'a> {
        payload_words(self.payload)
    }

    /// The labels as a bitmask of their own.
    #[must_use]
    pub fn to_bitmask(&self) -> Bitmask {
        let mut mask = Bitmask::default();
        mask.assign(self.payload);
        mask
    }
}

impl fmt::Debug for Labels<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

fn bits_of(words: impl Iterator<Item = u32>) -> impl Iterator<Item = u32> {
    words.zip(0..).flat_map(|(word, index)| {
        let set = move |bit: &u32| word >> bit & 1 != 0;
        (0..WORD).filter(set).map(move |bit| index * WORD + bit)
    })
}

fn payload_words(payload: &[u8]) -> impl Iterator<Item = u32> + '_ {
    payload.chunks(size_of::<u32>()).map(|chunk| {
        let mut word = [0; size_of::<u32>()];
        for (place, byte) in word.iter_mut().zip(chunk) {
            *place = *byte;
        }
        u32::from_ne_bytes(word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_whole_words() {
        for (asked, got) in [
            (0, 31),
            (31, 31),
            (32, 63),
            (64, 95),
            (127, 127),
            (128, 159),
        ] {
            assert_eq!(Bitmask::new(asked).unwrap().max_bit(), got);
        }
        assert_eq!(Bitmask::new(65_535).unwrap().max_bit(), 65_535);
        assert!(Bitmask::new(65_536).is_err() && Bitmask::new(u32::MAX).is_err());
    }

    #[test]
    fn bits_beyond_the_last_word_are_ignored() {
        let mut mask = Bitmask::new(40).unwrap();
        mask.set(63);
        mask.set(64);
        mask.set(u32::MAX);
        mask.unset(u32::MAX);
        assert!(mask.test(63) && !mask.test(64) && !mask.test(u32::MAX));
        mask.unset(63);
        assert_eq!(mask.iter().next(), None);
    }

    #[test]
    fn equality_with_and_without_size() {
        let mut small = Bitmask::new(31).unwrap();
        let mut large = Bitmask::new(127).unwrap();
        small.set(5);
        large.set(5);
        assert!(small.same_bits(&large) && large.same_bits(&small) && small != large);
        large.set(99);
        assert!(!small.same_bits(&large) && !large.same_bits(&small));
        large.clear();
        assert_eq!(large.max_bit(), 127);
    }

    #[test]
    fn labels_of_any_length() {
        let bytes: Vec<u8> = [0b1000u32, 1 << 31]
            .iter()
            .flat_map(|w| w.to_ne_bytes())
            .collect();
        let labels = Labels::new(&bytes);
        assert_eq!(labels.iter().collect::<Vec<_>>(), [3, 63]);
        assert!(labels.test(63) && !labels.test(62) && !labels.test(64));
        assert_eq!(labels.to_bitmask().max_bit(), 63);
        assert_eq!(Labels::new(&bytes[..5]).to_bitmask().max_bit(), 63);
        let mut mask = Bitmask::new(1000).unwrap();
        mask.assign(&bytes);
        assert_eq!(mask, labels.to_bitmask());
    }
}
