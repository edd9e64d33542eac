//! Arity and type checks from the rows, and their error texts.
//!
//! Shapes: `name: expected 2 arguments, got 3`, `name: expected list, got string`,
//! `Expected number, got string` for a `Number` parameter, or `name: ` and the row's own text.

use super::{Cx, Mark, Prim, Type};
use crate::error::{Code, Raise};
use crate::object;
use crate::value::{Value, Word};

/// What every call of a primitive has to check, worked out from its parameters beforehand.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// The fewest arguments.
    least: usize,
    /// The most; `usize::MAX` with a rest parameter.
    most: usize,
    /// So many arguments, from the first on, may be of a wrong type.
    typed: usize,
}

impl Shape {
    /// The shape of a list of parameters.
    pub const fn of(params: &[(Type, Mark)]) -> Shape {
        let mut shape = Shape {
            least: 0,
            most: params.len(),
            typed: 0,
        };
        let mut i = 0;
        while i < params.len() {
            let (ty, mark) = params[i];
            let rest = matches!(mark, Mark::Rest);
            if matches!(mark, Mark::Required) {
                shape.least = i + 1;
            }
            if rest {
                shape.most = usize::MAX;
            }
            if !matches!(ty, Type::Any) {
                shape.typed = if rest { usize::MAX } else { i + 1 };
            }
            i += 1;
        }
        shape
    }
}

/// Are these arguments what the row says?
#[inline(always)]
pub fn check_args(prim: &Prim, cx: &Cx<'_>) -> Result<(), Raise> {
    let (argc, shape) = (cx.argc(), &prim.shape);
    if argc < shape.least || argc > shape.most {
        return Err(wrong_count(prim, argc));
    }
    for i in 0..argc.min(shape.typed) {
        let (ty, arg) = (prim.params[i.min(prim.params.len() - 1)].ty, cx.arg(i));
        if SURELY[ty as usize] & glance(arg) == 0 && !accepts(ty, arg) {
            return Err(wrong_type(prim, cx, i));
        }
    }
    Ok(())
}

/// Bits of what can be told of a value at a glance: a fixnum's sign, or its kind otherwise, or
/// the type of an object, from `OBJECTS` on.
const COUNT: u64 = 1;
const NEGATIVE: u64 = 1 << 1;
const FLONUM: u64 = 1 << 2;
const NIL: u64 = 1 << 3;
const CHAR: u64 = 1 << 4;
const OTHER: u64 = 1 << 5;
const OBJECTS: u32 = 8;

#[inline(always)]
fn glance(v: Value<'_>) -> u64 {
    let word = v.word();
    if word.is_fixnum() {
        return if word.0 as i64 >= 0 { COUNT } else { NEGATIVE };
    }
    match v.object_type() {
        Some(ty) => 1 << (OBJECTS + ty as u32),
        None if word.is_flonum() => FLONUM,
        None if word == Word::NIL => NIL,
        None if word.is_char() => CHAR,
        None => OTHER,
    }
}

const fn object_bit(ty: object::Type) -> u64 {
    1 << (OBJECTS + ty as u32)
}

/// The glances at which a parameter takes a value without looking closer, by its type.
const SURELY: [u64; Type::COUNT] = {
    use object::Type as Object;
    let mut table = [0; Type::COUNT];
    table[Type::Any as usize] = u64::MAX;
    table[Type::Number as usize] = COUNT | NEGATIVE | FLONUM;
    table[Type::Int as usize] = COUNT | NEGATIVE;
    table[Type::Index as usize] = COUNT;
    table[Type::Char as usize] = CHAR;
    table[Type::Nil as usize] = NIL;
    table[Type::String as usize] = object_bit(Object::String) | object_bit(Object::Text);
    table[Type::Name as usize] = table[Type::String as usize];
    table[Type::Symbol as usize] = object_bit(Object::Symbol);
    table[Type::List as usize] = object_bit(Object::Pair) | object_bit(Object::View) | NIL;
    table[Type::Pair as usize] = object_bit(Object::Pair);
    table[Type::Dict as usize] = object_bit(Object::Dict);
    table[Type::Vector as usize] = object_bit(Object::Vector);
    table[Type::HashTable as usize] = object_bit(Object::HashTable);
    table[Type::Set as usize] = object_bit(Object::Set);
    table[Type::IntSet as usize] = object_bit(Object::IntSet);
    table[Type::IntMap as usize] = object_bit(Object::IntMap);
    table[Type::Port as usize] = object_bit(Object::Port);
    table[Type::StringBuffer as usize] = object_bit(Object::StringBuffer);
    table[Type::Procedure as usize] = object_bit(Object::Closure);
    table[Type::Collection as usize] = table[Type::List as usize]
        | table[Type::String as usize]
        | table[Type::Vector as usize]
        | table[Type::Dict as usize];
    table
};

