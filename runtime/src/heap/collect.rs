//! The collections. Minor: everything reachable in the nursery is copied to old space and the
//! nursery is empty. Full: a minor collection, then marking from the roots and sweeping.
//!
//! Neither recurses: objects whose fields are still to be looked at wait in a vector.
#![allow(unsafe_code)]

use super::old::{self, OldSpace};
use super::*;
use crate::object::{size_words, tagged_fields};
use std::time::Instant;

impl Heap {
    #[cold]
    #[inline(never)]
    pub(super) fn reserve_slowly(&mut self, bytes: usize, roots: &mut dyn Roots) -> Result<(), OutOfMemory> {
        let extra = if bytes > self.nursery_room() { bytes } else { 0 };
        if !self.options.stress && self.fits(bytes) && self.used() <= self.next_full.get() {
            self.open_nursery();
        } else {
            self.collect_minor(roots);
            let due = self.options.stress && self.stats.minor.is_multiple_of(256);
            if due || self.used().saturating_add(extra) > self.next_full.get() {
                self.collect_full(roots);
            }
            // A limit that is passed makes the collection above a full one.
            while self.used().saturating_add(extra) > self.options.limit_bytes && self.end_largest(extra) {
                self.collect_full(roots);
            }
            self.restart_nursery(bytes);
            if self.used().saturating_add(extra) > self.options.limit_bytes {
                self.reserved.set(0);
                return Err(OutOfMemory {
                    limit: self.options.limit_bytes,
                });
            }
        }
        self.reserved.set(bytes);
        Ok(())
    }

    /// Collects everything that can be collected.
    pub fn collect(&mut self, roots: &mut dyn Roots) {
        self.collect_minor(roots);
        self.collect_full(roots);
        self.restart_nursery(0);
        self.reserved.set(0);
    }

    /// Bytes that fit an empty nursery whatever the mode.
    fn nursery_room(&self) -> usize {
        self.nursery.size / 2
    }
    fn fits(&self, bytes: usize) -> bool {
        self.nursery_end() - self.nursery.top.get() >= bytes
    }
    fn open_nursery(&self) {
        self.nursery.limit.set(self.nursery_end());
    }

    /// The nursery is empty: says where allocation goes on. In stress mode it goes on upward,
    /// so that stale pointers find poison and not new objects.
    fn restart_nursery(&mut self, bytes: usize) {
        let stress = self.options.stress;
        if !stress || !self.fits(bytes) {
            self.nursery.top.set(self.nursery.start);
            self.poison_from = self.nursery.start;
        }
        if !stress {
            self.open_nursery();
            return;
        }
        self.nursery.limit.set(self.nursery.top.get());
    }

    /// Above this many bytes in use a collection is a full one, if `live` survived the last: at
    /// most the limit, so that no reservation is refused without having tried one.
    pub(super) fn full_threshold(&self, live: usize) -> usize {
        // A small heap may treble, a large one double.
        const SMALL_ROOM: usize = 64 << 20;
        let nursery = self.layout.size();
        let room = live.max((2 * live).min(SMALL_ROOM));
        (live + room).max(8 * nursery).min(self.options.limit_bytes)
    }

    fn collect_minor(&mut self, roots: &mut dyn Roots) {
        let began = Instant::now();
        let promoted = Minor::run(self, roots);
        if self.options.poison {
            old::poison(self.poison_from, self.nursery.top.get());
            self.poison_from = self.nursery.top.get();
        }
        self.stats.minor += 1;
        self.stats.promoted += promoted as u64;
        self.count_pause(began);
    }

    /// The nursery must be empty.
    fn collect_full(&mut self, roots: &mut dyn Roots) {
        let began = Instant::now();
        self.held_running = Full::run(self, roots);
        self.outside.set(roots.sweep());
        self.stats.full += 1;
        self.stats.live = self.used();
        self.next_full.set(self.full_threshold(self.stats.live));
        self.count_pause(began);
    }

    fn count_pause(&mut self, began: Instant) {
        let ns = began.elapsed().as_nanos() as u64;
        self.stats.pause_ns += ns;
        self.stats.pause_ns_max = self.stats.pause_ns_max.max(ns);
    }
}

