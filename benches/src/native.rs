//! `native`: what the native tier leaves to the interpreter once a workload is warm, and what its compiles cost.
//! `--help` says how.
//!
//! Each workload runs inside this process: the rows of `rows` by their function `repeat`, the suites of the
//! libraries by their tests. It is done again and again in one isolate, so that what is compiled stays compiled.
//!
//! Deliberately absent: how fast the code is; that is `peers`.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;
use sx::{Engine, Error, Figures, Isolate, Native, Options, Simulation, Source, Tuning, Value};
use sx_benches::report::median;
use sx_benches::rows::{ROWS, START_UP};
use sx_benches::systems::SYSTEMS;

const HELP: &str = "\
native: what the native tier leaves to the interpreter, and what its compiles cost

  --only NAME[,NAME…]  these workloads only: rows of `peers`, or suites like lib/acl/tests/policy.sx
  --no-suites          the rows alone
  --seconds S          how long each is warmed up, and then measured (default 1)

Exit code 1 when a workload fails, 2 when the arguments make no sense.
";

/// What the goals allow.
const MOST_INTERPRETED: f64 = 2.0;
const MOST_EXITS_A_SECOND: f64 = 1000.0;
const MOST_MICROSECONDS_AN_INSTRUCTION: f64 = 15.0;
const LONGEST_PAUSE_MS: f64 = 0.5;
const MOST_WARM_UP_S: f64 = 0.2;

/// Times a workload is done at least before it counts as warm.
const FEWEST: u32 = 3;

struct Arguments {
    only: Option<Vec<String>>,
    suites: bool,
    seconds: f64,
}

/// Something to do again and again.
struct Workload {
    name: String,
    source: String,
    is_suite: bool,
}

/// What was found of one.
struct Line {
    name: String,
    /// Instructions of one repetition.
    instructions: f64,
    /// Of them interpreted, in hundredths, once warm.
    interpreted: f64,
    exits_a_second: f64,
    /// Seconds of CPU beyond what as many warm repetitions take.
    lost_s: f64,
    /// Seconds of CPU until nine tenths of the speed, if the speed changes by that much.
    warm_up_s: Option<f64>,
    compiled: Figures,
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.iter().any(|word| word == "--help" || word == "-h") {
        print!("{HELP}");
        return ExitCode::SUCCESS;
    }
    let arguments = match parse(&words) {
        Ok(arguments) => arguments,
        Err(message) => {
            eprintln!("native: {message}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("native: {message}");
            ExitCode::FAILURE
        }
    }
}

fn parse(words: &[String]) -> Result<Arguments, String> {
    let mut arguments = Arguments {
        only: None,
        suites: true,
        seconds: 1.0,
    };
    let mut rest = words.iter();
    while let Some(flag) = rest.next() {
        let mut value = || rest.next().ok_or_else(|| format!("{flag} wants a value"));
        match flag.as_str() {
            "--only" => arguments.only = Some(value()?.split(',').map(str::to_owned).collect()),
            "--no-suites" => arguments.suites = false,
            "--seconds" => {
                let text = value()?;
                let seconds = text.parse().ok().filter(|s: &f64| s.is_finite() && *s > 0.0);
                arguments.seconds = seconds.ok_or_else(|| format!("{text} is no number of seconds"))?;
            }
            _ => return Err(format!("what is {flag}?")),
        }
    }
    Ok(arguments)
}

fn run(arguments: &Arguments) -> Result<(), String> {
    let mut workloads = rows_to_run()?;
    if arguments.suites {
        workloads.extend(suites()?);
    }
    if let Some(only) = &arguments.only {
        if let Some(unknown) = only.iter().find(|name| workloads.iter().all(|w| w.name != **name)) {
            return Err(format!("no workload {unknown}"));
        }
        workloads.retain(|workload| only.contains(&workload.name));
    }
    println!(
        "| workload | instructions | interpreted % | exits a second | lost s | 90 % after s | functions | instructions compiled | µs each | longest pause µs |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
    let mut lines = vec![];
    for workload in &workloads {
        let line = measure(workload, arguments.seconds).map_err(|error| format!("{}: {error}", workload.name))?;
        println!("{}", line.text());
        lines.push(line);
    }
    println!();
    let mut misses: Vec<String> = lines.iter().flat_map(Line::misses).collect();
    if misses.is_empty() {
        misses.push("every bound is met".into());
    }
    misses.iter().for_each(|miss| println!("{miss}"));
    Ok(())
}

/// The rows of `peers`, but for the one that does nothing.
fn rows_to_run() -> Result<Vec<Workload>, String> {
    let folder = here().join("peers");
    let mut found = vec![];
    for row in ROWS.iter().filter(|row| row.name != START_UP) {
        let program = SYSTEMS[0].program(&folder, row, 1).map_err(|error| error.to_string())?;
        found.extend(program.map(|source| Workload {
            name: row.name.to_owned(),
            source,
            is_suite: false,
        }));
    }
    Ok(found)
}

/// The suites of the libraries.
fn suites() -> Result<Vec<Workload>, String> {
    let mut found = vec![];
    for (path, source) in library_files()? {
        if path.contains("/tests/") && sx::corpus::is_suite(&source) {
            found.push(Workload {
                name: path,
                source,
                is_suite: true,
            });
        }
    }
    Ok(found)
}

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The programs below `lib`, each with its path from the root, in order.
fn library_files() -> Result<Vec<(String, String)>, String> {
    let root = here().join("..");
    let (mut files, mut folders) = (vec![], vec![root.join("lib")]);
    while let Some(folder) = folders.pop() {
        let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
        for entry in std::fs::read_dir(&folder).map_err(failed)? {
            let path: PathBuf = entry.map_err(failed)?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "sx") {
                let text = std::fs::read_to_string(&path).map_err(failed)?;
                let name = path.strip_prefix(&root).unwrap_or(&path);
                files.push((name.display().to_string(), text));
            }
        }
    }
    files.sort();
    Ok(files)
}

impl Workload {
    /// An isolate that has done it once. What it prints is kept from the table.
    fn begin(&self, native: Native, count: bool) -> Result<(Isolate, Simulation), Error> {
        let world = Simulation::new(1);
        if self.is_suite {
            for (path, text) in library_files().unwrap_or_default() {
                world.write_file(&path, &text);
            }
        }
        let engine = Engine::with(Options {
            native,
            tuning: Tuning {
                count,
                ..Tuning::default()
            },
            ..Options::default()
        });
        let mut isolate = engine.isolate_in(&world)?;
        isolate.eval_source(Source::new(self.name.clone(), self.source.clone()))?;
        if self.is_suite {
            self.again(&mut isolate)?;
        }
        Ok((isolate, world))
    }

