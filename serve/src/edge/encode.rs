//! Values as bytes, for the store, and back.
//!
//! The first byte is the version of the format. A value is a tag and what the tag says: numbers of
//! items and bytes are LEB128. Integers beyond 64 bits and rationals are their text. Deliberately
//! absent: procedures and other objects, which are an error that names where they stand.
//!
//! Invariant: decoding what was encoded gives an equal value, and bytes that were not written here
//! give an error, not a panic or a made-up value.

use sx::{Num, Value, read_data};

const VERSION: u8 = 1;
/// What nests deeper was not written here.
const DEPTH_MAX: usize = 600;

macro_rules! tags {
    ($($name:ident = $byte:literal;)*) => { $(const $name: u8 = $byte;)* };
}

tags! {
    NIL = 0;
    FALSE = 1;
    TRUE = 2;
    INTEGER = 3;
    NUMBER_TEXT = 4;
    FLOAT = 5;
    CHAR = 6;
    STRING = 7;
    SYMBOL = 8;
    KEYWORD = 9;
    LIST = 10;
    VECTOR = 11;
    BYTES = 12;
    DICT = 13;
    SET = 14;
}

/// The bytes of a value; an error says what in it cannot be kept.
pub fn encode(value: &Value) -> Result<Vec<u8>, String> {
    let mut out = vec![VERSION];
    put(&mut out, value)?;
    Ok(out)
}

fn put(out: &mut Vec<u8>, value: &Value) -> Result<(), String> {
    match value {
        Value::Nil => out.push(NIL),
        Value::Bool(b) => out.push(if *b { TRUE } else { FALSE }),
        Value::Number(Num::Int(n)) => {
            out.push(INTEGER);
            put_count(out, ((n << 1) ^ (n >> 63)) as u64);
        }
        Value::Number(Num::Float(x)) => {
            out.push(FLOAT);
            out.extend_from_slice(&x.to_bits().to_le_bytes());
        }
        Value::Number(n) => put_bytes(out, NUMBER_TEXT, n.to_string().as_bytes()),
        Value::Char(c) => {
            out.push(CHAR);
            put_count(out, u64::from(u32::from(*c)));
        }
        Value::String(text) => put_bytes(out, STRING, text.as_bytes()),
        Value::Symbol(text) => put_bytes(out, SYMBOL, text.as_bytes()),
        Value::Keyword(text) => put_bytes(out, KEYWORD, text.as_bytes()),
        Value::Bytes(bytes) => put_bytes(out, BYTES, bytes),
        Value::List(items) => put_all(out, LIST, items)?,
        Value::Vector(items) => put_all(out, VECTOR, items)?,
        Value::Set(items) => put_all(out, SET, items)?,
        Value::Dict(entries) => {
            out.push(DICT);
            put_count(out, entries.len() as u64);
            for (key, value) in entries {
                put_count(out, key.len() as u64);
                out.extend_from_slice(key.as_bytes());
                put(out, value).map_err(|wrong| format!("{wrong} (under {key})"))?;
            }
        }
        Value::Object(object) => return Err(format!("a {} cannot be kept", object.type_name())),
    }
    Ok(())
}

fn put_count(out: &mut Vec<u8>, count: u64) {
    let mut left = count;
    while left >= 0x80 {
        out.push(left as u8 | 0x80);
        left >>= 7;
    }
    out.push(left as u8);
}

