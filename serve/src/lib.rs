//! What makes programs available to others: HTTP, the epoch protocol for a parent process, and the
//! edge, where performed ops are answered.
//!
//! A program that serves is one isolate on one thread ([`program`]): requests are fibers of it.
//! More workers are more threads, each with an isolate of its own.
//!
//! Deliberately absent: the command line, raw words, anything that runs code; an isolate is driven
//! through the crate `sx`.

mod admin;
pub mod app;
pub mod edge;
pub mod epoch;
mod host;
pub mod http;
pub mod log;
pub mod memory;
mod metrics;
mod nameless;
mod networks;
mod program;
mod reference;
mod reload;
mod request_id;
mod signals;
mod ticker;
mod watch;
mod worker;

pub use admin::Admin;
pub use app::{App, Prepared, Stop};
pub use edge::Edge;
pub use http::{Limits, Tls, Trusted};
pub use nameless::nameless_file;
pub use networks::Networks;
pub use reference::reference;
