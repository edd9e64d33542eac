//! "Did you mean": the known name nearest to one that is not known.

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
    fn far_names_and_internal_ones_are_not() {
        assert_eq!(near("banana"), None);
        assert_eq!(near("secret"), None);
        assert_eq!(near("y"), None);
    }
}
