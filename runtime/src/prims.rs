//! The primitive table: one row a primitive, written beside its family (`prims/*.rs`).
//!
//! A row says doc, name, typed parameters, result, effect, what runs it and examples that are
//! tests. From it come the registry, arity and type checks with their error texts, `doc`,
//! completion and the reference page. Names that begin with `%` are for the core library only.
//!
//! Invariant: a primitive cannot call SX. What it receives (`Cx`) has no way to.

mod arith;
mod buffers;
mod chars;
pub mod check;
pub mod compare;
mod components;
mod control;
mod core;
mod crypto;
pub mod cx;
mod dates;
mod dicts;
mod digest;
pub mod docs;
mod html;
mod ints;
mod json;
mod lists;
mod matching;
mod numtext;
mod ports;
mod predicates;
mod records;
mod reflect;
mod regex;
pub mod registry;
mod scheme;
mod segments;
mod seq;
mod sets;
mod strings;
mod vectors;
mod world;

pub use cx::{Cx, PrimState};
pub use registry::{PrimId, all, by_name, call, get};

use crate::error::Raise;
use crate::value::Word;

/// What runs a primitive. Its operands are in rooted slots; `Cx` reads them.
pub type PrimFn = fn(&mut Cx<'_>) -> Result<Word, Raise>;

/// What a parameter takes, or a result is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// Anything.
    Any,
    /// A number; anything else is `Expected number, got …`.
    Number,
    /// An exact integer.
    Int,
    /// An exact integer that is not negative and fits a machine word.
    Index,
    /// A string.
    String,
    /// A string, symbol or keyword.
    Name,
    /// `true` or `false`.
    Bool,
    /// A character.
    Char,
    /// A symbol.
    Symbol,
    /// A keyword of quoted code.
    Keyword,
    /// A list of either shape, or `nil`, which is an empty one.
    List,
    /// A list that is not empty, as a pair.
    Pair,
    /// A dict.
    Dict,
    /// A vector.
    Vector,
    /// A bytevector.
    Bytes,
    /// A list, `nil`, string, vector, dict or set.
    Collection,
    /// A set.
    Set,
    /// A hash table.
    HashTable,
    /// A procedure.
    Procedure,
    /// An int-set.
    IntSet,
    /// An int-map.
    IntMap,
    /// A port.
    Port,
    /// A string buffer.
    StringBuffer,
    /// A promise.
    Promise,
    /// A parameter object.
    Parameter,
    /// A record or ADT value.
    Record,
    /// What `define-record-type` and `define-type` make.
    RecordType,
    /// An error object.
    Error,
    /// Several values.
    Values,
    /// `nil`
    Nil,
}

impl Type {
    /// How many there are.
    pub const COUNT: usize = Type::Nil as usize + 1;
}

/// How often a parameter may occur.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Once.
    Required,
    /// Once or not at all.
    Optional,
    /// Any number of times; the last parameter only.
    Rest,
}

/// A parameter of a primitive.
#[derive(Clone, Copy, Debug)]
pub struct Param {
    /// Name in the documentation.
    pub name: &'static str,
    /// What it takes.
    pub ty: Type,
    /// How often.
    pub mark: Mark,
}

/// What a primitive does besides answering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing: the same arguments give the same answer.
    Pure,
    /// Looks at mutable values.
    Reads,
    /// Makes a new object, so the answer's identity is new each time.
    Allocates,
    /// Changes a value it was given.
    Writes,
    /// Reaches the host or hidden state.
    Any,
}

/// One row of the table.
#[derive(Debug)]
pub struct Prim {
    /// Its name.
    pub name: &'static str,
    /// Further names of the same primitive.
    pub aliases: &'static [&'static str],
    /// Sentences about it.
    pub doc: &'static str,
    /// Parameters in order.
    pub params: &'static [Param],
    /// What it answers.
    pub result: Type,
    /// What else it does.
    pub effect: Effect,
    /// `(expression) ; => value`, or `; error: text`, or only an expression.
    pub examples: &'static [&'static str],
    /// The text after `name: ` for wrong arguments, where programs rely on it.
    pub wrong: Option<&'static str>,
    /// What runs it once the arguments are checked.
    pub body: PrimFn,
    /// The parameters, for checking quickly.
    pub shape: check::Shape,
}

/// What the names of primitives that only Scheme programs see begin with.
const SCHEME: &str = "%scheme:";

impl Prim {
    /// Fewest and most arguments (`None`: any number).
    pub fn arity(&self) -> (usize, Option<usize>) {
        let required = self.params.iter().filter(|p| p.mark == Mark::Required).count();
        let rest = self.params.iter().any(|p| p.mark == Mark::Rest);
        (required, if rest { None } else { Some(self.params.len()) })
    }
    /// Its name as people know it.
    pub fn shown(&self) -> &'static str {
        self.name.strip_prefix(SCHEME).unwrap_or(self.name)
    }
    /// For the core library only?
    pub fn is_internal(&self) -> bool {
        self.name.starts_with('%')
    }
}

/// Declares a family of primitives:
///
/// ```text
/// prims! { LISTS {
///     /// The elements after the first; nothing gives `()`.
///     "rest" (xs: List) -> List, Allocates, rest, ["(rest (list 1 2 3)) ; => (2 3)"], wrong "1 list arg";
/// } }
/// ```
///
/// Aliases follow the name after `|`; a parameter may be marked `optional` or `rest`.
macro_rules! prims {
    ($table:ident { $(
        $(#[doc = $doc:literal])+
        $name:literal $(| $alias:literal)* ($($p:ident : $t:ident $($mark:ident)?),*) -> $r:ident, $effect:ident, $body:expr,
        [$($example:literal),* $(,)?] $(, wrong $wrong:literal)?;
    )* }) => {
        /// The primitives of this family.
        pub static $table: &[$crate::prims::Prim] = &[$($crate::prims::Prim {
            name: $name,
            aliases: &[$($alias),*],
            doc: concat!($($doc, "\n"),+),
            params: &[$($crate::prims::Param {
                name: stringify!($p),
                ty: $crate::prims::Type::$t,
                mark: $crate::prims::mark!($($mark)?),
            }),*],
            result: $crate::prims::Type::$r,
            effect: $crate::prims::Effect::$effect,
            examples: &[$($example),*],
            wrong: $crate::prims::wrong!($($wrong)?),
            body: $body,
            shape: $crate::prims::check::Shape::of(&[$((
                $crate::prims::Type::$t,
                $crate::prims::mark!($($mark)?),
            )),*]),
        }),*];
    };
}

macro_rules! mark {
    () => {
        $crate::prims::Mark::Required
    };
    (optional) => {
        $crate::prims::Mark::Optional
    };
    (rest) => {
        $crate::prims::Mark::Rest
    };
}

macro_rules! wrong {
    () => {
        None
    };
    ($text:literal) => {
        Some($text)
    };
}

pub(crate) use {mark, prims, wrong};

#[cfg(test)]
mod tests;
