//! The machine: an expression, an environment and a continuation, one small step at a time.
//!
//! Invariant: a step reads and makes values and continuations; it never runs another step, so the
//! native stack is as deep at the end of a program as at its start.

use crate::env::{Env, Kont, Step, is_core};
use crate::evaluate::{Evaluations, Forms};
use crate::native::{self, Native};
use crate::objects;
use crate::outcome::{Counts, Edge, Ending, Places};
use crate::run::Library;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use sx_interp::core::{Core, CoreNode, Lambda, Var};
use sx_runtime::chunk::Chunk;
use sx_runtime::convert::Lists;
use sx_runtime::error::{Code, Raise};
use sx_runtime::heap::Heap;
use sx_runtime::host::SimulatedHost;
use sx_runtime::html::tag_of;
use sx_runtime::instance::Instance;
use sx_runtime::list::size_of_list;
use sx_runtime::object::Type;
use sx_runtime::prims::{self, Prim, PrimId, PrimState, registry};
use sx_runtime::print::Style;
use sx_runtime::print::scheme::{Labels, Manner};
use sx_runtime::string::size_of_string;
use sx_runtime::syntax::{Language, Name, Node, Span};
use sx_runtime::value::{Value, Word};
use sx_runtime::vector::size_of_vector;

/// What a procedure is.
#[derive(Clone)]
pub enum Procedure<'a> {
    /// An SX function and the variables around it.
    Lambda(&'a Lambda, Env),
    /// A row of the table.
    Primitive(PrimId),
    /// One that works on continuations.
    Native(Native),
    /// A delimited continuation: what it does with its argument, and its number.
    Resume(Rc<Vec<Step<'a>>>, usize),
}

/// What happens next.
pub enum State<'a> {
    /// An expression is evaluated.
    Eval(&'a Core, Env, Kont<'a>),
    /// A value goes to a continuation.
    Give(Word, Kont<'a>),
    /// A procedure is called from a place.
    Call(Word, Vec<Word>, Kont<'a>, &'a Span),
    /// Nothing.
    End(Ending<'a>),
}

/// The machine and everything a program can change.
pub struct Machine<'a> {
    /// The heap.
    pub heap: Heap,
    /// Clock, dice, files, output.
    pub host: SimulatedHost,
    /// What services requests nobody in the program takes.
    pub edge: &'a mut dyn Edge,
    /// What primitives remember.
    pub prim_state: PrimState,
    /// Global variables as the program sees them.
    pub globals: HashMap<Name, Word>,
    /// Global variables as the core library sees them.
    pub core_globals: HashMap<Name, Word>,
    /// Every procedure made so far, by number.
    pub procedures: Vec<Procedure<'a>>,
    /// Every full continuation taken so far, by number.
    pub continuations: Vec<Kont<'a>>,
    /// Every coroutine made so far, by number.
    pub coroutines: Vec<crate::coroutine::Coroutine<'a>>,
    /// Where the errors made so far were raised.
    pub places: Places<'a>,
    /// The effects that reached the edge.
    pub effects: Vec<String>,
    /// What the run went through.
    pub counts: Counts,
    /// How often each delimited continuation was resumed.
    pub resumes: Vec<u64>,
    /// Forms that were expanded.
    pub forms: &'a Forms,
    /// The functions of the core library.
    library: &'a Library,
    /// What is known about macros and libraries.
    pub evaluations: Evaluations<'a>,
    /// A core form without meaning.
    pub nothing: &'a Core,
    /// A place outside every text.
    pub nowhere: &'a Span,
    constants: HashMap<*const Core, Word>,
    /// What procedures show of themselves, by the code they run.
    shown: HashMap<usize, Box<Instance>>,
    marks: u64,
}

/// The procedure of a binding that is one whatever happens: it is there before the others.
fn settled_procedure<'a>(var: &Var, init: &'a Core) -> Option<&'a Lambda> {
    match &init.node {
        CoreNode::Lambda(lambda) if !var.0.assigned.get() => Some(lambda),
        _ => None,
    }
}

/// The variable that operand number `at` becomes the value of, when the operator is a `fn` form.
fn parameter_of(callee: &Core, at: usize) -> Option<&Var> {
    match &callee.node {
        CoreNode::Lambda(lambda) => lambda.params.get(at),
        _ => None,
    }
}

