//! `sx run FILE` and `sx -e EXPR`: a whole text, form by form.

use crate::session::{Session, exit_code};
use crate::{FAILED, SUCCESS, USAGE, print};
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use sx::Source;

/// Runs the program in a file, or on standard input for `-`.
pub fn file(path: &Path, arguments: &[String]) -> u8 {
    let source = match read_source(path) {
        Ok(source) => source,
        Err(message) => return complain(&message, USAGE),
    };
    let command_line = [&[path.display().to_string()], arguments].concat();
    match Session::start(&command_line) {
        Ok(mut session) => exit_code(session.run(|isolate| isolate.eval_source(source))),
        Err(message) => complain(&message, USAGE),
    }
}

/// Evaluates an expression and prints the value of its last form, unless that is `nil`.
pub fn expression(text: &str, arguments: &[String]) -> u8 {
    let mut session = match Session::start(arguments) {
        Ok(session) => session,
        Err(message) => return complain(&message, USAGE),
    };
    let printed = session.run(|isolate| isolate.eval_printed(Source::new("<command line>", text)));
    match printed {
        Ok(value) => {
            print::text(&format!("{value}\n"));
            SUCCESS
        }
        failed => exit_code(failed),
    }
}

/// Prints a message of ours, which has no place in a program.
pub fn complain(message: &str, code: u8) -> u8 {
    debug_assert!(code == FAILED || code == USAGE);
    print::error_text(&format!("sx: {message}\n"));
    code
}

fn read_source(path: &Path) -> Result<Arc<Source>, String> {
    let (name, bytes) = if path == Path::new("-") {
        let mut bytes = Vec::new();
        let read = std::io::stdin().lock().read_to_end(&mut bytes);
        ("<stdin>".to_owned(), read.map(|_| bytes))
    } else {
        (path.display().to_string(), std::fs::read(path))
    };
    let bytes = bytes.map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => format!("{name}: no such file"),
        std::io::ErrorKind::PermissionDenied => format!("{name}: not permitted"),
        _ => format!("{name}: {error}"),
    })?;
    let text = String::from_utf8(bytes).map_err(|_| format!("{name}: not UTF-8 text"))?;
    Ok(Source::new(name, text))
}
