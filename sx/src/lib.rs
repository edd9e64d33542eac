//! The engine: what a program that embeds SX uses.
//!
//! An [`Engine`] makes [`Isolate`]s; an isolate is one running program with a heap of its own.
//! Values cross the border as plain data ([`Value`], or any type that is [`FromSx`] and
//! [`IntoSx`]); procedures and other objects as handles ([`Object`]).
//!
//! ```
//! use sx::Engine;
//!
//! let mut isolate = Engine::new().isolate()?;
//! isolate.eval("(define (area w h) (* w h))")?;
//! let area: i64 = isolate.call("area", (6i64, 7i64))?;
//! assert_eq!(area, 42);
//! # Ok::<(), sx::Error>(())
//! ```
//!
//! A program asks the world for something by an effect, and the embedder answers:
//!
//! ```
//! use sx::{Engine, Value};
//!
//! let mut isolate = Engine::new().isolate()?;
//! isolate.on("price", |arguments| match arguments[0].as_str() {
//!     Some("tea") => Ok(Value::from(3i64)),
//!     _ => Err("we do not sell that".to_owned()),
//! });
//! let total = isolate.eval("(reduce + 0 (map (fn (item) (perform (list \"price\" item))) (list \"tea\" \"tea\")))")?;
//! assert_eq!(total.to_string(), "6");
//! # Ok::<(), sx::Error>(())
//! ```
//!
//! An error is data, with the place and the calls that led there; [`report`](fn@report) is its text:
//!
//! ```
//! use sx::{Engine, Source, Style};
//!
//! let mut isolate = Engine::new().isolate()?;
//! let error = isolate.eval_source(Source::new("a.sx", "(+ 1 \"two\")")).unwrap_err();
//! assert_eq!(error.message, "Expected number, got string");
//! assert!(sx::report(&error, Style::Plain).contains(" --> a.sx:1:1\n"));
//! # Ok::<(), sx::Error>(())
//! ```
//!
//! A program that runs too long or grows too large ends in an error, and the isolate goes on:
//! [`Isolate::interrupt_handle`], [`Options::memory_limit`]. To see what a program does without
//! letting it at the world, give it a [`Simulation`].

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
