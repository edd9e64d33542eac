//! The rules of the tower, by example and by property over generated numbers.

use super::*;
use std::cmp::Ordering;

fn n(text: &str) -> Num {
    match Num::parse(text) {
        Parsed::Number(n) => n,
        other => panic!("{text}: {other:?}"),
    }
}

/// Splitmix64: enough randomness, and any failure is its seed.
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    fn integer(&mut self) -> Num {
        let i = self.next() as i64;
        match self.next() % 5 {
            0 => Num::Int(i % 20),
            1 => Num::Int(i),
            2 => Num::Int([i64::MIN, i64::MAX, 0, 1, -1][(i.unsigned_abs() % 5) as usize]),
            3 => Num::Int(i).mul(&Num::Int(self.next() as i64)),
            _ => Num::Int(i % 100_000),
        }
    }
    fn exact(&mut self) -> Num {
        let a = self.integer();
        let b = self.integer();
        if self.next().is_multiple_of(3) && !b.is_zero() {
            a.div_exact(&b).unwrap_or(a)
        } else {
            a
        }
    }
    fn any(&mut self) -> Num {
        match self.next() % 4 {
            0 => Num::Float(f64::from_bits(self.next())),
            1 => Num::Float((self.next() % 1000) as f64 / 8.0),
            _ => self.exact(),
        }
    }
}

fn is_normal(n: &Num) -> bool {
    match n {
        Num::Big(b) => b.to_i64().is_none(),
        Num::Ratio(r) => !r.denom().is_one() && r.reduced() == *r,
        _ => true,
    }
}

#[test]
fn division_follows_the_contract() {
    assert_eq!(n("6").div(&n("2")), Ok(n("3")));
    assert_eq!(n("5").div(&n("2")), Ok(n("2.5")));
    assert_eq!(n("1/2").div(&n("2")), Ok(n("1/4")));
    assert_eq!(n("2").div_exact(&n("4")), Ok(n("1/2")));
    assert_eq!(n("1").div(&n("0")), Err(NumError::DivisionByZero));
    assert_eq!(n("1.0").div(&n("0")), Ok(n("+inf.0")));
    assert_eq!(n("1/2").add(&n("0.5")), n("1.0"));
    assert_eq!(n("1/2").add(&n("1/2")), n("1"));
    assert_eq!(n("9007199254740993").div(&n("2")), Ok(n("4503599627370496.5")));
}

#[test]
fn integers_never_lose_precision() {
    let max = Num::Int(i64::MAX);
    assert_eq!(max.add(&Num::Int(1)), n("9223372036854775808"));
    assert_eq!(max.add(&Num::Int(1)).sub(&Num::Int(1)), max);
    assert_eq!(Num::Int(i64::MIN).neg(), n("9223372036854775808"));
    assert_eq!(Num::Int(i64::MIN).quotient(&Num::Int(-1)), Ok(n("9223372036854775808")));
    assert_eq!(Num::Int(i64::MIN).remainder(&Num::Int(-1)), Ok(Num::Int(0)));
    assert_eq!(Num::Int(i64::MIN).modulo(&Num::Int(-1)), Ok(Num::Int(0)));
    assert_eq!(n("2").expt(&n("100")), Ok(n("1267650600228229401496703205376")));
}

#[test]
fn integer_divisions_have_their_signs() {
    for (a, b, quotient, remainder, floor, modulo) in [
        (7, 2, 3, 1, 3, 1),
        (-7, 2, -3, -1, -4, 1),
        (7, -2, -3, 1, -4, -1),
        (-7, -2, 3, -1, 3, -1),
    ] {
        let (a, b) = (Num::Int(a), Num::Int(b));
        assert_eq!(a.quotient(&b), Ok(Num::Int(quotient)));
        assert_eq!(a.remainder(&b), Ok(Num::Int(remainder)));
        assert_eq!(a.floor_quotient(&b), Ok(Num::Int(floor)));
        assert_eq!(a.modulo(&b), Ok(Num::Int(modulo)));
    }
    assert_eq!(n("5.5").modulo(&n("-2")), Ok(n("-0.5")));
    assert_eq!(n("7/2").modulo(&n("2")), Ok(n("3/2")));
}

#[test]
fn rounding_gives_integers() {
    for (x, floor, ceil, truncate, round) in [
        ("2.5", "2", "3", "2", "2"),
        ("-2.5", "-3", "-2", "-2", "-2"),
        ("7/2", "3", "4", "3", "4"),
        ("-7/3", "-3", "-2", "-2", "-2"),
        (
            "1e20",
            "100000000000000000000",
            "100000000000000000000",
            "100000000000000000000",
            "100000000000000000000",
        ),
        ("-0.0", "0", "0", "0", "0"),
    ] {
        assert_eq!(n(x).floor(), n(floor), "{x}");
        assert_eq!(n(x).ceil(), n(ceil), "{x}");
        assert_eq!(n(x).truncate(), n(truncate), "{x}");
        assert_eq!(n(x).round(), n(round), "{x}");
    }
    assert_eq!(n("+inf.0").floor(), n("+inf.0"));
}

