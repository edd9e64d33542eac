//! `http-listen`: programs that answer HTTP requests.
//!
//! ```text
//! socket ─▶ guard ─▶ hyper ─▶ answer ─▶ a fiber of the program ─▶ response
//! ```
//!
//! The [`guard`] lets through what is well-formed and in time; hyper reads and writes messages;
//! [`answer`] turns each request into a call of the handler. A handler runs on the thread of its
//! isolate, one after the other unless the program says that they may interleave.
//!
//! Deliberately absent: routes, sessions, files; they are SX. Invariant: a client that leaves ends
//! nothing but its connection, and an error in a handler is one response.

mod answer;
mod guard;
mod head;
pub mod limits;
mod listen;
mod message;
mod peer;
mod socket;
mod spool;
mod tls;
mod websocket;

pub use answer::Body;
pub(crate) use guard::Guard;
pub use limits::Limits;
pub(crate) use listen::{Listening, listen};
pub(crate) use message::headers_dict;
pub use peer::Trusted;
pub(crate) use socket::{ACCEPT_PAUSE, Socket};
pub use tls::Tls;
