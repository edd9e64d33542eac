//! Running a program that may serve: its text is evaluated like any other; when it calls
//! `http-listen`, this process answers requests until it is told to stop.
//!
//! Each worker is a thread with a runtime, an isolate and the same text. The first one owns the
//! socket and the signals.

use crate::edge::{Answer, Edge};
use crate::host::SharedHost;
use crate::http::{Limits, Listening, listen};
use crate::program::Program;
use crate::ticker::Ticker;
use crate::watch::Watches;
use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use sx::{Access, Code, Engine, Error, Isolate, RealHost, Source, Times, Value};
use sx_store::Store;
use tokio::sync::watch;

/// What is done to the isolate of a worker before it runs; is it the first worker's?
pub type Equip = Box<dyn Fn(&mut Isolate, bool) + Send + Sync>;

/// What a program is run with.
pub struct App {
    /// Makes the isolates of the workers.
    pub engine: Engine,
    /// Equips the isolate of a worker; the first worker's is told so.
    pub equip: Equip,
    /// Which files the program may touch once it listens, if not all.
    pub access: Option<Access>,
    /// The store of the process.
    pub store: Option<Arc<dyn Store>>,
    /// The program.
    pub source: Arc<Source>,
    /// Serve the function `app` on this port if the program itself does not listen.
    pub port: Option<u16>,
    /// The address to listen at.
    pub host: String,
    /// Limits the program may change.
    pub limits: Limits,
    /// Workers, whatever the program asks for.
    pub workers: Option<usize>,
    /// Told where the server listens.
    pub bound: Box<dyn Fn(SocketAddr) + Send + Sync>,
}

/// Stops a server, from any thread.
#[derive(Clone)]
pub struct Stop(watch::Sender<bool>);

impl Stop {
    /// Accept no more, finish what is under way, end.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

/// A process of workers.
struct Process {
    app: App,
    listening: Arc<Listening>,
    ticker: Ticker,
    workers: Mutex<Vec<JoinHandle<()>>>,
}

/// A program that is about to run.
pub struct Prepared(Arc<Process>);

impl App {
    /// Prepares to run it.
    pub fn prepare(mut self) -> Result<Prepared, Error> {
        let ticker = Ticker::start().map_err(|error| io_error(&error))?;
        let bound = std::mem::replace(&mut self.bound, Box::new(|_| {}));
        let listening = Arc::new(Listening {
            host: self.host.clone(),
            socket: OnceLock::new(),
            stop: watch::Sender::new(false),
            requests: Arc::default(),
            limits: self.limits,
            workers: self.workers,
            bound,
        });
        Ok(Prepared(Arc::new(Process {
            app: self,
            listening,
            ticker,
            workers: Mutex::default(),
        })))
    }
}

impl Prepared {
    /// What stops it.
    pub fn stop(&self) -> Stop {
        Stop(self.0.listening.stop.clone())
    }

    /// Runs the program to its end; its value.
    pub fn run(self) -> Result<Value, Error> {
        let value = work(&self.0, true);
        self.0.listening.stop.send_replace(true);
        let workers = std::mem::take(&mut *self.0.workers.lock().unwrap_or_else(PoisonError::into_inner));
        for worker in workers {
            // A worker that panicked has said so.
            let _ = worker.join();
        }
        value
    }
}

fn io_error(error: &std::io::Error) -> Error {
    Error::new(Code::Io, error.to_string())
}

/// What a worker does.
fn work(process: &Arc<Process>, is_first: bool) -> Result<Value, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| io_error(&error))?;
    let host = SharedHost::new(RealHost::default());
    let mut isolate = process.app.engine.isolate_on(Box::new(host.clone()))?;
    (process.app.equip)(&mut isolate, is_first);
    let program = Program::new(isolate, Edge::with_store(process.app.store.clone()), &process.ticker);
    let has_listened = special_ops(process, &program, host, is_first);
    let local = tokio::task::LocalSet::new();
    let result = local.block_on(&runtime, async {
        let source = Arc::clone(&process.app.source);
        let value = program.finish(program.evaluate(source, Times::UNLIMITED)).await?;
        match process.app.port {
            Some(port) if !has_listened.get() => {
                if program.isolate().get::<Value>("app").is_err() {
                    let message = "the program neither calls http-listen nor defines app, a function of requests";
                    return Err(Error::new(Code::Undefined, message));
                }
                let text = format!("(http-listen {port} app)");
                program
                    .finish(program.evaluate(Source::new("<serve>", text), Times::UNLIMITED))
                    .await
            }
            _ => Ok(value),
        }
    });
    program.isolate().flush();
    result
}

/// Lets the program use the ops of the server; answers whether it has listened.
fn special_ops(process: &Arc<Process>, program: &Rc<Program>, host: SharedHost, is_first: bool) -> Rc<Cell<bool>> {
    let (process, weak) = (Arc::clone(process), Rc::downgrade(program));
    let has_listened = Rc::new(Cell::new(false));
    let listens = Rc::clone(&has_listened);
    let watches = Watches::default();
    program.set_special(Box::new(move |op, arguments| match op {
        "http-listen" => {
            let Some(program) = weak.upgrade() else {
                return Answer::Unknown;
            };
            listens.set(true);
            if let Some(access) = &process.app.access {
                host.set_access(access.clone());
                program.edge().set_access(access.clone());
            }
            let more = {
                let process = Arc::clone(&process);
                move |count| {
                    tokio::task::spawn_local(stop_on_signals(process.listening.stop.clone()));
                    start_workers(&process, count)
                }
            };
            let listening = Arc::clone(&process.listening);
            Answer::Later(Box::pin(listen(program, listening, arguments.to_vec(), is_first, more)))
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

fn start_workers(process: &Arc<Process>, count: usize) -> Result<(), String> {
    let mut workers = process.workers.lock().unwrap_or_else(PoisonError::into_inner);
    for index in 0..count {
        let process = Arc::clone(process);
        let name = format!("sx-worker-{}", index + 2);
        let worker = std::thread::Builder::new().name(name).spawn(move || {
            if let Err(error) = work(&process, false) {
                eprint!("{}", sx::report(&error, sx::Style::Plain));
            }
        });
        workers.push(worker.map_err(|error| error.to_string())?);
    }
    Ok(())
}

/// Stops the server when the process is asked to end.
async fn stop_on_signals(stop: watch::Sender<bool>) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut term), Ok(mut int)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else {
        return;
    };
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
    stop.send_replace(true);
    // Whoever asks twice does not want to wait.
    int.recv().await;
    std::process::exit(130);
}
