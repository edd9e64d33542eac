//! The feed: what changed, in the order in which it did. It says what, not to what; whoever
//! wants the new value reads it.
//!
//! Invariant: a change is told after it is durable and can be read, batches in the order of
//! their revisions, each batch once and as a whole.

use crate::{Batch, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// The changes of one batch that have the prefix of the subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes {
    /// The batch. Each has a higher number than those before it.
    pub revision: u64,
    /// What it changed, in its order.
    pub changes: Vec<Change>,
}

/// One thing that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A key has a new value.
    Put(Vec<u8>),
    /// A key is gone.
    Delete(Vec<u8>),
    /// A log has an event of this number.
    Append(Vec<u8>, u64),
    /// A log has lost its first events.
    Truncate(Vec<u8>),
    /// Changes were missed, and anything may be different: after an interruption longer than
    /// the database keeps changes.
    Everything,
}

/// Who is told. Called in the thread that writes, so it should hand the changes on and return.
pub type Sink = Box<dyn Fn(&Changes) + Send + Sync>;

/// Those who are told of changes.
#[derive(Clone, Default)]
pub struct Feed(Arc<Mutex<Subscribers>>);

#[derive(Default)]
struct Subscribers {
    next: u64,
    all: Vec<Subscriber>,
}

#[derive(Clone)]
struct Subscriber {
    id: u64,
    prefix: Arc<[u8]>,
    sink: Arc<Sink>,
}

/// A place in the feed; dropping it gives the place up.
#[must_use]
pub struct Subscription {
    id: u64,
    feed: Weak<Mutex<Subscribers>>,
}

impl Feed {
    /// Tells `sink` of every change to a key or log whose name begins with `prefix`.
    pub fn subscribe(&self, prefix: &[u8], sink: Sink) -> Subscription {
        let mut subscribers = lock(&self.0);
        let id = subscribers.next;
        subscribers.next += 1;
        subscribers.all.push(Subscriber {
            id,
            prefix: prefix.into(),
            sink: Arc::new(sink),
        });
        Subscription {
            id,
            feed: Arc::downgrade(&self.0),
        }
    }

    /// Does nobody listen?
    pub fn is_idle(&self) -> bool {
        lock(&self.0).all.is_empty()
    }

    /// Tells everyone whom it concerns.
    pub fn publish(&self, revision: u64, changes: &[Change]) {
        // A sink may subscribe or unsubscribe, so none is called under the lock.
        let subscribers = lock(&self.0).all.clone();
        for subscriber in subscribers {
            let concerned = |change: &&Change| change.concerns(&subscriber.prefix);
            let changes: Vec<Change> = changes.iter().filter(concerned).cloned().collect();
            if !changes.is_empty() {
                (subscriber.sink)(&Changes { revision, changes });
            }
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if let Some(feed) = self.feed.upgrade() {
            lock(&feed).all.retain(|subscriber| subscriber.id != self.id);
        }
    }
}

impl Change {
    /// Is this about a name with the prefix?
    pub fn concerns(&self, prefix: &[u8]) -> bool {
        match self {
            Change::Put(name) | Change::Delete(name) | Change::Append(name, _) | Change::Truncate(name) => {
                name.starts_with(prefix)
            }
            Change::Everything => true,
        }
    }

    /// What a batch changes, given the numbers of its events. Blobs are not told: a name is
    /// learnt from a key or an event.
    pub fn of(batch: &Batch, seqs: &[u64]) -> Vec<Change> {
        let mut seqs = seqs.iter().copied();
        let changes = batch.writes.iter().filter_map(|write| match write {
            Write::Put { key, .. } => Some(Change::Put(key.clone())),
            Write::Delete { key } => Some(Change::Delete(key.clone())),
            Write::Append { stream, .. } => Some(Change::Append(stream.clone(), seqs.next().unwrap_or(0))),
            Write::Truncate { stream, .. } => Some(Change::Truncate(stream.clone())),
            Write::Raise { .. } | Write::PutBlob { .. } => None,
        });
        changes.collect()
    }
}

fn lock(subscribers: &Mutex<Subscribers>) -> MutexGuard<'_, Subscribers> {
    subscribers.lock().unwrap_or_else(PoisonError::into_inner)
}
