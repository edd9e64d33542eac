//! Is what a program printed the answer? Numbers compare as numbers, since systems print
//! the same float as `-169083713`, `-169083713.` and `-169083713.0`.

/// Do both texts hold the same words, numbers compared by value?
pub fn agrees(printed: &str, expected: &str) -> bool {
    let mut printed = printed.split_whitespace();
    let mut expected = expected.split_whitespace();
    loop {
        match (printed.next(), expected.next()) {
            (None, None) => return true,
            (Some(a), Some(b)) if word_agrees(a, b) => {}
            _ => return false,
        }
    }
}

fn word_agrees(a: &str, b: &str) -> bool {
    if a == b {
        return true;
    }
    match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(x), Ok(y)) => x == y,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::agrees;

    #[test]
    fn numbers_agree_by_value() {
        assert!(agrees("-169083713.0\n", "-169083713"));
        assert!(agrees("-169083713.\n", "-169083713"));
        assert!(agrees("499500 999 879866 15 \n", "499500 999 879866 15"));
        assert!(agrees("hello\n", "hello"));
    }

    #[test]
    fn anything_else_is_wrong() {
        assert!(!agrees("", "60"));
        assert!(!agrees("61", "60"));
        assert!(!agrees("60 60", "60"));
        assert!(!agrees("5000", "5000 251"));
        assert!(!agrees("hullo", "hello"));
        assert!(!agrees("nan", "60"));
    }
}
