//! What a heap object looks like: the header word, the table of types, raw field access.
//!
//! Header: bits 0–7 `type << 1 | 1` · 8–31 `aux` · 32–39 flags · 40–63 identity hash (0 = none
//! yet). Bit 0 is always 1; a first word with bit 0 clear is the new address of a moved object.
//! Field `i` lies at address + 8·i, field 0 being the header.
//!
//! Invariant: what the row of a type calls tagged is a valid `Word` whenever the collector runs.
//! Deliberately absent: allocation and collection (`heap.rs`), and what the fields mean.
#![allow(unsafe_code)]

use crate::value::{Value, Word};

/// How the collector finds the size and the tagged fields of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scan {
    /// Fields 1 to n, all tagged.
    Fixed(usize),
    /// The first `tagged` of `total` fields are tagged, the rest are raw.
    Prefix {
        /// Tagged fields.
        tagged: usize,
        /// All fields, without the header.
        total: usize,
    },
    /// Field 1 is a fixnum n, then n tagged words.
    Counted,
    /// Field 1 is the fixnum `used`, field 2 the fixnum `capacity`, then `capacity` words of
    /// which `used` are tagged and the rest are nothing yet.
    Buffer,
    /// Field 1 is a fixnum n; n raw bytes begin at field `first`. Fields before it are fixnums.
    Bytes {
        /// Field where the bytes begin.
        first: usize,
    },
    /// As many tagged fields as `aux` says.
    Aux,
    /// Field 1 is the instance, which knows how many captured words follow.
    Closure,
}

