//! Looking at everything: export from one moment, verification, counts.

use super::link::{Live, text};
use super::query::{self, event, page, pair, read_error, stream_info};
use crate::{Cid, ExportError, Page, Problem, ReadError, Row as StoreRow, Stats};
use tokio::sync::mpsc::Sender;
use tokio_postgres::{Client, Row};

/// Rows read at a time.
const ROWS: usize = 1000;

/// Sends every row, as of one moment. `client` is a connection of its own.
pub async fn export(live: &Live, rows: &Sender<StoreRow>) -> Result<(), ExportError> {
    let client = &live.client;
    client
        .batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        .await
        .map_err(read_error)?;
    let outcome = export_all(live, rows).await;
    // If it does not answer, the connection is gone and the transaction with it.
    let _ = client.batch_execute("ROLLBACK").await;
    outcome
}

async fn export_all(live: &Live, rows: &Sender<StoreRow>) -> Result<(), ExportError> {
    let mut after: Option<Vec<u8>> = None;
    loop {
        let parameters = query::range(&[], after.as_deref(), ROWS);
        let found = page(&ask(live, query::Query::Scan, &parameters).await?, ROWS, pair)?;
        let Some((last, _)) = found.rows.last() else {
            break;
        };
        after = Some(last.clone());
        give(rows, found, StoreRow::Pair).await?;
    }
    let mut after: Option<Vec<u8>> = None;
    loop {
        let parameters = query::range(&[], after.as_deref(), ROWS);
        let found = page(&ask(live, query::Query::Streams, &parameters).await?, ROWS, stream_info)?;
        let Some(last) = found.rows.last() else {
            break;
        };
        after = Some(last.name.clone());
        for info in found.rows {
            let name = info.name.clone();
            send(rows, StoreRow::Stream(info)).await?;
            export_events(live, &name, rows).await?;
        }
    }
    export_blobs(live, rows).await
}

async fn export_events(live: &Live, name: &[u8], rows: &Sender<StoreRow>) -> Result<(), ExportError> {
    let mut from = 0;
    loop {
        let parameters = query::events(name, from, ROWS);
        let found = page(&ask(live, query::Query::Read, &parameters).await?, ROWS, event)?;
        let Some(last) = found.rows.last() else {
            return Ok(());
        };
        from = last.seq + 1;
        give(rows, found, StoreRow::Event).await?;
    }
}

async fn export_blobs(live: &Live, rows: &Sender<StoreRow>) -> Result<(), ExportError> {
    let digests = live
        .client
        .query("SELECT digest FROM sx.blobs ORDER BY digest", &[])
        .await
        .map_err(read_error)?;
    for digest in digests {
        let digest: Vec<u8> = digest.try_get(0).map_err(read_error)?;
        for row in ask(live, query::Query::Blob, &query::name(&digest)).await? {
            send(rows, StoreRow::Blob(row.try_get(0).map_err(read_error)?)).await?;
        }
    }
    Ok(())
}

async fn give<T>(rows: &Sender<StoreRow>, page: Page<T>, row: impl Fn(T) -> StoreRow) -> Result<(), ExportError> {
    for found in page.rows {
        send(rows, row(found)).await?;
    }
    Ok(())
}

/// A receiver that is gone has had its own error.
async fn send(rows: &Sender<StoreRow>, row: StoreRow) -> Result<(), ExportError> {
    rows.send(row)
        .await
        .map_err(|_| ExportError::Sink("stopped".to_owned()))
}

/// Asks a prepared question on this connection.
pub async fn ask(live: &Live, query: query::Query, parameters: &query::Parameters) -> Result<Vec<Row>, ReadError> {
    live.query(query, parameters).await.map_err(read_error)
}

/// What must hold, as questions for rows that break it: place and text.
const PROBLEMS: &[&str] = &[
    "SELECT 'logs', 'log \"' || encode(s.name, 'escape') || '\": ' || count(e.seq) || ' events are there, ' || s.events \
       || ' should be' FROM sx.streams s LEFT JOIN sx.events e ON e.stream = s.id \
       GROUP BY s.id, s.name, s.events HAVING count(e.seq) <> s.events",
    "SELECT 'logs', 'log \"' || encode(s.name, 'escape') || '\": event ' || e.seq || ' is behind the last number ' \
       || s.last_seq FROM sx.streams s JOIN sx.events e ON e.stream = s.id WHERE e.seq > s.last_seq",
];

/// Everything that is wrong.
pub async fn verify(client: &Client) -> Result<Vec<Problem>, ReadError> {
    let mut problems = Vec::new();
    for question in PROBLEMS {
        for row in client.query(*question, &[]).await.map_err(read_error)? {
            problems.push(Problem {
                place: row.try_get(0).map_err(read_error)?,
                text: row.try_get(1).map_err(read_error)?,
            });
        }
    }
    let wrong = "SELECT digest FROM sx.blobs WHERE sha256(bytes) <> digest";
    for row in client.query(wrong, &[]).await.map_err(read_error)? {
        let digest: Vec<u8> = row.try_get(0).map_err(read_error)?;
        let name = match digest.as_slice().try_into() {
            Ok(digest) => Cid::from_digest(digest).to_string(),
            Err(_) => digest.escape_ascii().to_string(),
        };
        problems.push(Problem {
            place: "blobs".to_owned(),
            text: format!("blob {name}: its content has another name"),
        });
    }
    Ok(problems)
}

const STATS: &str = "SELECT (SELECT count(*) FROM sx.kv), (SELECT count(*) FROM sx.streams), \
    (SELECT count(*) FROM sx.events), (SELECT count(*) FROM sx.blobs), \
    (SELECT coalesce(sum(octet_length(key) + octet_length(value)), 0)::bigint FROM sx.kv) \
    + (SELECT coalesce(sum(octet_length(bytes)), 0)::bigint FROM sx.events) \
    + (SELECT coalesce(sum(octet_length(bytes)), 0)::bigint FROM sx.blobs), \
    (SELECT sum(pg_total_relation_size(c.oid))::bigint FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
     WHERE n.nspname = 'sx' AND c.relkind = 'r')";

/// Counts.
pub async fn stats(client: &Client) -> Result<Stats, ReadError> {
    let row = client
        .query_one(STATS, &[])
        .await
        .map_err(|error| ReadError::Lost(text(&error)))?;
    let number = |column: usize| row.try_get::<_, i64>(column).map(i64::unsigned_abs).map_err(read_error);
    Ok(Stats {
        keys: number(0)?,
        streams: number(1)?,
        events: number(2)?,
        blobs: number(3)?,
        bytes_stored: number(4)?,
        bytes_on_disk: number(5)?,
    })
}
