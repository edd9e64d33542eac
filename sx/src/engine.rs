//! What isolates share: the options they are made with. An `Engine` is cheap to clone and may be
//! used from any thread; each `Isolate` has its own heap.

use crate::error::Error;
use crate::host::{EngineHost, InterruptHandle, Simulation};
use crate::isolate::Isolate;
use sx_runtime::host::{Host, RealHost};

/// Makes isolates.
///
/// ```
/// let mut isolate = sx::Engine::new().isolate()?;
/// isolate.eval("(define (area w h) (* w h))")?;
/// let area: i64 = isolate.call("area", (6i64, 7i64))?;
/// assert_eq!(area, 42);
/// # Ok::<(), sx::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Engine {
    options: Options,
}

/// What every isolate of an engine is made with.
#[derive(Clone, Debug)]
pub struct Options {
    /// Most bytes the heap of an isolate may take.
    pub memory_limit: usize,
    /// What is done more often than it has to be, to find faults.
    pub stress: Stress,
    /// Whether hot functions become machine code.
    pub native: Native,
    /// Which, how early, and who is told.
    pub tuning: Tuning,
}

/// What may be different about machine code, to look for a fault or to measure.
#[derive(Clone, Debug, Default)]
pub struct Tuning {
    /// Calls before a function is compiled, where it is not the usual number.
    pub threshold: Option<u32>,
    /// Names of functions that are never compiled; a `*` stands for any text.
    pub denied: Vec<String>,
    /// Names of the only functions that are compiled, if there are any here.
    pub only: Vec<String>,
    /// Is told of every compile, and of every code that is given up, a line each.
    pub log: Option<fn(&str)>,
    /// Are the instructions that are interpreted counted? It makes interpreting slower.
    pub count: bool,
}

/// When functions become machine code. What a program does never depends on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Native {
    /// Never.
    #[default]
    Off,
    /// When they are hot, on a thread of its own.
    Hot,
    /// Before their first call, on the program's thread: finds faults.
    Sync,
    /// Some time after their first call, in no particular order: finds faults.
    Late,
}

/// The default of `Options::memory_limit`: one gigabyte.
pub const MEMORY_LIMIT: usize = 1 << 30;

/// Modes that find faults by doing rare things always. Programs cannot tell, but for the time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stress {
    /// Collect at every reservation of memory.
    pub collect: bool,
    /// Suspend the machine at every `perform` and resume it from its heap form.
    pub suspend: bool,
    /// Seal the stack into the heap at every call.
    pub seal: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            memory_limit: MEMORY_LIMIT,
            stress: Stress::default(),
            native: Native::Off,
            tuning: Tuning::default(),
        }
    }
}

impl Engine {
    /// An engine with default options.
    pub fn new() -> Engine {
        Engine::default()
    }
    /// An engine with these options.
    pub fn with(options: Options) -> Engine {
        Engine { options }
    }
    /// The options.
    pub fn options(&self) -> &Options {
        &self.options
    }
    /// A fresh isolate on the process's own clock, streams and files.
    pub fn isolate(&self) -> Result<Isolate, Error> {
        self.isolate_on(Box::new(RealHost::default()))
    }
    /// A fresh isolate on a host of the caller's.
    pub fn isolate_on(&self, host: Box<dyn Host>) -> Result<Isolate, Error> {
        let interrupt = InterruptHandle::default();
        Isolate::new(&self.options, EngineHost::own(host, interrupt.clone()), interrupt)
    }
    /// A fresh isolate in a simulated world.
    pub fn isolate_in(&self, simulation: &Simulation) -> Result<Isolate, Error> {
        let interrupt = InterruptHandle::default();
        let host = EngineHost::simulated(simulation.clone(), interrupt.clone());
        Isolate::new(&self.options, host, interrupt)
    }
}
