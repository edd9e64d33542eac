//! `r7rs`: runs a checkout of the public R7RS benchmark suite on SX. `--help` says how.
//!
//! The suite is other people's work and stays outside the repository. Each program of its `src/` is
//! run as it is, between our prelude and the suite's own code that reads the input, repeats the work
//! and checks the result.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use sx_benches::measure::{Invocation, run};

const HELP: &str = "\
r7rs: run the public R7RS benchmarks (a checkout with src/*.scm and inputs/*.input) on SX

  --dir DIR            the checkout; needed
  --only NAME[,NAME…]  these programs only
  --count N            run each N times instead of as often as its input says
  --limit S            CPU seconds after which a program is stopped (default 600)
  --sx PATH            this binary (default: build one with cargo, release profile)

Exit code 1 when a program fails, is stopped or gives a wrong result, 2 when the suite is not there.
";

/// What each program begins with.
const PRELUDE: &str = include_str!("r7rs-prelude.scm");

/// Programs left out, and why.
const LEFT_OUT: &[(&str, &str)] = &[
    ("mbrotZ", "computes with complex numbers, which SX does not have"),
    (
        "read0",
        "the suite itself leaves it out: its tests want the lexical syntax of R6RS",
    ),
];

struct Options {
    dir: Option<PathBuf>,
    only: Option<Vec<String>>,
    count: Option<u32>,
    limit_s: u32,
    sx: Option<PathBuf>,
}

/// How a program of the suite ended.
enum Ending {
    /// With the right result, after so many seconds by its own clock.
    Right(String),
    Wrong,
    Failed(String),
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|a| a == "--help" || a == "-h") {
        print!("{HELP}");
        return ExitCode::SUCCESS;
    }
    let options = match parse(&arguments) {
        Ok(options) => options,
        Err(message) => return complain(&format!("{message}\n\n{HELP}")),
    };
    let Some(dir) = options.dir.clone().filter(|dir| dir.join("src").is_dir()) else {
        let named = options.dir.as_deref().map(|dir| dir.display().to_string());
        return complain(&format!(
            "THE R7RS BENCHMARKS ARE NOT HERE: {} has no src/. NOTHING WAS RUN.\n\
             A checkout of the suite (ecraven/r7rs-benchmarks on GitHub) is wanted: --dir DIR",
            named.unwrap_or_else(|| "no --dir was given, and it".to_owned()),
        ));
    };
    match suite(&dir, &options) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(message) => complain(&message),
    }
}

fn complain(message: &str) -> ExitCode {
    eprintln!("r7rs: {message}");
    ExitCode::from(2)
}

fn parse(arguments: &[String]) -> Result<Options, String> {
    let mut options = Options {
        dir: None,
        only: None,
        count: None,
        limit_s: 600,
        sx: None,
    };
    let mut rest = arguments.iter();
    while let Some(flag) = rest.next() {
        let value = rest.next().ok_or_else(|| format!("{flag} wants a value"))?;
        let number = || value.parse().map_err(|_| format!("{value} is not a count"));
        match flag.as_str() {
            "--dir" => options.dir = Some(value.into()),
            "--only" => options.only = Some(value.split(',').map(str::to_owned).collect()),
            "--count" => options.count = Some(number()?),
            "--limit" => options.limit_s = number()?,
            "--sx" => options.sx = Some(value.into()),
            _ => return Err(format!("what is {flag}?")),
        }
    }
    Ok(options)
}

/// Runs the programs; how many did not give the right result.
fn suite(dir: &Path, options: &Options) -> Result<usize, String> {
    let sx = match &options.sx {
        Some(path) => path.canonicalize().map_err(|e| format!("{}: {e}", path.display()))?,
        None => build()?,
    };
    let dir = dir.canonicalize().map_err(|e| format!("{}: {e}", dir.display()))?;
    let (mut right, mut bad) = (0, 0);
    for name in programs(&dir, options)? {
        if let Some((_, why)) = LEFT_OUT.iter().find(|(left_out, _)| *left_out == name) {
            println!("{name:<12} left out: {why}");
            continue;
        }
        let ending = match program(&dir, &name, &sx, options) {
            Ok(ending) => ending,
            Err(message) => Ending::Failed(message),
        };
        match ending {
            Ending::Right(seconds) => {
                right += 1;
                println!("{name:<12} {seconds} s");
            }
            Ending::Wrong => println!("{name:<12} WRONG RESULT"),
            Ending::Failed(why) => println!("{name:<12} FAILED: {why}"),
        }
        bad += 1;
    }
    bad -= right;
    println!("{right} right, {bad} not");
    Ok(bad)
}