    /// Does it once more. A test that cannot be done twice in one isolate has been done as far as it goes.
    fn again(&self, isolate: &mut Isolate) -> Result<(), Error> {
        if !self.is_suite {
            return isolate.call::<Value>("repeat", (1i64,)).map(drop);
        }
        for index in 0..isolate.test_names()?.len() {
            let _ = isolate.run_test(index);
        }
        Ok(())
    }
}

fn measure(workload: &Workload, seconds: f64) -> Result<Line, Error> {
    let instructions = {
        let (mut isolate, _world) = workload.begin(Native::Off, true)?;
        let before = isolate.figures().interpreted;
        workload.again(&mut isolate)?;
        (isolate.figures().interpreted - before) as f64
    };
    let interpreted_s = {
        let (mut isolate, _world) = workload.begin(Native::Off, false)?;
        let begun = cpu_s();
        workload.again(&mut isolate)?;
        cpu_s() - begun
    };
    let (share, exits_a_second) = when_warm(workload, seconds, instructions)?;
    let (lost_s, steady_s, compiled) = warm_up(workload, seconds)?;
    // As if all that is lost were lost by being interpreted.
    let gain = 1.0 - steady_s / interpreted_s;
    Ok(Line {
        name: workload.name.clone(),
        instructions,
        interpreted: share,
        exits_a_second,
        lost_s,
        warm_up_s: (gain > 0.1).then(|| lost_s / gain),
        compiled,
    })
}

/// The share of instructions that are interpreted when the workload is warm, in hundredths, and exits a second.
fn when_warm(workload: &Workload, seconds: f64, instructions: f64) -> Result<(f64, f64), Error> {
    let (mut isolate, world) = workload.begin(Native::Hot, true)?;
    let mut repeat = || -> Result<(u32, f64, Figures, Figures), Error> {
        let (begun, before, mut count) = (Instant::now(), isolate.figures(), 0);
        while count < FEWEST || begun.elapsed().as_secs_f64() < seconds {
            workload.again(&mut isolate)?;
            world.take_output();
            count += 1;
        }
        Ok((count, begun.elapsed().as_secs_f64(), before, isolate.figures()))
    };
    repeat()?;
    let (count, took_s, before, after) = repeat()?;
    let all = instructions * f64::from(count);
    Ok((
        100.0 * (after.interpreted - before.interpreted) as f64 / all.max(1.0),
        (after.exits - before.exits) as f64 / took_s,
    ))
}

/// Seconds of CPU that a fresh isolate takes beyond what as many warm repetitions take, what one of these takes,
/// and what was compiled.
fn warm_up(workload: &Workload, seconds: f64) -> Result<(f64, f64, Figures), Error> {
    let begun = cpu_s();
    let (mut isolate, world) = workload.begin(Native::Hot, false)?;
    let mut times_s = vec![cpu_s() - begun];
    while times_s.len() < 2 * FEWEST as usize || times_s.iter().sum::<f64>() < 2.0 * seconds {
        let begun = cpu_s();
        workload.again(&mut isolate)?;
        world.take_output();
        times_s.push(cpu_s() - begun);
    }
    let steady_s = median(&times_s[times_s.len() / 2..]).unwrap_or(0.0);
    // What comes after the first half is noise.
    let lost_s: f64 = times_s[..times_s.len() / 2].iter().map(|time| time - steady_s).sum();
    Ok((lost_s.max(0.0), steady_s, isolate.figures()))
}

/// Seconds of CPU that the threads of this process have had.
fn cpu_s() -> f64 {
    let nanoseconds = |task: std::fs::DirEntry| {
        let text = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<f64>().ok()
    };
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    tasks.filter_map(nanoseconds).sum::<f64>() / 1e9
}

impl Line {
    fn text(&self) -> String {
        let Line { compiled, .. } = self;
        let warm_up = self.warm_up_s.map_or("–".to_owned(), |s| format!("{s:.3}"));
        format!(
            "| {} | {:.0} | {:.2} | {:.0} | {:.3} | {warm_up} | {} | {} | {:.1} | {:.0} |",
            self.name,
            self.instructions,
            self.interpreted,
            self.exits_a_second,
            self.lost_s,
            compiled.compiled,
            compiled.lowered,
            self.each_us(),
            compiled.compile_pause_ns_max as f64 / 1e3
        )
    }

