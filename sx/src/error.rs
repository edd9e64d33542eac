//! What an embedder gets instead of a value: what went wrong, where, and the calls that led
//! there. Plain data; `report` turns it into text.
//!
//! Invariant: an error holds no reference into an isolate, so it outlives it and crosses threads.

use crate::convert::Mismatch;
use std::fmt;
use std::ops::{Deref, DerefMut};
use sx_interp::read::SyntaxError;
use sx_runtime::error::Code;
use sx_runtime::syntax::Span;

/// Why there is no value. Its fields are those of `Details`; the box keeps results small.
#[derive(Clone, Debug)]
pub struct Error(Box<Details>);

/// What is known of an error.
#[derive(Clone, Debug)]
pub struct Details {
    /// What kind of error it is.
    pub code: Code,
    /// What `error-message` says: the bare text.
    pub message: String,
    /// The values that `error` was given after the message, each after a space: ` 1 "two"`.
    pub irritants: String,
    /// The place, unless the error has none.
    pub span: Option<Span>,
    /// The calls that led there, innermost first.
    pub trace: Vec<TraceFrame>,
    /// Things worth knowing, each a sentence.
    pub notes: Vec<String>,
    /// What to try.
    pub help: Option<String>,
    /// Further errors of the same text; a reader finds all it can.
    pub more: Vec<Error>,
}

/// A call that was under way.
#[derive(Clone, Debug)]
pub struct TraceFrame {
    /// The name of the function.
    pub function: String,
    /// The place it had reached.
    pub span: Span,
}

impl Error {
    /// An error with a code and a text, without a place.
    pub fn new(code: Code, message: impl Into<String>) -> Error {
        Error(Box::new(Details {
            code,
            message: message.into(),
            irritants: String::new(),
            span: None,
            trace: Vec::new(),
            notes: Vec::new(),
            help: None,
            more: Vec::new(),
        }))
    }
    /// The errors of a text that cannot be read.
    pub fn of_unreadable(errors: Vec<SyntaxError>) -> Error {
        crate::failure::of_errors(Code::Read, errors)
    }
    /// The error of a form that has not its shape.
    pub fn of_form(error: SyntaxError) -> Error {
        crate::failure::of_errors(Code::Syntax, vec![error])
    }
    /// The message with the values it is about.
    pub fn full_message(&self) -> String {
        format!("{}{}", self.message, self.irritants)
    }
    /// The same error at a place.
    pub fn at(mut self, span: Span) -> Error {
        self.span = Some(span);
        self
    }
    /// Was the program interrupted from outside?
    pub fn is_interrupt(&self) -> bool {
        self.code == Code::Interrupt
    }
}

impl Deref for Error {
    type Target = Details;
    fn deref(&self) -> &Details {
        &self.0
    }
}

impl DerefMut for Error {
    fn deref_mut(&mut self) -> &mut Details {
        &mut self.0
    }
}

/// The place and the message on one line; `report` has the long form.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(span) = &self.span {
            write!(f, "{}: ", span.place())?;
        }
        f.write_str(&self.full_message())
    }
}

impl std::error::Error for Error {}

impl From<Mismatch> for Error {
    fn from(mismatch: Mismatch) -> Error {
        Error::new(Code::Type, mismatch.to_string())
    }
}