/// The names of the programs: what has an input.
fn programs(dir: &Path, options: &Options) -> Result<Vec<String>, String> {
    let inputs = std::fs::read_dir(dir.join("inputs")).map_err(|e| format!("inputs: {e}"))?;
    let mut names: Vec<String> = inputs
        .flatten()
        .filter_map(|entry| Some(entry.file_name().to_str()?.strip_suffix(".input")?.to_owned()))
        .filter(|name| dir.join("src").join(format!("{name}.scm")).is_file())
        .collect();
    names.sort();
    if let Some(only) = &options.only {
        if let Some(unknown) = only.iter().find(|name| !names.contains(name)) {
            return Err(format!("no program {unknown}; there are {}", names.join(" ")));
        }
        names.retain(|name| only.contains(name));
    }
    Ok(names)
}

fn program(dir: &Path, name: &str, sx: &Path, options: &Options) -> Result<Ending, String> {
    let read = |path: PathBuf| std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()));
    let mut text = String::from(PRELUDE);
    for part in [name, "common", "common-postlude"] {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}", read(dir.join("src").join(format!("{part}.scm")))?);
    }
    let mut input = read(dir.join("inputs").join(format!("{name}.input")))?;
    if let Some(count) = options.count {
        // The first datum of an input says how often.
        let rest = input
            .trim_start()
            .split_once(char::is_whitespace)
            .map_or("", |(_, rest)| rest);
        input = format!("{count}\n{rest}");
    }
    let scratch = std::env::temp_dir().join(format!("sx-r7rs-{}", std::process::id()));
    let write = |path: &Path, text: &str| std::fs::write(path, text).map_err(|e| format!("{}: {e}", path.display()));
    std::fs::create_dir_all(&scratch).map_err(|e| format!("{}: {e}", scratch.display()))?;
    let (file, input_file) = (scratch.join(format!("{name}.scm")), scratch.join("input"));
    write(&file, &text)?;
    write(&input_file, &input)?;
    let invocation = Invocation {
        argv: vec![sx.into(), "run".into(), file.into()],
        directory: Some(dir.to_owned()),
        input: Some(input_file),
        ..Invocation::default()
    };
    let sample = run(&invocation, options.limit_s).map_err(|e| e.to_string())?;
    // What cannot be removed is left to the system.
    let _ = std::fs::remove_dir_all(&scratch);
    Ok(match (sample.failure, result(&sample.output)) {
        (Some(why), _) => Ending::Failed(why),
        (None, Some("INCORRECT")) => Ending::Wrong,
        (None, Some(seconds)) => Ending::Right(seconds.to_owned()),
        (None, None) => Ending::Failed("it printed no result".to_owned()),
    })
}

/// What the suite's own code printed: seconds, or that the result is wrong.
fn result(output: &str) -> Option<&str> {
    let line = output.lines().find_map(|line| line.strip_prefix("+!CSVLINE!+"))?;
    line.rsplit(',').next()
}

fn build() -> Result<PathBuf, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let built = Command::new("cargo")
        .args(["build", "--release", "-p", "sx-cli"])
        .current_dir(&root)
        .status();
    match built {
        Ok(status) if status.success() => {
            let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
            Ok(target.join("release/sx"))
        }
        Ok(status) => Err(format!("cargo build: {status}")),
        Err(error) => Err(format!("cargo build: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_suite_prints_seconds_or_that_it_went_wrong() {
        assert_eq!(result("Running x\n+!CSVLINE!+sx,fib:40:5,1.25\n"), Some("1.25"));
        assert_eq!(result("+!CSVLINE!+sx,fib:40:5,INCORRECT\n"), Some("INCORRECT"));
        assert_eq!(result("nothing"), None);
    }
}