    /// Microseconds a compiled instruction took.
    fn each_us(&self) -> f64 {
        self.compiled.compile_ns as f64 / 1e3 / self.compiled.lowered.max(1) as f64
    }

    /// The bounds it misses, a text each.
    fn misses(&self) -> Vec<String> {
        let pause_ms = self.compiled.compile_pause_ns_max as f64 / 1e6;
        let bounds = [
            ("% interpreted", self.interpreted, MOST_INTERPRETED),
            ("exits a second", self.exits_a_second, MOST_EXITS_A_SECOND),
            (
                "µs an instruction compiled",
                self.each_us(),
                MOST_MICROSECONDS_AN_INSTRUCTION,
            ),
            ("ms of the program's time in a row", pause_ms, LONGEST_PAUSE_MS),
            (
                "s until nine tenths of the speed",
                self.warm_up_s.unwrap_or(0.0),
                MOST_WARM_UP_S,
            ),
        ];
        let missed = bounds.iter().filter(|(_, figure, most)| figure > most);
        missed
            .map(|(what, figure, most)| format!("  MISSED {}: {figure:.2} {what}, where {most} is allowed", self.name))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warm_loop_is_not_interpreted() -> Result<(), Error> {
        let workload = Workload {
            name: "loop".into(),
            source: "(define (repeat n) (do ((i 0 (+ i 1)) (s 0 (+ s i))) ((= i 100000) s))) (repeat 1)".into(),
            is_suite: false,
        };
        let line = measure(&workload, 0.1)?;
        assert!(
            line.instructions > 300_000.0 && line.instructions < 1_000_000.0,
            "{}",
            line.instructions
        );
        assert!(line.interpreted < 2.0, "{}", line.text());
        assert!(line.compiled.compiled >= 1 && line.compiled.lowered > 0);
        Ok(())
    }

    #[test]
    fn every_row_has_a_function_to_repeat() -> Result<(), String> {
        for workload in rows_to_run()? {
            assert!(workload.source.contains("(define (repeat "), "{}", workload.name);
        }
        Ok(())
    }
}
