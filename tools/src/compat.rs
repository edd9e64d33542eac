//! The differences from the existing host, one row each: what `docs/compat.md` says and what
//! `sx check --compat` looks for.
//!
//! Invariant: a row that can be seen in a text has a sample in which its finder finds one place.

mod find;
mod libraries;

use crate::check::Finding;
use crate::check::bindings::Binding;
use find::Program;
use std::fmt::Write as _;
use std::sync::Arc;
use sx_runtime::syntax::{Source, Span, Stx};

/// A difference.
pub struct Difference {
    /// What it is about.
    pub place: &'static str,
    /// What the existing host does.
    pub there: &'static str,
    /// What happens here: the error a program sees.
    pub here: &'static str,
    /// What to edit.
    pub edit: &'static str,
    /// The case that shows it: its file below `tests/lang` and its name.
    pub case: (&'static str, &'static str),
    finder: Option<Finder>,
}

/// How the places are found in a text.
struct Finder {
    find: fn(&Program<'_>) -> Vec<Span>,
    /// A program with one such place.
    sample: &'static str,
}

/// The places of a program where the existing host does something else.
pub(crate) fn check(source: &Arc<Source>, forms: &[Stx], bindings: &[Binding]) -> Vec<Finding> {
    let program = Program {
        source,
        forms,
        bindings,
    };
    let mut findings = Vec::new();
    for row in DIFFERENCES {
        let Some(finder) = &row.finder else { continue };
        for span in (finder.find)(&program) {
            let message = format!("{}: there, {}; here, {}", row.place, row.there, row.here);
            findings.push(Finding::warning("compat", message.replace('`', ""), &span).help(row.edit.replace('`', "")));
        }
    }
    findings
}

macro_rules! differences {
    ($({
        $place:literal
        there $there:literal
        here $here:literal
        edit $edit:literal
        case $file:literal $name:literal
        $(found by $find:ident in $sample:literal)?
    })*) => {
        /// Every difference.
        pub const DIFFERENCES: &[Difference] = &[$(Difference {
            place: $place,
            there: $there,
            here: $here,
            edit: $edit,
            case: ($file, $name),
            finder: finder!($($find $sample)?),
        }),*];
    };
}

macro_rules! finder {
    () => {
        None
    };
    ($find:ident $sample:literal) => {
        Some(Finder {
            find: find::$find,
            sample: $sample,
        })
    };
}

differences! {
    {
        "integer overflow"
        there "turns into a float"
        here "integers are exact and unbounded"
        edit "none, unless the loss was wanted: `(exact->inexact n)`"
        case "values-numbers.sx" "integers do not overflow into floats"
        found by large_integers in "(+ 9223372036854775808 1)"
    }
    {
        "arithmetic on strings, booleans, nil"
        there "coerces silently"
        here "error `Expected number, got <type>`"
        edit "convert with `parse-int`, `parse-float` or a default"
        case "values-numbers.sx" "arithmetic on a string"
        found by arithmetic_on_others in "(+ \"1\" 2)"
    }
    {
        "an effect nobody services"
        there "answers nil"
        here "error `Unhandled effect: <op>`"
        edit "handle the op, or guard the perform"
        case "effects.sx" "an op nobody services is an error"
        found by unhandled_effects in "(perform {:op \"save\" :args (list 1)})"
    }
    {
        "the log line of an error in a primitive"
        there "ends with `(in CALL_PRIM \"map\" with 2 args)`"
        here "has the message alone, then the place, the source line and the backtrace"
        edit "look for the message, which is the same"
        case "errors.sx" "a wrong type deep inside an expression"
    }
    {
        "wrong number of arguments to a lambda"
        there "missing ones are nil"
        here "error `<name>: expected <n> arguments, got <n>`"
        edit "`&rest`, or pass `nil`"
        case "eval.sx" "too few arguments"
    }
    {
        "a local named as a special form, macro or higher-order function"
        there "the form wins"
        here "the local wins"
        edit "rename the local if the form was meant"
        case "eval.sx" "a local binding shadows a special form"
        found by shadowing_locals in "(let ((when 1)) (+ when 1))"
    }
    {
        "nested quasiquote"
        there "the depth is lost"
        here "each level keeps its own unquotes"
        edit "none in code that follows R7RS"
        case "reader.sx" "nested quasiquote keeps its depth"
        found by nested_quasiquotes in "`(a `(b ,(c)))"
    }
    {
        "`cond` and `case` whose clauses differ in length"
        there "read as tests and values in turn"
        here "clauses, when every one begins with a list, a literal or else"
        edit "none if clauses were meant; brackets off if pairs were"
        case "forms-cond.sx" "cond with bodies of several forms"
        found by uneven_clauses in "(cond ((= 1 2) 1) (else 2 3))"
    }
    {
        "order of dicts"
        there "unspecified"
        here "insertion order"
        edit "none"
        case "values-dicts.sx" "keys keep insertion order"
    }
    {
        "text of floats without a fraction"
        there "`2`"
        here "`2.0`"
        edit "`(format-decimal n 0)` where the text matters"
        case "print.sx" "print of floats"
        found by whole_floats in "(str \"total: \" 2.0)"
    }
    {
        "`(append! () x)`"
        there "grows the literal"
        here "error `append!: the empty list cannot grow`"
        edit "start from `(list)`"
        case "values-lists.sx" "append! to the literal empty list is an error"
        found by growing_the_empty_list in "(append! () 1)"
    }
    {
        "equality and printing of cyclic data"
        there "do not end"
        here "end"
        edit "none"
        case "values-lists.sx" "equality of cyclic lists ends"
    }
    {
        "a raise inside a guard's clause"
        there "may reach the same guard"
        here "goes outward"
        edit "none, unless the guard was meant to run twice"
        case "forms-control.sx" "a raise inside a clause goes outward"
        found by raising_clauses in "(guard (e (true (raise e))) (f))"
    }
    {
        "`let` whose value names an earlier sibling that is also bound outside"
        there "sequential, silent"
        here "sequential, one warning on standard error"
        edit "rename one of the two"
        case "forms-binding.sx" "let warns of a sibling that hides an outer variable"
    }
    {
        "a named `let` whose value names an earlier variable of it"
        there "the order is not known"
        here "every value is outside the scope of the variables"
        edit "rename, or bind outside with `let*`"
        case "forms-binding.sx" "named-let inits are parallel"
        found by sibling_inits in "(let loop ((n 1) (m n)) (loop m n))"
    }
    {
        "a continuation captured across a coroutine"
        there "the answer is not known"
        here "both resumptions share the coroutine; resuming a finished one is an error"
        edit "make a coroutine for each resumption"
        case "coroutines.sx" "a continuation captured across a coroutine shares its box"
    }
    {
        "backreferences and look-around in regular expressions"
        there "depend on the library"
        here "error `regex: backreferences are not supported`"
        edit "match the parts and compare them in code"
        case "values-strings.sx" "regular expressions have no backreferences"
        found by hard_regexes in "(regex-match \"(a+)\\\\1\" text)"
    }
    {
        "`#|…|#`, `#;`, `#( )`, `#u8( )`, `#xFF #b101 #o17 0x1F`"
        there "do not read"
        here "block and datum comments, vectors, bytevectors, integers"
        edit "none; a program that must run on both does without"
        case "reader.sx" "block comments nest"
        found by new_syntax in "(list #xFF)"
    }
}

/// The page `docs/compat.md`.
pub fn reference() -> String {
    let mut page = String::from(
        "# Differences from the existing host\n\n\
         Programs written for the existing OCaml host run here unchanged, but for the rows below. Each row \
         says what a program\nsees instead and what to edit; `sx check --compat PATH` finds such places by file \
         and line where the text shows them. What\nthe two hosts share is in [language.md](language.md). Made from \
         the table the checker works with (`cargo run -p xtask -- docs`).\n\n\
         | place | existing host | here | the edit | shown by | found in a text |\n|---|---|---|---|---|---|\n",
    );
    for row in DIFFERENCES {
        let (file, name) = row.case;
        let cell = |text: &str| text.replace('|', "\\|");
        let found = row.finder.as_ref().map_or_else(
            || "no".to_owned(),
            |finder| match finder.sample.contains('`') {
                true => format!("`` {} ``", finder.sample),
                false => format!("`{}`", finder.sample),
            },
        );
        // Writing to a string cannot fail.
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} | [{name}](../tests/lang/{file}) | {} |",
            cell(row.place),
            cell(row.there),
            cell(row.here),
            cell(row.edit),
            cell(&found)
        );
    }
    page.push_str(
        "\nCalls with the wrong number of arguments, and a `let` with siblings, are found by `sx check` without \
         `--compat`.\n",
    );
    page.push_str(&libraries::reference());
    page
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::check;

    #[test]
    fn every_finder_finds_its_sample_and_no_other() {
        for row in DIFFERENCES {
            let Some(finder) = &row.finder else { continue };
            let findings = check(&Source::new("t", finder.sample), true).expect("a checker");
            let compat: Vec<String> = findings
                .iter()
                .filter(|finding| finding.rule == Some("compat"))
                .map(|finding| finding.error.message.clone())
                .collect();
            let prefix = format!("{}: ", row.place.replace('`', ""));
            assert_eq!(compat.len(), 1, "{}: {compat:?}", row.place);
            assert!(compat[0].starts_with(&prefix), "{compat:?}");
        }
    }
}
