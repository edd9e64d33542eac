//! The epoch protocol as transcripts: files of lines sent (`> `) and lines that come back. And lines
//! made at random, of which each gets at most one reply.

use crate::support;
use std::path::Path;

fn talk(input: &[u8]) -> String {
    support::talk(input, None, support::isolate)
}

#[test]
fn transcripts() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/epoch");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let text = std::fs::read_to_string(&path).expect("text");
        let mut input = String::new();
        let mut wanted = String::from("(ready)\n");
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            match line.strip_prefix("> ") {
                Some(sent) => {
                    input.push_str(sent);
                    input.push('\n');
                }
                None => {
                    wanted.push_str(line);
                    wanted.push('\n');
                }
            }
        }
        assert_eq!(talk(input.as_bytes()), wanted, "{}", path.display());
        count += 1;
    }
    assert!(count >= 5, "{count} transcripts");
}

/// A small generator with a seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n as u64) as usize
    }
}

#[test]
fn no_line_ends_the_session_or_is_answered_twice() {
    const PIECES: [&str; 22] = [
        "(",
        ")",
        "\"",
        "eval",
        "ping",
        " ",
        "epoch",
        "1",
        "-1",
        "(ping)",
        "io-response",
        ":a",
        "{",
        "}",
        "'",
        ";",
        "\\",
        "load-source",
        "(eval \"(+ 1 2)\")",
        "(eval \"(perform '(query))\")",
        "\u{1}",
        "ü",
    ];
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    for round in 0..40 {
        let mut input: Vec<u8> = Vec::new();
        for _ in 0..20 {
            for _ in 0..dice.below(8) {
                input.extend_from_slice(PIECES[dice.below(PIECES.len())].as_bytes());
                if dice.below(40) == 0 {
                    input.push(dice.below(256) as u8);
                }
            }
            input.push(b'\n');
        }
        let sent = input.iter().filter(|byte| **byte == b'\n').count();
        input.extend_from_slice(b"(ping)\n(epoch 99999999)\n(ping)\n");
        let output = talk(&input);
        let replies = output
            .lines()
            .filter(|line| line.starts_with("(ok") || line.starts_with("(error"))
            .count();
        assert!(replies <= sent + 2, "round {round}: {output}");
        assert!(output.ends_with("(ok 99999999)\n"), "round {round}: {output}");
    }
}
