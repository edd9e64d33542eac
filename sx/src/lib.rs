//! The engine: what a program that embeds SX uses.

pub mod convert;
pub mod corpus;
pub mod error;
pub mod report;
pub mod suggest;
pub mod value;

pub use convert::{Arguments, FromSx, IntoSx, Mismatch};
pub use error::{Error, TraceFrame};
pub use report::{Style, report};
pub use sx_runtime::error::Code;
pub use sx_runtime::num::Num;
pub use sx_runtime::syntax::{Source, Span};
pub use value::{Object, Value};
