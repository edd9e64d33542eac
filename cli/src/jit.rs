//! `sx jit report FILE` and `sx jit dump FUNCTION FILE`: what native code a program got.
//!
//! Deliberately absent: the texts themselves; `lib/core` makes them (`jit-report`,
//! `bytecode-inspect`).

use crate::args::{JitCommand, JitStage};
use crate::files::read_source;
use crate::run::complain;
use crate::session::{Session, exit_code};
use crate::{SUCCESS, USAGE, print};
use std::path::Path;

/// Runs the program, then shows what is asked for.
pub fn jit(command: &JitCommand) -> u8 {
    match command {
        JitCommand::Report { file, arguments } => show(file, arguments, "(jit-report)"),
        JitCommand::Dump { function, file, stage } => {
            let part = match stage {
                JitStage::Bytecode => "(str (join \"\\n\" (get parts :code)) \"\\n\")",
                JitStage::Clif => "(get parts :clif)",
                JitStage::Asm => "(get parts :asm)",
            };
            let text = format!("(let ((parts (bytecode-inspect {function:?} true))) {part})");
            show(file, &[], &text)
        }
    }
}

fn show(file: &Path, arguments: &[String], what: &str) -> u8 {
    let source = match read_source(file) {
        Ok(source) => source,
        Err(message) => return complain(&message, USAGE),
    };
    let command_line = [&[file.display().to_string()], arguments].concat();
    let mut session = match Session::start(&command_line) {
        Ok(session) => session,
        Err(message) => return complain(&message, USAGE),
    };
    let shown = session.run(|isolate| {
        isolate.eval_source(source)?;
        isolate.eval_as::<String>(what)
    });
    match shown {
        Ok(text) => {
            print::text(&text);
            SUCCESS
        }
        failed => exit_code(failed),
    }
}
