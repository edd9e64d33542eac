//! The tables of names, and the addresses.
#![allow(clippy::unwrap_used)]

use super::escape::{leaves_program, refused_scheme};
use super::tags::{Content, Kind, Tag, is_attribute_name, kind_of, tag_of};

fn content_of(name: &str) -> Option<Content> {
    Tag::find(name).map(|tag| tag.content)
}

#[test]
fn names_mean_what_their_rows_say() {
    assert_eq!(content_of("br"), Some(Content::Void));
    assert_eq!(content_of("my-button"), Some(Content::Nodes));
    for name in ["plaintext", "xmp", "BR", "x", "-a", "a--B", ""] {
        assert_eq!(content_of(name), None, "{name}");
    }
    assert_eq!(tag_of("shop#li"), Some("li"));
    assert_eq!(tag_of("shop#sell"), None);
    assert_eq!(kind_of("CHECKED"), Kind::Boolean);
    assert_eq!(kind_of("aria-label"), Kind::Enumerated);
    assert_eq!(kind_of("xlink:href"), Kind::Url);
    assert_eq!(kind_of("hrefs"), Kind::Text);
    for name in ["", "1a", "a b", "a\"", "a=", "a>", "a/", "é", "a\n"] {
        assert!(!is_attribute_name(name), "{name}");
    }
    assert!(
        ["a", "data-x", "xml:lang", "@click", ":key", "x.y"]
            .into_iter()
            .all(is_attribute_name)
    );
}

#[test]
fn schemes_are_seen_through_what_browsers_skip() {
    let refused = |url| refused_scheme(url, || false);
    assert_eq!(refused("\u{1}\tjava\nscript\r:x"), Some("javascript"));
    assert_eq!(refused("JavaScript:"), Some("javascript"));
    assert_eq!(refused("data:image/png,"), Some("data"));
    assert_eq!(refused_scheme("data:Image/png,", || true), None);
    assert_eq!(refused_scheme("data:text/html,", || true), Some("data"));
    for url in [
        "javascript",
        "javascript/:x",
        "x?javascript:",
        "averylongschemeindeedjavascript:",
        "https:x",
        "",
    ] {
        assert_eq!(refused(url), None, "{url}");
    }
}

#[test]
fn the_end_of_a_program_is_seen_in_any_case() {
    assert!(leaves_program("x</SCRIPT", "script"));
    assert!(leaves_program("<!--", "script"));
    assert!(!leaves_program("a < b </style> <!- </scrip", "script"));
}
