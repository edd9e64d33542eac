//! The table of systems: how each is found, and how its program for a row is put together and started.
//!
//! A program is assembled from the parts in `benches/peers/`: what the engine needs before it, the line that
//! says how often to repeat (`N`, the only place a count comes from), and the workload itself.

use crate::measure::Invocation;
use crate::rows::{Row, START_UP};
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One language implementation.
#[derive(Debug, Clone, Copy)]
pub struct System {
    /// Name on the command line and in the results.
    pub name: &'static str,
    /// Name in tables.
    pub label: &'static str,
    /// Programs that start it, best first; empty for SX, whose path is given.
    pub commands: &'static [&'static str],
    /// What has it.
    pub package: Package,
    /// Argument that makes it print its version.
    pub version: &'static str,
    /// Folder of its programs, which is also their ending but for Scheme.
    pub folder: &'static str,
    /// Files put before a Scheme program, then those for generators.
    pub prelude: &'static [&'static str],
    /// Scheme only: the file that defines `make-gen`.
    pub make_gen: &'static str,
    /// Rows whose programs it runs, if not all.
    pub rows: &'static [&'static str],
}

/// Where a system comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Package {
    /// It is SX itself.
    None,
    /// A package of Debian's.
    Debian(&'static str),
    /// A crate and its version.
    Crate(&'static str, &'static str),
}

impl fmt::Display for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Package::None => write!(f, "no package"),
            Package::Debian(name) => write!(f, "Debian package {name}"),
            Package::Crate(name, version) => write!(f, "crate {name} {version}"),
        }
    }
}

/// Steel has no library for the rows of which each system's own does the work.
const ROWS_OF_STEEL: &[&str] = &[
    START_UP,
    "fib",
    "tak",
    "ack",
    "deriv",
    "wordcount",
    "strbuild",
    "mandel",
    "nbody",
    "closures",
    "bintrees",
    "tc",
    "gen",
    "treegen",
    "treegen10",
    "ctak",
    "ctak10",
];

const SX: System = System {
    name: "sx",
    label: "SX",
    commands: &[],
    package: Package::None,
    version: "--version",
    folder: "sx",
    prelude: &[],
    make_gen: "",
    rows: &[],
};

/// SX without its native tier.
const INTERPRETER: System = System {
    name: "interpreter",
    label: "SX interpreter",
    ..SX
};

const fn scheme(name: &'static str, label: &'static str, prelude: &'static [&'static str]) -> System {
    System {
        name,
        label,
        folder: "scheme",
        prelude,
        make_gen: "callcc-gen.inc",
        ..SX
    }
}

/// SX first, then its peers.
pub const SYSTEMS: &[System] = &[
    SX,
    INTERPRETER,
    System {
        name: "lua",
        label: "Lua 5.4",
        commands: &["lua5.4"],
        package: Package::Debian("lua5.4"),
        version: "-v",
        folder: "lua",
        ..SX
    },
    System {
        commands: &["guile", "guile-3.0"],
        package: Package::Debian("guile-3.0"),
        make_gen: "gen-guile.inc",
        ..scheme("guile", "Guile", &["pre-guile.scm"])
    },
    System {
        name: "node",
        label: "Node",
        commands: &["node"],
        package: Package::Debian("nodejs"),
        folder: "js",
        ..SX
    },
    System {
        commands: &["chezscheme", "chez"],
        package: Package::Debian("chezscheme"),
        ..scheme("chez", "Chez", &["pre-chez.scm"])
    },
    System {
        name: "luajit",
        label: "LuaJIT",
        commands: &["luajit"],
        package: Package::Debian("luajit"),
        version: "-v",
        folder: "lua",
        ..SX
    },
    // For one row: what a page costs that nobody had to interpret.
    System {
        name: "rust",
        label: "Rust",
        commands: &["rustc"],
        package: Package::Debian("rustc"),
        folder: "rs",
        ..SX
    },
    System {
        commands: &["gsc"],
        package: Package::Debian("gambc"),
        version: "-v",
        ..scheme("gambit", "Gambit", &["pre-gambit.scm"])
    },
    System {
        commands: &["steel"],
        package: Package::Crate("steel-interpreter", "0.8.3"),
        rows: ROWS_OF_STEEL,
        ..scheme("steel", "Steel", &["pre-steel.scm"])
    },
];

impl System {
    /// Is it SX, with or without its native tier?
    pub fn is_sx(&self) -> bool {
        self.folder == SX.folder
    }

