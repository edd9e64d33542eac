//! The engine: what a program that embeds SX uses.

pub mod convert;
pub mod corpus;
pub mod engine;
pub mod error;
mod explore;
mod failure;
mod host;
mod image;
pub mod isolate;
pub mod report;
pub mod suggest;
mod transfer;
pub mod value;

pub use convert::{Arguments, FromSx, IntoSx, Mismatch};
pub use engine::{Engine, Options, Stress};
pub use error::{Error, TraceFrame};
pub use host::{InterruptHandle, Simulation};
pub use isolate::Isolate;
pub use report::{Style, report};
pub use sx_interp::read::is_incomplete;
pub use sx_runtime::error::Code;
pub use sx_runtime::num::Num;
pub use sx_runtime::syntax::{Source, Span};
pub use value::{Object, Value};
