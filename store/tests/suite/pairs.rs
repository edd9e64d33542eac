//! Keys, values, checks, blobs.

use super::{done, write};
use sx_store::{Batch, Check, Cid, Store, WriteError, limits};

pub fn a_key_has_the_value_it_was_given(store: &dyn Store) {
    assert_eq!(store.get(b"k").wait(), Ok(None));
    assert_eq!(store.has(b"k").wait(), Ok(false));
    done(store, Batch::new().put("k", "one"));
    assert_eq!(store.get(b"k").wait(), Ok(Some(b"one".to_vec())));
    done(store, Batch::new().put("k", "two"));
    assert_eq!(store.get(b"k").wait(), Ok(Some(b"two".to_vec())));
    assert_eq!(store.has(b"k").wait(), Ok(true));
    done(store, Batch::new().delete("k"));
    assert_eq!(store.get(b"k").wait(), Ok(None));
    done(store, Batch::new().delete("k"));
}

pub fn any_bytes_are_a_key_or_a_value(store: &dyn Store) {
    let all: Vec<u8> = (0..=255).collect();
    let longest = vec![0xff; limits::KEY_BYTES_MAX];
    let pairs: [(&[u8], &[u8]); 6] = [
        (b"", b""),
        (b"\0", b"\0"),
        (b"\0\0", b"x"),
        (&all, &all),
        (&longest, b"long"),
        ("ключ".as_bytes(), b"\xff\xfe"),
    ];
    for (key, value) in pairs {
        done(store, Batch::new().put(key, value));
    }
    for (key, value) in pairs {
        assert_eq!(
            store.get(key).wait(),
            Ok(Some(value.to_vec())),
            "{}",
            key.escape_ascii()
        );
    }
}

pub fn a_scan_is_in_order_and_goes_on_where_it_stopped(store: &dyn Store) {
    let mut batch = Batch::new();
    for number in (0..250).rev() {
        batch = batch.put(format!("n/{number:03}"), number.to_string());
    }
    done(store, batch);
    let (mut seen, mut after) = (Vec::new(), None::<Vec<u8>>);
    loop {
        let page = store.scan(b"n/", after.as_deref(), 60).wait().expect("reads");
        assert!(page.rows.len() <= 60);
        after = page.rows.last().map(|(key, _)| key.clone());
        seen.extend(page.rows);
        if !page.more {
            break;
        }
    }
    let expected: Vec<_> = (0..250)
        .map(|n| (format!("n/{n:03}").into_bytes(), n.to_string().into_bytes()))
        .collect();
    assert_eq!(seen, expected);
    let keys = store.keys(b"n/", Some(b"n/247"), 10).wait().expect("reads");
    assert_eq!(
        (keys.rows, keys.more),
        (vec![b"n/248".to_vec(), b"n/249".to_vec()], false)
    );
    let exact = store.keys(b"n/", None, 250).wait().expect("reads");
    assert_eq!((exact.rows.len(), exact.more), (250, false));
    let short = store.keys(b"n/", None, 249).wait().expect("reads");
    assert_eq!((short.rows.len(), short.more), (249, true));
}

pub fn a_scan_keeps_to_its_prefix(store: &dyn Store) {
    let names: [&[u8]; 8] = [b"", b"a", b"a\xff", b"a\xff\xff", b"b", b"b\0", b"\xff", b"\xff\xff"];
    let batch = names.iter().fold(Batch::new(), |batch, name| batch.put(*name, "v"));
    done(store, batch);
    for prefix in names {
        for after in [
            None,
            Some(&b""[..]),
            Some(b"a"),
            Some(b"a\xff"),
            Some(b"b"),
            Some(b"\xff\xff\xff"),
        ] {
            let kept = |name: &&&[u8]| name.starts_with(prefix) && after.is_none_or(|after| **name > after);
            let expected: Vec<Vec<u8>> = names.iter().filter(kept).map(|name| name.to_vec()).collect();
            let found = store.keys(prefix, after, 100).wait().expect("reads");
            assert_eq!(found.rows, expected, "prefix {} after {after:?}", prefix.escape_ascii());
        }
    }
}

pub fn a_page_ends_before_it_is_too_large(store: &dyn Store) {
    let value = vec![7; limits::PAGE_BYTES_MAX / 2 + 1000];
    for key in ["a", "b", "c"] {
        done(store, Batch::new().put(key, value.clone()).append("log", value.clone()));
    }
    let page = store.scan(b"", None, 100).wait().expect("reads");
    assert_eq!((page.rows.len(), page.more), (2, true));
    let page = store.scan(b"", Some(b"b"), 100).wait().expect("reads");
    assert_eq!((page.rows.len(), page.more), (1, false));
    let page = store.read(b"log", 1, 100).wait().expect("reads");
    assert_eq!((page.rows.len(), page.more), (2, true));
}

