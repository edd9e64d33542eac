//! Reloading: when a file has changed that the program has read, the program is read and run anew
//! beside the old one, on the same socket. Once the new one listens the old one stops: requests under
//! way are finished, and none is refused in between. A program that fails is reported, and the old one
//! goes on.
//!
//! Deliberately absent: notification by the system. A few dozen files are looked at a few times a
//! second, which works on every file system.

use crate::app::Reread;
use crate::host::Files;
use crate::log;
use crate::worker::{Process, run_noting};
use std::sync::Arc;
use std::time::Duration;
use sx::{Error, Source, Value};
use tokio::sync::mpsc;

/// Between two looks.
const PERIOD: Duration = Duration::from_millis(250);

/// Programs that run.
struct Programs<'p> {
    process: &'p Arc<Process>,
    ended: mpsc::UnboundedSender<(u64, Result<Value, Error>)>,
    newest: u64,
    files: Files,
}

/// Runs the program, and again when it has changed, until the process is to stop; the value of the
/// newest one.
pub(crate) fn run(process: &Arc<Process>, reread: &Reread) -> Result<Value, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| crate::app::io_error(&error))?;
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, watch(process, reread))
}

async fn watch(process: &Arc<Process>, reread: &Reread) -> Result<Value, Error> {
    process.heed_signals().map_err(|error| crate::app::io_error(&error))?;
    let (ended, mut ends) = mpsc::unbounded_channel();
    let mut programs = Programs {
        process,
        ended,
        newest: 0,
        files: Files::default(),
    };
    programs.watch_anew();
    programs.start(Arc::clone(&process.app.source))?;
    let mut running = 1;
    loop {
        tokio::select! {
            Some((number, result)) = ends.recv() => {
                running -= 1;
                let is_newest = number == programs.newest;
                if is_newest && running == 0 && (process.stop.is_stopped() || result.is_ok()) {
                    return result;
                }
                if let Err(error) = result {
                    log::say(&sx::report(&error, sx::Style::Plain));
                }
                if running == 0 && process.stop.is_stopped() {
                    return Ok(Value::Nil);
                }
            }
            () = tokio::time::sleep(PERIOD) => {
                if running == 0 && process.stop.is_stopped() {
                    return Ok(Value::Nil);
                }
                if process.stop.is_stopped() || !programs.files.have_changed() {
                    continue;
                }
                programs.watch_anew();
                match reread() {
                    Ok(source) => {
                        tracing::warn!(target: "sx::reload", "a file has changed");
                        programs.newest += 1;
                        programs.start(source)?;
                        running += 1;
                    }
                    Err(message) => log::say(&format!("{message}\n")),
                }
            }
        }
    }
}

impl Programs<'_> {
    /// What is read from now on is what is looked at: the text first of all, as it is before it is read.
    fn watch_anew(&mut self) {
        self.files = Files::default();
        self.files.note(&self.process.app.source.name);
    }

    /// Runs a program on a thread of its own.
    fn start(&mut self, source: Arc<Source>) -> Result<(), Error> {
        let (process, number) = (Arc::clone(self.process), self.newest);
        let (files, ended) = (self.files.clone(), self.ended.clone());
        let thread = std::thread::Builder::new().name(format!("sx-program-{number}"));
        let started = thread.spawn(move || {
            let result = run_noting(&process, number, source, files);
            // The other end goes last of all.
            let _ = ended.send((number, result));
        });
        started.map(drop).map_err(|error| crate::app::io_error(&error))
    }
}
