//! `sx repl`: reads a form, evaluates it, prints its value, until the input ends. On a terminal
//! with a line editor, otherwise from standard input line by line.
//!
//! Invariant: an error or a Ctrl-C ends the form that was running and nothing else.

mod commands;
mod editor;

use crate::run::complain;
use crate::session::Session;
use crate::{FAILED, SUCCESS, USAGE, print};
use std::io::IsTerminal;
use sx::{Source, next_line};

/// What to do after an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Continue,
    Quit,
}

/// Runs the loop.
pub fn repl() -> u8 {
    let mut repl = match Session::start(&[]) {
        Ok(session) => Repl { session, inputs: 0 },
        Err(message) => return complain(&message, USAGE),
    };
    if std::io::stdin().is_terminal() && std::io::stdout().is_terminal() {
        editor::edit(&mut repl)
    } else {
        repl.read_lines()
    }
}

struct Repl {
    session: Session,
    inputs: usize,
}

impl Repl {
    /// Reads inputs from a stream that is not a terminal: no prompt, no editing.
    fn read_lines(&mut self) -> u8 {
        let mut input = String::new();
        loop {
            // An evaluation may read lines too, so there is no more than this one of them here.
            let line = match next_line(|| false) {
                Ok(line) => line,
                Err(error) => return complain(&format!("standard input: {error}"), FAILED),
            };
            let at_end = line.is_none();
            input += &line.unwrap_or_default();
            if at_end || !wants_more(&input) {
                let text = std::mem::take(&mut input);
                if self.input(&text) == Next::Quit || at_end {
                    return SUCCESS;
                }
            }
        }
    }

    /// Handles one whole input: a command or forms.
    fn input(&mut self, text: &str) -> Next {
        let text = text.trim();
        if text.is_empty() {
            return Next::Continue;
        }
        if let Some(command) = text.strip_prefix(',') {
            return commands::run(self, command);
        }
        self.evaluate(text);
        Next::Continue
    }

    fn evaluate(&mut self, text: &str) {
        let source = self.source(text);
        match self.session.run(|isolate| isolate.eval_printed(source)) {
            Ok(value) if value == "nil" => {}
            Ok(value) => print::text(&format!("{value}\n")),
            Err(error) => print::error(&error),
        }
    }

    /// The text as a source with a name of its own.
    fn source(&mut self, text: &str) -> std::sync::Arc<Source> {
        self.inputs += 1;
        Source::new(format!("<repl {}>", self.inputs), text)
    }
}

/// Is the input without its end? A command is one line.
fn wants_more(input: &str) -> bool {
    !input.trim_start().starts_with(',') && sx::is_incomplete(input)
}
