//! What the core library is built on: walking and building lists, several values, promises,
//! parameters. Names begin with `%`; programs do not call them.
//!
//! A functional buffer is a buffer object and a count the caller keeps: adding behind the last
//! element writes in place, adding anywhere else copies, so a computation that is resumed twice
//! never sees the other one's elements.

use super::seq::{items, list_error, list_items, list_len};
use super::{Cx, prims};
use crate::error::{Code, Raise};
use crate::fault::{Fault, planted};
use crate::heap::Heap;
use crate::list::size_of_list;
use crate::object::{SHARED, Type, buffer, parameter, promise};
use crate::string::size_of_string;
use crate::value::{Value, Word};
use crate::vector::size_of_buffer;

prims! { CORE {
    /// How many elements are left of a list whose pairs have all been walked; 0 for nil.
    "%tail-len" (xs: Any) -> Index, Reads, tail_len, ["(%tail-len (list 1 2)) ; => 2", "(%tail-len ()) ; => 0"];
    /// The same list as a window on a buffer, for indexing.
    "%to-view" (xs: List) -> List, Allocates, to_view, ["(%to-view (cons 1 (cons 2 ()))) ; => (1 2)"];
    /// The elements of nil, a vector, bytevector, string, set, dict or hash table as a list; nil for anything else.
    "%seq" (x: Any) -> Any, Allocates, seq, ["(%seq (vector 1 2)) ; => (1 2)", "(%seq \"ab\") ; => (\"a\" \"b\")", "(%seq {:a 1}) ; => ((\"a\" 1))", "(%seq 5) ; => nil"];
    /// The length of the shortest of a list of lists.
    "%shortest" (lists: List) -> Index, Reads, shortest, ["(%shortest (list (list 1 2) (list 1))) ; => 1"];
    /// The list of element i of each of a list of lists.
    "%row" (lists: List, i: Index) -> List, Allocates, row, ["(%row (list (list 1 2) (list 3 4)) 1) ; => (2 4)"];
    /// An empty functional buffer with room for n elements.
    "%buffer" (n: Index) -> Any, Allocates, new_buffer, ["(%buffer->list (%buffer 4) 0) ; => ()"];
    /// The buffer with x behind its first n elements.
    "%buffer-snoc" (b: Any, n: Index, x: Any) -> Any, Writes, buffer_snoc, ["(%buffer->list (%buffer-snoc (%buffer 1) 0 :a) 1) ; => (\"a\")"];
    /// The list of the first n elements of a buffer.
    "%buffer->list" (b: Any, n: Index) -> List, Allocates, buffer_to_list, ["(%buffer->list (%buffer-snoc (%buffer-snoc (%buffer 0) 0 1) 1 2) 2) ; => (1 2)"];
    /// A value no program has: for telling \"not there\" from every value.
    "%absent" () -> Any, Pure, |_| Ok(Word::ABSENT), ["(eq? (%absent) (%absent)) ; => true"];
    /// The arguments of a call given as some and then a list of the others.
    "%spread" (args: List) -> List, Allocates, spread, ["(%spread (list 1 2 (list 3 4))) ; => (1 2 3 4)"];
    /// Several values of a list; a list of one is that value.
    "%list->values" (xs: List) -> Any, Allocates, list_to_values, ["(%list->values (list 1)) ; => 1"];
    /// The list of several values; any other value is a list of one.
    "%values->list" (v: Any) -> List, Allocates, values_to_list, ["(%values->list (%list->values (list 1 2))) ; => (1 2)", "(%values->list 5) ; => (5)"];
    /// A promise whose value a thunk will give.
    "%promise" (thunk: Any) -> Promise, Allocates, |cx| give_promise(cx, Word::FALSE), ["(%promise-done? (%promise nil)) ; => false"];
    /// A promise that has its value.
    "%promise-value" (x: Any) -> Promise, Allocates, |cx| give_promise(cx, Word::TRUE), ["(%promise-payload (%promise-value 1)) ; => 1"];
    /// Has the promise its value?
    "%promise-done?" (p: Promise) -> Bool, Reads, |cx| Ok(root(cx.arg(0)).at(promise::STATE).word()), ["(%promise-done? (%promise-value 1)) ; => true"];
    /// The value of a promise that has one, else its thunk.
    "%promise-payload" (p: Promise) -> Any, Reads, |cx| Ok(root(cx.arg(0)).at(promise::VALUE).word()), ["(%promise-payload (%promise-value 1)) ; => 1"];
    /// Gives a promise its value.
    "%promise-set!" (p: Promise, x: Any) -> Nil, Writes, promise_set, ["(let ((p (%promise nil))) (%promise-set! p 1) (%promise-payload p)) ; => 1"];
    /// Makes p go on as q: from now on both have one value.
    "%promise-share!" (p: Promise, q: Promise) -> Nil, Writes, promise_share, ["(let ((p (%promise nil)) (q (%promise nil))) (%promise-share! p q) (%promise-set! p 1) (%promise-payload q)) ; => 1"];
    /// A parameter with its first value and its converter (or nil).
    "%make-parameter" (value: Any, converter: Any optional) -> Parameter, Allocates, make_parameter, ["(parameter? (%make-parameter 1)) ; => true"];
    /// The value a parameter has outside every parameterize.
    "%parameter-base" (p: Parameter) -> Any, Reads, |cx| Ok(cx.arg(0).at(parameter::VALUE).word()), ["(%parameter-base (%make-parameter 1)) ; => 1"];
    /// The converter of a parameter, or nil.
    "%parameter-converter" (p: Parameter) -> Any, Reads, |cx| Ok(cx.arg(0).at(parameter::CONVERTER).word()), ["(%parameter-converter (%make-parameter 1)) ; => nil"];
    /// Replaces the value a parameter has outside every parameterize.
    "%parameter-set-base!" (p: Parameter, value: Any) -> Nil, Writes, parameter_set, ["(let ((p (%make-parameter 1))) (%parameter-set-base! p 2) (%parameter-base p)) ; => 2"];
} }

