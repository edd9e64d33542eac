//! Output as Scheme reads it: `#t`, `#f`, bare strings at any depth for `display`, and labels for
//! data that contains itself.

use crate::error::{Code, Raise};
use crate::list::size_of_list;
use crate::prims::ports::put;
use crate::prims::{Cx, prims};
use crate::print::scheme::{Labels, Manner};
use crate::syntax::FEATURES;
use crate::value::Word;

prims! { TEXT {
    /// Writes x so that it reads back; a part that contains itself has a label.
    "%scheme:write" (x: Any, p: Port optional) -> Nil, Any, |cx| write_value(cx, "write", Manner::Write(Labels::Cycles)), ["(let ((p (open-output-string))) (%scheme:write (list true \"a\") p) (get-output-string p)) ; => \"(#t \\\"a\\\")\""];
    /// Writes x so that it reads back; every part that occurs twice has a label.
    "%scheme:write-shared" (x: Any, p: Port optional) -> Nil, Any, |cx| write_value(cx, "write-shared", Manner::Write(Labels::Shared)), ["(let ((p (open-output-string)) (x (cons 1 ()))) (%scheme:write-shared (cons x x) p) (get-output-string p)) ; => \"(#0=(1) . #0#)\""];
    /// Writes x so that it reads back, without labels: it must not contain itself.
    "%scheme:write-simple" (x: Any, p: Port optional) -> Nil, Any, |cx| write_value(cx, "write-simple", Manner::Write(Labels::None)), ["(let ((p (open-output-string))) (%scheme:write-simple (quote a) p) (get-output-string p)) ; => \"a\""];
    /// The features cond-expand finds, as symbols.
    "%features" () -> List, Allocates, features, ["(first (%features)) ; => sx"];
    /// Writes x with strings and characters bare.
    "%scheme:display" (x: Any, p: Port optional) -> Nil, Any, |cx| write_value(cx, "display", Manner::Display), ["(let ((p (open-output-string))) (%scheme:display (list false \"a\") p) (get-output-string p)) ; => \"(#f a)\""];
} }

fn features(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    cx.reserve(size_of_list(FEATURES.len()))?;
    let heap = cx.heap();
    let symbols: Vec<_> = FEATURES.iter().map(|name| heap.symbol(name)).collect();
    Ok(heap.list(&symbols).word())
}

fn write_value(cx: &mut Cx<'_>, who: &str, manner: Manner) -> Result<Word, Raise> {
    let mut text = cx.take_text();
    let shown = cx.heap().print_scheme(&mut text, cx.arg(0), manner, cx.heap().limit());
    if shown.is_err() {
        return Err(match manner {
            Manner::Write(Labels::None) => Raise::new(Code::Value, format!("{who}: the value contains itself")),
            _ => Raise::Memory,
        });
    }
    let answer = put(cx, 1, who, &text);
    cx.keep_text(text);
    answer
}
