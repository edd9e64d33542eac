//! HTML as a primitive: the walk of `crate::html` over a tree. Calling components is SX, in
//! `lib/core/html.sx`.

use super::{Cx, prims};
use crate::error::Raise;
use crate::html::{self, Rendered};
use crate::list::size_of_list;
use crate::value::Word;

prims! { HTML {
    /// The markup of a tree, given the list of the markup of the components called in it; while that
    /// is too short, the list of the calls it lacks.
    "%render-html" (tree: Any, parts: List) -> Any, Reads, render, ["(%render-html (list (quote p) (make-keyword \"class\") \"a\" \"x < y\") ()) ; => \"<p class=\\\"a\\\">x &lt; y</p>\"", "(%render-html (list (quote p) (list (quote ~card) 1)) ()) ; => ((~card 1))", "(%render-html (list (quote p) (list (quote ~card) 1)) (list \"<b></b>\")) ; => \"<p><b></b></p>\""];
} }

fn render(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let text = cx.take_text();
    let lacking = match html::render(cx.heap(), cx.arg(0), cx.arg(1), text)? {
        Rendered::Html(text) => {
            let word = cx.give_string(&text);
            cx.keep_text(text);
            return word;
        }
        Rendered::Calls(calls) => calls.len(),
    };
    cx.reserve(size_of_list(lacking))?;
    // Once more: what was found before room was made may have moved.
    match html::render(cx.heap(), cx.arg(0), cx.arg(1), String::new())? {
        Rendered::Calls(calls) => Ok(cx.heap().list(&calls).word()),
        Rendered::Html(_) => Ok(Word::EMPTY),
    }
}