/// The most fields of one object that are looked at in a row. What they lead to comes next, so
/// that it is still in the cache, and a long vector does not fill the list of what is to do.
const STRETCH: usize = 128;

/// Objects whose fields are still to be looked at.
#[derive(Default)]
struct Todo {
    whole: Vec<usize>,
    /// Objects of which only the fields from one on are left.
    rest: Vec<(usize, usize)>,
}

impl Todo {
    /// The next object, and the field to go on from.
    #[inline(always)]
    fn pop(&mut self) -> Option<(usize, usize)> {
        match self.whole.pop() {
            Some(address) => Some((address, 0)),
            None => self.rest.pop(),
        }
    }

    /// The next tagged fields of an object, `from` or later; notes what is left after them.
    ///
    /// # Safety
    /// A live, unmoved object lies at `address`.
    #[inline(always)]
    unsafe fn stretch(&mut self, address: usize, from: usize) -> std::ops::Range<usize> {
        // SAFETY: by the caller.
        let (first, count) = unsafe { tagged_fields(address) };
        let (start, end) = (first.max(from), first + count);
        if end - start <= STRETCH {
            return start..end;
        }
        self.rest.push((address, start + STRETCH));
        start..start + STRETCH
    }
}

/// A minor collection under way.
struct Minor<'a> {
    start: usize,
    size: usize,
    old: std::cell::RefMut<'a, OldSpace>,
    /// Copied objects whose fields still lead into the nursery.
    todo: Todo,
    promoted: usize,
}

impl Minor<'_> {
    /// Empties the nursery; the bytes copied.
    fn run(heap: &mut Heap, roots: &mut dyn Roots) -> usize {
        let remembered = std::mem::take(heap.remembered.get_mut());
        let mut slots = std::mem::take(heap.remembered_slots.get_mut());
        let handles = heap.handles.clone();
        let mut minor = Minor {
            start: heap.nursery.start,
            size: heap.nursery.top.get() - heap.nursery.start,
            old: heap.old.borrow_mut(),
            todo: Todo::default(),
            promoted: 0,
        };
        roots.visit(GcKind::Minor, &mut |word| minor.update(word));
        roots.visit_running(&mut |word| minor.update(word));
        handles.visit(&mut |word| minor.update(word));
        handles.visit_aside(&mut |row| row.words.iter_mut().for_each(|word| minor.update(word)));
        for &address in &remembered {
            // SAFETY: remembered objects are old, so they lie where they were; dead ones have
            // valid fields until they are swept, and sweeping finds this set empty.
            unsafe {
                *place(address, 0) &= !REMEMBERED;
                minor.scan(address, 0);
            }
        }
        for slot in slots.drain(..) {
            // SAFETY: the slot is a tagged field of a large object, which is not freed before
            // the next sweep, and sweeping finds this set empty.
            minor.update(unsafe { &mut *(slot as *mut Word) });
        }
        while let Some((address, from)) = minor.todo.pop() {
            // SAFETY: only objects that have been moved are still to be looked at.
            unsafe { minor.scan(address, from) };
        }
        let promoted = minor.promoted;
        drop(minor);
        let is_young = |address: usize| address.wrapping_sub(heap.nursery.start) < heap.nursery.size;
        // SAFETY: the nursery still holds what was there, moved or not.
        let moved = |address: usize| match unsafe { *place(address, 0) } {
            _ if !is_young(address) => Some(address),
            head if head & 1 == 0 => Some(head as usize),
            _ => None,
        };
        heap.rust_values.get_mut().update(moved);
        heap.offsets.get_mut().update(moved);
        *heap.remembered_slots.get_mut() = slots;
        // Keeps the capacity.
        *heap.remembered.get_mut() = remembered;
        heap.remembered.get_mut().clear();
        promoted
    }

    /// # Safety
    /// An old object lies at `address`.
    unsafe fn scan(&mut self, address: usize, from: usize) {
        // SAFETY: by the caller; the type table tells which fields are tagged.
        unsafe {
            for i in self.todo.stretch(address, from) {
                self.update(&mut *(place(address, i) as *mut Word));
            }
        }
    }

    #[inline(always)]
    fn update(&mut self, word: &mut Word) {
        if word.is_pointer() && word.address().wrapping_sub(self.start) < self.size {
            *word = self.copy(word.address());
        }
    }

    /// Where the young object at `from` has gone, after moving it if need be.
    fn copy(&mut self, from: usize) -> Word {
        // SAFETY: a word that is a root or a field of a live object points to a live object, or
        // to one moved earlier in this collection; the copy has the object's size.
        unsafe {
            let head = *place(from, 0);
            if head & 1 == 0 {
                return Word::pointer(head as usize);
            }
            assert!(object::is_header(head), "a root leads to no object: {head:#x}");
            let words = size_words(from);
            let to = self.old.alloc(words * 8);
            std::ptr::copy_nonoverlapping(place(from, 1), place(to, 1), words - 1);
            *place(to, 0) = head | OLD | self.old.parity;
            *place(from, 0) = to as u64;
            self.promoted += words * 8;
            if tagged_fields(to).1 != 0 {
                self.todo.whole.push(to);
            }
            Word::pointer(to)
        }
    }
}

