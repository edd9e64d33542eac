//! Old space: regions of lines, and large objects. Objects here never move.
//!
//! A region is 1 MiB, aligned to its size; its first lines hold one mark byte per line, so the
//! byte of any address is found by arithmetic. Allocation bumps through runs of unmarked lines;
//! taking a run marks it. A full collection clears the bytes, marks the lines of what it
//! reaches, and starts the cursors again.
//!
//! Objects above a line have a cursor of their own, so that they do not waste small holes.
//! Large ones come from the allocator, those as large as a region from the system, page by page: an
//! allocator keeps what it is given back for a while, and a table that grows is never given it again.

#![allow(unsafe_code)]

use crate::object::{MARK, POISON, place};
use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};
use std::alloc::Layout;
use std::ptr;

const REGION: usize = 1 << 20;
const LINE: usize = 128;
const LINES: usize = REGION / LINE;
/// Lines taken up by the mark bytes.
const FIRST_LINE: usize = LINES / LINE;
/// The most lines a cursor takes at once.
const RUN: usize = 256;
/// Large objects from so many bytes on have pages of their own.
const MAPPED: usize = REGION;
const PAGES: ProtFlags = ProtFlags::READ.union(ProtFlags::WRITE);

#[derive(Clone, Copy)]
struct Cursor {
    top: usize,
    end: usize,
    region: usize,
    line: usize,
}

const START: Cursor = Cursor {
    top: 0,
    end: 0,
    region: 0,
    line: FIRST_LINE,
};

struct Large {
    address: usize,
    bytes: usize,
}

/// The old space of one heap.
pub(super) struct OldSpace {
    regions: Vec<usize>,
    small: Cursor,
    medium: Cursor,
    large: Vec<Large>,
    used_lines: usize,
    used_large: usize,
    poison: bool,
    /// The value of the `MARK` flag in objects that are alive.
    pub(super) parity: u64,
}

impl OldSpace {
    pub(super) fn new(poison: bool) -> OldSpace {
        OldSpace {
            regions: Vec::new(),
            small: START,
            medium: START,
            large: Vec::new(),
            used_lines: 0,
            used_large: 0,
            poison,
            parity: 0,
        }
    }

    /// Bytes held.
    #[inline]
    pub(super) fn used(&self) -> usize {
        self.used_lines * LINE + self.used_large
    }

    /// Memory for an object of at most `LARGE_BYTES`.
    #[inline(always)]
    pub(super) fn alloc(&mut self, bytes: usize) -> usize {
        let top = self.small.top;
        if self.small.end - top >= bytes {
            self.small.top = top + bytes;
            return top;
        }
        self.alloc_slowly(bytes)
    }

    #[inline(never)]
    fn alloc_slowly(&mut self, bytes: usize) -> usize {
        if bytes <= LINE {
            self.small = self.next_run(self.small, 1);
            self.small.top += bytes;
            return self.small.top - bytes;
        }
        if self.medium.end - self.medium.top < bytes {
            self.medium = self.next_run(self.medium, bytes.div_ceil(LINE));
        }
        self.medium.top += bytes;
        self.medium.top - bytes
    }

    /// The next run of at least `lines` free lines after the cursor, taken.
    fn next_run(&mut self, mut at: Cursor, lines: usize) -> Cursor {
        loop {
            let Some(&region) = self.regions.get(at.region) else {
                self.add_region();
                continue;
            };
            let marks = line_marks(region);
            while at.line < LINES {
                let Some(free) = marks[at.line..].iter().position(|m| *m == 0) else {
                    break;
                };
                let from = at.line + free;
                let most = (LINES - from).min(RUN);
                let run = marks[from..from + most].iter().position(|m| *m != 0).unwrap_or(most);
                at.line = from + run;
                if run >= lines {
                    marks[from..at.line].fill(1);
                    self.used_lines += run;
                    at.top = region + from * LINE;
                    at.end = region + at.line * LINE;
                    return at;
                }
            }
            at.region += 1;
            at.line = FIRST_LINE;
        }
    }

    fn add_region(&mut self) {
        // SAFETY: the layout has a size above 0.
        let memory = unsafe { std::alloc::alloc(REGION_LAYOUT) };
        if memory.is_null() {
            std::alloc::handle_alloc_error(REGION_LAYOUT);
        }
        // SAFETY: the mark bytes lie at the start of the region just allocated.
        unsafe { memory.write_bytes(0, LINES) };
        self.regions.push(memory as usize);
    }

    /// Memory for one object above `LARGE_BYTES`.
    pub(super) fn alloc_large(&mut self, bytes: usize) -> usize {
        let address = large_memory(bytes);
        self.large.push(Large { address, bytes });
        self.used_large += bytes;
        address
    }

