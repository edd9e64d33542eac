//! A running program: one heap, one machine, its globals. Evaluates texts, calls functions,
//! answers effects.
//!
//! Deliberately absent: raw words and `unsafe`; values cross the border as plain data or handles.
//! Invariant: after an error the isolate is as usable as before; what the program had done by
//! then stays done.

use crate::convert::{Arguments, FromSx, IntoSx};
use crate::engine::{Native, Options};
use crate::error::Error;
use crate::fiber::Clock;
use crate::host::{EngineHost, InterruptHandle};
use crate::transfer::{self, Table};
use crate::value::{Object, Value};
use crate::{failure, image, suggest};
use std::collections::HashMap;
use std::sync::Arc;
#[cfg(feature = "jit")]
use sx_interp::machine::NativeOptions;
use sx_interp::machine::{Exit, Machine, Stress};
use sx_runtime::error::{Code, Raise};
use sx_runtime::heap::{Handle, HeapOptions};
use sx_runtime::host::Stream;
use sx_runtime::print::Style;
use sx_runtime::print::scheme::{Labels, Manner};
use sx_runtime::syntax::Source;
use sx_runtime::value::Value as Inner;
use sx_runtime::value::Word;

/// What services an op.
type Op = Box<dyn FnMut(&[Value]) -> Result<Value, String>>;
/// What sees each effect.
type Observer = Box<dyn FnMut(&str, &[Value])>;

/// The core function that runs an evaluation to its end.
const EVALUATE: &str = "%evaluate";

/// Figures of an isolate, for those who watch it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Bytes in the heap.
    pub heap_bytes: u64,
    /// Most bytes it may take.
    pub heap_limit_bytes: u64,
    /// Collections of young objects.
    pub collections_minor: u64,
    /// Collections of everything.
    pub collections_full: u64,
    /// Time spent collecting.
    pub pause_ns: u64,
    /// The longest collection.
    pub pause_ns_max: u64,
    /// Functions compiled to machine code, some of them again.
    pub compiled: u64,
    /// Bytes of machine code made.
    pub native_bytes: u64,
    /// Instructions compiled.
    pub lowered: u64,
    /// Processor time spent compiling.
    pub compile_ns: u64,
    /// The most processor time in a row that the program's own thread worked for the native tier.
    pub compile_pause_ns_max: u64,
    /// Instructions interpreted, if they are counted (`Tuning::count`).
    pub interpreted: u64,
    /// Times machine code was entered from the interpreter.
    pub entered: u64,
    /// Guards of machine code that failed.
    pub exits: u64,
    /// Answers of the host to programs that may have machine code.
    pub resumed: u64,
    /// Of them those that machine code went on with.
    pub resumed_natively: u64,
}

/// A running program.
///
/// ```
/// use std::collections::BTreeMap;
///
/// let mut isolate = sx::Engine::new().isolate()?;
/// isolate.set("prices", BTreeMap::from([("tea".to_owned(), 3i64), ("bread".to_owned(), 2)]))?;
/// isolate.eval("(define (total names) (reduce + 0 (map (fn (n) (get prices n)) names)))")?;
/// let total: i64 = isolate.call("total", (vec!["tea", "tea", "bread"],))?;
/// assert_eq!(total, 8);
/// let halves: Vec<f64> = isolate.eval_as("(map (fn (n) (/ n 2.0)) (list 1 2 3))")?;
/// assert_eq!(halves, [0.5, 1.0, 1.5]);
/// let error = isolate.eval_as::<i64>("(total (list \"tea\" \"gold\"))").unwrap_err();
/// assert_eq!(error.message, "Expected number, got nil");
/// # Ok::<(), sx::Error>(())
/// ```
pub struct Isolate {
    pub(crate) machine: Machine,
    pub(crate) table: Table,
    ops: HashMap<String, Op>,
    observers: Vec<Observer>,
    interrupt: InterruptHandle,
    pub(crate) clock: Clock,
}

/// What `Native::Late` takes its delays from: the same in every run.
#[cfg(feature = "jit")]
const LATE_SEED: u64 = 0x5eed;