    /// The command of this system found on `PATH`, or where `cargo install` puts it.
    pub fn locate(&self) -> Option<PathBuf> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders: Vec<PathBuf> = std::env::split_paths(&path).chain(cargo_bin()).collect();
        self.commands
            .iter()
            .flat_map(|command| folders.iter().map(move |folder| folder.join(command)))
            .find(|candidate| candidate.is_file())
    }

    /// The first line of what it says about its version.
    pub fn version_line(&self, command: &Path) -> String {
        let Ok(said) = Command::new(command).arg(self.version).output() else {
            return String::new();
        };
        let text = if said.stdout.is_empty() {
            said.stderr
        } else {
            said.stdout
        };
        String::from_utf8_lossy(&text)
            .lines()
            .next()
            .unwrap_or("")
            .trim()
            .to_string()
    }

    fn ending(&self) -> &'static str {
        if self.folder == "scheme" { "scm" } else { self.folder }
    }

    fn count_line(&self, count: u32) -> String {
        match self.folder {
            "lua" => format!("local N={count}\n"),
            "js" => format!("const N={count};\n"),
            "rs" => format!("const N: u32 = {count};\n"),
            _ => format!("(define N {count})\n"),
        }
    }

    /// The whole program for `row`, repeated `count` times; `None` when there is no port of it.
    pub fn program(&self, peers: &Path, row: &Row, count: u32) -> io::Result<Option<String>> {
        let folder = peers.join(self.folder);
        let workload = folder.join(format!("{}.{}", row.name, self.ending()));
        if !workload.is_file() || !self.rows.is_empty() && !self.rows.contains(&row.name) {
            return Ok(None);
        }
        let mut text = String::new();
        for part in self.prelude {
            text += &std::fs::read_to_string(folder.join(part))?;
        }
        if row.name != START_UP {
            text += &self.count_line(count);
        }
        if row.generator && !self.make_gen.is_empty() {
            text += &std::fs::read_to_string(folder.join(self.make_gen))?;
        }
        let workload = std::fs::read_to_string(workload)?;
        // What Rust says of a whole file has to stand first in it.
        Ok(Some(if self.folder == "rs" {
            workload + &text
        } else {
            text + &workload
        }))
    }

    /// How to start the program at `file`. Gambit and Rust compile it first; the cost of that is not measured.
    pub fn invocation(&self, command: &Path, file: &Path, scratch: &Path) -> io::Result<Invocation> {
        let command = command.as_os_str().to_owned();
        let file_arg = file.as_os_str().to_owned();
        let mut env = Vec::new();
        let argv = match self.name {
            "sx" => vec![command, "run".into(), file_arg],
            "interpreter" => {
                env.push(("SX_SERVING_JIT", "0".into()));
                vec![command, "run".into(), file_arg]
            }
            "chez" => vec![command, "--program".into(), file_arg],
            "guile" => {
                // Guile compiles a script once and keeps the result; an untimed run fills this cache.
                env.push(("GUILE_AUTO_COMPILE", "1".into()));
                env.push(("XDG_CACHE_HOME", scratch.join("cache").into_os_string()));
                vec![command, "-s".into(), file_arg]
            }
            "gambit" => vec![compiled(&command, &["-exe"], file)?],
            "rust" => vec![compiled(&command, &["-O", "--edition=2024"], file)?],
            _ => vec![command, file_arg],
        };
        Ok(Invocation {
            argv,
            env,
            ..Invocation::default()
        })
    }
}

/// Where `cargo install` puts commands.
fn cargo_bin() -> Option<PathBuf> {
    let home = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let cargo = home("CARGO_HOME").or_else(|| home("HOME").map(|home| home.join(".cargo")))?;
    Some(cargo.join("bin"))
}

/// Compiles the program at `file` with these flags.
fn compiled(command: &OsString, flags: &[&str], file: &Path) -> io::Result<OsString> {
    let program = file.with_extension("exe");
    let done = Command::new(command)
        .args(flags)
        .arg("-o")
        .arg(&program)
        .arg(file)
        .output()?;
    if done.status.success() {
        Ok(program.into_os_string())
    } else {
        Err(io::Error::other(String::from_utf8_lossy(&done.stderr).into_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::ROWS;

    fn peers() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("peers")
    }

    #[test]
    fn every_row_has_its_programs() -> io::Result<()> {
        for row in ROWS {
            let mut ports = Vec::new();
            for system in SYSTEMS {
                if system.program(&peers(), row, 3)?.is_some() {
                    ports.push(system.name);
                }
            }
            assert!(
                ports.contains(&"sx") && (ports.len() > 1 || row.aim.is_empty()),
                "{}: {ports:?}",
                row.name
            );
        }
        Ok(())
    }

    #[test]
    fn the_count_stands_once_before_the_workload() -> io::Result<()> {
        for row in ROWS.iter().filter(|row| row.name != START_UP) {
            for system in SYSTEMS {
                let Some(text) = system.program(&peers(), row, 7654321)? else {
                    continue;
                };
                assert_eq!(text.matches("7654321").count(), 1, "{} on {}", row.name, system.name);
            }
        }
        Ok(())
    }
}
