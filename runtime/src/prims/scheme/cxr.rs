//! `caar` to `cddddr`: paths into pairs.

use super::pairs::as_pairs;
use crate::error::{Code, Raise};
use crate::prims::{Cx, prims};
use crate::value::Word;

prims! { CXR {
    /// The first part of the first part.
    "%scheme:caar" (pair: Any) -> Any, Reads, |cx| path(cx, "caar"), ["(%scheme:caar (cons (cons 1 0) 0)) ; => 1"];
    /// The first part of the second part.
    "%scheme:cadr" (pair: Any) -> Any, Reads, |cx| path(cx, "cadr"), ["(%scheme:cadr (cons 0 (cons 1 0))) ; => 1"];
    /// The second part of the first part.
    "%scheme:cdar" (pair: Any) -> Any, Reads, |cx| path(cx, "cdar"), ["(%scheme:cdar (cons (cons 0 1) 0)) ; => 1"];
    /// The second part of the second part.
    "%scheme:cddr" (pair: Any) -> Any, Reads, |cx| path(cx, "cddr"), ["(%scheme:cddr (cons 0 (cons 0 1))) ; => 1"];
    /// The first part of the first part of the first part.
    "%scheme:caaar" (pair: Any) -> Any, Reads, |cx| path(cx, "caaar"), ["(%scheme:caaar (cons (cons (cons 1 0) 0) 0)) ; => 1"];
    /// The first part of the first part of the second part.
    "%scheme:caadr" (pair: Any) -> Any, Reads, |cx| path(cx, "caadr"), ["(%scheme:caadr (cons 0 (cons (cons 1 0) 0))) ; => 1"];
    /// The first part of the second part of the first part.
    "%scheme:cadar" (pair: Any) -> Any, Reads, |cx| path(cx, "cadar"), ["(%scheme:cadar (cons (cons 0 (cons 1 0)) 0)) ; => 1"];
    /// The first part of the second part of the second part.
    "%scheme:caddr" (pair: Any) -> Any, Reads, |cx| path(cx, "caddr"), ["(%scheme:caddr (cons 0 (cons 0 (cons 1 0)))) ; => 1"];
    /// The second part of the first part of the first part.
    "%scheme:cdaar" (pair: Any) -> Any, Reads, |cx| path(cx, "cdaar"), ["(%scheme:cdaar (cons (cons (cons 0 1) 0) 0)) ; => 1"];
    /// The second part of the first part of the second part.
    "%scheme:cdadr" (pair: Any) -> Any, Reads, |cx| path(cx, "cdadr"), ["(%scheme:cdadr (cons 0 (cons (cons 0 1) 0))) ; => 1"];
    /// The second part of the second part of the first part.
    "%scheme:cddar" (pair: Any) -> Any, Reads, |cx| path(cx, "cddar"), ["(%scheme:cddar (cons (cons 0 (cons 0 1)) 0)) ; => 1"];
    /// The second part of the second part of the second part.
    "%scheme:cdddr" (pair: Any) -> Any, Reads, |cx| path(cx, "cdddr"), ["(%scheme:cdddr (cons 0 (cons 0 (cons 0 1)))) ; => 1"];
    /// The first part of the first part of the first part of the first part.
    "%scheme:caaaar" (pair: Any) -> Any, Reads, |cx| path(cx, "caaaar"), ["(%scheme:caaaar (cons (cons (cons (cons 1 0) 0) 0) 0)) ; => 1"];
    /// The first part of the first part of the first part of the second part.
    "%scheme:caaadr" (pair: Any) -> Any, Reads, |cx| path(cx, "caaadr"), ["(%scheme:caaadr (cons 0 (cons (cons (cons 1 0) 0) 0))) ; => 1"];
    /// The first part of the first part of the second part of the first part.
    "%scheme:caadar" (pair: Any) -> Any, Reads, |cx| path(cx, "caadar"), ["(%scheme:caadar (cons (cons 0 (cons (cons 1 0) 0)) 0)) ; => 1"];
    /// The first part of the first part of the second part of the second part.
    "%scheme:caaddr" (pair: Any) -> Any, Reads, |cx| path(cx, "caaddr"), ["(%scheme:caaddr (cons 0 (cons 0 (cons (cons 1 0) 0)))) ; => 1"];
    /// The first part of the second part of the first part of the first part.
    "%scheme:cadaar" (pair: Any) -> Any, Reads, |cx| path(cx, "cadaar"), ["(%scheme:cadaar (cons (cons (cons 0 (cons 1 0)) 0) 0)) ; => 1"];
    /// The first part of the second part of the first part of the second part.
    "%scheme:cadadr" (pair: Any) -> Any, Reads, |cx| path(cx, "cadadr"), ["(%scheme:cadadr (cons 0 (cons (cons 0 (cons 1 0)) 0))) ; => 1"];
    /// The first part of the second part of the second part of the first part.
    "%scheme:caddar" (pair: Any) -> Any, Reads, |cx| path(cx, "caddar"), ["(%scheme:caddar (cons (cons 0 (cons 0 (cons 1 0))) 0)) ; => 1"];
    /// The first part of the second part of the second part of the second part.
    "%scheme:cadddr" (pair: Any) -> Any, Reads, |cx| path(cx, "cadddr"), ["(%scheme:cadddr (cons 0 (cons 0 (cons 0 (cons 1 0))))) ; => 1"];
    /// The second part of the first part of the first part of the first part.
    "%scheme:cdaaar" (pair: Any) -> Any, Reads, |cx| path(cx, "cdaaar"), ["(%scheme:cdaaar (cons (cons (cons (cons 0 1) 0) 0) 0)) ; => 1"];
    /// The second part of the first part of the first part of the second part.
    "%scheme:cdaadr" (pair: Any) -> Any, Reads, |cx| path(cx, "cdaadr"), ["(%scheme:cdaadr (cons 0 (cons (cons (cons 0 1) 0) 0))) ; => 1"];
    /// The second part of the first part of the second part of the first part.
    "%scheme:cdadar" (pair: Any) -> Any, Reads, |cx| path(cx, "cdadar"), ["(%scheme:cdadar (cons (cons 0 (cons (cons 0 1) 0)) 0)) ; => 1"];
    /// The second part of the first part of the second part of the second part.
    "%scheme:cdaddr" (pair: Any) -> Any, Reads, |cx| path(cx, "cdaddr"), ["(%scheme:cdaddr (cons 0 (cons 0 (cons (cons 0 1) 0)))) ; => 1"];
    /// The second part of the second part of the first part of the first part.
    "%scheme:cddaar" (pair: Any) -> Any, Reads, |cx| path(cx, "cddaar"), ["(%scheme:cddaar (cons (cons (cons 0 (cons 0 1)) 0) 0)) ; => 1"];
    /// The second part of the second part of the first part of the second part.
    "%scheme:cddadr" (pair: Any) -> Any, Reads, |cx| path(cx, "cddadr"), ["(%scheme:cddadr (cons 0 (cons (cons 0 (cons 0 1)) 0))) ; => 1"];
    /// The second part of the second part of the second part of the first part.
    "%scheme:cdddar" (pair: Any) -> Any, Reads, |cx| path(cx, "cdddar"), ["(%scheme:cdddar (cons (cons 0 (cons 0 (cons 0 1))) 0)) ; => 1"];
    /// The second part of the second part of the second part of the second part.
    "%scheme:cddddr" (pair: Any) -> Any, Reads, |cx| path(cx, "cddddr"), ["(%scheme:cddddr (cons 0 (cons 0 (cons 0 (cons 0 1))))) ; => 1"];
} }

/// Goes along the letters of a name, the last one first.
fn path(cx: &mut Cx<'_>, name: &str) -> Result<Word, Raise> {
    let letters = name.bytes().rev().filter(|letter| matches!(letter, b'a' | b'd'));
    for letter in letters {
        let at = cx.arg(0);
        if at.as_pair().is_none() {
            if !at.is_list() || at.is_empty_list() {
                return Err(no_path(cx, name));
            }
            as_pairs(cx, 0)?;
        }
        let Some(pair) = cx.arg(0).as_pair() else { continue };
        let next = if letter == b'a' { pair.car() } else { pair.cdr() }.word();
        cx.set_arg(0, next);
    }
    Ok(cx.arg(0).word())
}

#[cold]
fn no_path(cx: &Cx<'_>, name: &str) -> Raise {
    let message = format!("{name}: expected pair on the way, got {}", cx.arg(0).type_name());
    Raise::new(Code::Type, message).with_arg(0)
}
