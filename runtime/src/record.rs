//! Records and ADT values, error objects, and what `type-of` says of any value.
//!
//! A value of an ADT is a record whose type names the ADT. Field names are the record type's;
//! finding a field by name is done once, when an accessor is made, and not here.

use crate::heap::Heap;
use crate::object::{self, AUX_MAX, Type, error, record, record_type};
use crate::value::{Value, Word};

/// The most fields a record can have.
pub const RECORD_FIELDS_MAX: usize = AUX_MAX as usize - 1;

/// What an error object holds.
#[derive(Clone, Copy, Debug)]
pub struct ErrorParts<'h> {
    /// The text of an `error::Code`, a string.
    pub code: Value<'h>,
    /// The message, a string.
    pub message: Value<'h>,
    /// A list.
    pub irritants: Value<'h>,
    /// What `raise` was given, if the program raised a value of its own.
    pub payload: Value<'h>,
    /// Where: a string, or nil.
    pub place: Value<'h>,
    /// A list, or nil.
    pub backtrace: Value<'h>,
}

/// Bytes to reserve for a record of `n` fields.
pub const fn size_of_record(n: usize) -> usize {
    Heap::size_of(1 + n)
}

impl Heap {
    /// Bytes to reserve for a record type.
    pub const SIZE_OF_RECORD_TYPE: usize = Heap::size_of(4);
    /// Bytes to reserve for an error object.
    pub const SIZE_OF_ERROR: usize = Heap::size_of(6);

    /// A record type: its name, a vector of field names, the name of the ADT it is a constructor
    /// of or nil, and whatever its definer keeps. Spends `SIZE_OF_RECORD_TYPE`.
    pub fn record_type(&self, name: Value<'_>, fields: Value<'_>, adt: Value<'_>, info: Value<'_>) -> Value<'_> {
        assert!(name.is(Type::String) && fields.is(Type::Vector));
        self.make(Type::RecordType, 0, [name, fields, adt, info].map(Value::word))
    }

    /// A record with these fields. Spends `size_of_record(fields.len())`.
    pub fn record(&self, ty: Value<'_>, fields: &[Value<'_>]) -> Record<'_> {
        assert!(ty.is(Type::RecordType) && fields.len() <= RECORD_FIELDS_MAX);
        let record = self.unfilled(Type::Record, fields.len() as u64 + 1, fields.len() + 2);
        self.init(record, record::TYPE, ty);
        for (i, field) in fields.iter().enumerate() {
            self.init(record, record::FIELDS + i, *field);
        }
        Record(record)
    }

    /// Replaces a field; the index must be in range.
    pub fn record_set(&self, record: Record<'_>, i: usize, value: Value<'_>) {
        assert!(i < record.len(), "the caller checks the index");
        self.store(record.0, record::FIELDS + i, value);
    }

    /// An error object. Spends `SIZE_OF_ERROR`.
    pub fn error(&self, parts: ErrorParts<'_>) -> Value<'_> {
        let ErrorParts {
            code,
            message,
            irritants,
            payload,
            place,
            backtrace,
        } = parts;
        let fields = [code, message, irritants, payload, place, backtrace];
        self.make(Type::Error, 0, fields.map(Value::word))
    }
    /// Says where an error was raised, if nobody has said so.
    pub fn set_error_place(&self, error: Value<'_>, place: Value<'_>, backtrace: Value<'_>) {
        if error.is(Type::Error) && error.at(error::PLACE) == Value::NIL {
            self.store(error, error::PLACE, place);
            self.store(error, error::BACKTRACE, backtrace);
        }
    }

    /// Tells an error object that its place is another one.
    pub fn move_error(&self, error: Value<'_>, place: Value<'_>) {
        assert!(error.is(Type::Error));
        self.store(error, error::PLACE, place);
    }
}

/// A value that is known to be a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'h>(Value<'h>);

