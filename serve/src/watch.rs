//! The op `persist/on-change`: a function of the program that is told of every change to the store,
//! here or in another worker or process, so that what it keeps in memory stays in step.
//!
//! Invariant: changes come in the order in which they became durable, each after it can be read; one
//! call ends before the next begins, and takes its turn where handlers do. Whoever is too slow for
//! them is told that everything may have changed.

use crate::edge::{Answer, Refusal};
use crate::log;
use crate::program::Program;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use sx::{Code, Object, Times, Value};
use sx_store::{Change, Changes, Subscription};
use tokio::sync::Notify;

/// The places in the feed that a program has taken.
#[derive(Default)]
pub struct Watches(RefCell<Vec<Subscription>>);

/// Changes that may wait to be told.
const CHANGES_MAX: usize = 10_000;

/// What a call may take.
const TIMES: Times = Times {
    slice: Duration::from_millis(10),
    running: Duration::from_secs(10),
    lasting: Duration::from_secs(60),
    grace: Duration::from_secs(1),
};

impl Watches {
    /// Calls a function with every change from now on.
    pub fn watch(&self, program: &Rc<Program>, arguments: &[Value]) -> Answer {
        let [Value::String(prefix), Value::Object(function)] = arguments else {
            let message = "persist/on-change: expected (prefix function)";
            return Answer::Now(Err(Refusal::new(Code::Type, message)));
        };
        let Some(store) = program.edge().store() else {
            return Answer::Unknown;
        };
        let queue = Arc::new(Queue::default());
        let told = Arc::clone(&queue);
        let sink = move |changes: &Changes| queue.push(changes);
        self.0
            .borrow_mut()
            .push(store.subscribe(prefix.as_bytes(), Box::new(sink)));
        tokio::task::spawn_local(tell(Rc::clone(program), function.clone(), told));
        Answer::Now(Ok(Value::Nil))
    }
}

/// Changes on their way to a program, each with the revision that made it.
#[derive(Default)]
struct Queue {
    changes: Mutex<VecDeque<(u64, Change)>>,
    more: Notify,
}

impl Queue {
    fn push(&self, batch: &Changes) {
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        changes.extend(batch.changes.iter().map(|change| (batch.revision, change.clone())));
        if changes.len() > CHANGES_MAX {
            changes.clear();
            changes.push_back((batch.revision, Change::Everything));
        }
        drop(changes);
        self.more.notify_one();
    }

    async fn next(&self) -> (u64, Change) {
        loop {
            let next = self.changes.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            match next {
                Some(next) => return next,
                None => self.more.notified().await,
            }
        }
    }
}

/// Tells a function of the program for as long as the program's tasks run.
async fn tell(program: Rc<Program>, function: Object, queue: Arc<Queue>) {
    loop {
        let (revision, change) = queue.next().await;
        let _turn = program.turn().await;
        let call = program.call(&function, (change_dict(revision, change),), TIMES, None);
        if let Err(error) = program.finish(call).await {
            let report = sx::report(&error, sx::Style::Plain);
            log::say(&format!("[persist/on-change] error: {}\n{report}", error.message));
        }
    }
}

fn change_dict(revision: u64, change: Change) -> Value {
    let (op, key, seq) = match change {
        Change::Put(key) => ("put", key, None),
        Change::Delete(key) => ("delete", key, None),
        Change::Append(stream, seq) => ("append", stream, Some(seq)),
        Change::Truncate(stream) => ("truncate", stream, None),
        Change::Everything => ("everything", Vec::new(), None),
    };
    let entry = |key: &str, value: Value| (key.to_owned(), value);
    Value::Dict(vec![
        entry("op", Value::from(op)),
        entry("key", Value::String(String::from_utf8_lossy(&key).into_owned())),
        entry("seq", seq.map_or(Value::Nil, |seq| Value::from(seq as i64))),
        entry("revision", Value::from(revision as i64)),
    ])
}
