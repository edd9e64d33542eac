//! Typed conversions between Rust data and `Value`.
//!
//! Invariant: `T::from_sx(x.into_sx())` gives `x` back, for every type here.

use crate::value::Value;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::hash::{BuildHasher, Hash};
use sx_runtime::num::Num;

/// A value was not what the Rust side wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// What was wanted.
    pub wanted: &'static str,
    /// What was there, printed.
    pub got: String,
}

impl Mismatch {
    fn new(wanted: &'static str, got: &Value) -> Mismatch {
        Mismatch {
            wanted,
            got: format!("{} {got}", got.type_name()),
        }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Expected {}, got {}", self.wanted, self.got)
    }
}

impl std::error::Error for Mismatch {}

/// Rust data that can be made of a value.
pub trait FromSx: Sized {
    /// The data, or what was there instead.
    fn from_sx(value: Value) -> Result<Self, Mismatch>;
}

/// Rust data that can become a value.
pub trait IntoSx {
    /// The value.
    fn into_sx(self) -> Value;
}

impl FromSx for Value {
    fn from_sx(value: Value) -> Result<Value, Mismatch> {
        Ok(value)
    }
}

impl IntoSx for Value {
    fn into_sx(self) -> Value {
        self
    }
}

/// Any value will do for `()`: it is how a caller says it does not look.
impl FromSx for () {
    fn from_sx(_: Value) -> Result<(), Mismatch> {
        Ok(())
    }
}

impl IntoSx for () {
    fn into_sx(self) -> Value {
        Value::Nil
    }
}

macro_rules! integers {
    ($($type:ty),*) => {$(
        impl FromSx for $type {
            fn from_sx(value: Value) -> Result<$type, Mismatch> {
                const WANTED: &str = concat!("an integer that fits ", stringify!($type));
                match &value {
                    Value::Number(Num::Int(i)) => <$type>::try_from(*i).map_err(|_| Mismatch::new(WANTED, &value)),
                    _ => Err(Mismatch::new(WANTED, &value)),
                }
            }
        }
    )*};
}
integers!(i8, i16, i32, i64, isize, u8, u16, u32, u64, usize);

macro_rules! small_integers {
    ($($type:ty),*) => {$(
        impl IntoSx for $type {
            fn into_sx(self) -> Value {
                Value::Number(Num::Int(i64::from(self)))
            }
        }
    )*};
}
small_integers!(i8, i16, i32, i64, u8, u16, u32);

macro_rules! wide_integers {
    ($($type:ty),*) => {$(
        impl IntoSx for $type {
            fn into_sx(self) -> Value {
                // Every integer type here has at most 64 bits, so 128 hold it.
                Value::Number(Num::from_i128(self as i128))
            }
        }
    )*};
}
wide_integers!(isize, u64, usize);

impl FromSx for f64 {
    fn from_sx(value: Value) -> Result<f64, Mismatch> {
        match &value {
            Value::Number(n) => Ok(n.to_f64()),
            _ => Err(Mismatch::new("a number", &value)),
        }
    }
}

impl IntoSx for f64 {
    fn into_sx(self) -> Value {
        Value::Number(Num::Float(self))
    }
}

macro_rules! plain {
    ($type:ty, $wanted:literal, $variant:ident) => {
        impl FromSx for $type {
            fn from_sx(value: Value) -> Result<$type, Mismatch> {
                match value {
                    Value::$variant(inner) => Ok(inner),
                    other => Err(Mismatch::new($wanted, &other)),
                }
            }
        }
        impl IntoSx for $type {
            fn into_sx(self) -> Value {
                Value::$variant(self)
            }
        }
    };
}
plain!(bool, "a boolean", Bool);
plain!(char, "a char", Char);
plain!(String, "a string", String);
plain!(Num, "a number", Number);

impl IntoSx for &str {
    fn into_sx(self) -> Value {
        Value::String(self.to_owned())
    }
}

/// `nil` is nothing; anything else has to be a `T`.
impl<T: FromSx> FromSx for Option<T> {
    fn from_sx(value: Value) -> Result<Option<T>, Mismatch> {
        match value {
            Value::Nil => Ok(None),
            value => T::from_sx(value).map(Some),
        }
    }
}

impl<T: IntoSx> IntoSx for Option<T> {
    fn into_sx(self) -> Value {
        self.map_or(Value::Nil, T::into_sx)
    }
}

/// A list or a vector of `T`s.
impl<T: FromSx> FromSx for Vec<T> {
    fn from_sx(value: Value) -> Result<Vec<T>, Mismatch> {
        match value {
            Value::List(items) | Value::Vector(items) => items.into_iter().map(T::from_sx).collect(),
            other => Err(Mismatch::new("a list", &other)),
        }
    }
}

