//! Pairs: reading and changing them, and turning lists that came in one piece into them.

use crate::error::Raise;
use crate::heap::Heap;
use crate::list::{ListError, size_of_set_first};
use crate::prims::seq::list_error;
use crate::prims::{Cx, prims};
use crate::value::{Value, Word};

prims! { PAIRS {
    /// The first part of a pair.
    "%scheme:car" (pair: Pair) -> Any, Reads, |cx| Ok(car(cx.arg(0))), ["(%scheme:car (list 1 2)) ; => 1", "(%scheme:car ()) ; error: car: expected pair, got list"];
    /// The second part of a pair.
    "%scheme:cdr" (pair: Pair) -> Any, Reads, cdr, ["(%scheme:cdr (list 1 2)) ; => (2)", "(let ((xs (list 1 2))) (eq? (%scheme:cdr xs) (%scheme:cdr xs))) ; => true"];
    /// Replaces the first part of a pair.
    "%scheme:set-car!" (pair: Pair, x: Any) -> Nil, Writes, set_car, ["(let ((xs (list 1 2))) (%scheme:set-car! xs 5) xs) ; => (5 2)"];
    /// Replaces the second part of a pair.
    "%scheme:set-cdr!" (pair: Pair, x: Any) -> Nil, Writes, set_cdr, ["(let ((xs (list 1 2))) (%scheme:set-cdr! xs 5) xs) ; => (1 . 5)"];
    /// Is it a pair?
    "%scheme:pair?" (x: Any) -> Bool, Reads, |cx| Ok(Word::bool(cx.arg(0).is_list() && !cx.arg(0).is_empty_list())), ["(%scheme:pair? (list 1)) ; => true", "(%scheme:pair? ()) ; => false"];
    /// Is it the empty list?
    "%scheme:null?" (x: Any) -> Bool, Reads, |cx| Ok(Word::bool(cx.arg(0).is_empty_list())), ["(%scheme:null? ()) ; => true", "(%scheme:null? nil) ; => false"];
    /// Is it a list that ends in ()?
    "%scheme:list?" (x: Any) -> Bool, Reads, |cx| Ok(Word::bool(cx.arg(0).list_len().is_ok())), ["(%scheme:list? (list 1)) ; => true", "(%scheme:list? (cons 1 2)) ; => false"];
} }

fn car(pair: Value<'_>) -> Word {
    pair.first().map_or(Word::NIL, Value::word)
}

fn cdr(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    if cx.arg(0).as_pair().is_none() {
        as_pairs(cx, 0)?;
    }
    Ok(cx.arg(0).as_pair().map_or(Word::EMPTY, |pair| pair.cdr().word()))
}

fn set_car(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    cx.reserve(size_of_set_first(cx.arg(0)).map_err(|e| list_error("set-car!", e))?)?;
    cx.heap().set_first(cx.arg(0), cx.arg(1));
    Ok(Word::NIL)
}

fn set_cdr(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    cx.reserve(0)?;
    let set = cx.heap().set_rest(cx.arg(0), cx.arg(1));
    set.map_err(|e| list_error("set-cdr!", e))?;
    Ok(Word::NIL)
}

/// Makes pairs, in place, of whatever part of the list in operand `i` is in one piece.
pub(super) fn as_pairs(cx: &mut Cx<'_>, i: usize) -> Result<(), Raise> {
    let Some(piece) = piece_of(cx.arg(i)) else {
        return Ok(());
    };
    let len = piece.list_len().unwrap_or(0);
    cx.reserve(len * Heap::SIZE_OF_PAIR)?;
    if let Some(piece) = piece_of(cx.arg(i)) {
        cx.heap().to_pairs(piece);
    }
    Ok(())
}

/// The part of a list that is in one piece and not empty.
fn piece_of(list: Value<'_>) -> Option<Value<'_>> {
    let (mut at, mut steps, mut mark) = (list, 0_usize, Value::NIL);
    while let Some(pair) = at.as_pair() {
        at = pair.cdr();
        steps += 1;
        if at == mark {
            return None;
        }
        if steps.is_power_of_two() {
            mark = at;
        }
    }
    at.as_view().filter(|view| !view.is_empty()).map(|_| at)
}

/// What a walk along a list came to.
pub(super) enum Walk {
    /// The answer for a pair.
    Found(Word),
    /// No pair had an answer.
    End,
    /// A part in one piece, which has to become pairs first.
    Piece,
}

/// Looks at each pair of the list in operand `i` until `f` has an answer for it; `None` at the end.
pub(super) fn find_pair(
    cx: &mut Cx<'_>,
    i: usize,
    who: &str,
    f: impl for<'h> Fn(&'h Cx<'_>, Value<'h>, Value<'h>) -> Option<Word>,
) -> Result<Option<Word>, Raise> {
    loop {
        match walk(cx, i, who, &f)? {
            Walk::Found(word) => return Ok(Some(word)),
            Walk::End => return Ok(None),
            Walk::Piece => as_pairs(cx, i)?,
        }
    }
}

fn walk(
    cx: &Cx<'_>,
    i: usize,
    who: &str,
    f: &impl for<'h> Fn(&'h Cx<'_>, Value<'h>, Value<'h>) -> Option<Word>,
) -> Result<Walk, Raise> {
    let (mut at, mut steps, mut mark) = (cx.arg(i), 0_usize, Value::NIL);
    while let Some(pair) = at.as_pair() {
        if let Some(answer) = f(cx, at, pair.car()) {
            return Ok(Walk::Found(answer));
        }
        at = pair.cdr();
        steps += 1;
        if at == mark {
            return Err(list_error(who, ListError::Circular));
        }
        if steps.is_power_of_two() {
            mark = at;
        }
    }
    match (at.as_view(), steps) {
        _ if at.is_empty_list() => Ok(Walk::End),
        (Some(_), _) => Ok(Walk::Piece),
        (None, 0) => Err(list_error(who, ListError::NotList)),
        (None, _) => Err(list_error(who, ListError::Improper)),
    }
}
