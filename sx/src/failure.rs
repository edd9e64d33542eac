//! Errors as the machine and the reader report them, made into errors as an embedder sees them.

use crate::error::{Error, TraceFrame};
use sx_interp::eval::EvalError;
use sx_interp::machine::Failure;
use sx_interp::read::SyntaxError;
use sx_runtime::error::{Code, Raise};
use sx_runtime::syntax::Span;

/// What a backtrace calls a function without a name.
const ANONYMOUS: &str = "(anonymous)";

/// An error, and the name that was not bound, if that is what it is about.
pub(crate) struct Found {
    pub error: Error,
    pub undefined: Option<String>,
}

impl From<Found> for Error {
    fn from(found: Found) -> Error {
        found.error
    }
}

/// A run that ended in a failure.
pub(crate) fn of_run(failure: Failure) -> Found {
    let mut error = match failure.syntax.is_empty() {
        true => Error::new(code(&failure.code), failure.message),
        false => of_errors(code(&failure.code), failure.syntax),
    };
    error.irritants = failure.irritants;
    error.span = error.span.take().or(failure.span);
    let frames = failure.backtrace.into_iter().map(|frame| TraceFrame {
        function: if frame.name.is_empty() {
            ANONYMOUS.to_owned()
        } else {
            frame.name
        },
        span: frame.span.unwrap_or_else(Span::none),
    });
    error.trace = frames.collect();
    Found {
        error,
        undefined: failure.undefined,
    }
}

/// A text that is wrong.
pub(crate) fn of_text(wrong: EvalError) -> Error {
    let (code, errors) = wrong.into_parts();
    of_errors(code, errors)
}

pub(crate) fn of_errors(code: Code, errors: Vec<SyntaxError>) -> Error {
    let mut errors = errors.into_iter().map(|wrong| of_syntax(code, wrong));
    let mut first = errors.next().unwrap_or_else(|| Error::new(code, "unreadable text"));
    first.more = errors.collect();
    first
}

fn of_syntax(code: Code, wrong: SyntaxError) -> Error {
    let mut error = Error::new(code, wrong.message).at(wrong.span);
    error.notes = wrong.notes;
    error
}

/// A condition nobody was there to take.
pub(crate) fn of_raise(raise: &Raise) -> Error {
    Error::new(raise.code(), raise.message())
}

fn code(text: &str) -> Code {
    let known = Code::ALL.iter().find(|code| code.text() == text);
    known.copied().unwrap_or(Code::User)
}
