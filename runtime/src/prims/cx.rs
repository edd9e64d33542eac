//! What a primitive sees: its operands in rooted slots, the heap, the host, and the little state
//! primitives keep between calls. There is deliberately no way to call SX from here.
//!
//! Invariant: `reserve` is the only thing that may collect. Values read before it are dead after
//! it, which the borrow checker enforces; read the operands again.
#![allow(unsafe_code)]

use crate::error::{Code, Raise};
use crate::heap::{Heap, OutOfMemory, Roots};
use crate::host::{Host, HostError, HostErrorKind};
use crate::num::{Num, NumError};
use crate::print::{Style, TooLong};
use crate::value::{Value, Word};

/// What primitives remember between calls in one isolate. Holds no words.
#[derive(Debug, Default)]
pub struct PrimState {
    /// How many symbols `gensym` has made.
    pub gensyms: u64,
    /// Is the last character written to the output something else than a newline?
    pub mid_line: bool,
    /// A buffer for texts in the making, empty between calls.
    text: String,
    /// What is left of the line of the program's input that was read last.
    pub input_rest: String,
    /// What the program was started with, its own name first.
    pub arguments: Vec<String>,
    /// Regular expressions compiled so far.
    pub patterns: super::regex::Patterns,
}

/// The view of the isolate a primitive gets.
pub struct Cx<'a> {
    heap: &'a mut Heap,
    roots: &'a mut dyn Roots,
    host: &'a mut dyn Host,
    state: &'a mut PrimState,
    args: *mut Word,
    argc: usize,
}

