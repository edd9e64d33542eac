//! The memory of one isolate: a bump nursery, an old space of lines, large objects apart.
//!
//! Two phases: `reserve` is the only call that collects or refuses. It takes the heap mutably,
//! so no `Value` lives across it. Constructors and stores take `&self`, spend the reservation
//! and cannot fail. What does not fit the nursery goes to old space and is born remembered.
//!
//! Invariants: an old object that may refer to a young one is in the remembered set; after a
//! collection the nursery is empty. Deliberately absent: the roots on the stack (`Roots`).
#![allow(unsafe_code)]

mod aside;
mod collect;
mod handles;
pub(crate) mod intern;
mod old;

pub use aside::Aside;
pub use handles::{Handle, RootVec};

use crate::fault::{Fault, planted};
use crate::foreign::RustValues;
use crate::object::{self, LARGE, MARK, OLD, REMEMBERED, Type, header, place};
use crate::shape::Shapes;
use crate::string::OffsetCache;
use crate::value::{Value, Word};
use handles::Handles;
use intern::InternTable;
use old::OldSpace;
use std::alloc::Layout;
use std::cell::{Cell, RefCell};
use std::sync::Arc;

/// Objects above this many bytes are allocated apart and never move.
pub const LARGE_BYTES: usize = 8 * 1024;

/// When so many fields of large objects are remembered, whole objects are.
const SLOTS_MAX: usize = 1 << 18;

/// What a collection looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GcKind {
    /// Places that may hold a pointer to a young object; the visitor changes them.
    Minor,
    /// Every place; the nursery is empty, nothing moves.
    Full,
}

/// The places outside the heap that hold words: stack, globals, instances.
pub trait Roots {
    /// Calls `f` with each of them but those of the program that runs.
    fn visit(&mut self, kind: GcKind, f: &mut dyn FnMut(&mut Word));
    /// Calls `f` with those of the program that runs.
    fn visit_running(&mut self, _: &mut dyn FnMut(&mut Word)) {}
    /// In a full collection, called with the instance of each live closure: calls `f` with the
    /// words it holds, at least the first time.
    fn instance(&mut self, instance: *const (), f: &mut dyn FnMut(&mut Word));
    /// Behind a full collection: drops what it did not meet; says how many bytes what is left takes
    /// outside the heap.
    fn sweep(&mut self) -> usize {
        0
    }
}

/// No roots but the heap's own handles.
impl Roots for () {
    fn visit(&mut self, _: GcKind, _: &mut dyn FnMut(&mut Word)) {}
    fn instance(&mut self, _: *const (), _: &mut dyn FnMut(&mut Word)) {}
}

/// The memory limit does not allow the reservation, even after a full collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfMemory {
    /// The limit in bytes.
    pub limit: usize,
}

/// How a heap behaves.
#[derive(Clone, Copy, Debug)]
pub struct HeapOptions {
    /// Size of the nursery.
    pub nursery_bytes: usize,
    /// The most the heap may hold.
    pub limit_bytes: usize,
    /// Collect at every `reserve`.
    pub stress: bool,
    /// Fill dead memory with `object::POISON`.
    pub poison: bool,
    /// Seed of the string hash.
    pub hash_seed: u64,
}

impl Default for HeapOptions {
    fn default() -> Self {
        HeapOptions {
            nursery_bytes: 4 << 20,
            limit_bytes: 1 << 30,
            stress: false,
            poison: false,
            hash_seed: 0x9e37_79b9_7f4a_7c15,
        }
    }
}

/// What a procedure says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProcedureInfo {
    /// Its name; empty if it has none.
    pub name: Arc<str>,
    /// Its docstring.
    pub doc: Option<Arc<str>>,
    /// Names of its parameters.
    pub params: Vec<Arc<str>>,
    /// Fewest arguments.
    pub required: usize,
    /// Most arguments, if there is a most.
    pub most: Option<usize>,
}

/// Counters of a heap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeapStats {
    /// Minor collections so far.
    pub minor: u64,
    /// Full collections so far.
    pub full: u64,
    /// Bytes promoted so far.
    pub promoted: u64,
    /// Bytes held now.
    pub used: usize,
    /// Bytes held after the last full collection.
    pub live: usize,
    /// The limit.
    pub limit: usize,
    /// Time spent collecting.
    pub pause_ns: u64,
    /// The longest collection.
    pub pause_ns_max: u64,
}

