//! The statements, as a table, and what their rows mean.
//!
//! Invariant: each statement takes and gives only what is said beside it, and values go as
//! parameters, never into the text.

use super::link::{lost, text};
use crate::contract::limits::{PAGE_BYTES_MAX, PAGE_ROWS_MAX};
use crate::{Event, Page, Pair, ReadError, StreamInfo};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error, Row, Statement};

/// The statements that are prepared on every connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Query {
    /// key → value
    Get,
    /// key → one row if it is there
    Has,
    /// from, up to, rows, bytes → key, value, rows there are
    Scan,
    /// from, up to, rows, bytes → key, rows there are
    Keys,
    /// log, from, rows, bytes → number, event, rows there are
    Read,
    /// log → last number
    LastSeq,
    /// from, up to, rows, bytes → name, events, last number, rows there are
    Streams,
    /// digest → blob
    Blob,
    /// digest → one row if it is there
    HasBlob,
    /// writer, number, the steps → failed, revisions, numbers
    Apply,
    /// revision, up to → revision, kind, name, number
    Changes,
    /// → revision, forgotten
    State,
}

/// Statement and text, in the order of [`Query`].
const QUERIES: &[(Query, &str)] = &[
    (Query::Get, "SELECT value FROM sx.kv WHERE key = $1"),
    (Query::Has, "SELECT true FROM sx.kv WHERE key = $1"),
    (
        Query::Scan,
        "SELECT key, value, total FROM (SELECT key, value, count(*) OVER () AS total, \
           sum(octet_length(value)) OVER (ORDER BY key) - octet_length(value) AS size FROM \
           (SELECT key, value FROM sx.kv WHERE key >= $1 AND ($2::bytea IS NULL OR key < $2) ORDER BY key LIMIT $3) w) x \
         WHERE size < $4 ORDER BY key",
    ),
    (
        Query::Keys,
        "SELECT key, count(*) OVER () AS total FROM \
           (SELECT key FROM sx.kv WHERE key >= $1 AND ($2::bytea IS NULL OR key < $2) ORDER BY key LIMIT $3) w \
         WHERE $4::bigint > 0 ORDER BY key",
    ),
    (
        Query::Read,
        "SELECT seq, bytes, total FROM (SELECT seq, bytes, count(*) OVER () AS total, \
           sum(octet_length(bytes)) OVER (ORDER BY seq) - octet_length(bytes) AS size FROM \
           (SELECT seq, bytes FROM sx.events WHERE stream = (SELECT id FROM sx.streams WHERE name = $1) AND seq >= $2 \
            ORDER BY seq LIMIT $3) w) x \
         WHERE size < $4 ORDER BY seq",
    ),
    (Query::LastSeq, "SELECT last_seq FROM sx.streams WHERE name = $1"),
    (
        Query::Streams,
        "SELECT name, events, last_seq, count(*) OVER () AS total FROM \
           (SELECT name, events, last_seq FROM sx.streams WHERE name >= $1 AND ($2::bytea IS NULL OR name < $2) \
            ORDER BY name LIMIT $3) w \
         WHERE $4::bigint > 0 ORDER BY name",
    ),
    (Query::Blob, "SELECT bytes FROM sx.blobs WHERE digest = $1"),
    (Query::HasBlob, "SELECT true FROM sx.blobs WHERE digest = $1"),
    (
        Query::Apply,
        "SELECT failed, revisions, seqs FROM sx.apply($1, $2, $3, $4, $5, $6)",
    ),
    (
        Query::Changes,
        "SELECT revision, kind, name, seq FROM sx.changes WHERE revision > $1 AND revision <= $2 ORDER BY revision, place",
    ),
    (Query::State, "SELECT revision, forgotten FROM sx.state"),
];

/// The statements prepared on one connection.
pub struct Statements(Vec<Statement>);

