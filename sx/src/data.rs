//! Data read from a text without an isolate: what a protocol or a file of values holds.
//!
//! Keywords become strings, as where they are evaluated. Deliberately absent: data deeper than
//! `NESTING_MAX`, which is an error.

use crate::error::Error;
use crate::value::{NESTING_MAX, Value};
use std::sync::Arc;
use sx_interp::read::read_all;
use sx_runtime::error::Code;
use sx_runtime::num::Num;
use sx_runtime::syntax::{Node, Source, Stx};

/// The data a text holds, in order.
///
/// ```
/// let data = sx::read_data("(load \"a\") {:b 1/2}")?;
/// assert_eq!(data[1].get("b").map(ToString::to_string), Some("1/2".to_owned()));
/// assert!(sx::read_data("(").is_err());
/// # Ok::<(), sx::Error>(())
/// ```
pub fn read_data(text: &str) -> Result<Vec<Value>, Error> {
    let forms = read_all(Source::new("<data>", text)).map_err(Error::of_unreadable)?;
    forms.iter().map(|form| datum(form, 0)).collect()
}

fn datum(form: &Stx, depth: usize) -> Result<Value, Error> {
    if depth > NESTING_MAX {
        return Err(Error::new(Code::Read, "data nested too deep").at(form.span.clone()));
    }
    let all = |items: &[Stx]| {
        items
            .iter()
            .map(|item| datum(item, depth + 1))
            .collect::<Result<Vec<_>, _>>()
    };
    Ok(match &form.node {
        Node::Nil => Value::Nil,
        Node::Bool(b) => Value::Bool(*b),
        Node::Int(n) => Value::from(*n),
        Node::Big(n) => Value::Number(Num::Big((**n).clone())),
        Node::Ratio(n) => Value::Number(Num::Ratio((**n).clone())),
        Node::Float(x) => Value::from(*x),
        Node::Char(c) => Value::Char(*c),
        Node::Str(text) => Value::from(&**text),
        Node::Keyword(name) => Value::from(&**name),
        Node::Sym(name) | Node::Alias(name, _) => Value::Symbol(name.to_string()),
        Node::List(items) => Value::List(all(items)?),
        Node::Vector(items) => Value::Vector(all(items)?),
        Node::Bytes(bytes) => Value::Bytes(bytes.to_vec()),
        Node::Dict(pairs) => {
            let mut entries: Vec<(String, Value)> = Vec::new();
            for (key, value) in pairs {
                let (key, value) = (key_text(key)?, datum(value, depth + 1)?);
                match entries.iter_mut().find(|(known, _)| *known == key) {
                    Some(entry) => entry.1 = value,
                    None => entries.push((key, value)),
                }
            }
            Value::Dict(entries)
        }
        Node::Dotted(..) | Node::Label(..) | Node::Ref(_) | Node::Value(_) => {
            return Err(Error::new(Code::Read, "a pair has no plain form").at(form.span.clone()));
        }
    })
}

fn key_text(key: &Arc<sx_runtime::syntax::Syntax>) -> Result<String, Error> {
    match &key.node {
        Node::Str(text) => Ok(text.to_string()),
        Node::Keyword(name) | Node::Sym(name) => Ok(name.to_string()),
        _ => Err(Error::new(Code::Read, "a key is a string or a keyword").at(key.span.clone())),
    }
}
