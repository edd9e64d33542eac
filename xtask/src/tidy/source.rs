//! Rust text without its comments and literals, line for line, so that a rule looking for a
//! word of the language does not find it in prose.
//!
//! Invariant: the result has the same lines as the text; what was removed became spaces.

/// `text` with comments, strings and character literals blanked.
pub fn code_only(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = skip(bytes, at);
        for byte in &mut out[at..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at = end.max(at + 1);
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The end of the comment or literal that begins at `at`, or `at` if none does.
fn skip(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    let after_word = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
    match rest {
        [b'/', b'/', ..] => at + find(rest, b"\n").unwrap_or(rest.len()),
        [b'/', b'*', ..] => at + block_comment(rest),
        [b'"', ..] => at + quoted(rest, b'"'),
        [b'r', b'"' | b'#', ..] if !after_word => at + raw_string(&rest[1..]).map_or(0, |n| n + 1),
        [b'b', b'r', b'"' | b'#', ..] if !after_word => at + raw_string(&rest[2..]).map_or(0, |n| n + 2),
        // A lifetime has no closing quote right behind its first character.
        [b'\'', b'\\', ..] => at + quoted(rest, b'\''),
        [b'\'', first, ..] if *first >= 0x80 => {
            let width = rest.iter().skip(2).take_while(|b| **b & 0xc0 == 0x80).count() + 2;
            at + if rest.get(width) == Some(&b'\'') { width + 1 } else { 0 }
        }
        [b'\'', _, b'\'', ..] => at + 3,
        _ => at,
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

fn block_comment(bytes: &[u8]) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < bytes.len() {
        match &bytes[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn quoted(bytes: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < bytes.len() && bytes[at] != quote {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(bytes.len())
}

/// The length of `#*"…"#*`, or nothing when these hashes open no string (`r#name`).
fn raw_string(bytes: &[u8]) -> Option<usize> {
    let hashes = bytes.iter().take_while(|b| **b == b'#').count();
    if bytes.get(hashes) != Some(&b'"') {
        return None;
    }
    let close: Vec<u8> = std::iter::once(b'"').chain(std::iter::repeat_n(b'#', hashes)).collect();
    let body = &bytes[hashes + 1..];
    let length = find(body, &close).map_or(body.len(), |at| at + close.len());
    Some(hashes + 1 + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_and_literals_become_spaces() {
        let text = "a // unsafe\nb \"un\\\"safe\" c /* x /* unsafe */ y */ d r#\"unsafe\"# 'u' '\\'' 'é' e";
        let words: Vec<String> = code_only(text).split_whitespace().map(str::to_owned).collect();
        assert_eq!(words, ["a", "b", "c", "d", "e"]);
    }

    #[test]
    fn lifetimes_and_raw_names_stay() {
        let text = "fn f<'a>(r#type: &'a str) -> &'static str";
        assert_eq!(code_only(text), text);
    }
}
