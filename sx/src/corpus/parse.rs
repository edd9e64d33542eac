//! Case files as text: `;;;; name` opens a case, code follows, expectations and directives end
//! it. Reading and `blessed` agree on which lines are which.
//!
//! Invariant: every line of a case is kept as what it is; nothing is skipped in silence.

use super::{Aspect, Case, CaseFile, Expectation, MARKS, MEMORY_LIMIT, TIME_LIMIT};
use std::fmt;
use std::time::Duration;
use sx_runtime::syntax::Language;

/// The mark that opens a case.
pub(super) const OPENING: &str = ";;;; ";

/// A case file that is not one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// The file.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.message)
    }
}

impl std::error::Error for ParseError {}

/// What a line of a case is.
pub(super) enum Line<'a> {
    Opening(&'a str),
    Expected(Aspect, &'a str),
    Skip(&'a str),
    TimeLimit(&'a str),
    MemoryLimit(&'a str),
    Code(&'a str),
}

pub(super) fn classify(line: &str) -> Line<'_> {
    if let Some(name) = line.strip_prefix(OPENING) {
        return Line::Opening(name.trim());
    }
    for (aspect, mark) in MARKS {
        if let Some(rest) = line.strip_prefix(mark) {
            return Line::Expected(*aspect, rest.strip_prefix(' ').unwrap_or(rest));
        }
    }
    if let Some(rest) = line.strip_prefix(";skip ") {
        return Line::Skip(rest);
    }
    if let Some(rest) = line.strip_prefix(";time ") {
        return Line::TimeLimit(rest);
    }
    if let Some(rest) = line.strip_prefix(";limit ") {
        return Line::MemoryLimit(rest);
    }
    Line::Code(line)
}

/// Reads a case file.
pub fn parse(path: &str, text: &str) -> Result<CaseFile, ParseError> {
    let mut reading = Reading {
        file: CaseFile {
            path: path.to_owned(),
            cases: Vec::new(),
        },
    };
    for (index, line) in text.lines().enumerate() {
        reading.line(index + 1, line).map_err(|message| ParseError {
            path: path.to_owned(),
            line: index + 1,
            message,
        })?;
    }
    for case in &mut reading.file.cases {
        let kept = case.code.trim_end().len();
        case.code.truncate(kept);
        case.code.push('\n');
    }
    Ok(reading.file)
}

struct Reading {
    file: CaseFile,
}

impl Reading {
    fn line(&mut self, number: usize, text: &str) -> Result<(), String> {
        let line = classify(text);
        if let Line::Opening(name) = line {
            return self.open(number, name);
        }
        let Some(case) = self.file.cases.last_mut() else {
            return match line {
                Line::Code(code) if code.trim().is_empty() || code.starts_with(';') => Ok(()),
                _ => Err(format!(
                    "before the first case (`{OPENING}name`) only comments may stand"
                )),
            };
        };
        match line {
            Line::Opening(_) => {}
            Line::Expected(aspect, text) => case.expected.push(Expectation {
                aspect,
                text: text.to_owned(),
            }),
            Line::Skip(rest) => {
                let (configuration, reason) = rest
                    .split_once(' ')
                    .ok_or("`;skip` wants a configuration and a reason")?;
                case.skipped.push((configuration.to_owned(), reason.to_owned()));
            }
            Line::TimeLimit(seconds) => {
                let seconds = seconds
                    .trim()
                    .parse()
                    .map_err(|_| "`;time` wants a number of seconds")?;
                case.time_limit = Duration::from_secs(seconds);
            }
            Line::MemoryLimit(megabytes) => {
                let parsed = megabytes.trim().parse::<usize>();
                case.memory_limit = parsed.map_err(|_| "`;limit` wants a number of megabytes")? << 20;
            }
            Line::Code(code) if !case.expected.is_empty() && !code.trim().is_empty() && !code.starts_with(';') => {
                return Err("code after the expectations of its case".to_owned());
            }
            Line::Code(code) => {
                case.code.push_str(code);
                case.code.push('\n');
            }
        }
        Ok(())
    }

    fn open(&mut self, number: usize, name: &str) -> Result<(), String> {
        if name.is_empty() || name.contains("::") {
            return Err("a case wants a name without `::`".to_owned());
        }
        if self.file.cases.iter().any(|case| case.name == name) {
            return Err(format!("a second case named `{name}`"));
        }
        self.file.cases.push(Case {
            name: name.to_owned(),
            code: String::new(),
            language: Language::of_file(&self.file.path),
            line: number + 1,
            expected: Vec::new(),
            skipped: Vec::new(),
            time_limit: TIME_LIMIT,
            memory_limit: MEMORY_LIMIT,
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_cases() {
        let text = "\
;;; About adding.

;;;; one
(+ 1
   2)
;=> 3

;;;; two
;; a comment is code
(display \"a\\n\\nb\")
(car 5)
;out| a
;out|
;out| b
;!! car: 1 list arg
;@ 3:1
;skip interp+gc-stress takes minutes
;time 60
;limit 64
";
        let file = parse("a.sx", text).expect("reads");
        let (one, two) = (&file.cases[0], &file.cases[1]);
        assert_eq!((one.code.as_str(), one.line), ("(+ 1\n   2)\n", 4));
        assert_eq!(two.code, ";; a comment is code\n(display \"a\\n\\nb\")\n(car 5)\n");
        let output: Vec<&str> = two.expected[..3].iter().map(|e| e.text.as_str()).collect();
        assert_eq!(output, ["a", "", "b"]);
        assert_eq!(
            two.skipped,
            [("interp+gc-stress".to_owned(), "takes minutes".to_owned())]
        );
        assert_eq!(two.time_limit, Duration::from_secs(60));
        assert_eq!((one.memory_limit, two.memory_limit), (MEMORY_LIMIT, 64 << 20));
    }

    #[test]
    fn what_is_not_a_case_file_is_named() {
        let message = |text| parse("a.sx", text).map(drop).map_err(|e| e.to_string());
        for (text, wanted) in [
            (
                "(+ 1 2)\n",
                "a.sx:1: before the first case (`;;;; name`) only comments may stand",
            ),
            (
                ";;;; a\n1\n;=> 1\n2\n",
                "a.sx:4: code after the expectations of its case",
            ),
            (";;;; a\n;;;; a\n", "a.sx:2: a second case named `a`"),
            (
                ";;;; a\n;skip interp\n",
                "a.sx:2: `;skip` wants a configuration and a reason",
            ),
            (";;;; a\n;time long\n", "a.sx:2: `;time` wants a number of seconds"),
            (";;;; a\n;limit 1G\n", "a.sx:2: `;limit` wants a number of megabytes"),
            (";;;; \n", "a.sx:1: a case wants a name without `::`"),
        ] {
            assert_eq!(message(text), Err(wanted.to_owned()));
        }
    }
}