/// Calls `$m!` with every row of the type table:
/// doc, name, module of field numbers, what `type-of` says, how it is scanned, fields.
#[macro_export]
macro_rules! for_each_type {
    ($m:ident) => {
        $m! {
            /// One cell of a linked list.
            Pair pair "list" [Fixed(2)] { CAR = 1, CDR = 2 }
            /// A list that is a window on a buffer; EXTENT is raw `offset << 32 | length`.
            View view "list" [Prefix { tagged: 1, total: 2 }] { BUFFER = 1, EXTENT = 2 }
            /// The elements behind views.
            Buffer buffer "buffer" [Buffer] { USED = 1, CAPACITY = 2, ELEMENTS = 3 }
            /// An assigned captured variable.
            Box boxed "box" [Fixed(1)] { VALUE = 1 }
            /// A global variable. Always old, so its address never changes.
            Cell cell "cell" [Fixed(2)] { VALUE = 1, NAME = 2 }
            /// A procedure; INSTANCE is a raw pointer, CAPTURED the first captured word.
            Closure closure "lambda" [Closure] { INSTANCE = 1, CAPTURED = 2 }
            /// UTF-8 text; HASH is 0 until asked for.
            String string "string" [Bytes { first: 4 }] { BYTE_LEN = 1, CHAR_LEN = 2, HASH = 3, BYTES = 4 }
            /// A string that can be changed: STORE is a string of its own, unless that is SHARED, or a
            /// bytevector of characters and room for UTF8_LEN bytes of UTF-8 (-1: to be made).
            Text text "string" [Fixed(2)] { STORE = 1, UTF8_LEN = 2 }
            /// A symbol; NAME is an interned string.
            Symbol symbol "symbol" [Fixed(2)] { NAME = 1, HASH = 2 }
            /// A keyword of quoted code.
            Keyword keyword "keyword" [Fixed(1)] { NAME = 1 }
            /// A double that is no immediate flonum.
            Flonum flonum "number" [Prefix { tagged: 0, total: 1 }] { BITS = 1 }
            /// An integer that is no fixnum: aux is 1 when negative, then 64-bit limbs, low first.
            Bignum bignum "number" [Bytes { first: 2 }] { BYTE_LEN = 1, LIMBS = 2 }
            /// An exact fraction in lowest terms, denominator above 1.
            Ratio ratio "number" [Fixed(2)] { NUM = 1, DEN = 2 }
            /// SHAPE is the fixnum of a shape and STORE a vector of slots, or SHAPE is -1 and
            /// STORE a table.
            Dict dict "dict" [Fixed(2)] { SHAPE = 1, STORE = 2 }
            /// Insertion-ordered hash table, the store of hashed dicts, hash tables and sets.
            Table table "table" [Fixed(3)] { LIVE = 1, INDEX = 2, ENTRIES = 3 }
            /// A hash table keyed by any value.
            HashTable hash_table "hash-table" [Fixed(1)] { TABLE = 1 }
            /// A set of any values.
            Set set "set" [Fixed(1)] { TABLE = 1 }
            /// A vector.
            Vector vector "vector" [Counted] { LEN = 1, ELEMENTS = 2 }
            /// A bytevector.
            Bytevector bytevector "bytevector" [Bytes { first: 2 }] { BYTE_LEN = 1, BYTES = 2 }
            /// A record or ADT value; `type-of` is the name of its type. aux counts all fields.
            Record record "record" [Aux] { TYPE = 1, FIELDS = 2 }
            /// NAME is a string, FIELDS a vector of strings, ADT the name of the ADT this is a
            /// constructor of or nil, INFO is the definer's.
            RecordType record_type "record-type" [Fixed(4)] { NAME = 1, FIELDS = 2, ADT = 3, INFO = 4 }
            /// A condition. CODE and MESSAGE are strings, IRRITANTS a list.
            Error error "error" [Fixed(6)] {
                CODE = 1, MESSAGE = 2, IRRITANTS = 3, PAYLOAD = 4, PLACE = 5, BACKTRACE = 6
            }
            /// A promise: STATE true when VALUE is its value, false when VALUE is its thunk, nil
            /// when VALUE is the promise it stands for.
            Promise promise "promise" [Fixed(2)] { STATE = 1, VALUE = 2 }
            /// A parameter object.
            Parameter parameter "parameter" [Fixed(2)] { VALUE = 1, CONVERTER = 2 }
            /// A coroutine.
            Coroutine coroutine "coroutine" [Fixed(4)] { STATE = 1, KONT = 2, EXTRA = 3, MARK = 4 }
            /// An immutable copy of frames.
            Kont kont "kont" [Counted] { LEN = 1, WORDS = 2 }
            /// A first-class continuation.
            Continuation continuation "continuation" [Fixed(4)] { KONT = 1, MARK = 2, KIND = 3, EXTRA = 4 }
            /// Several values on their way to a receiver.
            Values values "values" [Counted] { LEN = 1, ELEMENTS = 2 }
            /// A port. SLOT is a row of the heap's slab of Rust values.
            Port port "port" [Fixed(2)] { SLOT = 1, REFS = 2 }
            /// Text under construction: LEN bytes of STORE, a bytevector.
            StringBuffer string_buffer "string-buffer" [Fixed(2)] { LEN = 1, STORE = 2 }
            /// A macro as a value.
            Macro macro_ "macro" [Fixed(3)] { NAME = 1, EXPANDER = 2, INFO = 3 }
            /// A component.
            Component component "component" [Fixed(4)] { NAME = 1, PARAMS = 2, BODY = 3, INFO = 4 }
            /// An island.
            Island island "island" [Fixed(4)] { NAME = 1, PARAMS = 2, BODY = 3, INFO = 4 }
            /// A Rust value: SLOT is its row in the heap's slab, REFS what it refers to.
            Foreign foreign "foreign" [Fixed(2)] { SLOT = 1, REFS = 2 }
            /// A set of integers: SIZE members in USED slots of STORE, a bytevector.
            IntSet int_set "int-set" [Fixed(3)] { SIZE = 1, USED = 2, STORE = 3 }
            /// Integers bound to integers, the same fields as an int-set.
            IntMap int_map "int-map" [Fixed(3)] { SIZE = 1, USED = 2, STORE = 3 }
        }
    };
}

