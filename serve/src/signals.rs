//! Signals: a process that serves stops when it is asked to end, whatever its workers do.
//!
//! A thread of its own waits for them, so no worker that breaks or is busy takes them along.

use crate::app::Stop;
use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

/// Signals are heeded while it lives.
pub(crate) struct Signals {
    /// The thread ends with it.
    _alive: oneshot::Sender<()>,
}

impl Signals {
    /// Stops the server, from now on, when the process gets SIGTERM or Ctrl-C.
    pub fn heed(stop: Stop) -> io::Result<Signals> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let (term, int) = {
            let _entered = runtime.enter();
            (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?)
        };
        let (_alive, dropped) = oneshot::channel();
        std::thread::Builder::new()
            .name("sx-signals".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        () = obey(&stop, term, int) => {}
                        _ = dropped => {}
                    }
                });
            })?;
        Ok(Signals { _alive })
    }
}

async fn obey(stop: &Stop, mut term: Signal, mut int: Signal) {
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
    stop.stop();
    // Whoever asks twice does not want to wait.
    int.recv().await;
    std::process::exit(130);
}
