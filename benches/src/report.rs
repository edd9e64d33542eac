//! Medians, ratios and the table.
//!
//! Invariant: a row whose answer was wrong shows that instead of a time.

/// Net figures of one system on one row, or why there are none.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// It ran and answered right.
    Measured(Figures),
    /// It printed something else.
    Wrong(String),
    /// It stopped with an error or ran out of time.
    Failed(String),
    /// There is no port of this row, as call/cc in Lua.
    Absent,
}

/// What was measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures {
    /// Median user CPU seconds, start-up subtracted.
    pub net_s: f64,
    /// User CPU seconds of each run, start-up included.
    pub runs_s: Vec<f64>,
    /// Largest peak resident memory of the runs, in bytes.
    pub peak_bytes: u64,
}

/// All systems on one row.
#[derive(Debug, Clone)]
pub struct Line {
    /// The row.
    pub row: &'static crate::rows::Row,
    /// How often its work was repeated.
    pub count: u32,
    /// One cell for each system of the table, in its order.
    pub cells: Vec<Cell>,
}

/// Everything one invocation measured.
#[derive(Debug, Clone)]
pub struct Table {
    /// Names and labels of the systems, and their version lines.
    pub systems: Vec<(&'static str, &'static str, String)>,
    /// Runs of each program.
    pub runs: usize,
    /// The lines.
    pub lines: Vec<Line>,
}

impl Cell {
    /// The figures, if it was measured.
    pub fn figures(&self) -> Option<&Figures> {
        match self {
            Cell::Measured(figures) => Some(figures),
            _ => None,
        }
    }
}

impl Table {
    /// The figures of `system` on `row`.
    pub fn figures(&self, row: &str, system: &str) -> Option<&Figures> {
        let line = self.lines.iter().find(|line| line.row.name == row)?;
        let column = self.systems.iter().position(|(name, ..)| *name == system)?;
        line.cells.get(column)?.figures()
    }

    /// CPU of SX over that of `peer` on `row`.
    pub fn ratio(&self, row: &str, peer: &str) -> Option<f64> {
        ratio(self.figures(row, "sx")?.net_s, self.figures(row, peer)?.net_s)
    }

    /// What is known of `row`, in one line.
    pub fn progress(&self, row: &str) -> String {
        let cell = |(name, label, _): &(&str, &str, String)| match self.figures(row, name) {
            Some(figures) => format!("{label} {}", seconds(figures.net_s)),
            None => format!("{label} –"),
        };
        let cells: Vec<String> = self.systems.iter().map(cell).collect();
        format!("{row:<12} {}", cells.join("  "))
    }

    /// Did any program answer wrongly or fail?
    pub fn has_errors(&self) -> bool {
        self.lines
            .iter()
            .flat_map(|line| &line.cells)
            .any(|cell| matches!(cell, Cell::Wrong(_) | Cell::Failed(_)))
    }
}

/// The middle value; the mean of the two middle ones when their number is even.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        n if n % 2 == 1 => Some(sorted[middle]),
        _ => Some((sorted[middle - 1] + sorted[middle]) / 2.0),
    }
}

/// Below this many seconds a net time is noise and no ratio is formed from it.
const NOISE_S: f64 = 0.002;

/// `ours / theirs`, unless either is lost in noise.
pub fn ratio(ours: f64, theirs: f64) -> Option<f64> {
    (ours >= NOISE_S && theirs >= NOISE_S).then(|| ours / theirs)
}

/// Seconds with as many digits as mean something.
pub fn seconds(s: f64) -> String {
    match s {
        s if s < 0.0 => "0.000".to_string(),
        s if s < 1.0 => format!("{s:.3}"),
        s if s < 10.0 => format!("{s:.2}"),
        s => format!("{s:.1}"),
    }
}

/// A ratio with two significant digits or so.
pub fn times(ratio: f64) -> String {
    if ratio < 10.0 {
        format!("{ratio:.2}×")
    } else {
        format!("{ratio:.0}×")
    }
}

/// Bytes as whole mebibytes.
pub fn mebibytes(bytes: u64) -> String {
    format!("{}", (bytes + (1 << 19)) >> 20)
}

/// The table as Markdown: seconds of each system, then the ratios of SX to each peer, then memory.
pub fn markdown(table: &Table) -> String {
    let mut rows = vec![header(table)];
    rows.extend(table.lines.iter().map(|line| cells_of(table, line)));
    align(&rows)
}

