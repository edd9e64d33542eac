//! Equality of values: `eqv?`, `equal?` and `=`; the order `compare` gives is in
//! `equal/order.rs`, hashing in `equal/hash.rs`.
//!
//! `equal?` compares numbers as `eqv?` does (1 and 1.0 differ), `=` by value; the keys of hash
//! tables and members of sets compare as by `=`, but NaN is one key. All look into strings, lists of any shape, vectors,
//! bytevectors, dicts (in any order), sets and ADT values; everything else is equal only to
//! itself. None recurses, and all end on cyclic data: what is being compared is taken for
//! equal until something differs.

mod hash;
mod order;

use crate::dict::Dict;
use crate::heap::Heap;
use crate::list::Items;
use crate::object::Type;
use crate::table::Table;
use crate::value::{Value, Word};
use std::collections::HashSet;

/// How numbers compare inside other values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// By value: 1 and 1.0 are equal.
    ByValue,
    /// By value and exactness.
    Exactly,
    /// By value, and NaN is equal to itself.
    AsKeys,
}

/// So many containers are compared before any is remembered: cycles are rare.
const FREE_STEPS: usize = 1000;

impl Heap {
    /// `equal?`
    pub fn equal<'h>(&'h self, a: Value<'h>, b: Value<'h>) -> bool {
        self.same(a, b, Numbers::Exactly)
    }
    /// `=` on two values.
    pub fn equals<'h>(&'h self, a: Value<'h>, b: Value<'h>) -> bool {
        self.same(a, b, Numbers::ByValue)
    }

    /// Structural equality.
    #[inline]
    pub fn same<'h>(&'h self, a: Value<'h>, b: Value<'h>, numbers: Numbers) -> bool {
        match leaves(a, b, numbers) {
            Some(answer) => answer,
            None => Comparison::new(self, numbers).run(a, b),
        }
    }
}

/// `eqv?`: the same object, equal numbers of equal exactness, or strings with the same text that
/// cannot be changed.
pub fn eqv(a: Value<'_>, b: Value<'_>) -> bool {
    let same_text = || a.is(Type::String) && b.is(Type::String) && a.as_str() == b.as_str();
    a == b || same_numbers(a, b, Numbers::Exactly).unwrap_or_else(same_text)
}

/// `eq?`: the same object or the same immediate, or the same float. Which floats are objects, and
/// how many objects, is the machine's affair: native code makes a new one where it has kept a double
/// in a register. Integers off the fixnum range are objects.
#[inline]
pub fn eq(a: Value<'_>, b: Value<'_>) -> bool {
    a == b || (a.is(Type::Flonum) && b.is(Type::Flonum) && eqv(a, b))
}

/// Are these two numbers equal? `None` if they are not two numbers.
fn same_numbers(a: Value<'_>, b: Value<'_>, numbers: Numbers) -> Option<bool> {
    if a.word().is_fixnum() && b.word().is_fixnum() {
        return Some(a == b);
    }
    if !a.is_number() || !b.is_number() {
        return None;
    }
    let (a, b) = (a.as_number()?, b.as_number()?);
    Some(match numbers {
        Numbers::ByValue => a.equals(&b),
        Numbers::AsKeys => a.equals(&b) || a.same(&b),
        Numbers::Exactly => a.same(&b),
    })
}

/// Equality as far as it can be told without looking into containers.
#[inline]
fn leaves(a: Value<'_>, b: Value<'_>, numbers: Numbers) -> Option<bool> {
    if a == b && !a.is(Type::Flonum) {
        return Some(true);
    }
    match (a.object_type(), b.object_type()) {
        (Some(Type::String | Type::Text), Some(Type::String | Type::Text)) => Some(a.as_str() == b.as_str()),
        (Some(Type::Keyword), Some(Type::Keyword)) => Some(a.as_keyword() == b.as_keyword()),
        (Some(Type::Symbol), _) | (_, Some(Type::Symbol)) => Some(false),
        (Some(Type::Bytevector), Some(Type::Bytevector)) => Some(a.bytes_to_vec() == b.bytes_to_vec()),
        _ if a.is_list() && b.is_list() => None,
        (Some(x), Some(y)) if x == y && is_container(x) => None,
        _ => Some(same_numbers(a, b, numbers).unwrap_or(false)),
    }
}

