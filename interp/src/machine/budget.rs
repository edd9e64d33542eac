//! How long a program may run: the end of its slice, its deadline, and the moment after which it
//! is not asked any more.
//!
//! Times are the host's `monotonic_ns`. They are looked at when a call or loop turn finds the
//! stack's limit lowered, so somebody has to poke the stack now and then (`Interrupter`); without
//! that a program runs on. Invariant: a deadline is raised once; the program may catch it, and its
//! winds run; what is still running when the grace is over ends without them.

use super::{Exit, Machine};
use sx_runtime::error::{Code, Raise};

/// When a program has run long enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// It gives way to others here, if anyone waits: `Exit::Preempted`.
    pub slice_ends: u64,
    /// It is told `deadline exceeded` here.
    pub deadline: u64,
    /// How long after that it is ended.
    pub grace: u64,
    /// Has it been told?
    pub is_told: bool,
}

impl Budget {
    /// For ever.
    pub const UNLIMITED: Budget = Budget {
        slice_ends: u64::MAX,
        deadline: u64::MAX,
        grace: 0,
        is_told: false,
    };
}

/// What a look around found.
pub(super) enum Polled {
    /// Nothing: go on.
    Nothing,
    /// A condition was raised: another frame runs.
    Raised,
    /// The slice is over: stop as soon as a frame stands at an instruction.
    Preempted,
}

impl Machine {
    /// A loop turn or a call found the limit lowered.
    pub(super) fn poll(&mut self) -> Result<Polled, Box<Exit>> {
        if self.isolate.host.interrupted() {
            return Err(Box::new(Exit::Interrupted(Box::new(self.failure_here("interrupted")))));
        }
        if !self.stress.seal_every_call {
            self.isolate.state.stack.reset_limit();
        }
        self.install_finished();
        if self.budget == Budget::UNLIMITED {
            return Ok(Polled::Nothing);
        }
        let now = self.isolate.host.monotonic_ns();
        if now >= self.budget.deadline {
            self.tell_deadline(now)?;
            return Ok(Polled::Raised);
        }
        // A program that another one steps is part of it.
        if now >= self.budget.slice_ends && !self.is_stepping() {
            return Ok(Polled::Preempted);
        }
        Ok(Polled::Nothing)
    }

    fn tell_deadline(&mut self, now: u64) -> Result<(), Box<Exit>> {
        if self.budget.is_told {
            return Err(Box::new(Exit::Failed(Box::new(self.failure_here("deadline exceeded")))));
        }
        self.budget.is_told = true;
        self.budget.deadline = now.saturating_add(self.budget.grace);
        self.raise(Raise::new(Code::Deadline, "deadline exceeded"))
    }
}
