//! The shared store: a PostgreSQL database that many machines use at once.
//!
//! Reads go over a few connections, many at a time on each; writes over one, grouped
//! ([`writer`]); changes come over another ([`listener`]). A lost connection is made again with
//! growing pauses; reads and writes under way wait for it, up to [`PostgresOptions::patience`].
//!
//! Invariant: the tasks that do this run on a runtime of the store's own, so the store can be
//! used from any thread.

mod audit;
mod link;
mod listener;
mod migrate;
mod query;
mod writer;

use crate::{
    Batch, Cid, Event, ExportError, Feed, OpenError, Page, Pair, Problem, ReadError, Reply, Row, RowSink, Sink, Stats,
    Store, StreamInfo, Subscription, WriteError, Written, promise,
};
use link::{Link, Live, lost, text};
use listener::Listener;
use query::{Parameters, Query, event, page, pair, read_error, stream_info};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::mpsc::{UnboundedSender, channel, unbounded_channel};
use tokio::time::{Instant, sleep, timeout_at};
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{Client, Config, Error, NoTls};
use writer::{Job, Writer};

/// How a database is used.
#[derive(Clone, Copy, Debug)]
pub struct PostgresOptions {
    /// Connections for reading.
    pub readers: usize,
    /// How long a read or write waits for a database that is away.
    pub patience: Duration,
}

impl Default for PostgresOptions {
    fn default() -> PostgresOptions {
        PostgresOptions {
            readers: 4,
            patience: Duration::from_secs(10),
        }
    }
}

/// A store in a database.
pub struct Postgres {
    runtime: Mutex<Option<Runtime>>,
    shared: Arc<Shared>,
    jobs: Mutex<Option<UnboundedSender<Job>>>,
    writer: Mutex<Option<tokio::task::JoinHandle<()>>>,
    feed: Feed,
    config: Config,
}

/// What the tasks that read share.
struct Shared {
    readers: Vec<Link>,
    next: AtomicUsize,
    patience: Duration,
}

impl Shared {
    /// Asks on any connection, again if it is lost under way.
    async fn ask(&self, query: Query, parameters: Parameters) -> Result<Vec<tokio_postgres::Row>, ReadError> {
        let deadline = Instant::now() + self.patience;
        let mut why = None;
        loop {
            let next = self.next.fetch_add(1, Ordering::Relaxed) % self.readers.len();
            let live = match self.readers[next].live(deadline).await {
                Ok(live) => live,
                Err(text) => return Err(ReadError::Lost(why.unwrap_or(text))),
            };
            match timeout_at(deadline, live.query(query, &parameters)).await {
                Ok(Ok(rows)) => return Ok(rows),
                Ok(Err(error)) if lost(&error) => {
                    why = Some(text(&error));
                    sleep(Duration::from_millis(20)).await;
                }
                Ok(Err(error)) => return Err(read_error(error)),
                Err(_) => {
                    live.give_up();
                    return Err(ReadError::Lost("no answer came in time".to_owned()));
                }
            }
        }
    }
}

impl Live {
    /// Asks a prepared question.
    async fn query(&self, query: Query, parameters: &Parameters) -> Result<Vec<tokio_postgres::Row>, Error> {
        let parameters: Vec<&(dyn tokio_postgres::types::ToSql + Sync)> =
            parameters.iter().map(|parameter| parameter.as_ref() as _).collect();
        self.client.query(self.statements.get(query), &parameters).await
    }
}

impl Postgres {
    /// Connects to the database of a URL (`postgres://user:password@host:port/name`) and makes
    /// its tables if they are not there.
    pub fn open(url: &str, options: PostgresOptions) -> Result<Postgres, OpenError> {
        let config = configure(url)?;
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder
            .worker_threads(1)
            .thread_name("sx-postgres")
            .enable_all()
            .build();
        let runtime = runtime.map_err(|error| OpenError::Io {
            path: address(&config),
            text: error.to_string(),
        })?;
        let feed = Feed::default();
        let start = start(config.clone(), options, feed.clone());
        let (shared, jobs, writer) = match block(&runtime, start) {
            Some(started) => started?,
            None => return Err(unreachable(&config, "the connecting thread ended".to_owned())),
        };
        Ok(Postgres {
            runtime: Mutex::new(Some(runtime)),
            shared: Arc::new(shared),
            jobs: Mutex::new(Some(jobs)),
            writer: Mutex::new(Some(writer)),
            feed,
            config,
        })
    }

