//! The name of a blob: a content identifier, version 1, codec raw, SHA-256, written in base32.
//!
//! Invariant: equal bytes have equal names, so putting a blob twice keeps one copy.

use sha2::{Digest, Sha256};

/// What stands before the digest: version 1, raw bytes, SHA-256, 32 bytes long.
const HEADER: [u8; 4] = [0x01, 0x55, 0x12, 0x20];
/// RFC 4648 base32, lower case, without padding.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
/// `b` for base32 and 36 bytes in it.
const TEXT_LENGTH: usize = 59;

/// The name of a blob.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cid([u8; 32]);

impl Cid {
    /// The name of these bytes.
    pub fn of(bytes: &[u8]) -> Cid {
        Cid(Sha256::digest(bytes).into())
    }
    /// The name with this digest.
    pub fn from_digest(digest: [u8; 32]) -> Cid {
        Cid(digest)
    }
    /// SHA-256 of the blob.
    pub fn digest(&self) -> &[u8; 32] {
        &self.0
    }
    /// Reads a name as `Display` writes it; `None` for any other text.
    pub fn read(text: &str) -> Option<Cid> {
        let digits = text.strip_prefix('b').filter(|_| text.len() == TEXT_LENGTH)?;
        let mut bytes = Vec::with_capacity(36);
        let (mut bits, mut count) = (0u32, 0);
        for digit in digits.bytes() {
            let value = ALPHABET.iter().position(|letter| *letter == digit)?;
            bits = bits << 5 | value as u32;
            count += 5;
            if count >= 8 {
                count -= 8;
                bytes.push((bits >> count) as u8);
                bits &= (1 << count) - 1;
            }
        }
        // Bits left over would give one name two spellings.
        let digest = bytes.strip_prefix(&HEADER).filter(|_| bits == 0)?;
        Some(Cid(digest.try_into().ok()?))
    }
}

impl std::fmt::Display for Cid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = String::with_capacity(TEXT_LENGTH);
        text.push('b');
        let (mut bits, mut count) = (0u32, 0);
        for byte in HEADER.iter().chain(&self.0) {
            bits = bits << 8 | u32::from(*byte);
            count += 8;
            while count >= 5 {
                count -= 5;
                text.push(char::from(ALPHABET[(bits >> count) as usize & 31]));
                bits &= (1 << count) - 1;
            }
        }
        if count > 0 {
            text.push(char::from(ALPHABET[(bits << (5 - count)) as usize & 31]));
        }
        f.write_str(&text)
    }
}

impl std::fmt::Debug for Cid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names made by another program: base32 over the header and SHA-256, from a Python shell.
    #[test]
    fn names_are_those_of_other_programs() {
        let known = [
            ("", "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"),
            (
                "hello world",
                "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e",
            ),
        ];
        for (text, name) in known {
            assert_eq!(Cid::of(text.as_bytes()).to_string(), name);
            assert_eq!(Cid::read(name), Some(Cid::of(text.as_bytes())));
        }
    }

    #[test]
    fn other_texts_are_no_names() {
        let name = Cid::of(b"x").to_string();
        let long = format!("{name}a");
        let second_spelling = format!("{}{}", &name[..58], if name.ends_with('b') { 'c' } else { 'b' });
        for text in ["", "b", &name[1..], &long, &name.to_uppercase(), "../../etc/passwd"] {
            assert_eq!(Cid::read(text), None, "{text}");
        }
        assert_ne!(Cid::read(&second_spelling), Some(Cid::of(b"x")));
    }
}
