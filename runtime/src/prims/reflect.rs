//! Looking at values: types, text, names, membership.
//!
//! Deliberately absent: what needs the machine (`doc` of a procedure) or the reader (`sx-parse`).

use super::seq::items;
use super::{Cx, prims};
use crate::dict::size_of_dict;
use crate::error::{Code, Raise};
use crate::object::Type;
use crate::print::Style;
use crate::value::{Value, Word};

prims! { REFLECT {
    /// The name of the kind of value x is; of a record or ADT value, the name of its type.
    "type-of" (x: Any) -> String, Pure, type_of, ["(type-of 1/2) ; => \"number\"", "(type-of ()) ; => \"list\""];
    /// x as text that reads back equal, where there is such a text.
    "inspect" | "sx-serialize" (x: Any) -> String, Reads, |cx| cx.give_shown(Style::Write), ["(inspect \"a\\\"b\") ; => \"\\\"a\\\\\\\"b\\\"\"", "(inspect {:a (list 1.0)}) ; => \"{:a (1.0)}\""];
    /// x as text with the keys of dicts in alphabetical order: the same text for equal values.
    "canonical-serialize" (x: Any) -> String, Reads, |cx| cx.give_shown(Style::Canonical), ["(canonical-serialize {:b 1 :a 2}) ; => \"{:a 2 :b 1}\""];
    /// A symbol that is like no other.
    "gensym" (prefix: Any optional) -> Symbol, Any, gensym, ["(= (gensym) (gensym)) ; => false"];
    /// How many arguments a procedure takes: a dict of `required`, `most` (nil if there is no most) and `rest`.
    "arity" (f: Procedure) -> Dict, Allocates, arity, ["(get (arity cons) :most) ; => 2"];
    /// The docstring of a procedure, or nil.
    "%procedure-doc" (f: Any) -> Any, Pure, procedure_doc, ["(%procedure-doc 5) ; => nil"];
    /// The documentation of the primitive of this name, or nil.
    "%prim-doc" (name: Name) -> Any, Pure, prim_doc, ["(starts-with? (%prim-doc \"first\") \"(first xs\") ; => true"];
    /// Is x in the collection: an item of a list, vector or set, a part of a string, a key of a dict?
    "contains?" | "includes?" (xs: Collection, x: Any) -> Bool, Reads, contains, ["(contains? (list 1 2) 2) ; => true", "(contains? \"hello\" \"ell\") ; => true", "(contains? {:a 1} :a) ; => true"];
    /// The place of the first item equal to x, or of the first occurrence of a part of a string; -1 if
    /// there is none. A third argument is where to begin.
    "index-of" (xs: Collection, x: Any, from: Index optional) -> Int, Reads, index_of, ["(index-of (list :a :b) :b) ; => 1", "(index-of \"hello\" \"l\") ; => 2", "(index-of \"hello\" \"z\") ; => -1"];
    /// The place of the last item equal to x, or of the last occurrence of a part of a string; -1 if there is none.
    "last-index-of" (xs: Collection, x: Any) -> Int, Reads, last_index_of, ["(last-index-of \"hello\" \"l\") ; => 3"];
    /// The value itself.
    "identity" (x: Any) -> Any, Pure, |cx| Ok(cx.arg(0).word()), ["(identity 5) ; => 5"];
} }

fn type_of(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let name = cx.arg(0).type_name();
    // Names of types are few: their strings are interned, so asking twice gives one object.
    let word = cx.heap().intern(name).word();
    cx.reserve(0).map(|()| word)
}

fn gensym(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let prefix = cx.arg(0).as_name().unwrap_or("g").to_string();
    // A program may have used such a name already.
    loop {
        cx.state().gensyms += 1;
        let name = format!("{prefix}~{}", cx.state().gensyms);
        if cx.heap().find_interned(&name).is_none() {
            return cx.give_symbol(&name);
        }
    }
}

