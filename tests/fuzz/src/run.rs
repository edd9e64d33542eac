//! Programs on the machine, in every stress mode, and what differs from the oracle.

use crate::watch::Watch;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use sx_interp::forget::defines_data;
use sx_interp::machine::{Exit, Machine, NativeOptions, NativeStats, Stress};
use sx_jit::{Force, Jit, Late, Stage, Tally};
use sx_oracle::{Answer, Edge, Outcome, PROGRAM, TestEdge, place_text};
use sx_runtime::chunk::{Chunk, Const};
use sx_runtime::heap::HeapOptions;
use sx_runtime::host::{Host, HostError, SimulatedHost, Stream};
use sx_runtime::native::Bailout;
use sx_runtime::object::Type;
use sx_runtime::ops::{Instr, OPS};
use sx_runtime::print::Style;
use sx_runtime::syntax::Source;
use sx_runtime::value::{Value, Word};

/// Instructions after which a faulty machine is taken for endless.
const STEPS_MAX: u64 = 1_000_000;
/// Effects no program has.
const EFFECTS_MAX: usize = 100_000;

/// A way of running programs on the machine.
#[derive(Debug)]
pub struct Mode {
    /// What it is called.
    pub name: &'static str,
    /// Does every reservation collect, and is what moved poisoned?
    collect: bool,
    /// What the machine does more often than it has to.
    stress: Stress,
    /// At which call a function is compiled, and at which turn a loop is, if they are.
    native: Option<u16>,
    /// Does code come some time after it was asked for, in another order?
    late: bool,
    /// Which compiles fail, by their number, and where.
    fails: Option<fn(u64) -> Option<Stage>>,
    /// When guards fail that would have held.
    guards: Option<Force>,
}

const PLAIN: Mode = Mode {
    name: "plain",
    collect: false,
    stress: Stress {
        seal_every_call: false,
        suspend_every_perform: false,
    },
    native: None,
    late: false,
    fails: None,
    guards: None,
};
const JIT: Mode = Mode {
    name: "jit-sync",
    native: Some(1),
    ..PLAIN
};
/// Compiled when there is feedback, so that there is code for floats, views and the like.
const WARM: Mode = Mode {
    name: "jit-warm",
    native: Some(3),
    ..PLAIN
};
const SUSPEND: Stress = Stress {
    suspend_every_perform: true,
    ..PLAIN.stress
};
const SEAL: Stress = Stress {
    seal_every_call: true,
    ..PLAIN.stress
};
const EVERYTHING: Stress = Stress {
    suspend_every_perform: true,
    seal_every_call: true,
};

/// Every mode. A new one is a row here; the command, the coverage tables and the search for
/// planted faults go through this table.
#[rustfmt::skip]
pub static MODES: &[Mode] = &[
    PLAIN,
    Mode { name: "collect", collect: true, ..PLAIN },
    Mode { name: "suspend", stress: SUSPEND, ..PLAIN },
    Mode { name: "seal", stress: SEAL, ..PLAIN },
    Mode { name: "all", collect: true, stress: EVERYTHING, ..PLAIN },
    JIT,
    Mode { name: "jit-sync+gc-stress", collect: true, ..JIT },
    Mode { name: "jit-sync+suspend", stress: SUSPEND, ..JIT },
    Mode { name: "jit-sync+seal", stress: SEAL, ..JIT },
    WARM,
    Mode { name: "jit-warm+all", collect: true, stress: EVERYTHING, ..WARM },
    Mode { name: "jit-warm+guards-once", guards: Some(Force::Once), ..WARM },
    Mode { name: "jit-sync+guards-always", guards: Some(Force::Always), ..JIT },
    Mode { name: "jit-late", late: true, ..JIT },
    Mode { name: "jit-fails", fails: Some(every_other), ..JIT },
];

/// Guards in code that has gone, and those that failed on purpose.
pub static GUARDS: Tally = Tally::new();

/// What delays are taken from.
const LATE_SEED: u64 = 0x5eed;

/// Every other compile fails, at one stage after another.
fn every_other(n: u64) -> Option<Stage> {
    (n % 2 == 1).then(|| Stage::ALL[n as usize / 2 % Stage::ALL.len()])
}

