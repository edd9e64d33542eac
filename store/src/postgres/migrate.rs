//! Making the tables, and bringing those of an older program up to date.
//!
//! Invariant: a format, once released, is never edited; what changes is a further entry of
//! [`FORMATS`]. Many machines may start at once: one of them does it.

use super::link::text;
use crate::OpenError;
use tokio_postgres::{Client, Error};

/// What leads from each format to the next.
const FORMATS: &[&str] = &[include_str!("schema.sql")];

/// Where the format is written down, so that it can be read whatever the format is.
const PREPARE: &str = "CREATE SCHEMA IF NOT EXISTS sx; \
    CREATE TABLE IF NOT EXISTS sx.format (format bigint NOT NULL);";
/// The lock that whoever migrates holds, of the number of our choice.
const LOCK: &str = "SELECT pg_advisory_xact_lock(7382004015)";

/// Brings the tables up to date.
pub async fn migrate(client: &mut Client, address: &str) -> Result<(), OpenError> {
    let found = run(client, FORMATS).await.map_err(|error| OpenError::Io {
        path: address.to_owned(),
        text: format!("its tables cannot be made: {}", text(&error)),
    })?;
    let known = FORMATS.len() as u64;
    if found > known {
        return Err(OpenError::Newer {
            path: address.to_owned(),
            found,
            known,
        });
    }
    Ok(())
}

/// Goes from the format there is to the last of `formats`; gives the one that was found.
async fn run(client: &mut Client, formats: &[&str]) -> Result<u64, Error> {
    let transaction = client.transaction().await?;
    transaction.batch_execute(LOCK).await?;
    transaction.batch_execute(PREPARE).await?;
    let row = transaction
        .query_one("SELECT coalesce(max(format), 0) FROM sx.format", &[])
        .await?;
    let found = row.try_get::<_, i64>(0)?.unsigned_abs();
    for format in formats.iter().skip(found as usize) {
        transaction.batch_execute(format).await?;
    }
    if found < formats.len() as u64 {
        let now = formats.len() as i64;
        transaction.execute("DELETE FROM sx.format", &[]).await?;
        transaction
            .execute("INSERT INTO sx.format VALUES ($1)", &[&now])
            .await?;
    }
    transaction.commit().await?;
    Ok(found)
}
