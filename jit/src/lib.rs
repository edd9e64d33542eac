//! The native tier: bytecode and feedback to machine code.
//!
//! A function is cut into pieces (`piece`), each is analysed (`types`) and lowered (`lower`) to
//! Cranelift's form, small callees with it (`inline`), and all of them together are one unit of code (`memory`). What the machine
//! and the code agree on is in `sx_runtime::native`.
//!
//! Deliberately absent: the machine, and any knowledge of when to compile; that is `interp`'s.

mod clock;
mod inline;
mod late;
mod listing;
mod lower;
mod memory;
mod piece;
mod profile;
mod stubs;
mod trial;
mod types;
mod unit;

pub use trial::{Force, Stage, Tally};

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::thread;
use sx_runtime::native::{Bailout, CompileJob, Compiled, Compiler, Explained, Stubs};
use sx_runtime::stack::Interrupter;
use trial::Trial;
use unit::{Answer, Maker};

pub use late::Late;
pub use profile::Profile;

/// What an isolate asks for native code.
pub struct Jit {
    maker: Maker,
    stubs: Stubs,
    asked: Sender<Request>,
    answers: (Sender<Answer>, Receiver<Answer>),
    /// Where the next compile is to fail, given how many there were, if a test wants some to.
    fails: fn(u64) -> Option<Stage>,
    compiles: u64,
    /// When guards are to fail, if a test wants them to.
    guards: Option<(Force, &'static Tally)>,
}

/// A job on its way to the thread that compiles.
struct Request {
    job: CompileJob,
    trial: Trial,
    answer: Sender<Answer>,
    wake: Interrupter,
}

/// The process's compiling thread, and the memory all isolates share.
struct Shared {
    space: Arc<memory::Space>,
    stubs: stubs::Code,
    asked: Sender<Request>,
}

/// Is there a native tier for this machine?
pub const SUPPORTED: bool = cfg!(any(target_arch = "x86_64", target_arch = "aarch64"));

macro_rules! absences {
    ($($Name:ident $text:literal;)*) => {
        /// Why there is no native code in this process.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Absence { $(#[doc = $text] $Name,)* }
        impl Absence {
            /// The reason in words.
            pub fn text(self) -> &'static str {
                match self { $(Absence::$Name => $text,)* }
            }
        }
    };
}

/// What holds for the whole process.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Most bytes of machine code.
    pub memory: usize,
    /// What profilers are told.
    pub profile: Profile,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            memory: 64 << 20,
            profile: Profile::Off,
        }
    }
}

static SETTINGS: OnceLock<Settings> = OnceLock::new();

/// Settles what holds for the whole process. Says false, and changes nothing, if native code has been asked
/// for before.
pub fn configure(settings: Settings) -> bool {
    SETTINGS.set(settings).is_ok()
}

/// Is native code to be had, with these settings and on this machine? If not, why. Asking settles the settings.
pub fn available() -> Result<(), Absence> {
    shared().map(drop)
}

absences! {
    Unsupported "this machine is none that native code can be made for";
    TooLittle "the memory allowed for code does not hold what all code needs";
    Refused "the system does not let code be made";
}

fn shared() -> Result<&'static Shared, Absence> {
    static SHARED: OnceLock<Result<Shared, Absence>> = OnceLock::new();
    SHARED.get_or_init(begin).as_ref().map_err(|absence| *absence)
}

fn begin() -> Result<Shared, Absence> {
    if !SUPPORTED {
        return Err(Absence::Unsupported);
    }
    let settings = SETTINGS.get_or_init(Settings::default);
    profile::begin(settings.profile);
    // `perf` reads its map for memory that belongs to no file.
    let apart = settings.profile == Profile::Map;
    let space = Arc::new(memory::Space::new(settings.memory, apart));
    let mut maker = Maker::new(space.clone()).ok_or(Absence::Unsupported)?;
    let stubs = maker.stubs().map_err(|_| match space.is_full() {
        true => Absence::TooLittle,
        false => Absence::Refused,
    })?;
    let (asked, jobs) = channel::<Request>();
    let work = move || {
        for Request {
            job,
            trial,
            answer,
            wake,
        } in jobs
        {
            let instance = job.instance;
            let made = maker.compile(&job, trial);
            // The isolate may be gone; nobody misses the answer then.
            if answer.send((instance, made)).is_ok() {
                wake.poke();
            }
        }
    };
    let thread = thread::Builder::new().name("sx-jit".into()).spawn(work);
    thread.map_err(|_| Absence::Refused)?;
    Ok(Shared { space, stubs, asked })
}

impl Jit {
    /// A compiler, if this machine can have one.
    pub fn new() -> Option<Jit> {
        let shared = shared().ok()?;
        Some(Jit {
            maker: Maker::new(shared.space.clone())?,
            stubs: shared.stubs.stubs,
            asked: shared.asked.clone(),
            answers: channel(),
            fails: |_| None,
            compiles: 0,
            guards: None,
        })
    }

    /// A compiler for tests, some of whose compiles fail: `fails` is asked before each, with the
    /// number of those before it.
    pub fn failing(mut self, fails: fn(u64) -> Option<Stage>) -> Jit {
        self.fails = fails;
        self
    }

    /// A compiler for tests, in whose code guards fail that would have held; `tally` counts them.
    pub fn forcing(mut self, force: Force, tally: &'static Tally) -> Jit {
        self.guards = Some((force, tally));
        self
    }

    fn next_trial(&mut self) -> Trial {
        self.compiles += 1;
        Trial {
            fails: (self.fails)(self.compiles - 1),
            guards: self.guards,
        }
    }
}

impl Compiler for Jit {
    fn stubs(&self) -> Stubs {
        self.stubs
    }
    fn compile(&mut self, job: CompileJob) -> Result<Compiled, Bailout> {
        let trial = self.next_trial();
        self.maker.compile(&job, trial)
    }
    fn submit(&mut self, job: CompileJob, wake: Interrupter) {
        let answer = self.answers.0.clone();
        let instance = job.instance;
        let trial = self.next_trial();
        let request = Request {
            job,
            trial,
            answer,
            wake,
        };
        if self.asked.send(request).is_err() {
            // Without the thread there is an answer all the same.
            let _ = self.answers.0.send((instance, Err(Bailout::Refused)));
        }
    }
    fn finished(&mut self) -> Vec<Answer> {
        self.answers.1.try_iter().collect()
    }
    fn clock(&self) -> u64 {
        clock::thread_nanoseconds()
    }
    fn explain(&mut self, job: CompileJob) -> Result<Explained, Bailout> {
        self.maker.explain(&job)
    }
}
