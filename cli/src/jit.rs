//! `sx jit report FILE`, `sx jit explain FUNCTION FILE` and `sx jit dump FUNCTION FILE`: what native code a program
//! got.
//!
//! What is asked for is shown however the program ends, and the exit code is the program's.
//! Deliberately absent: the texts themselves; `lib/core` makes them (`jit-report`, `jit-explain`,
//! `bytecode-inspect`).

use crate::args::{JitCommand, JitStage};
use crate::files::read_source;
use crate::run::complain;
use crate::session::{EXIT, Session, fail, wanted_code};
use crate::{SUCCESS, USAGE, print};
use std::path::Path;
use std::sync::Arc;
use sx::{Error, Event, Isolate, Source, Times};

/// Runs the program, then shows what is asked for.
pub fn jit(command: &JitCommand) -> u8 {
    match command {
        JitCommand::Report { file, arguments } => show(file, arguments, "(jit-report)"),
        JitCommand::Explain {
            function,
            file,
            arguments,
        } => show(file, arguments, &format!("(jit-explain {function:?})")),
        JitCommand::Dump { function, file, stage } => {
            let part = match stage {
                JitStage::Bytecode => "(str (join \"\\n\" (get parts :code)) \"\\n\")",
                JitStage::Ir => "(get parts :ir)",
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
    let mut session = match Session::observed(&command_line) {
        Ok(session) => session,
        Err(message) => return complain(&message, USAGE),
    };
    let ended = session.run(|isolate| run(isolate, source));
    let code = ended.unwrap_or_else(|error| fail(&error));
    match session.run(|isolate| isolate.eval_as::<String>(what)) {
        Ok(text) => {
            print::text(&text);
            code
        }
        Err(error) if code == SUCCESS => fail(&error),
        // What is wrong with the question may be due to how the program ended, which has been said.
        Err(_) => code,
    }
}

/// Runs the program to its end; the exit code it wants.
fn run(isolate: &mut Isolate, source: Arc<Source>) -> Result<u8, Error> {
    isolate.begin_source(source, Times::UNLIMITED)?;
    loop {
        match isolate.go_on() {
            Event::Performed { op, arguments } if op == EXIT => return Ok(wanted_code(&arguments)),
            Event::Performed { .. } => isolate.refuse_unhandled(),
            Event::Failed(error) => return Err(error),
            // Without an end of its time a program is not preempted.
            Event::Value(_) | Event::Preempted(_) => return Ok(SUCCESS),
        }
    }
}
