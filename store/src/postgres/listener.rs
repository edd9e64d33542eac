//! The feed: a notification says that something changed, the table of changes says what. After
//! an interruption the table is read from where we were.
//!
//! Invariant: every batch is told once and in order, or [`Change::Everything`] in the place of
//! those that the database no longer has.

use super::link::{Link, Live};
use super::query::{Query, read_error, signed};
use crate::{Change, Feed, ReadError};
use std::time::Duration;
use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, timeout};

/// Batches read at a time.
const STEP: u64 = 500;
/// Without any notification the table is looked at so often.
const QUIET_MAX: Duration = Duration::from_secs(30);
/// How long one attempt waits for the connection.
const PATIENCE: Duration = Duration::from_secs(60);

/// The task that tells the feed.
pub struct Listener {
    /// The connection that listens.
    pub link: Link,
    /// Where it tells.
    pub feed: Feed,
    /// The last batch that was told.
    pub revision: u64,
}

impl Listener {
    /// Tells what comes, until the connection's task is gone.
    pub async fn run(mut self, mut notices: Receiver<()>) {
        loop {
            if let Ok(None) = timeout(QUIET_MAX, notices.recv()).await {
                return;
            }
            // A failure means a lost connection; the new one sends a notice.
            if let Ok(live) = self.link.live(Instant::now() + PATIENCE).await {
                let _ = self.catch_up(&live).await;
            }
        }
    }

    async fn catch_up(&mut self, live: &Live) -> Result<(), ReadError> {
        loop {
            let (newest, _) = state(live).await?;
            if newest <= self.revision {
                return Ok(());
            }
            let up_to = newest.min(self.revision + STEP);
            let batches = changes(live, self.revision, up_to).await?;
            // Asked after the changes, so that none can have gone unseen in between.
            let (_, forgotten) = state(live).await?;
            if forgotten > self.revision {
                self.revision = forgotten;
                self.feed.publish(forgotten, &[Change::Everything]);
                continue;
            }
            for (revision, changes) in batches {
                self.feed.publish(revision, &changes);
            }
            self.revision = up_to;
        }
    }
}

/// The newest batch, and the newest of those whose changes are gone.
async fn state(live: &Live) -> Result<(u64, u64), ReadError> {
    let row = live
        .client
        .query_one(live.statements.get(Query::State), &[])
        .await
        .map_err(read_error)?;
    let number = |column: usize| row.try_get::<_, i64>(column).map(i64::unsigned_abs).map_err(read_error);
    Ok((number(0)?, number(1)?))
}

async fn changes(live: &Live, after: u64, up_to: u64) -> Result<Vec<(u64, Vec<Change>)>, ReadError> {
    let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 2] = [&signed(after), &signed(up_to)];
    let rows = live
        .client
        .query(live.statements.get(Query::Changes), &parameters)
        .await
        .map_err(read_error)?;
    let mut batches: Vec<(u64, Vec<Change>)> = Vec::new();
    for row in rows {
        let revision = row.try_get::<_, i64>(0).map_err(read_error)?.unsigned_abs();
        let kind: i16 = row.try_get(1).map_err(read_error)?;
        let name: Vec<u8> = row.try_get(2).map_err(read_error)?;
        let seq = row.try_get::<_, i64>(3).map_err(read_error)?.unsigned_abs();
        let change = match kind {
            0 => Change::Put(name),
            1 => Change::Delete(name),
            2 => Change::Append(name, seq),
            3 => Change::Truncate(name),
            kind => return Err(ReadError::Corrupt(format!("a change of kind {kind}"))),
        };
        match batches.last_mut() {
            Some((last, changes)) if *last == revision => changes.push(change),
            _ => batches.push((revision, vec![change])),
        }
    }
    Ok(batches)
}
