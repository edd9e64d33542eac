//! `sx check`: what is wrong with programs, or probably not meant, without running them.
//!
//! Invariant: every finding is printed with its place; the exit code says whether there was one.

use crate::args::CheckArgs;
use crate::files::{read_source, sources};
use crate::run::complain;
use crate::{FAILED, SUCCESS, print};
use std::path::Path;

/// Checks what the command line says.
pub fn check(args: &CheckArgs) -> u8 {
    let (mut files, mut found) = (0, 0);
    for path in &args.paths {
        let programs = match sources(path) {
            Ok(programs) => programs,
            Err(error) => return complain(&format!("{}: {error}", path.display()), FAILED),
        };
        for program in programs {
            match check_file(&program, args.compat) {
                Ok(count) => found += count,
                Err(message) => return complain(&message, FAILED),
            }
            files += 1;
        }
    }
    let plural = |n: usize| if n == 1 { "" } else { "s" };
    print::text(&format!(
        "{files} program{}, {found} finding{}\n",
        plural(files),
        plural(found)
    ));
    if found == 0 { SUCCESS } else { FAILED }
}

fn check_file(path: &Path, compat: bool) -> Result<usize, String> {
    let source = read_source(path)?;
    let findings = sx_tools::check(&source, compat).map_err(|error| error.to_string())?;
    let style = print::style();
    findings
        .iter()
        .for_each(|finding| print::error_text(&finding.report(style)));
    Ok(findings.len())
}
