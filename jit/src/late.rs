//! A compiler for tests: what it is asked for comes late, and in another order than it was asked for.
//!
//! A job waits for as many polls as chance says, so that between the asking and the code the program goes
//! on: redefines, excludes, leaves. Chance has a seed, and jobs are compiled on the program's own thread at
//! a poll, so a run can be had again.
//!
//! Invariant: while a job waits, the isolate is poked, so that it polls again.

use crate::Jit;
use crate::unit::Answer;
use sx_runtime::native::{Bailout, CompileJob, Compiled, Compiler, Explained, Stubs};
use sx_runtime::stack::Interrupter;

/// Polls that a job waits at most.
const LONGEST: u64 = 24;

/// A compiler that answers late.
pub struct Late {
    jit: Jit,
    chance: u64,
    waiting: Vec<Waiting>,
}

struct Waiting {
    job: CompileJob,
    wake: Interrupter,
    polls: u64,
}

impl Late {
    /// Another seed, other delays.
    pub fn new(jit: Jit, seed: u64) -> Late {
        Late {
            jit,
            chance: seed | 1,
            waiting: vec![],
        }
    }

    /// The next number of a sequence without pattern (xorshift).
    fn next(&mut self) -> u64 {
        self.chance ^= self.chance << 13;
        self.chance ^= self.chance >> 7;
        self.chance ^= self.chance << 17;
        self.chance
    }
}

impl Compiler for Late {
    fn stubs(&self) -> Stubs {
        self.jit.stubs()
    }
    fn compile(&mut self, job: CompileJob) -> Result<Compiled, Bailout> {
        self.jit.compile(job)
    }
    fn submit(&mut self, job: CompileJob, wake: Interrupter) {
        wake.poke();
        let polls = self.next() % LONGEST;
        self.waiting.push(Waiting { job, wake, polls });
    }
    fn finished(&mut self) -> Vec<Answer> {
        let mut answers = vec![];
        for mut row in std::mem::take(&mut self.waiting) {
            if row.polls == 0 {
                let instance = row.job.instance;
                answers.push((instance, self.jit.compile(row.job)));
                continue;
            }
            row.polls -= 1;
            row.wake.poke();
            self.waiting.push(row);
        }
        answers
    }
    fn clock(&self) -> u64 {
        self.jit.clock()
    }
    fn explain(&mut self, job: CompileJob) -> Result<Explained, Bailout> {
        self.jit.explain(job)
    }
}
