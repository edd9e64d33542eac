//! Records, ADT values and error objects as data.
//!
//! What `define-record-type` and `define-type` define is SX over these.

use super::seq::{list_items, out_of_range};
use super::{Cx, prims};
use crate::error::{Code, Raise};
use crate::heap::Heap;
use crate::list::size_of_list;
use crate::object::Type;
use crate::print::Style;
use crate::record::{ErrorParts, RECORD_FIELDS_MAX, Record, size_of_record};
use crate::string::size_of_string;
use crate::syntax::Span;
use crate::value::{Value, Word};
use crate::vector::size_of_vector;

prims! { RECORDS {
    /// A record type: name, list of field names, and the name of the ADT it is a constructor of or nil.
    "%make-record-type" (name: Name, fields: List, adt: Any optional, info: Any optional) -> RecordType, Allocates, make_type, ["(type-of (%make-record (%make-record-type \"point\" (list \"x\")) 1)) ; => \"point\""];
    /// A record of this type with these fields.
    "%make-record" (type: RecordType, fields: Any rest) -> Record, Allocates, make_record, ["(%make-record (%make-record-type \"Just\" (list \"value\") \"Maybe\") 42) ; => (Just 42)"];
    /// Is x a record of this type?
    "%record-is?" (x: Any, type: RecordType) -> Bool, Pure, |cx| Ok(Word::bool(is_record(cx))), ["(%record-is? 1 (%make-record-type \"p\" ())) ; => false"];
    /// Is x a value of the ADT of this name?
    "%adt-is?" (x: Any, name: Name) -> Bool, Pure, |cx| Ok(Word::bool(cx.arg(0).as_record().is_some_and(|r| r.record_type().adt() == Some(cx.text(1))))), ["(%adt-is? (%make-record (%make-record-type \"None\" () \"Maybe\")) \"Maybe\") ; => true"];
    /// Field i of a record of this type; who is named when it is none.
    "%record-ref" (r: Any, type: RecordType, i: Index, who: Any optional) -> Any, Reads, record_ref, ["(let ((t (%make-record-type \"p\" (list \"x\")))) (%record-ref (%make-record t 5) t 0)) ; => 5", "(%record-ref 1 (%make-record-type \"p\" (list \"x\")) 0 \"p-x\") ; error: p-x: expected p, got number"];
    /// Replaces field i of a record of this type, in place.
    "%record-set!" (r: Any, type: RecordType, i: Index, x: Any, who: Any optional) -> Nil, Writes, record_set, ["(let ((t (%make-record-type \"p\" (list \"x\")))) (let ((r (%make-record t 5))) (%record-set! r t 0 6) (%record-ref r t 0))) ; => 6"];
    /// The type of a record.
    "%record-type" (r: Record) -> RecordType, Pure, |cx| Ok(cx.arg(0).as_record().map_or(Word::NIL, |r| r.record_type().value().word())), ["(%record-type-name (%record-type (%make-record (%make-record-type \"p\" ())))) ; => \"p\""];
    /// The name of a record type.
    "%record-type-name" (type: RecordType) -> String, Pure, |cx| Ok(record_type_at(cx, 0).map_or(Word::NIL, |t| t.value().at(crate::object::record_type::NAME).word())), ["(%record-type-name (%make-record-type \"p\" ())) ; => \"p\""];
    /// What the definer of a record type keeps with it.
    "%record-type-info" (type: RecordType) -> Any, Pure, |cx| Ok(record_type_at(cx, 0).map_or(Word::NIL, |t| t.info().word())), ["(%record-type-info (%make-record-type \"p\" () nil 7)) ; => 7"];
    /// The fields of a record as a list.
    "%record-fields" (r: Record) -> List, Allocates, record_fields, ["(%record-fields (%make-record (%make-record-type \"p\" (list \"x\")) 5)) ; => (5)"];
    /// An error object: code, message, list of irritants, and the value raised, if it is no error itself.
    "%make-error" (code: Name, message: Any, irritants: List optional, payload: Any optional) -> Error, Allocates, make_error, ["(error-message (%make-error \"user\" \"no\" (list 1))) ; => \"no\""];
    /// The message of an error object; a string is its own message, other values are shown as inspect does.
    "error-message" | "error-object-message" | "condition-message" (e: Any) -> String, Reads, error_message, ["(error-message (%make-error \"user\" \"no\")) ; => \"no\"", "(error-message \"text\") ; => \"text\""];
    /// The values an error object was made with besides its message.
    "error-irritants" | "error-object-irritants" (e: Any) -> List, Reads, error_irritants, ["(error-irritants (%make-error \"user\" \"no\" (list 1 2))) ; => (1 2)"];
    /// The code of an error object, as `docs/errors.md` lists them; nil for other values.
    "error-code" (e: Any) -> Any, Reads, |cx| Ok(cx.arg(0).as_error().map_or(Word::NIL, |e| e.code.word())), ["(error-code (%make-error \"user\" \"no\")) ; => \"user\""];
    /// Where an error was raised: `file:line:column`, or nil.
    "error-place" (e: Any) -> Any, Reads, error_place, ["(error-place 1) ; => nil"];
    /// The text of the file or input an error was raised in, or nil.
    "error-source" (e: Any) -> Any, Reads, error_source, ["(error-source 1) ; => nil"];
    /// The calls that led to an error, or nil.
    "error-backtrace" (e: Any) -> Any, Reads, |cx| Ok(cx.arg(0).as_error().map_or(Word::NIL, |e| e.backtrace.word())), ["(error-backtrace 1) ; => nil"];
    /// The value that was raised, when it is no error object itself.
    "%error-payload" (e: Error) -> Any, Reads, |cx| Ok(cx.arg(0).as_error().map_or(Word::NIL, |e| e.payload.word())), ["(%error-payload (%make-error \"user\" \"no\" () 5)) ; => 5"];
    /// Raises an argument error with this message.
    "%argument-error" (message: String) -> Any, Any, |cx| Err(Raise::new(Code::Type, cx.text(0))), ["(%argument-error \"map: expected (fn list)\") ; error: map: expected (fn list)"];
} }

