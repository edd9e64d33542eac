//! The heap objects the oracle makes and opens itself: procedures, continuations, coroutines,
//! parameters, errors. Each holds a number that means something to the oracle alone, so that such
//! values sit in lists and dicts like any other; everything else is made by primitives.
//!
//! Nothing is ever collected here: the heap of a run has room for all the run may make, and the
//! run is given up when that is spent. So a word stays what it is.
#![allow(unsafe_code)]

use sx_runtime::error::Raise;
use sx_runtime::heap::{Heap, HeapOptions};
use sx_runtime::host::Host;
use sx_runtime::instance::Instance;
use sx_runtime::object::{self, Type};
use sx_runtime::prims::{self, Cx, PrimId, PrimState};
use sx_runtime::value::{Value, Word};

/// What the objects of a run may take in all.
const NURSERY_BYTES: usize = 1 << 30;
/// What must be free before a primitive runs.
const SLACK_BYTES: usize = 64 << 20;

/// A heap that is never collected.
pub fn new_heap() -> Heap {
    let heap = Heap::new(HeapOptions {
        nursery_bytes: NURSERY_BYTES,
        limit_bytes: 8 << 30,
        ..HeapOptions::default()
    });
    heap.set_procedure_info(|instance| {
        // SAFETY: every closure of this heap was made by `procedure`, and its instance lives.
        Some(unsafe { (*instance.cast::<Instance>()).procedure_info() })
    });
    heap
}

/// Makes sure of room: it is there, since the run would have been given up.
pub fn reserve(heap: &mut Heap, bytes: usize) {
    let reserved = heap.reserve(bytes, &mut ());
    assert!(reserved.is_ok(), "the heap of a run is large enough");
}

/// Has the run made more than it may?
pub fn is_spent(heap: &Heap) -> bool {
    let nursery = &heap.nursery;
    nursery.start + nursery.size - nursery.top.get() < SLACK_BYTES || heap.used() > NURSERY_BYTES + (2 << 30)
}

/// An object of type `ty` with these fields.
pub fn make(heap: &mut Heap, ty: Type, fields: &[Word]) -> Word {
    reserve(heap, Heap::size_of(fields.len()));
    // SAFETY: reserved above; every field is filled at once, and the words are live because
    // nothing is ever collected.
    unsafe {
        let made = heap.alloc(ty, 0, 1 + fields.len());
        for (i, field) in fields.iter().enumerate() {
            object::set_field_raw(made, i + 1, field.0);
        }
        made
    }
}

/// The procedure number `id`; what it shows of itself is in `instance`.
pub fn procedure(heap: &mut Heap, instance: &Instance, id: usize) -> Word {
    reserve(heap, Heap::size_of(2));
    let aux = instance.chunk.arity_word() as u64;
    let number = Word::fixnum(id as i64);
    // SAFETY: the instance lives as long as the run and says it has one captured word.
    unsafe { heap.closure(aux, std::ptr::from_ref(instance).cast(), &[number]) }.word()
}

/// The number of a procedure.
pub fn procedure_number(word: Word) -> Option<usize> {
    is(word, Type::Closure).then(|| number(word, object::closure::CAPTURED))
}

/// Is `word` an object of this type?
pub fn is(word: Word, ty: Type) -> bool {
    // SAFETY: nothing is ever collected.
    unsafe { object::is_type(word, ty) }
}

/// Field `i` of an object that has one.
pub fn field(word: Word, i: usize) -> Word {
    // SAFETY: the caller has asked for the type, and nothing is ever collected.
    unsafe { object::field(word, i) }
}

/// The number in field `i`.
pub fn number(word: Word, i: usize) -> usize {
    field(word, i).as_fixnum() as usize
}

/// A word as a value.
pub fn value(_: &Heap, word: Word) -> Value<'_> {
    // SAFETY: nothing is ever collected.
    unsafe { Value::from_raw(word) }
}

/// Words as values.
pub fn values<'h>(heap: &'h Heap, words: &[Word]) -> Vec<Value<'h>> {
    words.iter().map(|word| value(heap, *word)).collect()
}

/// Runs a primitive.
pub fn call(
    id: PrimId,
    heap: &mut Heap,
    host: &mut dyn Host,
    state: &mut PrimState,
    mut args: Vec<Word>,
) -> Result<Word, Raise> {
    let mut no_roots = ();
    // SAFETY: the arguments live in `args` until the primitive returns; nothing is collected.
    let mut cx = unsafe { Cx::new(heap, &mut no_roots, host, state, args.as_mut_ptr(), args.len()) };
    prims::call(id, &mut cx)
}
