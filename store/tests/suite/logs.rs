//! Logs.

use super::{done, write};
use sx_store::{Batch, Event, Store, StreamInfo, WriteError};

fn events(store: &dyn Store, stream: &str) -> Vec<(u64, String)> {
    let page = store.read(stream.as_bytes(), 0, 1000).wait().expect("reads");
    let text = |event: Event| (event.seq, String::from_utf8(event.bytes).expect("text"));
    page.rows.into_iter().map(text).collect()
}

fn expected(events: &[(u64, &str)]) -> Vec<(u64, String)> {
    events.iter().map(|(seq, text)| (*seq, (*text).to_owned())).collect()
}

pub fn events_are_numbered_from_one(store: &dyn Store) {
    assert_eq!(store.last_seq(b"a").wait(), Ok(0));
    assert_eq!(store.read(b"a", 1, 10).wait().map(|page| page.rows), Ok(Vec::new()));
    assert_eq!(done(store, Batch::new().append("a", "x")).seqs, [1]);
    assert_eq!(
        done(store, Batch::new().append("b", "y").append("a", "z").append("b", "w")).seqs,
        [1, 2, 2]
    );
    assert_eq!(store.last_seq(b"a").wait(), Ok(2));
    assert_eq!(events(store, "a"), expected(&[(1, "x"), (2, "z")]));
    assert_eq!(events(store, "b"), expected(&[(1, "y"), (2, "w")]));
    // A log is not a key.
    assert_eq!(store.has(b"a").wait(), Ok(false));
}

pub fn a_log_is_read_from_a_number_on(store: &dyn Store) {
    let batch = (1..=300).fold(Batch::new(), |batch, n| batch.append("log", n.to_string()));
    done(store, batch);
    let page = store.read(b"log", 298, 10).wait().expect("reads");
    assert_eq!(
        page.rows.iter().map(|event| event.seq).collect::<Vec<_>>(),
        [298, 299, 300]
    );
    assert!(!page.more);
    let page = store.read(b"log", 100, 50).wait().expect("reads");
    assert_eq!((page.rows.len(), page.rows[0].seq, page.more), (50, 100, true));
    let page = store.read(b"log", u64::MAX, 50).wait().expect("reads");
    assert_eq!((page.rows.len(), page.more), (0, false));
}

pub fn numbers_survive_truncation(store: &dyn Store) {
    done(
        store,
        Batch::new().append("log", "a").append("log", "b").append("log", "c"),
    );
    done(store, Batch::new().truncate("log", 2));
    assert_eq!(events(store, "log"), expected(&[(3, "c")]));
    done(store, Batch::new().truncate("log", 1));
    assert_eq!(events(store, "log"), expected(&[(3, "c")]));
    // Everything, and more than there is.
    done(store, Batch::new().truncate("log", 99));
    assert_eq!(events(store, "log"), []);
    assert_eq!(store.last_seq(b"log").wait(), Ok(3));
    assert_eq!(done(store, Batch::new().append("log", "d")).seqs, [4]);
    // A log that is not there stays so.
    done(store, Batch::new().truncate("none", 1));
    assert_eq!(
        store.streams(b"none", None, 10).wait().map(|page| page.rows),
        Ok(Vec::new())
    );
}

pub fn a_raised_log_goes_on_from_there(store: &dyn Store) {
    done(store, Batch::new().raise("log", 41));
    assert_eq!(store.last_seq(b"log").wait(), Ok(41));
    assert_eq!(done(store, Batch::new().append("log", "x")).seqs, [42]);
    done(store, Batch::new().raise("log", 7));
    assert_eq!(done(store, Batch::new().append("log", "y")).seqs, [43]);
    done(store, Batch::new().raise("log", 50).append("log", "z"));
    assert_eq!(events(store, "log"), expected(&[(42, "x"), (43, "y"), (51, "z")]));
}

pub fn logs_are_listed(store: &dyn Store) {
    for name in ["b/2", "a/1", "b/1", "b/3", "c"] {
        done(store, Batch::new().append(name, "x").append(name, "y"));
    }
    done(store, Batch::new().truncate("b/2", 1));
    let page = store.streams(b"b/", None, 2).wait().expect("reads");
    let info = |name: &str, events| StreamInfo {
        name: name.into(),
        events,
        last_seq: 2,
    };
    assert_eq!((page.rows, page.more), (vec![info("b/1", 2), info("b/2", 1)], true));
    let page = store.streams(b"b/", Some(b"b/2"), 2).wait().expect("reads");
    assert_eq!((page.rows, page.more), (vec![info("b/3", 2)], false));
    assert_eq!(store.streams(b"", None, 100).wait().expect("reads").rows.len(), 5);
}

pub fn an_expected_number_holds_or_nothing_happens(store: &dyn Store) {
    let at = |seq| Batch::new().check_seq("log", seq).append("log", "e");
    assert_eq!(write(store, at(1)), Err(WriteError::Conflict { check: 0 }));
    assert_eq!(
        store.streams(b"", None, 10).wait().map(|page| page.rows),
        Ok(Vec::new())
    );
    assert_eq!(done(store, at(0)).seqs, [1]);
    assert_eq!(write(store, at(0)), Err(WriteError::Conflict { check: 0 }));
    assert_eq!(done(store, at(1)).seqs, [2]);
    done(store, Batch::new().truncate("log", 2));
    assert_eq!(done(store, at(2)).seqs, [3]);
}