/// The marking of a full collection under way.
struct Full<'a> {
    old: std::cell::RefMut<'a, OldSpace>,
    /// Marked objects whose fields are still to be marked.
    todo: Todo,
    /// Bytes of the objects that are marked.
    marked: usize,
}

impl Full<'_> {
    /// Marks what all programs share first, then what each that was put aside adds to it, last what
    /// the running one does; the bytes of the latter.
    fn run(heap: &mut Heap, roots: &mut dyn Roots) -> usize {
        let mut full = Full {
            old: heap.old.borrow_mut(),
            todo: Todo::default(),
            marked: 0,
        };
        full.old.clear_marks();
        roots.visit(GcKind::Full, &mut |word| full.mark(word));
        heap.handles.visit(&mut |word| full.mark(word));
        heap.shapes.borrow_mut().visit(&mut |word| full.mark(word));
        full.mark(&mut { heap.zero });
        full.drain(roots);
        heap.handles.visit_aside(&mut |row| {
            let before = full.marked;
            row.words.iter_mut().for_each(|word| full.mark(word));
            full.drain(roots);
            row.held = full.marked - before;
        });
        let before = full.marked;
        roots.visit_running(&mut |word| full.mark(word));
        full.drain(roots);
        let held_running = full.marked - before;
        let parity = full.old.parity;
        drop(full);
        // SAFETY: members of the weak tables are old objects not yet swept.
        let is_live = |word: Word| unsafe { object::header_of(word) } & MARK == parity;
        heap.retain_interned(is_live);
        let stays = |address: usize| is_live(Word::pointer(address)).then_some(address);
        heap.rust_values.get_mut().update(stays);
        heap.offsets.get_mut().update(stays);
        heap.old.get_mut().sweep();
        held_running
    }

    fn drain(&mut self, roots: &mut dyn Roots) {
        while let Some((address, from)) = self.todo.pop() {
            // SAFETY: only marked objects, which do not move, are in the vector; the instance of
            // a live closure lives.
            unsafe {
                if from == 0 && object::header_type(*place(address, 0)) == Type::Closure {
                    let instance = *place(address, object::closure::INSTANCE) as *const ();
                    roots.instance(instance, &mut |word| self.mark(word));
                }
                for i in self.todo.stretch(address, from) {
                    self.mark(&mut *(place(address, i) as *mut Word));
                }
            }
        }
    }

    #[inline(always)]
    fn mark(&mut self, word: &mut Word) {
        if !word.is_pointer() {
            return;
        }
        let address = word.address();
        // SAFETY: roots and fields of live objects point to live objects, all of them old now.
        unsafe {
            let head = *place(address, 0);
            if head & MARK == self.old.parity && head & OLD != 0 {
                return;
            }
            assert!(object::is_header(head), "a root leads to no object: {head:#x}");
            assert!(head & OLD != 0, "a young object after a minor collection");
            *place(address, 0) = head ^ MARK;
            let bytes = size_words(address) * 8;
            self.marked += bytes;
            if head & LARGE == 0 {
                self.old.mark_lines(address, bytes);
            }
            let closure = head & 0xff == object::header(Type::Closure, 0);
            if closure || tagged_fields(address).1 != 0 {
                self.todo.whole.push(address);
            }
        }
    }
}