impl<'h> Record<'h> {
    /// Its record type.
    pub fn record_type(self) -> RecordType<'h> {
        RecordType(self.0.at(record::TYPE))
    }
    /// How many fields.
    pub fn len(self) -> usize {
        self.0.aux() as usize - 1
    }
    /// No fields?
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
    /// A field, if the index is in range.
    #[inline]
    pub fn get(self, i: usize) -> Option<Value<'h>> {
        (i < self.len()).then(|| self.0.at(record::FIELDS + i))
    }
    /// The record as a value.
    pub fn value(self) -> Value<'h> {
        self.0
    }
}

/// A value that is known to be a record type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordType<'h>(Value<'h>);

impl<'h> RecordType<'h> {
    /// The name of the record type, or of the constructor.
    pub fn name(self) -> &'h str {
        self.0.at(record_type::NAME).as_str().unwrap_or_default()
    }
    /// The field names, a vector of strings.
    pub fn fields(self) -> Value<'h> {
        self.0.at(record_type::FIELDS)
    }
    /// The name of the ADT this is a constructor of.
    pub fn adt(self) -> Option<&'h str> {
        self.0.at(record_type::ADT).as_str()
    }
    /// What the definer keeps.
    pub fn info(self) -> Value<'h> {
        self.0.at(record_type::INFO)
    }
    /// The record type as a value.
    pub fn value(self) -> Value<'h> {
        self.0
    }
}

impl<'h> Value<'h> {
    /// This as a record, if it is one.
    #[inline]
    pub fn as_record(self) -> Option<Record<'h>> {
        self.is(Type::Record).then_some(Record(self))
    }
    /// This as a record type, if it is one.
    pub fn as_record_type(self) -> Option<RecordType<'h>> {
        self.is(Type::RecordType).then_some(RecordType(self))
    }
    /// What an error object holds, if this is one.
    pub fn as_error(self) -> Option<ErrorParts<'h>> {
        self.is(Type::Error).then(|| ErrorParts {
            code: self.at(error::CODE),
            message: self.at(error::MESSAGE),
            irritants: self.at(error::IRRITANTS),
            payload: self.at(error::PAYLOAD),
            place: self.at(error::PLACE),
            backtrace: self.at(error::BACKTRACE),
        })
    }

    /// What `type-of` says.
    pub fn type_name(self) -> &'h str {
        if let Some(record) = self.as_record() {
            let ty = record.record_type();
            return ty.adt().unwrap_or_else(|| ty.name());
        }
        match self.object_type() {
            Some(ty) => ty.name(),
            None => immediate_type_name(self.word()),
        }
    }
}

fn immediate_type_name(word: Word) -> &'static str {
    match word {
        Word::NIL => "nil",
        Word::TRUE | Word::FALSE => "boolean",
        Word::EMPTY => object::Type::Pair.name(),
        Word::EOF => "eof",
        Word::UNBOUND => "unbound",
        _ if word.is_char() => "char",
        _ => "number",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::heap::HeapOptions;

    #[test]
    fn records_have_the_name_of_their_type() {
        let mut heap = Heap::new(HeapOptions::default());
        heap.reserve(1000, &mut ()).unwrap();
        let fields = heap.vector_from(&[heap.intern("value")]);
        let just = heap.record_type(heap.intern("Just"), fields, heap.intern("Maybe"), Value::NIL);
        let point = heap.record_type(heap.intern("point"), heap.vector(0, Value::NIL), Value::NIL, Value::NIL);
        let record = heap.record(just, &[Value::fixnum(42)]);
        heap.record_set(record, 0, Value::char('x'));
        assert_eq!(record.get(0), Some(Value::char('x')));
        assert_eq!(record.get(1), None);
        assert_eq!(record.value().type_name(), "Maybe");
        assert_eq!(heap.record(point, &[]).value().type_name(), "point");
        let kept = heap.handle(record.value());
        heap.collect(&mut ());
        assert_eq!(heap.get(&kept).as_record().unwrap().record_type().name(), "Just");
    }

    #[test]
    fn immediates_have_types() {
        let names = [
            Word::NIL,
            Word::TRUE,
            Word::EMPTY,
            Word::EOF,
            Word::char('a'),
            Word::fixnum(1),
        ];
        let names = names.map(|w| Value::immediate(w).type_name());
        assert_eq!(names, ["nil", "boolean", "list", "eof", "char", "number"]);
    }
}
