//! What tools see of running and compiled code, as lists: functions, instruction and variables of
//! a fiber; rows of a trace; the parts of a chunk.
//!
//! Everything is first described by a `Datum`, which holds no heap reference of its own, and made
//! in one go when all of it is known.

use super::Machine;
use sx_runtime::chunk::{Chunk, Const};
use sx_runtime::error::Raise;
use sx_runtime::instance::{Instance, builtin};
use sx_runtime::list::size_of_list;
use sx_runtime::object::{self, Type};
use sx_runtime::ops::Instr;
use sx_runtime::string::size_of_string;
use sx_runtime::value::{Value, Word};
use sx_runtime::vector::size_of_vector;

/// The most functions of a continuation that are named.
const FUNCTIONS_MAX: usize = 1000;
/// How many slots a row of a trace shows.
const SLOTS_SHOWN: usize = 5;

/// A value to be made.
pub(super) enum Datum {
    Nil,
    Bool(bool),
    Int(i64),
    Text(String),
    /// The word in a row of `State::kept`.
    Kept(usize),
    List(Vec<Datum>),
    Vector(Vec<Datum>),
}

impl Datum {
    fn size(&self) -> usize {
        match self {
            Datum::Nil | Datum::Bool(_) | Datum::Int(_) | Datum::Kept(_) => 0,
            Datum::Text(text) => size_of_string(text.len()),
            Datum::List(items) => size_of_list(items.len()) + items.iter().map(Datum::size).sum::<usize>(),
            Datum::Vector(items) => size_of_vector(items.len()) + items.iter().map(Datum::size).sum::<usize>(),
        }
    }
    fn texts(texts: impl IntoIterator<Item = String>) -> Datum {
        Datum::List(texts.into_iter().map(Datum::Text).collect())
    }
}

/// A frame of the program.
struct UserFrame<'m> {
    fp: *const Word,
    instance: &'m Instance,
    pc: usize,
    /// Does it stand at its instruction, rather than wait for a call?
    at_instruction: bool,
}

impl UserFrame<'_> {
    fn live(&self) -> Vec<usize> {
        let chunk = &self.instance.chunk;
        let set = match self.at_instruction {
            true => chunk.live_before(self.pc),
            false => chunk.live_after(self.pc).map(<[u64]>::to_vec).unwrap_or_default(),
        };
        let is_live = |s: &usize| set.get(s / 64).is_some_and(|bits| bits >> (s % 64) & 1 == 1);
        (1..chunk.frame_size as usize).filter(is_live).collect()
    }
    fn line(&self) -> Datum {
        let span = self.instance.chunk.span_at(self.pc);
        span.map_or(Datum::Nil, |s| Datum::Int(s.source.line_col(s.start).0 as i64))
    }
}

pub(super) fn function_name(chunk: &Chunk) -> String {
    if chunk.name.is_empty() {
        "anonymous".into()
    } else {
        chunk.name.to_string()
    }
}

impl Machine {
    /// Makes a described value. It lives until the next reservation.
    pub(super) fn make(&mut self, datum: &Datum) -> Result<Word, Raise> {
        self.reserve(datum.size())?;
        Ok(self.made(datum).word())
    }

