//! The libraries that come with SX as texts: R7RS-small. They are read when a program imports them,
//! so a program that does not pays nothing.
//!
//! A file `scheme/base.sx` holds the library `(scheme base)`.

use std::sync::{Arc, OnceLock};
use sx_runtime::syntax::Source;

macro_rules! texts {
    ($($name:literal)*) => {
        /// Name and text of each.
        const TEXTS: &[(&str, &str)] =
            &[$((concat!($name, ".sx"), include_str!(concat!("../../lib/r7rs/", $name, ".sx")))),*];
    };
}

texts! {
    "scheme/base"
    "scheme/case-lambda"
    "scheme/char"
    "scheme/complex"
    "scheme/cxr"
    "scheme/eval"
    "scheme/file"
    "scheme/inexact"
    "scheme/lazy"
    "scheme/load"
    "scheme/process-context"
    "scheme/r5rs"
    "scheme/read"
    "scheme/repl"
    "scheme/time"
    "scheme/write"
}

/// The texts, by file name.
pub fn texts() -> &'static [Arc<Source>] {
    static SOURCES: OnceLock<Vec<Arc<Source>>> = OnceLock::new();
    SOURCES.get_or_init(|| TEXTS.iter().map(|(name, text)| Source::new(*name, *text)).collect())
}
