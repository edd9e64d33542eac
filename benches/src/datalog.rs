//! `datalog`: measures `sx datalog` beside Datalog engines on the same rules and facts. `--help` says how.
//!
//! Inputs are made by `peers/datalog/gen.py`; how many tuples each row has was counted without an engine
//! by `ref.py` beside it, and is checked on every run. Nothing here knows how SX evaluates.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use sx_benches::measure::{Invocation, Sample, run};
use sx_benches::report::median;

const HELP: &str = "\
datalog: measure `sx datalog` and Datalog engines on the same rules and facts

  --only ROW[,ROW…]     these rows only (none, chain, rand, dense, grid, sg, pt, neg, chain-25, chain-250)
  --engines NAME[,NAME…] these engines (default: those installed, of sx,sx-interp,ascent,datafrog,souffle,swi)
  --runs N              timed runs, interleaved (default 5)
  --sx PATH             this binary (default: target/release/sx)
  --limit S             CPU seconds after which a run is stopped (default 60)
  --out DIR             where datalog.json and datalog.svg go (default benches/results); `-` writes none

Python 3 makes the inputs, cargo builds the engines in Rust. Exit code 1 when an answer is wrong.
";

/// A row: name, program, folder of facts, what is printed, and how many times ascent's time SX may take.
struct Row {
    name: &'static str,
    program: &'static str,
    facts: &'static str,
    answer: &'static [u64],
    must: Option<f64>,
}

const fn row(
    name: &'static str,
    program: &'static str,
    facts: &'static str,
    answer: &'static [u64],
    must: Option<f64>,
) -> Row {
    Row {
        name,
        program,
        facts,
        answer,
        must,
    }
}

const ROWS: &[Row] = &[
    row("none", "none", "tc-chain", &[], None),
    row("chain", "tc", "tc-chain", &[1_999_000], Some(3.6)),
    row("rand", "tc", "tc-rand", &[2_574_558], Some(4.0)),
    row("dense", "tc", "tc-dense", &[2_250_000], Some(2.9)),
    row("grid", "tc", "tc-grid", &[1_623_125], Some(8.0)),
    row("sg", "sg", "sg", &[1_396_054], Some(3.6)),
    row("pt", "pt", "pt", &[375_387], Some(11.0)),
    row("neg", "neg", "neg", &[389_785, 1_860_215], Some(3.2)),
    row("chain-25", "tc", "chain-25", &[325], None),
    row("chain-250", "tc", "chain-250", &[31_375], None),
];

/// An engine: its name in options and table, and the command for a program and a folder of facts.
struct Engine {
    name: &'static str,
    argv: fn(&Setting, &Row) -> Vec<OsString>,
    env: &'static [(&'static str, &'static str)],
    installed: fn(&Setting) -> bool,
}

const ENGINES: &[Engine] = &[
    Engine {
        name: "sx",
        argv: sx_argv,
        env: &[],
        installed: |setting| setting.sx.is_file(),
    },
    Engine {
        name: "sx-interp",
        argv: sx_argv,
        env: &[("SX_SERVING_JIT", "0")],
        installed: |setting| setting.sx.is_file(),
    },
    Engine {
        name: "ascent",
        argv: |setting, row| rust_argv(setting, row, "ascent"),
        env: &[],
        installed: |setting| setting.rust("ascent").is_file(),
    },
    Engine {
        name: "datafrog",
        argv: |setting, row| rust_argv(setting, row, "datafrog"),
        env: &[],
        installed: |setting| setting.rust("datafrog").is_file(),
    },
    Engine {
        name: "souffle",
        argv: |setting, row| {
            let program = setting.peers.join(format!("souffle/{}.dl", row.program));
            vec![
                "souffle".into(),
                "-F".into(),
                setting.facts(row),
                "-D-".into(),
                program.into(),
            ]
        },
        env: &[],
        installed: |_| answers("souffle", "--version"),
    },
    Engine {
        name: "swi",
        argv: |setting, row| {
            let program = setting.peers.join("swi/run.pl");
            vec![
                "swipl".into(),
                "-O".into(),
                program.into(),
                "--".into(),
                row.program.into(),
                setting.facts(row),
            ]
        },
        env: &[],
        installed: |_| answers("swipl", "--version"),
    },
];