fn put_bytes(out: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    out.push(tag);
    put_count(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn put_all(out: &mut Vec<u8>, tag: u8, items: &[Value]) -> Result<(), String> {
    out.push(tag);
    put_count(out, items.len() as u64);
    items.iter().try_for_each(|item| put(out, item))
}

/// The value of bytes; `None` if they are none of ours.
pub fn decode(bytes: &[u8]) -> Option<Value> {
    let mut input = Input(bytes.strip_prefix(&[VERSION])?);
    let value = input.value(0)?;
    input.0.is_empty().then_some(value)
}

struct Input<'b>(&'b [u8]);

impl<'b> Input<'b> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }
    fn count(&mut self) -> Option<u64> {
        let mut count = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let part = u64::from(byte & 0x7f);
            if part << shift >> shift != part {
                return None;
            }
            count |= part << shift;
            if byte < 0x80 {
                return Some(count);
            }
        }
        None
    }
    fn bytes(&mut self) -> Option<&'b [u8]> {
        let count = usize::try_from(self.count()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(bytes)
    }
    fn text(&mut self) -> Option<String> {
        String::from_utf8(self.bytes()?.to_vec()).ok()
    }
    fn items(&mut self, depth: usize) -> Option<Vec<Value>> {
        let count = usize::try_from(self.count()?).ok()?;
        // Every item takes a byte, so a false count cannot ask for much.
        let mut items = Vec::with_capacity(count.min(self.0.len()));
        for _ in 0..count {
            items.push(self.value(depth + 1)?);
        }
        Some(items)
    }
    fn value(&mut self, depth: usize) -> Option<Value> {
        if depth > DEPTH_MAX {
            return None;
        }
        Some(match self.byte()? {
            NIL => Value::Nil,
            FALSE => Value::Bool(false),
            TRUE => Value::Bool(true),
            INTEGER => {
                let n = self.count()?;
                Value::from((n >> 1) as i64 ^ -((n & 1) as i64))
            }
            NUMBER_TEXT => match read_data(&self.text()?).ok()?.as_slice() {
                [value @ Value::Number(_)] => value.clone(),
                _ => return None,
            },
            FLOAT => {
                let (bits, rest) = self.0.split_first_chunk::<8>()?;
                self.0 = rest;
                Value::Number(Num::Float(f64::from_bits(u64::from_le_bytes(*bits))))
            }
            CHAR => Value::Char(char::from_u32(u32::try_from(self.count()?).ok()?)?),
            STRING => Value::String(self.text()?),
            SYMBOL => Value::Symbol(self.text()?),
            KEYWORD => Value::Keyword(self.text()?),
            BYTES => Value::Bytes(self.bytes()?.to_vec()),
            LIST => Value::List(self.items(depth)?),
            VECTOR => Value::Vector(self.items(depth)?),
            SET => Value::Set(self.items(depth)?),
            DICT => {
                let count = usize::try_from(self.count()?).ok()?;
                let mut entries = Vec::with_capacity(count.min(self.0.len()));
                for _ in 0..count {
                    entries.push((self.text()?, self.value(depth + 1)?));
                }
                Value::Dict(entries)
            }
            _ => return None,
        })
    }
}

/// Equality of plain data as `=` has it: numbers by value, dicts and sets without order.
pub fn same(a: &Value, b: &Value) -> bool {
    let all = |a: &[Value], b: &[Value]| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b));
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.equals(b),
        (Value::List(a), Value::List(b)) | (Value::Vector(a), Value::Vector(b)) => all(a, b),
        (Value::Set(a), Value::Set(b)) => {
            a.len() == b.len() && a.iter().all(|item| b.iter().any(|other| same(item, other)))
        }
        (Value::Dict(a), Value::Dict(entries)) => {
            a.len() == entries.len()
                && a.iter()
                    .all(|(key, value)| b.get(key).is_some_and(|other| same(value, other)))
        }
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples() -> Vec<Value> {
        let text = "(nil true false 0 -1 1 9223372036854775807 -9223372036854775808 123456789012345678901234567890 \
                    -3/4 0.0 -0.0 1.5e300 #\\ü \"\" \"a\\nü\" sym () (1 (2)) #(1 #()) #u8(0 255) {} {:a 1 :b {:c nil}})";
        let mut samples = read_data(text).expect("data");
        samples.push(Value::Keyword("k".to_owned()));
        samples.push(Value::Set(vec![Value::from(1i64), Value::from("x")]));
        samples.push(Value::from(f64::INFINITY));
        samples
    }

    #[test]
    fn every_storable_value_comes_back() {
        for value in samples() {
            let bytes = encode(&value).expect("encodes");
            assert_eq!(decode(&bytes), Some(value));
        }
        let nan = decode(&encode(&Value::from(f64::NAN)).expect("encodes"));
        assert!(matches!(nan, Some(Value::Number(Num::Float(x))) if x.is_nan()));
    }

    #[test]
    fn damaged_bytes_are_no_value_and_no_panic() {
        let bytes = encode(&Value::List(samples())).expect("encodes");
        for end in 0..bytes.len() {
            assert_eq!(decode(&bytes[..end]), None);
        }
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut damaged = bytes.clone();
                damaged[at] ^= 1 << bit;
                let _ = decode(&damaged);
            }
        }
        assert_eq!(decode(&[VERSION, LIST, 0xff, 0xff, 0xff, 0xff, 0x0f]), None);
        assert_eq!(decode(&[VERSION + 1, NIL]), None);
    }

    #[test]
    fn equality_is_that_of_the_language() {
        let one = |text| read_data(text).expect("data").remove(0);
        for (a, b, wanted) in [
            ("1", "1.0", true),
            ("1/2", "0.5", true),
            ("9223372036854775807", "9223372036854775808.0", false),
            ("9223372036854775808", "9223372036854775808.0", true),
            ("0.0", "-0.0", true),
            ("{:a 1 :b 2}", "{:b 2 :a 1.0}", true),
            ("{:a 1}", "{:a 1 :b nil}", false),
            ("(1 2)", "(1 2 3)", false),
            ("\"a\"", "a", false),
        ] {
            assert_eq!(same(&one(a), &one(b)), wanted, "{a} {b}");
        }
    }
}
