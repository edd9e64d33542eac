//! Memory for code: one file without a name, mapped twice, once to write and once to execute, so
//! that no page is ever both and installing code stops nobody. Where such mappings are refused,
//! each function gets pages of its own that change from writable to executable.
//!
//! Invariants: the space is bounded; what a unit took is free again when the unit is
//! dropped.
#![allow(unsafe_code)]

use crate::trial::Stage;
use cranelift_jit::{BranchProtection, JITMemoryKind, JITMemoryProvider};
use cranelift_module::{ModuleError, ModuleResult};
use memmap2::{MmapMut, MmapOptions, MmapRaw};
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd};
use std::sync::{Arc, Mutex, PoisonError};

/// Code begins at multiples of this.
const GRAIN: usize = 64;
const PAGE: usize = 4096;
/// More than any machine has.
const MOST: usize = 1 << 40;

/// The two views of the file.
struct Views {
    write: MmapRaw,
    execute: MmapRaw,
    file: File,
}

/// The process's memory for code.
pub struct Space {
    /// Most bytes of code.
    capacity: usize,
    views: Option<Views>,
    free: Mutex<Free>,
}

/// Free ranges: start and length.
struct Free {
    ranges: BTreeMap<usize, usize>,
    /// Bytes taken from the system where there are no views.
    apart: usize,
    /// Something did not fit.
    is_full: bool,
}

impl Space {
    /// Reserves the address ranges; memory is taken as code comes. `apart` gives each function pages of
    /// its own that belong to no file.
    pub fn new(capacity: usize, apart: bool) -> Space {
        let capacity = capacity.clamp(PAGE, MOST).next_multiple_of(PAGE);
        Space {
            capacity,
            views: if apart { None } else { map_twice(capacity).ok() },
            free: Mutex::new(Free {
                ranges: BTreeMap::from([(0, capacity)]),
                apart: 0,
                is_full: false,
            }),
        }
    }

    /// Has anything been refused because it did not fit?
    pub fn is_full(&self) -> bool {
        self.free.lock().unwrap_or_else(PoisonError::into_inner).is_full
    }

    fn take(&self, bytes: usize) -> Option<usize> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let range = free.ranges.iter().find(|(_, len)| **len >= bytes);
        let Some((start, len)) = range.map(|(s, l)| (*s, *l)) else {
            free.is_full = true;
            return None;
        };
        free.ranges.remove(&start);
        if len > bytes {
            free.ranges.insert(start + bytes, len - bytes);
        }
        Some(start)
    }

    fn give_back(&self, start: usize, bytes: usize) {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut start, mut len) = (start, bytes);
        if let Some((before, n)) = free.ranges.range(..start).next_back().map(|(s, l)| (*s, *l))
            && before + n == start
        {
            free.ranges.remove(&before);
            (start, len) = (before, len + n);
        }
        if let Some(n) = free.ranges.remove(&(start + len)) {
            len += n;
        }
        free.ranges.insert(start, len);
    }

    /// Asks the system for pages for one function, within the bound.
    fn take_apart(&self, bytes: usize) -> io::Result<MmapMut> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        if free.apart + bytes > self.capacity {
            free.is_full = true;
            return Err(full());
        }
        let pages = MmapMut::map_anon(bytes)?;
        free.apart += bytes;
        Ok(pages)
    }
}

fn full() -> io::Error {
    io::Error::new(io::ErrorKind::OutOfMemory, "the memory for code is full")
}

fn map_twice(capacity: usize) -> io::Result<Views> {
    // SAFETY: the name is a C string; the descriptor is owned by the file from here on.
    let file = unsafe {
        let fd = libc::memfd_create(c"sx-code".as_ptr(), libc::MFD_CLOEXEC);
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        File::from_raw_fd(fd)
    };
    file.set_len(capacity as u64)?;
    let options = {
        let mut options = MmapOptions::new();
        options.len(capacity);
        options
    };
    let write = options.map_raw(&file)?;
    // SAFETY: nobody else can name the file, so it changes through `write` only.
    let execute = unsafe { options.map_exec(&file)? };
    let execute = MmapRaw::from(execute);
    Ok(Views { write, execute, file })
}

impl Views {
    /// QEMU before 8.1, in which the tests of aarch64 run, goes on with what it made of code that lay
    /// at an address before: it misses `flush` where code is written at another address than it is
    /// executed at. It does not miss that the pages are mapped anew. Processors need none of this.
    fn show_emulator(&self, start: usize, bytes: usize) -> io::Result<()> {
        if !cfg!(all(target_arch = "aarch64", debug_assertions)) {
            return Ok(());
        }
        let from = start / PAGE * PAGE;
        let to = (start + bytes).next_multiple_of(PAGE);
        // SAFETY: the same pages of the same file come to the place where they are, within the view.
        let at = unsafe {
            libc::mmap(
                self.execute.as_mut_ptr().add(from).cast(),
                to - from,
                libc::PROT_READ | libc::PROT_EXEC,
                libc::MAP_SHARED | libc::MAP_FIXED,
                self.file.as_raw_fd(),
                from as libc::off_t,
            )
        };
        match at {
            libc::MAP_FAILED => Err(io::Error::last_os_error()),
            _ => Ok(()),
        }
    }
}

