//! Dumps, copies, and directories of the old host.

#[path = "suite/contract.rs"]
mod suite;

use std::path::Path;
use std::sync::Arc;
use suite::{Scratch, done, fill, rows};
use sx_store::{
    Batch, Cid, Convert, ConvertedEvent, Embedded, OldLayout, OpenError, Options, SimulatedDisk, Store, TransferError,
    check_dump, copy, dump, import_beside, restore,
};

fn empty() -> Embedded {
    Embedded::on("simulated", Arc::new(SimulatedDisk::new(3)), Options::default()).expect("opens")
}

fn dumped(store: &Embedded) -> String {
    let mut out = Vec::new();
    dump(store, &mut out).expect("dumps");
    String::from_utf8(out).expect("text")
}

#[test]
fn a_dump_restores_into_the_same() {
    let store = empty();
    fill(&store);
    let text = dumped(&store);
    let copy = empty();
    let moved = restore(&mut text.as_bytes(), &copy).expect("restores");
    assert_eq!(moved.to_string(), "2502 keys, 4 logs with 2502 events, 2 blobs");
    assert!(rows(&copy) == rows(&store));
    assert!(dumped(&copy) == text);
    assert_eq!(check_dump(&mut text.as_bytes()), Ok(moved));
}

/// The lines are a format: `docs/store-format.md` shows these.
#[test]
fn a_dump_looks_like_this() {
    let store = empty();
    done(
        &store,
        Batch::new().put("user/1", "{:name \"Ada\"}\n").put("bin", [0xff; 6]),
    );
    done(
        &store,
        Batch::new()
            .append("log", "one")
            .append("log", "two")
            .truncate("log", 1)
            .put_blob("hi"),
    );
    let text = dumped(&store);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[..lines.len() - 1],
        [
            "sx-store-dump 1",
            "kv \"bin\" =////////",
            r#"kv "user/1" "{:name \"Ada\"}\n""#,
            "log \"log\" 1 2",
            "event 2 \"two\"",
            "blob \"hi\"",
        ]
    );
    assert!(lines[lines.len() - 1].starts_with("end 5 "), "{text}");
}

#[test]
fn a_damaged_dump_is_refused_with_its_line() {
    let store = empty();
    done(&store, Batch::new().put("a", "1").put("b", "2").append("log", "x"));
    let good = dumped(&store);
    let without_end = good
        .split_inclusive('\n')
        .filter(|line| !line.starts_with("end"))
        .collect::<String>();
    let cases = [
        (String::new(), 1, "begins with"),
        (good.replace("dump 1", "dump 2"), 1, "begins with"),
        (without_end.clone(), 6, "cut off"),
        (good[..good.len() - 30].to_owned(), 6, "cut off"),
        (without_end[..without_end.len() - 3].to_owned(), 5, "cut off"),
        (good.replace("\"1\"", "\"7\""), 6, "was changed"),
        (good.replace("kv \"b\"", "kv b"), 3, "quotes"),
        (good.replace("kv \"b\"", "key \"b\""), 3, "begins with kv"),
        (good.replace("event 1", "event one"), 5, "a number"),
        (good.replace("\"2\"", "\"2\" \"3\""), 3, "nothing more"),
    ];
    for (text, line, says) in cases {
        assert_eq!(
            check_dump(&mut text.as_bytes()),
            restore(&mut text.as_bytes(), &empty())
        );
        match restore(&mut text.as_bytes(), &empty()) {
            Err(TransferError::Line {
                line: found,
                text: said,
            }) => {
                assert_eq!(found, line, "{said}");
                assert!(said.contains(says), "{said}");
            }
            other => panic!("{says}: {other:?}"),
        }
    }
}

#[test]
fn only_an_empty_store_is_filled() {
    let (store, full) = (empty(), empty());
    done(&full, Batch::new().put("k", "v"));
    assert_eq!(copy(&store, &full), Err(TransferError::NotEmpty));
    assert_eq!(
        restore(&mut dumped(&store).as_bytes(), &full),
        Err(TransferError::NotEmpty)
    );
    assert!(copy(&full, &store).is_ok());
    assert!(rows(&store) == rows(&full));
}

/// Texts are their own bytes; an event may begin with its number and a colon.
struct Plain;

