//! Escaping, a function for each place a text can stand in.
//!
//! Invariant: a parser that reads what was written there gets the text back, but for NUL, which
//! no HTML can hold and which becomes U+FFFD.

use super::markup::{Markup, Short, candidates};

/// How characters are written in a place: the number of its text for each byte that begins one, 0
/// for those that stay as they are.
pub(super) struct Escapes {
    number: [u8; 256],
    texts: [Short<{ Escapes::LONGEST }>; 8],
}

impl Escapes {
    pub(super) const LONGEST: usize = 8;

    const fn of(pairs: &[(u8, &'static str)]) -> Escapes {
        let mut escapes = Escapes {
            number: [0; 256],
            texts: [Short::EMPTY; 8],
        };
        let mut i = 0;
        while i < pairs.len() {
            let (byte, text) = pairs[i];
            let Some(text) = Short::of(text) else { panic!() };
            assert!(candidates(u64::from_le_bytes([byte; 8])) != 0);
            i += 1;
            escapes.number[byte as usize] = i as u8;
            escapes.texts[i] = text;
        }
        escapes
    }

    /// Writes a byte of a text where `out` begins, or its escape, and says how far that goes.
    #[inline(always)]
    pub(super) fn write(&self, byte: u8, out: &mut [u8]) -> usize {
        let number = usize::from(self.number[usize::from(byte)]);
        if number == 0 {
            out[0] = byte;
            return 1;
        }
        self.texts[number].write(out)
    }
}

const AND: (u8, &str) = (b'&', "&amp;");
const LESS: (u8, &str) = (b'<', "&lt;");
const MORE: (u8, &str) = (b'>', "&gt;");
const QUOTE: (u8, &str) = (b'"', "&quot;");
/// A parser makes a newline of every carriage return that is not written so.
const RETURN: (u8, &str) = (b'\r', "&#13;");
const NUL: (u8, &str) = (0, "\u{fffd}");

static TEXT: Escapes = Escapes::of(&[AND, LESS, MORE, RETURN, NUL]);
static ATTRIBUTE: Escapes = Escapes::of(&[AND, LESS, MORE, QUOTE, RETURN, NUL]);
static ALL: Escapes = Escapes::of(&[AND, LESS, MORE, QUOTE, (b'\'', "&#39;")]);

/// Text between tags.
pub(super) fn push_text(out: &mut Markup, text: &str) {
    out.push_escaped(text, &TEXT);
}

/// The value of an attribute, between double quotes.
pub(super) fn push_attribute(out: &mut Markup, text: &str) {
    out.push_escaped(text, &ATTRIBUTE);
}

/// Text that means itself in text and in attributes with either quote.
pub fn escape_all(text: &str) -> String {
    let mut out = Markup::in_place_of(String::new());
    out.push_escaped(text, &ALL);
    out.into_string()
}

/// A comment; what would end it early is broken up.
pub(super) fn push_comment(out: &mut Markup, text: &str) {
    out.push_str("<!--");
    let mut last = '-';
    for c in text.chars() {
        if last == '-' && (c == '-' || c == '>') || last == '!' && c == '>' {
            out.push(' ');
        }
        out.push(if c == '\0' { '\u{fffd}' } else { c });
        last = c;
    }
    if matches!(last, '-' | '!') {
        out.push(' ');
    }
    out.push_str("-->");
}

/// JSON inside a script element: no tag can begin in it.
pub(super) fn push_json(out: &mut Markup, text: &str) {
    let mut pieces = text.split('<');
    out.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        out.push_str("\\u003c");
        out.push_str(piece);
    }
}

/// Could that text, inside a program element of that name, end the element or hide its end?
pub(super) fn leaves_program(text: &str, tag: &str) -> bool {
    text.match_indices('<').any(|(at, _)| {
        let rest = &text.as_bytes()[at + 1..];
        let ends = rest.first() == Some(&b'/')
            && rest
                .get(1..=tag.len())
                .is_some_and(|name| name.eq_ignore_ascii_case(tag.as_bytes()));
        ends || rest.starts_with(b"!--")
    })
}

/// What stands before the colon of an address, and what follows, as a browser sees it: it takes no
/// notice of control characters and spaces there, nor of case.
fn scheme_of(url: &str) -> Option<(String, String)> {
    const LONGEST: usize = 16;
    // The colon of a scheme stands before anything that begins another part.
    let end = url.bytes().find(|b| b":/?#".contains(b))?;
    if end != b':' {
        return None;
    }
    let mut scheme = String::new();
    let mut rest = url.chars().filter(|c| !c.is_control() && !c.is_whitespace());
    while let Some(c) = rest.next() {
        match c {
            ':' => return Some((scheme, rest.take(LONGEST).collect())),
            c if c.is_ascii_alphanumeric() || "+-.".contains(c) => scheme.push(c.to_ascii_lowercase()),
            _ => return None,
        }
        if scheme.len() > LONGEST {
            return None;
        }
    }
    None
}

/// The scheme of an address that runs a program or makes up a document, if it has such a one.
/// `images`: may an image be given as data?
pub(super) fn refused_scheme(url: &str, images: impl FnOnce() -> bool) -> Option<&'static str> {
    let (scheme, rest) = scheme_of(url)?;
    let refused = ["javascript", "vbscript", "livescript", "data"];
    let known = refused.into_iter().find(|s| *s == scheme)?;
    let is_image = known == "data" && rest.to_ascii_lowercase().starts_with("image/");
    (!(is_image && images())).then_some(known)
}