/// The part of the heap that native code reads and writes.
#[repr(C)]
pub struct Nursery {
    /// Address of the next object.
    pub top: Cell<usize>,
    /// Where inline allocation ends; may lie before the end of the nursery.
    pub limit: Cell<usize>,
    /// Address of the nursery: an object is young if it lies below `size` from here.
    pub start: usize,
    /// Bytes of the nursery.
    pub size: usize,
}

/// The memory of one isolate.
#[repr(C)]
pub struct Heap {
    /// First, so that native code finds it at offset 0.
    pub nursery: Nursery,
    memory: std::ptr::NonNull<u8>,
    layout: Layout,
    /// What is left of the last reservation; kept in debug builds only.
    reserved: Cell<usize>,
    old: RefCell<OldSpace>,
    /// Old objects that may refer to young ones.
    remembered: RefCell<Vec<usize>>,
    /// Fields of large objects that may do so.
    remembered_slots: RefCell<Vec<usize>>,
    handles: std::rc::Rc<Handles>,
    pub(crate) strings: RefCell<InternTable>,
    pub(crate) symbols: RefCell<InternTable>,
    pub(crate) shapes: RefCell<Shapes>,
    pub(crate) rust_values: RefCell<RustValues>,
    pub(crate) offsets: RefCell<OffsetCache>,
    /// The float 0.0, which no flonum word holds.
    pub(crate) zero: Word,
    /// Everything is allocated in old space.
    pretenuring: Cell<bool>,
    /// Tells the name of a closure's instance.
    about_instance: Cell<fn(*const ()) -> Option<ProcedureInfo>>,
    next_hash: Cell<u64>,
    /// The nursery below has been filled with poison already.
    poison_from: usize,
    options: HeapOptions,
    stats: HeapStats,
    /// Bytes that only the running program held at the last full collection.
    held_running: usize,
    /// Bytes outside the heap that live as long as objects in it: the code of functions.
    outside: Cell<usize>,
    /// Bytes above which the next collection is a full one.
    next_full: Cell<usize>,
}

impl Heap {
    /// An empty heap.
    pub fn new(options: HeapOptions) -> Heap {
        let bytes = options.nursery_bytes.max(4 * LARGE_BYTES).next_multiple_of(4096);
        // Infallible: the size is a small multiple of the alignment.
        let layout = Layout::from_size_align(bytes, 4096).unwrap_or(Layout::new::<[u64; 512]>());
        // SAFETY: the layout has a size above 0.
        let Some(memory) = std::ptr::NonNull::new(unsafe { std::alloc::alloc(layout) }) else {
            std::alloc::handle_alloc_error(layout)
        };
        let start = memory.as_ptr() as usize;
        let mut heap = Heap {
            nursery: Nursery {
                top: Cell::new(start),
                limit: Cell::new(start + layout.size()),
                start,
                size: layout.size(),
            },
            memory,
            layout,
            reserved: Cell::new(0),
            old: RefCell::new(OldSpace::new(options.poison)),
            remembered: RefCell::default(),
            remembered_slots: RefCell::default(),
            handles: std::rc::Rc::default(),
            strings: RefCell::default(),
            symbols: RefCell::default(),
            shapes: RefCell::new(Shapes::new()),
            rust_values: RefCell::default(),
            offsets: RefCell::default(),
            zero: Word::NIL,
            pretenuring: Cell::new(false),
            about_instance: Cell::new(|_| None),
            next_hash: Cell::new(options.hash_seed | 1),
            poison_from: start,
            options,
            stats: HeapStats::default(),
            held_running: 0,
            outside: Cell::new(0),
            next_full: Cell::new(0),
        };
        heap.zero = heap.float_old(0.0);
        heap.next_full.set(heap.full_threshold(0));
        if options.stress {
            heap.nursery.limit.set(start);
        }
        heap
    }

    /// Makes sure that objects of `bytes` in all can be allocated. May collect: every word not
    /// reachable from `roots` or a handle is then dead, and young objects have moved.
    #[inline(always)]
    pub fn reserve(&mut self, bytes: usize, roots: &mut dyn Roots) -> Result<(), OutOfMemory> {
        if self.has_room(bytes) {
            return Ok(());
        }
        self.reserve_slowly(bytes, roots)
    }

