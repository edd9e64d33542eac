//! Numbers as text: every syntax the reader and `string->number` accept, and printing that reads
//! back as the same number.
//!
//! Accepted: `12 -12 +12`, `1.5 .5 1. 1e3 1.5e-3`, `3/4`, `+inf.0 -inf.0 nan +nan.0 -nan.0`,
//! `0x1F`, and a prefix of radix and one of exactness, `#x #b #o #d #e #i`, in any order. In
//! another radix than ten there may be a point and no exponent. Printed: floats as the shortest
//! text that reads back the same, always with `.` or `e`.

use super::{Num, NumResult};
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{Num as _, Pow, Zero};

/// What a token is, read as a number.
#[derive(Clone, Debug, PartialEq)]
pub enum Parsed {
    /// A number.
    Number(Num),
    /// `1/0`: shaped like a rational, but there is none.
    ZeroDenominator,
    /// Not the syntax of a number.
    NotANumber,
}

/// Exact decimals with a larger exponent are not numbers: the integer would fill the memory.
const EXACT_EXPONENT_MAX: i64 = 100_000;

impl Num {
    /// Reads a token in radix 10 unless a prefix says otherwise.
    pub fn parse(text: &str) -> Parsed {
        Num::parse_radix(text, 10)
    }
    /// Reads a token; a prefix wins over `radix` (2 to 36).
    pub fn parse_radix(text: &str, radix: u32) -> Parsed {
        let mut rest = text;
        let (mut said, mut exactness) = (None, None);
        while let Some(prefixed) = rest.strip_prefix('#') {
            match prefixed.bytes().next().map(|b| b.to_ascii_lowercase()) {
                Some(b'x') if said.is_none() => said = Some(16),
                Some(b'b') if said.is_none() => said = Some(2),
                Some(b'o') if said.is_none() => said = Some(8),
                Some(b'd') if said.is_none() => said = Some(10),
                Some(b'e') if exactness.is_none() => exactness = Some(true),
                Some(b'i') if exactness.is_none() => exactness = Some(false),
                _ => return Parsed::NotANumber,
            }
            rest = &prefixed[1..];
        }
        let exact = exactness == Some(true);
        match (parse_unprefixed(rest, said.unwrap_or(radix), exact), exactness) {
            (Parsed::Number(n), Some(false)) => Parsed::Number(n.to_inexact()),
            (Parsed::Number(n), Some(true)) => n.to_exact().map_or(Parsed::NotANumber, Parsed::Number),
            (parsed, _) => parsed,
        }
    }

    /// The text in a radix from 2 to 36.
    pub fn to_text(&self, radix: u32) -> String {
        match self {
            Num::Int(i) if radix == 10 => i.to_string(),
            Num::Int(i) => BigInt::from(*i).to_str_radix(radix),
            Num::Big(b) => b.to_str_radix(radix),
            Num::Ratio(r) => format!("{}/{}", r.numer().to_str_radix(radix), r.denom().to_str_radix(radix)),
            Num::Float(f) if radix == 10 || !f.is_finite() => format_float(*f),
            Num::Float(f) => float_in_radix(*f, radix),
        }
    }
    /// The number with exactly `places` decimals, rounded half to even on its exact value.
    pub fn to_decimal(&self, places: usize) -> String {
        match self {
            Num::Float(f) if f.is_finite() => format!("{f:.places$}"),
            Num::Float(f) => format_float(*f),
            exact => exact_decimal(&exact.to_ratio(), places),
        }
    }
}

impl std::fmt::Display for Num {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.to_text(10))
    }
}

/// The shortest text that reads back as the same double.
pub fn format_float(f: f64) -> String {
    if f.is_nan() {
        "nan".to_string()
    } else if f.is_infinite() {
        if f > 0.0 { "+inf.0" } else { "-inf.0" }.to_string()
    } else {
        format!("{f:?}")
    }
}

