//! Numbers from and to text, and `format`.
//!
//! Reading is `Num::parse`, the reader's own, so a program and its source agree on what a number
//! is; a text that is none gives nil or the default, never an error.

use super::{Cx, prims};
use crate::error::{Code, Raise};
use crate::num::{Num, Parsed};
use crate::print::{Style, push_decimal};
use crate::value::{Value, Word};

prims! { NUMTEXT {
    /// The text of a number, in a radix from 2 to 36.
    "number->string" (n: Number, radix: Index optional) -> String, Pure, number_to_string, ["(number->string 255 16) ; => \"ff\"", "(number->string 2.0) ; => \"2.0\""];
    /// The number a text is in a radix (10 if not given), nil if it is none.
    "string->number" (s: String, radix: Index optional) -> Any, Pure, string_to_number, ["(string->number \"ff\" 16) ; => 255", "(string->number \"1/2\") ; => 1/2", "(string->number \"x\") ; => nil"];
    /// The integer a text is, else default (or nil). White space around it does not count.
    "parse-int" (s: Any, default: Any optional) -> Any, Pure, |cx| parse(cx, |n| n.is_exact_integer().then_some(n)), ["(parse-int \"42\") ; => 42", "(parse-int \"x\" 0) ; => 0"];
    /// The number a text is, as a float, else default (or nil).
    "parse-float" (s: Any, default: Any optional) -> Any, Pure, |cx| parse(cx, |n| Some(n.to_inexact())), ["(parse-float \"2.5\") ; => 2.5", "(parse-float \"2\") ; => 2.0"];
    /// The number a text is, else default (or nil).
    "parse-number" (s: Any, default: Any optional) -> Any, Pure, |cx| parse(cx, Some), ["(parse-number \"1/2\") ; => 1/2", "(parse-number \"\") ; => nil"];
    /// The number with exactly so many decimals (2 if not given).
    "format-decimal" (n: Number, places: Index optional) -> String, Pure, format_decimal, ["(format-decimal 3.14159 2) ; => \"3.14\"", "(format-decimal 5) ; => \"5.00\""];
    /// The template with its directives replaced: `~a` display, `~s` inspect, `~d` decimal, `~x ~o ~b`
    /// radix, `~f` fixed point (`~2f` with two decimals), `~e` exponent, `~%` newline, `~&` newline unless
    /// at the start of a line, `~t` tab, `~~` tilde.
    "format" (template: String, args: Any rest) -> String, Reads, format, ["(format \"~a ~s ~x~%\" \"a\" \"b\" 255) ; => \"a \\\"b\\\" ff\\n\"", "(format \"~2f\" 1/3) ; => \"0.33\"", "(format \"~a\") ; error: format: too few arguments for ~a"];
} }

fn radix(cx: &Cx<'_>, at: usize, who: &str) -> Result<u32, Raise> {
    match cx.given(at).map(|_| cx.index(at)) {
        None => Ok(10),
        Some(radix @ 2..=36) => Ok(radix as u32),
        Some(_) => Err(Raise::new(Code::Range, format!("{who}: the radix is not between 2 and 36")).with_arg(at)),
    }
}

fn number_to_string(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let radix = radix(cx, 1, "number->string")?;
    match (cx.arg(0).as_fixnum(), radix) {
        (Some(i), 10) => {
            let mut text = cx.take_text();
            push_decimal(&mut text, i);
            let answer = cx.give_string(&text);
            cx.keep_text(text);
            answer
        }
        _ => {
            let text = cx.num(0).to_text(radix);
            cx.give_string(&text)
        }
    }
}

fn string_to_number(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    match Num::parse_radix(cx.text(0), radix(cx, 1, "string->number")?) {
        Parsed::Number(n) => cx.give_num(&n),
        _ => Ok(Word::NIL),
    }
}

fn parse(cx: &mut Cx<'_>, accept: fn(Num) -> Option<Num>) -> Result<Word, Raise> {
    let v = cx.arg(0);
    let number = match (v.as_str(), v.as_number()) {
        (Some(text), _) => match Num::parse(text.trim()) {
            Parsed::Number(n) => Some(n),
            _ => None,
        },
        (None, number) => number,
    };
    match number.and_then(accept) {
        Some(n) => cx.give_num(&n),
        None => Ok(cx.arg(1).word()),
    }
}

/// More decimals than any double or sensible rational has.
const PLACES_MAX: usize = 10_000;

fn format_decimal(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let places = cx.given(1).map_or(2, |_| cx.index(1)).min(PLACES_MAX);
    let text = cx.num(0).to_decimal(places);
    cx.give_string(&text)
}

fn format(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let mut out = String::new();
    let mut next = 1;
    let mut chars = cx.text(0).chars();
    while let Some(c) = chars.next() {
        if c != '~' {
            out.push(c);
            continue;
        }
        let mut digits = String::new();
        let mut directive = chars.next();
        while let Some(d) = directive.filter(|d| d.is_ascii_digit() || *d == ',') {
            digits.push(d);
            directive = chars.next();
        }
        let Some(directive) = directive else {
            return Err(Raise::new(Code::Value, "format: the template ends in ~"));
        };
        match directive.to_ascii_lowercase() {
            '%' | 'n' => out.push('\n'),
            '~' => out.push('~'),
            't' => out.push('\t'),
            '&' if out.is_empty() || out.ends_with('\n') => {}
            '&' => out.push('\n'),
            directive => {
                if next >= cx.argc() {
                    return Err(Raise::new(
                        Code::Value,
                        format!("format: too few arguments for ~{directive}"),
                    ));
                }
                let places = digits.trim_start_matches(',').parse().ok();
                argument_onto(cx, &mut out, directive, places, cx.arg(next))?;
                next += 1;
            }
        }
    }
    cx.give_string(&out)
}

/// Adds an argument as a directive shows it.
fn argument_onto(
    cx: &Cx<'_>,
    out: &mut String,
    directive: char,
    places: Option<usize>,
    v: Value<'_>,
) -> Result<(), Raise> {
    let number = || v.as_number().ok_or_else(|| super::check::expected_number(v));
    match directive {
        'a' => cx.show_onto(out, v, Style::Display)?,
        's' | 'w' => cx.show_onto(out, v, Style::Write)?,
        'd' => out.push_str(&number()?.to_text(10)),
        'x' => out.push_str(&number()?.to_text(16)),
        'o' => out.push_str(&number()?.to_text(8)),
        'b' => out.push_str(&number()?.to_text(2)),
        'f' => match places {
            Some(places) => out.push_str(&number()?.to_decimal(places.min(PLACES_MAX))),
            None => out.push_str(&fixed(number()?.to_f64())),
        },
        'e' => out.push_str(&format!("{:e}", number()?.to_f64())),
        other => return Err(Raise::new(Code::Value, format!("format: unknown directive ~{other}"))),
    }
    Ok(())
}

/// A double without an exponent.
fn fixed(f: f64) -> String {
    if !f.is_finite() {
        return crate::num::format_float(f);
    }
    let text = format!("{f}");
    if text.contains('.') { text } else { text + ".0" }
}
