//! `serving`: measures servers that answer the same routes, SX beside axum and Node. `--help` says how.
//!
//! The server runs on one core and `wrk` on another; what counts is the CPU the server takes for a
//! request, from /proc. Wall time says nothing on a shared machine. Answers are checked before a
//! server is loaded and again after it.

mod durable;
mod in_process;
mod results;
mod server;
mod systems;
mod waiting;

use results::Results;
use server::Running;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use systems::System;

const HELP: &str = "\
serving: measure servers on the same routes (Linux, needs wrk and taskset)

  --systems NAME[,NAME…] of sx,sx-interp,axum,node (default: those that can be had)
  --runs N               rounds, all systems taking turns (default 5)
  --seconds S            of load on each route in each round (default 2)
  --sx PATH              this binary (default target/release/sx)
  --no-extra             only the routes: no waiting handlers, no writes, no second isolate
  --out DIR              where serving.json and serving.svg go (default benches/results); `-` writes none

axum is built by cargo on the first run; Node reads keys if `npm install --no-save better-sqlite3` was run
in benches/peers/serving/node. Takes five minutes. Exit code 1 when an answer is wrong.
";

/// A route: what it is called, its path, what is answered, and how many times axum's CPU SX may take.
struct Route {
    name: &'static str,
    path: &'static str,
    answer: fn() -> String,
    must: f64,
}

const ROUTES: [Route; 3] = [
    Route {
        name: "hello",
        path: "/",
        answer: || "Hello, World!".to_owned(),
        must: 2.0,
    },
    Route {
        name: "page50",
        path: "/list",
        answer: page,
        must: 3.5,
    },
    Route {
        name: "kv",
        path: "/kv/k77",
        answer: || "value number 77 with some payload text".to_owned(),
        must: 2.2,
    },
];

/// The page every system has to send.
fn page() -> String {
    let items = (0..50).map(|i| {
        let author = i % 7;
        format!("<li><a href=\"/post/{i}\">Post &lt;{i}&gt; &amp; friends</a> by <em>author{author}</em></li>")
    });
    let items: String = items.collect();
    format!("<!DOCTYPE html><html><head><title>Posts</title></head><body><h1>Posts</h1><ul>{items}</ul></body></html>")
}

struct Options {
    systems: Option<Vec<String>>,
    runs: usize,
    seconds: u32,
    sx: PathBuf,
    extra: bool,
    out: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--help") {
        print!("{HELP}");
        return ExitCode::SUCCESS;
    }
    let outcome = parse(&arguments)
        .map_err(io::Error::other)
        .and_then(|options| run(&options));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("serving: {error}");
            ExitCode::FAILURE
        }
    }
}

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn parse(arguments: &[String]) -> Result<Options, String> {
    let mut options = Options {
        systems: None,
        runs: 5,
        seconds: 2,
        sx: here().join("../target/release/sx"),
        extra: true,
        out: Some(here().join("results")),
    };
    let mut rest = arguments.iter();
    while let Some(flag) = rest.next() {
        let mut value = || rest.next().cloned().ok_or_else(|| format!("{flag} wants a value"));
        let number = |text: String| text.parse::<u32>().map_err(|_| format!("{text} is no number"));
        match flag.as_str() {
            "--systems" => options.systems = Some(systems::named(&value()?)?),
            "--runs" => options.runs = number(value()?)?.max(1) as usize,
            "--seconds" => options.seconds = number(value()?)?.max(1),
            "--sx" => options.sx = PathBuf::from(value()?),
            "--no-extra" => options.extra = false,
            "--out" => options.out = Some(value()?).filter(|out| out != "-").map(PathBuf::from),
            _ => return Err(format!("what is {flag}?")),
        }
    }
    Ok(options)
}

fn run(options: &Options) -> io::Result<()> {
    let scratch = here().join("../target/serving");
    std::fs::create_dir_all(&scratch)?;
    let systems = systems::systems(options.systems.as_deref(), &options.sx, &scratch)?;
    let mut results = Results::new(&systems, options.runs);
    for round in 0..options.runs {
        for (index, system) in systems.iter().enumerate() {
            eprintln!("round {} of {}: {}", round + 1, options.runs, system.name);
            measure(system, &mut results.figures[index], options.seconds, &scratch)?;
        }
    }
    if options.extra
        && let Some(sx) = systems.iter().find(|system| system.name == "sx")
    {
        eprintln!("waiting handlers, durable writes, isolates");
        results.extras.extend(waiting::measure(sx, &scratch)?);
        results.extras.extend(durable::measure(sx, options.seconds, &scratch)?);
        results.extras.extend(in_process::measure().map_err(io::Error::other)?);
    }
    println!("{}", results.markdown());
    if let Some(out) = &options.out {
        std::fs::create_dir_all(out)?;
        std::fs::write(out.join("serving.json"), results.json())?;
        std::fs::write(out.join("serving.svg"), results.svg())?;
    }
    Ok(())
}

/// One round of a system.
fn measure(system: &System, figures: &mut results::Figures, seconds: u32, scratch: &Path) -> io::Result<()> {
    let running = Running::start(system, scratch)?;
    let routes: Vec<(usize, &Route)> = ROUTES.iter().enumerate().filter(|(_, r)| system.has(r.path)).collect();
    let check = || {
        routes
            .iter()
            .try_for_each(|(_, route)| running.check(route.path, &(route.answer)()))
    };
    check()?;
    figures.start_ms.push(running.start_ms);
    figures.idle_mb.push(running.resident_mb()?);
    for (index, route) in &routes {
        server::load(route.path, 64, 1)?;
        let before = running.cpu_s()?;
        let count = server::load(route.path, 64, seconds)?;
        figures.micros[*index].push((running.cpu_s()? - before) * 1e6 / count);
    }
    figures.loaded_mb.push(running.resident_mb()?);
    check()
}