fn record_type_at<'h>(cx: &'h Cx<'_>, i: usize) -> Option<crate::record::RecordType<'h>> {
    cx.arg(i).as_record_type()
}

fn make_type(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let names: Vec<String> = list_items("%make-record-type", cx.arg(1))?
        .into_iter()
        .map(|v| v.as_name().unwrap_or_default().to_string())
        .collect();
    let adt = cx.arg(2).as_name().map(str::to_string);
    cx.reserve(Heap::SIZE_OF_RECORD_TYPE + size_of_vector(names.len()))?;
    let heap = cx.heap();
    // Interning allocates outside the reservation, in old space.
    let fields: Vec<Value<'_>> = names.iter().map(|name| heap.intern(name)).collect();
    let adt = adt.map_or(Value::NIL, |name| heap.intern(&name));
    Ok(heap
        .record_type(heap.intern(cx.text(0)), heap.vector_from(&fields), adt, cx.arg(3))
        .word())
}

fn make_record(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let count = cx.argc() - 1;
    if count > RECORD_FIELDS_MAX {
        return Err(Raise::new(Code::Range, "a record has too many fields"));
    }
    cx.reserve(size_of_record(count))?;
    let fields: Vec<Value<'_>> = cx.all_args().skip(1).collect();
    Ok(cx.heap().record(cx.arg(0), &fields).value().word())
}

fn is_record(cx: &Cx<'_>) -> bool {
    cx.arg(0)
        .as_record()
        .is_some_and(|r| r.record_type().value() == cx.arg(1))
}

/// Checks that operand 0 is a record of the type in operand 1 with a field as operand 2 says;
/// else the condition names operand `who`.
fn check_field(cx: &Cx<'_>, who: usize) -> Result<usize, Raise> {
    let who = cx.arg(who).as_name().unwrap_or("record");
    if !is_record(cx) {
        let wanted = record_type_at(cx, 1).map_or("record", |t| t.name());
        let message = format!("{who}: expected {wanted}, got {}", cx.arg(0).type_name());
        return Err(Raise::new(Code::Type, message).with_arg(0));
    }
    let (i, len) = (cx.index(2), cx.arg(0).as_record().map_or(0, |r| r.len()));
    if i < len { Ok(i) } else { Err(out_of_range(who, i, len)) }
}

fn record_ref(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let i = check_field(cx, 3)?;
    Ok(cx
        .arg(0)
        .as_record()
        .and_then(|r| r.get(i))
        .map_or(Word::NIL, Value::word))
}

fn record_set(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let i = check_field(cx, 4)?;
    if let Some(record) = cx.arg(0).as_record() {
        cx.heap().record_set(record, i, cx.arg(3));
    }
    Ok(Word::NIL)
}