impl Statements {
    /// Prepares them.
    pub async fn prepare(client: &Client) -> Result<Statements, Error> {
        let mut statements = Vec::with_capacity(QUERIES.len());
        for (_, text) in QUERIES {
            statements.push(client.prepare(text).await?);
        }
        Ok(Statements(statements))
    }

    /// One of them.
    pub fn get(&self, query: Query) -> &Statement {
        &self.0[query as usize]
    }
}

/// What goes with a statement.
pub type Parameters = Vec<Box<dyn ToSql + Send + Sync>>;

/// Names with a prefix that come after `after`; one more than asked for, to see whether there
/// are more.
pub fn range(prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Parameters {
    let from = match after {
        // The least name above it.
        Some(after) if after >= prefix => [after, &[0]].concat(),
        _ => prefix.to_vec(),
    };
    vec![
        Box::new(from),
        Box::new(above(prefix)),
        Box::new(rows(limit)),
        Box::new(PAGE_BYTES_MAX as i64),
    ]
}

/// Events of a log from a number on.
pub fn events(stream: &[u8], from: u64, limit: usize) -> Parameters {
    vec![
        Box::new(stream.to_vec()),
        Box::new(signed(from)),
        Box::new(rows(limit)),
        Box::new(PAGE_BYTES_MAX as i64),
    ]
}

/// One name, or digest.
pub fn name(name: &[u8]) -> Parameters {
    vec![Box::new(name.to_vec())]
}

/// One row more than the page will have.
fn rows(limit: usize) -> i64 {
    limit.min(PAGE_ROWS_MAX) as i64 + 1
}

/// Numbers beyond what the database holds are beyond every number in it.
pub fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The least name above all with the prefix.
fn above(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte < 0xff)?;
    let mut above = prefix[..=last].to_vec();
    above[last] += 1;
    Some(above)
}

/// Rows whose last column counts the rows there were, as a page of at most `limit`.
pub fn page<T>(rows: &[Row], limit: usize, read: impl Fn(&Row) -> Result<T, Error>) -> Result<Page<T>, ReadError> {
    let limit = limit.min(PAGE_ROWS_MAX);
    let total: i64 = match rows.first() {
        Some(row) => row.try_get("total").map_err(read_error)?,
        None => 0,
    };
    let taken = rows.iter().take(limit).map(read).collect::<Result<Vec<T>, Error>>();
    let taken = taken.map_err(read_error)?;
    Ok(Page {
        more: (total as usize) > taken.len(),
        rows: taken,
    })
}

/// A row of [`Query::Scan`].
pub fn pair(row: &Row) -> Result<Pair, Error> {
    Ok((row.try_get(0)?, row.try_get(1)?))
}

/// A row of [`Query::Read`].
pub fn event(row: &Row) -> Result<Event, Error> {
    Ok(Event {
        seq: row.try_get::<_, i64>(0)?.unsigned_abs(),
        bytes: row.try_get(1)?,
    })
}

/// A row of [`Query::Streams`].
pub fn stream_info(row: &Row) -> Result<StreamInfo, Error> {
    Ok(StreamInfo {
        name: row.try_get(0)?,
        events: row.try_get::<_, i64>(1)?.unsigned_abs(),
        last_seq: row.try_get::<_, i64>(2)?.unsigned_abs(),
    })
}

/// An error of the database as ours.
pub fn read_error(error: Error) -> ReadError {
    let said = text(&error);
    match error.code() {
        Some(code) if code.code().starts_with("XX") => ReadError::Corrupt(said),
        _ if lost(&error) => ReadError::Lost(said),
        _ => ReadError::Io(said),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_names() {
        for (index, (query, _)) in QUERIES.iter().enumerate() {
            assert_eq!(*query as usize, index, "{query:?}");
        }
    }

    #[test]
    fn above_a_prefix() {
        assert_eq!(above(b"ab"), Some(b"ac".to_vec()));
        assert_eq!(above(b"a\xff"), Some(b"b".to_vec()));
        assert_eq!(above(b"\xff\xff"), None);
        assert_eq!(above(b""), None);
    }
}