/// Gives the machine a native tier if it is wanted and can be had.
#[cfg(feature = "jit")]
fn native_tier(machine: &mut Machine, options: &Options) {
    let tuning = &options.tuning;
    let mut native = match options.native {
        Native::Off => return,
        Native::Hot => NativeOptions::default(),
        Native::Sync => NativeOptions::SYNC,
        Native::Late => NativeOptions {
            sync: false,
            ..NativeOptions::SYNC
        },
    };
    native.threshold = tuning.threshold.unwrap_or(native.threshold).max(1);
    native.denied.clone_from(&tuning.denied);
    native.only.clone_from(&tuning.only);
    native.log = tuning.log;
    let Some(jit) = sx_jit::Jit::new() else {
        if let (Some(log), Err(absence)) = (native.log, sx_jit::available()) {
            log(&format!("no native code: {}", absence.text()));
        }
        return;
    };
    match options.native {
        Native::Late => machine.set_native(Box::new(sx_jit::Late::new(jit, LATE_SEED)), native),
        _ => machine.set_native(Box::new(jit), native),
    }
}

#[cfg(not(feature = "jit"))]
fn native_tier(_: &mut Machine, _: &Options) {}

impl Isolate {
    pub(crate) fn new(options: &Options, host: EngineHost, interrupt: InterruptHandle) -> Result<Isolate, Error> {
        let stress = options.stress;
        let heap = HeapOptions {
            limit_bytes: options.memory_limit,
            stress: stress.collect,
            poison: stress.collect,
            ..HeapOptions::default()
        };
        let out_of_memory = |_| Error::new(Code::Memory, "memory limit");
        let mut machine = Machine::new(heap, Box::new(host)).map_err(out_of_memory)?;
        image::load(&mut machine)?;
        machine.stress = Stress {
            seal_every_call: stress.seal,
            suspend_every_perform: stress.suspend,
        };
        machine.counting = options.tuning.count;
        native_tier(&mut machine, options);
        interrupt.connect(machine.isolate.state.stack.interrupter());
        Ok(Isolate {
            machine,
            table: Table::default(),
            ops: HashMap::new(),
            observers: Vec::new(),
            interrupt,
            clock: Clock::STOPPED,
        })
    }

    /// Evaluates a text, form by form; the value of the last one.
    pub fn eval(&mut self, text: &str) -> Result<Value, Error> {
        self.eval_source(Source::new("<eval>", text))
    }

    /// Evaluates a text with a name, which errors show.
    pub fn eval_source(&mut self, source: Arc<Source>) -> Result<Value, Error> {
        self.evaluate(source)?;
        Ok(self.table.plain(&self.machine.isolate.heap, self.machine.result()))
    }

    /// Evaluates a text; what the value of its last form prints as (by `inspect`, or by Scheme's
    /// `write` if that is the language of the text).
    pub fn eval_printed(&mut self, source: Arc<Source>) -> Result<String, Error> {
        let is_scheme = source.is_scheme();
        self.evaluate(source)?;
        let (heap, value) = (&self.machine.isolate.heap, self.machine.result());
        if !is_scheme {
            return Ok(heap.print(value, Style::Write));
        }
        let mut text = String::new();
        // A text of the size of the heap's limit is cut off.
        let _ = heap.print_scheme(&mut text, value, Manner::Write(Labels::Cycles), heap.limit());
        Ok(text)
    }

    /// Evaluates a text and converts the value of its last form.
    pub fn eval_as<T: FromSx>(&mut self, text: &str) -> Result<T, Error> {
        Ok(T::from_sx(self.eval(text)?)?)
    }

    /// Calls the function a global holds.
    pub fn call<T: FromSx>(&mut self, name: &str, arguments: impl Arguments) -> Result<T, Error> {
        let Some(callee) = self.machine.isolate.global_handle(name) else {
            return Err(self.undefined(name));
        };
        self.call_with(&|_: &Machine, _: &Table| Some(callee.word()), arguments)
    }

    /// Calls a function the isolate has handed out.
    pub fn call_object<T: FromSx>(&mut self, function: &Object, arguments: impl Arguments) -> Result<T, Error> {
        let callee = |machine: &Machine, table: &Table| {
            let value = table.get(&machine.isolate.heap, function);
            value.map(Inner::word)
        };
        self.call_with(&callee, arguments)
    }

    /// The value of a global.
    pub fn get<T: FromSx>(&mut self, name: &str) -> Result<T, Error> {
        let Some(handle) = self.machine.isolate.global_handle(name) else {
            return Err(self.undefined(name));
        };
        let heap = &self.machine.isolate.heap;
        Ok(T::from_sx(self.table.plain(heap, heap.get(&handle)))?)
    }

    /// What `(command-line)` answers: the program's name and its arguments.
    pub fn set_command_line(&mut self, words: &[String]) {
        self.machine.isolate.prims.arguments = words.to_vec();
    }

