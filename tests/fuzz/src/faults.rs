//! Is every planted fault found? Each is looked for in a process of its own, since some end in a
//! crash, which is a way of being found.

use crate::run::MODES;
use sx_runtime::fault::FAULTS;

/// Programs within which a fault must be found.
pub const PROGRAMS: u64 = 100_000;

/// Looks for every fault; a line for each, and whether all were found.
pub fn find_all(seed: u64) -> std::io::Result<bool> {
    let mut all = true;
    for (_, name) in FAULTS {
        let began = std::time::Instant::now();
        let found = find(name, seed)?;
        all &= found.is_some();
        println!(
            "{name:24} {} {:.0?}",
            found.unwrap_or_else(|| "NOT FOUND".to_owned()),
            began.elapsed()
        );
    }
    Ok(all)
}

/// The modes in which a fault can show: those of native code know nothing of the others.
fn modes_of(name: &str) -> String {
    let able = MODES
        .iter()
        .filter(|mode| mode.is_native() || !name.starts_with("native-"));
    able.map(|mode| mode.name).collect::<Vec<_>>().join(",")
}

/// Looks for one fault: how it was found.
fn find(name: &str, seed: u64) -> std::io::Result<Option<String>> {
    let output = std::process::Command::new(std::env::current_exe()?)
        .args([
            "--fault",
            name,
            "--mode",
            &modes_of(name),
            "--stop",
            "1",
            "--jobs",
            "1",
            "--no-shrink",
        ])
        .args(["--programs", &PROGRAMS.to_string(), "--seed", &seed.to_string()])
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let last = text
        .lines()
        .rfind(|line| line.starts_with("seed ") || line.starts_with("at "));
    Ok(match (output.status.code(), last) {
        // None was found, or the run could not begin.
        (Some(0 | 2), _) => None,
        (Some(1), Some(line)) => Some(line.to_owned()),
        (_, line) => Some(format!(
            "{} {}",
            output.status,
            line.unwrap_or("before it could say where")
        )),
    })
}
