//! `docs/errors.md`: the table of error codes.

use std::fmt::Write as _;
use sx_runtime::error::Code;

/// The page.
pub fn page() -> String {
    let mut page = String::from(
        "# Error codes\n\nGenerated from the table in `runtime/src/error.rs`. A program sees the code with \
         `error-code`, a person in brackets: `error[type]: …`.\n\n\
         | code | raised |\n|---|---|\n",
    );
    for code in Code::ALL {
        // Writing to a string cannot fail.
        let _ = writeln!(page, "| `{}` | {} |", code.text(), code.because());
    }
    page
}
