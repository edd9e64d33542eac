//! The configurations an engine offers: the interpreter as programs run on it, and its stress
//! modes. Each case gets a fresh isolate in a simulated world.
//!
//! Invariant: a case ends. One that runs past its limit is interrupted; one that then still runs
//! ends the process with its name, since a thread cannot be stopped from outside.

use super::{Case, Configuration, Outcome};
use crate::{Engine, Error, InterruptHandle, Isolate, Native, Options, Simulation, Source, Stress, Value};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// The name cases have as source texts; it is cut off the places in messages.
const SOURCE: &str = "<case>";
/// How long an interrupted case may take to notice.
const GRACE: Duration = Duration::from_secs(30);
/// The variable that multiplies time limits.
const SLOWDOWN: &str = "SX_TEST_SLOWDOWN";

/// How a configuration makes an isolate: name, stress, native code.
type Mode = (&'static str, Stress, Native);

/// The configurations by name, the plain one first.
const MODES: &[Mode] = &[
    ("interp", PLAIN, Native::Off),
    ("interp+gc-stress", Stress { collect: true, ..PLAIN }, Native::Off),
    ("interp+suspend", Stress { suspend: true, ..PLAIN }, Native::Off),
    ("interp+seal", Stress { seal: true, ..PLAIN }, Native::Off),
    ("jit-sync", PLAIN, Native::Sync),
    ("jit-sync+gc-stress", Stress { collect: true, ..PLAIN }, Native::Sync),
    ("jit-sync+suspend", Stress { suspend: true, ..PLAIN }, Native::Sync),
    ("jit-sync+seal", Stress { seal: true, ..PLAIN }, Native::Sync),
    ("jit-late", PLAIN, Native::Late),
];

const PLAIN: Stress = Stress {
    collect: false,
    suspend: false,
    seal: false,
};

/// Every configuration of the engine, the plain one first.
pub fn engine_configurations() -> Vec<Arc<dyn Configuration>> {
    let configuration = |&(name, stress, native): &Mode| -> Arc<dyn Configuration> {
        Arc::new(EngineConfiguration { name, stress, native })
    };
    MODES.iter().map(configuration).collect()
}

/// How the configuration of that name makes an isolate.
pub fn mode_of(name: &str) -> Option<(Stress, Native)> {
    let row = MODES.iter().find(|(mode, ..)| *mode == name);
    row.map(|(_, stress, native)| (*stress, *native))
}

/// The engine in one mode.
struct EngineConfiguration {
    name: &'static str,
    stress: Stress,
    native: Native,
}

impl Configuration for EngineConfiguration {
    fn name(&self) -> &str {
        self.name
    }

    fn run(&self, case: &Case) -> Result<Outcome, String> {
        let simulation = Simulation::new(1);
        let isolate = self.start(case.memory_limit, &simulation);
        let mut isolate = isolate.map_err(|e| e.to_string())?;
        let effects = serve_test_ops(&mut isolate);
        let limit = case.time_limit * slowdown();
        let handle = isolate.interrupt_handle();
        let source = Source::in_language(case.language, SOURCE, case.code.as_str());
        let result = within(limit, &handle, &case.name, || isolate.eval_printed(source));
        if let Err(error) = &result
            && error.is_interrupt()
        {
            return Err(format!("still running after {} s", limit.as_secs()));
        }
        Ok(outcome(result, &simulation, effects.take()))
    }

    fn isolate(&self, memory_limit: usize, world: &Simulation) -> Option<Result<Isolate, Error>> {
        Some(self.start(memory_limit, world))
    }
}

impl EngineConfiguration {
    fn start(&self, memory_limit: usize, world: &Simulation) -> Result<Isolate, Error> {
        let options = Options {
            memory_limit,
            stress: self.stress,
            native: self.native,
            ..Options::default()
        };
        Engine::with(options).isolate_in(world)
    }
}

/// Answers the ops of text cases and keeps a log of every effect that arrives.
pub(super) fn serve_test_ops(isolate: &mut Isolate) -> Rc<RefCell<Vec<String>>> {
    isolate.on("test/echo", |arguments| {
        Ok(arguments.first().cloned().unwrap_or(Value::Nil))
    });
    let mut count = 0i64;
    isolate.on("test/counter", move |_| {
        count += 1;
        Ok(Value::from(count - 1))
    });
    let effects = Rc::new(RefCell::new(Vec::new()));
    let log = Rc::clone(&effects);
    isolate.observe(move |op, arguments| {
        let words: Vec<String> = std::iter::once(op.to_owned())
            .chain(arguments.iter().map(Value::to_string))
            .collect();
        log.borrow_mut().push(words.join(" "));
    });
    effects
}

/// Runs `work`, interrupting it when it takes longer than `limit`.
pub(super) fn within<T>(limit: Duration, handle: &InterruptHandle, name: &str, work: impl FnOnce() -> T) -> T {
    let (done, watch) = channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            if watch.recv_timeout(limit) != Err(RecvTimeoutError::Timeout) {
                return;
            }
            handle.interrupt();
            if watch.recv_timeout(GRACE) == Err(RecvTimeoutError::Timeout) {
                eprintln!("case `{name}` runs past its limit and does not notice interrupts");
                std::process::abort();
            }
        });
        let result = work();
        drop(done);
        result
    })
}

pub(super) fn slowdown() -> u32 {
    static FACTOR: OnceLock<u32> = OnceLock::new();
    let read = || std::env::var(SLOWDOWN).ok()?.parse().ok();
    *FACTOR.get_or_init(|| read().unwrap_or(1).max(1))
}

fn outcome(result: Result<String, Error>, simulation: &Simulation, effects: Vec<String>) -> Outcome {
    let mut outcome = Outcome {
        output: simulation.take_output(),
        error_output: simulation.take_error_output(),
        effects,
        ..Outcome::default()
    };
    match result {
        Ok(value) => outcome.value = Some(value),
        Err(error) => {
            outcome.place = error.span.as_ref().map(|span| unnamed(&span.place()));
            let messages = std::iter::once(&error).chain(&error.more).map(|e| unnamed(&e.message));
            outcome.error = Some(messages.collect::<Vec<_>>().join("\n"));
        }
    }
    outcome
}

/// The text with places in the case shown as `line:col`.
fn unnamed(text: &str) -> String {
    text.replace(&format!("{SOURCE}:"), "")
}
