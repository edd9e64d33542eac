//! The formatter: the same program, laid out anew.
//!
//! A text becomes a tree of what it is written with ([`tree`]); each list knows how its form is
//! laid out ([`rules`], from the table of special forms); printing ([`layout`]) puts a list on one
//! line when its author did and it fits, and otherwise breaks it where its author or its form
//! says, or where it must. So lines that were broken on purpose stay broken, and comments and
//! blank lines between forms stay where they are.
//!
//! Invariant: the lexemes of the result are those of the text, and formatting the result changes
//! nothing.

mod layout;
mod rules;
mod tree;

use std::sync::Arc;
use sx::Error;
use sx_interp::read::{Lexeme, LexemeKind, lexemes};
use sx_runtime::syntax::Source;

/// A line is broken, where it can be, before it gets longer than so many characters.
const WIDTH: usize = 100;

/// The text laid out, or what keeps it from being read.
pub fn format(source: &Arc<Source>) -> Result<String, Error> {
    let tree = tree::Tree::new(&source.text, &lexemes(source).map_err(Error::of_unreadable)?);
    let text = layout::print(&tree);
    let result = Source::in_language(source.language, "<formatted>", text.clone());
    assert!(
        meaning(source)? == meaning(&result)?,
        "formatting changes {}",
        source.name
    );
    Ok(text)
}

/// What must not change: every lexeme, comments but for the white space at their ends.
fn meaning(source: &Arc<Source>) -> Result<Vec<(LexemeKind, &str)>, Error> {
    let of = |lexeme: &Lexeme| {
        let text = &source.text[lexeme.start..lexeme.end];
        let is_line = lexeme.kind == LexemeKind::LineComment;
        (lexeme.kind, if is_line { text.trim_end() } else { text })
    };
    let lexemes = lexemes(source).map_err(Error::of_unreadable)?;
    Ok(lexemes.iter().map(of).collect())
}

#[cfg(test)]
mod tests;
