//! What was measured: a Markdown table for `docs/benchmarking.md`, JSON for tools, a picture.
//!
//! Deliberately absent: measuring. Invariant: a bound without its figure has no verdict.

use crate::systems::System;
use crate::{ROUTES, Route};
use sx_benches::chart;
use sx_benches::report::median;

/// Everything one invocation measured.
pub struct Results {
    pub runs: usize,
    pub systems: Vec<&'static str>,
    /// In the order of the systems.
    pub figures: Vec<Figures>,
    pub extras: Vec<Extra>,
}

/// What was measured of a system in all rounds.
#[derive(Default)]
pub struct Figures {
    /// CPU of a request, in the order of the routes.
    pub micros: [Vec<f64>; ROUTES.len()],
    pub start_ms: Vec<f64>,
    pub idle_mb: Vec<f64>,
    pub loaded_mb: Vec<f64>,
}

/// A figure of its own.
pub struct Extra {
    pub key: &'static str,
    pub what: &'static str,
    pub figure: f64,
    pub unit: &'static str,
    pub bound: Bound,
}

/// What the goals say of a figure.
#[derive(Clone, Copy)]
pub enum Bound {
    AtMost(f64),
    AtLeast(f64),
    None,
}

impl Extra {
    /// A figure without a bound.
    pub fn figure(key: &'static str, what: &'static str, figure: f64, unit: &'static str) -> Extra {
        Extra {
            key,
            what,
            figure,
            unit,
            bound: Bound::None,
        }
    }
}

/// The columns beside the routes: what they are called, where they are found, the most of SX.
type Column = (&'static str, &'static str, fn(&Figures) -> &[f64], f64);

const COLUMNS: [Column; 3] = [
    ("cold start ms", "start_ms", |figures| &figures.start_ms, 100.0),
    ("idle MB", "idle_mb", |figures| &figures.idle_mb, 30.0),
    ("loaded MB", "loaded_mb", |figures| &figures.loaded_mb, 64.0),
];

impl Results {
    /// Room for what will be measured.
    pub fn new(systems: &[System], runs: usize) -> Results {
        Results {
            runs,
            systems: systems.iter().map(|system| system.name).collect(),
            figures: systems.iter().map(|_| Figures::default()).collect(),
            extras: Vec::new(),
        }
    }

    fn of(&self, name: &str) -> Option<&Figures> {
        let index = self.systems.iter().position(|known| *known == name)?;
        self.figures.get(index)
    }

    /// A route's CPU over that of axum, medians.
    fn ratio(&self, figures: &Figures, route: usize) -> Option<f64> {
        let axum = median(&self.of("axum")?.micros[route])?;
        median(&figures.micros[route]).map(|micros| micros / axum)
    }

    /// The table of systems, and the one of bounds.
    pub fn markdown(&self) -> String {
        let names = ROUTES.iter().map(|route| format!("{} µs", route.name));
        let columns = COLUMNS.iter().map(|(name, ..)| (*name).to_owned());
        let mut text = line(std::iter::once(String::new()).chain(names).chain(columns));
        text += &format!("|---|{}\n", "---:|".repeat(ROUTES.len() + COLUMNS.len()));
        for (name, figures) in self.systems.iter().zip(&self.figures) {
            let routes = (0..ROUTES.len()).map(|route| {
                let micros = median(&figures.micros[route]).map(|micros| format!("{micros:.1}"));
                let ratio = self.ratio(figures, route).map(|ratio| format!(" ({ratio:.2} ×)"));
                micros.map_or("–".to_owned(), |micros| micros + &ratio.unwrap_or_default())
            });
            let columns = COLUMNS.iter().map(|(_, _, values, _)| shown(median(values(figures))));
            text += &line(std::iter::once((*name).to_owned()).chain(routes).chain(columns));
        }
        text += "\n| what | figure | bound | |\n|---|---:|---:|---|\n";
        text + &self.verdicts().concat()
    }

    fn verdicts(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(sx) = self.of("sx") {
            for (index, Route { name, must, .. }) in ROUTES.iter().enumerate() {
                if let Some(ratio) = self.ratio(sx, index) {
                    lines.push(verdict(&format!("{name}, × axum"), ratio, "×", Bound::AtMost(*must)));
                }
            }
            for (name, _, values, most) in COLUMNS {
                if let Some(value) = median(values(sx)) {
                    lines.push(verdict(name, value, "", Bound::AtMost(most)));
                }
            }
        }
        let extras = self.extras.iter();
        lines.extend(extras.map(|extra| verdict(extra.what, extra.figure, extra.unit, extra.bound)));
        lines
    }