fn sx_argv(setting: &Setting, row: &Row) -> Vec<OsString> {
    let program = setting.peers.join(format!("sx/{}.dl", row.program));
    vec![
        setting.sx.clone().into(),
        "datalog".into(),
        program.into(),
        "-F".into(),
        setting.facts(row),
    ]
}

fn rust_argv(setting: &Setting, row: &Row, engine: &str) -> Vec<OsString> {
    vec![setting.rust(engine).into(), row.program.into(), setting.facts(row)]
}

fn answers(command: &str, flag: &str) -> bool {
    let asked = Command::new(command).arg(flag).output();
    asked.is_ok_and(|output| output.status.success())
}

/// Where things are, and what was asked for.
struct Setting {
    peers: PathBuf,
    scratch: PathBuf,
    sx: PathBuf,
    only: Option<Vec<String>>,
    engines: Option<Vec<String>>,
    runs: usize,
    limit_s: u32,
    out: Option<PathBuf>,
}

impl Setting {
    fn facts(&self, row: &Row) -> OsString {
        self.scratch.join("in").join(row.facts).into()
    }
    fn rust(&self, engine: &str) -> PathBuf {
        self.scratch.join("rust/release").join(engine)
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|a| a == "--help" || a == "-h") {
        print!("{HELP}");
        return ExitCode::SUCCESS;
    }
    let done = parse(&arguments).and_then(|setting| {
        prepare(&setting)?;
        measure(&setting)
    });
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("datalog: {message}");
            ExitCode::from(2)
        }
    }
}

fn parse(arguments: &[String]) -> Result<Setting, String> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut setting = Setting {
        peers: here.join("peers/datalog"),
        scratch: here.join("../target/datalog"),
        sx: here.join("../target/release/sx"),
        only: None,
        engines: None,
        runs: 5,
        limit_s: 60,
        out: Some(here.join("results")),
    };
    let names = |text: &str| Some(text.split(',').map(str::to_owned).collect());
    let mut rest = arguments.iter();
    while let Some(flag) = rest.next() {
        let value = rest.next().ok_or_else(|| format!("{flag} wants a value"))?;
        let number = || value.parse().map_err(|_| format!("{value} is not a count"));
        match flag.as_str() {
            "--only" => setting.only = names(value),
            "--engines" => setting.engines = names(value),
            "--runs" => setting.runs = number()?,
            "--limit" => setting.limit_s = number()? as u32,
            "--sx" => setting.sx = std::fs::canonicalize(value).map_err(|e| format!("{value}: {e}"))?,
            "--out" => setting.out = Some(PathBuf::from(value)).filter(|_| value != "-"),
            _ => return Err(format!("what is {flag}?\n\n{HELP}")),
        }
    }
    Ok(setting)
}

/// Makes the inputs and builds the engines in Rust, unless they are there.
fn prepare(setting: &Setting) -> Result<(), String> {
    std::fs::create_dir_all(&setting.scratch).map_err(|e| e.to_string())?;
    let script = setting.peers.join("gen.py");
    for (folder, arguments) in [
        ("neg", &[][..]),
        ("chain-25", &["chain", "25"]),
        ("chain-250", &["chain", "250"]),
    ] {
        if !setting.scratch.join("in").join(folder).is_dir() {
            let mut made = Command::new("python3");
            made.arg(&script).args(arguments).current_dir(&setting.scratch);
            succeed(&mut made, "python3 gen.py")?;
        }
    }
    let wanted = |name: &str| {
        setting
            .engines
            .as_ref()
            .is_none_or(|names| names.iter().any(|n| n == name))
    };
    if (wanted("ascent") || wanted("datafrog")) && !setting.rust("ascent").is_file() {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = Command::new(cargo);
        build
            .args(["build", "--release", "--manifest-path"])
            .arg(setting.peers.join("rust/Cargo.toml"))
            .arg("--target-dir")
            .arg(setting.scratch.join("rust"));
        if let Err(message) = succeed(&mut build, "the engines in Rust") {
            eprintln!("*** MISSING ENGINES: ascent, datafrog ({message}) ***");
        }
    }
    Ok(())
}

fn succeed(command: &mut Command, what: &str) -> Result<(), String> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{what}: {status}")),
        Err(e) => Err(format!("{what}: {e}")),
    }
}

/// What an engine did on a row: samples, or why there are none.
type Outcome = Result<Vec<Sample>, String>;

