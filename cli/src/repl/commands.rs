//! The commands of the REPL: one table of name, argument, help and function.

use super::{Next, Repl};
use crate::{doc, print};
use std::time::Instant;

/// A command.
pub struct Command {
    /// What is typed behind the comma.
    pub name: &'static str,
    /// What it takes, for `,help`.
    pub argument: &'static str,
    /// One line.
    pub help: &'static str,
    run: fn(&mut Repl, &str) -> Next,
}

/// Every command, in alphabetical order.
pub const COMMANDS: &[Command] = &[
    Command {
        name: "bytecode",
        argument: "EXPR",
        help: "the instructions EXPR compiles to; for a name, those of its function",
        run: bytecode,
    },
    Command {
        name: "doc",
        argument: "NAME",
        help: "the documentation of NAME",
        run: document,
    },
    Command {
        name: "help",
        argument: "",
        help: "this list",
        run: help,
    },
    Command {
        name: "quit",
        argument: "",
        help: "leave, as does Ctrl-D",
        run: |_, _| Next::Quit,
    },
    Command {
        name: "time",
        argument: "EXPR",
        help: "evaluate EXPR and tell how long it took",
        run: time,
    },
    Command {
        name: "trace",
        argument: "EXPR",
        help: "evaluate EXPR and show each instruction with the slots it saw",
        run: trace,
    },
];

/// Runs the command line behind a comma.
pub fn run(repl: &mut Repl, line: &str) -> Next {
    let (name, argument) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    match COMMANDS.iter().find(|command| command.name == name) {
        Some(command) if command.argument.is_empty() || !argument.trim().is_empty() => {
            (command.run)(repl, argument.trim())
        }
        Some(command) => {
            print::error_text(&format!(",{name} wants {}\n", command.argument));
            Next::Continue
        }
        None => {
            let near = sx::suggest::nearest(name, COMMANDS.iter().map(|command| command.name));
            let advice = near.map_or_else(
                || "`,help` lists them".to_owned(),
                |near| format!("did you mean `,{near}`?"),
            );
            print::error_text(&format!("no command `,{name}`; {advice}\n"));
            Next::Continue
        }
    }
}

fn bytecode(repl: &mut Repl, expression: &str) -> Next {
    let source = repl.source(expression);
    show(repl.session.run(|isolate| isolate.bytecode(source)))
}

fn trace(repl: &mut Repl, expression: &str) -> Next {
    let source = repl.source(expression);
    show(repl.session.run(|isolate| isolate.trace(source)))
}

fn show(result: Result<String, sx::Error>) -> Next {
    match result {
        Ok(text) => print::text(&format!("{}\n", text.trim_end())),
        Err(error) => print::error(&error),
    }
    Next::Continue
}

fn document(repl: &mut Repl, name: &str) -> Next {
    let isolate = &mut repl.session.isolate;
    match isolate.doc(name) {
        Some(text) => print::text(&format!("{}\n", text.trim_end())),
        None => print::error_text(&format!("{}\n", doc::unknown(name, &isolate.names()))),
    }
    Next::Continue
}

fn time(repl: &mut Repl, expression: &str) -> Next {
    let start = Instant::now();
    repl.evaluate(expression);
    print::error_text(&format!("{:.3} ms\n", start.elapsed().as_secs_f64() * 1e3));
    Next::Continue
}

fn help(_: &mut Repl, _: &str) -> Next {
    for command in COMMANDS {
        let usage = format!(",{} {}", command.name, command.argument);
        print::text(&format!("{usage:<16} {}\n", command.help));
    }
    Next::Continue
}