    /// Would `reserve(bytes)` return at once? If so it has reserved them.
    #[inline(always)]
    pub fn has_room(&self, bytes: usize) -> bool {
        let room = self.nursery.limit.get().wrapping_sub(self.nursery.top.get()) >= bytes;
        if cfg!(debug_assertions) && room {
            self.reserved.set(bytes);
        }
        room
    }

    /// Bytes held: old and large objects, the nursery, and what hangs on objects outside.
    pub fn used(&self) -> usize {
        self.old.borrow().used() + self.layout.size() + self.outside.get()
    }
    /// So many bytes more are held outside.
    pub fn hold_outside(&self, bytes: usize) {
        self.outside.set(self.outside.get() + bytes);
    }
    /// The memory limit in bytes.
    pub fn limit(&self) -> usize {
        self.options.limit_bytes
    }
    /// Changes the memory limit.
    pub fn set_limit(&mut self, bytes: usize) {
        self.options.limit_bytes = bytes;
        self.next_full.set(self.full_threshold(self.stats.live));
    }
    /// The options the heap was made with.
    pub fn options(&self) -> &HeapOptions {
        &self.options
    }
    /// The counters.
    pub fn stats(&self) -> HeapStats {
        HeapStats {
            used: self.used(),
            limit: self.options.limit_bytes,
            ..self.stats
        }
    }

    /// Is the object of this word in the nursery?
    #[inline(always)]
    pub fn is_young(&self, word: Word) -> bool {
        word.is_pointer() && self.in_nursery(word.address())
    }
    fn nursery_end(&self) -> usize {
        self.nursery.start + self.nursery.size
    }
    #[inline(always)]
    fn in_nursery(&self, address: usize) -> bool {
        address.wrapping_sub(self.nursery.start) < self.nursery.size
    }

    /// Allocates an object of `words` words, header included, and writes its header.
    ///
    /// # Safety
    /// The bytes were reserved, and the caller fills every field before the next `reserve`
    /// (without a barrier: the object is young or remembered).
    #[inline(always)]
    pub unsafe fn alloc(&self, ty: Type, aux: u64, words: usize) -> Word {
        let bytes = words * 8;
        self.spend(bytes);
        let top = self.nursery.top.get();
        if bytes <= LARGE_BYTES && self.nursery.limit.get() - top >= bytes {
            self.nursery.top.set(top + bytes);
            // SAFETY: the bytes from `top` to the limit are ours and unused.
            unsafe { *place(top, 0) = header(ty, aux) };
            return Word::pointer(top);
        }
        self.alloc_slowly(ty, aux, bytes)
    }

    /// Allocates in old space, where the object stays: for what lives long or must not move.
    /// Never collects, never fails; does not spend the reservation.
    ///
    /// # Safety
    /// The caller fills every field before the next `reserve` (without a barrier).
    pub unsafe fn alloc_old(&self, ty: Type, aux: u64, words: usize) -> Word {
        let mut old = self.old.borrow_mut();
        let (address, flag) = if words * 8 > LARGE_BYTES {
            (old.alloc_large(words * 8), LARGE)
        } else {
            (old.alloc(words * 8), 0)
        };
        // SAFETY: the memory is ours, unused and large enough.
        unsafe { *place(address, 0) = header(ty, aux) | OLD | flag | old.parity };
        if !matches!(ty.scan(), object::Scan::Bytes { .. }) {
            // SAFETY: as above.
            unsafe { *place(address, 0) |= REMEMBERED };
            self.remembered.borrow_mut().push(address);
        }
        if old.used() + self.layout.size() > self.next_full.get() {
            // The next `reserve` looks at the limits.
            self.nursery.limit.set(self.nursery.top.get());
        }
        Word::pointer(address)
    }

    #[cold]
    #[inline(never)]
    fn alloc_slowly(&self, ty: Type, aux: u64, bytes: usize) -> Word {
        let top = self.nursery.top.get();
        if !self.pretenuring.get() && bytes <= LARGE_BYTES && self.nursery_end() - top >= bytes {
            self.nursery.top.set(top + bytes);
            let limit = &self.nursery.limit;
            limit.set(limit.get().max(top + bytes));
            // SAFETY: the bytes from `top` to the end of the nursery are ours and unused.
            unsafe { *place(top, 0) = header(ty, aux) };
            return Word::pointer(top);
        }
        // SAFETY: the caller of `alloc` fills the fields.
        unsafe { self.alloc_old(ty, aux, bytes / 8) }
    }

