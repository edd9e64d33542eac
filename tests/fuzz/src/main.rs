//! The command: makes programs, compares, cuts down what differs.
//!
//! `sx-fuzz --programs N --seed S --mode NAME,…|every --coverage --jobs J
//! --stop K --known TEXT` (differences that
//! mention the text count as none); with `--show` it prints the program of the seed and what it does;
//! with `--file PATH` it compares the programs of a file, cases of the corpus or one program.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use sx_fuzz::coverage::Coverage;
use sx_fuzz::run::{GUARDS, MODES, Mode};
use sx_fuzz::{BATCH, Fuzzer, Mismatch};
use sx_runtime::fault::{FAULTS, Fault};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

struct Options {
    programs: u64,
    seed: u64,
    modes: Vec<&'static Mode>,
    coverage: bool,
    show: bool,
    jobs: usize,
    stop: usize,
    known: Vec<String>,
    shrink: bool,
    faults: bool,
    fault: Option<Fault>,
    file: Option<String>,
}

fn options() -> Result<Options, String> {
    let mut options = Options {
        programs: 1000,
        seed: 0,
        modes: MODES[..1].iter().collect(),
        coverage: false,
        show: false,
        jobs: std::thread::available_parallelism().map_or(1, usize::from),
        stop: 5,
        known: vec![],
        shrink: true,
        faults: false,
        fault: None,
        file: None,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(flag) = arguments.next() {
        let mut number = || -> Result<u64, String> {
            let text = arguments.next().ok_or(format!("{flag} wants a number"))?;
            text.replace('_', "")
                .parse()
                .map_err(|_| format!("{flag}: {text} is no number"))
        };
        match flag.as_str() {
            "--programs" => options.programs = number()?,
            "--seed" => options.seed = number()?,
            "--jobs" => options.jobs = number()? as usize,
            "--stop" => options.stop = number()? as usize,
            "--known" => options.known.push(arguments.next().ok_or("--known wants a text")?),
            "--file" => options.file = Some(arguments.next().ok_or("--file wants a path")?),
            "--no-shrink" => options.shrink = false,
            "--faults" => options.faults = true,
            "--fault" => {
                let name = arguments.next().ok_or("--fault wants a name")?;
                let found = FAULTS.iter().find(|fault| fault.1 == name);
                options.fault = Some(found.ok_or(format!("--fault: no fault {name}"))?.0);
            }
            "--coverage" => options.coverage = true,
            "--show" => options.show = true,
            "--mode" => {
                let names = arguments.next().ok_or("--mode wants a name")?;
                options.modes = modes(&names)?;
            }
            _ => return Err(format!("no flag {flag}")),
        }
    }
    Ok(options)
}

/// The modes of these names, in the order of the table.
fn modes(names: &str) -> Result<Vec<&'static Mode>, String> {
    if names == "every" {
        return Ok(MODES.iter().collect());
    }
    let names: Vec<&str> = names.split(',').collect();
    let unknown = names.iter().find(|name| MODES.iter().all(|mode| mode.name != **name));
    match unknown {
        Some(name) => Err(format!("--mode: no mode {name}")),
        None => Ok(MODES.iter().filter(|mode| names.contains(&mode.name)).collect()),
    }
}

fn main() -> std::process::ExitCode {
    let result = options().and_then(|options| match &options {
        Options { show: true, .. } => show(&options),
        Options { file: Some(path), .. } => compare_file(&options, path),
        Options { faults: true, .. } => find_faults(options.seed),
        _ => run(&options),
    });
    match result {
        Ok(true) => std::process::ExitCode::SUCCESS,
        Ok(false) => std::process::ExitCode::FAILURE,
        Err(message) => {
            eprintln!("{message}");
            std::process::ExitCode::from(2)
        }
    }
}

#[cfg(feature = "planted-faults")]
fn find_faults(seed: u64) -> Result<bool, String> {
    sx_fuzz::faults::find_all(seed).map_err(|e| e.to_string())
}

#[cfg(not(feature = "planted-faults"))]
fn find_faults(_: u64) -> Result<bool, String> {
    Err("faults need the feature `planted-faults`".to_owned())
}

fn show(options: &Options) -> Result<bool, String> {
    let fuzzer = Fuzzer::new(&options.known, options.fault)?;
    let text = sx_fuzz::program_of(options.seed);
    println!("{text}\n{:#?}", fuzzer.oracle(&text));
    for mode in &options.modes {
        println!("{} {:#?}", mode.name, fuzzer.machine(&text, mode));
    }
    Ok(true)
}

