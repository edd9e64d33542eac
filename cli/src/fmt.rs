//! `sx fmt`: lays programs out anew, in place, or says which are not laid out so.
//!
//! Invariant: a file that does not read is left as it is, and the others are formatted all the same.

use crate::args::FmtArgs;
use crate::files::{read_source, sources};
use crate::run::complain;
use crate::{FAILED, SUCCESS, print};
use std::path::Path;

/// Formats what the command line says.
pub fn fmt(args: &FmtArgs) -> u8 {
    if args.paths.is_empty() {
        return standard_input(args.check);
    }
    let mut code = SUCCESS;
    for path in &args.paths {
        match sources(path) {
            Ok(files) => {
                for file in files {
                    code = code.max(format_file(&file, args.check));
                }
            }
            Err(error) => code = complain(&format!("{}: {error}", path.display()), FAILED),
        }
    }
    code
}

fn standard_input(check: bool) -> u8 {
    let source = match read_source(Path::new("-")) {
        Ok(source) => source,
        Err(message) => return complain(&message, FAILED),
    };
    match sx_tools::format(&source) {
        Ok(text) if check && text != source.text => FAILED,
        Ok(_) if check => SUCCESS,
        Ok(text) => {
            print::text(&text);
            SUCCESS
        }
        Err(error) => {
            print::error(&error);
            FAILED
        }
    }
}

fn format_file(path: &Path, check: bool) -> u8 {
    let source = match read_source(path) {
        Ok(source) => source,
        Err(message) => return complain(&message, FAILED),
    };
    let text = match sx_tools::format(&source) {
        Ok(text) => text,
        Err(error) => {
            print::error(&error);
            return FAILED;
        }
    };
    if text == source.text {
        return SUCCESS;
    }
    if check {
        print::text(&format!("{}\n", path.display()));
        return FAILED;
    }
    match std::fs::write(path, text) {
        Ok(()) => SUCCESS,
        Err(error) => complain(&format!("{}: {error}", path.display()), FAILED),
    }
}
