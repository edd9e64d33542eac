//! Arithmetic: the numeric tower (`num.rs`) as primitives. Small integers take a short way.
//!
//! Invariant: an operation whose result could be of any size reserves room for it before it
//! computes, so the memory limit is met before the memory is taken.

use super::cx::num_error;
use super::{Cx, prims};
use crate::error::{Code, Raise};
use crate::num::{Num, NumResult};
use crate::number::size_of_number;
use crate::value::Word;
use crate::vector::size_of_vector;

prims! { ARITH {
    /// Sum; of nothing 0.
    "+" (xs: Number rest) -> Number, Pure, add, ["(+ 1 2 3) ; => 6", "(+ 1/2 1/3) ; => 5/6", "(+ 1 \"2\") ; error: Expected number, got string"];
    /// The first minus the others; of one, its negative.
    "-" (x: Number, xs: Number rest) -> Number, Pure, sub, ["(- 10 3 2) ; => 5", "(- 4) ; => -4"];
    /// Product; of nothing 1.
    "*" (xs: Number rest) -> Number, Pure, mul, ["(* 2 3 4) ; => 24", "(* 4611686018427387904 4) ; => 18446744073709551616"];
    /// The first divided by the others. Two integers: exact if it divides, else a float; a
    /// rational keeps it exact. Of one, its inverse.
    "/" (x: Number, xs: Number rest) -> Number, Pure, div, ["(/ 6 2) ; => 3", "(/ 5 2) ; => 2.5", "(/ 1/2 2) ; => 1/4", "(/ 1 0) ; error: /: division by zero"];
    /// Division that stays exact for exact operands.
    "%exact/" (x: Number, y: Number) -> Number, Pure, div_exact, ["(%exact/ 5 2) ; => 5/2"];
    /// What is left after division rounded down; it has the sign of the divisor.
    "mod" | "modulo" | "floor-remainder" (a: Number, b: Number) -> Number, Pure, modulo, ["(mod 7 3) ; => 1", "(mod -7 3) ; => 2", "(mod 7 0) ; error: mod: division by zero"];
    /// What is left after division rounded toward zero; it has the sign of the dividend.
    "rem" | "remainder" | "truncate-remainder" (a: Number, b: Number) -> Number, Pure, remainder, ["(rem -7 3) ; => -1"];
    /// Division rounded toward zero.
    "quotient" | "truncate-quotient" | "%truncate/" (a: Number, b: Number) -> Number, Pure, quotient, ["(quotient -7 2) ; => -3"];
    /// Division rounded down.
    "floor-quotient" | "%floor/" (a: Number, b: Number) -> Number, Pure, floor_quotient, ["(floor-quotient -7 2) ; => -4"];
    /// The largest integer not above x.
    "floor" (x: Number) -> Number, Pure, |cx| unary(cx, Num::floor), ["(floor 2.7) ; => 2", "(floor -2.5) ; => -3"];
    /// The smallest integer not below x.
    "ceil" | "ceiling" (x: Number) -> Number, Pure, |cx| unary(cx, Num::ceil), ["(ceil 2.1) ; => 3"];
    /// The nearest integer; halfway, the even one.
    "round" (x: Number) -> Number, Pure, |cx| unary(cx, Num::round), ["(round 2.5) ; => 2", "(round 7/2) ; => 4"];
    /// The integer part.
    "truncate" (x: Number) -> Number, Pure, |cx| unary(cx, Num::truncate), ["(truncate -2.7) ; => -2"];
    /// Magnitude.
    "abs" | "magnitude" (x: Number) -> Number, Pure, |cx| unary(cx, Num::abs), ["(abs -3) ; => 3"];
    /// The smallest of the numbers; a float among them makes it a float.
    "min" (x: Number, xs: Number rest) -> Number, Pure, |cx| extreme(cx, std::cmp::Ordering::Less), ["(min 3 1 2) ; => 1", "(min 1 2.0) ; => 1.0"];
    /// The largest of the numbers; a float among them makes it a float.
    "max" (x: Number, xs: Number rest) -> Number, Pure, |cx| extreme(cx, std::cmp::Ordering::Greater), ["(max 3 1 2) ; => 3"];
    /// x, but not below low nor above high.
    "clamp" (x: Number, low: Number, high: Number) -> Number, Pure, clamp, ["(clamp 15 0 10) ; => 10", "(clamp -1 0 10) ; => 0"];
    /// base to the power exponent; an integer to a negative power follows `/`.
    "pow" (base: Number, exponent: Number) -> Number, Pure, pow, ["(pow 2 10) ; => 1024", "(pow 2 -1) ; => 0.5"];
    /// base to the power exponent, exact for exact operands and an integer exponent.
    "expt" (base: Number, exponent: Number) -> Number, Pure, expt, ["(expt 2 100) ; => 1267650600228229401496703205376", "(expt 2 -2) ; => 1/4"];
    /// Square root, exact when the exact root exists.
    "sqrt" (x: Number) -> Number, Pure, |cx| unary(cx, Num::sqrt), ["(sqrt 16) ; => 4", "(sqrt 2) ; => 1.4142135623730951"];
    /// Two values: the largest r with r·r not above n, and n − r·r.
    "exact-integer-sqrt" (n: Int) -> Values, Allocates, exact_integer_sqrt, ["(%values->list (exact-integer-sqrt 17)) ; => (4 1)"];
    /// The square of x.
    "square" (x: Number) -> Number, Pure, |cx| unary(cx, |n| n.mul(n)), ["(square 5) ; => 25"];
    /// e to the power x.
    "exp" (x: Number) -> Number, Pure, |cx| float(cx, f64::exp), ["(exp 0) ; => 1.0"];
    /// Natural logarithm, or the one to a base.
    "log" (x: Number, base: Number optional) -> Number, Pure, log, ["(log 1) ; => 0.0", "(log 8 2) ; => 3.0"];
    /// Sine.
    "sin" (x: Number) -> Number, Pure, |cx| float(cx, f64::sin), ["(sin 0) ; => 0.0"];
    /// Cosine.
    "cos" (x: Number) -> Number, Pure, |cx| float(cx, f64::cos), ["(cos 0) ; => 1.0"];
    /// Tangent.
    "tan" (x: Number) -> Number, Pure, |cx| float(cx, f64::tan), ["(tan 0) ; => 0.0"];
    /// Arc sine.
    "asin" (x: Number) -> Number, Pure, |cx| float(cx, f64::asin), ["(asin 0) ; => 0.0"];
    /// Arc cosine.
    "acos" (x: Number) -> Number, Pure, |cx| float(cx, f64::acos), ["(acos 1) ; => 0.0"];
    /// Arc tangent of y, or the angle of the point (x, y).
    "atan" (y: Number, x: Number optional) -> Number, Pure, atan, ["(atan 0) ; => 0.0", "(atan 1 0) ; => 1.5707963267948966"];
    /// x + 1.
    "inc" (x: Number) -> Number, Pure, |cx| unary(cx, |n| n.add(&Num::Int(1))), ["(inc 4) ; => 5"];
    /// x − 1.
    "dec" (x: Number) -> Number, Pure, |cx| unary(cx, |n| n.sub(&Num::Int(1))), ["(dec 4) ; => 3"];
    /// Greatest common divisor; of nothing 0.
    "gcd" (xs: Number rest) -> Number, Pure, |cx| fold_checked(cx, "gcd", 0, Num::gcd), ["(gcd 12 18) ; => 6", "(gcd) ; => 0"];
    /// Least common multiple; of nothing 1.
    "lcm" (xs: Number rest) -> Number, Pure, |cx| fold_checked(cx, "lcm", 1, Num::lcm), ["(lcm 4 6) ; => 12"];
    /// Is n even?
    "even?" (n: Number) -> Bool, Pure, |cx| parity(cx, "even?", true), ["(even? 4) ; => true", "(even? 1/2) ; error: even?: expected integer"];
    /// Is n odd?
    "odd?" (n: Number) -> Bool, Pure, |cx| parity(cx, "odd?", false), ["(odd? 4) ; => false"];
    /// Is x zero?
    "zero?" (x: Number) -> Bool, Pure, |cx| Ok(Word::bool(cx.num(0).is_zero())), ["(zero? 0.0) ; => true"];
    /// Is x above zero?
    "positive?" (x: Number) -> Bool, Pure, |cx| Ok(Word::bool(cx.num(0).is_positive())), ["(positive? 1/2) ; => true"];
    /// Is x below zero?
    "negative?" (x: Number) -> Bool, Pure, |cx| Ok(Word::bool(cx.num(0).is_negative())), ["(negative? -1) ; => true"];
    /// The nearest float.
    "exact->inexact" | "inexact" (x: Number) -> Number, Pure, |cx| unary(cx, Num::to_inexact), ["(exact->inexact 1/4) ; => 0.25"];
    /// The exact value of x.
    "inexact->exact" | "exact" (x: Number) -> Number, Pure, |cx| unary_checked(cx, "inexact->exact", Num::to_exact), ["(inexact->exact 0.5) ; => 1/2"];
    /// Numerator in lowest terms.
    "numerator" (x: Number) -> Number, Pure, |cx| unary_checked(cx, "numerator", Num::numerator), ["(numerator 6/4) ; => 3"];
    /// Denominator in lowest terms.
    "denominator" (x: Number) -> Number, Pure, |cx| unary_checked(cx, "denominator", Num::denominator), ["(denominator 6/4) ; => 2"];
    /// Bits set in all.
    "bitwise-and" (ns: Number rest) -> Number, Pure, |cx| fold_checked(cx, "bitwise-and", -1, Num::bit_and), ["(bitwise-and 12 10) ; => 8"];
    /// Bits set in any.
    "bitwise-or" | "bitwise-ior" (ns: Number rest) -> Number, Pure, |cx| fold_checked(cx, "bitwise-or", 0, Num::bit_or), ["(bitwise-or 12 10) ; => 14"];
    /// Bits set in an odd number of them.
    "bitwise-xor" (ns: Number rest) -> Number, Pure, |cx| fold_checked(cx, "bitwise-xor", 0, Num::bit_xor), ["(bitwise-xor 12 10) ; => 6"];
    /// All bits flipped.
    "bitwise-not" (n: Number) -> Number, Pure, |cx| unary_checked(cx, "bitwise-not", Num::bit_not), ["(bitwise-not 5) ; => -6"];
    /// n shifted left, or right when count is negative.
    "arithmetic-shift" (n: Number, count: Number) -> Number, Pure, shift, ["(arithmetic-shift 1 10) ; => 1024", "(arithmetic-shift -5 -1) ; => -3"];
    /// How many bits are set; for a negative number, how many are clear.
    "bit-count" (n: Number) -> Number, Pure, |cx| unary_checked(cx, "bit-count", Num::bit_count), ["(bit-count 255) ; => 8"];
    /// How many bits n needs besides its sign.
    "bit-length" | "integer-length" (n: Number) -> Number, Pure, |cx| unary_checked(cx, "bit-length", Num::bit_length), ["(bit-length 256) ; => 9"];
    /// A random integer from 0 up to n, or from low up to high, the end left out.
    "random-int" (low: Int, high: Int optional) -> Number, Any, random_int, ["(random-int 1) ; => 0", "(< (random-int 5 8) 8) ; => true"];
    /// A random float from 0 up to 1.
    "random-float" () -> Number, Any, random_float, ["(< (random-float) 1) ; => true"];
} }