/// A chunk that is never run: it only says what a procedure shows of itself.
fn shown(name: &str, doc: Option<Name>, mut params: Vec<Name>, rest: bool, primitive: Option<&Prim>) -> Box<Instance> {
    let mut required = params.len() - usize::from(rest && !params.is_empty());
    if !rest {
        params.truncate(required);
    }
    if let Some(prim) = primitive {
        required = prim.arity().0;
    }
    let chunk = Chunk {
        name: name.into(),
        doc,
        params: required as u16,
        rest,
        param_names: params,
        frame_size: 1,
        code: vec![],
        consts: vec![],
        children: vec![],
        captures: 1,
        feedback: 0,
        inlined: vec![],
        live: vec![],
        live_words: vec![],
        spans: vec![],
        sources: vec![],
        locals: vec![],
        core: false,
        lists: Lists::Views,
        resumes: Default::default(),
    };
    let number = primitive.and_then(|prim| prims::by_name(prim.name));
    Instance::new(
        Arc::new(chunk),
        vec![],
        vec![],
        number.map_or(u32::MAX, |id| id.0.into()),
    )
}

impl<'a> Machine<'a> {
    /// A machine that has run nothing.
    pub fn new(edge: &'a mut dyn Edge, forms: &'a Forms, library: &'a Library, nothing: &'a Core) -> Machine<'a> {
        Machine {
            heap: objects::new_heap(),
            host: SimulatedHost::new(1),
            edge,
            prim_state: PrimState::default(),
            globals: HashMap::new(),
            core_globals: HashMap::new(),
            procedures: vec![],
            continuations: vec![],
            coroutines: vec![],
            places: Places::new(),
            effects: vec![],
            counts: Counts::default(),
            resumes: vec![],
            forms,
            library,
            evaluations: Evaluations::default(),
            nothing,
            nowhere: &nothing.span,
            constants: HashMap::new(),
            shown: HashMap::new(),
            marks: 0,
        }
    }

    /// Takes steps until the end, or until so many are taken.
    pub fn run(&mut self, mut state: State<'a>, mut fuel: u64) -> Ending<'a> {
        loop {
            state = match state {
                State::Eval(core, env, kont) => self.eval(core, env, kont),
                State::Give(value, kont) => self.give(value, kont),
                State::Call(callee, args, kont, span) => self.call(callee, args, kont, span),
                State::End(ending) => return ending,
            };
            fuel = fuel.saturating_sub(1);
            if fuel == 0 || objects::is_spent(&self.heap) {
                return Ending::GaveUp;
            }
        }
    }

    /// A number no other extent has.
    pub fn new_mark(&mut self) -> u64 {
        self.marks += 1;
        self.marks
    }

    fn eval(&mut self, core: &'a Core, env: Env, kont: Kont<'a>) -> State<'a> {
        match &core.node {
            CoreNode::Const(_) => State::Give(self.constant(core), kont),
            CoreNode::Local(var) => match env.get(var) {
                Word::UNBOUND => self.undefined(&var.0.name, kont, &core.span),
                value => State::Give(value, kont),
            },
            CoreNode::Global(name) => match self.global(name, &core.span) {
                Some(value) => State::Give(value, kont),
                None => self.undefined(name, kont, &core.span),
            },
            CoreNode::SetLocal(var, value) => self.eval_then(value, &env, Step::Assign(var, env.clone()), &kont),
            CoreNode::SetGlobal(name, value) => {
                self.eval_then(value, &env, Step::AssignGlobal(name, &core.span), &kont)
            }
            CoreNode::Define(name, value) => self.eval_then(value, &env, Step::Define(name, &core.span), &kont),
            CoreNode::If(test, then, other) => self.eval_then(test, &env, Step::If(then, other, env.clone()), &kont),
            CoreNode::Seq(items) => self.sequence(items, env, kont),
            CoreNode::Lambda(lambda) => State::Give(self.closure(lambda, env, None), kont),
            CoreNode::Let(var, init, body) => {
                self.eval_named(init, &env, Step::Let(var, body, env.clone()), &kont, var)
            }
            CoreNode::Letrec(bindings, body) => self.letrec(bindings, body, &env, kont),
            CoreNode::Call(callee, args) => match (&callee.node, args.first()) {
                // A global operator is looked up when it is called.
                (CoreNode::Global(_), None) => self.operands_done(core, vec![], kont),
                (CoreNode::Global(_), Some(first)) => {
                    self.eval_then(first, &env, Step::Operand(core, vec![], env.clone()), &kont)
                }
                _ => self.eval_then(callee, &env, Step::Operand(core, vec![], env.clone()), &kont),
            },
        }
    }

    fn eval_then(&mut self, core: &'a Core, env: &Env, step: Step<'a>, kont: &Kont<'a>) -> State<'a> {
        State::Eval(core, env.clone(), kont.then(step))
    }

    /// Evaluates the value of a variable: a procedure without a name gets the variable's.
    fn eval_named(&mut self, core: &'a Core, env: &Env, step: Step<'a>, kont: &Kont<'a>, var: &'a Var) -> State<'a> {
        match &core.node {
            CoreNode::Lambda(lambda) => {
                let closure = self.closure(lambda, env.clone(), Some(&var.0.name));
                State::Give(closure, kont.then(step))
            }
            _ => self.eval_then(core, env, step, kont),
        }
    }

    fn sequence(&mut self, items: &'a [Core], env: Env, kont: Kont<'a>) -> State<'a> {
        match items {
            [] => State::Give(Word::NIL, kont),
            [last] => State::Eval(last, env, kont),
            [first, rest @ ..] => State::Eval(first, env.clone(), kont.then(Step::Seq(rest, env))),
        }
    }

    /// Every variable first, then every procedure that is never assigned, then the other values
    /// in order.
    fn letrec(&mut self, bindings: &'a [(Var, Core)], body: &'a Core, env: &Env, kont: Kont<'a>) -> State<'a> {
        let unbound = |env: Env, (var, _): &(Var, Core)| env.bind(var, Word::UNBOUND);
        let env = bindings.iter().fold(env.clone(), unbound);
        for (var, init) in bindings {
            if let Some(lambda) = settled_procedure(var, init) {
                let closure = self.closure(lambda, env.clone(), Some(&var.0.name));
                env.set(var, closure);
            }
        }
        self.letrec_from(bindings, 0, body, env, kont)
    }

    fn letrec_from(
        &mut self,
        bindings: &'a [(Var, Core)],
        from: usize,
        body: &'a Core,
        env: Env,
        kont: Kont<'a>,
    ) -> State<'a> {
        let waits = |(var, init): &(Var, Core)| settled_procedure(var, init).is_none();
        match (from..bindings.len()).find(|i| waits(&bindings[*i])) {
            None => State::Eval(body, env, kont),
            Some(at) => {
                let (var, init) = &bindings[at];
                self.eval_named(init, &env, Step::Letrec(bindings, at, body, env.clone()), &kont, var)
            }
        }
    }

    fn give(&mut self, value: Word, kont: Kont<'a>) -> State<'a> {
        let Some(frame) = kont.0.clone() else {
            return State::End(Ending::Value(value));
        };
        let next = frame.next.clone();
        match frame.step.clone() {
            Step::If(then, other, env) => State::Eval(if value.is_truthy() { then } else { other }, env, next),
            Step::Seq(items, env) => self.sequence(items, env, next),
            Step::Let(var, body, env) => State::Eval(body, env.bind(var, value), next),
            Step::Letrec(bindings, at, body, env) => {
                env.set(&bindings[at].0, value);
                self.letrec_from(bindings, at + 1, body, env, next)
            }
            Step::Assign(var, env) => {
                env.set(var, value);
                State::Give(value, next)
            }
            Step::AssignGlobal(name, span) => self.assign_global(name, value, next, span),
            Step::Define(name, span) => {
                self.globals_of(name, span).insert(name.clone(), value);
                State::Give(value, next)
            }
            Step::Operand(call, mut done, env) => {
                done.push(value);
                self.operand(call, done, env, next)
            }
            Step::Return(_) => State::Give(value, next),
            step => native::give(self, step, value, next),
        }
    }

    fn operand(&mut self, core: &'a Core, done: Vec<Word>, env: Env, kont: Kont<'a>) -> State<'a> {
        let CoreNode::Call(callee, args) = &core.node else {
            return State::Give(Word::NIL, kont);
        };
        let global = matches!(callee.node, CoreNode::Global(_));
        match args.get(done.len() - usize::from(!global)) {
            Some(arg) => {
                let at = done.len() - usize::from(!global);
                let step = Step::Operand(core, done, env.clone());
                match parameter_of(callee, at) {
                    Some(var) => self.eval_named(arg, &env, step, &kont, var),
                    None => self.eval_then(arg, &env, step, &kont),
                }
            }
            None => self.operands_done(core, done, kont),
        }
    }

    fn operands_done(&mut self, core: &'a Core, mut done: Vec<Word>, kont: Kont<'a>) -> State<'a> {
        let span = &core.span;
        match &core.node {
            CoreNode::Call(callee, args) => match &callee.node {
                CoreNode::Global(name) => match (self.global(name, &callee.span), tag_of(name)) {
                    (Some(callee), None) => State::Call(callee, done, kont, span),
                    (Some(callee), Some(_)) => State::Call(callee, self.unkeyed(args, done), kont, span),
                    (None, Some(tag)) => {
                        done.insert(0, self.heap.symbol(tag).word());
                        State::Give(self.list(done), kont)
                    }
                    (None, None) => self.undefined_operator(name, kont, &callee.span, span),
                },
                CoreNode::Lambda(lambda) if lambda.rest.is_none() && lambda.params.len() == args.len() => {
                    self.in_place(lambda, done, kont)
                }
                _ => State::Call(done.remove(0), done, kont, span),
            },
            _ => State::Give(Word::NIL, kont),
        }
    }

    /// Operands of what may have been an element when the call was expanded: keys are texts.
    fn unkeyed(&mut self, args: &[Core], done: Vec<Word>) -> Vec<Word> {
        let mut unkeyed = |(arg, value): (&Core, Word)| match &arg.node {
            CoreNode::Const(datum) => match &datum.node {
                Node::Keyword(key) => self.string(key),
                _ => value,
            },
            _ => value,
        };
        args.iter().zip(done).map(&mut unkeyed).collect()
    }

    /// `((fn (x) …) v)` is a `let`: no call, for whoever asks where the program is.
    fn in_place(&mut self, lambda: &'a Lambda, mut done: Vec<Word>, kont: Kont<'a>) -> State<'a> {
        let number = objects::procedure_number(done.remove(0));
        let env = match number.map(|number| &self.procedures[number]) {
            Some(Procedure::Lambda(_, env)) => env.clone(),
            _ => Env::default(),
        };
        let bind = |env: Env, (var, value)| env.bind(var, value);
        State::Eval(&lambda.body, lambda.params.iter().zip(done).fold(env, bind), kont)
    }

    fn call(&mut self, callee: Word, args: Vec<Word>, kont: Kont<'a>, span: &'a Span) -> State<'a> {
        if let Some(number) = objects::procedure_number(callee) {
            return match self.procedures[number].clone() {
                Procedure::Lambda(lambda, env) => self.call_lambda(callee, lambda, env, args, kont, span),
                Procedure::Primitive(id) => match self.primitive(id, args.clone()) {
                    Ok(value) => State::Give(value, kont),
                    Err(raise) => self.raise_of(raise, &args, kont, span),
                },
                Procedure::Native(native) => match self.arity_error(callee, args.len()) {
                    Some(message) => self.fail(Code::Arity, message, kont, span),
                    None => native::call(self, native, args, kont, span),
                },
                Procedure::Resume(steps, number) => {
                    self.resumes[number] += 1;
                    let value = self.several(args);
                    State::Give(value, kont.after_call(span, None).under(&steps))
                }
            };
        }
        native::call_object(self, callee, args, kont, span)
    }

    fn call_lambda(
        &mut self,
        callee: Word,
        lambda: &'a Lambda,
        env: Env,
        mut args: Vec<Word>,
        kont: Kont<'a>,
        span: &'a Span,
    ) -> State<'a> {
        if let Some(message) = self.arity_error(callee, args.len()) {
            return self.fail(Code::Arity, message, kont, span);
        }
        let rest = args.split_off(lambda.params.len());
        let env = lambda
            .params
            .iter()
            .zip(args)
            .fold(env, |env, (var, value)| env.bind(var, value));
        let env = match &lambda.rest {
            Some(var) => {
                let rest = self.list_as(Lists::of(&lambda.body.span.source), rest);
                env.bind(var, rest)
            }
            None => env,
        };
        State::Eval(&lambda.body, env, kont.after_call(span, Some(lambda)))
    }

    /// What is wrong with so many arguments.
    fn arity_error(&self, callee: Word, given: usize) -> Option<String> {
        let instance = objects::value(&self.heap, callee).instance()?;
        let (wanted, rest) = (usize::from(instance.chunk.params), instance.chunk.rest);
        let fits = given == wanted || rest && given > wanted;
        let name = if instance.chunk.name.is_empty() {
            "fn"
        } else {
            &*instance.chunk.name
        };
        let more = if rest { "at least " } else { "" };
        let plural = if wanted == 1 { "" } else { "s" };
        (!fits).then(|| format!("{name}: expected {more}{wanted} argument{plural}, got {given}"))
    }

    fn assign_global(&mut self, name: &'a Name, value: Word, kont: Kont<'a>, span: &'a Span) -> State<'a> {
        if self.global(name, span).is_none() {
            return self.undefined(name, kont, span);
        }
        self.globals_of(name, span).insert(name.clone(), value);
        State::Give(value, kont)
    }

    /// The global variables that code from this place sees: core library code, and code that names
    /// what only the core library can name, see those of the core library.
    pub fn globals_of(&mut self, name: &str, span: &Span) -> &mut HashMap<Name, Word> {
        if is_core(span) || name.starts_with('%') {
            &mut self.core_globals
        } else {
            &mut self.globals
        }
    }

    /// The value that the program or the library has given a global variable.
    pub fn bound_global(&self, name: &str) -> Option<Word> {
        self.globals.get(name).or_else(|| self.core_globals.get(name)).copied()
    }
    /// Is there a primitive of this name, one that works on continuations, or one of the library?
    pub fn is_built_in(&self, name: &str) -> bool {
        prims::by_name(name).is_some() || native::find(name).is_some() || self.library.function(name).is_some()
    }

    /// The value of a global variable.
    pub fn global(&mut self, name: &Name, span: &Span) -> Option<Word> {
        let found = self.globals_of(name, span).get(name).copied();
        found.or_else(|| self.core_global(name))
    }

    /// A value of the core library; a procedure is made when it is asked for.
    pub fn core_global(&mut self, name: &str) -> Option<Word> {
        if let Some(found) = self.core_globals.get(name) {
            return Some(*found);
        }
        let made = match prims::by_name(name) {
            _ if self.library.function(name).is_some() => {
                self.closure(self.library.function(name)?, Env::default(), None)
            }
            _ if native::find(name).is_some() => self.native_procedure(name)?,
            Some(id) => self.primitive_procedure(id),
            // What the expander calls `%list` is `list`, whatever that name means to the program.
            None => self.core_global(name.strip_prefix('%')?)?,
        };
        self.core_globals.insert(name.into(), made);
        Some(made)
    }

    fn native_procedure(&mut self, name: &str) -> Option<Word> {
        let (native, params, rest) = native::find(name)?;
        let names = (0..params + usize::from(rest))
            .map(|i| format!("x{i}").as_str().into())
            .collect();
        Some(self.procedure(Procedure::Native(native), native as usize + 1, name, names, rest))
    }

    fn primitive_procedure(&mut self, id: PrimId) -> Word {
        const KEYS: usize = 1 << 32;
        let names = prims::get(id).params.iter().map(|p| p.name.into()).collect();
        // Any number of arguments gets to the primitive, which checks it.
        let name = registry::shown(id);
        self.procedure(Procedure::Primitive(id), KEYS + id.0 as usize, name, names, false)
    }

    /// A procedure for a delimited continuation.
    pub fn resume_procedure(&mut self, name: &str, steps: Vec<Step<'a>>) -> Word {
        let names = vec!["value".into()];
        self.resumes.push(0);
        let procedure = Procedure::Resume(Rc::new(steps), self.resumes.len() - 1);
        self.procedure(procedure, usize::MAX - name.len(), name, names, false)
    }

    fn closure(&mut self, lambda: &'a Lambda, env: Env, bound_to: Option<&Name>) -> Word {
        let key = std::ptr::from_ref(lambda) as usize;
        let name = lambda.name.as_ref().or(bound_to).map_or("", |name| name);
        let params = lambda
            .params
            .iter()
            .chain(&lambda.rest)
            .map(|var| var.0.name.clone())
            .collect();
        self.procedure(Procedure::Lambda(lambda, env), key, name, params, lambda.rest.is_some())
    }

    /// A procedure; `key` tells apart what procedures show of themselves.
    fn procedure(&mut self, procedure: Procedure<'a>, key: usize, name: &str, params: Vec<Name>, rest: bool) -> Word {
        let (doc, primitive) = match &procedure {
            Procedure::Lambda(lambda, _) => (lambda.doc.clone(), None),
            Procedure::Primitive(id) => (Some(prims::get(*id).doc_text().into()), Some(prims::get(*id))),
            _ => (None, None),
        };
        let make = || shown(name, doc, params, rest, primitive);
        let instance = self.shown.entry(key).or_insert_with(make);
        self.procedures.push(procedure);
        objects::procedure(&mut self.heap, instance, self.procedures.len() - 1)
    }

    /// What `error-place` and `error-source` answer: places of errors are the oracle's own.
    fn told_place(&mut self, name: &str, args: &[Word]) -> Option<Word> {
        let [error] = args else { return None };
        if !matches!(name, "error-place" | "error-source") || !objects::is(*error, Type::Error) {
            return None;
        }
        let span = *self.places.get(&error.0)?.first()?;
        let text = match name {
            "error-place" => span.place(),
            _ => span.source.text.to_string(),
        };
        Some(self.string(&text))
    }

    /// Runs a primitive.
    pub fn primitive(&mut self, id: PrimId, args: Vec<Word>) -> Result<Word, Raise> {
        let prim = prims::get(id);
        *self.counts.called.entry(prim.name).or_default() += 1;
        if let Some(answer) = self.told_place(prim.name, &args) {
            return Ok(answer);
        }
        objects::call(id, &mut self.heap, &mut self.host, &mut self.prim_state, args)
    }

    /// A list.
    pub fn list(&mut self, items: Vec<Word>) -> Word {
        self.list_as(Lists::Views, items)
    }
    /// A list of that shape.
    fn list_as(&mut self, lists: Lists, items: Vec<Word>) -> Word {
        let pairs = items.len() * Heap::SIZE_OF_PAIR;
        objects::reserve(&mut self.heap, size_of_list(items.len()).max(pairs));
        let values = objects::values(&self.heap, &items);
        match lists {
            Lists::Views => self.heap.list(&values).word(),
            Lists::Pairs => self.heap.pairs(&values, Value::EMPTY).word(),
        }
    }
    /// One value, or several.
    pub fn several(&mut self, values: Vec<Word>) -> Word {
        if let [value] = values[..] {
            return value;
        }
        objects::reserve(&mut self.heap, size_of_vector(values.len()));
        self.heap.values_from(&objects::values(&self.heap, &values)).word()
    }
    /// A string.
    pub fn string(&mut self, text: &str) -> Word {
        objects::reserve(&mut self.heap, size_of_string(text.len()));
        self.heap.string(text).word()
    }
    /// The text of a string.
    pub fn text(&self, word: Word) -> String {
        objects::value(&self.heap, word).as_str().unwrap_or_default().to_owned()
    }
    /// A value as text.
    pub fn print(&self, word: Word, style: Style) -> String {
        self.heap.print(objects::value(&self.heap, word), style)
    }
    /// How a text in that language would write it.
    pub fn print_in(&self, language: Language, word: Word) -> String {
        if language == Language::Sx {
            return self.print(word, Style::Write);
        }
        let mut text = String::new();
        let value = objects::value(&self.heap, word);
        // What would not fit the memory is cut off.
        let _ = self
            .heap
            .print_scheme(&mut text, value, Manner::Write(Labels::Cycles), self.heap.limit());
        text
    }
    /// The elements of a list, or of `nil`.
    pub fn elements(&self, list: Word) -> Vec<Word> {
        objects::value(&self.heap, list)
            .items()
            .map(|item| item.word())
            .collect()
    }
    /// What a dict holds under a key.
    pub fn get(&self, dict: Word, key: &str) -> Option<Word> {
        let dict = objects::value(&self.heap, dict).as_dict()?;
        self.heap.dict_get_str(dict, key).map(|found| found.word())
    }

    /// The value of a constant: the same object each time.
    fn constant(&mut self, core: &'a Core) -> Word {
        let key = std::ptr::from_ref(core);
        if let Some(known) = self.constants.get(&key) {
            return *known;
        }
        let CoreNode::Const(datum) = &core.node else {
            return Word::NIL;
        };
        let made = crate::evaluate::datum(self, datum);
        self.constants.insert(key, made);
        made
    }
}