impl Convert for Plain {
    fn value(&mut self, text: &str) -> Result<Vec<u8>, String> {
        if text.contains('?') {
            Err("a question".to_owned())
        } else {
            Ok(text.into())
        }
    }
    fn event(&mut self, text: &str) -> Result<ConvertedEvent, String> {
        match text.split_once(':') {
            Some((seq, text)) => Ok((
                Some(seq.parse().map_err(|_| "no number".to_owned())?),
                self.value(text)?,
            )),
            None => Ok((None, self.value(text)?)),
        }
    }
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn put(directory: &Path, name: &str, text: &str) {
    let path = directory.join(name);
    std::fs::create_dir_all(path.parent().expect("a parent")).expect("a directory can be made");
    std::fs::write(path, text).expect("writes");
}

fn old_layout() -> Scratch {
    let scratch = Scratch::new();
    let stream = |name: &str, ending: &str| format!("streams/{}.{ending}", hex(name));
    put(scratch.path(), &format!("kv/{}", hex("posts/ä")), "{:title \"x\"}\n");
    put(scratch.path(), &stream("plain", "log"), "one\ntwo\nthree");
    put(scratch.path(), &stream("truncated", "log"), "eight\nnine\n");
    put(scratch.path(), &stream("truncated", "seq"), "9\n");
    put(scratch.path(), &stream("numbered", "log"), "4:four\n\n7:seven\n");
    put(scratch.path(), &stream("numbered", "seq"), "8");
    put(scratch.path(), &stream("emptied", "seq"), "5");
    put(scratch.path(), &format!("blobs/{}", Cid::of(b"hello")), "hello");
    put(scratch.path(), "kv/.hidden", "?");
    scratch
}

#[test]
fn an_old_directory_is_imported() {
    let scratch = old_layout();
    assert!(OldLayout::is_there(scratch.path()) && !OldLayout::is_there(&scratch.path().join("kv")));
    let store = empty();
    let layout = OldLayout::open(scratch.path()).expect("lists");
    let moved = layout.import(&store, &mut Plain).expect("imports");
    assert_eq!(moved.to_string(), "1 keys, 4 logs with 7 events, 1 blobs");
    assert_eq!(
        store.get("posts/ä".as_bytes()).wait(),
        Ok(Some(b"{:title \"x\"}".to_vec()))
    );
    let numbers = |stream: &str| {
        let page = store.read(stream.as_bytes(), 0, 10).wait().expect("reads");
        let seqs: Vec<u64> = page.rows.iter().map(|event| event.seq).collect();
        (seqs, store.last_seq(stream.as_bytes()).wait().expect("reads"))
    };
    assert_eq!(numbers("plain"), (vec![1, 2, 3], 3));
    assert_eq!(numbers("truncated"), (vec![8, 9], 9));
    assert_eq!(numbers("numbered"), (vec![4, 7], 8));
    assert_eq!(numbers("emptied"), (vec![], 5));
    assert_eq!(store.blob(&Cid::of(b"hello")).wait(), Ok(Some(b"hello".to_vec())));
    assert_eq!(
        layout.import(&store, &mut Plain).map_err(|error| error.to_string()),
        Err(TransferError::NotEmpty.to_string())
    );
}

#[test]
fn while_a_store_is_made_of_an_old_directory_nobody_else_does() {
    /// Tries the same import as its first value is converted.
    struct Nosy<'d>(&'d Path, Option<String>);
    impl Convert for Nosy<'_> {
        fn value(&mut self, text: &str) -> Result<Vec<u8>, String> {
            if self.1.is_none() {
                let second = import_beside(self.0, &mut Plain).map_err(|error| error.to_string());
                self.1 = second.err();
                let opened = Embedded::open(self.0, Options::default()).map(|_| ());
                assert!(matches!(opened, Err(OpenError::Held { .. })), "{opened:?}");
            }
            Plain.value(text)
        }
        fn event(&mut self, text: &str) -> Result<ConvertedEvent, String> {
            Plain.event(text)
        }
    }
    let scratch = old_layout();
    let mut nosy = Nosy(scratch.path(), None);
    let moved = import_beside(scratch.path(), &mut nosy)
        .expect("imports")
        .expect("has one");
    assert_eq!(moved.to_string(), "1 keys, 4 logs with 7 events, 1 blobs");
    let refused = nosy.1.expect("the second import is refused");
    assert!(
        refused.contains(&format!("process {}", std::process::id())),
        "{refused}"
    );
    assert!(matches!(import_beside(scratch.path(), &mut Plain), Ok(None)));
    let store = Embedded::open(scratch.path(), Options::default()).expect("opens");
    assert_eq!(store.last_seq(b"plain").wait(), Ok(3));
}

#[test]
fn what_cannot_be_read_is_named_and_nothing_is_imported() {
    let log = format!("streams/{}.log", hex("plain"));
    let cases = [
        (format!("kv/{}", hex("bad")), "what?", "a question"),
        (log.clone(), "one\nwhat?\n", ".log:2: a question"),
        (log.clone(), "5:five\n5:again\n", ".log:2: event 5 comes after event 5"),
        (log, "x:one\n", ".log:1: no number"),
        (format!("streams/{}.seq", hex("plain")), "many", "a number, not `many`"),
        ("streams/zz.log".to_owned(), "", "not hexadecimal"),
        ("streams/00.txt".to_owned(), "", "neither a .log nor a .seq"),
        ("kv/0".to_owned(), "", "not hexadecimal"),
        ("blobs/x".to_owned(), "", "not that of a blob"),
        (format!("blobs/{}", Cid::of(b"other")), "hello", "another name"),
    ];
    for (name, text, says) in cases {
        let scratch = old_layout();
        put(scratch.path(), &name, text);
        let store = empty();
        let outcome = OldLayout::open(scratch.path()).and_then(|layout| layout.import(&store, &mut Plain));
        let said = outcome.map_err(|error| error.to_string()).expect_err(&name);
        assert!(
            said.contains(says) && said.contains(name.rsplit('/').next().unwrap_or("")),
            "{said}"
        );
        assert_eq!(rows(&store), [], "{name}");
    }
}