    /// Binds a global, as `define` does.
    pub fn set(&mut self, name: &str, value: impl IntoSx) -> Result<(), Error> {
        let values = [value.into_sx()];
        self.make(&values)?;
        let heap = &self.machine.isolate.heap;
        let handle = heap.handle(self.table.make(heap, &values[0]));
        self.machine.isolate.bind(name, &handle);
        Ok(())
    }

    /// Services an op: the answer is the value of the `perform`, an error is raised there.
    ///
    /// ```
    /// use sx::{Engine, Value};
    ///
    /// let mut isolate = Engine::new().isolate()?;
    /// isolate.on("price", |arguments| match arguments[0].as_str() {
    ///     Some("tea") => Ok(Value::from(3i64)),
    ///     _ => Err("we do not sell that".to_owned()),
    /// });
    /// let total = isolate.eval("(reduce + 0 (map (fn (x) (perform (list \"price\" x))) (list \"tea\" \"tea\")))")?;
    /// assert_eq!(total.to_string(), "6");
    /// # Ok::<(), sx::Error>(())
    /// ```
    pub fn on(&mut self, op: &str, service: impl FnMut(&[Value]) -> Result<Value, String> + 'static) {
        self.ops.insert(op.to_owned(), Box::new(service));
    }

    /// Shows every effect that reaches the host, serviced or not, before it is.
    pub fn observe(&mut self, observer: impl FnMut(&str, &[Value]) + 'static) {
        self.observers.push(Box::new(observer));
    }

    /// The names of the tests that `deftest` has kept so far.
    pub fn test_names(&mut self) -> Result<Vec<String>, Error> {
        self.call("%test-names", ())
    }

    /// Runs one of them; a test fails by raising.
    pub fn run_test(&mut self, index: usize) -> Result<(), Error> {
        self.call::<Value>("%call-test", (index as i64,)).map(drop)
    }

    /// What stops the program from outside.
    pub fn interrupt_handle(&self) -> InterruptHandle {
        self.interrupt.clone()
    }

    /// How the isolate is.
    pub fn figures(&self) -> Figures {
        let heap = &self.machine.isolate.heap;
        let (collected, native) = (heap.stats(), self.machine.native_stats().unwrap_or_default());
        Figures {
            heap_bytes: heap.used() as u64,
            heap_limit_bytes: heap.limit() as u64,
            collections_minor: collected.minor,
            collections_full: collected.full,
            pause_ns: collected.pause_ns,
            pause_ns_max: collected.pause_ns_max,
            compiled: native.compiled,
            native_bytes: native.bytes,
            lowered: native.lowered,
            compile_ns: native.nanos,
            compile_pause_ns_max: native.pause,
            interpreted: self.machine.interpreted(),
            entered: native.entered,
            exits: native.exits,
            resumed: native.resumed,
            resumed_natively: native.resumed_natively,
        }
    }

    /// The heap may take at most so many bytes from now on, if that is less than it may already.
    pub fn limit_memory(&mut self, bytes: usize) {
        self.machine.lower_limit(bytes);
    }

    /// Hands buffered output on.
    pub fn flush(&mut self) {
        // An output that cannot be written has nobody left to be told.
        let _ = self.machine.isolate.host.flush(Stream::Out);
    }

    /// Evaluates a text; a handle to the value of its last form.
    pub(crate) fn eval_handle(&mut self, source: Arc<Source>) -> Result<Handle, Error> {
        self.evaluate(source)?;
        Ok(self.machine.isolate.heap.handle(self.machine.result()))
    }

    fn evaluate(&mut self, source: Arc<Source>) -> Result<(), Error> {
        self.start(source)?;
        self.run()
    }

    /// Prepares the evaluation of a text.
    pub(crate) fn start(&mut self, source: Arc<Source>) -> Result<(), Error> {
        self.machine.clear();
        let evaluation = match self.machine.evaluation_of(source) {
            Ok(Ok(word)) => word,
            Ok(Err(wrong)) => return Err(failure::of_text(wrong)),
            Err(raise) => return Err(failure::of_raise(&raise)),
        };
        let Some(evaluate) = self.machine.isolate.global(EVALUATE) else {
            return Err(self.undefined(EVALUATE));
        };
        self.machine.start(evaluate, &[evaluation, Word::NIL]);
        self.interrupt.renew();
        Ok(())
    }

    fn call_with<T: FromSx>(
        &mut self,
        callee: &dyn Fn(&Machine, &Table) -> Option<Word>,
        arguments: impl Arguments,
    ) -> Result<T, Error> {
        self.start_call(callee, arguments)?;
        self.run()?;
        let value = self.table.plain(&self.machine.isolate.heap, self.machine.result());
        Ok(T::from_sx(value)?)
    }

