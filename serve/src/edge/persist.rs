//! Ops on the durable store: pairs, logs, blobs.
//!
//! Each is one future over the store. What the embedded store can say at once is there at the first
//! poll, so reads do not put the program aside; a write is there when it is durable.

use super::encode::{decode, encode, same};
use super::{Answer, Edge, Refusal, Request};
use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use sx::{Code, FromSx, Value};
use sx_store::{Batch, Cid, Event, Page, ReadError, Reply, Store, Write, WriteError};

type Done = Result<Answer, Refusal>;
type Made = Result<Value, Refusal>;

/// Rows asked for at a time.
const PAGE: usize = 1000;
/// How often a compare-and-set is tried again when others keep changing the key.
const TRIES_MAX: usize = 1000;

impl Request<'_> {
    fn key(&self, index: usize, what: &str) -> Result<Vec<u8>, Refusal> {
        self.text(index, what).map(|text| text.as_bytes().to_vec())
    }
    fn value(&self, index: usize) -> &Value {
        self.arguments.get(index).unwrap_or(&Value::Nil)
    }
    fn encoded(&self, value: &Value) -> Result<Vec<u8>, Refusal> {
        encode(value).map_err(|wrong| Refusal::new(Code::Type, format!("{}: {wrong}", self.op)))
    }
    fn count(&self, index: usize, what: &str) -> Result<u64, Refusal> {
        let value = self.value(index);
        u64::from_sx(value.clone()).map_err(|_| self.wrong(what, Some(value)))
    }
}

impl From<ReadError> for Refusal {
    fn from(error: ReadError) -> Refusal {
        Refusal::new(Code::Io, error.to_string())
    }
}

impl From<WriteError> for Refusal {
    fn from(error: WriteError) -> Refusal {
        Refusal::new(Code::Io, error.to_string())
    }
}

async fn got<T>(reply: Reply<T>) -> T {
    match reply {
        Reply::Now(answer) => answer,
        Reply::Later(ticket) => ticket.await,
    }
}

/// The answer, if the future has it at once.
fn start(future: impl Future<Output = Made> + 'static) -> Done {
    let mut future = Box::pin(future);
    let mut cx = Context::from_waker(Waker::noop());
    Ok(match future.as_mut().poll(&mut cx) {
        Poll::Ready(made) => Answer::Now(made),
        Poll::Pending => Answer::Later(future),
    })
}

/// Does what an op asks of the store; without a store nobody services it.
fn with_store<F: Future<Output = Made> + 'static>(edge: &Edge, work: impl FnOnce(Arc<dyn Store>) -> F) -> Done {
    match edge.store() {
        Some(store) => start(work(store)),
        None => Ok(Answer::Unknown),
    }
}

fn decoded(bytes: &[u8]) -> Made {
    decode(bytes).ok_or_else(|| Refusal::new(Code::Io, "the store holds a value that this program cannot read"))
}

fn text_of(name: Vec<u8>) -> Value {
    Value::String(
        String::from_utf8(name).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
    )
}

fn conflict(expected: Value, actual: Value) -> Value {
    let entries = [
        ("conflict", Value::from(true)),
        ("expected", expected),
        ("actual", actual),
    ];
    Value::Dict(entries.map(|(key, value)| (key.to_owned(), value)).into())
}

pub(super) fn kv_get(edge: &Edge, request: &Request<'_>) -> Done {
    let key = request.key(0, "a key")?;
    with_store(edge, |store| async move {
        match got(store.get(&key)).await? {
            Some(bytes) => decoded(&bytes),
            None => Ok(Value::Nil),
        }
    })
}

pub(super) fn kv_has(edge: &Edge, request: &Request<'_>) -> Done {
    let key = request.key(0, "a key")?;
    with_store(
        edge,
        |store| async move { Ok(Value::from(got(store.has(&key)).await?)) },
    )
}

