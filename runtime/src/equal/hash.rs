//! Hashes that agree with equality: values that are equal under `=` or `equal?` hash alike.
//!
//! A hash looks at no more than the first elements of containers, and not far down, so it is
//! quick and ends on cyclic data.

use crate::dict::Dict;
use crate::heap::Heap;
use crate::num::Num;
use crate::object::Type;
use crate::string::mix;
use crate::table::Table;
use crate::value::{Value, Word};

/// How many elements of a container are looked at, by its depth.
const ELEMENTS: [usize; 3] = [64, 16, 4];
const K: u64 = 0x9e37_79b9_7f4a_7c15;

/// Numbers of the kinds of containers, mixed into their hashes.
const LIST: u64 = 1;
const VECTOR: u64 = 2;
const DICT: u64 = 3;
const SET: u64 = 4;
const BYTES: u64 = 5;

impl Heap {
    /// The hash of a value, below 2^61.
    #[inline]
    pub fn hash(&self, value: Value<'_>) -> u64 {
        if let Some(i) = value.as_fixnum() {
            return hash_key(i);
        }
        if value.is(Type::String) {
            return self.hash_string(value);
        }
        if value.is(Type::Text) {
            return self.hash_text(value.as_str().unwrap_or_default());
        }
        if let Some(i) = value.as_number().as_ref().and_then(fixnum_equal_to) {
            return hash_key(i);
        }
        mix(self.hash_at(value, 0), K) >> 3
    }

    fn hash_at(&self, value: Value<'_>, depth: usize) -> u64 {
        if value.is_list() {
            return self.hash_all(LIST, value.items(), depth);
        }
        let Some(ty) = value.object_type() else {
            return hash_immediate(value.word());
        };
        match ty {
            Type::String => self.hash_string(value),
            Type::Text => self.hash_text(value.as_str().unwrap_or_default()),
            Type::Keyword => value.as_keyword().map_or(0, |name| self.hash_text(name)),
            Type::Flonum | Type::Bignum | Type::Ratio => value.as_number().map_or(0, |n| hash_number(&n)),
            Type::Bytevector => {
                let bytes = value.bytes_to_vec().unwrap_or_default();
                bytes.iter().fold(BYTES, |hash, byte| mix(hash ^ *byte as u64, K))
            }
            Type::Vector => value.as_vector().map_or(0, |v| self.hash_all(VECTOR, v.iter(), depth)),
            Type::Dict => value.as_dict().map_or(0, |dict| self.hash_dict(dict, depth)),
            Type::Set => {
                let table = Table::of(value);
                table.hashes().fold(SET, u64::wrapping_add)
            }
            Type::Record => self.hash_record(value, depth),
            _ => self.identity_hash(value),
        }
    }

    fn hash_all<'h>(&'h self, kind: u64, items: impl Iterator<Item = Value<'h>>, depth: usize) -> u64 {
        let most = ELEMENTS.get(depth).copied().unwrap_or(0);
        let mix_in = |hash: u64, item| mix(hash.rotate_left(5) ^ self.hash_at(item, depth + 1), K);
        items.take(most).fold(kind, mix_in)
    }

    /// Does not depend on the order of keys.
    fn hash_dict(&self, dict: Dict<'_>, depth: usize) -> u64 {
        let most = ELEMENTS.get(depth).copied().unwrap_or(0);
        let start = mix(DICT ^ dict.len() as u64, K);
        if dict.len() > most {
            return start;
        }
        let entry = |(key, value)| mix(self.hash_string(key) ^ self.hash_at(value, depth + 1).rotate_left(7), K);
        self.dict_entries(dict).map(entry).fold(start, u64::wrapping_add)
    }

    fn hash_record(&self, value: Value<'_>, depth: usize) -> u64 {
        let Some(record) = value.as_record().filter(|r| r.record_type().adt().is_some()) else {
            return self.identity_hash(value);
        };
        let ty = self.identity_hash(record.record_type().value());
        self.hash_all(ty, (0..record.len()).filter_map(|i| record.get(i)), depth)
    }
}

fn hash_immediate(word: Word) -> u64 {
    if word.is_flonum() {
        return hash_number(&Num::Float(word.as_flonum()));
    }
    mix(word.0 ^ K, K)
}

/// The hash of an integer that is a key by itself: sixteen neighbours differ in the last bits
/// only, so they have neighbouring slots of a table's index, and a program that goes through
/// keys in some order goes through memory in that order.
#[inline]
fn hash_key(i: i64) -> u64 {
    const NEIGHBOURS: u64 = 15;
    let far = mix((i >> 4) as u64 ^ K, K) >> 3;
    (far & !NEIGHBOURS) | (i as u64 & NEIGHBOURS)
}

/// The fixnum this number is equal to.
fn fixnum_equal_to(num: &Num) -> Option<i64> {
    match num {
        Num::Int(i) => Word::try_fixnum(*i).map(|_| *i),
        Num::Float(f) if *f == f.trunc() && f.abs() < (1u64 << 62) as f64 => Some(*f as i64),
        _ => None,
    }
}

/// Equal numbers have the same nearest double; those that are fixnums hash as such.
fn hash_number(num: &Num) -> u64 {
    match fixnum_equal_to(num) {
        Some(i) => mix(Word::fixnum(i).0 ^ K, K),
        None => mix(num.to_f64().to_bits(), K),
    }
}
