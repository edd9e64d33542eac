//! The ops that are answered outside of programs, as one table.
//!
//! An op whose answer is at hand is answered at once ([`Answer::Now`]); any other one is a future
//! ([`Answer::Later`]), and the program that performed it is put aside meanwhile. Reads of the
//! embedded store are of the first kind, writes of the second.
//!
//! Invariant: what has no row here is not answered; nothing is ever answered with a made-up value.

mod encode;
mod persist;
mod request;
mod texts;
mod tls;
mod world;

pub use texts::Texts;

use crate::networks::Networks;
use crate::request_id::RequestId;
use std::cell::{Cell, OnceCell, RefCell};
use std::fmt::Write as _;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use sx::{Access, Code, Value};
use sx_store::Store;

/// Why a `perform` raises.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The code of the error.
    pub code: Code,
    /// Its message.
    pub message: String,
}

impl Refusal {
    /// A refusal of a kind.
    pub fn new(code: Code, message: impl Into<String>) -> Refusal {
        Refusal {
            code,
            message: message.into(),
        }
    }
}

/// An answer that comes later.
pub type Later = Pin<Box<dyn Future<Output = Result<Value, Refusal>>>>;

/// What an op is answered with.
pub enum Answer {
    /// The answer.
    Now(Result<Value, Refusal>),
    /// Where it will come from.
    Later(Later),
    /// The same; others take their turn meanwhile, so it may take as long as it likes.
    Aside(Later),
    /// There is no such op.
    Unknown,
}

/// What is needed to answer.
pub struct Edge {
    /// Which files may be read.
    access: RefCell<Access>,
    store: Option<Arc<dyn Store>>,
    /// Addresses that `http/request` may reach though they are not public.
    reachable: Rc<Networks>,
    /// The request that a program runs for, which the log names.
    request: Cell<Option<RequestId>>,
    /// Drives what is waited for outside of a server.
    runtime: OnceCell<tokio::runtime::Runtime>,
}

/// The arguments of an op that is being answered.
pub(crate) struct Request<'r> {
    op: &'static str,
    arguments: &'r [Value],
}

/// A row of the table.
pub(crate) struct Op {
    /// The name.
    name: &'static str,
    arguments: &'static str,
    answer: &'static str,
    errors: &'static str,
    run: fn(&Edge, &Request<'_>) -> Result<Answer, Refusal>,
}

impl Op {
    /// Can it be given that many arguments? Those in brackets may be left out, and dots stand for any
    /// number.
    fn check(&self, count: usize) -> Result<(), Refusal> {
        let words = || self.arguments.split_whitespace();
        let least = words().filter(|word| !word.starts_with('[')).count();
        let most = if self.arguments.contains('…') {
            usize::MAX
        } else {
            words().count()
        };
        if (least..=most).contains(&count) {
            return Ok(());
        }
        let wanted = match self.arguments {
            "" => "no arguments".to_owned(),
            arguments => arguments.to_owned(),
        };
        let got = match count {
            1 => "1 argument".to_owned(),
            count => format!("{count} arguments"),
        };
        Err(Refusal::new(
            Code::Arity,
            format!("{}: expected {wanted}, got {got}", self.name),
        ))
    }
}

macro_rules! ops {
    ($($name:literal ($arguments:literal) $answer:literal, $errors:expr => $run:path;)*) => {
        /// Every op.
        pub(crate) const OPS: &[Op] = &[$(Op {
            name: $name,
            arguments: $arguments,
            answer: $answer,
            errors: $errors,
            run: $run,
        }),*];
    };
}

/// What can go wrong with the store.
const STORE: &str = "`type` for a wrong argument; `io` when the store cannot be read or written";
/// The same where a value is kept.
const KEPT: &str = "as above; `type` for a value that cannot be kept";

ops! {
    "now" ("") "milliseconds since 1970", "none" => world::now;
    "sleep" ("milliseconds") "nil, after so long", "`type` for anything but a number that is not negative" => world::sleep;
    "random" ("[below]") "a float from 0 to 1, or an integer from 0 to below `below`", "`type` for anything but a positive integer" => world::random;
    "log" ("text [more…]") "nil; the text goes to the log", "none" => world::log;
    "file/read" ("path") "the text of a file, a bytevector if it is not UTF-8", "`io` where there is no such file or it may not be read" => world::file_read;
    "http/request" ("url [options]") "a dict of `:status :url :headers :body :body-bytes`", "`type` for a wrong argument; `io` where there is no answer in time, none that is small enough, or an address that is not public" => request::http_request;
    "persist/kv-get" ("key") "the value of the key, nil if it has none", STORE => persist::kv_get;
    "persist/kv-has?" ("key") "whether the key has a value", STORE => persist::kv_has;
    "persist/kv-put" ("key value") "the value, when it is durable", KEPT => persist::kv_put;
    "persist/kv-delete" ("key") "whether the key had a value, when that is durably gone", STORE => persist::kv_delete;
    "persist/kv-keys" ("[prefix]") "the keys that begin with the prefix, in order", STORE => persist::kv_keys;
    "persist/kv-scan" ("[prefix]") "a list (key value) for each of them", STORE => persist::kv_scan;
    "persist/kv-cas" ("key expected value") "the value, if the key had the expected one (nil: or none); else `{:conflict true :expected :actual}`, and nothing was written", KEPT => persist::kv_cas;
    "persist/kv-batch" ("changes") "how many there were; each is (\"put\" key value) or (\"delete\" key), and all of them happen or none", KEPT => persist::kv_batch;
    "persist/append" ("stream type ts data") "the event `{:stream :seq :type :ts :data}`, when it is durable", KEPT => persist::append;
    "persist/append-expect" ("stream seq type ts data") "the same, if the last number of the stream is `seq`; else a conflict", KEPT => persist::append_expect;
    "persist/read" ("stream [from] [limit]") "the events from that number on, in order", STORE => persist::read;
    "persist/last-seq" ("stream") "the last number given, 0 if none was", STORE => persist::last_seq;
    "persist/truncate" ("stream seq") "how many events up to that number were there and are gone", STORE => persist::truncate;
    "persist/streams" ("[prefix]") "the names of streams, in order", STORE => persist::streams;
    "blob/put" ("bytes [mime]") "the reference `{:cid :size :mime}`, when the blob is durable", STORE => persist::blob_put;
    "blob/get" ("cid") "the bytes, nil if there is no such blob; a reference may be given", STORE => persist::blob_get;
    "blob/has?" ("cid") "whether there is such a blob", STORE => persist::blob_has;
}

impl Default for Edge {
    fn default() -> Edge {
        Edge {
            access: RefCell::new(Access::Unrestricted),
            store: None,
            reachable: Rc::default(),
            request: Cell::default(),
            runtime: OnceCell::new(),
        }
    }
}

impl Edge {
    /// An edge with a store.
    pub fn with_store(store: Option<Arc<dyn Store>>) -> Edge {
        Edge {
            store,
            ..Edge::default()
        }
    }

