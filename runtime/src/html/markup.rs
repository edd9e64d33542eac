//! The text a page is written to. What a page is made of is short, so a piece goes there as whole
//! words; what a word holds behind the end of the piece is written over by the next one.

use super::escape::Escapes;

/// A text of up to `N` bytes, to be written at once.
#[derive(Clone, Copy)]
pub(super) struct Short<const N: usize> {
    bytes: [u8; N],
    len: u8,
}

impl<const N: usize> Short<N> {
    pub(super) const EMPTY: Short<N> = Short { bytes: [0; N], len: 0 };

    /// `None` if the text is too long to be one.
    pub(super) const fn of(text: &str) -> Option<Short<N>> {
        let text = text.as_bytes();
        if text.len() > N || N > u8::MAX as usize {
            return None;
        }
        let mut bytes = [0; N];
        let mut i = 0;
        while i < text.len() {
            bytes[i] = text[i];
            i += 1;
        }
        let len = text.len() as u8;
        Some(Short { bytes, len })
    }

    /// Writes it where `out` begins, and says how far it goes.
    #[inline(always)]
    pub(super) fn write(&self, out: &mut [u8]) -> usize {
        out[..N].copy_from_slice(&self.bytes);
        usize::from(self.len)
    }
}

/// Markup that is being written.
///
/// Invariant: whole texts are appended to whole texts, so `bytes[..len]` is one. What lies behind
/// has no meaning.
pub(super) struct Markup {
    bytes: Vec<u8>,
    len: usize,
}

/// Texts are escaped a piece at a time, so that room for the longest escapes stays small.
const PIECE: usize = 4096;

impl Markup {
    /// An empty one in the memory of a text.
    pub(super) fn in_place_of(text: String) -> Markup {
        let mut bytes = text.into_bytes();
        bytes.clear();
        Markup { bytes, len: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    #[allow(unsafe_code)]
    pub(super) fn into_string(mut self) -> String {
        self.bytes.truncate(self.len);
        // SAFETY: the invariant.
        unsafe { String::from_utf8_unchecked(self.bytes) }
    }

    /// Where the next `room` bytes go.
    #[inline(always)]
    fn ahead(&mut self, room: usize) -> &mut [u8] {
        if self.bytes.len() - self.len < room {
            self.grow(room);
        }
        &mut self.bytes[self.len..][..room]
    }

    #[cold]
    fn grow(&mut self, room: usize) {
        let size = (self.len + room).max(self.bytes.len() * 2).max(1024);
        self.bytes.resize(size, 0);
    }

    #[inline(always)]
    pub(super) fn push_short<const N: usize>(&mut self, text: &Short<N>) {
        self.len += text.write(self.ahead(N));
    }

    pub(super) fn push_str(&mut self, text: &str) {
        self.ahead(text.len()).copy_from_slice(text.as_bytes());
        self.len += text.len();
    }

    pub(super) fn push(&mut self, c: char) {
        self.push_str(c.encode_utf8(&mut [0; 4]));
    }

    /// Writes a text, each byte of it that has an escape as that.
    pub(super) fn push_escaped(&mut self, text: &str, escapes: &Escapes) {
        for piece in text.as_bytes().chunks(PIECE) {
            self.push_piece(piece, escapes);
        }
    }

    #[inline(always)]
    fn push_piece(&mut self, piece: &[u8], escapes: &Escapes) {
        let out = self.ahead((piece.len() + 1) * Escapes::LONGEST);
        let (mut from, mut to) = (0, 0);
        while let Some(word) = piece[from..].first_chunk::<8>() {
            out[to..to + 8].copy_from_slice(word);
            let found = candidates(u64::from_le_bytes(*word));
            if found == 0 {
                from += 8;
                to += 8;
                continue;
            }
            let plain = found.trailing_zeros() as usize / 8;
            to += plain;
            to += escapes.write(word[plain], &mut out[to..]);
            from += plain + 1;
        }
        let mut left = piece.len() - from;
        let mut word = last_word(&piece[from..]);
        loop {
            out[to..to + 8].copy_from_slice(&word.to_le_bytes());
            let plain = candidates(word).trailing_zeros() as usize / 8;
            if plain >= left {
                break;
            }
            to += plain;
            word >>= 8 * plain;
            to += escapes.write(word as u8, &mut out[to..]);
            word >>= 8;
            left -= plain + 1;
        }
        self.len += to + left;
    }
}

/// Fewer than eight bytes as a word, read in parts that may share bytes.
#[inline(always)]
fn last_word(bytes: &[u8]) -> u64 {
    let len = bytes.len();
    let at = |i: usize| u64::from(bytes[i]) << (8 * i);
    match (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        (Some(first), Some(last)) => {
            let last = u64::from(u32::from_le_bytes(*last));
            u64::from(u32::from_le_bytes(*first)) | last << (8 * (len - 4))
        }
        _ if len == 0 => 0,
        _ => at(0) | at(len / 2) | at(len - 1),
    }
}

/// The high bits of bytes that may have an escape: `<` `>` `"` `&` `'`, controls, and the few that
/// differ from these in one bit. Above the lowest of them there may be more bits than bytes.
#[inline(always)]
pub(super) const fn candidates(word: u64) -> u64 {
    let angles = (word | (EACH * 0x02)) ^ (EACH * b'>' as u64);
    let others = (word | (EACH * 0x05)) ^ (EACH * b'\'' as u64);
    below(angles, 1) | below(others, 1) | below(word, b' ')
}

const EACH: u64 = u64::from_le_bytes([1; 8]);

/// The high bits of bytes below a bound, exact up to the lowest.
#[inline(always)]
const fn below(word: u64, bound: u8) -> u64 {
    word.wrapping_sub(EACH * bound as u64) & !word & (EACH << 7)
}

#[cfg(test)]
mod tests {
    use super::super::escape::escape_all;
    use super::*;

    #[test]
    fn every_byte_that_has_an_escape_is_a_candidate_wherever_it_stands() {
        for byte in 0..=u8::MAX {
            let is_special = byte < b' ' || b"<>\"&'".contains(&byte);
            let is_near = matches!(byte, b'#' | b'%' | b'"');
            for at in 0..8 {
                let mut word = [b'a'; 8];
                word[at] = byte;
                let found = candidates(u64::from_le_bytes(word));
                assert!(
                    found == 0 && !is_special || found.trailing_zeros() as usize / 8 == at && (is_special || is_near),
                    "{byte} at {at}"
                );
            }
        }
    }

    #[test]
    fn texts_of_every_length_are_escaped_whole() {
        let text: String = "é<ab&cdefg>hij\"klmno'pqrstuvwxyz\n€".repeat(400);
        let slow = |text: &str| -> String {
            text.chars()
                .map(|c| match c {
                    '&' => "&amp;".to_owned(),
                    '<' => "&lt;".to_owned(),
                    '>' => "&gt;".to_owned(),
                    '"' => "&quot;".to_owned(),
                    '\'' => "&#39;".to_owned(),
                    c => c.to_string(),
                })
                .collect()
        };
        let ends = text
            .char_indices()
            .map(|(at, _)| at)
            .filter(|at| *at < 80 || at % 97 == 0);
        for end in ends.chain([text.len()]) {
            assert_eq!(escape_all(&text[..end]), slow(&text[..end]), "{end}");
        }
    }
}
