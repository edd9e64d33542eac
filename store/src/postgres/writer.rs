//! Writing: what waits goes to the database as one group, one statement, one commit.
//!
//! A group has a number. When the connection is lost under way, the group is sent again with
//! the same number, and the database answers as it did if it had happened. So a write happens
//! once, and its answer is known, unless the database stays away longer than we wait.

use super::link::{Link, lost, text};
use super::query::{Query, signed};
use crate::contract::limits::BATCH_BYTES_MAX;
use crate::{Batch, Check, Cid, Promise, Write, WriteError, Written};
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_postgres::{Error, Row};

/// Batches of one group.
const GROUP_MAX: usize = 4096;
/// Between finding the connection lost and looking for a new one.
const BREATH: Duration = Duration::from_millis(20);

/// A batch and who waits for it.
pub struct Job {
    /// The batch.
    pub batch: Batch,
    /// Who waits.
    pub promise: Promise<Result<Written, WriteError>>,
}

/// The task that writes. It ends when nobody can hand in a batch any more.
pub struct Writer {
    /// The connection for writing.
    pub link: Link,
    /// What this process is known by.
    pub id: i64,
    /// How long a group may take.
    pub patience: Duration,
}

impl Writer {
    /// Writes what comes.
    pub async fn run(self, mut jobs: UnboundedReceiver<Job>) {
        let mut number = 0;
        while let Some(first) = jobs.recv().await {
            let mut size = first.batch.size();
            let mut group = vec![first];
            while group.len() < GROUP_MAX && size < BATCH_BYTES_MAX {
                let Ok(next) = jobs.try_recv() else {
                    break;
                };
                size += next.batch.size();
                group.push(next);
            }
            number += 1;
            let (batches, promises): (Vec<Batch>, Vec<_>) =
                group.into_iter().map(|job| (job.batch, job.promise)).unzip();
            let answers = match self.send(number, &batches).await {
                Ok(answers) => answers,
                Err(error) => batches.iter().map(|_| Err(error.clone())).collect(),
            };
            for (promise, answer) in promises.into_iter().zip(answers) {
                promise.answer(answer);
            }
        }
    }

    async fn send(&self, number: i64, batches: &[Batch]) -> Result<Vec<Result<Written, WriteError>>, WriteError> {
        let steps = Steps::of(batches);
        let deadline = Instant::now() + self.patience;
        // Was it sent without our learning what came of it?
        let mut unsure = false;
        let failed = |unsure: bool, why: String, sure: fn(String) -> WriteError| {
            if unsure { WriteError::Unknown(why) } else { sure(why) }
        };
        loop {
            let live = self
                .link
                .live(deadline)
                .await
                .map_err(|why| failed(unsure, why, WriteError::Lost))?;
            let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 6] = [
                &self.id,
                &number,
                &steps.kinds,
                &steps.names,
                &steps.bytes,
                &steps.numbers,
            ];
            let sent = live.client.query(live.statements.get(Query::Apply), &parameters);
            match timeout_at(deadline, sent).await {
                Ok(Ok(rows)) => match rows.first() {
                    Some(row) => return answers(batches, row).map_err(|error| WriteError::Unknown(text(&error))),
                    None => return Err(WriteError::Unknown("the group was given up".to_owned())),
                },
                Ok(Err(error)) if lost(&error) => {
                    unsure = true;
                    sleep(BREATH).await;
                }
                Ok(Err(error)) if again(&error) => sleep(BREATH).await,
                Ok(Err(error)) => return Err(failed(unsure, text(&error), kind(&error))),
                Err(_) => {
                    live.give_up();
                    unsure = true;
                }
            }
        }
    }
}

/// Did the database choose this one to give way to another?
fn again(error: &Error) -> bool {
    error
        .code()
        .is_some_and(|code| matches!(code.code(), "40001" | "40P01"))
}

/// What an error of the database is among ours.
fn kind(error: &Error) -> fn(String) -> WriteError {
    match error.code().map(|code| code.code()) {
        Some("53100") => WriteError::Full,
        Some(code) if code.starts_with("XX") => WriteError::Corrupt,
        _ => WriteError::Io,
    }
}

/// Batches as the arrays that `sx.apply` takes; schema.sql says what the kinds are.
#[derive(Default)]
struct Steps<'a> {
    kinds: Vec<i16>,
    names: Vec<Vec<u8>>,
    bytes: Vec<Option<&'a [u8]>>,
    numbers: Vec<i64>,
}

impl<'a> Steps<'a> {
    fn of(batches: &'a [Batch]) -> Steps<'a> {
        let mut steps = Steps::default();
        for batch in batches {
            steps.add(0, &[], None, 0);
            for check in &batch.checks {
                match check {
                    Check::Value { key, value } => steps.add(1, key, value.as_deref(), 0),
                    Check::LastSeq { stream, seq } => steps.add(2, stream, None, signed(*seq)),
                }
            }
            for write in &batch.writes {
                match write {
                    Write::Put { key, value } => steps.add(3, key, Some(value), 0),
                    Write::Delete { key } => steps.add(4, key, None, 0),
                    Write::Append { stream, event } => steps.add(5, stream, Some(event), 0),
                    Write::Truncate { stream, through } => steps.add(6, stream, None, signed(*through)),
                    Write::Raise { stream, seq } => steps.add(7, stream, None, signed(*seq)),
                    Write::PutBlob { bytes } => steps.add(8, Cid::of(bytes).digest(), Some(bytes), 0),
                }
            }
        }
        steps
    }

    fn add(&mut self, kind: i16, name: &[u8], bytes: Option<&'a [u8]>, number: i64) {
        self.kinds.push(kind);
        self.names.push(name.to_vec());
        self.bytes.push(bytes);
        self.numbers.push(number);
    }
}

/// The answer of `sx.apply`, batch by batch.
fn answers(batches: &[Batch], row: &Row) -> Result<Vec<Result<Written, WriteError>>, Error> {
    let failed: Vec<i32> = row.try_get(0)?;
    let revisions: Vec<i64> = row.try_get(1)?;
    let mut seqs = row.try_get::<_, Vec<i64>>(2)?.into_iter().map(i64::unsigned_abs);
    let outcomes = batches.iter().zip(failed.into_iter().zip(revisions));
    let answers = outcomes.map(|(batch, (failed, revision))| match usize::try_from(failed) {
        Ok(check) => Err(WriteError::Conflict { check }),
        Err(_) => {
            let appends = batch
                .writes
                .iter()
                .filter(|write| matches!(write, Write::Append { .. }))
                .count();
            Ok(Written {
                revision: revision.unsigned_abs(),
                seqs: seqs.by_ref().take(appends).collect(),
            })
        }
    });
    Ok(answers.collect())
}
