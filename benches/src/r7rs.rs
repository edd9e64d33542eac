//! `r7rs`: runs a checkout of the public R7RS benchmark suite on SX. `--help` says how.
//!
//! The suite is other people's work and stays outside the repository. Each program of its `src/` is
//! run as it is, between our prelude and the suite's own code that reads the input, repeats the work
//! and checks the result.

use std::ffi::OsStr;
use std::fmt::{self, Write as _};
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
  --chez PATH          run each on this Chez Scheme too, and say how many times its CPU SX takes

Seconds are user CPU, start-up and compiling included. SX_SERVING_JIT=0 has the interpreter measured.
Exit code 1 when a program fails, is stopped or gives a wrong result, 2 when the suite is not there.
";

/// What each program begins with.
const PRELUDE: &str = include_str!("r7rs-prelude.scm");
/// Makes of a program one that Chez compiles as a whole.
const FOR_CHEZ: &str = include_str!("r7rs-chez.ss");
/// Some programs hold more than what `sx run` allows by itself.
const MEMORY: &str = "8G";

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
    chez: Option<PathBuf>,
}

/// How a program of the suite ended.
enum Ending {
    /// With the right result, after so many seconds.
    Right(f64),
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
        chez: None,
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
            "--chez" => options.chez = Some(value.into()),
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
    let (mut right, mut bad, mut ratios) = (0, 0, Vec::new());
    for name in programs(&dir, options)? {
        if let Some((_, why)) = LEFT_OUT.iter().find(|(left_out, _)| *left_out == name) {
            println!("{name:<12} left out: {why}");
            continue;
        }
        let files = Files::write(&dir, &name, options)?;
        let ending = files.run(&[sx.as_os_str(), "run".as_ref(), files.program.as_os_str()], options)?;
        let chez = options
            .chez
            .as_deref()
            .map(|chez| files.run_chez(chez, options))
            .transpose()?;
        match (&ending, &chez) {
            (Ending::Right(seconds), Some(Ending::Right(theirs))) => {
                ratios.push(seconds / theirs);
                println!(
                    "{name:<12} {seconds:7.2} s  Chez {theirs:7.2} s  {:6.2}x",
                    seconds / theirs
                );
            }
            (ending, None) => println!("{name:<12} {ending}"),
            (ending, Some(chez)) => println!("{name:<12} {ending}  Chez {chez}"),
        }
        match ending {
            Ending::Right(_) => right += 1,
            _ => bad += 1,
        }
    }
    println!("{right} right, {bad} not");
    if !ratios.is_empty() {
        let mean = (ratios.iter().map(|r| r.ln()).sum::<f64>() / ratios.len() as f64).exp();
        println!("geometric mean of {} ratios to Chez: {mean:.2}", ratios.len());
    }
    Ok(bad)
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ending::Right(seconds) => write!(f, "{seconds:7.2} s"),
            Ending::Wrong => f.write_str("WRONG RESULT"),
            Ending::Failed(why) => write!(f, "FAILED: {why}"),
        }
    }
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

/// What one program is run from, in a folder of its own.
struct Files {
    /// The suite, where the programs look for their data.
    suite: PathBuf,
    folder: PathBuf,
    program: PathBuf,
    input: PathBuf,
    name: String,
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|e| format!("{}: {e}", path.display()))
}

impl Files {
    fn write(suite: &Path, name: &str, options: &Options) -> Result<Files, String> {
        let read = |path: PathBuf| std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()));
        let mut text = String::new();
        for part in [name, "common", "common-postlude"] {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{}", read(suite.join("src").join(format!("{part}.scm")))?);
        }
        let mut input = read(suite.join("inputs").join(format!("{name}.input")))?;
        if let Some(count) = options.count {
            input = with_count(&input, count);
        }
        let folder = std::env::temp_dir().join(format!("sx-r7rs-{}", std::process::id()));
        std::fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        let files = Files {
            suite: suite.to_owned(),
            program: folder.join(format!("{name}.scm")),
            input: folder.join("input"),
            folder,
            name: name.to_owned(),
        };
        write(&files.program, &format!("{PRELUDE}{text}"))?;
        write(&files.folder.join("bare.scm"), &text)?;
        write(&files.input, &input)?;
        Ok(files)
    }

    fn run(&self, argv: &[&OsStr], options: &Options) -> Result<Ending, String> {
        let invocation = Invocation {
            argv: argv.iter().map(|part| (*part).to_owned()).collect(),
            env: vec![("SX_MEMORY_LIMIT", MEMORY.into())],
            directory: Some(self.suite.clone()),
            input: Some(self.input.clone()),
        };
        let sample = run(&invocation, options.limit_s).map_err(|e| e.to_string())?;
        Ok(match (sample.failure, result(&sample.output)) {
            (Some(why), _) => Ending::Failed(why),
            (None, Some("INCORRECT")) => Ending::Wrong,
            (None, Some(_)) => Ending::Right(sample.user_s),
            (None, None) => Ending::Failed("it printed no result".to_owned()),
        })
    }

    fn run_chez(&self, chez: &Path, options: &Options) -> Result<Ending, String> {
        let (script, bare) = (self.folder.join("for-chez.ss"), self.folder.join("bare.scm"));
        let made = self.folder.join(format!("{}.ss", self.name));
        write(&script, FOR_CHEZ)?;
        let status = Command::new(chez)
            .arg("--script")
            .args([&script, &bare, &made])
            .status();
        if !status.as_ref().is_ok_and(std::process::ExitStatus::success) {
            return Ok(Ending::Failed(format!("{}: {status:?}", chez.display())));
        }
        let level = ["--optimize-level", "2", "--program"].map(OsStr::new);
        let argv = [&[chez.as_os_str()][..], &level, &[made.as_os_str()]].concat();
        self.run(&argv, options)
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        // What cannot be removed is left to the system.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The input with another first datum, which says how often the work is repeated.
fn with_count(input: &str, count: u32) -> String {
    let mut rest = input;
    loop {
        rest = rest.trim_start();
        match rest.strip_prefix(';') {
            Some(comment) => rest = comment.split_once('\n').map_or("", |(_, rest)| rest),
            None => break,
        }
    }
    let rest = rest.split_once(char::is_whitespace).map_or("", |(_, rest)| rest);
    format!("{count}\n{rest}")
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

    #[test]
    fn the_count_comes_after_comments() {
        assert_eq!(with_count("500\n(a b)\n", 1), "1\n(a b)\n");
        assert_eq!(with_count("; as usual\n  ; or not\n10 20\n", 2), "2\n20\n");
    }
}
