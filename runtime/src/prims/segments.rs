//! Texts taken apart as readers see them, by the rules of Unicode: what looks like one character,
//! words, sentences.
//!
//! Everything else about strings counts code points; see `strings.rs`.

use super::{Cx, prims};
use crate::error::Raise;
use crate::value::Word;
use unicode_segmentation::UnicodeSegmentation;

prims! { SEGMENTS {
    /// The characters of s as a reader sees them: a letter with its accents, an emoji of several
    /// code points.
    "graphemes" (s: String) -> List, Allocates, |cx| give(cx, |s| s.graphemes(true).collect()), ["(graphemes \"e\u{301}a\") ; => (\"e\u{301}\" \"a\")", "(len (graphemes \"👩‍🔬é\")) ; => 2"];
    /// The words of s, without what stands between them.
    "words" (s: String) -> List, Allocates, |cx| give(cx, |s| s.unicode_words().collect()), ["(words \"It's 3.5 km, isn’t it?\") ; => (\"It's\" \"3.5\" \"km\" \"isn’t\" \"it\")"];
    /// The sentences of s; together they are s.
    "sentences" (s: String) -> List, Allocates, |cx| give(cx, |s| s.split_sentence_bounds().collect()), ["(sentences \"One. Two? Three\") ; => (\"One. \" \"Two? \" \"Three\")"];
} }

fn give(cx: &mut Cx<'_>, parts: impl Fn(&str) -> Vec<&str>) -> Result<Word, Raise> {
    let parts: Vec<String> = parts(cx.text(0)).into_iter().map(str::to_string).collect();
    cx.give_strings(&parts)
}