/// Runs everything and prints the table; were all answers right?
fn measure(setting: &Setting) -> Result<bool, String> {
    let named =
        |names: &Option<Vec<String>>, name: &str| names.as_ref().is_none_or(|all| all.iter().any(|n| n == name));
    let (engines, missing): (Vec<&Engine>, Vec<&Engine>) = ENGINES
        .iter()
        .filter(|engine| named(&setting.engines, engine.name))
        .partition(|engine| (engine.installed)(setting));
    for engine in &missing {
        eprintln!(
            "*** MISSING ENGINE: {}; its column is not in this table ***",
            engine.name
        );
    }
    let rows: Vec<&Row> = ROWS
        .iter()
        .filter(|row| row.name == "none" || named(&setting.only, row.name))
        .collect();
    let mut table = Vec::new();
    for row in rows {
        eprintln!("{}", row.name);
        table.push((row, line(setting, row, &engines)?));
    }
    let text = markdown(&engines, &table);
    println!("{text}");
    let right = verdicts(&engines, &table);
    if let Some(out) = &setting.out {
        let write = |name: &str, text: String| std::fs::write(out.join(name), text).map_err(|e| format!("{name}: {e}"));
        write("datalog.json", json(&engines, &table))?;
        write("datalog.svg", svg(&engines, &table))?;
    }
    Ok(right)
}

/// The runs of a row, engines taking turns; one that fails or answers wrongly is left out from then on.
fn line(setting: &Setting, row: &Row, engines: &[&Engine]) -> Result<Vec<Outcome>, String> {
    let mut outcomes: Vec<Outcome> = engines.iter().map(|_| Ok(Vec::new())).collect();
    for _ in 0..setting.runs {
        for (engine, outcome) in engines.iter().zip(&mut outcomes) {
            let Ok(samples) = outcome else { continue };
            let invocation = Invocation {
                argv: (engine.argv)(setting, row),
                env: engine.env.iter().map(|(name, value)| (*name, value.into())).collect(),
                // The library is found from the root of the repository.
                directory: Some(setting.peers.join("../../..")),
                ..Invocation::default()
            };
            let sample = run(&invocation, setting.limit_s).map_err(|e| e.to_string())?;
            match &sample.failure {
                // A program of no row fails in engines that know none; that costs starting too.
                Some(why) if row.name != "none" => *outcome = Err(why.clone()),
                _ if numbers(&sample.output) != row.answer => {
                    *outcome = Err(format!("WRONG: printed {:?}", sample.output.trim()));
                }
                _ => samples.push(sample),
            }
        }
    }
    Ok(outcomes)
}

/// The numbers an engine printed: the last of each line.
fn numbers(output: &str) -> Vec<u64> {
    let last = |line: &str| line.rsplit(|c: char| !c.is_ascii_digit()).next()?.parse().ok();
    output.lines().filter_map(last).collect()
}

/// Median user seconds without starting, and peak memory.
fn figures(table: &[(&Row, Vec<Outcome>)], row: usize, engine: usize) -> Option<(f64, u64)> {
    let of = |row: usize| {
        let samples = table.get(row)?.1.get(engine)?.as_ref().ok()?;
        let seconds: Vec<f64> = samples.iter().map(|s| s.user_s).collect();
        Some((median(&seconds)?, samples.iter().map(|s| s.peak_bytes).max()?))
    };
    let (seconds, bytes) = of(row)?;
    let idle = if row == 0 { 0.0 } else { of(0).map_or(0.0, |(s, _)| s) };
    Some(((seconds - idle).max(0.0), bytes))
}

fn ratio(engines: &[&Engine], table: &[(&Row, Vec<Outcome>)], row: usize, engine: usize) -> Option<f64> {
    let ascent = engines.iter().position(|e| e.name == "ascent")?;
    let (base, _) = figures(table, row, ascent)?;
    let (seconds, _) = figures(table, row, engine)?;
    (base >= 0.002).then_some(seconds / base)
}

