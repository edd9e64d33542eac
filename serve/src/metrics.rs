//! What a server counts, and its page in the format of OpenMetrics.
//!
//! Each worker counts for itself, so nothing is shared while requests are served; the page names the
//! worker of each figure. What only the isolate knows is asked of the worker's own thread
//! ([`Question`]), which answers between two requests or not in time.
//!
//! Invariant: every counter is a row of the table, and every row is on the page.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

macro_rules! counts {
    ($($name:ident: $kind:literal $metric:literal $help:literal;)*) => {
        /// What a worker counts.
        #[derive(Debug, Default)]
        pub struct Counts { $(#[doc = $help] pub $name: Count,)* }
        impl Counts {
            fn rows(&self) -> Vec<(&'static str, &'static str, &'static str, i64)> {
                vec![$(($metric, $kind, $help, self.$name.get())),*]
            }
        }
        const ROWS: &[(&str, &str, &str)] = &[$(($metric, $kind, $help)),*];
    };
}

counts! {
    requests: "counter" "sx_requests" "Requests answered";
    client_errors: "counter" "sx_client_errors" "Of them with a status from 400 to 499";
    server_errors: "counter" "sx_server_errors" "Of them with a status of 500 or more";
    failures: "counter" "sx_handler_failures" "Handlers that ended in an error";
    micros: "counter" "sx_request_microseconds" "Time from head to answer, all requests together";
    suspensions: "counter" "sx_suspensions" "Times a handler was put aside to wait";
    preemptions: "counter" "sx_preemptions" "Times a handler gave way at the end of its slice";
    deadlines: "counter" "sx_deadlines" "Times a handler that waited was told that its time is over";
    messages: "counter" "sx_websocket_messages" "Messages on WebSockets, in both directions";
    suspended: "gauge" "sx_suspended" "Handlers that wait";
    connections: "gauge" "sx_connections" "Open connections";
    sockets: "gauge" "sx_websockets" "Open WebSockets";
}

/// A number that counts.
#[derive(Debug, Default)]
pub struct Count(AtomicI64);

impl Count {
    /// One more.
    pub fn up(&self) {
        self.add(1);
    }
    /// One less.
    pub fn down(&self) {
        self.add(-1);
    }
    /// So many more.
    pub fn add(&self, n: i64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }
    fn get(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
    /// One more until the value is dropped.
    pub fn hold(&self) -> Held<'_> {
        self.up();
        Held(self)
    }
}

/// Counted while it lives.
pub struct Held<'c>(&'c Count);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.down();
    }
}

/// Asked of the thread of a worker.
pub enum Question {
    /// The figures of its isolate.
    Figures(oneshot::Sender<sx::Figures>),
    /// What its native tier has done, as text.
    Native(oneshot::Sender<String>),
}

/// A worker that serves.
struct Worker {
    name: String,
    counts: Arc<Counts>,
    ask: mpsc::UnboundedSender<Question>,
}

/// Workers that serve.
#[derive(Default)]
pub struct Workers(Mutex<Vec<Worker>>);

/// What a worker has of this.
pub struct Counted {
    /// What it counts.
    pub counts: Arc<Counts>,
    /// What it is asked.
    pub questions: mpsc::UnboundedReceiver<Question>,
}

/// How long a worker may take to answer a question.
const PATIENCE: Duration = Duration::from_millis(500);

impl Workers {
    /// A worker has begun to serve, maybe in the place of one of the same name.
    pub fn register(&self, name: String) -> Counted {
        let (ask, questions) = mpsc::unbounded_channel();
        let mut workers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = workers.iter().find(|worker| worker.name == name);
        // Counters only rise, whatever happens to the isolate.
        let counts = before.map_or_else(Arc::default, |before| Arc::clone(&before.counts));
        workers.retain(|worker| worker.name != name);
        workers.push(Worker {
            name,
            counts: Arc::clone(&counts),
            ask,
        });
        Counted { counts, questions }
    }

    /// Asks every worker; nothing of one that does not answer in time.
    async fn ask<T>(&self, question: fn(oneshot::Sender<T>) -> Question) -> Vec<(String, Option<T>)> {
        let asked: Vec<_> = {
            let workers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let ask = |worker: &Worker| {
                let (sender, receiver) = oneshot::channel();
                // A worker that has ended drops the question.
                let _ = worker.ask.send(question(sender));
                (worker.name.clone(), receiver)
            };
            workers.iter().map(ask).collect()
        };
        let mut answers = Vec::new();
        for (name, receiver) in asked {
            let answer = tokio::time::timeout(PATIENCE, receiver).await;
            answers.push((name, answer.ok().and_then(Result::ok)));
        }
        answers
    }

