//! The writer: one thread that takes what waits and commits it together.
//!
//! When several clients write in turn, those answered by the last sync hand in their next batch
//! a moment too late for the one that follows. So the writer waits for as many batches as there
//! were clients lately, but never longer than a fraction of a sync; a lone client never waits.

use super::core::{Core, Outcome};
use crate::contract::limits::BATCH_BYTES_MAX;
use crate::{Batch, Feed, Problem, Promise, ReadError, Reply, WriteError, Written, promise};
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Batches of one group.
const GROUP_MAX: usize = 4096;
/// The part of a sync that the writer waits for more batches, and the most it ever waits.
const GATHER_PART: u32 = 4;
const GATHER_MAX: Duration = Duration::from_micros(500);

/// The writing thread of a store.
pub struct Writer {
    queue: Arc<Queue>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    closed: bool,
}

enum Job {
    Write(Batch, Promise<Result<Written, WriteError>>),
    Verify(Promise<Result<Vec<Problem>, ReadError>>),
}

type Waiting = Vec<Promise<Result<Written, WriteError>>>;

impl Queue {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Writer {
    /// Starts the thread.
    pub fn start(core: Core, feed: Feed) -> std::io::Result<Writer> {
        let queue = Arc::new(Queue {
            state: Mutex::new(State::default()),
            changed: Condvar::new(),
        });
        let its = Arc::clone(&queue);
        let run = move || {
            Run {
                core,
                feed,
                queue: its,
                lately: 0,
                sync: Duration::ZERO,
            }
            .run()
        };
        let thread = std::thread::Builder::new().name("sx-store".to_owned()).spawn(run)?;
        Ok(Writer {
            queue,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Hands a batch in.
    pub fn write(&self, batch: Batch) -> Reply<Result<Written, WriteError>> {
        if let Err(error) = batch.check_limits() {
            return Reply::Now(Err(error));
        }
        let (promise, ticket) = promise();
        match self.submit(Job::Write(batch, promise)) {
            Ok(()) => ticket.into(),
            Err(_) => Reply::Now(Err(WriteError::Closed)),
        }
    }

    /// Has the pages checked, between two groups.
    pub fn verify(&self) -> Result<Vec<Problem>, ReadError> {
        let (promise, ticket) = promise();
        self.submit(Job::Verify(promise)).map_err(|_| ReadError::Closed)?;
        ticket.wait()
    }

    fn submit(&self, job: Job) -> Result<(), Job> {
        let mut state = self.queue.state();
        if state.closed {
            return Err(job);
        }
        state.jobs.push_back(job);
        drop(state);
        self.queue.changed.notify_one();
        Ok(())
    }

    /// Commits what was handed in and ends.
    pub fn close(&self) {
        self.queue.state().closed = true;
        self.queue.changed.notify_one();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // It ends by itself; a panic in it was answered as `Abandoned`.
            let _ = thread.join();
        }
    }
}

struct Run {
    core: Core,
    feed: Feed,
    queue: Arc<Queue>,
    /// Batches of the last group and those that came during its sync: the clients there are.
    lately: usize,
    /// How long the last commit took.
    sync: Duration,
}

impl Run {
    fn run(mut self) {
        // Also if a receiver of changes or answers panics: who comes later is told.
        let _closing = Closing(Arc::clone(&self.queue));
        while let Some((group, waiting, verify)) = self.gather() {
            if !group.is_empty() {
                self.commit(&group, waiting);
            }
            if let Some(promise) = verify {
                promise.answer(self.core.verify_pages());
            }
        }
        self.core.close();
    }

    /// The next group; `None` when the store is closed and all is done.
    #[allow(clippy::type_complexity, reason = "used once")]
    fn gather(&self) -> Option<(Vec<Batch>, Waiting, Option<Promise<Result<Vec<Problem>, ReadError>>>)> {
        let mut state = self.queue.state();
        while state.jobs.is_empty() {
            if state.closed {
                return None;
            }
            state = self.queue.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let state = self.linger(state);
        Some(take(state))
    }

    /// Waits for the clients that were answered a moment ago.
    fn linger<'a>(&self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        let deadline = Instant::now() + (self.sync / GATHER_PART).min(GATHER_MAX);
        while state.jobs.len() < self.lately && !state.closed {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let waited = self.queue.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state
    }

    fn commit(&mut self, group: &[Batch], waiting: Waiting) {
        let started = Instant::now();
        let outcomes = self.core.commit(group);
        self.sync = started.elapsed();
        self.lately = group.len() + self.queue.state().jobs.len();
        let mut answers = Vec::with_capacity(group.len());
        for outcome in outcomes {
            answers.push(self.publish(outcome));
        }
        for (promise, answer) in waiting.into_iter().zip(answers) {
            promise.answer(answer);
        }
    }

    fn publish(&self, outcome: Outcome) -> Result<Written, WriteError> {
        let committed = outcome?;
        self.feed.publish(committed.written.revision, &committed.changes);
        Ok(committed.written)
    }
}

/// Closes the queue when the thread ends, however it does; what still waits is answered by its
/// promises being dropped.
struct Closing(Arc<Queue>);

impl Drop for Closing {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.closed = true;
        let left = std::mem::take(&mut state.jobs);
        drop(state);
        drop(left);
    }
}

/// Takes the batches up to the first other job, and that job.
#[allow(clippy::type_complexity, reason = "used once")]
fn take(mut state: MutexGuard<'_, State>) -> (Vec<Batch>, Waiting, Option<Promise<Result<Vec<Problem>, ReadError>>>) {
    let (mut group, mut waiting, mut size) = (Vec::new(), Vec::new(), 0);
    while group.len() < GROUP_MAX && size < BATCH_BYTES_MAX {
        match state.jobs.pop_front() {
            Some(Job::Write(batch, promise)) => {
                size += batch.size();
                group.push(batch);
                waiting.push(promise);
            }
            Some(Job::Verify(promise)) => return (group, waiting, Some(promise)),
            None => break,
        }
    }
    (group, waiting, None)
}
