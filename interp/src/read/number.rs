//! Number syntax: integers of any size, rationals, floats, other bases, exactness prefixes.

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Zero};
use std::sync::Arc;
use sx_runtime::num::{Num, Parsed};
use sx_runtime::syntax::Node;

/// A word read as a number: `None` when it is no number at all, `Err` when it is a wrong one.
pub(super) fn number(word: &str) -> Option<Result<Node, String>> {
    let first = word.bytes().find(|b| !matches!(b, b'+' | b'-'))?;
    match word {
        "+inf.0" => return Some(Ok(Node::Float(f64::INFINITY))),
        "-inf.0" => return Some(Ok(Node::Float(f64::NEG_INFINITY))),
        "nan" | "+nan.0" | "-nan.0" => return Some(Ok(Node::Float(f64::NAN))),
        _ if !(first.is_ascii_digit() || first == b'.') => return None,
        _ => {}
    }
    if let Some((sign, digits)) = hexadecimal(word) {
        let node = integer(&format!("{sign}{digits}"), 16);
        return Some(node.ok_or_else(|| format!("bad number: {word}")));
    }
    exact(word, 10).or_else(|| decimal(word).map(|f| Ok(Node::Float(f))))
}

/// The same for Scheme, to which `nan` and `0x1F` are no numbers, and whose letters may be capitals.
pub(super) fn scheme_number(word: &str) -> Option<Result<Node, String>> {
    if word == "nan" || hexadecimal(word).is_some() {
        return None;
    }
    match word.to_ascii_lowercase().as_str() {
        lower @ ("+inf.0" | "-inf.0" | "+nan.0" | "-nan.0") => number(lower),
        _ => number(word),
    }
}

/// `0x1F`, with a sign perhaps: the sign and the digits.
fn hexadecimal(word: &str) -> Option<(&str, &str)> {
    let unsigned = word.trim_start_matches(['+', '-']);
    let sign = &word[..word.len() - unsigned.len()];
    let digits = unsigned.strip_prefix("0x").or_else(|| unsigned.strip_prefix("0X"))?;
    (sign.len() <= 1).then_some((sign, digits))
}

/// `#xFF #b101 #o17 #d10 #e1.5 #i1/2`, prefixes in any order: `None` when the word begins with none
/// of them.
pub(super) fn prefixed(word: &str) -> Option<Result<Node, String>> {
    let prefix = word.as_bytes().get(1)?.to_ascii_lowercase();
    if !b"xbodei".contains(&prefix) {
        return None;
    }
    Some(match Num::parse(&word.to_ascii_lowercase()) {
        Parsed::Number(Num::Int(n)) => Ok(Node::Int(n)),
        Parsed::Number(Num::Big(n)) => Ok(whole(n)),
        Parsed::Number(Num::Ratio(ratio)) => Ok(rational(ratio)),
        Parsed::Number(Num::Float(f)) => Ok(Node::Float(f)),
        Parsed::ZeroDenominator => Err("rational: division by zero".into()),
        Parsed::NotANumber => Err(format!("bad number: {word}")),
    })
}

/// An integer or a rational.
fn exact(word: &str, radix: u32) -> Option<Result<Node, String>> {
    let Some((numerator, denominator)) = word.split_once('/') else {
        return integer(word, radix).map(Ok);
    };
    let (n, d) = (big(numerator, radix)?, big(denominator, radix)?);
    if denominator.starts_with(['+', '-']) {
        return None;
    }
    if d.is_zero() {
        return Some(Err("rational: division by zero".into()));
    }
    Some(Ok(rational(BigRational::new(n, d))))
}

fn rational(ratio: BigRational) -> Node {
    match ratio.denom().is_one() {
        true => whole(ratio.numer().clone()),
        false => Node::Ratio(Arc::new(ratio)),
    }
}

fn whole(n: BigInt) -> Node {
    match i64::try_from(&n) {
        Ok(small) => Node::Int(small),
        Err(_) => Node::Big(Arc::new(n)),
    }
}

fn integer(word: &str, radix: u32) -> Option<Node> {
    if !is_digits(word, radix) {
        return None;
    }
    match i64::from_str_radix(word, radix) {
        Ok(small) => Some(Node::Int(small)),
        Err(_) => big(word, radix).map(whole),
    }
}

fn big(word: &str, radix: u32) -> Option<BigInt> {
    if !is_digits(word, radix) {
        return None;
    }
    BigInt::parse_bytes(word.strip_prefix('+').unwrap_or(word).as_bytes(), radix)
}

/// One sign at most, then at least one digit, then digits only.
fn is_digits(word: &str, radix: u32) -> bool {
    let unsigned = word.strip_prefix(['+', '-']).unwrap_or(word);
    !unsigned.is_empty() && unsigned.chars().all(|c| c.is_digit(radix))
}

/// Digits with a point or an exponent.
fn decimal(word: &str) -> Option<f64> {
    let unsigned = word.strip_prefix(['+', '-']).unwrap_or(word);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let plain = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let well_formed = plain(before)
        && plain(after)
        && !(before.is_empty() && after.is_empty())
        && exponent.is_none_or(|e| is_digits(e, 10));
    well_formed.then(|| word.parse().ok()).flatten()
}
