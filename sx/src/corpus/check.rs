//! Comparing what a run showed with what its case expects.
//!
//! Invariant: nothing a run shows goes unchecked, but for the place of an expected error, which
//! a case may leave out.

use super::{Aspect, Case, MARKS, Outcome};
use std::fmt::Write as _;

/// What differs, as text for people, or nothing.
pub fn check(case: &Case, outcome: &Outcome) -> Result<(), String> {
    if case.expected.is_empty() {
        return Err("the case expects nothing; `--bless` writes what happens".to_owned());
    }
    let mut differences = String::new();
    for (aspect, mark) in MARKS {
        let expected: Vec<&str> = case
            .expected
            .iter()
            .filter(|e| e.aspect == *aspect)
            .map(|e| e.text.as_str())
            .collect();
        let shown = outcome.lines(*aspect);
        if is_unasked(case, *aspect, &expected) || expected == shown {
            continue;
        }
        for line in &expected {
            // Writing to a string cannot fail, here and below.
            let _ = writeln!(differences, "  expected  {mark} {line}");
        }
        for line in &shown {
            let _ = writeln!(differences, "  got       {mark} {line}");
        }
    }
    if differences.is_empty() {
        Ok(())
    } else {
        Err(differences)
    }
}

/// May this aspect differ because the case does not speak of it? A value only when the case is
/// about output or effects; an error never.
fn is_unasked(case: &Case, aspect: Aspect, expected: &[&str]) -> bool {
    let speaks_of_error = case.expected.iter().any(|e| e.aspect == Aspect::Error);
    match aspect {
        Aspect::Value => expected.is_empty() && !speaks_of_error,
        Aspect::Place => expected.is_empty() && speaks_of_error,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    fn checked(expectations: &str, outcome: Outcome) -> Result<(), String> {
        let file = parse("a.sx", &format!(";;;; a\n(f)\n{expectations}")).expect("reads");
        check(&file.cases[0], &outcome)
    }

    fn value(text: &str) -> Outcome {
        Outcome {
            value: Some(text.to_owned()),
            ..Outcome::default()
        }
    }

    #[test]
    fn the_value_has_to_be_the_same() {
        assert_eq!(checked(";=> 1\n", value("1")), Ok(()));
        let difference = checked(";=> 1\n", value("2"));
        assert_eq!(difference, Err("  expected  ;=> 1\n  got       ;=> 2\n".to_owned()));
    }

    #[test]
    fn nothing_expected_is_a_failure() {
        assert!(checked("", value("1")).is_err());
    }

    #[test]
    fn output_and_effects_nobody_expects_are_failures() {
        let with_output = Outcome {
            output: "a\n".to_owned(),
            ..value("1")
        };
        assert!(checked(";=> 1\n", with_output.clone()).is_err());
        assert_eq!(checked(";out| a\n", with_output), Ok(()));
        let with_effect = Outcome {
            effects: vec!["log 1".to_owned()],
            ..value("1")
        };
        assert!(checked(";=> 1\n", with_effect).is_err());
    }

    #[test]
    fn an_error_has_to_be_expected_and_to_happen() {
        let failed = Outcome {
            error: Some("no".to_owned()),
            place: Some("1:1".to_owned()),
            ..Outcome::default()
        };
        assert_eq!(checked(";!! no\n", failed.clone()), Ok(()));
        assert!(checked(";!! no\n;@ 1:2\n", failed.clone()).is_err());
        assert!(checked(";=> 1\n", failed.clone()).is_err());
        assert!(checked(";out| a\n", failed).is_err());
        assert!(checked(";!! no\n", value("1")).is_err());
    }
}