/// Does a parameter of this type take the value?
pub fn accepts(ty: Type, v: Value<'_>) -> bool {
    use object::Type as Object;
    match ty {
        Type::Any => true,
        Type::Number => v.is_number(),
        Type::Int => v.word().is_fixnum() || v.as_number().is_some_and(|n| n.is_integer()),
        Type::Index => match v.as_fixnum() {
            Some(i) => i >= 0,
            None => v.as_number().and_then(|n| n.to_i64()).is_some_and(|i| i >= 0),
        },
        Type::String => v.is_string(),
        Type::Name => v.as_name().is_some(),
        Type::Bool => v.word() == Word::TRUE || v.word() == Word::FALSE,
        Type::Char => v.word().is_char(),
        Type::Symbol => v.is(Object::Symbol),
        Type::Keyword => v.is(Object::Keyword),
        Type::List => v.is_list() || v.word() == Word::NIL,
        Type::Pair => v.is_list() && !v.is_empty_list(),
        Type::Dict => v.is(Object::Dict),
        Type::Vector => v.is(Object::Vector),
        Type::Bytes => v.is(Object::Bytevector),
        Type::Collection => is_collection(v),
        Type::Set => v.is(Object::Set),
        Type::HashTable => v.is(Object::HashTable),
        Type::Procedure => v.is_callable(),
        Type::IntSet => v.is(Object::IntSet),
        Type::IntMap => v.is(Object::IntMap),
        Type::Port => v.is(Object::Port),
        Type::StringBuffer => v.is(Object::StringBuffer),
        Type::Promise => v.is(Object::Promise),
        Type::Parameter => v.is(Object::Parameter),
        Type::Record => v.is(Object::Record),
        Type::RecordType => v.is(Object::RecordType),
        Type::Error => v.is(Object::Error),
        Type::Values => v.is(Object::Values),
        Type::Nil => v.word() == Word::NIL,
    }
}

fn is_collection(v: Value<'_>) -> bool {
    use object::Type as Object;
    v.word() == Word::NIL
        || v.is_list()
        || matches!(
            v.object_type(),
            Some(
                Object::String
                    | Object::Text
                    | Object::Vector
                    | Object::Bytevector
                    | Object::Dict
                    | Object::Set
                    | Object::HashTable
                    | Object::StringBuffer
            )
        )
}

/// The condition for a number of arguments the row does not take.
#[cold]
fn wrong_count(prim: &Prim, argc: usize) -> Raise {
    if let Some(text) = prim.wrong {
        return Raise::new(Code::Arity, format!("{}: {text}", prim.shown()));
    }
    let (least, most) = prim.arity();
    let wanted = match most {
        None => format!("at least {least}"),
        Some(most) if most == least => least.to_string(),
        Some(most) => format!("{least} to {most}"),
    };
    let plural = if wanted.ends_with(" 1") || wanted == "1" {
        ""
    } else {
        "s"
    };
    Raise::new(
        Code::Arity,
        format!("{}: expected {wanted} argument{plural}, got {argc}", prim.shown()),
    )
}

/// The condition for argument `at`, which the row does not take.
#[cold]
fn wrong_type(prim: &Prim, cx: &Cx<'_>, at: usize) -> Raise {
    let param = prim.params[at.min(prim.params.len() - 1)];
    if param.ty == Type::Number {
        return expected_number(cx.arg(at)).with_arg(at);
    }
    if let Some(text) = prim.wrong {
        return Raise::new(Code::Type, format!("{}: {text}", prim.shown())).with_arg(at);
    }
    let message = format!(
        "{}: expected {}, got {}",
        prim.shown(),
        param.ty.name(),
        cx.arg(at).type_name()
    );
    Raise::new(Code::Type, message).with_arg(at)
}

/// `Expected number, got string`
#[cold]
pub fn expected_number(v: Value<'_>) -> Raise {
    Raise::new(Code::Type, format!("Expected number, got {}", v.type_name()))
}

impl<'h> Value<'h> {
    /// Can this be called?
    pub fn is_callable(self) -> bool {
        use object::Type as Object;
        matches!(
            self.object_type(),
            Some(Object::Closure | Object::Parameter | Object::Continuation | Object::Component | Object::Island)
        )
    }
    /// The text of a string, symbol or keyword.
    pub fn as_name(self) -> Option<&'h str> {
        self.as_str().or_else(|| self.as_symbol()).or_else(|| self.as_keyword())
    }
}

/// Is this a value of a type that `define-type` made?
pub fn is_adt(v: Value<'_>) -> bool {
    v.as_record().is_some_and(|record| record.record_type().adt().is_some())
}