fn tail_len(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let v = cx.arg(0);
    match v.as_view() {
        Some(view) => Ok(Word::fixnum(view.len() as i64)),
        None if v.word() == Word::EMPTY || v == Value::NIL => Ok(Word::fixnum(0)),
        None => Err(list_error("list", crate::list::ListError::Improper)),
    }
}

fn to_view(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    if cx.arg(0).as_pair().is_none() {
        return Ok(if cx.arg(0) == Value::NIL {
            Word::EMPTY
        } else {
            cx.arg(0).word()
        });
    }
    cx.give_list(|cx| list_len("list", cx.arg(0)), |cx| list_items("list", cx.arg(0)))
}

fn seq(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let v = cx.arg(0);
    if v.is_list() {
        return Ok(v.word());
    }
    match v.object_type() {
        None if v == Value::NIL => Ok(Word::EMPTY),
        Some(Type::Vector | Type::Set) => {
            cx.give_list(|cx| Ok(items("list", cx.arg(0))?.len()), |cx| items("list", cx.arg(0)))
        }
        Some(Type::Dict | Type::HashTable) => super::dicts::give_entries(cx, "list", 0),
        Some(Type::Bytevector) => {
            let numbers = super::vectors::bytes_of(cx, 0)
                .into_iter()
                .map(|b| Value::fixnum(i64::from(b)));
            let numbers: Vec<Word> = numbers.map(Value::word).collect();
            cx.give_list(
                |_| Ok(numbers.len()),
                |_| Ok(numbers.iter().map(|w| Value::immediate(*w)).collect()),
            )
        }
        Some(Type::String | Type::Text) => {
            let text = cx.text(0);
            let bytes: usize = text.chars().map(|c| size_of_string(c.len_utf8())).sum();
            let count = v.string_len().unwrap_or(0);
            cx.reserve(bytes + size_of_list(count))?;
            let heap = cx.heap();
            let one = |c: char| heap.string(c.encode_utf8(&mut [0; 4]));
            let strings: Vec<Value<'_>> = cx.text(0).chars().map(one).collect();
            Ok(heap.list(&strings).word())
        }
        _ => Ok(Word::NIL),
    }
}

fn shortest(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let mut least = usize::MAX;
    for list in list_items("list", cx.arg(0))? {
        least = least.min(list_len("list", list)?);
    }
    Ok(Word::fixnum(if least == usize::MAX { 0 } else { least as i64 }))
}

fn row(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let i = cx.index(1);
    cx.give_list(
        |cx| list_len("list", cx.arg(0)),
        |cx| {
            cx.arg(0)
                .items()
                .map(|list| list.nth(i).map_err(|e| list_error("list", e)))
                .collect()
        },
    )
}

/// The capacity of a buffer that holds `used` elements and is to hold more.
fn grown(used: usize) -> usize {
    (used * 2).max(4)
}

fn new_buffer(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    // A caller's guess of the size is a hint, not a promise to fill it.
    let n = cx.index(0).min(1 << 24);
    cx.reserve(size_of_buffer(n))?;
    Ok(cx.heap().buffer(n).word())
}

