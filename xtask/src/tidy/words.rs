//! Words that mark unfinished work may not be landed: what is not done is an issue, not a note
//! in the code.
//!
//! Deliberately absent: this crate's own sources, which have to spell the words.

use super::Problem;
use crate::tree::Tree;

const WORDS: &[&str] = &["TODO", "FIXME", "XXX", "HACK", "todo!", "unimplemented!", "dbg!"];

/// Where the words are looked for.
const EXTENSIONS: &[&str] = &["rs", "sx", "md", "toml", "sh"];

/// No file holds one of `WORDS` as a word.
pub fn check_words(tree: &Tree) -> Vec<Problem> {
    let files = EXTENSIONS
        .iter()
        .flat_map(|extension| tree.with_extension(extension))
        .filter(|file| !file.path.starts_with("xtask/") && !file.path.starts_with("benches/peers/"));
    let mut problems = Vec::new();
    for file in files {
        for (index, line) in file.text.lines().enumerate() {
            for word in WORDS.iter().filter(|word| has_word(line, word)) {
                let text = format!("`{word}`: finish it, or write an issue");
                problems.push(Problem::new(&file.path, index + 1, text));
            }
        }
    }
    problems
}

fn has_word(line: &str, word: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !before.is_some_and(is_word) && (word.ends_with('!') || !after.is_some_and(is_word))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_is_named() {
        for word in WORDS {
            let text = format!("fn f() {{\n    {word}(1)\n}}\n");
            let problems = check_words(&Tree::sample(&[("a/b.rs", &text)]));
            assert_eq!(problems.len(), 1, "{word}");
            assert_eq!(problems[0].line, 2);
        }
    }

    #[test]
    fn parts_of_words_are_not() {
        let tree = Tree::sample(&[("a/b.rs", "let XXXL = my_dbg!(1); // \\uXXXX\n")]);
        assert!(check_words(&tree).is_empty());
    }
}