/// The shortest text in a radix that reads back as the same finite double, without an exponent.
///
/// Steele and White's digits: `rest / scale` is what is still to be written and `below`, `above`
/// are the distances, over the same scale, to where the neighbouring doubles begin.
fn float_in_radix(f: f64, radix: u32) -> String {
    const FRACTION: u32 = 52;
    let sign = if f.is_sign_negative() { "-" } else { "" };
    if f == 0.0 {
        return format!("{sign}0.0");
    }
    let (fraction, biased) = (f.to_bits() & ((1 << FRACTION) - 1), (f.to_bits() >> FRACTION) & 0x7ff);
    let (mantissa, exponent) = match biased {
        0 => (fraction, -1074),
        _ => (fraction | 1 << FRACTION, biased as i64 - 1075),
    };
    let two_to = |power: i64| BigInt::from(1) << power.max(0) as u64;
    // Below a power of two the doubles are twice as close.
    let closer = fraction == 0 && biased > 1;
    let mut rest = (BigInt::from(mantissa) * two_to(exponent)) << (1 + u32::from(closer));
    let mut scale = two_to(-exponent) << (1 + u32::from(closer));
    let mut below = two_to(exponent);
    let mut above = &below << u32::from(closer);
    let is_even = mantissa % 2 == 0;
    let reaches = |sum: BigInt, scale: &BigInt| if is_even { sum >= *scale } else { sum > *scale };
    let base = BigInt::from(radix);
    let mut point = 0_i64;
    while reaches(&rest + &above, &scale) {
        scale *= &base;
        point += 1;
    }
    while !reaches((&rest + &above) * &base, &scale) {
        (rest, below, above) = (rest * &base, below * &base, above * &base);
        point -= 1;
    }
    let mut digits = String::new();
    loop {
        (rest, below, above) = (rest * &base, below * &base, above * &base);
        let digit = &rest / &scale;
        rest %= &scale;
        let low = if is_even { rest <= below } else { rest < below };
        let high = reaches(&rest + &above, &scale);
        let up = high && (!low || &rest * 2 >= scale);
        let digit = u32::try_from(digit).unwrap_or(0) + u32::from(up);
        digits.extend(char::from_digit(digit, radix));
        if low || high {
            return format!("{sign}{}", with_point(&digits, point));
        }
    }
}

/// Digits with the point after so many of them, zeros where there are none.
fn with_point(digits: &str, point: i64) -> String {
    let zeros = |n: i64| "0".repeat(n.max(0) as usize);
    if point <= 0 {
        return format!("0.{}{digits}", zeros(-point));
    }
    match digits.split_at_checked(point as usize) {
        Some((whole, fraction)) if !fraction.is_empty() => format!("{whole}.{fraction}"),
        _ => format!("{digits}{}.0", zeros(point - digits.len() as i64)),
    }
}

fn parse_unprefixed(text: &str, radix: u32, exact: bool) -> Parsed {
    match text {
        "+inf.0" => return Parsed::Number(Num::Float(f64::INFINITY)),
        "-inf.0" => return Parsed::Number(Num::Float(f64::NEG_INFINITY)),
        "nan" | "+nan.0" | "-nan.0" => return Parsed::Number(Num::Float(f64::NAN)),
        _ => {}
    }
    let (negative, digits) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let (radix, digits) = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hex) if radix == 10 => (16, hex),
        _ => (radix, digits),
    };
    let parsed = match digits.split_once('/') {
        Some((numer, denom)) => parse_ratio(numer, denom, radix),
        None => match parse_digits(digits, radix) {
            Some(n) => Parsed::Number(n),
            None if radix == 10 => parse_decimal(digits, exact),
            None => parse_with_point(digits, radix, exact),
        },
    };
    match parsed {
        Parsed::Number(n) if negative => Parsed::Number(n.neg()),
        parsed => parsed,
    }
}

/// Digits alone, without a sign.
fn parse_digits(digits: &str, radix: u32) -> Option<Num> {
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    match i64::from_str_radix(digits, radix) {
        Ok(i) => Some(Num::Int(i)),
        Err(_) => Some(Num::from_big(parse_many(digits, radix))),
    }
}

/// Digits are read one after another up to so many; the time is quadratic in them.
const DIGITS_AT_ONCE: usize = 2_000;