#[cold]
fn not_a_buffer() -> Raise {
    Raise::new(Code::Type, "%buffer-snoc: expected a buffer with that many elements")
}

/// How many elements the buffer in operand 0 has, if it is one with at least `n`.
fn buffer_used(cx: &Cx<'_>, n: usize) -> Result<usize, Raise> {
    let v = cx.arg(0);
    if !v.is(Type::Buffer) || v.int_at(buffer::USED) < n {
        return Err(not_a_buffer());
    }
    Ok(v.int_at(buffer::USED))
}

fn buffer_snoc(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let n = cx.index(1);
    let used = buffer_used(cx, n)?;
    if used == n && n < cx.arg(0).int_at(buffer::CAPACITY) {
        cx.heap().buffer_push(cx.arg(0), cx.arg(2));
        return Ok(cx.arg(0).word());
    }
    cx.reserve(size_of_buffer(grown(n)))?;
    let heap = cx.heap();
    let copy = heap.buffer(grown(n));
    for i in 0..n {
        heap.buffer_push(copy, cx.arg(0).at(buffer::ELEMENTS + i));
    }
    heap.buffer_push(copy, cx.arg(2));
    Ok(copy.word())
}

fn buffer_to_list(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let n = cx.index(1);
    buffer_used(cx, n)?;
    cx.reserve(Heap::SIZE_OF_PAIR)?;
    // Whoever comes by again, on a second resumption, shares the elements.
    if !planted(Fault::BufferShared) {
        cx.arg(0).set_flag(SHARED);
    }
    Ok(cx.heap().new_view(cx.arg(0), 0, n).word())
}

fn spread(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    fn all<'h>(cx: &'h Cx<'_>) -> Result<Vec<Value<'h>>, Raise> {
        let wrong = || Raise::new(Code::Type, "apply: expected (fn args... list)");
        let mut args = list_items("apply", cx.arg(0))?;
        let last = args.pop().ok_or_else(wrong)?;
        let mut rest = items("apply", last).map_err(|_| wrong())?;
        args.append(&mut rest);
        Ok(args)
    }
    cx.give_list(|cx| Ok(all(cx)?.len()), all)
}

fn list_to_values(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let count = list_len("values", cx.arg(0))?;
    if count == 1 {
        return Ok(cx.arg(0).first().map_or(Word::NIL, Value::word));
    }
    cx.reserve(crate::vector::size_of_vector(count))?;
    let values = list_items("values", cx.arg(0))?;
    Ok(cx.heap().values_from(&values).word())
}

fn values_to_list(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    fn all<'h>(cx: &'h Cx<'_>) -> Vec<Value<'h>> {
        cx.arg(0).as_values().unwrap_or_else(|| vec![cx.arg(0)])
    }
    cx.give_list(|cx| Ok(all(cx).len()), |cx| Ok(all(cx)))
}

fn give_promise(cx: &mut Cx<'_>, state: Word) -> Result<Word, Raise> {
    cx.reserve(Heap::size_of(2))?;
    let value = cx.arg(0).word();
    Ok(cx.heap().make(Type::Promise, 0, [state, value]).word())
}

/// The promise that `p` stands for.
fn root(p: Value<'_>) -> Value<'_> {
    let mut at = p;
    while at.at(promise::STATE) == Value::NIL {
        at = at.at(promise::VALUE);
    }
    at
}

fn promise_set(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let p = root(cx.arg(0));
    cx.heap().store(p, promise::STATE, Value::bool(true));
    cx.heap().store(p, promise::VALUE, cx.arg(1));
    Ok(Word::NIL)
}

/// The first promise takes over what the second holds and the second points to it: so a chain of
/// any length leaves only links to one promise behind.
fn promise_share(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let (p, q) = (root(cx.arg(0)), root(cx.arg(1)));
    if p != q {
        let heap = cx.heap();
        heap.store(p, promise::STATE, q.at(promise::STATE));
        heap.store(p, promise::VALUE, q.at(promise::VALUE));
        heap.store(q, promise::STATE, Value::NIL);
        heap.store(q, promise::VALUE, p);
    }
    Ok(Word::NIL)
}

fn make_parameter(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    cx.reserve(Heap::size_of(2))?;
    let fields = [cx.arg(0).word(), cx.arg(1).word()];
    Ok(cx.heap().make(Type::Parameter, 0, fields).word())
}

fn parameter_set(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    cx.heap().store(cx.arg(0), parameter::VALUE, cx.arg(1));
    Ok(Word::NIL)
}