    /// Frees a large object that nothing refers to.
    pub(super) fn discard_large(&mut self, address: usize) {
        let Some(at) = self.large.iter().rposition(|large| large.address == address) else {
            return;
        };
        let large = self.large.swap_remove(at);
        self.used_large -= large.bytes;
        if self.poison {
            poison(address, address + large.bytes);
        }
        free_large(&large);
    }

    /// Begins a full collection: nothing is marked.
    pub(super) fn clear_marks(&mut self) {
        self.parity ^= MARK;
        for &region in &self.regions {
            line_marks(region).fill(0);
        }
    }

    /// Marks the lines of a reached object that is not large.
    #[inline(always)]
    pub(super) fn mark_lines(&mut self, address: usize, bytes: usize) {
        let region = address & !(REGION - 1);
        debug_assert!(self.regions.contains(&region) || !cfg!(test));
        let first = (address - region) / LINE;
        let last = (address + bytes - 1 - region) / LINE;
        for mark in &mut line_marks(region)[first..=last] {
            *mark = 1;
        }
    }

    /// Ends a full collection: what is unmarked is free.
    pub(super) fn sweep(&mut self) {
        self.sweep_large();
        let mut spare = 1;
        let mut used_lines = 0;
        let poison = self.poison;
        self.regions.retain(|&region| {
            let marks = line_marks(region);
            let live = marks[FIRST_LINE..].iter().filter(|m| **m != 0).count();
            used_lines += live;
            if live == 0 {
                if spare == 0 {
                    free_region(region);
                    return false;
                }
                spare -= 1;
            }
            if poison {
                poison_free_lines(region);
            }
            true
        });
        self.used_lines = used_lines;
        self.small = START;
        self.medium = START;
    }

    fn sweep_large(&mut self) {
        let parity = self.parity;
        let mut used = 0;
        self.large.retain(|large| {
            // SAFETY: large objects have a header from the moment they are listed on.
            let live = unsafe { *place(large.address, 0) } & MARK == parity;
            if live {
                used += large.bytes;
            } else {
                free_large(large);
            }
            live
        });
        self.used_large = used;
    }
}

const REGION_LAYOUT: Layout = match Layout::from_size_align(REGION, REGION) {
    Ok(layout) => layout,
    Err(_) => panic!("REGION is a power of two"),
};

/// Memory for a large object.
fn large_memory(bytes: usize) -> usize {
    let layout = large_layout(bytes);
    let memory = if bytes >= MAPPED {
        // SAFETY: a mapping at a place of the system's choice touches nothing there is.
        unsafe { mmap_anonymous(ptr::null_mut(), bytes, PAGES, MapFlags::PRIVATE) }
            .map_or(ptr::null_mut(), <*mut _>::cast)
    } else {
        // SAFETY: the layout has a size above 0.
        unsafe { std::alloc::alloc(layout) }
    };
    if memory.is_null() {
        std::alloc::handle_alloc_error(layout);
    }
    memory as usize
}

fn large_layout(bytes: usize) -> Layout {
    // Never falls back: sizes are far below the largest a layout can have.
    Layout::from_size_align(bytes, 16).unwrap_or(REGION_LAYOUT)
}

/// The mark bytes of a region.
#[allow(clippy::mut_from_ref)]
fn line_marks<'a>(region: usize) -> &'a mut [u8; LINES] {
    // SAFETY: `region` is the address of a region that is not freed, whose first bytes are its
    // marks. They are reached through this function only, by `OldSpace`, one caller at a time.
    unsafe { &mut *(region as *mut [u8; LINES]) }
}

fn free_region(region: usize) {
    // SAFETY: allocated in `add_region` with this layout; it leaves the list of regions now.
    unsafe { std::alloc::dealloc(region as *mut u8, REGION_LAYOUT) }
}

fn free_large(large: &Large) {
    let memory = large.address as *mut u8;
    if large.bytes >= MAPPED {
        // SAFETY: mapped in `large_memory` in this length; it leaves the list now. What cannot be unmapped stays.
        let _ = unsafe { munmap(memory.cast(), large.bytes) };
    } else {
        // SAFETY: allocated in `large_memory` with this layout; it leaves the list now.
        unsafe { std::alloc::dealloc(memory, large_layout(large.bytes)) }
    }
}

fn poison_free_lines(region: usize) {
    for line in FIRST_LINE..LINES {
        if line_marks(region)[line] == 0 {
            poison(region + line * LINE, region + (line + 1) * LINE);
        }
    }
}

/// Fills dead memory.
pub(super) fn poison(from: usize, to: usize) {
    for i in 0..(to - from) / 8 {
        // SAFETY: the callers own the memory and nothing in it is alive.
        unsafe { *place(from, i) = POISON };
    }
}

impl Drop for OldSpace {
    fn drop(&mut self) {
        self.regions.iter().for_each(|region| free_region(*region));
        self.large.iter().for_each(free_large);
    }
}
