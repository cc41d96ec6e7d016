//! How often code uses the allocator, and how much memory it holds.
//!
//! A test program that asks makes [`Counting`] its allocator:
//!
//!     #[global_allocator]
//!     static ALLOCATOR: Counting = Counting;

#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator, with a count of its uses by each thread, and of the
/// bytes each has taken and not given back.
pub(crate) struct Counting;

thread_local! {
    static USES: Cell<u64> = const { Cell::new(0) };
    static BYTES: Cell<isize> = const { Cell::new(0) };
}

// SAFETY: all is passed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        USES.set(USES.get() + 1);
        add(layout.size() as isize);
        // SAFETY: the caller's promises are those that are asked for here.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        add(-(layout.size() as isize));
        // SAFETY: as above.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        USES.set(USES.get() + 1);
        add(size as isize - layout.size() as isize);
        // SAFETY: as above.
        unsafe { System.realloc(memory, layout, size) }
    }
}

/// How often `work` uses the allocator in this thread.
pub(crate) fn count(work: impl FnOnce()) -> u64 {
    let before = USES.get();
    work();
    USES.get() - before
}

/// The bytes this thread has taken and not given back. What one thread takes and
/// another gives back is counted with each of them.
pub(crate) fn held() -> isize {
    BYTES.get()
}

fn add(bytes: isize) {
    BYTES.set(BYTES.get() + bytes);
}
