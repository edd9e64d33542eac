//! Workers: each is a thread with a runtime, an isolate and the same text. The first one binds the
//! socket and starts the others when the program listens.
//!
//! A worker whose isolate broke, that is, in which Rust code panicked, is given a new one: requests
//! of the old one are answered 503, the rest of the process does not notice.

use crate::app::{App, Stop, io_error};
use crate::edge::{Answer, Edge};
use crate::host::{Files, SharedHost};
use crate::http::{Listening, Socket, listen};
use crate::metrics::{Counted, Workers};
use crate::program::Program;
use crate::signals::Signals;
use crate::ticker::Ticker;
use crate::watch::Watches;
use crate::{log, memory};
use std::cell::Cell;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use sx::{Code, Error, RealHost, Source, Times, Value};

/// What all programs of a process share.
pub(crate) struct Process {
    pub app: App,
    pub ticker: Ticker,
    pub stop: Stop,
    pub socket: Socket,
    signals: Mutex<Option<Signals>>,
    /// Handlers that have not ended.
    pub requests: Arc<AtomicUsize>,
    /// Workers, for whoever asks how they are.
    pub workers: Workers,
}

impl Process {
    pub fn new(app: App) -> Result<Process, Error> {
        Ok(Process {
            app,
            ticker: Ticker::start().map_err(|error| io_error(&error))?,
            stop: Stop::new(),
            socket: Socket::default(),
            signals: Mutex::default(),
            requests: Arc::default(),
            workers: Workers::default(),
        })
    }

    /// Signals stop the server from now on.
    pub fn heed_signals(&self) -> std::io::Result<()> {
        let mut signals = self.signals.lock().unwrap_or_else(PoisonError::into_inner);
        if signals.is_none() {
            *signals = Some(Signals::heed(self.stop.clone())?);
        }
        Ok(())
    }
}

/// One program, which several workers may run.
struct Running {
    process: Arc<Process>,
    number: u64,
    source: Arc<Source>,
    /// What it has read so far.
    files: Files,
    /// Has a worker of it listened?
    listens: AtomicBool,
    /// Bytes the heap of each worker may take, once their number is known.
    part: OnceLock<usize>,
    workers: Mutex<Vec<JoinHandle<()>>>,
}

impl Running {
    /// Divides the memory of the process among so many workers; what each has, if there is a limit.
    fn part_of_each(&self, workers: usize) -> Result<Option<usize>, String> {
        let Some(cap) = self.process.app.memory_cap else {
            return Ok(None);
        };
        // While a program takes the place of another one, both are there.
        let programs = if self.process.app.reread.is_some() { 2 } else { 1 };
        let part = memory::part(cap, workers * programs)?;
        Ok(Some(*self.part.get_or_init(|| part)))
    }
}

/// What became of a worker.
enum Outcome {
    Ended(Result<Value, Error>),
    Broke,
}

/// Runs a program and its further workers to their end; the value of the first.
pub(crate) fn run(process: &Arc<Process>, number: u64, source: Arc<Source>) -> Result<Value, Error> {
    run_noting(process, number, source, Files::default())
}

/// The same, noting the files it reads until it listens.
pub(crate) fn run_noting(
    process: &Arc<Process>,
    number: u64,
    source: Arc<Source>,
    files: Files,
) -> Result<Value, Error> {
    let running = Arc::new(Running {
        process: Arc::clone(process),
        number,
        source,
        files,
        listens: AtomicBool::new(false),
        part: OnceLock::new(),
        workers: Mutex::default(),
    });
    let value = work(&running, 1);
    if running.listens.load(Ordering::SeqCst) {
        process.stop.stop_before(number + 1);
    }
    let workers = std::mem::take(&mut *running.workers.lock().unwrap_or_else(PoisonError::into_inner));
    for worker in workers {
        // A worker that panicked has said so.
        let _ = worker.join();
    }
    value
}

/// What a worker does; the first one has number 1.
fn work(running: &Arc<Running>, number: usize) -> Result<Value, Error> {
    let mut is_first = number == 1;
    loop {
        match work_once(running, number, is_first)? {
            Outcome::Ended(result) => return result,
            Outcome::Broke => {
                tracing::error!(target: "sx::worker", worker = number as u64, "a bug broke the isolate; making a new one");
                is_first = false;
            }
        }
    }
}

