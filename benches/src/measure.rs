//! One child process: its output, its user CPU and its peak resident memory, from `wait4`.
//!
//! User CPU counts every thread of the child (a collector's too). Wall time is never read: on a
//! shared machine it measures the neighbours.

use std::ffi::OsString;
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use wait4::Wait4;

/// What to run.
#[derive(Debug, Clone, Default)]
pub struct Invocation {
    /// Program and arguments.
    pub argv: Vec<OsString>,
    /// Environment variables to set.
    pub env: Vec<(&'static str, OsString)>,
    /// Where it runs; here if not given.
    pub directory: Option<PathBuf>,
    /// The file it gets as standard input; nothing if not given.
    pub input: Option<PathBuf>,
}

/// What one run cost and printed.
#[derive(Debug, Clone)]
pub struct Sample {
    /// User CPU seconds.
    pub user_s: f64,
    /// Peak resident memory in bytes.
    pub peak_bytes: u64,
    /// Standard output.
    pub output: String,
    /// The end of standard error, when the child failed.
    pub failure: Option<String>,
}

/// Runs `invocation`, killing it after `limit_s` seconds of CPU.
pub fn run(invocation: &Invocation, limit_s: u32) -> io::Result<Sample> {
    let mut out = scratch_file()?;
    let mut err = scratch_file()?;
    // The shell replaces itself by the program, so its limit holds and no process lies between.
    let input = match &invocation.input {
        Some(path) => Stdio::from(std::fs::File::open(path)?),
        None => Stdio::null(),
    };
    let directory = invocation.directory.as_deref().unwrap_or(Path::new("."));
    let mut child = Command::new("sh")
        .args(["-c", r#"ulimit -t "$0"; exec "$@""#, &limit_s.to_string()])
        .args(&invocation.argv)
        .envs(invocation.env.iter().map(|(name, value)| (name, value)))
        .current_dir(directory)
        .stdin(input)
        .stdout(out.try_clone()?)
        .stderr(err.try_clone()?)
        .spawn()?;
    let used = child.wait4()?;
    let failure = if used.status.success() {
        None
    } else {
        Some(format!("{}: {}", used.status, last_line(&read_back(&mut err)?)))
    };
    Ok(Sample {
        user_s: used.rusage.utime.as_secs_f64(),
        peak_bytes: used.rusage.maxrss,
        output: read_back(&mut out)?,
        failure,
    })
}

/// An unnamed temporary file: a child never blocks on it, as it would on a full pipe.
fn scratch_file() -> io::Result<std::fs::File> {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("sx-peers-{}-{number}", std::process::id()));
    let file = std::fs::File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}

fn read_back(file: &mut std::fs::File) -> io::Result<String> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn last_line(text: &str) -> &str {
    text.lines()
        .rev()
        .find(|line| !line.trim().is_empty())
        .unwrap_or("")
        .trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Invocation {
        Invocation {
            argv: ["sh", "-c", script].map(OsString::from).to_vec(),
            ..Invocation::default()
        }
    }

    #[test]
    fn output_and_failure_are_kept() -> io::Result<()> {
        let good = run(&sh("echo 42"), 5)?;
        assert_eq!((good.output.as_str(), good.failure), ("42\n", None));
        assert!(good.peak_bytes > 0);
        let bad = run(&sh("echo one >&2; echo two >&2; exit 3"), 5)?;
        assert!(bad.failure.is_some_and(|text| text.ends_with("two")));
        Ok(())
    }

    #[test]
    fn a_runaway_is_stopped_and_counted() -> io::Result<()> {
        let sample = run(&sh("while :; do :; done"), 1)?;
        assert!(sample.failure.is_some());
        assert!(sample.user_s > 0.1);
        Ok(())
    }
}