#[test]
fn powers_and_roots_stay_exact_where_they_can() {
    assert_eq!(n("2").expt(&n("-2")), Ok(n("1/4")));
    assert_eq!(n("2").pow(&n("-2")), Ok(n("0.25")));
    assert_eq!(n("1").pow(&n("-2")), Ok(n("1")));
    assert_eq!(n("2/3").expt(&n("3")), Ok(n("8/27")));
    assert_eq!(n("0").expt(&n("0")), Ok(n("1")));
    assert_eq!(n("0").expt(&n("-1")), Err(NumError::DivisionByZero));
    assert_eq!(n("-1").expt(&n("100000000000000000001")), Ok(n("-1")));
    assert_eq!(n("2").expt(&n("100000000000000000001")), Err(NumError::TooLarge));
    assert_eq!(n("2").expt(&n("9223372036854775807")), Err(NumError::TooLarge));
    assert_eq!(n("4").expt(&n("0.5")), Ok(n("2.0")));
    assert_eq!(n("16").sqrt(), n("4"));
    assert_eq!(n("1/4").sqrt(), n("1/2"));
    assert_eq!(n("2").sqrt(), n("1.4142135623730951"));
    assert_eq!(n("16.0").sqrt(), n("4.0"));
    assert_eq!(n("17").exact_integer_sqrt(), Ok((n("4"), n("1"))));
    assert_eq!(n("-1").exact_integer_sqrt(), Err(NumError::Negative));
    let ten_to_1000 = n("10").expt(&n("1000")).unwrap_or(n("0"));
    assert!((ten_to_1000.ln() - 1000.0 * 10f64.ln()).abs() < 1e-9);
}

#[test]
fn bits_are_twos_complement() {
    assert_eq!(n("12").bit_and(&n("10")), Ok(n("8")));
    assert_eq!(
        n("-1").bit_and(&n("36893488147419103231")),
        Ok(n("36893488147419103231"))
    );
    assert_eq!(n("5").bit_not(), Ok(n("-6")));
    assert_eq!(n("1").shift(&n("70")), Ok(n("1180591620717411303424")));
    assert_eq!(n("-5").shift(&n("-1")), Ok(n("-3")));
    assert_eq!(n("1").shift(&n("99999999999999")), Err(NumError::TooLarge));
    assert_eq!(n("255").bit_count(), Ok(n("8")));
    assert_eq!(n("-1").bit_count(), Ok(n("0")));
    assert_eq!(n("1/2").bit_count(), Err(NumError::NotAnInteger));
    assert_eq!(n("256").bit_length(), Ok(n("9")));
}

#[test]
fn every_syntax_is_read() {
    for (text, value) in [
        ("+5", Num::Int(5)),
        ("-0x1F", Num::Int(-31)),
        ("#xff", Num::Int(255)),
        ("#b101", Num::Int(5)),
        ("#o17", Num::Int(15)),
        ("#x-1F", Num::Int(-31)),
        ("6/3", Num::Int(2)),
        (".5", Num::Float(0.5)),
        ("1.", Num::Float(1.0)),
        ("-1.5e3", Num::Float(-1500.0)),
        ("1e3", Num::Float(1000.0)),
        ("#e1.5", n("3/2")),
        ("#i1/2", Num::Float(0.5)),
        ("#e#x10", Num::Int(16)),
    ] {
        assert_eq!(Num::parse(text), Parsed::Number(value), "{text}");
    }
    for text in [
        "", "+", "-", ".", "...", "1+", "e3", "1e", "1/", "/2", "1/2/3", "0x", "--1", "1.2.3", "#x", "inf", "1e+",
    ] {
        assert_eq!(Num::parse(text), Parsed::NotANumber, "{text}");
    }
    assert_eq!(Num::parse("1/0"), Parsed::ZeroDenominator);
    assert_eq!(Num::parse_radix("ff", 16), Parsed::Number(Num::Int(255)));
    assert!(matches!(Num::parse("nan"), Parsed::Number(Num::Float(f)) if f.is_nan()));
}

