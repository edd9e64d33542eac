//! `peers`: measures SX and its peers side by side. `--help` says how.
//!
//! Deliberately absent: how a program is measured; that is the library beside it.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use sx_benches::limits::verdicts;
use sx_benches::report::{Cell, Table, markdown};
use sx_benches::rows::{self, ROWS, Row, START_UP};
use sx_benches::session::Session;
use sx_benches::systems::{Package, SYSTEMS, System};
use sx_benches::{chart, json};

const HELP: &str = "\
peers: measure SX and its peers on the same work

  --only ROW[,ROW…]    these rows only (start-up is always measured, to subtract it)
  --peers NAME[,NAME…] these peers (default all of interpreter,lua,guile,node,chez,luajit,rust,gambit,steel; or none)
  --runs N             timed runs of each program, interleaved (default 5)
  --count N            repeat each row's work N times instead of finding N
  --sx PATH            this binary (default: build one with cargo, release profile)
  --no-sx              peers alone
  --limit S            CPU seconds after which a run is stopped (default 120)
  --out DIR            where peers.json and peers.svg go (default benches/results); `--out -` writes none
  --install            install missing peers, with apt-get (as root) and cargo

Exit code 1 when a program fails or answers wrongly, 2 when the arguments make no sense.
";

struct Options {
    rows: Vec<&'static Row>,
    peers: Vec<&'static System>,
    runs: usize,
    count: Option<u32>,
    sx: Option<PathBuf>,
    with_sx: bool,
    limit_s: u32,
    out: Option<PathBuf>,
    install: bool,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|a| a == "--help" || a == "-h") {
        print!("{HELP}");
        return ExitCode::SUCCESS;
    }
    let options = match parse(&arguments) {
        Ok(options) => options,
        Err(message) => {
            eprintln!("peers: {message}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    match run(&options) {
        Ok(table) if table.has_errors() => ExitCode::FAILURE,
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("peers: {error}");
            ExitCode::FAILURE
        }
    }
}

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn parse(arguments: &[String]) -> Result<Options, String> {
    let mut options = Options {
        rows: ROWS.iter().collect(),
        peers: peers_named("all")?,
        runs: 5,
        count: None,
        sx: None,
        with_sx: true,
        limit_s: 120,
        out: Some(here().join("results")),
        install: false,
    };
    let mut rest = arguments.iter();
    while let Some(flag) = rest.next() {
        let mut value = || rest.next().cloned().ok_or_else(|| format!("{flag} wants a value"));
        match flag.as_str() {
            "--only" => options.rows = rows_named(&value()?)?,
            "--peers" => options.peers = peers_named(&value()?)?,
            "--runs" => options.runs = number(&value()?)?.max(1) as usize,
            "--count" => options.count = Some(number(&value()?)?.max(1)),
            "--sx" => options.sx = Some(PathBuf::from(value()?)),
            "--no-sx" => options.with_sx = false,
            "--limit" => options.limit_s = number(&value()?)?,
            "--out" => options.out = Some(value()?).filter(|out| out != "-").map(PathBuf::from),
            "--install" => options.install = true,
            _ => return Err(format!("what is {flag}?")),
        }
    }
    Ok(options)
}

fn number(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| format!("{text} is not a count"))
}

/// The rows of that list in table order, start-up first.
fn rows_named(list: &str) -> Result<Vec<&'static Row>, String> {
    let wanted: Vec<&str> = list.split(',').collect();
    if let Some(unknown) = wanted.iter().find(|name| rows::find(name).is_none()) {
        let known: Vec<&str> = ROWS.iter().map(|row| row.name).collect();
        return Err(format!("no row {unknown}; there are {}", known.join(" ")));
    }
    Ok(ROWS
        .iter()
        .filter(|row| row.name == START_UP || wanted.contains(&row.name))
        .collect())
}

fn peers_named(list: &str) -> Result<Vec<&'static System>, String> {
    let peers = || SYSTEMS.iter().filter(|system| system.name != "sx");
    match list {
        "all" => return Ok(peers().collect()),
        "none" => return Ok(Vec::new()),
        _ => {}
    }
    let find = |name: &str| {
        peers()
            .find(|system| system.name == name)
            .ok_or_else(|| format!("no peer {name}"))
    };
    list.split(',').map(find).collect()
}

