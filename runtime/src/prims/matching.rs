//! What the expansions of `match` and quasiquotation call. A test never fails with an error,
//! whatever the value; the accessors are called behind their test only.
//! Names with `%` only, but `list*`.

use super::seq::{list_error, list_items};
use super::{Cx, prims};
use crate::error::Raise;
use crate::heap::{Heap, ProcedureInfo};
use crate::object::Type;
use crate::value::{Value, Word};

prims! { MATCHING {
    /// The arguments before the last, then the items of the last, which may be any tail.
    "list*" | "cons*" | "%list*" (x: Any, more: Any rest) -> Any, Allocates, list_star, ["(list* 1 2 (list 3)) ; => (1 2 3)", "(list* 1 (cons 2 3)) ; => (1 2 . 3)", "(%list* 1 2) ; => (1 . 2)", "(%list* 5) ; => 5"];
    /// The items of all the lists, then the last argument, which may be any tail.
    "%append*" (xs: Any rest) -> Any, Allocates, append_star, ["(%append* (list 1 2) (list 3)) ; => (1 2 3)", "(%append* (list 1) 2) ; => (1 . 2)"];
    /// Is it an ADT value of the constructor of this name with so many fields?
    "%match-adt?" (x: Any, constructor: Name, count: Index) -> Bool, Pure, |cx| Ok(Word::bool(is_adt_of(cx))), ["(%match-adt? (%make-record (%make-record-type \"Just\" (list \"v\") \"Maybe\") 1) \"Just\" 1) ; => true", "(%match-adt? 5 \"Just\" 1) ; => false"];
    /// Field i of an ADT value.
    "%match-field" (x: Record, i: Index) -> Any, Pure, match_field, ["(%match-field (%make-record (%make-record-type \"Just\" (list \"v\") \"Maybe\") 7) 0) ; => 7"];
    /// Is it a list of exactly so many items?
    "%match-list?" (x: Any, count: Index) -> Bool, Reads, |cx| Ok(Word::bool(has_items(cx, true))), ["(%match-list? (list 1 2) 2) ; => true", "(%match-list? nil 0) ; => false"];
    /// Does it begin with at least so many items?
    "%match-list-from?" (x: Any, count: Index) -> Bool, Reads, |cx| Ok(Word::bool(has_items(cx, false))), ["(%match-list-from? (list 1 2) 1) ; => true", "(%match-list-from? (cons 1 2) 1) ; => true"];
    /// Item i of a list.
    "%match-item" (xs: Any, i: Index) -> Any, Reads, match_item, ["(%match-item (list 1 2) 1) ; => 2"];
    /// What follows the first items of a list.
    "%match-rest" (xs: Any, count: Index) -> Any, Allocates, match_rest, ["(%match-rest (list 1 2 3) 1) ; => (2 3)", "(%match-rest (cons 1 2) 1) ; => 2"];
    /// Is it a dict or ADT value with that key?
    "%match-key?" (x: Any, key: Any) -> Bool, Reads, |cx| Ok(Word::bool(has_key(cx))), ["(%match-key? {:a 1} :a) ; => true", "(%match-key? 5 :a) ; => false"];
    /// The value of a key.
    "%match-value" (x: Any, key: Any) -> Any, Reads, super::dicts::get, ["(%match-value {:a 1} :a) ; => 1"];
    /// Does the procedure take so many arguments?
    "%takes?" (f: Any, count: Index) -> Bool, Pure, takes, ["(%takes? 5 1) ; => false"];
} }

/// The items of all operands before the last, and the last, chained by pairs.
fn chain_onto_last(cx: &mut Cx<'_>, spread: bool) -> Result<Word, Raise> {
    fn items<'h>(cx: &'h Cx<'_>, spread: bool) -> Result<Vec<Value<'h>>, Raise> {
        let mut all = Vec::new();
        for i in 0..cx.argc() - 1 {
            if spread {
                all.append(&mut list_items("append", cx.arg(i))?);
            } else {
                all.push(cx.arg(i));
            }
        }
        Ok(all)
    }
    let last = cx.argc() - 1;
    let count = items(cx, spread)?.len();
    if cx.arg(last).list_len().is_ok() || cx.arg(last) == Value::NIL {
        // A proper list is made at once, so that its length is known.
        return cx.give_list(
            |cx| Ok(count + super::seq::list_len("append", cx.arg(last))?),
            |cx| {
                let mut all = items(cx, spread)?;
                all.append(&mut list_items("append", cx.arg(last))?);
                Ok(all)
            },
        );
    }
    cx.reserve(count * Heap::SIZE_OF_PAIR)?;
    let all = items(cx, spread)?;
    Ok(cx.heap().pairs(&all, cx.arg(last)).word())
}

fn list_star(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    if cx.argc() == 1 {
        return Ok(cx.arg(0).word());
    }
    chain_onto_last(cx, false)
}

fn append_star(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    match cx.argc() {
        0 => Ok(Word::EMPTY),
        1 => Ok(cx.arg(0).word()),
        _ => chain_onto_last(cx, true),
    }
}

fn is_adt_of(cx: &Cx<'_>) -> bool {
    cx.arg(0).as_record().is_some_and(|record| {
        let ty = record.record_type();
        ty.adt().is_some() && ty.name() == cx.text(1) && record.len() == cx.index(2)
    })
}

fn match_field(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let i = cx.index(1);
    Ok(cx
        .arg(0)
        .as_record()
        .and_then(|record| record.get(i))
        .map_or(Word::NIL, Value::word))
}

/// Does operand 0 begin with as many items as operand 1 says; if `only`, and end there?
fn has_items(cx: &Cx<'_>, only: bool) -> bool {
    let (v, count) = (cx.arg(0), cx.index(1));
    let mut items = v.items();
    let there = v.is_list() && items.by_ref().take(count).count() == count;
    there && (!only || (items.next().is_none() && items.tail().word() == Word::EMPTY))
}

fn match_item(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let i = cx.index(1);
    cx.arg(0).nth(i).map(Value::word).map_err(|e| list_error("match", e))
}

fn match_rest(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    cx.reserve(Heap::SIZE_OF_PAIR)?;
    let mut at = cx.arg(0);
    for done in 0..cx.index(1) {
        match at.as_pair() {
            Some(pair) => at = pair.cdr(),
            None => {
                let left = cx.index(1) - done;
                return cx
                    .heap()
                    .drop_first(at, left)
                    .map(Value::word)
                    .map_err(|e| list_error("match", e));
            }
        }
    }
    Ok(at.word())
}

fn has_key(cx: &Cx<'_>) -> bool {
    let (v, key) = (cx.arg(0), cx.arg(1));
    if let Some(record) = v.as_record() {
        let name = key.as_name().unwrap_or_default();
        return super::check::is_adt(v)
            && (matches!(name, "_type" | "_ctor" | "_fields") || super::records::field_place(record, name).is_some());
    }
    let found = v.as_dict().zip(super::dicts::key_string(cx.heap(), key));
    found.is_some_and(|(dict, key)| cx.heap().dict_get(dict, key).is_some())
}

fn takes(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let (f, count) = (cx.arg(0), cx.index(1));
    if !f.is(Type::Closure) {
        return Ok(Word::bool(f.is_callable()));
    }
    let takes = |info: ProcedureInfo| count >= info.required && info.most.is_none_or(|most| count <= most);
    Ok(Word::bool(cx.heap().procedure_info(f).is_some_and(takes)))
}
