//! A bound on programs that a planted fault may have made endless. The interpreter counts its
//! steps; native code is stopped by the clock. Where it does not even look around when asked, the
//! process ends, which is a way of being found.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;
use sx_runtime::stack::Interrupter;

/// How long a program may take, and after that, how long it may take to stop.
const PATIENCE: Duration = Duration::from_secs(10);
/// What the process ends with where a program does not stop.
const ENDLESS: i32 = 3;

/// Watches one run, until it is dropped.
pub struct Watch {
    _over: Sender<()>,
}

impl Watch {
    /// From now on. `stop` is what the machine's host answers when it is asked whether to stop.
    pub fn begin(machine: Interrupter, stop: Arc<AtomicBool>) -> std::io::Result<Watch> {
        let (over, ends) = channel::<()>();
        stop.store(false, Ordering::Relaxed);
        let wait = move || {
            let late = || matches!(ends.recv_timeout(PATIENCE), Err(RecvTimeoutError::Timeout));
            if !late() {
                return;
            }
            stop.store(true, Ordering::Relaxed);
            machine.poke();
            if late() {
                std::process::exit(ENDLESS);
            }
        };
        std::thread::Builder::new().name("watch".into()).spawn(wait)?;
        Ok(Watch { _over: over })
    }
}
