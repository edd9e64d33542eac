//! `sx datalog FILE`: a Datalog program, run by the library `lib/datalog`.
//!
//! Deliberately absent: what Datalog means; `lib/datalog/cli.sx` does everything but parse the
//! command line.

use crate::args::DatalogArgs;
use crate::run::complain;
use crate::session::{Session, exit_code};
use crate::{FAILED, USAGE};
use sx::Source;

/// What is evaluated; the program's command line says the rest.
const PROGRAM: &str = "(load \"lib/datalog/cli.sx\")\n(dl-main (rest (command-line)))";

/// Runs a Datalog program.
pub fn datalog(args: &DatalogArgs) -> u8 {
    let mut session = match Session::start(&command_line(args)) {
        Ok(session) => session,
        Err(message) => return complain(&message, USAGE),
    };
    match session.run(|isolate| isolate.eval_printed(Source::new("<datalog>", PROGRAM))) {
        Ok(code) => code.parse().unwrap_or(FAILED),
        failed => exit_code(failed),
    }
}

/// The arguments as `dl-main` takes them: the file, then options with their values.
fn command_line(args: &DatalogArgs) -> Vec<String> {
    let mut line = vec!["datalog".to_owned(), args.file.display().to_string()];
    let paths = [("-F", &args.facts), ("-D", &args.output)];
    for (option, path) in paths {
        if let Some(path) = path {
            line.extend([option.to_owned(), path.display().to_string()]);
        }
    }
    for fact in &args.explain {
        line.extend(["--explain".to_owned(), fact.clone()]);
    }
    if args.profile {
        line.push("--profile".to_owned());
    }
    line
}