fn header(table: &Table) -> Vec<String> {
    let mut cells = vec!["row".to_string(), "N".to_string()];
    cells.extend(table.systems.iter().map(|(_, label, _)| format!("{label} s")));
    cells.extend(peers(table).map(|(_, label, _)| format!("SX/{label}")));
    cells.extend(table.systems.iter().map(|(_, label, _)| format!("{label} MB")));
    cells
}

fn peers(table: &Table) -> impl Iterator<Item = &(&'static str, &'static str, String)> {
    let with_sx = table.systems.iter().any(|(name, ..)| *name == "sx");
    table.systems.iter().filter(move |(name, ..)| with_sx && *name != "sx")
}

fn cells_of(table: &Table, line: &Line) -> Vec<String> {
    let mut cells = vec![line.row.name.to_string(), line.count.to_string()];
    cells.extend(line.cells.iter().map(|cell| match cell {
        Cell::Measured(figures) => seconds(figures.net_s),
        Cell::Wrong(_) => "WRONG".to_string(),
        Cell::Failed(_) => "FAILED".to_string(),
        Cell::Absent => "–".to_string(),
    }));
    let dash = || "–".to_string();
    cells.extend(peers(table).map(|(name, ..)| table.ratio(line.row.name, name).map_or_else(dash, times)));
    cells.extend(
        line.cells
            .iter()
            .map(|cell| cell.figures().map_or_else(dash, |f| mebibytes(f.peak_bytes))),
    );
    cells
}

/// Columns of equal width; the first to the left, the others to the right.
fn align(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |c: usize| {
        rows.iter()
            .filter_map(|row| row.get(c))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for (index, row) in rows.iter().enumerate() {
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let pad = " ".repeat(width - cell.chars().count());
            text += &if column == 0 {
                format!("| {cell}{pad} ")
            } else {
                format!("| {pad}{cell} ")
            };
        }
        text += "|\n";
        if index == 0 {
            for (column, width) in widths.iter().enumerate() {
                text += &if column == 0 {
                    format!("|{}", "-".repeat(width + 2))
                } else {
                    format!("|{}:", "-".repeat(width + 1))
                };
            }
            text += "|\n";
        }
    }
    text
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::rows::find;

    pub(crate) fn measured(net_s: f64, peak_mb: u64) -> Cell {
        Cell::Measured(Figures {
            net_s,
            runs_s: vec![net_s],
            peak_bytes: peak_mb << 20,
        })
    }

    pub(crate) fn table(lines: Vec<(&str, Vec<Cell>)>) -> Table {
        let lines = lines.into_iter().filter_map(|(name, cells)| {
            Some(Line {
                row: find(name)?,
                count: 2,
                cells,
            })
        });
        let version = |v: &str| v.to_string();
        Table {
            systems: vec![
                ("sx", "SX", version("sx 1")),
                ("lua", "Lua 5.4", version("Lua")),
                ("node", "Node", version("v20")),
            ],
            runs: 5,
            lines: lines.collect(),
        }
    }

    #[test]
    fn medians() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn ratios_ignore_noise() {
        assert_eq!(ratio(0.3, 0.2).map(times).as_deref(), Some("1.50×"));
        assert_eq!(ratio(4.0, 0.2).map(times).as_deref(), Some("20×"));
        assert_eq!(ratio(0.3, 0.001), None);
        assert_eq!(ratio(-0.001, 0.2), None);
    }

    #[test]
    fn seconds_keep_three_digits() {
        assert_eq!(
            ["0.123", "1.23", "12.3", "0.000"],
            [0.1234, 1.234, 12.34, -0.01]
                .map(seconds)
                .each_ref()
                .map(String::as_str)
        );
    }

    #[test]
    fn the_table_lines_up() {
        let table = table(vec![
            ("fib", vec![measured(0.6, 10), measured(0.4, 2), measured(0.1, 45)]),
            (
                "ctak",
                vec![Cell::Wrong("7".into()), Cell::Absent, Cell::Failed("signal".into())],
            ),
        ]);
        let text = markdown(&table);
        let widths: Vec<usize> = text.lines().map(|line| line.chars().count()).collect();
        assert!(widths.iter().all(|width| *width == widths[0]), "{text}");
        assert!(text.contains("1.50×") && text.contains("6.00×"), "{text}");
        assert!(
            text.contains("WRONG") && text.contains("FAILED") && text.contains('–'),
            "{text}"
        );
        assert!(table.has_errors());
        assert_eq!(table.progress("ctak"), "ctak         SX –  Lua 5.4 –  Node –");
    }
}