/// What one unit took, and hands to the code generator.
pub struct UnitMemory {
    space: Arc<Space>,
    taken: Vec<(usize, usize)>,
    apart: Vec<Pages>,
    /// Where the compile it is for is to fail.
    fails: Option<Stage>,
}

/// Pages of one function where there are no views.
enum Pages {
    Writable(MmapMut),
    Executable(memmap2::Mmap),
}

impl UnitMemory {
    /// Nothing taken yet.
    pub fn new(space: Arc<Space>, fails: Option<Stage>) -> UnitMemory {
        UnitMemory {
            space,
            fails,
            taken: vec![],
            apart: vec![],
        }
    }
    /// Where the code written at `address` is executed.
    pub fn execute_address(&self, address: *const u8) -> usize {
        match &self.space.views {
            Some(views) => views.execute.as_ptr() as usize + (address as usize - views.write.as_ptr() as usize),
            None => address as usize,
        }
    }
}

impl Drop for UnitMemory {
    fn drop(&mut self) {
        for (start, bytes) in self.taken.drain(..) {
            self.space.give_back(start, bytes);
        }
        let bytes: usize = self
            .apart
            .drain(..)
            .map(|p| match p {
                Pages::Writable(m) => m.len(),
                Pages::Executable(m) => m.len(),
            })
            .sum();
        let mut free = self.space.free.lock().unwrap_or_else(PoisonError::into_inner);
        free.apart -= bytes;
    }
}

/// A unit's memory, shared by its module and the unit.
#[derive(Clone)]
pub struct Provider(pub Arc<Mutex<UnitMemory>>);

impl JITMemoryProvider for Provider {
    fn allocate(&mut self, size: usize, _align: u64, _kind: JITMemoryKind) -> io::Result<*mut u8> {
        let mut unit = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if unit.fails == Some(Stage::Allocate) {
            return Err(full());
        }
        let bytes = size.max(1).next_multiple_of(GRAIN);
        let space = unit.space.clone();
        match &space.views {
            Some(views) => {
                let start = space.take(bytes).ok_or_else(full)?;
                unit.taken.push((start, bytes));
                // SAFETY: `start` lies within the mapping.
                Ok(unsafe { views.write.as_mut_ptr().add(start) })
            }
            None => {
                let mut pages = space.take_apart(bytes.next_multiple_of(PAGE))?;
                let at = pages.as_mut_ptr();
                unit.apart.push(Pages::Writable(pages));
                Ok(at)
            }
        }
    }

    unsafe fn free_memory(&mut self) {
        // The unit's own drop gives it back.
    }

    fn finalize(&mut self, _: BranchProtection) -> ModuleResult<()> {
        let mut unit = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let failed = |e: io::Error| ModuleError::Allocation { err: e };
        if unit.fails == Some(Stage::Map) {
            return Err(failed(io::ErrorKind::PermissionDenied.into()));
        }
        let space = unit.space.clone();
        if let Some(views) = &space.views {
            for (start, bytes) in &unit.taken {
                flush(views.execute.as_ptr().wrapping_add(*start), *bytes).map_err(failed)?;
                views.show_emulator(*start, *bytes).map_err(failed)?;
            }
        }
        for pages in std::mem::take(&mut unit.apart) {
            unit.apart.push(match pages {
                Pages::Writable(pages) => {
                    let pages = pages.make_exec().map_err(failed)?;
                    flush(pages.as_ptr(), pages.len()).map_err(failed)?;
                    Pages::Executable(pages)
                }
                done => done,
            });
        }
        wasmtime_jit_icache_coherence::pipeline_flush_mt().map_err(failed)
    }
}

/// Makes fresh code visible to instruction fetch, where the processor does not see to it.
fn flush(at: *const u8, bytes: usize) -> io::Result<()> {
    // SAFETY: the range is mapped.
    unsafe { wasmtime_jit_icache_coherence::clear_cache(at.cast(), bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAPACITY: usize = 1 << 20;

    #[test]
    fn ranges_come_back_whole() {
        let space = Arc::new(Space::new(CAPACITY, false));
        let whole = BTreeMap::from([(0, CAPACITY)]);
        let units: Vec<Provider> = (0..4)
            .map(|_| Provider(Arc::new(Mutex::new(UnitMemory::new(space.clone(), None)))))
            .collect();
        for (i, unit) in units.iter().enumerate() {
            let mut unit = unit.clone();
            for n in 1..20 {
                let at = unit.allocate(n * 37 + i, 16, JITMemoryKind::Executable);
                assert!(at.is_ok());
            }
        }
        drop(units);
        assert_eq!(space.free.lock().map(|f| f.ranges.clone()).ok(), Some(whole));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let space = Arc::new(Space::new(CAPACITY, false));
        let mut unit = Provider(Arc::new(Mutex::new(UnitMemory::new(space, None))));
        assert!(unit.allocate(CAPACITY + 1, 16, JITMemoryKind::Executable).is_err());
    }
}
