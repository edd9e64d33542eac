//! "Did you mean": what a name that is not known was probably meant to be.

/// Names of other Lisps, and what does their work here.
const ELSEWHERE: &[(&str, &str)] = &[
    ("cadr", "(nth xs 1)"),
    ("car", "first"),
    ("cdr", "rest"),
    ("conj", "append"),
    ("def", "define"),
    ("defn", "define"),
    ("defparameter", "define"),
    ("defun", "define"),
    ("defvar", "define"),
    ("dolist", "for-each"),
    ("dotimes", "do"),
    ("foldr", "fold-right"),
    ("funcall", "(f x)"),
    ("hash-map", "dict"),
    ("hash-ref", "hash-table-ref"),
    ("hash-set!", "hash-table-set!"),
    ("labels", "letrec"),
    ("loop", "(let loop (…) …)"),
    ("null", "empty?"),
    ("null?", "empty?"),
    ("printf", "print"),
    ("progn", "begin"),
    ("recur", "(let loop (…) …)"),
    ("setf", "set!"),
    ("setq", "set!"),
    ("throw", "raise"),
    ("try", "guard"),
    ("vec", "vector"),
];

/// Advice for a name that is not known among the candidates.
pub fn advice<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    elsewhere(name).or_else(|| nearest(name, candidates).map(|near| format!("did you mean `{near}`?")))
}

/// Advice for a name that is known in other Lisps only.
pub fn elsewhere(name: &str) -> Option<String> {
    let row = ELSEWHERE.binary_search_by_key(&name, |row| row.0).ok()?;
    Some(format!("`{name}` of other Lisps is `{}` here", ELSEWHERE[row].1))
}

/// The name before a place in a text, if a call of it begins there: of `(def x` before `x`.
pub fn head_before(text: &str, place: usize) -> Option<&str> {
    let before = text.get(..place)?.trim_end();
    let head = &before[before.rfind('(')? + 1..];
    let is_name = !head.is_empty() && !head.contains(|c: char| c.is_whitespace() || "\"';)[]{}".contains(c));
    is_name.then_some(head)
}

/// The candidate nearest to `name` by edit distance, if one is near enough to be a slip of the
/// hand: one edit for each three letters, at least one. Among equals the first in alphabetical
/// order, so that the answer does not depend on the order of the candidates.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let letters = name.chars().count();
    let edits_max = (letters / 3).max(1);
    candidates
        .into_iter()
        // Internal names are no advice, and a name of one letter is near to everything.
        .filter(|candidate| *candidate != name && !candidate.starts_with('%') && candidate.len() > 1)
        .filter(|candidate| candidate.chars().count().abs_diff(letters) <= edits_max)
        .map(|candidate| (strsim::osa_distance(name, candidate), candidate))
        .filter(|(edits, _)| *edits <= edits_max && *edits < letters)
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: &[&str] = &["filter", "map", "max", "reduce", "string-append!", "%secret", "x"];

    fn near(name: &str) -> Option<&str> {
        nearest(name, NAMES.iter().copied())
    }

    #[test]
    fn slips_are_found() {
        assert_eq!(near("fitler"), Some("filter"));
        assert_eq!(near("string-apend"), Some("string-append!"));
        assert_eq!(near("redcue"), Some("reduce"));
    }

    #[test]
    fn the_first_of_equals_wins() {
        assert_eq!(near("mab"), Some("map"));
        assert_eq!(nearest("maq", ["max", "map"]), Some("map"));
    }

    #[test]
    fn names_of_other_lisps_are_explained() {
        assert!(ELSEWHERE.is_sorted_by_key(|row| row.0));
        let said = advice("defun", NAMES.iter().copied());
        assert_eq!(said.as_deref(), Some("`defun` of other Lisps is `define` here"));
        assert_eq!(elsewhere("filter"), None);
    }

    #[test]
    fn the_call_around_a_place() {
        assert_eq!(head_before("(def x 1)", 5), Some("def"));
        assert_eq!(head_before("(f (def\n  x 1))", 10), Some("def"));
        for (text, place) in [("(f a x)", 5), ("((x))", 2), ("x", 0), ("(\"a\" x)", 5)] {
            assert_eq!(head_before(text, place), None, "{text}");
        }
    }

    #[test]
    fn far_names_and_internal_ones_are_not() {
        assert_eq!(near("banana"), None);
        assert_eq!(near("secret"), None);
        assert_eq!(near("y"), None);
    }
}