fn add(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    fold(cx, "+", 0, i64::checked_add, |a, b| Ok(a.add(b)))
}

fn mul(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    fold(cx, "*", 1, i64::checked_mul, Num::mul_checked)
}

/// Folds all operands from `start`: small integers as long as they stay small.
fn fold(
    cx: &mut Cx<'_>,
    who: &str,
    start: i64,
    small: fn(i64, i64) -> Option<i64>,
    full: fn(&Num, &Num) -> NumResult,
) -> Result<Word, Raise> {
    let mut acc = start;
    for i in 0..cx.argc() {
        match cx.arg(i).as_fixnum().and_then(|n| small(acc, n)) {
            Some(next) => acc = next,
            None => {
                // The first is itself, not what it makes with `start`: 0 and -0.0 make 0.0.
                let (mut sum, from) = match i {
                    0 => (cx.num(0), 1),
                    _ => (Num::Int(acc), i),
                };
                for i in from..cx.argc() {
                    sum = full(&sum, &cx.num(i)).map_err(|e| num_error(who, e))?;
                }
                return cx.give_num(&sum);
            }
        }
    }
    cx.give_int(acc)
}

fn sub(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    if cx.argc() == 1 {
        return unary(cx, Num::neg);
    }
    let difference = (1..cx.argc()).fold(cx.num(0), |acc, i| acc.sub(&cx.num(i)));
    cx.give_num(&difference)
}