impl Mode {
    /// Native code from the first call on, and compiles fail as `fails` says.
    pub const fn failing(fails: fn(u64) -> Option<Stage>) -> Mode {
        Mode {
            name: "failing",
            fails: Some(fails),
            ..JIT
        }
    }
    /// Does it run native code?
    pub fn is_native(&self) -> bool {
        self.native.is_some()
    }
    fn heap(&self) -> HeapOptions {
        HeapOptions {
            stress: self.collect,
            poison: self.collect,
            nursery_bytes: 256 << 10,
            limit_bytes: 1 << 30,
            ..HeapOptions::default()
        }
    }
    fn machine(&self, host: &Shared) -> Result<Machine, String> {
        let mut machine = Machine::new(self.heap(), Box::new(host.clone())).map_err(|_| "no memory")?;
        machine.stress = self.stress;
        // Elsewhere these modes are the machine's, as they are for everyone.
        if sx_jit::SUPPORTED
            && let Some(calls) = self.native
        {
            let jit = Jit::new().ok_or("no native code on this machine")?;
            let jit = jit.failing(self.fails.unwrap_or(|_| None));
            let jit = match self.guards {
                Some(force) => jit.forcing(force, &GUARDS),
                None => jit,
            };
            let options = NativeOptions {
                threshold: calls.into(),
                loop_threshold: calls,
                sync: !self.late,
                ..NativeOptions::SYNC
            };
            match self.late {
                true => machine.set_native(Box::new(Late::new(jit, LATE_SEED)), options),
                false => machine.set_native(Box::new(jit), options),
            }
        }
        Ok(machine)
    }
}

/// What a run on the machine showed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// What can be seen from outside; the place of an error is the only one.
    pub outcome: Outcome,
    /// Instructions of functions that were called, by name.
    pub ops: BTreeMap<&'static str, u64>,
    /// Minor and full collections.
    pub collections: (u64, u64),
}

/// The core library, compiled once.
pub struct Library {
    chunks: Rc<[Arc<Chunk>]>,
}

/// A machine that runs one program after another, each as if it were the first.
pub struct Runner {
    library: Rc<[Arc<Chunk>]>,
    machine: Machine,
    host: Shared,
    /// Collections before the program.
    collections: (u64, u64),
    /// Compiles fail on purpose.
    may_refuse: bool,
    /// Programs run as native code.
    is_native: bool,
}

/// A host that the runner keeps looking into, and whether its machine is to stop.
#[derive(Clone)]
struct Shared(Rc<RefCell<SimulatedHost>>, Arc<AtomicBool>);

impl Shared {
    fn new() -> Shared {
        Shared(Rc::new(RefCell::new(SimulatedHost::new(1))), Arc::default())
    }
}

impl Host for Shared {
    fn now_ms(&mut self) -> i64 {
        self.0.borrow_mut().now_ms()
    }
    fn monotonic_ns(&mut self) -> u64 {
        self.0.borrow_mut().monotonic_ns()
    }
    fn random_u64(&mut self) -> u64 {
        self.0.borrow_mut().random_u64()
    }
    fn random_bytes(&mut self, out: &mut [u8]) -> Result<(), HostError> {
        self.0.borrow_mut().random_bytes(out)
    }
    fn write(&mut self, stream: Stream, text: &str) -> Result<(), HostError> {
        self.0.borrow_mut().write(stream, text)
    }
    fn flush(&mut self, stream: Stream) -> Result<(), HostError> {
        self.0.borrow_mut().flush(stream)
    }
    fn read_line(&mut self, stops: &dyn Fn() -> bool) -> Result<Option<String>, HostError> {
        self.0.borrow_mut().read_line(stops)
    }
    fn read_file(&mut self, path: &str) -> Result<Vec<u8>, HostError> {
        self.0.borrow_mut().read_file(path)
    }
    fn file_exists(&mut self, path: &str) -> bool {
        self.0.borrow_mut().file_exists(path)
    }
    fn write_file(&mut self, path: &str, bytes: &[u8]) -> Result<(), HostError> {
        self.0.borrow_mut().write_file(path, bytes)
    }
    fn delete_file(&mut self, path: &str) -> Result<(), HostError> {
        self.0.borrow_mut().delete_file(path)
    }
    fn interrupted(&self) -> bool {
        self.1.load(Ordering::Relaxed)
    }
    fn variables(&mut self) -> Vec<(String, String)> {
        self.0.borrow_mut().variables()
    }
    fn environment(&mut self, name: &str) -> Option<String> {
        self.0.borrow_mut().environment(name)
    }
}

