//! The results as JSON, for tools. Written by hand: the shape is small and fixed.

use crate::report::{Cell, Figures, Line, Table};

/// The table as a JSON text.
pub fn json(table: &Table) -> String {
    let systems = table.systems.iter().map(|(name, label, version)| {
        format!(
            "    {{\"name\": {}, \"label\": {}, \"version\": {}}}",
            quote(name),
            quote(label),
            quote(version)
        )
    });
    let lines = table.lines.iter().map(|line| line_json(table, line));
    format!(
        "{{\n  \"runs\": {},\n  \"systems\": [\n{}\n  ],\n  \"rows\": [\n{}\n  ]\n}}\n",
        table.runs,
        systems.collect::<Vec<_>>().join(",\n"),
        lines.collect::<Vec<_>>().join(",\n")
    )
}

fn line_json(table: &Table, line: &Line) -> String {
    let cells = line.cells.iter().zip(&table.systems).map(|(cell, (name, ..))| {
        let ratio = if *name == "sx" {
            None
        } else {
            table.ratio(line.row.name, name)
        };
        format!("      {}: {}", quote(name), cell_json(cell, ratio))
    });
    format!(
        "    {{\"row\": {}, \"repeated\": {}, \"results\": {{\n{}\n    }}}}",
        quote(line.row.name),
        line.count,
        cells.collect::<Vec<_>>().join(",\n")
    )
}

fn cell_json(cell: &Cell, ratio: Option<f64>) -> String {
    match cell {
        Cell::Measured(figures) => figures_json(figures, ratio),
        Cell::Wrong(printed) => format!("{{\"wrong\": {}}}", quote(printed)),
        Cell::Failed(reason) => format!("{{\"failed\": {}}}", quote(reason)),
        Cell::Absent => "null".to_string(),
    }
}

fn figures_json(figures: &Figures, ratio: Option<f64>) -> String {
    let runs: Vec<String> = figures.runs_s.iter().map(|s| format!("{s:.4}")).collect();
    let ratio = ratio.map_or(String::new(), |r| format!(", \"sx_ratio\": {r:.3}"));
    format!(
        "{{\"net_user_s\": {:.4}, \"user_s\": [{}], \"peak_bytes\": {}{ratio}}}",
        figures.net_s,
        runs.join(", "),
        figures.peak_bytes
    )
}

fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c < ' ' => quoted += &format!("\\u{:04x}", c as u32),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::{measured, table};

    #[test]
    fn quotes_and_ratios() {
        assert_eq!(quote("a\"b\\c\n"), "\"a\\\"b\\\\c\\u000a\"");
        let cells = vec![measured(0.6, 1), measured(0.4, 1), Cell::Wrong("6\"1".into())];
        let text = json(&table(vec![("fib", cells)]));
        assert!(
            text.contains("\"sx_ratio\": 1.500") && text.contains("{\"wrong\": \"6\\\"1\"}"),
            "{text}"
        );
        assert_eq!(text.matches('{').count(), text.matches('}').count());
    }
}