fn is_container(ty: Type) -> bool {
    matches!(ty, Type::Vector | Type::Dict | Type::Set | Type::Record)
}

/// One comparison of containers under way.
struct Comparison<'h> {
    heap: &'h Heap,
    numbers: Numbers,
    todo: Vec<(Value<'h>, Value<'h>)>,
    steps: usize,
    /// Pairs of containers begun, once there have been many.
    begun: HashSet<(Word, Word)>,
}

impl<'h> Comparison<'h> {
    fn new(heap: &'h Heap, numbers: Numbers) -> Self {
        Comparison {
            heap,
            numbers,
            todo: Vec::new(),
            steps: 0,
            begun: HashSet::new(),
        }
    }

    fn run(&mut self, a: Value<'h>, b: Value<'h>) -> bool {
        self.todo.push((a, b));
        while let Some((a, b)) = self.todo.pop() {
            self.steps += 1;
            if self.steps > FREE_STEPS && !self.begun.insert((a.word(), b.word())) {
                continue;
            }
            if !self.containers(a, b) {
                return false;
            }
        }
        true
    }

    /// Compares what is no container, notes the rest for later.
    fn elements(&mut self, a: Value<'h>, b: Value<'h>) -> bool {
        leaves(a, b, self.numbers).unwrap_or_else(|| {
            self.todo.push((a, b));
            true
        })
    }

    fn containers(&mut self, a: Value<'h>, b: Value<'h>) -> bool {
        if let (Some(a), Some(b)) = (a.as_vector(), b.as_vector()) {
            return a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| self.elements(a, b));
        }
        if let (Some(a), Some(b)) = (a.as_dict(), b.as_dict()) {
            return self.dicts(a, b);
        }
        if let (Some(x), Some(y)) = (a.as_record(), b.as_record()) {
            let adt = x.record_type() == y.record_type() && x.record_type().adt().is_some();
            let mut fields = (0..x.len()).map_while(|i| Some((x.get(i)?, y.get(i)?)));
            return adt && fields.all(|(a, b)| self.elements(a, b));
        }
        if a.is(Type::Set) {
            return self.sets(Table::of(a), Table::of(b));
        }
        self.lists(a, b)
    }

    fn lists(&mut self, a: Value<'h>, b: Value<'h>) -> bool {
        if let (Some(x), Some(y)) = (a.as_view(), b.as_view())
            && x.len() != y.len()
        {
            return false;
        }
        let (mut x, mut y) = (a.items(), b.items());
        let mut mark = (x.clone(), y.clone());
        let (mut steps, mut limit) = (0, 64);
        loop {
            match (x.next(), y.next()) {
                (Some(a), Some(b)) => {
                    if !self.elements(a, b) {
                        return false;
                    }
                }
                (None, None) => return self.elements(x.tail(), y.tail()),
                _ => return false,
            }
            if (&x, &y) == (&mark.0, &mark.1) {
                // Both are circular and have been compared all the way round.
                return true;
            }
            steps += 1;
            if steps == limit {
                mark = (x.clone(), y.clone());
                limit *= 2;
            }
        }
    }

    fn dicts(&mut self, a: Dict<'h>, b: Dict<'h>) -> bool {
        if a.len() != b.len() {
            return false;
        }
        let heap = self.heap;
        heap.dict_entries(a)
            .all(|(key, value)| heap.dict_get(b, key).is_some_and(|other| self.elements(value, other)))
    }

    fn sets(&mut self, a: Table<'h>, b: Table<'h>) -> bool {
        // Finding a member is a comparison of its own and may meet sets again.
        let exactly = self.numbers == Numbers::Exactly;
        let has = |key| match self.heap.find_key(b, key) {
            Some(entry) => !exactly || b.entry(entry).is_some_and(|(k, _)| self.heap.equal(k, key)),
            None => false,
        };
        a.len() == b.len() && stacker::maybe_grow(64 << 10, 1 << 20, || a.iter().all(|(key, _)| has(key)))
    }
}

impl PartialEq for Items<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.place() == other.place()
    }
}

#[cfg(test)]
mod tests;