fn div(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let mut acc = if cx.argc() == 1 { Num::Int(1) } else { cx.num(0) };
    for i in usize::from(cx.argc() > 1)..cx.argc() {
        acc = acc.div(&cx.num(i)).map_err(|e| num_error("/", e))?;
    }
    cx.give_num(&acc)
}

fn div_exact(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    binary(cx, "/", Num::div_exact)
}

fn modulo(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    binary(cx, "mod", Num::modulo)
}

fn remainder(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    binary(cx, "rem", Num::remainder)
}

fn quotient(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    binary(cx, "quotient", Num::quotient)
}

fn floor_quotient(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    binary(cx, "floor-quotient", Num::floor_quotient)
}

fn unary(cx: &mut Cx<'_>, f: impl Fn(&Num) -> Num) -> Result<Word, Raise> {
    let answer = f(&cx.num(0));
    cx.give_num(&answer)
}

fn unary_checked(cx: &mut Cx<'_>, who: &str, f: fn(&Num) -> NumResult) -> Result<Word, Raise> {
    let answer = f(&cx.num(0)).map_err(|e| num_error(who, e))?;
    cx.give_num(&answer)
}

fn binary(cx: &mut Cx<'_>, who: &str, f: fn(&Num, &Num) -> NumResult) -> Result<Word, Raise> {
    let answer = f(&cx.num(0), &cx.num(1)).map_err(|e| num_error(who, e))?;
    cx.give_num(&answer)
}

