//! The isolate of a command: made as the environment says, interrupted by Ctrl-C.
//!
//! Invariant: the first Ctrl-C asks the program to stop, so that it can report where it was; a
//! second one that finds it still running ends the process.

use crate::{FAILED, INTERRUPTED, SUCCESS, native, print};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use sx::{Engine, Error, InterruptHandle, Isolate, Native, Options, Stress, Value};

/// The op by which a program ends.
pub const EXIT: &str = "exit";
/// The variable that bounds a program's heap.
const MEMORY_LIMIT: &str = "SX_MEMORY_LIMIT";

/// An isolate and the watch over it.
pub struct Session {
    /// The isolate.
    pub isolate: Isolate,
    interrupts: Interrupts,
}

/// What the Ctrl-C handler sees.
#[derive(Clone, Default)]
pub struct Interrupts {
    target: Arc<Mutex<Option<InterruptHandle>>>,
    pending: Arc<AtomicBool>,
}

impl Session {
    /// A session whose program sees `arguments`; an error text if the environment is wrong.
    pub fn start(arguments: &[String]) -> Result<Session, String> {
        Session::with(arguments, options()?)
    }

    /// The same in a mode of the tests.
    pub fn in_mode(arguments: &[String], mode: (Stress, Native)) -> Result<Session, String> {
        let (stress, native) = mode;
        let options = Options {
            stress,
            native,
            ..options()?
        };
        Session::with(arguments, options)
    }

    /// A session for looking at what becomes of a program: the instructions that are interpreted are counted,
    /// and `exit` is answered by whoever drives it.
    pub fn observed(arguments: &[String]) -> Result<Session, String> {
        let mut options = options()?;
        options.tuning.count = true;
        let mut isolate = Engine::with(options).isolate().map_err(|e| e.to_string())?;
        isolate.set_command_line(arguments);
        Ok(Session::watching(isolate))
    }

    fn with(arguments: &[String], options: Options) -> Result<Session, String> {
        let mut isolate = Engine::with(options).isolate().map_err(|e| e.to_string())?;
        equip(&mut isolate, arguments);
        Ok(Session::watching(isolate))
    }

    fn watching(isolate: Isolate) -> Session {
        let interrupts = Interrupts::default();
        interrupts.watch(isolate.interrupt_handle());
        Session { isolate, interrupts }
    }

    /// Runs `work` on the isolate; a Ctrl-C that comes meanwhile is its own.
    pub fn run<T>(&mut self, work: impl FnOnce(&mut Isolate) -> Result<T, Error>) -> Result<T, Error> {
        let result = work(&mut self.isolate);
        self.isolate.flush();
        self.interrupts.pending.store(false, Ordering::SeqCst);
        result
    }
}

impl Interrupts {
    /// Ctrl-C stops this program from now on.
    pub fn watch(&self, handle: InterruptHandle) {
        *self.target.lock().unwrap_or_else(PoisonError::into_inner) = Some(handle);
        let watch = self.clone();
        let on_signal = move || {
            if watch.pending.swap(true, Ordering::SeqCst) {
                std::process::exit(i32::from(INTERRUPTED));
            }
            if let Some(handle) = &*watch.target.lock().unwrap_or_else(PoisonError::into_inner) {
                handle.interrupt();
            }
        };
        // Without a handler Ctrl-C ends the process, which is what it is for.
        let _ = ctrlc::set_handler(on_signal);
    }
}

/// Prints the error and tells the exit code.
pub fn fail(error: &Error) -> u8 {
    print::error(error);
    if error.is_interrupt() { INTERRUPTED } else { FAILED }
}

/// The exit code of a result; its error is printed.
pub fn exit_code<T>(result: Result<T, Error>) -> u8 {
    result.map_or_else(|error| fail(&error), |_| SUCCESS)
}

/// Gives an isolate what every program on the command line has.
pub fn equip(isolate: &mut Isolate, arguments: &[String]) {
    isolate.set_command_line(arguments);
    isolate.on(EXIT, |arguments| std::process::exit(i32::from(wanted_code(arguments))));
}

/// The code that a program wants the process to end with, given the arguments of `exit`.
pub fn wanted_code(arguments: &[Value]) -> u8 {
    let code = arguments.first().and_then(|code| code.to_string().parse::<i64>().ok());
    (code.unwrap_or(0) & 0xff) as u8
}

/// The options the environment asks for; an error text if it is wrong.
pub fn options() -> Result<Options, String> {
    options_with(Native::Hot)
}

/// The same for a command with a rule of its own about native code.
pub fn options_with(native_default: Native) -> Result<Options, String> {
    let mut options = Options::default();
    native::from_environment(&mut options, native_default)?;
    if let Some(bytes) = bytes(MEMORY_LIMIT)? {
        options.memory_limit = bytes;
    }
    Ok(options)
}

/// The bytes that a variable names, if it is set.
pub fn bytes(variable: &str) -> Result<Option<usize>, String> {
    let Ok(text) = std::env::var(variable) else {
        return Ok(None);
    };
    let bytes = parse_bytes(&text);
    let wrong = || format!("{variable}: expected bytes like 64M or 1G, got `{text}`");
    bytes.map(Some).ok_or_else(wrong)
}

/// A number of bytes, with K, M or G for powers of 1024.
pub fn parse_bytes(text: &str) -> Option<usize> {
    let (digits, unit) = match text.chars().last()?.to_ascii_uppercase() {
        'K' => (&text[..text.len() - 1], 1 << 10),
        'M' => (&text[..text.len() - 1], 1 << 20),
        'G' => (&text[..text.len() - 1], 1 << 30),
        _ => (text, 1),
    };
    digits.trim().parse::<usize>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        assert_eq!(parse_bytes("4096"), Some(4096));
        assert_eq!(parse_bytes("64M"), Some(64 << 20));
        assert_eq!(parse_bytes("1g"), Some(1 << 30));
        for bad in ["", "M", "-1", "1T", "x", "99999999999999999999"] {
            assert_eq!(parse_bytes(bad), None, "{bad}");
        }
    }
}