/// Compares what a file holds: the cases of a corpus file, else one program.
fn compare_file(options: &Options, path: &str) -> Result<bool, String> {
    let fuzzer = Fuzzer::new(&options.known, options.fault)?;
    let text = std::fs::read_to_string(path).map_err(|e| format!("{path}: {e}"))?;
    let mut all = true;
    let mut cases: Vec<&str> = text.split("\n;;;; ").collect();
    if cases.len() > 1 {
        // What stands before the first case tells of the file.
        cases.remove(0);
    }
    for case in cases {
        // The case's name ends the comment that the split has cut into.
        let program = if text.len() == case.len() {
            case
        } else {
            case.split_once('\n').unwrap_or_default().1
        };
        for mode in &options.modes {
            for difference in fuzzer.compare(program, mode) {
                all = false;
                println!(
                    "{}, mode {}\n{difference}\n",
                    case.lines().next().unwrap_or_default(),
                    mode.name
                );
            }
        }
    }
    Ok(all)
}

fn run(options: &Options) -> Result<bool, String> {
    let began = std::time::Instant::now();
    let next = AtomicU64::new(0);
    let mismatches = Mutex::new(0usize);
    let total = Mutex::new((Coverage::default(), 0u64, 0u64));
    let worker = || -> Result<(), String> {
        let mut fuzzer = Fuzzer::new(&options.known, options.fault)?;
        let (mut coverage, mut skipped, mut tried) = (Coverage::default(), 0, 0);
        // A thread takes a batch, and goes through it in order.
        let mut batch = 0..0;
        loop {
            let number = match batch.next() {
                Some(number) => number,
                None => {
                    let from = next.fetch_add(BATCH, Ordering::Relaxed);
                    batch = from..(from + BATCH).min(options.programs);
                    match batch.next() {
                        Some(number) => number,
                        None => break,
                    }
                }
            };
            if mismatches.lock().is_ok_and(|found| *found >= options.stop) {
                break;
            }
            let seed = options.seed + number;
            tried += 1;
            match fuzzer.check(seed, &options.modes, &mut coverage) {
                Ok(true) => {}
                Ok(false) => skipped += 1,
                Err(mismatch) => {
                    if let Ok(mut found) = mismatches.lock() {
                        *found += 1;
                    }
                    report(&fuzzer, seed, number, &mismatch, options.shrink);
                }
            }
        }
        if let Ok(mut total) = total.lock() {
            total.0.merge(coverage);
            total.1 += skipped;
            total.2 += tried;
        }
        Ok(())
    };
    std::thread::scope(|scope| -> Result<(), String> {
        let spawn = |_| {
            std::thread::Builder::new()
                .stack_size(64 << 20)
                .spawn_scoped(scope, worker)
        };
        let threads: Vec<_> = (0..options.jobs.max(1)).map(spawn).collect();
        for thread in threads {
            let thread = thread.map_err(|e| e.to_string())?;
            thread.join().map_err(|_| "a worker panicked".to_owned())??;
        }
        Ok(())
    })?;
    let found = mismatches.into_inner().unwrap_or(1);
    if let Ok((coverage, skipped, tried)) = total.into_inner() {
        if options.coverage {
            println!("{}", coverage.report());
        }
        let modes: Vec<&str> = options.modes.iter().map(|mode| mode.name).collect();
        // Fewer than were asked for if enough of them differ.
        let (programs, seed) = (options.programs, options.seed);
        println!(
            "{tried} programs, seeds {seed}..{}, modes {}: {found} differ, {skipped} skipped, {:.0?}",
            seed + programs,
            modes.join(" "),
            began.elapsed()
        );
        let (emitted, forced) = GUARDS.counts();
        if emitted > 0 {
            println!("guards: {forced} of {emitted} failed on purpose");
        }
    }
    Ok(found == 0)
}

fn report(fuzzer: &Fuzzer, seed: u64, number: u64, mismatch: &Mismatch, shrink: bool) {
    println!(
        "seed {seed}, program {number}, mode {}, {}",
        mismatch.mode.name, mismatch.kind
    );
    if !mismatch.alone {
        println!("only after the programs before it: {}..={seed}\n", seed - seed % BATCH);
    } else if shrink {
        println!("{}\n", fuzzer.shrink(seed, mismatch));
    }
}