fn record_fields(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let count = cx.arg(0).as_record().map_or(0, |r| r.len());
    cx.give_list(
        |_| Ok(count),
        |cx| {
            Ok(cx
                .arg(0)
                .as_record()
                .map(|r| (0..r.len()).filter_map(|i| r.get(i)).collect())
                .unwrap_or_default())
        },
    )
}

/// The place of the field of this name.
pub(super) fn field_place(record: Record<'_>, name: &str) -> Option<usize> {
    record
        .record_type()
        .fields()
        .as_vector()?
        .iter()
        .position(|field| field.as_str() == Some(name))
}

/// What `get` answers for `_type`, `_ctor` and `_fields` of the ADT value in operand 0.
pub(super) fn adt_key(cx: &mut Cx<'_>) -> Result<Option<Word>, Raise> {
    let Some(record) = cx.arg(0).as_record() else {
        return Ok(None);
    };
    let ty = record.record_type();
    match cx.arg(1).as_name() {
        Some("_type") => Ok(Some(adt_or_name(ty).word())),
        Some("_ctor") => Ok(Some(ty.value().at(crate::object::record_type::NAME).word())),
        Some("_fields") => record_fields(cx).map(Some),
        _ => Ok(None),
    }
}

fn adt_or_name(ty: crate::record::RecordType<'_>) -> Value<'_> {
    let adt = ty.value().at(crate::object::record_type::ADT);
    if adt == Value::NIL {
        ty.value().at(crate::object::record_type::NAME)
    } else {
        adt
    }
}

fn make_error(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let mut message = String::new();
    cx.show_onto(&mut message, cx.arg(1), Style::Display)?;
    cx.reserve(Heap::SIZE_OF_ERROR + size_of_string(message.len()))?;
    let heap = cx.heap();
    let message = if cx.arg(1).is(Type::String) {
        cx.arg(1)
    } else {
        heap.string(&message)
    };
    let irritants = if cx.arg(2).is_list() { cx.arg(2) } else { Value::EMPTY };
    let error = heap.error(ErrorParts {
        code: heap.intern(cx.text(0)),
        message,
        irritants,
        payload: cx.arg(3),
        place: Value::NIL,
        backtrace: Value::NIL,
    });
    Ok(error.word())
}

impl Cx<'_> {
    /// The error object of a condition: what a machine raises when a primitive answers `Err`.
    /// Fails only when there is no room for it.
    pub fn error_of(&mut self, raise: &Raise) -> Result<Word, Raise> {
        let irritants: &[usize] = match raise {
            Raise::Condition(condition) => &condition.irritants,
            Raise::Memory => &[],
        };
        let message = raise.message();
        self.reserve(Heap::SIZE_OF_ERROR + size_of_string(message.len()) + size_of_list(irritants.len()))?;
        let heap = self.heap();
        let irritants: Vec<Value<'_>> = irritants.iter().map(|i| self.arg(*i)).collect();
        let error = heap.error(ErrorParts {
            code: heap.intern(raise.code().text()),
            message: heap.string(message),
            irritants: heap.list(&irritants),
            payload: Value::NIL,
            place: Value::NIL,
            backtrace: Value::NIL,
        });
        Ok(error.word())
    }
}

fn error_message(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let v = cx.arg(0);
    if let Some(error) = v.as_error() {
        return Ok(error.message.word());
    }
    if v.as_str().is_some() {
        return Ok(v.word());
    }
    cx.give_shown(Style::Write)
}

fn error_irritants(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    Ok(cx.arg(0).as_error().map_or(Word::EMPTY, |e| e.irritants.word()))
}

/// Where an error was raised: it keeps the procedure and pc, or a span.
fn span_of_error(cx: &Cx<'_>) -> Option<Span> {
    let place = cx.arg(0).as_error()?.place;
    match place.as_pair() {
        Some(pair) => {
            let pc = usize::try_from(pair.cdr().as_fixnum()?).ok()?;
            pair.car().instance()?.chunk.span_at(pc)
        }
        None => cx.heap().rust_value_of::<Span>(place).map(|span| (*span).clone()),
    }
}

fn error_place(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    match span_of_error(cx) {
        Some(span) => cx.give_string(&span.place()),
        None => Ok(Word::NIL),
    }
}

fn error_source(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    match span_of_error(cx) {
        Some(span) => cx.give_string(&span.source.text),
        None => Ok(Word::NIL),
    }
}