    /// What the native tiers of all workers have done, as text.
    pub async fn native(&self) -> String {
        let mut page = String::new();
        for (name, answer) in self.ask(Question::Native).await {
            // Writing to a string cannot fail, here and below.
            let _ = writeln!(page, "worker {name}");
            page.push_str(&answer.unwrap_or_else(|| "busy\n".to_owned()));
        }
        page
    }

    /// The page of all figures.
    pub async fn page(&self, requests_now: usize) -> String {
        let mut page = String::new();
        let counts: Vec<(String, Arc<Counts>)> = {
            let workers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            workers
                .iter()
                .map(|worker| (worker.name.clone(), Arc::clone(&worker.counts)))
                .collect()
        };
        for (index, (metric, kind, help)) in ROWS.iter().enumerate() {
            head(&mut page, metric, kind, help);
            for (name, counts) in &counts {
                row(&mut page, metric, kind, name, counts.rows()[index].3);
            }
        }
        let isolates = self.ask(Question::Figures).await;
        for (metric, kind, help, figure) in OF_ISOLATES {
            head(&mut page, metric, kind, help);
            for (name, figures) in &isolates {
                if let Some(figures) = figures {
                    row(&mut page, metric, kind, name, figure(figures));
                }
            }
        }
        for (metric, kind, help, figure) in OF_PROCESS {
            if let Some(value) = figure(requests_now) {
                head(&mut page, metric, kind, help);
                let _ = writeln!(page, "{metric} {value}");
            }
        }
        page.push_str("# EOF\n");
        page
    }
}

/// A figure of the process: its name, kind and description, and how it is found, where the system
/// says it; requests whose handlers have not ended are given.
type OfProcess = (&'static str, &'static str, &'static str, fn(usize) -> Option<u64>);

const OF_PROCESS: &[OfProcess] = &[
    (
        "sx_requests_now",
        "gauge",
        "Requests whose handlers have not ended, of all workers",
        |requests| Some(requests as u64),
    ),
    (
        "process_resident_memory_bytes",
        "gauge",
        "Memory of the process",
        |_| resident_bytes(),
    ),
];

/// A figure of an isolate: its name, kind and description, and where it is found.
type OfIsolate = (&'static str, &'static str, &'static str, fn(&sx::Figures) -> i64);

const OF_ISOLATES: &[OfIsolate] = &[
    ("sx_heap_bytes", "gauge", "Bytes in the heap", |f| f.heap_bytes as i64),
    ("sx_heap_limit_bytes", "gauge", "Most bytes the heap may take", |f| {
        f.heap_limit_bytes as i64
    }),
    ("sx_collections_minor", "counter", "Collections of young objects", |f| {
        f.collections_minor as i64
    }),
    ("sx_collections_full", "counter", "Collections of everything", |f| {
        f.collections_full as i64
    }),
    ("sx_collection_nanoseconds", "counter", "Time spent collecting", |f| {
        f.pause_ns as i64
    }),
    ("sx_collection_nanoseconds_max", "gauge", "The longest of them", |f| {
        f.pause_ns_max as i64
    }),
    ("sx_native_functions", "counter", "Functions compiled", |f| {
        f.compiled as i64
    }),
    ("sx_native_bytes", "gauge", "Bytes of native code", |f| {
        f.native_bytes as i64
    }),
    ("sx_native_exits", "counter", "Guards of native code that failed", |f| {
        f.exits as i64
    }),
    (
        "sx_resumes",
        "counter",
        "Answers to performs, where there is a native tier",
        |f| f.resumed as i64,
    ),
    (
        "sx_resumes_native",
        "counter",
        "Of them those that native code went on with",
        |f| f.resumed_natively as i64,
    ),
];

fn head(page: &mut String, metric: &str, kind: &str, help: &str) {
    let _ = writeln!(page, "# TYPE {metric} {kind}\n# HELP {metric} {help}.");
}

fn row(page: &mut String, metric: &str, kind: &str, worker: &str, value: i64) {
    let total = if kind == "counter" { "_total" } else { "" };
    let _ = writeln!(page, "{metric}{total}{{worker=\"{worker}\"}} {value}");
}

/// Memory of the process, where the system says so.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kilobytes << 10)
}

/// The rows of the tables, for `docs/host.md`.
pub fn reference() -> String {
    let mut text = String::from("| metric | kind | what |\n|---|---|---|\n");
    let isolates = OF_ISOLATES.iter().map(|(metric, kind, help, _)| (metric, kind, help));
    let process = OF_PROCESS.iter().map(|(metric, kind, help, _)| (metric, kind, help));
    for (metric, kind, help) in ROWS
        .iter()
        .map(|(metric, kind, help)| (metric, kind, help))
        .chain(isolates)
        .chain(process)
    {
        let _ = writeln!(text, "| `{metric}` | {kind} | {help} |");
    }
    text
}
