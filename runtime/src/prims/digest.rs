//! Hashing and encodings of text and bytes. Digests are lower-case hexadecimal.
//!
//! Deliberately absent: encryption and passwords, which are in `crypto.rs`.

use super::{Cx, prims};
use crate::error::{Code, Raise};
use crate::print::Style;
use crate::value::Word;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD, URL_SAFE_NO_PAD};
use base64::engine::{DecodePaddingMode, Engine};
use base64::{DecodeError, alphabet};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use sha3::Sha3_256;

prims! { DIGEST {
    /// The SHA-256 digest of a string or bytevector.
    "sha256" (x: Any) -> String, Pure, |cx| { let hex = hex(&Sha256::digest(data(cx, 0, "sha256")?)); cx.give_string(&hex) }, ["(sha256 \"abc\") ; => \"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\""];
    /// The SHA3-256 digest of a string or bytevector.
    "sha3-256" (x: Any) -> String, Pure, |cx| { let hex = hex(&Sha3_256::digest(data(cx, 0, "sha3-256")?)); cx.give_string(&hex) }, ["(sha3-256 \"abc\") ; => \"3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532\""];
    /// The HMAC-SHA-256 of a message under a key, both strings or bytevectors.
    "hmac-sha256" (key: Any, message: Any) -> String, Pure, hmac_sha256, ["(hmac-sha256 \"key\" \"message\") ; => \"6e9ef29b75fffc5b7abae527d58fdadb2fe42e7219011976917343065f58ed4a\""];
    /// The SHA3-256 digest of a value's canonical text: equal values have one.
    "content-id" (x: Any) -> String, Reads, content_id, ["(= (content-id {:a 1 :b 2}) (content-id {:b 2 :a 1})) ; => true"];
    /// Are two strings or bytevectors equal? Takes the same time wherever they differ.
    "secure-equal?" (a: Any, b: Any) -> Bool, Pure, secure_equal, ["(secure-equal? \"ab\" \"ab\") ; => true"];
    /// A string or bytevector in base 64.
    "base64-encode" (x: Any) -> String, Pure, |cx| { let text = STANDARD.encode(data(cx, 0, "base64-encode")?); cx.give_string(&text) }, ["(base64-encode \"hello\") ; => \"aGVsbG8=\""];
    /// A string or bytevector in base 64 for URLs, without padding.
    "base64url-encode" (x: Any) -> String, Pure, |cx| { let text = URL_SAFE_NO_PAD.encode(data(cx, 0, "base64url-encode")?); cx.give_string(&text) }, ["(base64url-encode \"??>\") ; => \"Pz8-\""];
    /// What a text in base 64 (also for URLs) stands for: a string if that is UTF-8, else a bytevector.
    "base64-decode" | "base64url-decode" (s: String) -> Any, Pure, base64_decode, ["(base64-decode \"aGVsbG8=\") ; => \"hello\"", "(base64-decode \"/w==\") ; => #u8(255)", "(base64-decode \"a\") ; error: base64-decode: not base 64"];
    /// A string or bytevector in hexadecimal.
    "hex-encode" (x: Any) -> String, Pure, |cx| { let text = hex(&data(cx, 0, "hex-encode")?); cx.give_string(&text) }, ["(hex-encode \"az\") ; => \"617a\""];
    /// The bytes a hexadecimal text stands for.
    "hex-decode" (s: String) -> Bytes, Pure, hex_decode, ["(hex-decode \"617a\") ; => #u8(97 122)"];
    /// A text as a part of a URL: letters, digits and -._~ stay, other bytes become %XX.
    "url-encode" (s: String) -> String, Pure, url_encode, ["(url-encode \"a b/ü\") ; => \"a%20b%2F%C3%BC\""];
    /// The text that a part of a URL stands for; + is a space.
    "url-decode" (s: String) -> String, Pure, url_decode, ["(url-decode \"a%20b+c%C3%BC\") ; => \"a b cü\""];
} }

