//! Numbers where exactness matters: what is rounded keeps it, division of exact numbers stays exact.

use crate::error::{Code, Raise};
use crate::num::{Num, NumResult, Parsed};
use crate::prims::cx::num_error;
use crate::prims::{Cx, prims};
use crate::value::Word;

prims! { NUMBERS {
    /// The first divided by the others, exact if all are; of one, its inverse.
    "%scheme:/" (x: Number, xs: Number rest) -> Number, Pure, divide, ["(%scheme:/ 5 2) ; => 5/2", "(%scheme:/ 2) ; => 1/2", "(%scheme:/ 1 0) ; error: /: division by zero", "(%scheme:/ 1.0 4) ; => 0.25"];
    /// The largest integer not above x, as exact as x.
    "%scheme:floor" (x: Number) -> Number, Pure, |cx| round_with(cx, f64::floor, Num::floor), ["(%scheme:floor -2.5) ; => -3.0", "(%scheme:floor 5/2) ; => 2"];
    /// The smallest integer not below x, as exact as x.
    "%scheme:ceiling" (x: Number) -> Number, Pure, |cx| round_with(cx, f64::ceil, Num::ceil), ["(%scheme:ceiling 2.5) ; => 3.0"];
    /// The nearest integer, the even one of two, as exact as x.
    "%scheme:round" (x: Number) -> Number, Pure, |cx| round_with(cx, f64::round_ties_even, Num::round), ["(%scheme:round 2.5) ; => 2.0", "(%scheme:round 7/2) ; => 4"];
    /// The integer part, as exact as x.
    "%scheme:truncate" (x: Number) -> Number, Pure, |cx| round_with(cx, f64::trunc, Num::truncate), ["(%scheme:truncate -2.5) ; => -2.0"];
    /// The number a text is, or false.
    "%scheme:string->number" (s: String, radix: Index optional) -> Any, Pure, string_to_number, ["(%scheme:string->number \"1e2\") ; => 100.0", "(%scheme:string->number \"nan\") ; => false"];
    /// The text of a number in a radix, 10 if not given.
    "%scheme:number->string" (n: Number, radix: Index optional) -> String, Allocates, number_to_string, ["(%scheme:number->string 255 16) ; => \"ff\"", "(%scheme:number->string (- +inf.0 +inf.0)) ; => \"+nan.0\""];
    /// The square root; an error for a negative number, whose root is not real.
    "%scheme:sqrt" (x: Number) -> Number, Pure, sqrt, ["(%scheme:sqrt 16) ; => 4", "(%scheme:sqrt -4) ; error: sqrt: the root of -4 is not a real number"];
    /// The simplest rational within y of x.
    "%scheme:rationalize" (x: Number, y: Number) -> Number, Pure, rationalize, ["(%scheme:rationalize 3/10 1/10) ; => 1/3", "(%scheme:rationalize 0.3 1/10) ; => 0.3333333333333333"];
    /// Are all arguments the same number? Anything but a number is an error.
    "%scheme:=" (x: Number, more: Number rest) -> Bool, Pure, |cx| Ok(Word::bool((1..cx.argc()).all(|i| are_equal(cx, i - 1, i)))), ["(%scheme:= 1 1.0) ; => true", "(%scheme:= 1 :a) ; error: Expected number, got string"];
} }

fn are_equal(cx: &Cx<'_>, i: usize, j: usize) -> bool {
    match (cx.arg(i).as_fixnum(), cx.arg(j).as_fixnum()) {
        (Some(a), Some(b)) => a == b,
        _ => cx.num(i).equals(&cx.num(j)),
    }
}

fn divide(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let mut quotient = match cx.argc() {
        1 => Num::Int(1),
        _ => cx.num(0),
    };
    let first = usize::from(cx.argc() > 1);
    for i in first..cx.argc() {
        quotient = quotient.div_exact(&cx.num(i)).map_err(|e| num_error("/", e))?;
    }
    cx.give_num(&quotient)
}

