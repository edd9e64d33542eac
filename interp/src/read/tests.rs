//! Text in, tree (in a plain notation) or messages out.

use super::*;

/// A tree in a notation that shows node kinds.
fn show(stx: &Stx) -> String {
    let list = |items: &[Stx]| items.iter().map(show).collect::<Vec<_>>().join(" ");
    match &stx.node {
        Node::Nil => "nil".into(),
        Node::Bool(b) => b.to_string(),
        Node::Int(n) => n.to_string(),
        Node::Big(n) => format!("big:{n}"),
        Node::Ratio(r) => format!("{}/{}", r.numer(), r.denom()),
        Node::Float(f) => format!("{f:?}"),
        Node::Char(c) => format!("char:{:x}", *c as u32),
        Node::Str(s) => format!("{s:?}"),
        Node::Sym(name) => name.to_string(),
        Node::Alias(name, row) => format!("{name}~{row}"),
        Node::Keyword(name) => format!(":{name}"),
        Node::List(items) => format!("({})", list(items)),
        Node::Dotted(items, tail) => format!("({} . {})", list(items), show(tail)),
        Node::Vector(items) => format!("#({})", list(items)),
        Node::Bytes(bytes) => format!("{bytes:?}"),
        Node::Dict(pairs) => {
            let pairs: Vec<_> = pairs.iter().map(|(k, v)| format!("{} {}", show(k), show(v))).collect();
            format!("{{{}}}", pairs.join(" "))
        }
        Node::Label(label, datum) => format!("#{label}={}", show(datum)),
        Node::Ref(label) => format!("#{label}#"),
        Node::Value(row) => format!("value:{row}"),
    }
}

fn read(text: &str) -> String {
    match read_all(Source::new("t", text)) {
        Ok(forms) => forms.iter().map(show).collect::<Vec<_>>().join(" "),
        Err(errors) => errors.iter().map(|e| e.to_string()).collect::<Vec<_>>().join("; "),
    }
}

#[track_caller]
fn check(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(read(text), *expected, "reading {text:?}");
    }
}

#[test]
fn numbers() {
    check(&[
        ("1 -2 +3 0x1F -0x10 #xFF #b101 #o17 #d10", "1 -2 3 31 -16 255 5 15 10"),
        ("123456789012345678901234567890", "big:123456789012345678901234567890"),
        (
            "9223372036854775807 9223372036854775808",
            "9223372036854775807 big:9223372036854775808",
        ),
        ("1.5 1e3 1. .5 -0.0 1.5e-2", "1.5 1000.0 1.0 0.5 -0.0 0.015"),
        ("+inf.0 -inf.0 nan +nan.0", "inf -inf NaN NaN"),
        ("3/4 6/8 4/2 -1/3", "3/4 3/4 2 -1/3"),
        ("#e1.5 #i1/2 #x-1a #e1e3", "3/2 0.5 -26 1000"),
        ("+ - 1+ -x ... 1.2.3 a1 +a", "+ - 1+ -x ... 1.2.3 a1 +a"),
        ("1/0", "t:1:1: rational: division by zero"),
        (
            "(a 1/0",
            "t:1:4: rational: division by zero; t:1:1: unclosed ( opened at 1:1",
        ),
        ("0xZZ #xG", "t:1:1: bad number: 0xZZ; t:1:6: bad number: #xG"),
    ]);
}

#[test]
fn atoms_and_lists() {
    check(&[
        (
            "nil true false #t #f #true #false",
            "nil true false true false true false",
        ),
        (":a : ::: :a-b/c? ~x &rest a.b λ", ":a : ::: :a-b/c? ~x &rest a.b λ"),
        ("(a [b c] {:k 1 \"s\" (2)} ())", "(a (b c) {:k 1 \"s\" (2)} ())"),
        (
            "'a `(b ,c ,@d)",
            "(quote a) (quasiquote (b (unquote c) (splice-unquote d)))",
        ),
        (
            "(a . b) (a b . (c d)) (a . (b . c)) (a . ())",
            "(a . b) (a b c d) (a b . c) (a)",
        ),
        ("#(1 a) #u8(1 255) #() #u8()", "#(1 a) [1, 255] #() []"),
        ("1 ; two\n3 #| 4 #| 5 |# 6 |# 7 #;8 9 #;(a #;b c) #;'x 10", "1 3 7 9 10"),
        ("(a #;b) (#;a . b)", "t:1:14: unexpected ."),
        ("|a b| (| a)", "|a b| (| a)".replace("|a b|", "a b").as_str()),
        ("#!/usr/bin/sx\n1", "1"),
    ]);
}