    /// Every round, for tools.
    pub fn json(&self) -> String {
        let list = |values: &[f64]| {
            let shown: Vec<String> = values.iter().map(|value| format!("{value:.2}")).collect();
            format!("[{}]", shown.join(", "))
        };
        let rows = self.systems.iter().zip(&self.figures).map(|(name, figures)| {
            let routes = ROUTES.iter().zip(&figures.micros);
            let routes: Vec<String> = routes
                .map(|(route, values)| format!("\"{}\": {}", route.name, list(values)))
                .collect();
            let columns = COLUMNS
                .iter()
                .map(|(_, key, values, _)| format!(", \"{key}\": {}", list(values(figures))));
            let columns: String = columns.collect();
            format!(
                "    {{\"name\": \"{name}\", \"cpu_us\": {{{}}}{columns}}}",
                routes.join(", ")
            )
        });
        let rows: Vec<String> = rows.collect();
        let extras = self.extras.iter();
        let extras: Vec<String> = extras
            .map(|extra| format!("    \"{}\": {:.3}", extra.key, extra.figure))
            .collect();
        format!(
            "{{\n  \"runs\": {},\n  \"systems\": [\n{}\n  ],\n  \"extras\": {{\n{}\n  }}\n}}\n",
            self.runs,
            rows.join(",\n"),
            extras.join(",\n")
        )
    }

    /// The ratios of each system to axum.
    pub fn svg(&self) -> String {
        let others = || {
            let systems = self.systems.iter().zip(&self.figures);
            systems.filter(|(name, _)| **name != "axum")
        };
        let keys: Vec<String> = others().map(|(name, _)| format!("{name} / axum")).collect();
        let row = |(index, route): (usize, &Route)| {
            let ratios = others().map(|(_, figures)| self.ratio(figures, index));
            (route.name, ratios.collect())
        };
        let rows: Vec<_> = ROUTES.iter().enumerate().map(row).collect();
        chart::bars(&keys, &rows)
    }
}

fn line(cells: impl Iterator<Item = String>) -> String {
    let cells: Vec<String> = cells.collect();
    format!("| {} |\n", cells.join(" | "))
}

fn verdict(what: &str, figure: f64, unit: &str, bound: Bound) -> String {
    let (bound, verdict) = match bound {
        Bound::AtMost(most) => (format!("≤ {most}"), if figure <= most { "met" } else { "MISSED" }),
        Bound::AtLeast(least) => (format!("≥ {least}"), if figure >= least { "met" } else { "MISSED" }),
        Bound::None => (String::new(), ""),
    };
    let figure = format!("{} {unit}", shown(Some(figure)));
    line([what, figure.trim(), &bound, verdict].map(str::to_owned).into_iter())
}

/// A figure with as many digits as mean something.
fn shown(figure: Option<f64>) -> String {
    match figure {
        None => "–".to_owned(),
        Some(figure) if figure.abs() >= 20.0 => format!("{figure:.0}"),
        Some(figure) => format!("{figure:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results() -> Results {
        let figures = |micros: f64| Figures {
            micros: [vec![micros; 3], vec![2.0 * micros; 3], Vec::new()],
            start_ms: vec![40.0],
            idle_mb: vec![31.0],
            loaded_mb: vec![50.0],
        };
        Results {
            runs: 3,
            systems: vec!["sx", "axum"],
            figures: vec![figures(15.0), figures(10.0)],
            extras: vec![Extra {
                key: "isolates",
                what: "two isolates",
                figure: 1.5,
                unit: "×",
                bound: Bound::AtLeast(1.6),
            }],
        }
    }

    #[test]
    fn the_table_has_ratios_and_verdicts() {
        let text = results().markdown();
        for wanted in [
            "| sx | 15.0 (1.50 ×) | 30.0 (1.50 ×) | – | 40 | 31 | 50 |",
            "| hello, × axum | 1.50 × | ≤ 2 | met |",
            "| idle MB | 31 | ≤ 30 | MISSED |",
            "| two isolates | 1.50 × | ≥ 1.6 | MISSED |",
        ] {
            assert!(text.contains(wanted), "{wanted}\n{text}");
        }
        assert!(!text.contains("kv, × axum"), "{text}");
    }

    #[test]
    fn json_and_picture_have_every_system() {
        let (json, svg) = (results().json(), results().svg());
        assert!(json.contains("\"cpu_us\": {\"hello\": [15.00, 15.00, 15.00]"), "{json}");
        assert_eq!(json.matches('{').count(), json.matches('}').count());
        assert!(svg.contains("sx / axum") && svg.contains("1.50×"), "{svg}");
    }
}
