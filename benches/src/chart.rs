//! The ratios as an SVG picture: one bar for each peer on each row, on a logarithmic scale.
//! A bar to the left of the middle line means SX used less CPU than that peer.
//!
//! Deliberately absent: the figures themselves; they are the table's.

use crate::report::{Line, Table, times};

const LEFT: f64 = 90.0;
const WIDTH: f64 = 520.0;
const BAR: f64 = 9.0;
const GAP: f64 = 10.0;
/// The scale runs from 1/64 to 64.
const DOUBLINGS: f64 = 6.0;
const COLOURS: [&str; 6] = ["#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377"];

/// The picture of a table.
pub fn svg(table: &Table) -> String {
    let peers: Vec<_> = table.systems.iter().filter(|(name, ..)| *name != "sx").collect();
    let keys: Vec<String> = peers.iter().map(|(_, label, _)| format!("SX / {label}")).collect();
    let row = |line: &Line| {
        let name = line.row.name;
        let ratios = peers.iter().map(|peer| table.ratio(name, peer.0));
        (name, ratios.collect())
    };
    let rows: Vec<_> = table.lines.iter().map(row).collect();
    bars(&keys, &rows)
}

/// The picture of rows with a ratio for each key, or none; empty rows are left out.
pub fn bars(keys: &[String], rows: &[(&str, Vec<Option<f64>>)]) -> String {
    let mut body = String::new();
    let mut y = 50.0;
    for (name, ratios) in rows {
        let bars: Vec<_> = ratios
            .iter()
            .enumerate()
            .filter_map(|(i, ratio)| Some((i, (*ratio)?)))
            .collect();
        if bars.is_empty() {
            continue;
        }
        let middle = y + BAR * bars.len() as f64 / 2.0 + 4.0;
        body += &format!(
            "<text x=\"{}\" y=\"{middle:.1}\" text-anchor=\"end\">{name}</text>\n",
            LEFT - 8.0
        );
        for (colour, ratio) in bars {
            body += &bar(y, ratio, COLOURS[colour % COLOURS.len()]);
            y += BAR;
        }
        y += GAP;
    }
    let keys = keys
        .iter()
        .enumerate()
        .map(|(i, label)| key(i, label))
        .collect::<String>();
    frame(y, &(scale(y) + &keys + &body))
}

fn place(ratio: f64) -> f64 {
    let doublings = ratio.log2().clamp(-DOUBLINGS, DOUBLINGS);
    LEFT + WIDTH * (doublings + DOUBLINGS) / (2.0 * DOUBLINGS)
}

fn bar(y: f64, ratio: f64, colour: &str) -> String {
    let (one, at) = (place(1.0), place(ratio));
    let (x, width) = (one.min(at), (one - at).abs().max(1.0));
    let label = times(ratio);
    let (text_x, anchor) = if at < one {
        (at - 3.0, "end")
    } else {
        (at + 3.0, "start")
    };
    format!(
        "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{:.1}\" fill=\"{colour}\"/>\
         <text x=\"{text_x:.1}\" y=\"{:.1}\" font-size=\"8\" text-anchor=\"{anchor}\">{label}</text>\n",
        BAR - 1.0,
        y + BAR - 2.0
    )
}

fn key(index: usize, label: &str) -> String {
    let x = LEFT + 110.0 * index as f64;
    let colour = COLOURS[index % COLOURS.len()];
    format!(
        "<rect x=\"{x}\" y=\"8\" width=\"10\" height=\"10\" fill=\"{colour}\"/><text x=\"{}\" y=\"17\">{label}</text>\n",
        x + 14.0
    )
}

fn scale(bottom: f64) -> String {
    let mut lines = String::new();
    for doubling in -(DOUBLINGS as i32)..=DOUBLINGS as i32 {
        let ratio = 2f64.powi(doubling);
        let x = place(ratio);
        let colour = if doubling == 0 { "#333" } else { "#ddd" };
        let text = if doubling < 0 {
            format!("1/{}", 1 << -doubling)
        } else {
            format!("{}", 1 << doubling)
        };
        lines += &format!(
            "<line x1=\"{x:.1}\" y1=\"44\" x2=\"{x:.1}\" y2=\"{bottom:.1}\" stroke=\"{colour}\"/>\
             <text x=\"{x:.1}\" y=\"40\" text-anchor=\"middle\">{text}</text>\n"
        );
    }
    lines
}

fn frame(bottom: f64, body: &str) -> String {
    let (width, height) = (LEFT + WIDTH + 50.0, bottom + 10.0);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height:.0}\" font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"{width}\" height=\"{height:.0}\" fill=\"white\"/>\n{body}</svg>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::{measured, table};

    #[test]
    fn the_scale_is_centred_on_one() {
        assert_eq!(place(1.0), LEFT + WIDTH / 2.0);
        assert_eq!(place(1e9), LEFT + WIDTH);
        assert!(place(0.5) < place(1.0) && place(1.0) < place(2.0));
    }

    #[test]
    fn one_bar_for_each_ratio() {
        let text = svg(&table(vec![(
            "fib",
            vec![measured(0.6, 1), measured(0.4, 1), measured(0.1, 1)],
        )]));
        assert_eq!(text.matches("font-size=\"8\"").count(), 2);
        assert!(text.contains("1.50×") && text.ends_with("</svg>\n"));
    }
}