fn markdown(engines: &[&Engine], table: &[(&Row, Vec<Outcome>)]) -> String {
    let mut text = String::from("User CPU seconds, start-up subtracted; in brackets × ascent, peak MB.\n\n| row |");
    engines.iter().for_each(|e| text += &format!(" {} |", e.name));
    text += "\n|---|";
    engines.iter().for_each(|_| text += "---:|");
    for (i, (row, outcomes)) in table.iter().enumerate() {
        let _ = write!(text, "\n| {} |", row.name);
        for (j, outcome) in outcomes.iter().enumerate() {
            let _ = match (figures(table, i, j), outcome) {
                (Some((seconds, bytes)), _) => {
                    let times = ratio(engines, table, i, j).map_or(String::new(), |r| format!("{r:.2}×, "));
                    write!(text, " {seconds:.3} ({times}{} MB) |", bytes >> 20)
                }
                (None, Err(why)) if why.starts_with("WRONG") => write!(text, " WRONG |"),
                _ => write!(text, " – |"),
            };
        }
    }
    text
}

/// Prints what failed and how the bounds stand; were all answers right?
fn verdicts(engines: &[&Engine], table: &[(&Row, Vec<Outcome>)]) -> bool {
    let mut right = true;
    for (i, (row, outcomes)) in table.iter().enumerate() {
        for (j, (engine, outcome)) in engines.iter().zip(outcomes).enumerate() {
            if let Err(why) = outcome {
                println!("{} on {}: {why}", row.name, engine.name);
                right &= !why.starts_with("WRONG");
            }
            if let (true, Some(must), Some(ratio)) =
                (engine.name.starts_with("sx"), row.must, ratio(engines, table, i, j))
            {
                let verdict = if ratio <= must { "  met " } else { "  MISSED" };
                println!(
                    "{verdict} {} {}: {ratio:.2} × ascent, at most {must}",
                    engine.name, row.name
                );
            }
        }
    }
    right
}

fn json(engines: &[&Engine], table: &[(&Row, Vec<Outcome>)]) -> String {
    let rows = table.iter().enumerate().map(|(i, (row, _))| {
        let cells = engines
            .iter()
            .enumerate()
            .map(|(j, engine)| match figures(table, i, j) {
                Some((seconds, bytes)) => format!(
                    "\"{}\": {{\"net_user_s\": {seconds:.4}, \"peak_bytes\": {bytes}}}",
                    engine.name
                ),
                None => format!("\"{}\": null", engine.name),
            });
        format!(
            "  {{\"row\": \"{}\", {}}}",
            row.name,
            cells.collect::<Vec<_>>().join(", ")
        )
    });
    format!("[\n{}\n]\n", rows.collect::<Vec<_>>().join(",\n"))
}

/// Bars of each engine's time × ascent's, on a logarithmic scale.
fn svg(engines: &[&Engine], table: &[(&Row, Vec<Outcome>)]) -> String {
    const COLOURS: [&str; 6] = ["#4477aa", "#66ccee", "#ee6677", "#228833", "#ccbb44", "#aa3377"];
    let place = |ratio: f64| 350.0 + 60.0 * ratio.log2().clamp(-4.0, 4.0);
    let mut body = String::new();
    for (j, engine) in engines.iter().enumerate() {
        let (x, colour) = (90 + 90 * j, COLOURS[j % COLOURS.len()]);
        let _ = writeln!(
            body,
            "<rect x=\"{x}\" y=\"8\" width=\"10\" height=\"10\" fill=\"{colour}\"/><text x=\"{}\" y=\"17\">{}</text>",
            x + 14,
            engine.name
        );
    }
    let mut y = 40.0;
    for (i, (row, _)) in table.iter().enumerate().skip(1) {
        let _ = writeln!(
            body,
            "<text x=\"82\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            y + 12.0,
            row.name
        );
        for j in 0..engines.len() {
            let Some(ratio) = ratio(engines, table, i, j) else {
                continue;
            };
            let (one, at) = (place(1.0), place(ratio));
            let _ = writeln!(
                body,
                "<rect x=\"{:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"8\" fill=\"{}\"><title>{} {} {ratio:.2}</title></rect>",
                one.min(at),
                (one - at).abs().max(1.0),
                COLOURS[j % COLOURS.len()],
                row.name,
                engines[j].name
            );
            y += 9.0;
        }
        y += 10.0;
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"620\" height=\"{y:.0}\" font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"620\" height=\"{y:.0}\" fill=\"white\"/>\n{body}</svg>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_number_of_a_line_counts() {
        assert_eq!(numbers("path\t12\nreach=7\nno number\n"), [12, 7]);
    }

    #[test]
    fn every_program_is_there() {
        let peers = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/datalog");
        for row in ROWS {
            assert!(peers.join(format!("sx/{}.dl", row.program)).is_file(), "{}", row.name);
        }
    }
}
