//! The engine: what a program that embeds SX uses.
//!
//! An [`Engine`] makes [`Isolate`]s; an isolate is one running program with a heap of its own.
//! Values cross the border as plain data ([`Value`], or any type that is [`FromSx`] and
//! [`IntoSx`]); procedures and other objects as handles ([`Object`]). The world answers effects
//! by [`Isolate::on`]. An [`Error`] is data, and [`report`](fn@report) is its text. A program that
//! runs too long or grows too large ends in an error, and the isolate goes on
//! ([`Isolate::interrupt_handle`], [`Options::memory_limit`]). To see what a program does without
//! letting it at the world, give it a [`Simulation`].

pub mod convert;
pub mod corpus;
mod data;
pub mod engine;
pub mod error;
mod explore;
mod failure;
pub mod fiber;
mod host;
mod image;
pub mod isolate;
pub mod report;
pub mod suggest;
mod transfer;
pub mod value;

/// What holds for the native code of the whole process.
#[cfg(feature = "jit")]
pub mod native {
    pub use sx_jit::{Absence, Profile, Settings, available, configure};
}

pub use convert::{Arguments, FromSx, IntoSx, Mismatch};
pub use data::read_data;
pub use engine::{Engine, Native, Options, Stress, Tuning};
pub use error::{Error, TraceFrame};
pub use fiber::{Event, Fiber, Times};
pub use host::{InterruptHandle, Simulation};
pub use image::bundle;
pub use isolate::{Figures, Isolate};
pub use report::{Style, report, report_warning};
pub use sx_interp::read::is_incomplete;
pub use sx_runtime::error::Code;
pub use sx_runtime::host::{Access, FileInfo, Host, HostError, RealHost, Stream, next_line};
pub use sx_runtime::num::Num;
pub use sx_runtime::syntax::{Language, Source, Span};
pub use value::{Object, Value};