/// The bytes of the string or bytevector in operand `i`.
pub(super) fn data(cx: &Cx<'_>, i: usize, who: &str) -> Result<Vec<u8>, Raise> {
    let v = cx.arg(i);
    let bytes = v
        .as_name()
        .map(|text| text.as_bytes().to_vec())
        .or_else(|| v.bytes_to_vec());
    bytes.ok_or_else(|| {
        Raise::new(
            Code::Type,
            format!("{who}: expected string or bytevector, got {}", v.type_name()),
        )
        .with_arg(i)
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn hmac_sha256(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let (key, message) = (data(cx, 0, "hmac-sha256")?, data(cx, 1, "hmac-sha256")?);
    // A key of any length is taken.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&key) else {
        return Err(Raise::new(Code::Value, "hmac-sha256: no key"));
    };
    mac.update(&message);
    cx.give_string(&hex(&mac.finalize().into_bytes()))
}

fn content_id(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let mut text = String::new();
    cx.show_onto(&mut text, cx.arg(0), Style::Canonical)?;
    cx.give_string(&hex(&Sha3_256::digest(text.as_bytes())))
}

fn secure_equal(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let (a, b) = (data(cx, 0, "secure-equal?")?, data(cx, 1, "secure-equal?")?);
    Ok(Word::bool(same_bytes(&a, &b)))
}

/// Are the bytes equal? Takes the same time wherever they differ.
pub(super) fn same_bytes(a: &[u8], b: &[u8]) -> bool {
    let differing = a.iter().zip(b).fold(0, |bits, (x, y)| bits | (x ^ y));
    a.len() == b.len() && std::hint::black_box(differing) == 0
}

/// Base 64 in either alphabet, padded or not.
fn from_base64(text: &str) -> Result<Vec<u8>, DecodeError> {
    const EITHER: GeneralPurpose = GeneralPurpose::new(
        &alphabet::STANDARD,
        GeneralPurposeConfig::new()
            .with_decode_padding_mode(DecodePaddingMode::Indifferent)
            .with_decode_allow_trailing_bits(true),
    );
    let digit = |c: char| match c {
        '-' => '+',
        '_' => '/',
        c => c,
    };
    let digits: String = text.chars().filter(|c| !c.is_ascii_whitespace()).map(digit).collect();
    EITHER.decode(digits)
}

fn base64_decode(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let bytes = from_base64(cx.text(0)).map_err(|error| {
        let what = match error {
            DecodeError::InvalidByte(at, _) => format!("base64-decode: not base 64 at digit {at}"),
            _ => "base64-decode: not base 64".into(),
        };
        Raise::new(Code::Value, what)
    })?;
    match String::from_utf8(bytes) {
        Ok(text) => cx.give_string(&text),
        Err(error) => cx.give_bytes(error.as_bytes()),
    }
}

fn hex_decode(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let text = cx.text(0).as_bytes();
    let digit = |c: u8| char::from(c).to_digit(16);
    let pairs = text.chunks(2).map(|pair| match pair {
        [a, b] => Some((digit(*a)? * 16 + digit(*b)?) as u8),
        _ => None,
    });
    match pairs.collect::<Option<Vec<u8>>>() {
        Some(bytes) => cx.give_bytes(&bytes),
        None => Err(Raise::new(Code::Value, "hex-decode: not hexadecimal")),
    }
}

fn url_encode(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let mut out = String::new();
    for b in cx.text(0).bytes() {
        if b.is_ascii_alphanumeric() || b"-._~".contains(&b) {
            out.push(char::from(b));
        } else {
            out.push_str(&format!("%{b:02X}"));
        }
    }
    cx.give_string(&out)
}

fn url_decode(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let text = cx.text(0).as_bytes();
    let digit = |at: usize| text.get(at).and_then(|c| char::from(*c).to_digit(16));
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        match (text[at], digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 2;
            }
            (b'+', _, _) => out.push(b' '),
            (c, _, _) => out.push(c),
        }
        at += 1;
    }
    let text = String::from_utf8_lossy(&out).into_owned();
    cx.give_string(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_goes_both_ways_for_every_length() {
        for len in 0..40u8 {
            let bytes: Vec<u8> = (0..len).map(|i| i.wrapping_mul(37)).collect();
            assert_eq!(from_base64(&STANDARD.encode(&bytes)), Ok(bytes.clone()));
            assert_eq!(from_base64(&URL_SAFE_NO_PAD.encode(&bytes)), Ok(bytes));
        }
        assert_eq!(from_base64("a*b"), Err(DecodeError::InvalidByte(1, b'*')));
    }
}
