//! Places for values that keep their number, in chunks: growing never moves
//! what is there, and costs no more than one chunk of unused memory.

use std::mem;

/// Values in one chunk.
const CHUNK: usize = 1024;

/// The number of a place.
pub(super) type Place = u32;

#[derive(Debug)]
pub(super) struct Slab<T> {
    chunks: Vec<Vec<Entry<T>>>,
    free: Option<Place>,
    len: usize,
}

#[derive(Debug)]
enum Entry<T> {
    Used(T),
    /// Leads to the next one that is free.
    Free(Option<Place>),
}

impl<T> Slab<T> {
    pub(super) fn new() -> Self {
        Self {
            chunks: Vec::new(),
            free: None,
            len: 0,
        }
    }

    /// Number of values.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// One more than the highest place that was ever used.
    pub(super) fn end(&self) -> Place {
        let last = self.chunks.last().map_or(0, Vec::len);
        let full = self.chunks.len().saturating_sub(1) * CHUNK;
        Place::try_from(full + last).unwrap_or(Place::MAX)
    }

    /// Bytes of memory that are held.
    pub(super) fn memory(&self) -> usize {
        self.chunks.len() * CHUNK * size_of::<Entry<T>>()
            + self.chunks.capacity() * size_of::<Vec<Entry<T>>>()
    }

    pub(super) fn get(&self, place: Place) -> Option<&T> {
        let (chunk, inside) = split(place);
        match self.chunks.get(chunk)?.get(inside)? {
            Entry::Used(value) => Some(value),
            Entry::Free(_) => None,
        }
    }

    pub(super) fn get_mut(&mut self, place: Place) -> Option<&mut T> {
        match self.entry_mut(place)? {
            Entry::Used(value) => Some(value),
            Entry::Free(_) => None,
        }
    }

    /// Puts a value into a free place.
    pub(super) fn insert(&mut self, value: T) -> Place {
        self.len += 1;
        if let Some(place) = self.free {
            if let Some(entry) = self.entry_mut(place) {
                if let Entry::Free(next) = mem::replace(entry, Entry::Used(value)) {
                    self.free = next;
                }
            }
            return place;
        }
        let place = self.end();
        match self.chunks.last_mut() {
            Some(chunk) if chunk.len() < CHUNK => chunk.push(Entry::Used(value)),
            _ => {
                let mut chunk = Vec::with_capacity(CHUNK);
                chunk.push(Entry::Used(value));
                self.chunks.push(chunk);
            }
        }
        place
    }

    /// Takes the value out of its place, which is free then.
    pub(super) fn remove(&mut self, place: Place) -> Option<T> {
        let free = self.free;
        let entry = self.entry_mut(place)?;
        let Entry::Used(_) = entry else { return None };
        let Entry::Used(value) = mem::replace(entry, Entry::Free(free)) else {
            return None;
        };
        self.free = Some(place);
        self.len -= 1;
        Some(value)
    }

    /// All values, by place.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.chunks
            .iter()
            .flatten()
            .filter_map(|entry| match entry {
                Entry::Used(value) => Some(value),
                Entry::Free(_) => None,
            })
    }

    fn entry_mut(&mut self, place: Place) -> Option<&mut Entry<T>> {
        let (chunk, inside) = split(place);
        self.chunks.get_mut(chunk)?.get_mut(inside)
    }
}

fn split(place: Place) -> (usize, usize) {
    // On the targets of this crate a usize has 32 bits at least.
    let place = place as usize;
    (place / CHUNK, place % CHUNK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_stable_and_used_again() {
        let mut slab = Slab::new();
        let places: Vec<Place> = (0..3000).map(|value| slab.insert(value)).collect();
        assert_eq!((slab.len(), slab.end()), (3000, 3000));
        assert_eq!(slab.remove(places[7]), Some(7));
        assert_eq!(slab.remove(places[7]), None);
        assert_eq!(slab.remove(places[2047]), Some(2047));
        assert_eq!((slab.get(places[7]), slab.get(places[8])), (None, Some(&8)));
        assert_eq!(slab.get(3000), None);
        let (last_freed, first_freed) = (slab.insert(-1), slab.insert(-2));
        assert_eq!((last_freed, first_freed), (2047, 7));
        assert_eq!((slab.insert(-3), slab.len()), (3000, 3001));
        *slab.get_mut(7).unwrap() = 70;
        let sum: i32 = slab.iter().sum();
        assert_eq!(sum, (0..3000).sum::<i32>() - 7 - 2047 - 1 + 70 - 3);
    }
}