impl<'a> Cx<'a> {
    /// A view for one call.
    ///
    /// # Safety
    /// `args` points to `argc` slots that `roots` visits, that nobody else reads or writes while
    /// the view lives, and whose words are live.
    #[inline(always)]
    pub unsafe fn new(
        heap: &'a mut Heap,
        roots: &'a mut dyn Roots,
        host: &'a mut dyn Host,
        state: &'a mut PrimState,
        args: *mut Word,
        argc: usize,
    ) -> Cx<'a> {
        Cx {
            heap,
            roots,
            host,
            state,
            args,
            argc,
        }
    }

    /// How many operands there are.
    #[inline(always)]
    pub fn argc(&self) -> usize {
        self.argc
    }
    /// Operand `i`; `nil` when there are fewer.
    #[inline(always)]
    pub fn arg(&self, i: usize) -> Value<'_> {
        if i >= self.argc {
            return Value::NIL;
        }
        // SAFETY: `new` vouches for the slots; their words are live until the next `reserve`,
        // which needs this view mutably.
        unsafe { Value::from_raw(*self.args.add(i)) }
    }
    /// Operand `i`, if it was given.
    #[inline(always)]
    pub fn given(&self, i: usize) -> Option<Value<'_>> {
        (i < self.argc).then(|| self.arg(i))
    }
    /// All operands.
    pub fn all_args(&self) -> impl DoubleEndedIterator<Item = Value<'_>> + ExactSizeIterator {
        (0..self.argc).map(|i| self.arg(i))
    }
    /// All operands, in a row.
    #[inline(always)]
    pub fn arg_slice(&self) -> &[Value<'_>] {
        // SAFETY: as in `arg`; a value has the layout of a word.
        unsafe { std::slice::from_raw_parts(self.args.cast(), self.argc) }
    }
    /// Replaces operand `i`, for a primitive that needs a rooted place. The word must be live:
    /// a value that the heap made since the last `reserve`, or another operand.
    pub fn set_arg(&mut self, i: usize, word: Word) {
        assert!(i < self.argc, "no operand {i}");
        // SAFETY: the slot is ours, see `new`.
        unsafe { *self.args.add(i) = word }
    }

    /// Writes characters over those of the text in operand 0, as `Heap::put` does.
    pub fn put(&mut self, at: usize, by: &str) -> bool {
        // SAFETY: a `str` of the heap would borrow this view, which is borrowed mutably.
        unsafe { self.heap.put(self.arg(0), at, by) }
    }

    /// The heap, for reading, making what was reserved for, and storing.
    #[inline(always)]
    pub fn heap(&self) -> &Heap {
        self.heap
    }
    /// Makes sure that `bytes` can be allocated. May collect: read the operands again.
    #[inline(always)]
    pub fn reserve(&mut self, bytes: usize) -> Result<(), Raise> {
        self.heap
            .reserve(bytes, self.roots)
            .map_err(|OutOfMemory { .. }| Raise::Memory)
    }
    /// Collects everything that can be collected.
    pub fn collect(&mut self) {
        self.heap.collect(self.roots);
    }
    /// The outside world.
    pub fn host(&mut self) -> &mut dyn Host {
        self.host
    }
    /// What primitives remember.
    pub fn state(&mut self) -> &mut PrimState {
        self.state
    }

    /// Operand `i` as a number; the row has checked that it is one.
    pub fn num(&self, i: usize) -> Num {
        self.arg(i).as_number().unwrap_or(Num::Int(0))
    }
    /// Operand `i` as a machine integer; the row has checked that it is an integer.
    pub fn int(&self, i: usize) -> Result<i64, Raise> {
        let v = self.arg(i);
        match v.as_fixnum() {
            Some(i) => Ok(i),
            None => self
                .num(i)
                .to_i64()
                .ok_or_else(|| Raise::new(Code::Range, ": integer out of range").with_arg(i)),
        }
    }
    /// Operand `i` as a count or place; the row has checked that it is an index.
    #[inline]
    pub fn index(&self, i: usize) -> usize {
        if let Some(n) = self.arg(i).as_fixnum() {
            return usize::try_from(n).unwrap_or(0);
        }
        self.num(i).to_i64().and_then(|n| usize::try_from(n).ok()).unwrap_or(0)
    }
    /// Operand `i` as text; the row has checked that it is a string, symbol or keyword.
    pub fn text(&self, i: usize) -> &str {
        self.arg(i).as_name().unwrap_or_default()
    }

    /// A number as the answer.
    pub fn give_num(&mut self, n: &Num) -> Result<Word, Raise> {
        if let Num::Int(i) = n
            && let Some(word) = Word::try_fixnum(*i)
        {
            return Ok(word);
        }
        self.reserve(crate::number::size_of_number(n))?;
        Ok(self.heap.number(n).word())
    }
    /// A float as the answer.
    pub fn give_float(&mut self, f: f64) -> Result<Word, Raise> {
        self.reserve(Heap::SIZE_OF_FLOAT)?;
        Ok(self.heap.float(f).word())
    }
    /// An integer as the answer.
    pub fn give_int(&mut self, i: i64) -> Result<Word, Raise> {
        match Word::try_fixnum(i) {
            Some(word) => Ok(word),
            None => self.give_num(&Num::Int(i)),
        }
    }
    /// Adds the text of a value; one that reaches the size of the memory limit is refused.
    pub fn show_onto(&self, out: &mut String, v: Value<'_>, style: Style) -> Result<(), Raise> {
        self.heap
            .print_to(out, v, style, self.heap.limit())
            .map_err(|TooLong| Raise::Memory)
    }
    /// An empty buffer to build a text in, with the room of an earlier one. Give it back.
    pub fn take_text(&mut self) -> String {
        std::mem::take(&mut self.state.text)
    }
    /// Keeps the buffer that `take_text` gave for the next call.
    pub fn keep_text(&mut self, mut text: String) {
        const MOST: usize = 64 << 10;
        if text.capacity() <= MOST {
            text.clear();
            self.state.text = text;
        }
    }
    /// Operand 0 as text, as the answer.
    pub fn give_shown(&mut self, style: Style) -> Result<Word, Raise> {
        let mut text = String::new();
        self.show_onto(&mut text, self.arg(0), style)?;
        self.give_string(&text)
    }
    /// A text as the answer.
    pub fn give_string(&mut self, text: &str) -> Result<Word, Raise> {
        self.reserve(crate::string::size_of_string(text.len()))?;
        Ok(self.heap.string(text).word())
    }
    /// A symbol as the answer.
    pub fn give_symbol(&mut self, name: &str) -> Result<Word, Raise> {
        // Symbols are made outside the reservation; this lets the heap look at its limit.
        self.reserve(0)?;
        Ok(self.heap.symbol(name).word())
    }
}

/// The condition for a numeric operation named `who` that has no result.
#[cold]
pub fn num_error(who: &str, error: NumError) -> Raise {
    match error {
        NumError::DivisionByZero => Raise::new(Code::Division, format!("{who}: division by zero")),
        NumError::NotAnInteger => Raise::new(Code::Type, format!("{who}: expected integer")),
        NumError::Negative => Raise::new(Code::Value, format!("{who}: expected a number not below zero")),
        NumError::NotFinite => Raise::new(Code::Value, format!("{who}: no exact value")),
        NumError::TooLarge => Raise::Memory,
    }
}

/// The condition for an operation named `who` that the host refused.
#[cold]
pub fn host_error(who: &str, error: &HostError) -> Raise {
    let _: HostErrorKind = error.kind;
    Raise::new(Code::Io, format!("{who}: {error}"))
}