macro_rules! define_types {
    ($($(#[doc = $doc:literal])* $name:ident $module:ident $text:literal [$scan:expr] { $($field:ident = $index:expr),* })*) => {
        /// The type in an object's header.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Type { $($(#[doc = $doc])* $name),* }

        /// Every type, in the order of its number.
        pub const TYPES: &[Type] = &[$(Type::$name),*];
        const NAMES: &[&str] = &[$($text),*];
        const SCANS: &[Scan] = { use Scan::*; &[$($scan),*] };
        /// Of every type its name in the code, its fields in order and what it is.
        const DESCRIBED: &[(&str, &[(&str, usize)], &str)] =
            &[$((stringify!($name), &[$((stringify!($field), $index)),*], concat!($($doc),*))),*];

        $($(#[doc = $doc])* pub mod $module {
            $(#[allow(missing_docs)] pub const $field: usize = $index;)*
        })*
    };
}
for_each_type!(define_types);

impl Type {
    /// What `type-of` says of it (a record has the name of its own type).
    #[inline]
    pub const fn name(self) -> &'static str {
        NAMES[self as usize]
    }
    /// How the collector reads it.
    #[inline(always)]
    pub const fn scan(self) -> Scan {
        SCANS[self as usize]
    }
}

impl Scan {
    /// In words, for the page.
    fn text(self) -> String {
        match self {
            Scan::Fixed(1) => "1 word".into(),
            Scan::Fixed(n) => format!("{n} words"),
            Scan::Prefix { tagged, total } => format!("words: {total}, of which tagged: {tagged}"),
            Scan::Counted => "a count, so many words".into(),
            Scan::Buffer => "used, capacity, so many words".into(),
            Scan::Bytes { first } => format!("a count, so many bytes from field {first} on"),
            Scan::Aux => "as many words as the header says".into(),
            Scan::Closure => "an instance, which knows how many words follow".into(),
        }
    }
}

/// The types of heap objects as a table.
pub fn reference() -> String {
    let mut out = String::from("| type | `type-of` | read as | fields | |\n|---|---|---|---|---|\n");
    for (ty, (name, fields, doc)) in TYPES.iter().zip(DESCRIBED) {
        let fields: Vec<String> = fields.iter().map(|(field, i)| format!("{i} {field}")).collect();
        let (of, scan, fields) = (ty.name(), ty.scan().text(), fields.join(", "));
        let doc = doc.trim().replace('|', "\\|");
        out += &format!("| `{name}` | {of} | {scan} | {fields} | {doc} |\n");
    }
    out
}

/// The object is in old space.
pub const OLD: u64 = 1 << 32;
/// The object is in the remembered set.
pub const REMEMBERED: u64 = 1 << 33;
/// Compared with the heap's parity: reached in the last full collection.
pub const MARK: u64 = 1 << 34;
/// The object has an allocation of its own.
pub const LARGE: u64 = 1 << 35;
/// The string is the one in the intern table.
pub const INTERNED: u64 = 1 << 36;
/// The buffer has had more than one view, or the string is no mutable string's own: what is in it
/// is never changed again.
pub const SHARED: u64 = 1 << 37;
/// First bit of the identity hash.
pub const HASH_SHIFT: u32 = 40;
/// First bit of `aux`.
pub const AUX_SHIFT: u32 = 8;
/// Largest `aux`.
pub const AUX_MAX: u64 = (1 << 24) - 1;
/// What dead memory is filled with in poison mode: an immediate no program makes, and a header
/// of no type.
pub const POISON: u64 = 0xfdfd_fdfd_fdfd_fdff;

/// The start of every closure instance; the runtime's instance type begins with it.
#[repr(C)]
#[derive(Debug)]
pub struct InstanceHead {
    /// Captured words of each closure over the instance.
    pub captures: u32,
    /// For whoever implements `Roots::instance`: the number of the last collection that saw it.
    pub mark: std::cell::Cell<u32>,
}

/// A header without flags and identity hash.
#[inline(always)]
pub const fn header(ty: Type, aux: u64) -> u64 {
    debug_assert!(aux <= AUX_MAX);
    (ty as u64) << 1 | 1 | aux << AUX_SHIFT
}

/// What a closure makes of arguments beyond its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// It takes none.
    None,
    /// A list of their own.
    View,
    /// A chain of pairs.
    Pairs,
}

/// `aux` of a closure: what its callers compare, together with the type, in the low 32 bits.
#[inline(always)]
pub const fn arity_aux(required: u16, rest: Rest) -> u64 {
    required as u64 | (rest as u64) << 16
}

/// The low 32 bits of the header of a closure of this arity.
#[inline(always)]
pub const fn closure_head(required: u16, rest: Rest) -> u32 {
    header(Type::Closure, arity_aux(required, rest)) as u32
}

/// The field `i` of the object at `address`, as a place.
#[inline(always)]
pub fn place(address: usize, i: usize) -> *mut u64 {
    (address as *mut u64).wrapping_add(i)
}

/// The raw bits of field `i`.
///
/// # Safety
/// `object` is a pointer to a live object that has a field `i`.
#[inline(always)]
pub unsafe fn field_raw(object: Word, i: usize) -> u64 {
    // SAFETY: by the caller.
    unsafe { *place(object.address(), i) }
}

/// The tagged field `i`.
///
/// # Safety
/// As `field_raw`.
#[inline(always)]
pub unsafe fn field(object: Word, i: usize) -> Word {
    // SAFETY: by the caller.
    Word(unsafe { field_raw(object, i) })
}

/// Stores a field without the write barrier.
///
/// # Safety
/// As `field_raw`; and the object was allocated since the last `reserve`, or the value is no
/// pointer to a young object.
#[inline(always)]
pub unsafe fn set_field_raw(object: Word, i: usize, bits: u64) {
    // SAFETY: by the caller.
    unsafe { *place(object.address(), i) = bits }
}

/// The header of an object.
///
/// # Safety
/// `object` is a pointer to a live object.
#[inline(always)]
pub unsafe fn header_of(object: Word) -> u64 {
    // SAFETY: by the caller.
    let bits = unsafe { field_raw(object, 0) };
    debug_assert!(is_header(bits), "no object at {object:?}: {bits:#x}");
    bits
}

/// Is this the header of an object of a known type?
pub const fn is_header(bits: u64) -> bool {
    bits & 1 == 1 && ((bits & 0xff) >> 1) < TYPES.len() as u64
}

/// The type in a header.
#[inline(always)]
pub const fn header_type(header: u64) -> Type {
    debug_assert!(is_header(header));
    TYPES[((header & 0xff) >> 1) as usize]
}

/// The 24 bits beside the type.
#[inline(always)]
pub const fn header_aux(header: u64) -> u64 {
    header >> AUX_SHIFT & AUX_MAX
}

/// The type of an object.
///
/// # Safety
/// `object` is a pointer to a live object.
#[inline(always)]
pub unsafe fn type_of(object: Word) -> Type {
    // SAFETY: by the caller; the header of a live object holds the number of a type.
    unsafe { std::mem::transmute::<u8, Type>((header_of(object) as u8) >> 1) }
}

/// Is `word` a pointer to an object of this type?
///
/// # Safety
/// If `word` is a pointer, its object is live.
#[inline(always)]
pub unsafe fn is_type(word: Word, ty: Type) -> bool {
    // SAFETY: by the caller; the header is read only through pointers.
    word.is_pointer() && unsafe { header_of(word) } & 0xff == (ty as u64) << 1 | 1
}

/// The size in words, header included, of the object at `address`.
///
/// # Safety
/// A live, unmoved object lies at `address`.
#[inline]
pub unsafe fn size_words(address: usize) -> usize {
    // SAFETY: the rows of the type table say which fields exist and which hold a fixnum.
    unsafe {
        let count = |i| Word(*place(address, i)).as_fixnum() as usize;
        let head = *place(address, 0);
        match header_type(head).scan() {
            Scan::Fixed(n) | Scan::Prefix { total: n, .. } => n + 1,
            Scan::Counted => 2 + count(1),
            Scan::Buffer => 3 + count(2),
            Scan::Bytes { first } => first + count(1).div_ceil(8),
            Scan::Aux => 1 + header_aux(head) as usize,
            Scan::Closure => 2 + captures(address),
        }
    }
}

/// The tagged fields of the object at `address`: first field and how many.
///
/// # Safety
/// A live, unmoved object lies at `address`.
#[inline]
pub unsafe fn tagged_fields(address: usize) -> (usize, usize) {
    // SAFETY: as in `size_words`.
    unsafe {
        let count = |i| Word(*place(address, i)).as_fixnum() as usize;
        let head = *place(address, 0);
        match header_type(head).scan() {
            Scan::Fixed(n) | Scan::Prefix { tagged: n, .. } => (1, n),
            Scan::Counted => (2, count(1)),
            Scan::Buffer => (3, count(1)),
            Scan::Bytes { .. } => (1, 0),
            Scan::Aux => (1, header_aux(head) as usize),
            Scan::Closure => (2, captures(address)),
        }
    }
}

/// # Safety
/// A live closure lies at `address`.
#[inline(always)]
unsafe fn captures(address: usize) -> usize {
    // SAFETY: field 1 of a closure points to an instance, which begins with its head and lives
    // as long as any closure over it.
    unsafe { (*(*place(address, 1) as *const InstanceHead)).captures as usize }
}

impl<'h> Value<'h> {
    /// The type of the object, if this is a pointer.
    #[inline(always)]
    pub fn object_type(self) -> Option<Type> {
        // SAFETY: a `Value` that is a pointer points to a live object.
        self.word().is_pointer().then(|| unsafe { type_of(self.word()) })
    }
    /// Is this an object of this type?
    #[inline(always)]
    pub fn is(self, ty: Type) -> bool {
        // SAFETY: a `Value` that is a pointer points to a live object.
        unsafe { is_type(self.word(), ty) }
    }
    /// Field `i`; only for callers that have checked the type.
    #[inline(always)]
    pub(crate) fn at(self, i: usize) -> Value<'h> {
        debug_assert!(self.has_field(i));
        // SAFETY: the caller has checked the type, so the field exists and is tagged.
        Value::from_word(unsafe { field(self.word(), i) })
    }
    /// The fixnum in field `i`; only for callers that have checked the type.
    #[inline(always)]
    pub(crate) fn int_at(self, i: usize) -> usize {
        self.at(i).word().as_fixnum() as usize
    }
    /// The raw bits of field `i`; only for callers that have checked the type.
    #[inline(always)]
    pub(crate) fn raw_at(self, i: usize) -> u64 {
        debug_assert!(self.has_field(i));
        // SAFETY: the caller has checked the type, so the field exists.
        unsafe { field_raw(self.word(), i) }
    }
    /// Stores a field that needs no barrier: a fixnum or raw bits.
    #[inline(always)]
    pub(crate) fn set_raw(self, i: usize, bits: u64) {
        debug_assert!(self.has_field(i));
        // SAFETY: the caller has checked the type and stores no pointer.
        unsafe { set_field_raw(self.word(), i, bits) }
    }
    /// Sets flag bits of the header.
    #[inline(always)]
    pub(crate) fn set_flag(self, flag: u64) {
        self.set_raw(0, self.raw_at(0) | flag);
    }
    /// Are these flag bits of the header set?
    #[inline(always)]
    pub(crate) fn has_flag(self, flag: u64) -> bool {
        self.raw_at(0) & flag == flag
    }
    /// `aux` of the header; only for callers that know this is an object.
    #[inline(always)]
    pub(crate) fn aux(self) -> u64 {
        header_aux(self.raw_at(0))
    }
    fn has_field(self, i: usize) -> bool {
        // SAFETY: a `Value` that is a pointer points to a live object.
        self.word().is_pointer() && unsafe { i < size_words(self.word().address()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_hold_type_and_aux() {
        for ty in TYPES {
            let head = header(*ty, 0xabcdef) | MARK | INTERNED | 5 << HASH_SHIFT;
            assert!(is_header(head));
            assert_eq!((header_type(head), header_aux(head)), (*ty, 0xabcdef));
        }
        assert!(!is_header(POISON));
        assert_eq!(closure_head(2, Rest::View), header(Type::Closure, 2 | 1 << 16) as u32);
    }

    #[test]
    fn pairs_and_views_have_one_size() {
        assert_eq!(Type::Pair.scan(), Scan::Fixed(2));
        assert_eq!(Type::View.scan(), Scan::Prefix { tagged: 1, total: 2 });
    }
}