fn fold_checked(cx: &mut Cx<'_>, who: &str, start: i64, f: fn(&Num, &Num) -> NumResult) -> Result<Word, Raise> {
    let mut acc = Num::Int(start);
    for i in 0..cx.argc() {
        acc = f(&acc, &cx.num(i)).map_err(|e| num_error(who, e))?;
    }
    cx.give_num(&acc)
}

fn float(cx: &mut Cx<'_>, f: fn(f64) -> f64) -> Result<Word, Raise> {
    let answer = f(cx.num(0).to_f64());
    cx.give_float(answer)
}

fn extreme(cx: &mut Cx<'_>, wanted: std::cmp::Ordering) -> Result<Word, Raise> {
    let mut best = cx.num(0);
    let mut inexact = !best.is_exact();
    for i in 1..cx.argc() {
        let n = cx.num(i);
        inexact |= !n.is_exact();
        let is_nan = matches!(n, Num::Float(f) if f.is_nan());
        if is_nan || n.order(&best) == Some(wanted) {
            best = n;
        }
    }
    cx.give_num(&if inexact { best.to_inexact() } else { best })
}

fn clamp(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let (x, low, high) = (cx.num(0), cx.num(1), cx.num(2));
    let clamped = if x.order(&low) == Some(std::cmp::Ordering::Less) {
        low
    } else if x.order(&high) == Some(std::cmp::Ordering::Greater) {
        high
    } else {
        x
    };
    cx.give_num(&clamped)
}

/// Powers and shifts ask for room before they compute a result of any size.
fn sized(cx: &mut Cx<'_>, who: &str, bytes: usize, f: fn(&Num, &Num) -> NumResult) -> Result<Word, Raise> {
    cx.reserve(bytes)?;
    binary(cx, who, f)
}

fn pow(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    sized(cx, "pow", cx.num(0).expt_bytes(&cx.num(1)), Num::pow)
}

fn expt(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    sized(cx, "expt", cx.num(0).expt_bytes(&cx.num(1)), Num::expt)
}

fn shift(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    sized(cx, "arithmetic-shift", cx.num(0).shift_bytes(&cx.num(1)), Num::shift)
}

fn exact_integer_sqrt(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let who = "exact-integer-sqrt";
    let (root, rest) = cx.num(0).exact_integer_sqrt().map_err(|e| num_error(who, e))?;
    cx.reserve(size_of_number(&root) + size_of_number(&rest) + size_of_vector(2))?;
    let heap = cx.heap();
    Ok(heap.values_from(&[heap.number(&root), heap.number(&rest)]).word())
}

fn log(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let ln = cx.num(0).ln();
    let answer = match cx.given(1).map(|_| cx.num(1)) {
        None => ln,
        // Exact where the two usual bases are: log2 and log10 of a power are whole.
        Some(base) if base.equals(&Num::Int(2)) && cx.num(0).to_f64().is_finite() => cx.num(0).to_f64().log2(),
        Some(base) if base.equals(&Num::Int(10)) && cx.num(0).to_f64().is_finite() => cx.num(0).to_f64().log10(),
        Some(base) => ln / base.ln(),
    };
    cx.give_float(answer)
}

fn atan(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let y = cx.num(0).to_f64();
    let answer = match cx.given(1) {
        None => y.atan(),
        Some(_) => y.atan2(cx.num(1).to_f64()),
    };
    cx.give_float(answer)
}

fn parity(cx: &mut Cx<'_>, who: &str, even: bool) -> Result<Word, Raise> {
    let rest = match cx.arg(0).as_fixnum() {
        Some(i) => i & 1 == 0,
        None => {
            let n = cx.num(0);
            if !n.is_integer() {
                return Err(num_error(who, crate::num::NumError::NotAnInteger).with_arg(0));
            }
            n.modulo(&Num::Int(2)).is_ok_and(|rest| rest.is_zero())
        }
    };
    Ok(Word::bool(rest == even))
}

fn random_int(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let (low, high) = if cx.argc() == 1 {
        (0, cx.int(0)?)
    } else {
        (cx.int(0)?, cx.int(1)?)
    };
    let span = i128::from(high) - i128::from(low);
    if span <= 0 {
        return Err(Raise::new(Code::Value, "random-int: the range is empty"));
    }
    // The high part of a product is even enough: the bias is below span / 2^64.
    let picked = (u128::from(cx.host().random_u64()) * span as u128) >> 64;
    cx.give_num(&Num::from_i128(i128::from(low) + picked as i128))
}

fn random_float(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let bits = cx.host().random_u64() >> 11;
    cx.give_float(bits as f64 / (1u64 << 53) as f64)
}
