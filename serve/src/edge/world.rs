//! Ops on the clock, chance, the log and files.

use super::{Answer, Edge, Refusal, Request};
use std::hash::{BuildHasher, Hasher};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use sx::{Code, FromSx, Value};

type Done = Result<Answer, Refusal>;

fn answer(value: impl Into<Value>) -> Done {
    Ok(Answer::Now(Ok(value.into())))
}

pub(super) fn now(_: &Edge, _: &Request<'_>) -> Done {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    answer(since.map_or(0, |since| since.as_millis() as i64))
}

pub(super) fn sleep(_: &Edge, request: &Request<'_>) -> Done {
    let wanted = request.arguments.first().cloned().unwrap_or(Value::Nil);
    let milliseconds = f64::from_sx(wanted.clone())
        .ok()
        .filter(|time| (0.0..1e15).contains(time));
    let Some(milliseconds) = milliseconds else {
        return Err(request.wrong("milliseconds", Some(&wanted)));
    };
    let time = Duration::from_secs_f64(milliseconds / 1000.0);
    Ok(Answer::Later(Box::pin(async move {
        tokio::time::sleep(time).await;
        Ok(Value::Nil)
    })))
}

pub(super) fn random(_: &Edge, request: &Request<'_>) -> Done {
    // Every new state of the standard hasher has a key of its own; for dice, not for secrets.
    let number = std::collections::hash_map::RandomState::new().build_hasher().finish();
    let Some(below) = request.optional(0) else {
        return answer((number >> 11) as f64 / (1u64 << 53) as f64);
    };
    match i64::from_sx(below.clone()) {
        Ok(below) if below > 0 => answer(((u128::from(number) * below as u128) >> 64) as i64),
        _ => Err(request.wrong("a positive integer", Some(below))),
    }
}

pub(super) fn log(edge: &Edge, request: &Request<'_>) -> Done {
    let shown = request.arguments.iter().map(|value| match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    });
    let text = shown.collect::<Vec<_>>().join(" ");
    match edge.request.get() {
        Some(id) => tracing::info!(target: "sx::program", %id, "{text}"),
        None => tracing::info!(target: "sx::program", "{text}"),
    }
    answer(Value::Nil)
}

pub(super) fn file_read(edge: &Edge, request: &Request<'_>) -> Done {
    let path = request.text(0, "a path")?;
    let io = |message: String| Refusal::new(Code::Io, format!("file/read: {message}"));
    let real = edge
        .access
        .borrow()
        .check_read(path)
        .map_err(|error| io(error.to_string()))?;
    let bytes = std::fs::read(real).map_err(|error| io(format!("{path}: {error}")))?;
    answer(String::from_utf8(bytes).map_or_else(|error| Value::Bytes(error.into_bytes()), Value::String))
}