#[test]
fn strings_and_characters() {
    check(&[
        (r#""a\"b\\\n\r\t\0\x41;\u{3bb}\u0042""#, r#""a\"b\\\n\r\t\0AλB""#),
        ("\"one \\\n   two\" \"a \\  \n b\"", "\"one two\" \"a b\""),
        ("\"two\nlines\"", "\"two\\nlines\""),
        ("\"a\r\nb\rc\r\r\nd\"", "\"a\\nb\\nc\\n\\nd\""),
        (
            r"#\a #\( #\space #\newline #\x41 #\x #\λ #\;",
            "char:61 char:28 char:20 char:a char:41 char:78 char:3bb char:3b",
        ),
        (
            r"#\nul #\null #\delete #\escape #\backspace #\alarm #\return #\tab",
            "char:0 char:0 char:7f char:1b char:8 char:7 char:d char:9",
        ),
        (r"(#\a)", "(char:61)"),
        (
            r#""\q" "\x4" "\x110000;""#,
            "t:1:2: bad escape \\q in a string; t:1:7: bad escape \\x4 in a string: expected \\xHH; or \\u{HHHH}; t:1:13: bad escape \\x110000; in a string: expected \\xHH; or \\u{HHHH}",
        ),
        (r"#\foo", "t:1:1: unknown character: #\\foo"),
    ]);
}

#[test]
fn bracket_errors() {
    check(&[
        (
            "(a\n (b",
            "t:1:1: unclosed ( opened at 1:1; t:2:2: unclosed ( opened at 2:2",
        ),
        (
            "(a '(b [c",
            "t:1:1: unclosed ( opened at 1:1; t:1:5: unclosed ( opened at 1:5; t:1:8: unclosed [ opened at 1:8",
        ),
        (
            "'\n(a",
            "t:1:1: ' is followed by no datum; t:2:1: unclosed ( opened at 2:1",
        ),
        ("a ) b ]", "t:1:3: unexpected ); t:1:7: unexpected ]"),
        ("(a [b c) d", "t:1:4: unclosed [ opened at 1:4"),
        ("(a ]) 1", "t:1:4: unexpected ]"),
        ("\"abc", "t:1:1: unclosed \" opened at 1:1"),
        ("1 #| x", "t:1:3: unclosed #| opened at 1:3"),
        ("{:a 1 :b}", "t:1:7: dict literal: the last key has no value"),
        ("(')", "t:1:2: ' is followed by no datum"),
        ("'", "t:1:1: ' is followed by no datum"),
        ("(a #;)", "t:1:4: #; is followed by no datum"),
        (
            "(a . b c) ( . x)",
            "t:1:1: a dot is followed by exactly one datum; t:1:13: unexpected .",
        ),
        (
            "#u8(1 256 a)",
            "t:1:7: bytevector: expected an integer from 0 to 255; t:1:11: bytevector: expected an integer from 0 to 255",
        ),
        ("#foo", "t:1:1: unknown syntax: #foo"),
    ]);
}

#[test]
fn reading_goes_on_after_an_unclosed_form() {
    check(&[
        (
            "(a (b\n  (c d\n(e",
            "t:1:1: unclosed ( opened at 1:1; t:1:4: unclosed ( opened at 1:4; t:2:3: unclosed ( opened at 2:3; \
             t:3:1: unclosed ( opened at 3:1",
        ),
        (
            "(define (f x)\n  (g x)\n(define y 1/0)\n(h ])",
            "t:1:1: unclosed ( opened at 1:1; t:3:11: rational: division by zero; t:4:4: unexpected ]",
        ),
        (
            "(a \"b\n(c ))\n",
            "t:1:4: unclosed \" opened at 1:4; t:2:5: unexpected )",
        ),
    ]);
}

#[test]
fn of_many_unclosed_brackets_the_first_and_the_innermost_are_named() {
    let mut reader = Reader::new(Source::new("t", "(".repeat(3000)));
    let Some(Err(errors)) = reader.next_form() else {
        panic!("no error")
    };
    assert_eq!(errors.len(), 101);
    assert!(errors[100].message.ends_with("opened at 1:3000"));
    assert!(reader.next_form().is_none());
}

#[test]
fn forms_come_one_by_one() {
    let mut reader = Reader::new(Source::new("t", "1 (2 ] 3"));
    assert!(matches!(reader.next_form(), Some(Ok(stx)) if matches!(stx.node, Node::Int(1))));
    assert!(matches!(reader.next_form(), Some(Err(errors)) if errors.len() == 2));
    assert!(reader.next_form().is_none());
}

#[test]
fn spans_cover_the_text_of_a_form() {
    let source = Source::new("t", " (a 'bc) ");
    let forms = read_all(source).unwrap_or_default();
    let text = |stx: &Stx| stx.span.source.text[stx.span.start as usize..stx.span.end as usize].to_string();
    assert_eq!(text(&forms[0]), "(a 'bc)");
    let items = forms[0].as_list().unwrap_or_default();
    assert_eq!((text(&items[0]), text(&items[1])), ("a".into(), "'bc".into()));
}

#[test]
fn incomplete_input_is_told_from_wrong_input() {
    for text in ["(", "(a [b", "\"abc", "#| x", "'", "{:a", "1 (2"] {
        assert!(is_incomplete(text), "{text:?}");
    }
    for text in ["", "1", "(a)", ")", "(a ]", "1/0 (", "(1/0", "\"\\q\""] {
        assert!(!is_incomplete(text), "{text:?}");
    }
}

#[test]
fn a_million_levels_are_read() {
    let n = 1_000_000;
    let deep = format!("{}{}", "(".repeat(n), ")".repeat(n));
    assert!(read_all(Source::new("t", deep)).is_ok_and(|forms| forms.len() == 1));
    assert!(read_all(Source::new("t", format!("{}x", "'".repeat(n)))).is_ok());
    assert!(read_all(Source::new("t", "(".repeat(n))).is_err_and(|errors| errors.len() == 101));
    assert!(read_all(Source::new("t", "[(".repeat(n) + ")")).is_err());
}

#[test]
fn random_tokens_never_panic() {
    let pieces = [
        "(", ")", "[", "]", "{", "}", "'", "`", ",", ",@", "#(", "#u8(", "#;", "#|", "|#", "\"", "\\", ".", "a", ":k",
        "1", "1/0", "0x", "#\\", "#x", "\n(", " ", ";", "λ", "|", "#", "\\x", "256", "+", "-.", "1e", "#e", "#!",
    ];
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..20_000 {
        let mut text = String::new();
        for _ in 0..seed % 24 {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            text.push_str(pieces[(seed >> 33) as usize % pieces.len()]);
        }
        seed = seed.wrapping_add(1);
        let _ = read_all(Source::new("t", text.clone()));
        is_incomplete(&text);
    }
}

#[test]
fn labels() {
    check(&[
        ("#0=(a #0#) #0=b", "#0=(a #0#) #0=b"),
        ("(#1=(a) #1#)", "(#1=(a) #1=(a))"),
        ("'#0=a", "(quote #0=a)"),
        ("#;#0=(a) b", "b"),
        ("#0#", "t:1:1: no datum before has the label #0="),
        ("(#0=a) #0#", "t:1:8: no datum before has the label #0="),
        ("(#0=a #0=b)", "t:1:7: the label #0= occurs twice"),
        ("#0=#0#", "t:1:1: #0= labels nothing but itself"),
        ("#0=", "t:1:1: #n= is followed by no datum"),
        ("#99999999999=a", "t:1:1: unknown syntax: #99999999999=a"),
    ]);
}
