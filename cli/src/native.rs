//! What the environment says about native code.
//!
//! Invariant: a variable that says nothing sensible is an error text that names it; what it leaves out is
//! as it would be without it.

use crate::print;
use crate::session::parse_bytes;
use std::str::FromStr;
use sx::native::{Absence, Profile, Settings, available, configure};
use sx::{Native, Options, Tuning};

/// Switches native code on and off.
const JIT: &str = "SX_SERVING_JIT";
/// Globs of functions that get none, and of the only ones that get some.
const DENY: &str = "SX_JIT_DENY";
const ONLY: &str = "SX_JIT_ONLY";
/// Calls before a function is compiled.
const THRESHOLD: &str = "SX_JIT_THRESHOLD";
/// A line for each compile.
const LOG: &str = "SX_JIT_LOG";
/// Most bytes of machine code.
const MEMORY: &str = "SX_JIT_MEMORY";
/// What profilers are told.
const PERF: &str = "SX_JIT_PERF";

/// Adds to `options` what the environment says, with `default` where it does not say whether at all.
pub fn from_environment(options: &mut Options, default: Native) -> Result<(), String> {
    options.native = match read(JIT).as_deref() {
        None => default,
        Some("1") => Native::Hot,
        Some("0") => Native::Off,
        // What the tests of whole processes use.
        Some("sync") => Native::Sync,
        Some(other) => return Err(format!("{JIT}: expected 1 or 0, got `{other}`")),
    };
    let wants_log = match read(LOG).as_deref() {
        None | Some("0") => false,
        Some("1") => true,
        Some(other) => return Err(format!("{LOG}: expected 1 or 0, got `{other}`")),
    };
    options.tuning = Tuning {
        threshold: parsed(THRESHOLD, "a number of calls, 1 or more", |text| {
            u32::from_str(text).ok().filter(|calls| *calls > 0 && *calls < u32::MAX)
        })?,
        denied: globs(DENY),
        only: globs(ONLY),
        log: wants_log.then_some(|line| print::error_text(&format!("jit: {line}\n"))),
        count: false,
    };
    let usual = Settings::default();
    configure(Settings {
        memory: parsed(MEMORY, "bytes like 8M", parse_bytes)?.unwrap_or(usual.memory),
        profile: parsed(PERF, "map or dump", |text| match text {
            "map" => Some(Profile::Map),
            "dump" => Some(Profile::Dump),
            _ => None,
        })?
        .unwrap_or(usual.profile),
    });
    match available() {
        Err(absence @ Absence::TooLittle) if options.native != Native::Off => {
            let given = read(MEMORY).unwrap_or_default();
            Err(format!("{MEMORY}: expected more than `{given}`: {}", absence.text()))
        }
        _ => Ok(()),
    }
}

fn read(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn parsed<T>(name: &str, wanted: &str, parse: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>, String> {
    let Some(text) = read(name) else { return Ok(None) };
    let value = parse(&text).ok_or_else(|| format!("{name}: expected {wanted}, got `{text}`"))?;
    Ok(Some(value))
}

/// The names between commas.
fn globs(name: &str) -> Vec<String> {
    let text = read(name).unwrap_or_default();
    let names = text.split(',').map(str::trim).filter(|glob| !glob.is_empty());
    names.map(str::to_owned).collect()
}
