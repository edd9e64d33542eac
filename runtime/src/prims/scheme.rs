//! What R7RS has otherwise than SX, or SX has not: primitives that `lib/r7rs` exports under the
//! names of the report. Their own names begin with `%scheme:`, which errors leave out.
//!
//! Lists made here are chains of pairs. A list that SX made in one piece becomes pairs, in place,
//! the moment Scheme takes its `cdr`; so `eq?` and `set-cdr!` see one and the same pair each time.

mod cxr;
mod lists;
mod numbers;
mod pairs;
mod strings;
mod text;

pub use cxr::CXR;
pub use lists::LISTS;
pub use numbers::NUMBERS;
pub use pairs::PAIRS;
pub use strings::STRINGS;
pub use text::TEXT;