    fn ask<T: Send + 'static>(
        &self,
        query: Query,
        parameters: Parameters,
        read: impl FnOnce(Vec<tokio_postgres::Row>) -> Result<T, ReadError> + Send + 'static,
    ) -> Reply<Result<T, ReadError>> {
        let runtime = self.runtime.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(runtime) = &*runtime else {
            return Reply::Now(Err(ReadError::Closed));
        };
        let (promise, ticket) = promise();
        let shared = Arc::clone(&self.shared);
        runtime.spawn(async move {
            let rows = shared.ask(query, parameters).await;
            promise.answer(rows.and_then(read));
        });
        ticket.into()
    }

    /// Runs a task with a connection of its own and waits for it.
    fn with_connection<T, F>(&self, task: impl FnOnce(Live) -> F + Send + 'static) -> Result<T, ReadError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, ReadError>> + Send,
    {
        let config = self.config.clone();
        let (promise, ticket) = promise();
        {
            let runtime = self.runtime.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(runtime) = &*runtime else {
                return Err(ReadError::Closed);
            };
            runtime.spawn(async move {
                let outcome = match link::connect_once(&config).await {
                    Ok(live) => task(live).await,
                    Err(error) => Err(ReadError::Lost(text(&error))),
                };
                promise.answer(outcome);
            });
        }
        ticket.wait()
    }
}

/// Runs a task on the runtime and waits for it, also from a thread of another runtime.
fn block<T: Send + 'static>(runtime: &Runtime, task: impl Future<Output = T> + Send + 'static) -> Option<T> {
    let (sender, receiver) = std::sync::mpsc::channel();
    runtime.spawn(async move {
        let _ = sender.send(task.await);
    });
    receiver.recv().ok()
}

/// What a URL says, with our defaults.
fn configure(url: &str) -> Result<Config, OpenError> {
    let wrong = |text: String| OpenError::Unreachable {
        address: "postgres".to_owned(),
        text,
    };
    let mut config: Config = url
        .parse()
        .map_err(|error: Error| wrong(format!("the URL makes no sense: {}", text(&error))))?;
    if config.get_ssl_mode() == SslMode::Require {
        return Err(wrong("sslmode=require is not possible in this build".to_owned()));
    }
    if config.get_application_name().is_none() {
        config.application_name("sx");
    }
    config.connect_timeout(Duration::from_secs(5));
    config.keepalives_idle(Duration::from_secs(10));
    config.tcp_user_timeout(Duration::from_secs(15));
    Ok(config)
}

/// Where a database is, without the password.
fn address(config: &Config) -> String {
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(name)) => name.clone(),
        Some(Host::Unix(path)) => path.display().to_string(),
        None => "localhost".to_owned(),
    };
    let port = config.get_ports().first().copied().unwrap_or(5432);
    let name = config.get_dbname().or(config.get_user()).unwrap_or("");
    format!("postgres://{host}:{port}/{name}")
}

fn unreachable(config: &Config, text: String) -> OpenError {
    OpenError::Unreachable {
        address: address(config),
        text,
    }
}

type Started = (Shared, UnboundedSender<Job>, tokio::task::JoinHandle<()>);

async fn start(config: Config, options: PostgresOptions, feed: Feed) -> Result<Started, OpenError> {
    let mut client = first_connection(&config, options.patience).await?;
    migrate::migrate(&mut client, &address(&config)).await?;
    let failed = |error: Error| unreachable(&config, text(&error));
    let row = client
        .query_one("SELECT nextval('sx.writer'), revision FROM sx.state", &[])
        .await
        .map_err(failed)?;
    let id: i64 = row.try_get(0).map_err(failed)?;
    let revision = row.try_get::<_, i64>(1).map_err(failed)?.unsigned_abs();
    let old = "DELETE FROM sx.writers WHERE at < now() - interval '1 day'";
    client.batch_execute(old).await.map_err(failed)?;
    let (notice, notices) = channel(1);
    let link = Link::start(config.clone(), Some(notice));
    tokio::spawn(Listener { link, feed, revision }.run(notices));
    let (sender, jobs) = unbounded_channel();
    let writer = Writer {
        link: Link::start(config.clone(), None),
        id,
        patience: options.patience,
    };
    let writer = tokio::spawn(writer.run(jobs));
    let readers = (0..options.readers.max(1)).map(|_| Link::start(config.clone(), None));
    let shared = Shared {
        readers: readers.collect(),
        next: AtomicUsize::new(0),
        patience: options.patience,
    };
    Ok((shared, sender, writer))
}

/// Connects; a database that is only starting is waited for.
async fn first_connection(config: &Config, patience: Duration) -> Result<Client, OpenError> {
    let deadline = Instant::now() + patience;
    let mut pause = Duration::from_millis(50);
    loop {
        let error = match config.connect(NoTls).await {
            Ok((client, connection)) => {
                tokio::spawn(connection);
                return Ok(client);
            }
            Err(error) => error,
        };
        // What the server itself refuses, but for "I am starting", it will refuse again.
        let final_word = error.code().is_some() && !lost(&error);
        if final_word || Instant::now() + pause > deadline {
            return Err(unreachable(config, text(&error)));
        }
        sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(1));
    }
}

