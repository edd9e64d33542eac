//! `sx run FILE` and `sx -e EXPR`: a whole text, form by form.

use crate::args::RunArgs;
use crate::files::{in_scheme, read_source};
use crate::session::{Session, exit_code};
use crate::{FAILED, SUCCESS, USAGE, print};
use sx::Source;

/// Runs the program in a file, or on standard input for `-`.
pub fn file(args: &RunArgs) -> u8 {
    let source = match read_source(&args.file) {
        Ok(source) if args.r7rs => in_scheme(&source),
        Ok(source) => source,
        Err(message) => return complain(&message, FAILED),
    };
    let command_line = [&[args.file.display().to_string()], &args.arguments[..]].concat();
    crate::serve::run(source, command_line)
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
