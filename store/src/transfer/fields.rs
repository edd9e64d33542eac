//! Bytes as a field of a line: `"text"` with escapes where most of it is text, `=base64` where
//! that is shorter.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Writes a field.
pub fn write(bytes: &[u8], out: &mut String) {
    let escaped: usize = bytes.iter().map(|byte| escaped_length(*byte)).sum();
    if escaped > bytes.len().div_ceil(3) * 4 {
        out.push('=');
        write_base64(bytes, out);
    } else {
        out.push('"');
        bytes.iter().for_each(|byte| escape(*byte, out));
        out.push('"');
    }
}

fn escaped_length(byte: u8) -> usize {
    match byte {
        b'"' | b'\\' | b'\n' => 2,
        b' '..=b'~' => 1,
        _ => 4,
    }
}

fn escape(byte: u8, out: &mut String) {
    match byte {
        b'"' => out.push_str("\\\""),
        b'\\' => out.push_str("\\\\"),
        b'\n' => out.push_str("\\n"),
        b' '..=b'~' => out.push(char::from(byte)),
        _ => out.push_str(&format!("\\x{byte:02x}")),
    }
}

fn write_base64(bytes: &[u8], out: &mut String) {
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for digit in 0..4 {
            let letter = if digit <= chunk.len() {
                ALPHABET[(bits >> (18 - 6 * digit)) as usize & 63]
            } else {
                b'='
            };
            out.push(char::from(letter));
        }
    }
}

/// Reads a field at the beginning of `text`; gives what is behind it too.
pub fn read(text: &str) -> Result<(Vec<u8>, &str), String> {
    if let Some(text) = text.strip_prefix('"') {
        read_escaped(text)
    } else if let Some(text) = text.strip_prefix('=') {
        let end = text.find(' ').unwrap_or(text.len());
        Ok((read_base64(&text[..end])?, &text[end..]))
    } else {
        Err("here should be a text in quotes, or base64 after `=`".to_owned())
    }
}

fn read_escaped(text: &str) -> Result<(Vec<u8>, &str), String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes().enumerate();
    while let Some((at, byte)) = rest.next() {
        match byte {
            b'"' => return Ok((bytes, &text[at + 1..])),
            b'\\' => match rest.next().map(|(_, byte)| byte) {
                Some(b'n') => bytes.push(b'\n'),
                Some(byte @ (b'"' | b'\\')) => bytes.push(byte),
                Some(b'x') => {
                    let digits = text
                        .get(at + 2..at + 4)
                        .and_then(|digits| u8::from_str_radix(digits, 16).ok());
                    bytes.push(digits.ok_or("`\\x` wants two hexadecimal digits")?);
                    rest.nth(1);
                }
                _ => return Err("a `\\` is followed by `n`, `x`, `\"` or `\\`".to_owned()),
            },
            b' '..=b'~' => bytes.push(byte),
            _ => return Err(format!("byte {byte} wants to be written `\\x{byte:02x}`")),
        }
    }
    Err("the text has no closing quote".to_owned())
}

fn read_base64(text: &str) -> Result<Vec<u8>, String> {
    let wrong = || "this is not base64".to_owned();
    let digits = text.trim_end_matches('=');
    if !text.len().is_multiple_of(4) || text.len() - digits.len() > 2 {
        return Err(wrong());
    }
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0u32, 0);
    for digit in digits.bytes() {
        let value = ALPHABET.iter().position(|letter| *letter == digit).ok_or_else(wrong)?;
        bits = bits << 6 | value as u32;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    if bits == 0 { Ok(bytes) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_round_trip() {
        let mut cases: Vec<Vec<u8>> = (0..=255u8).map(|byte| vec![byte; usize::from(byte) % 7]).collect();
        cases.extend((0..6).map(|length| vec![0xff; length]));
        cases.push((0..=255).collect());
        cases.push(b"a \"quoted\" \\ text\n".to_vec());
        for bytes in cases {
            let mut text = String::new();
            write(&bytes, &mut text);
            assert!(text.is_ascii() && !text.contains('\n'));
            text.push_str(" rest");
            assert_eq!(read(&text), Ok((bytes, " rest")));
        }
    }

    #[test]
    fn known_base64() {
        let mut text = String::new();
        write(b"\xff\xfe\xfd\xfc", &mut text);
        assert_eq!(text, "=//79/A==");
    }

    #[test]
    fn what_is_no_field_is_said() {
        for text in [
            "",
            "x",
            "\"abc",
            "\"\\q\"",
            "\"\\x1\"",
            "\"\\xzz\"",
            "\"\u{e9}\"",
            "=abc",
            "=a===",
            "=ab!=",
            "=ab==",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
