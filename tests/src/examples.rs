//! The examples in the docstrings of the core library, and those of the primitives, as cases.
//!
//! An example is a line of its own in a docstring: `(expression) => value`, or
//! ``(expression) raises `message` ``. A public function without one fails the test below. Those of
//! primitives are in their table: `(expression) ; => value` or `(expression) ; error: message`.

use std::path::Path;
use sx::Language;
use sx::corpus::{Aspect, Case, CaseFile, Expectation, MEMORY_LIMIT, TIME_LIMIT};

/// The files whose functions show the machine, and why the oracle is not asked.
const WITHOUT_ORACLE: &[(&str, &str)] = &[("native", "it makes no code"), ("step", "it has no machine to show")];

/// Primitives whose example writes, where, and the line that is.
const WRITES: &[(&str, Aspect, &str)] = &[
    ("host-warn", Aspect::ErrorOutput, "[sx] careful"),
    ("print", Aspect::Output, "a 1"),
];

/// The examples of every primitive.
pub fn primitives() -> CaseFile {
    let mut cases = Vec::new();
    for primitive in sx_runtime::prims::all() {
        for (index, example) in primitive.examples.iter().enumerate() {
            let (code, aspect, text) = match (example.split_once(" ; => "), example.split_once(" ; error: ")) {
                (Some((code, value)), _) => (code, Aspect::Value, value),
                (None, Some((code, message))) => (code, Aspect::Error, message),
                (None, None) => (*example, Aspect::Output, ""),
            };
            let name = format!("{} {}", primitive.name, index + 1);
            let text = text.to_owned();
            let mut case = case(name, format!("{code}\n"), index + 1, Expectation { aspect, text });
            let written = WRITES.iter().filter(|(writer, ..)| *writer == primitive.name);
            case.expected.extend(written.map(|(_, aspect, text)| Expectation {
                aspect: *aspect,
                text: (*text).to_owned(),
            }));
            cases.push(case);
        }
    }
    CaseFile {
        path: "lang/examples/primitives".to_owned(),
        cases,
    }
}

/// One file of cases for each file of `lib/core`.
pub fn case_files() -> std::io::Result<Vec<CaseFile>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../lib/core");
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(root)? {
        paths.push(entry?.path());
    }
    paths.sort();
    let mut files = Vec::new();
    for path in paths {
        let text = std::fs::read_to_string(&path)?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let mut cases = examples(&text);
        if let Some((_, why)) = WITHOUT_ORACLE.iter().find(|(file, _)| *file == name) {
            let reason = ("oracle".to_owned(), (*why).to_owned());
            cases.iter_mut().for_each(|case| case.skipped.push(reason.clone()));
        }
        files.push(CaseFile {
            path: format!("lang/examples/{name}"),
            cases,
        });
    }
    Ok(files)
}

/// The examples of a file, each named by its function and a number.
fn examples(text: &str) -> Vec<Case> {
    let mut function = "";
    let mut cases: Vec<Case> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if let Some(definition) = line.strip_prefix("(define (") {
            function = definition.split([' ', ')']).next().unwrap_or(definition);
        } else if let Some((code, expected)) = line.starts_with('(').then(|| example(line)).flatten() {
            let mut name = function.to_owned();
            let same = cases
                .iter()
                .filter(|case| case.name.split(' ').next() == Some(function));
            let number = same.count() + 1;
            if number > 1 {
                name = format!("{function} {number}");
            }
            cases.push(case(name, code, index + 1, expected));
        }
    }
    cases
}

/// The code and what is expected of it, if a line of a docstring is an example.
fn example(line: &str) -> Option<(String, Expectation)> {
    let ends_docstring = line.ends_with('"') && !line.ends_with("\\\"");
    let line = &line[..line.len() - usize::from(ends_docstring)];
    let line = line.replace("\\\"", "\"").replace("\\\\", "\\");
    let (code, aspect, text) = match (line.split_once(" raises `"), line.rsplit_once(" => ")) {
        (Some((code, text)), _) => (code, Aspect::Error, text.trim_end_matches('`')),
        (None, Some((code, text))) => (code, Aspect::Value, text),
        (None, None) => return None,
    };
    let text = text.to_owned();
    Some((format!("{code}\n"), Expectation { aspect, text }))
}

fn case(name: String, code: String, line: usize, expected: Expectation) -> Case {
    Case {
        name,
        code,
        language: Language::Sx,
        line,
        expected: vec![expected],
        skipped: Vec::new(),
        time_limit: TIME_LIMIT,
        memory_limit: MEMORY_LIMIT,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_public_core_function_has_an_example() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../lib/core");
        for file in case_files().expect("lib/core is readable") {
            let name = file.path.rsplit('/').next().unwrap_or_default();
            let text = std::fs::read_to_string(root.join(format!("{name}.sx"))).expect("is readable");
            let defined = text.lines().filter_map(|line| line.strip_prefix("(define ("));
            let names = defined.filter_map(|rest| rest.split([' ', ')']).next());
            for function in names.filter(|name| !name.starts_with('%')) {
                let found = file
                    .cases
                    .iter()
                    .any(|case| case.name.split(' ').next() == Some(function));
                assert!(found, "{name}.sx: {function} has no example");
            }
        }
    }

    #[test]
    fn examples_are_lines_of_docstrings() {
        let text = "(define (f x)\n  \"Doc.\n(f \\\"a\\\") => 1\n(f 2) raises `f: no`\"\n  x)\n";
        let cases = examples(text);
        assert_eq!(cases.len(), 2);
        assert_eq!((cases[0].name.as_str(), cases[0].code.as_str()), ("f", "(f \"a\")\n"));
        assert_eq!(cases[1].expected[0].text, "f: no");
        assert_eq!(cases[1].name, "f 2");
    }
}