fn arity(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    cx.reserve(size_of_dict(3) + 1024)?;
    let (heap, v) = (cx.heap(), cx.arg(0));
    let info = v.is(Type::Closure).then(|| heap.procedure_info(v)).flatten();
    let info = info.unwrap_or_default();
    let dict = heap.dict();
    let most = info.most.map_or(Value::NIL, |n| Value::fixnum(n as i64));
    heap.dict_set(dict, heap.intern("required"), Value::fixnum(info.required as i64));
    heap.dict_set(dict, heap.intern("most"), most);
    heap.dict_set(dict, heap.intern("rest"), Value::bool(info.most.is_none()));
    Ok(dict.value().word())
}

fn procedure_doc(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let v = cx.arg(0);
    let info = v.is(Type::Closure).then(|| cx.heap().procedure_info(v)).flatten();
    match info.and_then(|info| info.doc) {
        Some(doc) => cx.give_string(&doc),
        None => Ok(Word::NIL),
    }
}

fn prim_doc(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    match super::by_name(cx.text(0)) {
        Some(id) => {
            let text = super::get(id).describe();
            cx.give_string(&text)
        }
        None => Ok(Word::NIL),
    }
}

fn contains(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let (v, x) = (cx.arg(0), cx.arg(1));
    let found = match v.object_type() {
        Some(Type::String | Type::Text) => match (v.as_str(), x.as_name(), x.word().as_char()) {
            (Some(text), Some(part), _) => text.contains(part),
            (Some(text), None, Some(c)) => text.contains(c),
            _ => {
                return Err(Raise::new(
                    Code::Type,
                    format!("contains?: expected string, got {}", x.type_name()),
                ));
            }
        },
        Some(Type::Dict) => {
            let key = super::dicts::key_string(cx.heap(), x);
            v.as_dict()
                .zip(key)
                .is_some_and(|(dict, key)| cx.heap().dict_get(dict, key).is_some())
        }
        Some(Type::Set | Type::HashTable) => super::sets::keyed(v).is_some_and(|k| cx.heap().keyed_has(k, x)),
        _ => items("contains?", v)?.into_iter().any(|item| cx.heap().equals(item, x)),
    };
    Ok(Word::bool(found))
}

/// The place, in code points, that `find` finds for a part of the string in operand 0, from the
/// code point `from` on; `None` if that is no string.
fn place_in_text(
    cx: &Cx<'_>,
    who: &str,
    from: usize,
    find: fn(&str, &str) -> Option<usize>,
) -> Result<Option<i64>, Raise> {
    let (v, x) = (cx.arg(0), cx.arg(1));
    let Some(text) = v.as_str() else { return Ok(None) };
    let owned = x.word().as_char().map(String::from);
    let part = owned.as_deref().or_else(|| x.as_name());
    let part = part.ok_or_else(|| Raise::new(Code::Type, format!("{who}: expected string, got {}", x.type_name())))?;
    let from = from.min(v.string_len().unwrap_or(0));
    let rest = &text[cx.heap().string_offset(v, from)..];
    let place = find(rest, part).map(|at| from + rest[..at].chars().count());
    Ok(Some(place.map_or(-1, |i| i as i64)))
}

fn index_of(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let from = cx.given(2).map_or(0, |_| cx.index(2));
    if let Some(place) = place_in_text(cx, "index-of", from, |text, part| text.find(part))? {
        return Ok(Word::fixnum(place));
    }
    let (heap, x) = (cx.heap(), cx.arg(1));
    let mut items = items("index-of", cx.arg(0))?.into_iter().enumerate().skip(from);
    let place = items.find(|(_, item)| heap.equals(*item, x));
    Ok(Word::fixnum(place.map_or(-1, |(i, _)| i as i64)))
}

fn last_index_of(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    if let Some(place) = place_in_text(cx, "last-index-of", 0, |text, part| text.rfind(part))? {
        return Ok(Word::fixnum(place));
    }
    let (heap, x) = (cx.heap(), cx.arg(1));
    let place = items("last-index-of", cx.arg(0))?
        .into_iter()
        .rposition(|item| heap.equals(item, x));
    Ok(Word::fixnum(place.map_or(-1, |i| i as i64)))
}