    /// Gives the memory of a large bytevector back at once, where nothing refers to it any more, as
    /// when a table has outgrown it. Anything else waits for a collection.
    ///
    /// # Safety
    /// Nobody will look at `bytes` again.
    pub(crate) unsafe fn discard(&self, bytes: Value<'_>) {
        if bytes.is(Type::Bytevector) && bytes.raw_at(0) & LARGE != 0 {
            self.old.borrow_mut().discard_large(bytes.word().address());
        }
    }

    /// Runs `f`, whose constructors allocate in old space and need no reservation.
    pub fn pretenured<'h, R>(&'h self, f: impl FnOnce(&'h Heap) -> R) -> R {
        let (limit, reserved) = (self.nursery.limit.get(), self.reserved.get());
        self.nursery.limit.set(self.nursery.top.get());
        self.reserved.set(usize::MAX);
        self.pretenuring.set(true);
        let result = f(self);
        self.pretenuring.set(false);
        self.reserved.set(reserved);
        if self.used() <= self.next_full.get() {
            self.nursery.limit.set(limit);
        }
        result
    }

    #[inline(always)]
    fn spend(&self, bytes: usize) {
        if cfg!(debug_assertions) {
            let left = self.reserved.get();
            assert!(
                bytes <= left,
                "allocating {bytes} bytes with {left} left of the reservation"
            );
            self.reserved.set(left - bytes);
        }
    }

    /// Stores `value` in field `i` of `object`, with the write barrier.
    ///
    /// # Safety
    /// `object` is a pointer to a live object with a tagged field `i`, `value` is live.
    #[inline(always)]
    pub unsafe fn write(&self, object: Word, i: usize, value: Word) {
        // SAFETY: by the caller.
        unsafe { object::set_field_raw(object, i, value.0) };
        self.barrier(object, i, value);
    }

