//! Makes running isolates look at the time: one thread that pokes those that run, and sleeps while
//! none does.
//!
//! Invariant: an isolate that starts to run while the thread sleeps wakes it, so a program that
//! never ends is seen, however quiet it was before.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;
use sx::InterruptHandle;

/// Between two pokes.
const TICK: Duration = Duration::from_millis(5);
/// Ticks without anything running after which the thread sleeps.
const QUIET_TICKS: u32 = 40;

/// The thread.
#[derive(Clone)]
pub struct Ticker(Arc<Shared>);

struct Shared {
    awake: AtomicBool,
    rows: Mutex<Vec<Row>>,
    wake: Condvar,
}

struct Row {
    runs: Arc<AtomicBool>,
    handle: InterruptHandle,
}

/// An isolate's place.
pub struct Watched {
    runs: Arc<AtomicBool>,
    ticker: Ticker,
}

/// While it lives, the isolate runs.
pub struct Running<'w>(&'w AtomicBool);

impl Ticker {
    /// Starts the thread.
    pub fn start() -> std::io::Result<Ticker> {
        let ticker = Ticker(Arc::new(Shared {
            awake: AtomicBool::new(false),
            rows: Mutex::default(),
            wake: Condvar::new(),
        }));
        let shared = Arc::downgrade(&ticker.0);
        std::thread::Builder::new()
            .name("sx-ticker".to_owned())
            .spawn(move || {
                let mut quiet = 0;
                while let Some(shared) = shared.upgrade() {
                    quiet = if shared.tick() { 0 } else { quiet + 1 };
                    if quiet > QUIET_TICKS {
                        shared.sleep();
                        quiet = 0;
                    }
                    drop(shared);
                    std::thread::sleep(TICK);
                }
            })?;
        Ok(ticker)
    }

    /// Watches an isolate.
    pub fn watch(&self, handle: InterruptHandle) -> Watched {
        let runs = Arc::new(AtomicBool::new(false));
        let row = Row {
            runs: Arc::clone(&runs),
            handle,
        };
        self.0.rows.lock().unwrap_or_else(PoisonError::into_inner).push(row);
        Watched {
            runs,
            ticker: self.clone(),
        }
    }
}

impl Shared {
    /// Pokes what runs; does anything?
    fn tick(&self) -> bool {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        rows.retain(|row| Arc::strong_count(&row.runs) > 1);
        let mut any = false;
        for row in rows.iter().filter(|row| row.runs.load(Ordering::Relaxed)) {
            row.handle.poke();
            any = true;
        }
        any
    }

    /// Sleeps until something runs, or for a while: nobody may be left to wake it.
    fn sleep(&self) {
        self.awake.store(false, Ordering::SeqCst);
        if self.tick() {
            self.awake.store(true, Ordering::SeqCst);
            return;
        }
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.awake.load(Ordering::SeqCst) {
            // Whatever ends the wait, the next thing is to look.
            drop(self.wake.wait_timeout(rows, Duration::from_secs(1)));
        }
        self.awake.store(true, Ordering::SeqCst);
    }

    fn rouse(&self) {
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        self.awake.store(true, Ordering::SeqCst);
        self.wake.notify_one();
        drop(rows);
    }
}

impl Watched {
    /// The isolate runs.
    pub fn run(&self) -> Running<'_> {
        self.runs.store(true, Ordering::SeqCst);
        if !self.ticker.0.awake.load(Ordering::SeqCst) {
            self.ticker.0.rouse();
        }
        Running(&self.runs)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}