/// The first column of the first row.
fn first<T: for<'a> tokio_postgres::types::FromSql<'a>>(rows: &[tokio_postgres::Row]) -> Result<Option<T>, ReadError> {
    rows.first().map(|row| row.try_get(0).map_err(read_error)).transpose()
}

impl Store for Postgres {
    fn get(&self, key: &[u8]) -> Reply<Result<Option<Vec<u8>>, ReadError>> {
        self.ask(Query::Get, query::name(key), |rows| first(&rows))
    }
    fn has(&self, key: &[u8]) -> Reply<Result<bool, ReadError>> {
        self.ask(Query::Has, query::name(key), |rows| Ok(!rows.is_empty()))
    }
    fn scan(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Reply<Result<Page<Pair>, ReadError>> {
        let parameters = query::range(prefix, after, limit);
        self.ask(Query::Scan, parameters, move |rows| page(&rows, limit, pair))
    }
    fn keys(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Reply<Result<Page<Vec<u8>>, ReadError>> {
        let parameters = query::range(prefix, after, limit);
        self.ask(Query::Keys, parameters, move |rows| {
            page(&rows, limit, |row| row.try_get(0))
        })
    }
    fn read(&self, stream: &[u8], from: u64, limit: usize) -> Reply<Result<Page<Event>, ReadError>> {
        let parameters = query::events(stream, from, limit);
        self.ask(Query::Read, parameters, move |rows| page(&rows, limit, event))
    }
    fn last_seq(&self, stream: &[u8]) -> Reply<Result<u64, ReadError>> {
        self.ask(Query::LastSeq, query::name(stream), |rows| {
            Ok(first::<i64>(&rows)?.unwrap_or(0).unsigned_abs())
        })
    }
    fn streams(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Reply<Result<Page<StreamInfo>, ReadError>> {
        let parameters = query::range(prefix, after, limit);
        self.ask(Query::Streams, parameters, move |rows| page(&rows, limit, stream_info))
    }
    fn blob(&self, cid: &Cid) -> Reply<Result<Option<Vec<u8>>, ReadError>> {
        self.ask(Query::Blob, query::name(cid.digest()), |rows| first(&rows))
    }
    fn has_blob(&self, cid: &Cid) -> Reply<Result<bool, ReadError>> {
        self.ask(Query::HasBlob, query::name(cid.digest()), |rows| Ok(!rows.is_empty()))
    }

    fn write(&self, batch: Batch) -> Reply<Result<Written, WriteError>> {
        if let Err(error) = batch.check_limits() {
            return Reply::Now(Err(error));
        }
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(jobs) = &*jobs else {
            return Reply::Now(Err(WriteError::Closed));
        };
        let (promise, ticket) = promise();
        // A writer that is gone drops the promise, which answers.
        let _ = jobs.send(Job { batch, promise });
        ticket.into()
    }

    fn subscribe(&self, prefix: &[u8], sink: Sink) -> Subscription {
        self.feed.subscribe(prefix, sink)
    }

    fn export(&self, sink: &mut RowSink<'_>) -> Result<(), ExportError> {
        let (rows, mut receiver) = channel::<Row>(64);
        // The thread that asked receives while another one waits for the task.
        std::thread::scope(|scope| {
            let exporting = scope
                .spawn(move || self.with_connection(move |live| async move { Ok(audit::export(&live, &rows).await) }));
            let mut refused = None;
            while let Some(row) = receiver.blocking_recv() {
                if let Err(text) = sink(row) {
                    refused = Some(text);
                    break;
                }
            }
            drop(receiver);
            let outcome = exporting.join().unwrap_or(Err(ReadError::Closed));
            match refused {
                Some(text) => Err(ExportError::Sink(text)),
                None => outcome?,
            }
        })
    }
    fn verify(&self) -> Result<Vec<Problem>, ReadError> {
        self.with_connection(|live| async move { audit::verify(&live.client).await })
    }
    fn stats(&self) -> Result<Stats, ReadError> {
        self.with_connection(|live| async move { audit::stats(&live.client).await })
    }
    fn close(&self) {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take();
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(runtime) = self.runtime.lock().unwrap_or_else(PoisonError::into_inner).take() else {
            return;
        };
        if let Some(writer) = writer {
            let _ = block(&runtime, writer);
        }
        runtime.shutdown_background();
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.close();
    }
}