#[test]
fn long_numbers_are_read_quickly_and_right() {
    let digits = "1234567890".repeat(3_000);
    assert_eq!(n(&digits).to_string(), digits);
    assert_eq!(
        n(&digits).sub(&n(&digits[..29_990]).mul(&n("10000000000"))),
        n("1234567890")
    );
    assert_eq!(n("2").expt(&n("100000000")), Err(NumError::TooLarge));
    let big = n("1").shift(&n("60000000")).unwrap_or(n("0"));
    assert_eq!(big.mul_checked(&big), Err(NumError::TooLarge));
}

#[test]
fn floats_print_short_and_with_a_mark() {
    for (f, text) in [
        (2.0, "2.0"),
        (0.1, "0.1"),
        (1e21, "1e21"),
        (1e-7, "1e-7"),
        (-0.0, "-0.0"),
        (f64::INFINITY, "+inf.0"),
        (f64::NAN, "nan"),
        (1.0 / 3.0, "0.3333333333333333"),
    ] {
        assert_eq!(format_float(f), text);
    }
    assert_eq!(n("255").to_text(16), "ff");
    assert_eq!(n("1/3").to_decimal(3), "0.333");
    assert_eq!(n("-1/200").to_decimal(1), "0.0");
    assert_eq!(n("12").to_decimal(2), "12.00");
    assert_eq!(n("3.14159").to_decimal(2), "3.14");
}

#[test]
fn comparison_is_exact_across_kinds() {
    assert!(n("2.5").equals(&n("5/2")));
    assert!(n("1").equals(&n("1.0")));
    assert!(!n("1").same(&n("1.0")));
    assert!(!n("0.1").equals(&n("1/10")));
    assert!(!n("9007199254740993").equals(&n("9007199254740992.0")));
    assert_eq!(
        n("9007199254740993").order(&n("9007199254740992.0")),
        Some(Ordering::Greater)
    );
    assert_eq!(
        n("+inf.0").order(&n("10").expt(&n("400")).unwrap_or(n("0"))),
        Some(Ordering::Greater)
    );
    assert_eq!(n("nan").order(&n("1")), None);
}

#[test]
fn arithmetic_laws_hold_for_generated_numbers() {
    let mut rng = Rng(1);
    for _ in 0..20_000 {
        let (a, b, c) = (rng.exact(), rng.exact(), rng.exact());
        assert_eq!(a.add(&b).sub(&b), a);
        assert_eq!(a.mul(&b.add(&c)), a.mul(&b).add(&a.mul(&c)));
        assert!(is_normal(&a.add(&b)) && is_normal(&a.mul(&b)));
        if !b.is_zero() {
            assert_eq!(a.div_exact(&b).map(|q| q.mul(&b)), Ok(a.clone()));
        }
        assert!(a.sqrt().is_exact() == a.sqrt().mul(&a.sqrt()).equals(&a) || !a.sqrt().is_exact());
        assert!(a.mul(&a).sqrt() == a.abs());
    }
}

#[test]
fn quotient_and_rest_make_the_dividend() {
    let mut rng = Rng(2);
    for _ in 0..20_000 {
        let (a, b) = (rng.integer(), rng.integer());
        if b.is_zero() {
            continue;
        }
        let rebuilt = |q: NumResult, r: NumResult| q.and_then(|q| r.map(|r| q.mul(&b).add(&r)));
        assert_eq!(rebuilt(a.quotient(&b), a.remainder(&b)), Ok(a.clone()));
        assert_eq!(rebuilt(a.floor_quotient(&b), a.modulo(&b)), Ok(a.clone()));
        let gcd = a.gcd(&b).unwrap_or(Num::Int(0));
        assert!(a.remainder(&gcd) == Ok(Num::Int(0)) && b.remainder(&gcd) == Ok(Num::Int(0)));
    }
}

#[test]
fn printing_reads_back_the_same() {
    let mut rng = Rng(3);
    for _ in 0..20_000 {
        let a = rng.any();
        assert!(n(&a.to_string()).same(&a), "{a}");
        let exact = rng.exact();
        let radix = 2 + (rng.next() % 35) as u32;
        assert_eq!(Num::parse_radix(&exact.to_text(radix), radix), Parsed::Number(exact));
    }
}

#[test]
fn order_is_total_but_for_nan() {
    let mut rng = Rng(4);
    for _ in 0..20_000 {
        let (a, b, c) = (rng.any(), rng.any(), rng.any());
        assert_eq!(a.order(&b), b.order(&a).map(Ordering::reverse));
        if a.order(&b) == Some(Ordering::Less) && b.order(&c) == Some(Ordering::Less) {
            assert_eq!(a.order(&c), Some(Ordering::Less));
        }
        if let (Num::Float(_), Ok(exact)) = (&a, a.to_exact()) {
            assert!(exact.equals(&a));
            assert_eq!(exact.to_inexact().order(&a), Some(Ordering::Equal));
        }
    }
}