fn run(options: &Options) -> io::Result<Table> {
    if options.install {
        install(&options.peers)?;
    }
    let mut systems = Vec::new();
    let sx = match options.with_sx {
        true => Some(sx_binary(options.sx.as_deref())?),
        false => None,
    };
    if let Some(sx) = &sx {
        systems.push((&SYSTEMS[0], sx.clone()));
    }
    let mut missing = Vec::new();
    for peer in &options.peers {
        if peer.is_sx() {
            systems.extend(sx.iter().map(|sx| (*peer, sx.clone())));
            continue;
        }
        match peer.locate() {
            Some(command) => systems.push((*peer, command)),
            None => missing.push(*peer),
        }
    }
    complain(&missing);
    let target = here().join("../target/peers");
    let session = Session {
        systems,
        runs: options.runs,
        limit_s: options.limit_s,
        count: options.count,
        peers: here().join("peers"),
        scratch: target,
    };
    let table = session.measure(&options.rows, &mut |line| eprintln!("{line}"))?;
    show(&table);
    complain(&missing);
    if let Some(out) = &options.out {
        std::fs::create_dir_all(out)?;
        std::fs::write(out.join("peers.json"), json::json(&table))?;
        std::fs::write(out.join("peers.svg"), chart::svg(&table))?;
    }
    Ok(table)
}

/// The binary to measure; without one given, the current sources are built first.
fn sx_binary(given: Option<&Path>) -> io::Result<PathBuf> {
    if let Some(path) = given {
        return std::fs::canonicalize(path);
    }
    let root = here().join("..");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--release", "-p", "sx-cli"])
        .current_dir(&root)
        .status()?;
    if !built.success() {
        return Err(io::Error::other("sx does not build"));
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    std::fs::canonicalize(target.join("release/sx"))
}

fn install(peers: &[&'static System]) -> io::Result<()> {
    let missing = peers.iter().filter(|peer| !peer.is_sx() && peer.locate().is_none());
    let (mut packages, mut crates) = (vec![], vec![]);
    for peer in missing {
        match peer.package {
            Package::Debian(name) => packages.push(name),
            Package::Crate(name, version) => crates.push((name, version)),
            Package::None => {}
        }
    }
    install_packages(&packages)?;
    for (name, version) in crates {
        run_or_fail("cargo", &["install", "--locked", "--version", version, name])?;
    }
    Ok(())
}

fn install_packages(packages: &[&str]) -> io::Result<()> {
    if packages.is_empty() {
        return Ok(());
    }
    let id = Command::new("id").arg("-u").output()?;
    if id.stdout.trim_ascii() != b"0" {
        return Err(io::Error::other(format!(
            "--install wants root; the packages are {}",
            packages.join(" ")
        )));
    }
    run_or_fail("apt-get", &["update"])?;
    run_or_fail(
        "apt-get",
        &[&["install", "-y", "--no-install-recommends"], packages].concat(),
    )
}

fn run_or_fail(program: &str, arguments: &[&str]) -> io::Result<()> {
    match Command::new(program).args(arguments).status()?.success() {
        true => Ok(()),
        false => Err(io::Error::other(format!("{program} {} failed", arguments.join(" ")))),
    }
}

fn complain(missing: &[&System]) {
    for peer in missing {
        eprintln!(
            "*** MISSING PEER: {} ({}); its column is not in this table ***",
            peer.label, peer.package
        );
    }
}

fn show(table: &Table) {
    println!(
        "User CPU seconds, median of {} interleaved runs, start-up subtracted (hello: not). Memory: peak.\n",
        table.runs
    );
    println!("{}", markdown(table));
    for line in &table.lines {
        for (cell, (_, label, _)) in line.cells.iter().zip(&table.systems) {
            match cell {
                Cell::Wrong(printed) => println!(
                    "WRONG: {} on {label} printed {printed:?}, not {:?}",
                    line.row.name, line.row.answer
                ),
                Cell::Failed(reason) => println!("FAILED: {} on {label}: {reason}", line.row.name),
                _ => {}
            }
        }
    }
    for verdict in verdicts(table) {
        println!(
            "{} {} ({})",
            if verdict.holds { "  met " } else { "  MISSED" },
            verdict.bound,
            verdict.figure
        );
    }
}