pub(super) fn kv_put(edge: &Edge, request: &Request<'_>) -> Done {
    let (key, value) = (request.key(0, "a key")?, request.value(1).clone());
    let batch = Batch::new().put(key, request.encoded(&value)?);
    with_store(edge, |store| async move {
        got(store.write(batch)).await?;
        Ok(value)
    })
}

pub(super) fn kv_delete(edge: &Edge, request: &Request<'_>) -> Done {
    let (op, key) = (request.op, request.key(0, "a key")?);
    with_store(edge, move |store| async move {
        change_pair(&store, op, key.clone(), |before| {
            Ok(match before {
                Some(_) => Change::Write(Batch::new().delete(key.clone()), Value::from(true)),
                None => Change::Nothing(Value::from(false)),
            })
        })
        .await
    })
}

/// What is to become of a pair, and the answer.
enum Change {
    Nothing(Value),
    Write(Batch, Value),
}

/// Changes a pair as `decide` says when given its bytes, while nobody else changes it.
async fn change_pair(
    store: &Arc<dyn Store>,
    op: &str,
    key: Vec<u8>,
    decide: impl Fn(Option<&[u8]>) -> Result<Change, Refusal>,
) -> Made {
    for _ in 0..TRIES_MAX {
        let before = got(store.get(&key)).await?;
        let (batch, answer) = match decide(before.as_deref())? {
            Change::Nothing(answer) => return Ok(answer),
            Change::Write(batch, answer) => (batch, answer),
        };
        match got(store.write(batch.check(key.clone(), before.as_deref()))).await {
            Ok(_) => return Ok(answer),
            Err(WriteError::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Refusal::new(Code::Io, format!("{op}: the key changes all the time")))
}

pub(super) fn kv_keys(edge: &Edge, request: &Request<'_>) -> Done {
    let prefix = prefix(request, 0)?;
    with_store(edge, |store| async move {
        let mut keys: Vec<Vec<u8>> = Vec::new();
        loop {
            let page: Page<Vec<u8>> = got(store.keys(&prefix, keys.last().map(Vec::as_slice), PAGE)).await?;
            keys.extend(page.rows);
            if !page.more {
                return Ok(Value::List(keys.into_iter().map(text_of).collect()));
            }
        }
    })
}

pub(super) fn kv_scan(edge: &Edge, request: &Request<'_>) -> Done {
    let prefix = prefix(request, 0)?;
    with_store(edge, |store| async move {
        let (mut rows, mut last): (Vec<Value>, Option<Vec<u8>>) = (Vec::new(), None);
        loop {
            let page = got(store.scan(&prefix, last.as_deref(), PAGE)).await?;
            for (key, bytes) in page.rows {
                rows.push(Value::List(vec![text_of(key.clone()), decoded(&bytes)?]));
                last = Some(key);
            }
            if !page.more {
                return Ok(Value::List(rows));
            }
        }
    })
}

fn prefix(request: &Request<'_>, index: usize) -> Result<Vec<u8>, Refusal> {
    match request.optional(index) {
        None => Ok(Vec::new()),
        Some(_) => request.key(index, "a prefix"),
    }
}

pub(super) fn kv_cas(edge: &Edge, request: &Request<'_>) -> Done {
    let (op, key) = (request.op, request.key(0, "a key")?);
    let (expected, new) = (request.value(1).clone(), request.value(2).clone());
    let bytes = request.encoded(&new)?;
    with_store(edge, move |store| async move {
        change_pair(&store, op, key.clone(), |before| {
            let actual = before.map_or(Ok(Value::Nil), decoded)?;
            Ok(match same(&actual, &expected) {
                true => Change::Write(Batch::new().put(key.clone(), bytes.clone()), new.clone()),
                false => Change::Nothing(conflict(expected.clone(), actual)),
            })
        })
        .await
    })
}

pub(super) fn kv_batch(edge: &Edge, request: &Request<'_>) -> Done {
    let changes = request.value(0);
    let Some(rows) = changes.as_slice() else {
        return Err(request.wrong("a list of changes", Some(changes)));
    };
    let mut batch = Batch::new();
    for row in rows {
        let parts: Vec<&Value> = row.as_slice().unwrap_or_default().iter().collect();
        let words: Vec<Option<&str>> = parts.iter().map(|part| part.as_str()).collect();
        batch = match (words.as_slice(), parts.as_slice()) {
            ([Some("put"), Some(key), _], [_, _, value]) => batch.put(*key, request.encoded(value)?),
            ([Some("delete"), Some(key)], _) => batch.delete(*key),
            _ => {
                let message = format!(
                    "{}: expected (\"put\" key value) or (\"delete\" key), got {row}",
                    request.op
                );
                return Err(Refusal::new(Code::Type, message));
            }
        };
    }
    let count = rows.len();
    with_store(edge, |store| async move {
        got(store.write(batch)).await?;
        Ok(Value::from(count))
    })
}

/// An event on its way into a log: its type, time and data.
struct NewEvent {
    stream: Vec<u8>,
    parts: Vec<Value>,
    bytes: Vec<u8>,
}

impl NewEvent {
    fn of(request: &Request<'_>, rest: usize) -> Result<NewEvent, Refusal> {
        let parts: Vec<Value> = (rest..rest + 3).map(|index| request.value(index).clone()).collect();
        Ok(NewEvent {
            stream: request.key(0, "a stream")?,
            bytes: request.encoded(&Value::List(parts.clone()))?,
            parts,
        })
    }
}

fn event_of(stream: Vec<u8>, seq: u64, parts: Vec<Value>) -> Value {
    let mut parts = parts.into_iter();
    let mut part = || parts.next().unwrap_or(Value::Nil);
    let entries = [
        ("stream", text_of(stream)),
        ("seq", Value::from(seq as i64)),
        ("type", part()),
        ("ts", part()),
        ("data", part()),
    ];
    Value::Dict(entries.map(|(key, value)| (key.to_owned(), value)).into())
}

pub(super) fn append(edge: &Edge, request: &Request<'_>) -> Done {
    let event = NewEvent::of(request, 1)?;
    with_store(edge, |store| async move {
        let batch = Batch::new().append(event.stream.clone(), event.bytes);
        let written = got(store.write(batch)).await?;
        let seq = written.seqs.first().copied().unwrap_or(0);
        Ok(event_of(event.stream, seq, event.parts))
    })
}

pub(super) fn append_expect(edge: &Edge, request: &Request<'_>) -> Done {
    let expected = request.count(1, "the number of the last event")?;
    let event = NewEvent::of(request, 2)?;
    with_store(edge, |store| async move {
        let batch = Batch::new()
            .check_seq(event.stream.clone(), expected)
            .append(event.stream.clone(), event.bytes);
        match got(store.write(batch)).await {
            Ok(written) => {
                let seq = written.seqs.first().copied().unwrap_or(0);
                Ok(event_of(event.stream, seq, event.parts))
            }
            Err(WriteError::Conflict { .. }) => {
                let actual = got(store.last_seq(&event.stream)).await?;
                Ok(conflict(Value::from(expected as i64), Value::from(actual as i64)))
            }
            Err(error) => Err(error.into()),
        }
    })
}

pub(super) fn read(edge: &Edge, request: &Request<'_>) -> Done {
    let stream = request.key(0, "a stream")?;
    let mut from = match request.optional(1) {
        None => 0,
        Some(_) => request.count(1, "the number of the first event")?,
    };
    let limit = match request.optional(2) {
        None => usize::MAX,
        Some(_) => usize::try_from(request.count(2, "a number of events")?).unwrap_or(usize::MAX),
    };
    with_store(edge, |store| async move {
        let mut events = Vec::new();
        while events.len() < limit {
            let page: Page<Event> = got(store.read(&stream, from, PAGE.min(limit - events.len()))).await?;
            for event in page.rows {
                from = event.seq + 1;
                let parts = match decoded(&event.bytes)? {
                    Value::List(parts) => parts,
                    // An event that came from elsewhere is data alone.
                    data => vec![Value::Nil, Value::Nil, data],
                };
                events.push(event_of(stream.clone(), event.seq, parts));
            }
            if !page.more {
                break;
            }
        }
        Ok(Value::List(events))
    })
}

pub(super) fn last_seq(edge: &Edge, request: &Request<'_>) -> Done {
    let stream = request.key(0, "a stream")?;
    with_store(edge, |store| async move {
        Ok(Value::from(got(store.last_seq(&stream)).await? as i64))
    })
}

pub(super) fn truncate(edge: &Edge, request: &Request<'_>) -> Done {
    let (stream, through) = (request.key(0, "a stream")?, request.count(1, "the number of an event")?);
    with_store(edge, |store| async move {
        let before = events_in(&store, &stream).await?;
        if before > 0 {
            let write = Write::Truncate {
                stream: stream.clone(),
                through,
            };
            got(store.write(Batch::new().with(write))).await?;
        }
        let after = events_in(&store, &stream).await?;
        Ok(Value::from(before.saturating_sub(after) as i64))
    })
}

async fn events_in(store: &Arc<dyn Store>, stream: &[u8]) -> Result<u64, Refusal> {
    let page = got(store.streams(stream, None, 1)).await?;
    let exact = page.rows.into_iter().find(|info| info.name == stream);
    Ok(exact.map_or(0, |info| info.events))
}

pub(super) fn streams(edge: &Edge, request: &Request<'_>) -> Done {
    let prefix = prefix(request, 0)?;
    with_store(edge, |store| async move {
        let mut names: Vec<Vec<u8>> = Vec::new();
        loop {
            let page = got(store.streams(&prefix, names.last().map(Vec::as_slice), PAGE)).await?;
            names.extend(page.rows.into_iter().map(|info| info.name));
            if !page.more {
                return Ok(Value::List(names.into_iter().map(text_of).collect()));
            }
        }
    })
}

pub(super) fn blob_put(edge: &Edge, request: &Request<'_>) -> Done {
    let bytes = match request.value(0) {
        Value::Bytes(bytes) => bytes.clone(),
        Value::String(text) => text.clone().into_bytes(),
        other => return Err(request.wrong("a bytevector or a string", Some(other))),
    };
    let mime = match request.optional(1) {
        None => "application/octet-stream",
        Some(_) => request.text(1, "a media type")?,
    };
    let reference = [
        ("cid", Value::String(Cid::of(&bytes).to_string())),
        ("size", Value::from(bytes.len())),
        ("mime", Value::from(mime)),
    ];
    let reference = Value::Dict(reference.map(|(key, value)| (key.to_owned(), value)).into());
    with_store(edge, |store| async move {
        got(store.write(Batch::new().put_blob(bytes))).await?;
        Ok(reference)
    })
}

/// The name of a blob, given itself or a reference.
fn cid(request: &Request<'_>) -> Result<Cid, Refusal> {
    let value = request.value(0);
    let text = value.as_str().or_else(|| value.get("cid").and_then(Value::as_str));
    let cid = text.and_then(Cid::read);
    cid.ok_or_else(|| request.wrong("the name of a blob or a reference to it", Some(value)))
}

pub(super) fn blob_get(edge: &Edge, request: &Request<'_>) -> Done {
    let cid = cid(request)?;
    with_store(edge, |store| async move {
        Ok(got(store.blob(&cid)).await?.map_or(Value::Nil, Value::Bytes))
    })
}

pub(super) fn blob_has(edge: &Edge, request: &Request<'_>) -> Done {
    let cid = cid(request)?;
    with_store(edge, |store| async move {
        Ok(Value::from(got(store.has_blob(&cid)).await?))
    })
}