    /// The write barrier alone: `value` has been stored in field `i` of `object`.
    #[inline(always)]
    pub fn barrier(&self, object: Word, i: usize, value: Word) {
        if value.is_pointer() && self.in_nursery(value.address()) && !planted(Fault::BarrierMissing) {
            // SAFETY: the objects of live words have headers.
            let head = unsafe { object::header_of(object) };
            if head & (OLD | REMEMBERED) == OLD {
                self.remember(object, i, head);
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn remember(&self, object: Word, i: usize, head: u64) {
        let mut slots = self.remembered_slots.borrow_mut();
        if head & LARGE != 0 && slots.len() < SLOTS_MAX {
            // Scanning a large object for one store would cost more than all else.
            slots.push(place(object.address(), i) as usize);
            return;
        }
        // SAFETY: `barrier` has just read this header.
        unsafe { *place(object.address(), 0) |= REMEMBERED };
        self.remembered.borrow_mut().push(object.address());
    }

    /// Stores with the barrier; only for callers that have checked the type.
    #[inline(always)]
    pub(crate) fn store(&self, object: Value<'_>, i: usize, value: Value<'_>) {
        debug_assert!(
            // SAFETY: a `Value` that is a pointer points to a live object.
            unsafe { i < object::size_words(object.word().address()) }
        );
        // SAFETY: the caller has checked the type, so the field exists; values are live.
        unsafe { self.write(object.word(), i, value.word()) }
    }

    /// An object of type `ty` with these fields, all tagged.
    #[inline(always)]
    pub(crate) fn make<const N: usize>(&self, ty: Type, aux: u64, fields: [Word; N]) -> Value<'_> {
        debug_assert!(N >= 1);
        // SAFETY: the fields follow at once.
        unsafe {
            let object = self.alloc(ty, aux, N + 1);
            for (i, field) in fields.into_iter().enumerate() {
                object::set_field_raw(object, i + 1, field.0);
            }
            Value::from_raw(object)
        }
    }

    /// An object whose fields the caller fills at once, with `init`.
    #[inline(always)]
    pub(crate) fn unfilled(&self, ty: Type, aux: u64, words: usize) -> Value<'_> {
        // SAFETY: the callers, all in this crate, fill the fields.
        unsafe { Value::from_raw(self.alloc(ty, aux, words)) }
    }

    /// Fills a field of an object made since the last `reserve`; only for callers that have
    /// checked the type.
    #[inline(always)]
    pub(crate) fn init(&self, object: Value<'_>, i: usize, value: Value<'_>) {
        debug_assert!(object.raw_at(0) & (OLD | REMEMBERED) != OLD);
        object.set_raw(i, value.word().0);
    }

    /// Bytes of an object with `n` fields.
    pub const fn size_of(n: usize) -> usize {
        n.saturating_mul(8).saturating_add(8)
    }

    /// A number that stays with the object wherever it moves, 1 to 2^24 - 1; for a word that is
    /// no pointer, its bits.
    pub fn identity_hash(&self, object: Value<'_>) -> u64 {
        if !object.word().is_pointer() {
            return object.word().0;
        }
        let head = object.raw_at(0);
        let hash = head >> object::HASH_SHIFT;
        if hash != 0 {
            return hash;
        }
        let next = self
            .next_hash
            .get()
            .wrapping_mul(0x5851_f42d_4c95_7f2d)
            .wrapping_add(0x1405_7b7e_f767_814f);
        self.next_hash.set(next);
        let hash = (next >> 40).max(1);
        object.set_raw(0, head | hash << object::HASH_SHIFT);
        hash
    }

    /// Says how the heap learns about closures: `about` is called with instances of live closures
    /// only.
    pub fn set_procedure_info(&self, about: fn(*const ()) -> Option<ProcedureInfo>) {
        self.about_instance.set(about);
    }
    /// What is known of a closure.
    pub fn procedure_info(&self, closure: Value<'_>) -> Option<ProcedureInfo> {
        assert!(closure.is(Type::Closure));
        self.about_instance.get()(closure.raw_at(object::closure::INSTANCE) as *const ())
    }

    /// A rooted copy of `value`, until the handle is dropped.
    pub fn handle(&self, value: Value<'_>) -> Handle {
        Handle::new(&self.handles, value.word())
    }
    /// What a handle holds.
    pub fn get(&self, handle: &Handle) -> Value<'_> {
        Value::from_word(handle.word())
    }
    /// Keeps what a program that is put aside needs, until the `Aside` is dropped.
    pub fn set_aside(&self, words: [Word; 2]) -> Aside {
        Aside::new(&self.handles, words)
    }
    /// An empty rooted vector.
    pub fn root_vec(&self) -> RootVec {
        RootVec::new(&self.handles)
    }

    /// A box.
    pub fn new_box(&self, value: Value<'_>) -> Value<'_> {
        self.make(Type::Box, 0, [value.word()])
    }
    /// A global variable. Does not spend the reservation.
    pub fn new_cell(&self, name: Value<'_>) -> Value<'_> {
        // SAFETY: both fields follow at once.
        unsafe {
            let cell = self.alloc_old(Type::Cell, 0, 3);
            object::set_field_raw(cell, object::cell::VALUE, Word::UNBOUND.0);
            object::set_field_raw(cell, object::cell::NAME, name.word().0);
            Value::from_raw(cell)
        }
    }
    /// A closure over `instance`, its captured words taken from `captured`.
    ///
    /// # Safety
    /// `instance` points to a structure that begins with `InstanceHead`, says it has
    /// `captured.len()` captures, and lives as long as closures over it. The words are live.
    #[inline(always)]
    pub unsafe fn closure(&self, arity_aux: u64, instance: *const (), captured: &[Word]) -> Value<'_> {
        // SAFETY: the fields follow at once.
        unsafe {
            let closure = self.alloc(Type::Closure, arity_aux, 2 + captured.len());
            object::set_field_raw(closure, object::closure::INSTANCE, instance as u64);
            for (i, word) in captured.iter().enumerate() {
                object::set_field_raw(closure, object::closure::CAPTURED + i, word.0);
            }
            Value::from_raw(closure)
        }
    }
}

impl Drop for Heap {
    fn drop(&mut self) {
        // SAFETY: allocated in `new` with this layout.
        unsafe { std::alloc::dealloc(self.memory.as_ptr(), self.layout) };
    }
}

#[cfg(test)]
pub(crate) mod tests;
