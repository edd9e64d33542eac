//! The command line `sx`: parses it, makes an isolate, runs the command, prints errors.
//!
//! Deliberately absent: anything an embedder could want; that is the crate `sx`.
//! Invariant: what a command prints as its result goes to standard output, everything else to
//! standard error.

mod accounts;
mod args;
mod check;
mod datalog;
mod doc;
mod files;
mod fmt;
mod jit;
mod native;
mod print;
mod repl;
mod run;
mod serve;
mod session;
mod store;
mod test;

pub use args::reference;

use args::{Cli, Command};
use clap::{CommandFactory, Parser};
use std::process::ExitCode;

/// It went well.
const SUCCESS: u8 = 0;
/// The program failed, or a test did, or a file could not be read or written.
const FAILED: u8 = 1;
/// The command line, or the environment, was wrong.
const USAGE: u8 = 2;
/// Interrupted by Ctrl-C, as shells count it.
const INTERRUPTED: u8 = 130;

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let arguments = std::env::args_os().collect::<Vec<_>>();
    if serve::is_server(&arguments) {
        return ExitCode::from(serve::server());
    }
    let cli = Cli::parse_from(arguments);
    let code = match (cli.expression, cli.command) {
        (Some(expression), _) => run::expression(&expression, &cli.arguments),
        (None, Some(Command::Run(args))) => run::file(&args),
        (None, Some(Command::Repl)) => repl::repl(),
        (None, Some(Command::Test(args))) => test::test(&args),
        (None, Some(Command::Fmt(args))) => fmt::fmt(&args),
        (None, Some(Command::Check(args))) => check::check(&args),
        (None, Some(Command::Doc(args))) => doc::doc(&args.name),
        (None, Some(Command::Datalog(args))) => datalog::datalog(&args),
        (None, Some(Command::Jit(command))) => jit::jit(&command),
        (None, Some(Command::Serve(args))) => serve::serve(&args),
        (None, Some(Command::Server)) => serve::server(),
        (None, Some(Command::Store(args))) => store::store(&args.command),
        (None, Some(Command::User(command))) => accounts::user(&command),
        (None, Some(Command::Token(command))) => accounts::token(&command),
        (None, None) => {
            print::error_text(&Cli::command().render_help().to_string());
            USAGE
        }
    };
    ExitCode::from(code)
}