fn work_once(running: &Arc<Running>, number: usize, is_first: bool) -> Result<Outcome, Error> {
    let process = &running.process;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| io_error(&error))?;
    let host = SharedHost::new(RealHost::default(), running.files.clone());
    let mut isolate = process.app.engine.isolate_on(Box::new(host.clone()))?;
    (process.app.equip)(&mut isolate, number == 1);
    if let Some(bytes) = running.part.get().copied().or(process.app.memory_cap) {
        isolate.limit_memory(bytes);
    }
    let Counted { counts, questions } = process.workers.register(number.to_string());
    let edge = Edge::with_store(process.app.store.clone()).reaching(process.app.reachable.clone());
    let program = Program::new(isolate, edge, &process.ticker, counts);
    let has_listened = special_ops(running, &program, host, number, is_first);
    let local = tokio::task::LocalSet::new();
    let outcome = local.block_on(&runtime, async {
        tokio::task::spawn_local(Rc::clone(&program).answer_questions(questions));
        tokio::select! {
            result = evaluate(running, &program, &has_listened) => match program.is_broken() {
                // A bug met before it serves is met again.
                true if has_listened.get() => Outcome::Broke,
                _ => Outcome::Ended(result),
            },
            () = program.clients_are_told() => Outcome::Broke,
        }
    });
    drop(local);
    if let Outcome::Ended(_) = outcome {
        program.isolate().flush();
    }
    Ok(outcome)
}

/// Evaluates the program; serves its `app` if it has not listened.
async fn evaluate(running: &Running, program: &Rc<Program>, has_listened: &Cell<bool>) -> Result<Value, Error> {
    let source = Arc::clone(&running.source);
    let value = program.finish(program.evaluate(source, Times::UNLIMITED)).await?;
    let port = match running.process.app.port {
        Some(port) if !has_listened.get() => port,
        _ => return Ok(value),
    };
    if program.isolate().get::<Value>("app").is_err() {
        let message = "the program neither calls http-listen nor defines app, a function of requests";
        return Err(Error::new(Code::Undefined, message));
    }
    let source = Source::new("<serve>", format!("(http-listen {port} app)"));
    program.finish(program.evaluate(source, Times::UNLIMITED)).await
}

/// Lets the program use the ops of the server; answers whether it has listened.
fn special_ops(
    running: &Arc<Running>,
    program: &Rc<Program>,
    host: SharedHost,
    number: usize,
    is_first: bool,
) -> Rc<Cell<bool>> {
    let (running, weak) = (Arc::clone(running), Rc::downgrade(program));
    let has_listened = Rc::new(Cell::new(false));
    let listens = Rc::clone(&has_listened);
    let watches = Watches::default();
    program.set_special(Box::new(move |op, arguments| match op {
        "http-listen" => {
            let Some(program) = weak.upgrade() else {
                return Answer::Unknown;
            };
            let listening = Listening {
                process: Arc::clone(&running.process),
                stop: running.process.stop.of(running.number),
                is_first: number == 1,
                has_listened: listens.get(),
            };
            let begins = {
                let (running, host) = (Arc::clone(&running), host.clone());
                let (program, listens) = (Rc::clone(&program), Rc::clone(&listens));
                move |count| {
                    listens.set(true);
                    if let Some(bytes) = running.part_of_each(count + 1)? {
                        program.isolate().limit_memory(bytes);
                    }
                    if let Some(access) = &running.process.app.access {
                        host.set_access(access.clone());
                        program.edge().set_access(access.clone());
                    }
                    start_workers(&running, count)
                }
            };
            Answer::Later(Box::pin(listen(program, listening, arguments.to_vec(), begins)))
        }
        "persist/on-change" => match weak.upgrade() {
            Some(program) => watches.watch(&program, arguments),
            None => Answer::Unknown,
        },
        "http/first-worker?" => Answer::Now(Ok(Value::from(is_first))),
        _ => Answer::Unknown,
    }));
    has_listened
}

/// Starts further workers, when the first one listens for the first time. The programs before this
/// one are done then.
fn start_workers(running: &Arc<Running>, count: usize) -> Result<(), String> {
    if running.listens.swap(true, Ordering::SeqCst) {
        return Ok(());
    }
    running.process.stop.stop_before(running.number);
    let mut workers = running.workers.lock().unwrap_or_else(PoisonError::into_inner);
    for index in 0..count {
        let running = Arc::clone(running);
        let number = index + 2;
        let worker = std::thread::Builder::new()
            .name(format!("sx-worker-{number}"))
            .spawn(move || {
                if let Err(error) = work(&running, number) {
                    log::say(&sx::report(&error, sx::Style::Plain));
                }
            });
        workers.push(worker.map_err(|error| error.to_string())?);
    }
    Ok(())
}