impl Library {
    /// Compiles the core library.
    pub fn new() -> Result<Library, String> {
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../../lib/core");
        let mut paths = vec![];
        for entry in std::fs::read_dir(directory).map_err(|e| format!("lib/core: {e}"))? {
            paths.push(entry.map_err(|e| format!("lib/core: {e}"))?.path());
        }
        paths.retain(|path| path.extension().is_some_and(|e| e == "sx"));
        paths.sort();
        let mut sources = vec![];
        for path in paths {
            let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
            sources.push(Source::new(
                format!("lib/core/{}", path.file_name().unwrap_or_default().display()),
                text,
            ));
        }
        let chunks = PLAIN
            .machine(&Shared::new())?
            .load_core(&sources)
            .map_err(|e| format!("{e:?}"))?;
        Ok(Library { chunks: chunks.into() })
    }

    /// A machine for a mode that has only the library.
    pub fn runner(&self, mode: &Mode) -> Result<Runner, String> {
        let host = Shared::new();
        let mut machine = mode.machine(&host)?;
        machine.load_image(&self.chunks).map_err(|e| format!("{e:?}"))?;
        only_functions_but_of(&machine, &self.chunks)?;
        Ok(Runner {
            library: self.chunks.clone(),
            machine,
            host,
            collections: (0, 0),
            may_refuse: mode.fails.is_some(),
            is_native: mode.is_native(),
        })
    }
}

/// Forgetting a program defines the library's data anew: nothing but functions may be defined by
/// its other forms.
fn only_functions_but_of(machine: &Machine, chunks: &[Arc<Chunk>]) -> Result<(), String> {
    let functions = chunks.iter().filter(|chunk| !defines_data(chunk));
    for name in functions.flat_map(|chunk| &chunk.consts) {
        if let Const::Global(name) = name
            && let Some(handle) = machine.isolate.global_handle(name)
            && !machine.isolate.heap.get(&handle).is(Type::Closure)
        {
            return Err(format!("{name}: data of the library that would not be forgotten"));
        }
    }
    Ok(())
}

impl Runner {
    /// Runs a program. A machine that is faulty on purpose may take it for endless, so it is
    /// stopped after a while if `bounded`.
    pub fn run(&mut self, text: &str, bounded: bool) -> Result<Shown, String> {
        let mut shown = Shown::default();
        // A machine that counts its steps runs no native code.
        let watch = (bounded && self.is_native).then(|| {
            let interrupter = self.machine.isolate.state.stack.interrupter();
            Watch::begin(interrupter, self.host.1.clone())
        });
        let watch = watch.transpose().map_err(|e| e.to_string())?;
        let counted = bounded && watch.is_none();
        run_program(&mut self.machine, text, counted, &mut shown.outcome)?;
        drop(watch);
        let mut host = self.host.0.borrow_mut();
        shown.outcome.output = std::mem::take(&mut host.out);
        shown.outcome.error_output = std::mem::take(&mut host.err);
        let (minor, full) = collections(&self.machine);
        shown.collections = (minor - self.collections.0, full - self.collections.1);
        shown.ops = count_ops(&self.machine);
        if !self.may_refuse
            && let Some(refused) = refused(&self.machine).next()
        {
            return Err(format!("native code was refused: {refused}"));
        }
        Ok(shown)
    }

    /// Functions that have no native code because a compile failed, by name.
    pub fn refused(&self) -> Vec<String> {
        refused(&self.machine).collect()
    }
    /// What the native tier has done.
    pub fn native_stats(&self) -> Option<NativeStats> {
        self.machine.native_stats()
    }

    /// Forgets the program that ran.
    pub fn forget(&mut self) -> Result<(), String> {
        *self.host.0.borrow_mut() = SimulatedHost::new(1);
        let machine = &mut self.machine;
        machine.forget_program(&self.library).map_err(|e| format!("{e:?}"))?;
        machine
            .isolate
            .state
            .instances()
            .for_each(|instance| instance.calls.set(0));
        self.collections = collections(machine);
        Ok(())
    }
}

/// Functions that a compiler would not take, too large ones left out.
fn refused(machine: &Machine) -> impl Iterator<Item = String> {
    machine.isolate.state.instances().filter_map(|instance| {
        let why = instance.native.borrow().refused;
        why.filter(|why| *why != Bailout::TooLarge)
            .map(|why| format!("{:?}, {why:?}", instance.chunk.name))
    })
}