    /// The same edge, of which `http/request` may reach these addresses too.
    pub fn reaching(self, networks: Networks) -> Edge {
        Edge {
            reachable: Rc::new(networks),
            ..self
        }
    }

    /// The store, if there is one.
    pub fn store(&self) -> Option<Arc<dyn Store>> {
        self.store.clone()
    }

    /// What is performed from now on is for this request.
    pub fn set_request(&self, id: Option<RequestId>) {
        self.request.set(id);
    }

    /// From now on these files may be read only.
    pub fn set_access(&self, access: Access) {
        *self.access.borrow_mut() = access;
    }

    /// Answers an op, or says how.
    pub fn perform(&self, op: &str, arguments: &[Value]) -> Answer {
        let Some(row) = OPS.iter().find(|row| row.name == op) else {
            return Answer::Unknown;
        };
        let request = Request {
            op: row.name,
            arguments,
        };
        let done = row.check(arguments.len()).and_then(|()| (row.run)(self, &request));
        done.unwrap_or_else(|refusal| Answer::Now(Err(refusal)))
    }

    /// Waits for an answer, outside of a server.
    pub fn wait(&self, answer: Later) -> Result<Value, Refusal> {
        let runtime = match self.runtime.get() {
            Some(runtime) => runtime,
            None => {
                let built = tokio::runtime::Builder::new_current_thread().enable_all().build();
                let built = built.map_err(|error| Refusal::new(Code::Io, error.to_string()))?;
                self.runtime.get_or_init(|| built)
            }
        };
        runtime.block_on(answer)
    }
}

impl<'r> Request<'r> {
    /// An argument, if it was given and is not nil.
    fn optional(&self, index: usize) -> Option<&'r Value> {
        self.arguments.get(index).filter(|value| !matches!(value, Value::Nil))
    }
    /// An argument that has to be text.
    fn text(&self, index: usize, what: &str) -> Result<&'r str, Refusal> {
        self.arguments
            .get(index)
            .and_then(Value::as_str)
            .ok_or_else(|| self.wrong(what, self.arguments.get(index)))
    }
    fn wrong(&self, what: &str, got: Option<&Value>) -> Refusal {
        let got = got.map_or("nothing", Value::type_name);
        Refusal::new(Code::Type, format!("{}: expected {what}, got {got}", self.op))
    }
}

/// The names of all ops.
pub fn names() -> impl Iterator<Item = &'static str> {
    OPS.iter().map(|op| op.name)
}

/// The rows of the table, for `docs/host.md`.
pub fn reference() -> String {
    let mut text = String::from("| op | arguments | answer | errors |\n|---|---|---|---|\n");
    for op in OPS {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {} |",
            op.name, op.arguments, op.answer, op.errors
        );
    }
    text
}