/// Digits of any number: halves, so that the time is that of multiplication.
fn parse_many(digits: &str, radix: u32) -> BigInt {
    if digits.len() <= DIGITS_AT_ONCE {
        return BigInt::from_str_radix(digits, radix).unwrap_or_default();
    }
    let (high, low) = digits.split_at(digits.len() / 2);
    let shift = Pow::pow(BigInt::from(radix), low.len());
    parse_many(high, radix) * shift + parse_many(low, radix)
}

fn parse_ratio(numer: &str, denom: &str, radix: u32) -> Parsed {
    match (parse_digits(numer, radix), parse_digits(denom, radix)) {
        (Some(_), Some(d)) if d.is_zero() => Parsed::ZeroDenominator,
        (Some(n), Some(d)) => Parsed::Number(Num::from_ratio(BigRational::new(n.to_big(), d.to_big()))),
        _ => Parsed::NotANumber,
    }
}

/// `1.5`, `.5`, `1.`, `1e3`: at least one digit before the exponent, one after its `e`.
fn parse_decimal(text: &str, exact: bool) -> Parsed {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let unsigned = exponent.map(|e| e.strip_prefix(['+', '-']).unwrap_or(e));
    let shaped = digits(whole)
        && digits(fraction)
        && whole.len() + fraction.len() > 0
        && unsigned.is_none_or(|e| !e.is_empty() && digits(e));
    if !shaped {
        return Parsed::NotANumber;
    }
    let number = if exact {
        exact_decimal_value(whole, fraction, exponent)
    } else {
        text.parse().ok().map(Num::Float)
    };
    number.map_or(Parsed::NotANumber, Parsed::Number)
}

/// Digits with a point among them, in another radix than ten.
fn parse_with_point(text: &str, radix: u32, exact: bool) -> Parsed {
    let Some((whole, fraction)) = text.split_once('.') else {
        return Parsed::NotANumber;
    };
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return Parsed::NotANumber;
    }
    let scale = Pow::pow(BigInt::from(radix), fraction.len());
    let value = Num::from_ratio(BigRational::new(parse_many(&digits, radix), scale));
    Parsed::Number(if exact { value } else { value.to_inexact() })
}

/// The exact value of a decimal written after `#e`.
fn exact_decimal_value(whole: &str, fraction: &str, exponent: Option<&str>) -> Option<Num> {
    let digits = BigInt::from_str_radix(&format!("{whole}{fraction}"), 10).ok()?;
    let exponent: i64 = exponent.map_or(Some(0), |e| e.parse().ok())?;
    let scale = exponent.checked_sub(fraction.len() as i64)?;
    if scale.abs() > EXACT_EXPONENT_MAX.max(fraction.len() as i64) {
        return None;
    }
    let power = Pow::pow(BigInt::from(10), scale.unsigned_abs());
    Some(Num::from_ratio(if scale < 0 {
        BigRational::new(digits, power)
    } else {
        BigRational::from_integer(digits * power)
    }))
}

fn exact_decimal(ratio: &BigRational, places: usize) -> String {
    let scaled = ratio * BigRational::from_integer(Pow::pow(BigInt::from(10), places as u64));
    let rounded = Num::from_ratio(scaled).round().to_big();
    let negative = rounded < BigInt::zero();
    let mut digits = rounded.magnitude().to_string();
    if digits.len() <= places {
        digits = "0".repeat(places + 1 - digits.len()) + &digits;
    }
    if places > 0 {
        digits.insert(digits.len() - places, '.');
    }
    if negative { format!("-{digits}") } else { digits }
}

/// Reads a number from text, for tests and callers that hold only numbers.
impl std::str::FromStr for Num {
    type Err = super::NumError;
    fn from_str(text: &str) -> NumResult {
        match Num::parse(text) {
            Parsed::Number(n) => Ok(n),
            Parsed::ZeroDenominator => Err(super::NumError::DivisionByZero),
            Parsed::NotANumber => Err(super::NumError::NotAnInteger),
        }
    }
}