pub fn a_check_holds_or_nothing_happens(store: &dyn Store) {
    // Only if it is new.
    let new = || {
        Batch::new()
            .check("k", None)
            .put("k", "1")
            .put("other", "x")
            .append("log", "e")
    };
    done(store, new());
    assert_eq!(write(store, new()), Err(WriteError::Conflict { check: 0 }));
    assert_eq!(store.last_seq(b"log").wait(), Ok(1));
    // Compare and set.
    done(store, Batch::new().check("k", Some(b"1")).put("k", "2"));
    let stale = Batch::new()
        .check("k", Some(b"1"))
        .put("k", "3")
        .delete("other")
        .put_blob("b")
        .append("log", "e");
    assert_eq!(write(store, stale), Err(WriteError::Conflict { check: 0 }));
    assert_eq!(store.get(b"k").wait(), Ok(Some(b"2".to_vec())));
    assert_eq!(store.has(b"other").wait(), Ok(true));
    assert_eq!(store.has_blob(&Cid::of(b"b")).wait(), Ok(false));
    assert_eq!(store.last_seq(b"log").wait(), Ok(1));
    // An empty value is not the absence of one.
    done(store, Batch::new().put("empty", ""));
    assert_eq!(
        write(store, Batch::new().check("empty", None)),
        Err(WriteError::Conflict { check: 0 })
    );
    done(store, Batch::new().check("empty", Some(b"")));
}

pub fn the_check_that_does_not_hold_is_named(store: &dyn Store) {
    done(store, Batch::new().put("a", "1").append("log", "e"));
    let batch = |a: &str, seq: u64, c: Option<&[u8]>| Batch {
        checks: vec![
            Check::Value {
                key: b"a".to_vec(),
                value: Some(a.into()),
            },
            Check::LastSeq {
                stream: b"log".to_vec(),
                seq,
            },
            Check::Value {
                key: b"c".to_vec(),
                value: c.map(<[u8]>::to_vec),
            },
        ],
        writes: Vec::new(),
    };
    assert!(write(store, batch("1", 1, None)).is_ok());
    assert_eq!(
        write(store, batch("2", 1, None)),
        Err(WriteError::Conflict { check: 0 })
    );
    assert_eq!(
        write(store, batch("1", 2, None)),
        Err(WriteError::Conflict { check: 1 })
    );
    assert_eq!(
        write(store, batch("1", 1, Some(b""))),
        Err(WriteError::Conflict { check: 2 })
    );
}

pub fn later_changes_of_a_batch_see_earlier_ones(store: &dyn Store) {
    let batch = Batch::new()
        .put("a", "1")
        .put("a", "2")
        .put("b", "1")
        .delete("b")
        .append("log", "one")
        .append("log", "two")
        .truncate("log", 1)
        .append("log", "three");
    assert_eq!(done(store, batch).seqs, [1, 2, 3]);
    assert_eq!(store.get(b"a").wait(), Ok(Some(b"2".to_vec())));
    assert_eq!(store.get(b"b").wait(), Ok(None));
    let events = store.read(b"log", 0, 10).wait().expect("reads").rows;
    let events: Vec<(u64, &[u8])> = events.iter().map(|event| (event.seq, event.bytes.as_slice())).collect();
    assert_eq!(events, [(2, &b"two"[..]), (3, b"three")]);
}

pub fn a_blob_is_found_by_its_name(store: &dyn Store) {
    let large = vec![42; 3 << 20];
    for bytes in [&b""[..], b"hello", &large] {
        let cid = Cid::of(bytes);
        assert_eq!(store.blob(&cid).wait(), Ok(None));
        assert_eq!(store.has_blob(&cid).wait(), Ok(false));
        for _ in 0..2 {
            let batch = Batch::new().put_blob(bytes);
            assert_eq!(batch.cids(), [cid]);
            done(store, batch);
        }
        assert!(store.blob(&cid).wait() == Ok(Some(bytes.to_vec())), "{cid}");
        assert_eq!(store.has_blob(&cid).wait(), Ok(true));
    }
    assert_eq!(store.stats().expect("counts").blobs, 3);
}

pub fn too_large_is_refused(store: &dyn Store) {
    let key = vec![b'k'; limits::KEY_BYTES_MAX + 1];
    let refused = |batch: Batch| matches!(write(store, batch), Err(WriteError::TooLarge { .. }));
    assert!(refused(Batch::new().put(key.clone(), "v")));
    assert!(refused(Batch::new().append(key.clone(), "v")));
    assert!(refused(Batch::new().check(key.clone(), None)));
    assert!(refused(Batch::new().put("k", vec![0; limits::VALUE_BYTES_MAX + 1])));
    let half = vec![0; limits::VALUE_BYTES_MAX];
    assert!(refused(
        Batch::new()
            .put("a", half.clone())
            .put("b", half.clone())
            .put("c", half)
    ));
    // A name that cannot be there is not there.
    assert_eq!(store.get(&key).wait(), Ok(None));
    assert_eq!(store.last_seq(&key).wait(), Ok(0));
}