    /// Prepares a call.
    pub(crate) fn start_call(
        &mut self,
        callee: &dyn Fn(&Machine, &Table) -> Option<Word>,
        arguments: impl Arguments,
    ) -> Result<(), Error> {
        let arguments = arguments.into_values();
        // What the last program held is not in the way of this one.
        self.machine.clear();
        self.make(&arguments)?;
        let heap = &self.machine.isolate.heap;
        let words: Vec<Word> = arguments.iter().map(|a| self.table.make(heap, a).word()).collect();
        let callee = callee(&self.machine, &self.table).ok_or_else(transfer::foreign)?;
        self.machine.start(callee, &words);
        self.interrupt.renew();
        Ok(())
    }

    /// Room for values that are about to be made.
    fn make(&mut self, values: &[Value]) -> Result<(), Error> {
        values.iter().try_for_each(|value| self.table.check(value))?;
        let bytes = values.iter().map(transfer::size_of).sum();
        let isolate = &mut self.machine.isolate;
        let reserved = isolate.heap.reserve(bytes, &mut isolate.state);
        reserved.map_err(|_| failure::of_raise(&Raise::Memory))
    }

    /// Runs what was started to its end, answering effects.
    fn run(&mut self) -> Result<(), Error> {
        loop {
            let exit = self.machine.run();
            if self.after(exit)? {
                return Ok(());
            }
        }
    }

    /// Deals with an exit of the machine; true when the run is over.
    pub(crate) fn after(&mut self, exit: Exit) -> Result<bool, Error> {
        match exit {
            Exit::Value(_) => return Ok(true),
            Exit::Perform => self.serve(),
            Exit::Stepped | Exit::Preempted => {}
            Exit::Failed(failure) => return Err(self.explain(failure::of_run(*failure))),
            Exit::Interrupted(failure) => {
                self.interrupt.clear();
                let mut error: Error = failure::of_run(*failure).into();
                error.code = Code::Interrupt;
                return Err(error);
            }
        }
        Ok(false)
    }

    /// Answers the effect the machine has handed out.
    pub(crate) fn serve(&mut self) {
        let (op, arguments) = self.request();
        self.show(&op, &arguments);
        let Some(service) = self.ops.get_mut(&op) else {
            self.machine.refuse_unhandled();
            return;
        };
        let answer = service(&arguments).map_err(|message| Raise::new(Code::User, message));
        self.give(answer);
    }

    /// Shows an effect to the observers.
    pub(crate) fn show(&mut self, op: &str, arguments: &[Value]) {
        self.observers.iter_mut().for_each(|observer| observer(op, arguments));
    }

    /// Does `on` service this op?
    pub(crate) fn is_serviced(&self, op: &str) -> bool {
        self.ops.contains_key(op)
    }

    /// Goes on after a `perform` with its value, or raises there.
    pub(crate) fn give(&mut self, answer: Result<Value, Raise>) {
        let made = answer.and_then(|value| {
            let made = self.make(std::slice::from_ref(&value));
            made.map_err(|error| Raise::new(error.code, error.message.clone()))?;
            Ok(self.table.make(&self.machine.isolate.heap, &value).word())
        });
        match made {
            Ok(word) => self.machine.answer(word),
            Err(raise) => self.machine.refuse(raise),
        }
    }

    pub(crate) fn request(&mut self) -> (String, Vec<Value>) {
        let heap = &self.machine.isolate.heap;
        let (op, arguments) = self.machine.request();
        let op = op.as_str().map_or_else(|| heap.print(op, Style::Write), str::to_owned);
        let arguments = match self.table.plain(heap, arguments) {
            Value::List(items) => items,
            other => vec![other],
        };
        (op, arguments)
    }

    fn undefined(&self, name: &str) -> Error {
        let error = Error::new(Code::Undefined, format!("Undefined symbol: {name}"));
        self.explain(failure::Found {
            error,
            undefined: Some(name.to_owned()),
        })
    }

    /// The error with advice, where there is some.
    fn explain(&self, found: impl Into<failure::Found>) -> Error {
        let failure::Found { mut error, undefined } = found.into();
        if let Some(name) = undefined {
            let names = self.names();
            // `(def x 1)` fails at `x`, but what is wrong is `def`.
            let around = error.span.as_ref().and_then(|span| {
                let head = suggest::head_before(&span.source.text, span.start as usize)?;
                names
                    .iter()
                    .all(|known| known != head)
                    .then(|| suggest::elsewhere(head))?
            });
            error.help = around.or_else(|| suggest::advice(&name, names.iter().map(String::as_str)));
        }
        error
    }
}
