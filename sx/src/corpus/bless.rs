//! Writing what happened into a case file as what is expected.
//!
//! Invariant: only expectation lines change; code, comments, directives and the order of cases
//! stay as they are.

use super::parse::{Line, classify};
use super::{MARKS, Outcome};

/// The text of a case file with the expectations of each case that has an outcome replaced.
/// `outcomes` are in the order of the cases; `None` leaves a case as it is.
pub fn blessed(text: &str, outcomes: &[Option<Outcome>]) -> String {
    let mut out: Vec<String> = Vec::new();
    let mut outcomes = outcomes.iter();
    let mut pending: Option<&Outcome> = None;
    for line in text.lines() {
        match classify(line) {
            Line::Opening(_) => {
                write_expectations(&mut out, pending);
                pending = outcomes.next().and_then(Option::as_ref);
                out.push(line.to_owned());
            }
            Line::Expected(..) if pending.is_some() => {}
            _ => out.push(line.to_owned()),
        }
    }
    write_expectations(&mut out, pending);
    // An expected line may end in blanks.
    while out.last().is_some_and(|line| line.trim().is_empty()) {
        out.pop();
    }
    out.join("\n") + "\n"
}

/// Puts the expectations behind the last line that is not blank, keeping the blank ones after.
fn write_expectations(out: &mut Vec<String>, outcome: Option<&Outcome>) {
    let Some(outcome) = outcome else {
        return;
    };
    let end = out
        .iter()
        .rposition(|line| !line.trim().is_empty())
        .map_or(0, |i| i + 1);
    let blank = out.split_off(end);
    let has_directive = |line: &String| {
        matches!(
            classify(line),
            Line::Skip(_) | Line::TimeLimit(_) | Line::MemoryLimit(_)
        )
    };
    let directives_from = out.iter().rposition(|line| !has_directive(line)).map_or(0, |i| i + 1);
    let directives = out.split_off(directives_from);
    for (aspect, mark) in MARKS {
        for line in outcome.lines(*aspect) {
            let space = if line.is_empty() { "" } else { " " };
            out.push(format!("{mark}{space}{line}"));
        }
    }
    out.extend(directives);
    out.extend(blank);
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    const BEFORE: &str = ";;; Head.\n\n;;;; one\n(f)\n;=> old\n;skip oracle no reason\n\n;;;; two\n(g) ; note\n\n\n";

    fn outcome(value: &str) -> Option<Outcome> {
        Some(Outcome {
            value: Some(value.to_owned()),
            output: "a\n\nb\n".to_owned(),
            ..Outcome::default()
        })
    }

    #[test]
    fn expectations_are_filled_and_refreshed() {
        let after = blessed(BEFORE, &[outcome("1"), outcome("2")]);
        assert_eq!(
            after,
            ";;; Head.\n\n;;;; one\n(f)\n;out| a\n;out|\n;out| b\n;=> 1\n;skip oracle no reason\n\n\
             ;;;; two\n(g) ; note\n;out| a\n;out|\n;out| b\n;=> 2\n"
        );
        assert_eq!(blessed(&after, &[outcome("1"), outcome("2")]), after);
    }

    #[test]
    fn blanks_at_the_end_of_a_line_are_kept() {
        let outcome = Outcome {
            output: "a  \n \n".to_owned(),
            ..Outcome::default()
        };
        let after = blessed(";;;; one\n(f)\n", &[Some(outcome.clone())]);
        assert_eq!(after, ";;;; one\n(f)\n;out| a  \n;out|  \n");
        let file = parse("a.sx", &after).expect("reads");
        assert_eq!(super::super::check(&file.cases[0], &outcome), Ok(()));
    }

    #[test]
    fn a_blessed_case_passes() {
        let after = blessed(BEFORE, &[None, outcome("2")]);
        assert!(after.contains(";=> old"));
        let file = parse("a.sx", &after).expect("reads");
        let outcome = outcome("2").expect("some");
        assert_eq!(super::super::check(&file.cases[1], &outcome), Ok(()));
    }
}