/// A list.
impl<T: IntoSx> IntoSx for Vec<T> {
    fn into_sx(self) -> Value {
        Value::List(self.into_iter().map(T::into_sx).collect())
    }
}

fn entries<T: FromSx, M: FromIterator<(String, T)>>(value: Value) -> Result<M, Mismatch> {
    match value {
        Value::Dict(entries) => entries
            .into_iter()
            .map(|(key, value)| Ok((key, T::from_sx(value)?)))
            .collect(),
        other => Err(Mismatch::new("a dict", &other)),
    }
}

impl<T: FromSx, S: BuildHasher + Default> FromSx for HashMap<String, T, S> {
    fn from_sx(value: Value) -> Result<Self, Mismatch> {
        entries(value)
    }
}

/// A dict with its keys in order, so that the value does not depend on the map's hasher.
impl<K: Into<String> + Ord + Hash, T: IntoSx, S: BuildHasher> IntoSx for HashMap<K, T, S> {
    fn into_sx(self) -> Value {
        self.into_iter().collect::<BTreeMap<K, T>>().into_sx()
    }
}

impl<T: FromSx> FromSx for BTreeMap<String, T> {
    fn from_sx(value: Value) -> Result<Self, Mismatch> {
        entries(value)
    }
}

impl<K: Into<String> + Ord, T: IntoSx> IntoSx for BTreeMap<K, T> {
    fn into_sx(self) -> Value {
        Value::Dict(self.into_iter().map(|(k, v)| (k.into(), v.into_sx())).collect())
    }
}

macro_rules! from {
    ($($type:ty),*) => {$(
        impl From<$type> for Value {
            fn from(data: $type) -> Value {
                data.into_sx()
            }
        }
    )*};
}
from!(bool, char, i32, i64, u32, usize, f64, &str, String, Num, Vec<Value>);

/// The arguments of a call: a tuple of convertible things, or a vector of values.
pub trait Arguments {
    /// The arguments in order.
    fn into_values(self) -> Vec<Value>;
}

impl Arguments for Vec<Value> {
    fn into_values(self) -> Vec<Value> {
        self
    }
}

impl Arguments for &[Value] {
    fn into_values(self) -> Vec<Value> {
        self.to_vec()
    }
}

macro_rules! tuples {
    ($(($($name:ident),*)),*) => {$(
        impl<$($name: IntoSx),*> Arguments for ($($name,)*) {
            #[allow(non_snake_case)]
            fn into_values(self) -> Vec<Value> {
                let ($($name,)*) = self;
                vec![$($name.into_sx()),*]
            }
        }
    )*};
}
tuples!(
    (),
    (A),
    (A, B),
    (A, B, C),
    (A, B, C, D),
    (A, B, C, D, E),
    (A, B, C, D, E, F)
);

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip<T: FromSx + IntoSx + Clone + PartialEq + fmt::Debug>(x: T) {
        assert_eq!(T::from_sx(x.clone().into_sx()), Ok(x));
    }

    #[test]
    fn everything_comes_back() {
        round_trip(i64::MIN);
        round_trip(-1i8);
        round_trip(1.5f64);
        round_trip(true);
        round_trip('ö');
        round_trip("text".to_owned());
        round_trip(vec![Some(1u32), None]);
        round_trip(HashMap::from([("a".to_owned(), vec![1i64]), ("b".to_owned(), vec![])]));
        round_trip(BTreeMap::from([("a".to_owned(), 1i64)]));
        assert_eq!(u64::MAX.into_sx().to_string(), "18446744073709551615");
    }

    #[test]
    fn a_mismatch_says_what_was_there() {
        let text = |result: Result<(), Mismatch>| result.map_err(|e| e.to_string());
        let string = Value::String("x".to_owned());
        assert_eq!(
            text(i64::from_sx(string.clone()).map(drop)),
            Err("Expected an integer that fits i64, got string \"x\"".to_owned())
        );
        assert_eq!(
            text(u8::from_sx(300i64.into_sx()).map(drop)),
            Err("Expected an integer that fits u8, got number 300".to_owned())
        );
        assert_eq!(
            text(Vec::<i64>::from_sx(vec![Value::Nil].into_sx()).map(drop)),
            Err("Expected an integer that fits i64, got nil nil".to_owned())
        );
    }

    #[test]
    fn tuples_are_arguments() {
        let values = (1i64, "a", vec![true]).into_values();
        let printed: Vec<String> = values.iter().map(Value::to_string).collect();
        assert_eq!(printed, ["1", "\"a\"", "(true)"]);
        assert!(().into_values().is_empty());
    }
}