    fn made(&self, datum: &Datum) -> Value<'_> {
        let heap = &self.isolate.heap;
        let all = |items: &[Datum]| -> Vec<Value<'_>> { items.iter().map(|d| self.made(d)).collect() };
        match datum {
            Datum::Nil => Value::NIL,
            // SAFETY: neither a boolean nor a fixnum is a reference.
            Datum::Bool(b) => unsafe { Value::from_raw(Word::bool(*b)) },
            // SAFETY: as above.
            Datum::Int(n) => unsafe { Value::from_raw(Word::fixnum(*n)) },
            Datum::Text(text) => heap.string(text),
            // SAFETY: `kept` is rooted.
            Datum::Kept(row) => unsafe { Value::from_raw(self.isolate.state.kept[*row]) },
            Datum::List(items) => heap.list(&all(items)),
            Datum::Vector(items) => heap.vector_from(&all(items)),
        }
    }

    fn keep(&mut self, word: Word) -> Datum {
        self.isolate.state.kept.push(word);
        Datum::Kept(self.isolate.state.kept.len() - 1)
    }

    /// The functions the fiber is in, where its program stands, and the variables there. Words
    /// are added to `State::kept`.
    pub(super) fn view_of_fiber(&mut self, at_instruction: bool) -> [Datum; 3] {
        let mut functions = vec![];
        let mut user = None;
        self.each_frame(|fp, instance, pc| {
            let chunk = &instance.chunk;
            if !chunk.core && user.is_none() {
                user = Some(UserFrame {
                    fp,
                    instance,
                    pc,
                    at_instruction,
                });
            }
            if !chunk.core || !chunk.name.starts_with('%') {
                functions.push(function_name(chunk));
            }
            functions.len() < FUNCTIONS_MAX
        });
        let functions = Datum::texts(functions);
        let Some(frame) = user else {
            return [functions, Datum::Nil, Datum::List(vec![])];
        };
        let control = Datum::List(vec![
            Datum::Text(function_name(&frame.instance.chunk)),
            Datum::Int(frame.pc as i64),
            Datum::Text(instruction_text(frame.instance, frame.pc)),
            frame.line(),
        ]);
        let variables = variables_of(&frame);
        let mut entries = vec![];
        for (name, word) in variables {
            entries.push(Datum::Text(name));
            entries.push(self.keep(word));
        }
        [functions, control, Datum::List(entries)]
    }

    /// The running instruction of the running frame, as a row of a trace.
    pub(super) fn view_of_instruction(&mut self) -> Datum {
        let (mut depth, mut running) = (0, None);
        self.each_frame(|fp, instance, pc| {
            depth += !instance.chunk.core as i64;
            running.get_or_insert(UserFrame {
                fp,
                instance,
                pc,
                at_instruction: true,
            });
            true
        });
        let Some(frame) = running else { return Datum::Nil };
        let live = frame.live();
        let shown = &live[live.len().saturating_sub(SLOTS_SHOWN)..];
        // SAFETY: live slots of a complete frame.
        let words: Vec<Word> = shown
            .iter()
            .map(|s| unsafe { shown_value(*frame.fp.add(*s)) })
            .collect();
        let opcode = Instr(frame.instance.code()[frame.pc])
            .op()
            .map_or("", |op| op.info().name);
        let row = [
            Datum::Int(depth),
            Datum::Int(frame.pc as i64),
            Datum::Text(function_name(&frame.instance.chunk)),
            frame.line(),
        ];
        let mut parts = vec![Datum::Text(opcode.into())];
        let words = words.into_iter().map(|w| self.keep(w)).collect();
        parts.push(Datum::List(words));
        parts.extend(row);
        Datum::List(parts)
    }

    /// `%bytecode`: parameters, has rest, slots, constants, instructions, calls, what runs it, exits
    /// of a procedure; nil for anything else.
    ///
    /// # Safety
    /// The word is live.
    pub(super) unsafe fn bytecode(&mut self, procedure: Word) -> Result<Word, Raise> {
        // SAFETY: by the caller.
        let value: Value<'_> = unsafe { Value::from_raw(procedure) };
        let Some(instance) = value.instance() else {
            return Ok(Word::NIL);
        };
        let chunk = &instance.chunk;
        let constant = |c: &Const| match c {
            Const::Global(name) => format!("global {name}"),
            Const::Key(name) => format!(":{name}"),
            Const::Prim(name) => format!("primitive {name}"),
            Const::Datum(datum) => crate::expand::show_stx(datum),
        };
        let code = 0..instance.code().len();
        let native = instance.native.borrow();
        let tier = match instance.builtin {
            builtin::NONE if native.code.is_some() => "native",
            builtin::NONE => "interpreter",
            _ => "primitive",
        };
        let exits: i64 = native.exits.iter().map(|left| i64::from(left.count)).sum();
        let parts = Datum::List(vec![
            Datum::Int(chunk.params as i64),
            Datum::Int(chunk.rest as i64),
            Datum::Int(chunk.frame_size as i64),
            Datum::texts(chunk.consts.iter().map(constant)),
            Datum::texts(code.map(|pc| format!("{pc:4}  {}", instruction_text(instance, pc)))),
            Datum::Int(instance.calls.get() as i64),
            Datum::Text(tier.into()),
            Datum::Int(exits),
        ]);
        drop(native);
        self.make(&parts)
    }
}

fn instruction_text(instance: &Instance, pc: usize) -> String {
    let instr = instance.code().get(pc).map_or(Instr(0), |word| Instr(*word));
    instance.chunk.show(pc, instr)
}

/// The variables that are in scope and still needed, outermost first.
fn variables_of(frame: &UserFrame<'_>) -> Vec<(String, Word)> {
    let live = frame.live();
    let pc = frame.pc as u32;
    let mut rows: Vec<_> = frame.instance.chunk.locals.iter().collect();
    rows.retain(|(slot, from, to, _)| *from <= pc && pc < *to && live.binary_search(&(*slot as usize)).is_ok());
    rows.sort_by_key(|row| row.0);
    let value = |slot: u16| {
        // SAFETY: a live slot of a complete frame.
        unsafe { shown_value(*frame.fp.add(slot as usize)) }
    };
    let rows = rows
        .into_iter()
        .map(|(slot, _, _, name)| (name.to_string(), value(*slot)));
    rows.collect()
}

/// The value of a variable whose slot holds `word`: its own, or its box's.
///
/// # Safety
/// The word is live.
unsafe fn shown_value(word: Word) -> Word {
    // SAFETY: by the caller; a box has a value.
    let value = unsafe {
        match object::is_type(word, Type::Box) {
            true => object::field(word, object::boxed::VALUE),
            false => word,
        }
    };
    if value == Word::UNBOUND { Word::NIL } else { value }
}
