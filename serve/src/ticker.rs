//! Makes running isolates look at the time: one thread that pokes those that run, and sleeps while
//! none does.
//!
//! Invariant: an isolate that starts to run while the thread sleeps wakes it, so a program that
//! never ends is seen, however quiet it was before.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;
use sx::InterruptHandle;

/// Between two pokes.
const TICK: Duration = Duration::from_millis(5);
/// The same while a program runs that has used up its first slice.
const SHORT_TICK: Duration = Duration::from_micros(500);
/// So many of these follow each time that a program gives way.
const SHORT_TICKS: u32 = 50;
/// Ticks without anything running after which the thread sleeps.
const QUIET_TICKS: u32 = 40;

/// The thread.
#[derive(Clone)]
pub struct Ticker(Arc<Shared>);

#[derive(Default)]
struct Shared {
    awake: AtomicBool,
    /// Short ticks to come.
    short: AtomicU32,
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
        let ticker = Ticker(Arc::default());
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
                    let tick = shared.next_tick();
                    drop(shared);
                    std::thread::sleep(tick);
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

    fn next_tick(&self) -> Duration {
        match self.short.load(Ordering::Relaxed) {
            0 => TICK,
            left => {
                // What came meanwhile makes this one too few.
                self.short.store(left - 1, Ordering::Relaxed);
                SHORT_TICK
            }
        }
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
    /// A program of it gave way, and is about to run again soon: in short slices.
    pub fn gave_way(&self) {
        self.ticker.0.short.store(SHORT_TICKS, Ordering::Relaxed);
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_short_for_a_while_after_a_program_gave_way() {
        let watched = Watched {
            runs: Arc::default(),
            ticker: Ticker(Arc::default()),
        };
        let shared = &watched.ticker.0;
        assert_eq!(shared.next_tick(), TICK);
        watched.gave_way();
        for _ in 0..SHORT_TICKS {
            assert_eq!(shared.next_tick(), SHORT_TICK);
        }
        assert_eq!(shared.next_tick(), TICK);
    }
}