fn round_with(cx: &mut Cx<'_>, inexact: fn(f64) -> f64, exact: fn(&Num) -> Num) -> Result<Word, Raise> {
    match cx.num(0) {
        Num::Float(f) => cx.give_float(inexact(f)),
        n => cx.give_num(&exact(&n)),
    }
}

fn number_to_string(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let radix = match cx.given(1).map(|_| cx.index(1)) {
        None => 10,
        Some(radix @ 2..=36) => radix as u32,
        Some(_) => {
            let message = "number->string: the radix is not between 2 and 36";
            return Err(Raise::new(Code::Range, message).with_arg(1));
        }
    };
    let n = cx.num(0);
    let text = match &n {
        Num::Float(f) if f.is_nan() => "+nan.0".to_owned(),
        n => n.to_text(radix),
    };
    cx.give_string(&text)
}

fn string_to_number(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let radix = match cx.given(1).map(|_| cx.index(1)) {
        None => 10,
        Some(radix @ 2..=36) => radix as u32,
        Some(_) => {
            let message = "string->number: the radix is not between 2 and 36";
            return Err(Raise::new(Code::Range, message).with_arg(1));
        }
    };
    let text = cx.text(0).to_ascii_lowercase();
    let is_scheme = text != "nan" && !text.trim_start_matches(['+', '-']).starts_with("0x");
    match Num::parse_radix(&text, radix) {
        Parsed::Number(n) if is_scheme => cx.give_num(&n),
        _ => Ok(Word::FALSE),
    }
}

fn sqrt(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let n = cx.num(0);
    if n.is_negative() {
        let message = format!("sqrt: the root of {} is not a real number", n.to_text(10));
        return Err(Raise::new(Code::Value, message).with_arg(0));
    }
    cx.give_num(&n.sqrt())
}

fn rationalize(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let (x, y) = (cx.num(0), cx.num(1).abs());
    let inexact = !x.is_exact() || !y.is_exact();
    if inexact && !(x.to_f64().is_finite() && y.to_f64().is_finite()) {
        let answer = match () {
            _ if x.to_f64().is_nan() || y.to_f64().is_nan() => f64::NAN,
            _ if y.to_f64().is_infinite() && x.to_f64().is_infinite() => f64::NAN,
            _ if y.to_f64().is_infinite() => 0.0,
            _ => x.to_f64(),
        };
        return cx.give_float(answer);
    }
    let simplest = || -> NumResult {
        let (x, y) = (x.to_exact()?, y.to_exact()?);
        between(&x.sub(&y), &x.add(&y))
    };
    let simplest = simplest().map_err(|e| num_error("rationalize", e))?;
    cx.give_num(&if inexact { simplest.to_inexact() } else { simplest })
}

/// The simplest exact number from `low` to `high`.
fn between(low: &Num, high: &Num) -> NumResult {
    if low.is_positive() {
        return simplest(low, high);
    }
    match high.is_negative() {
        true => Ok(simplest(&high.neg(), &low.neg())?.neg()),
        false => Ok(Num::Int(0)),
    }
}

/// The same for 0 < `low`, by continued fractions: the parts before the two differ, then the
/// smallest integer that fits.
fn simplest(low: &Num, high: &Num) -> NumResult {
    let (mut low, mut high) = (low.clone(), high.clone());
    let mut parts = Vec::new();
    let mut answer = loop {
        let floor = low.floor();
        if floor.equals(&low) {
            break floor;
        }
        if !floor.equals(&high.floor()) {
            break floor.add(&Num::Int(1));
        }
        let one = Num::Int(1);
        (low, high) = (one.div_exact(&high.sub(&floor))?, one.div_exact(&low.sub(&floor))?);
        parts.push(floor);
    };
    while let Some(part) = parts.pop() {
        answer = part.add(&Num::Int(1).div_exact(&answer)?);
    }
    Ok(answer)
}
