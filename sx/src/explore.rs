//! What tools ask of an isolate: documentation, bytecode.
//!
//! Deliberately absent: anything a program needs to run.

use crate::error::Error;
use crate::isolate::Isolate;
use std::fmt::Write as _;
use std::sync::Arc;
use sx_interp::expand::forms;
use sx_interp::machine::Step;
use sx_runtime::chunk::{Chunk, Const};
use sx_runtime::ops::{Instr, Op};
use sx_runtime::prims;
use sx_runtime::print::Style;
use sx_runtime::syntax::Source;

/// Longest trace.
const TRACE_LINES_MAX: usize = 10_000;
/// Longest value in a trace.
const VALUE_CHARS_MAX: usize = 40;

impl Isolate {
    /// The documentation of a name: what it is called with, what it does, examples.
    pub fn doc(&mut self, name: &str) -> Option<String> {
        let globals = &self.machine.isolate.state.globals;
        if let Some(id) = globals.primitive(name) {
            return Some(prims::get(id).describe());
        }
        match self.function(name) {
            Some(chunk) => describe(name, &chunk),
            None => forms()
                .find(|form| form.name == name)
                .map(|form| format!("{}\n{}", form.syntax, form.doc)),
        }
    }

    /// How many arguments the function that a global holds takes: the least, and the most if there
    /// is one.
    pub fn arity(&self, name: &str) -> Option<(usize, Option<usize>)> {
        let globals = &self.machine.isolate.state.globals;
        if let Some(id) = globals.primitive(name) {
            return Some(prims::get(id).arity());
        }
        let chunk = self.function(name)?;
        let params = usize::from(chunk.params);
        Some((params, (!chunk.rest).then_some(params)))
    }

    /// Every name with a meaning: globals and special forms, sorted.
    pub fn names(&self) -> Vec<String> {
        let globals = &self.machine.isolate.state.globals;
        // A name that was only mentioned has a cell too.
        let bound = globals.iter().filter(|(name, _)| globals.is_bound(name));
        let mut names: Vec<String> = bound.map(|(name, _)| name.to_string()).collect();
        names.extend(forms().map(|form| form.name.to_owned()));
        names.sort();
        names.dedup();
        names
    }

    /// The instructions of the function a name means, or what an expression compiles to, with
    /// the functions inside.
    pub fn bytecode(&mut self, expression: Arc<Source>) -> Result<String, Error> {
        let name = expression.text.trim();
        let chunk = match self.function(name) {
            Some(chunk) => chunk,
            None => self.compiled(&expression)?,
        };
        let mut text = String::new();
        listing(&mut text, &chunk);
        Ok(text)
    }

    /// Evaluates a text and shows each instruction of the program's own functions with the slots
    /// it read, a line each, at most `TRACE_LINES_MAX`; the value stands on the last line.
    pub fn trace(&mut self, source: Arc<Source>) -> Result<String, Error> {
        self.start(source)?;
        let mut text = String::new();
        let mut lines = 0;
        loop {
            let exit = self.machine.run_steps(1);
            if self.after(exit)? {
                break;
            }
            let Some(step) = self.machine.peek().filter(|step| !step.is_core) else {
                continue;
            };
            lines += 1;
            if lines <= TRACE_LINES_MAX {
                step_line(&mut text, &step);
            }
        }
        if lines > TRACE_LINES_MAX {
            // Writing to a string cannot fail, here and below.
            let _ = writeln!(text, "… {} more", lines - TRACE_LINES_MAX);
        }
        let value = self.machine.isolate.heap.print(self.machine.result(), Style::Write);
        let _ = writeln!(text, "=> {value}");
        Ok(text)
    }

    /// What the function that a global holds, and the functions inside it, call by name, each
    /// with a number of arguments, in the order of the code.
    pub fn calls_of(&self, name: &str) -> Option<Vec<(String, usize)>> {
        let mut calls = Vec::new();
        collect_calls(&*self.function(name)?, &mut calls);
        Some(calls)
    }

    fn function(&self, name: &str) -> Option<Arc<Chunk>> {
        let isolate = &self.machine.isolate;
        isolate.chunk_of(&isolate.global_handle(name)?)
    }

    /// The chunk of a function whose body is the expression.
    fn compiled(&mut self, expression: &Source) -> Result<Arc<Chunk>, Error> {
        let thunk = Source::new(expression.name.clone(), format!("(fn () {}\n)", expression.text));
        let value = self.eval_handle(thunk)?;
        let chunk = self.machine.isolate.chunk_of(&value);
        // A program may have made `fn` mean something else.
        chunk.ok_or_else(|| Error::new(sx_runtime::error::Code::Value, "this does not compile to a function"))
    }
}

fn collect_calls(chunk: &Chunk, calls: &mut Vec<(String, usize)>) {
    for instruction in chunk.code.iter().map(|word| Instr(*word)) {
        if !matches!(
            instruction.op(),
            Some(Op::CallGlobal | Op::TailCallGlobal | Op::CallPrim)
        ) {
            continue;
        }
        if let Some(Const::Global(name) | Const::Prim(name)) = chunk.consts.get(instruction.c()) {
            let call = (name.to_string(), instruction.d());
            if !calls.contains(&call) {
                calls.push(call);
            }
        }
    }
    chunk.children.iter().for_each(|child| collect_calls(child, calls));
}

fn describe(name: &str, chunk: &Chunk) -> Option<String> {
    let mut text = format!("({name}");
    let required = usize::from(chunk.params);
    for (index, parameter) in chunk.param_names.iter().enumerate() {
        let rest = if index == required { "&rest " } else { "" };
        let _ = write!(text, " {rest}{parameter}");
    }
    text.push(')');
    if let Some(doc) = &chunk.doc {
        let _ = write!(text, "\n{doc}");
    }
    Some(text)
}

fn step_line(text: &mut String, step: &Step) {
    let place = step.span.as_ref().map(|span| span.place()).unwrap_or_default();
    let name = if step.function.is_empty() {
        "anonymous"
    } else {
        &step.function
    };
    let _ = write!(text, "{place:<16} {name:<12} {:4}  {:<32}", step.pc, step.instruction);
    for (slot, value) in &step.reads {
        let shown: String = value.chars().take(VALUE_CHARS_MAX).collect();
        let more = if shown.len() < value.len() { "…" } else { "" };
        let _ = write!(text, " r{slot}={shown}{more}");
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
}

fn listing(text: &mut String, chunk: &Chunk) {
    let name = if chunk.name.is_empty() {
        "anonymous"
    } else {
        &*chunk.name
    };
    let rest = if chunk.rest { " and a rest" } else { "" };
    let _ = writeln!(
        text,
        "{name}: {} parameters{rest}, {} captured, {} slots",
        chunk.params, chunk.captures, chunk.frame_size
    );
    text.push_str(&chunk.disassemble());
    for child in &chunk.children {
        text.push('\n');
        listing(text, child);
    }
}
