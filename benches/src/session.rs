//! One measuring session: warms each program up, sets how often each row repeats its work, then runs all
//! systems in turn, so that a disturbance of the machine falls on each of them alike.
//!
//! Invariant: the answer of every run is checked.

use crate::answer::agrees;
use crate::measure::{self, Sample};
use crate::report::{Cell, Figures, Line, Table, median};
use crate::rows::{Row, START_UP};
use crate::systems::System;
use std::io;
use std::path::{Path, PathBuf};

/// A repetition count is raised until the best peer takes this long …
const BEST_PEER_S: f64 = 0.3;
/// … but no system's run shall grow beyond this.
const LONGEST_S: f64 = 5.0;

/// What to measure and how.
#[derive(Debug)]
pub struct Session {
    /// The systems present and the commands that start them.
    pub systems: Vec<(&'static System, PathBuf)>,
    /// Timed runs of each program.
    pub runs: usize,
    /// CPU seconds after which a run is stopped.
    pub limit_s: u32,
    /// A fixed repetition count instead of the measured one.
    pub count: Option<u32>,
    /// The folder with the programs.
    pub peers: PathBuf,
    /// Where assembled programs go.
    pub scratch: PathBuf,
}

/// What one system did on one row so far.
enum Progress {
    Running(Vec<Sample>),
    Done(Cell),
}

impl Session {
    /// Measures `rows` and prints each line as it is known through `tell`.
    pub fn measure(&self, rows: &[&'static Row], tell: &mut dyn FnMut(&str)) -> io::Result<Table> {
        std::fs::create_dir_all(&self.scratch)?;
        let systems = self.systems.iter().map(|(system, command)| {
            let version = system.version_line(command);
            (system.name, system.label, version)
        });
        let mut table = Table {
            systems: systems.collect(),
            runs: self.runs,
            lines: Vec::new(),
        };
        let mut start_up = vec![0.0; self.systems.len()];
        for row in rows {
            let line = self.line(row, &start_up)?;
            if row.name == START_UP {
                start_up = line
                    .cells
                    .iter()
                    .map(|cell| cell.figures().map_or(0.0, |f| f.net_s))
                    .collect();
            }
            table.lines.push(line);
            tell(&table.progress(row.name));
        }
        Ok(table)
    }

    fn line(&self, row: &'static Row, start_up: &[f64]) -> io::Result<Line> {
        let mut progress: Vec<Progress> = Vec::new();
        let mut once = Vec::new();
        for ((system, command), start) in self.systems.iter().zip(start_up) {
            let first = self.run_once(system, command, row, 1)?;
            once.push((system.name, first.as_ref().ok().map(|sample| sample.user_s - start)));
            progress.push(match first {
                Ok(_) => Progress::Running(Vec::new()),
                Err(cell) => Progress::Done(cell),
            });
        }
        let count = if row.name == START_UP {
            1
        } else {
            self.count.unwrap_or_else(|| count_for(&once))
        };
        // The first round warms caches (Guile compiles each new program once) and is not counted.
        for round in 0..=self.runs {
            for ((system, command), state) in self.systems.iter().zip(&mut progress) {
                if round > 0 || (count > 1 && system.name == "guile") {
                    self.advance(system, command, row, count, state, round > 0)?;
                }
            }
        }
        let cells = progress
            .into_iter()
            .zip(start_up)
            .map(|(state, start)| finish(state, *start))
            .collect();
        Ok(Line { row, count, cells })
    }

    fn advance(
        &self,
        system: &System,
        command: &Path,
        row: &Row,
        count: u32,
        state: &mut Progress,
        counted: bool,
    ) -> io::Result<()> {
        if let Progress::Running(samples) = state {
            match self.run_once(system, command, row, count)? {
                Ok(sample) if counted => samples.push(sample),
                Ok(_) => {}
                Err(cell) => *state = Progress::Done(cell),
            }
        }
        Ok(())
    }

    /// Runs one program and checks its answer.
    fn run_once(&self, system: &System, command: &Path, row: &Row, count: u32) -> io::Result<Result<Sample, Cell>> {
        let Some(text) = system.program(&self.peers, row, count)? else {
            return Ok(Err(Cell::Absent));
        };
        let file = self
            .scratch
            .join(format!("{}-{}.{}", row.name, system.name, system.folder));
        if std::fs::read_to_string(&file).is_ok_and(|old| old == text) {
            // Left alone, so that a cache keyed by its date stays good.
        } else {
            std::fs::write(&file, text)?;
        }
        let invocation = match system.invocation(command, &file, &self.scratch) {
            Ok(invocation) => invocation,
            Err(error) => return Ok(Err(Cell::Failed(error.to_string()))),
        };
        let sample = measure::run(&invocation, self.limit_s)?;
        Ok(match &sample.failure {
            Some(reason) => Err(Cell::Failed(reason.clone())),
            None if agrees(&sample.output, row.answer) => Ok(sample),
            None => Err(Cell::Wrong(sample.output.trim().chars().take(200).collect())),
        })
    }
}

fn finish(state: Progress, start_up: f64) -> Cell {
    match state {
        Progress::Done(cell) => cell,
        Progress::Running(samples) => {
            let runs_s: Vec<f64> = samples.iter().map(|sample| sample.user_s).collect();
            let peak_bytes = samples.iter().map(|sample| sample.peak_bytes).max().unwrap_or(0);
            let net_s = median(&runs_s).map_or(0.0, |m| (m - start_up).max(0.0));
            Cell::Measured(Figures {
                net_s,
                runs_s,
                peak_bytes,
            })
        }
    }
}

/// How often to repeat, from the net seconds each system took for one repetition. SX is no peer here: how fast
/// it happens to be must not change the work. It counts only for the longest run.
fn count_for(once: &[(&str, Option<f64>)]) -> u32 {
    let measured = |keep: fn(&str) -> bool| once.iter().filter(move |(name, _)| keep(name)).filter_map(|(_, s)| *s);
    let best = measured(|name| name != "sx").fold(f64::INFINITY, f64::min);
    let slowest = measured(|_| true).fold(0.0, f64::max);
    if !best.is_finite() || best >= BEST_PEER_S {
        return 1;
    }
    let wanted = BEST_PEER_S / best.max(0.005);
    let allowed = LONGEST_S / slowest.max(0.001);
    wanted.min(allowed).ceil().max(1.0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_grow_until_the_best_peer_takes_long_enough() {
        assert_eq!(
            count_for(&[("sx", Some(0.5)), ("lua", Some(0.4)), ("node", Some(0.1))]),
            3
        );
        assert_eq!(
            count_for(&[("sx", Some(0.01)), ("lua", Some(0.4))]),
            1,
            "SX itself is not the yardstick"
        );
        assert_eq!(count_for(&[("sx", Some(0.01)), ("lua", Some(0.4)), ("node", None)]), 1);
        assert_eq!(
            count_for(&[("lua", Some(0.0)), ("guile", Some(2.0))]),
            3,
            "the slowest run stays bearable"
        );
        assert_eq!(count_for(&[("sx", Some(0.2))]), 1);
    }
}