fn collections(machine: &Machine) -> (u64, u64) {
    let stats = machine.isolate.heap.stats();
    (stats.minor, stats.full)
}

fn run_program(machine: &mut Machine, text: &str, counted: bool, shown: &mut Outcome) -> Result<(), String> {
    let start = machine
        .evaluation_of(Source::new(PROGRAM, text))
        .map_err(|e| format!("{e:?}"))?;
    let Ok(start) = start else {
        return Err("the program cannot be read".into());
    };
    let evaluate = machine.isolate.global("%evaluate").ok_or("no %evaluate")?;
    machine.start(evaluate, &[start, Word::NIL]);
    let mut edge = TestEdge::default();
    loop {
        let exit = if counted {
            machine.run_steps(STEPS_MAX)
        } else {
            machine.run()
        };
        match exit {
            Exit::Value(_) => {
                shown.value = Some(machine.isolate.heap.print(machine.result(), Style::Write));
                return Ok(());
            }
            Exit::Failed(failure) => {
                shown.error = Some(failure.message.clone());
                shown.places = failure.span.as_ref().map(place_text).into_iter().collect();
                return Ok(());
            }
            Exit::Perform if shown.effects.len() > EFFECTS_MAX => return Err("no end of effects".into()),
            Exit::Perform => perform(machine, &mut edge, shown),
            Exit::Interrupted(_) | Exit::Stepped | Exit::Preempted => return Err("the machine stopped".into()),
        }
    }
}

fn perform(machine: &mut Machine, edge: &mut TestEdge, shown: &mut Outcome) {
    let (op, args) = machine.request();
    let op = op.as_name().unwrap_or_default().to_owned();
    let args: Vec<Value<'_>> = args.items().collect();
    let heap = &machine.isolate.heap;
    let printed: String = args
        .iter()
        .map(|arg| format!(" {}", heap.print(*arg, Style::Write)))
        .collect();
    shown.effects.push(format!("{op}{printed}"));
    match edge.perform(&op, args.len()) {
        Answer::Argument(i) => {
            let answer = args.get(i).map_or(Word::NIL, |arg| arg.word());
            machine.answer(answer);
        }
        Answer::Integer(i) => machine.answer(Word::fixnum(i)),
        Answer::Unhandled => machine.refuse_unhandled(),
    }
}

fn count_ops(machine: &Machine) -> BTreeMap<&'static str, u64> {
    let mut counts = [0; 1 + u8::MAX as usize];
    for instance in machine.isolate.state.instances().filter(|i| i.calls.get() > 0) {
        for word in instance.code() {
            counts[Instr(*word).op().map_or(u8::MAX, |op| op as u8) as usize] += 1;
        }
    }
    let counted = OPS.iter().zip(counts).filter(|(_, n)| *n > 0);
    counted.map(|(op, n)| (op.name, n)).collect()
}

/// What differs between the oracle's outcome and what the machine showed, as text for people.
///
/// Data that is evaluated has the place of whoever evaluated it, and after a tail call that is not
/// one place for sure: such programs do without.
pub fn differences(text: &str, oracle: &Outcome, machine: &Outcome) -> Vec<String> {
    let mut found = vec![];
    compare("value", &oracle.value, &machine.value, &mut found);
    compare("error", &oracle.error, &machine.error, &mut found);
    compare("output", &oracle.output, &machine.output, &mut found);
    compare("error output", &oracle.error_output, &machine.error_output, &mut found);
    compare("effects", &oracle.effects, &machine.effects, &mut found);
    if found.is_empty()
        && oracle.error.is_some()
        && !text.contains("eval-expr")
        && !machine
            .places
            .first()
            .is_some_and(|place| oracle.places.contains(place))
    {
        compare("place", &oracle.places, &machine.places, &mut found);
    }
    found
}

fn compare(what: &str, oracle: &impl std::fmt::Debug, machine: &impl std::fmt::Debug, found: &mut Vec<String>) {
    let (oracle, machine) = (format!("{oracle:?}"), format!("{machine:?}"));
    if oracle != machine {
        found.push(format!("{what}\n  oracle  {oracle}\n  machine {machine}"));
    }
}
