//! Many clients, the feed, export, closing.

use super::{done, write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;
use sx_store::{Batch, Change, Changes, Cid, ReadError, Row, Stats, Store, Subscription, WriteError};

const SOON: Duration = Duration::from_secs(20);

pub fn an_answered_write_can_be_read(store: &dyn Store) {
    for number in 0..50 {
        done(
            store,
            Batch::new()
                .put("k", number.to_string())
                .append("log", number.to_string()),
        );
        assert_eq!(store.get(b"k").wait(), Ok(Some(number.to_string().into_bytes())));
        assert_eq!(store.last_seq(b"log").wait(), Ok(number + 1));
    }
}

pub fn counters_of_many_clients_come_out_right(store: &dyn Store) {
    const CLIENTS: u64 = 8;
    const TIMES: u64 = 25;
    let add = || loop {
        let now = store.get(b"counter").wait().expect("reads");
        let number: u64 = now
            .as_deref()
            .map_or(0, |text| String::from_utf8_lossy(text).parse().expect("a number"));
        let batch = Batch::new()
            .check("counter", now.as_deref())
            .put("counter", (number + 1).to_string());
        match write(store, batch) {
            Ok(_) => return,
            Err(WriteError::Conflict { check: 0 }) => {}
            Err(error) => panic!("{error}"),
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| (0..TIMES).for_each(|_| add()));
        }
    });
    let total = (CLIENTS * TIMES).to_string().into_bytes();
    assert_eq!(store.get(b"counter").wait(), Ok(Some(total)));
}

pub fn appends_of_many_clients_leave_no_gap(store: &dyn Store) {
    let mut seqs: Vec<u64> = std::thread::scope(|scope| {
        let client = || {
            (0..25)
                .flat_map(|_| done(store, Batch::new().append("log", "e")).seqs)
                .collect::<Vec<_>>()
        };
        let clients: Vec<_> = (0..8).map(|_| scope.spawn(client)).collect();
        clients
            .into_iter()
            .flat_map(|client| client.join().expect("no panic"))
            .collect()
    });
    seqs.sort_unstable();
    assert_eq!(seqs, (1..=200).collect::<Vec<u64>>());
    assert_eq!(store.read(b"log", 0, 1000).wait().expect("reads").rows.len(), 200);
}

pub fn everything_handed_in_is_answered_in_order(store: &dyn Store) {
    let replies: Vec<_> = (0..500)
        .map(|n| store.write(Batch::new().append("log", n.to_string())))
        .collect();
    let mut last = 0;
    for (index, reply) in replies.into_iter().enumerate() {
        let written = reply.wait().expect("the write happens");
        assert_eq!(written.seqs, [index as u64 + 1]);
        assert!(written.revision > last, "{} after {last}", written.revision);
        last = written.revision;
    }
}

fn listen(store: &dyn Store, prefix: &str) -> (Subscription, Receiver<Changes>) {
    let (sender, receiver) = channel();
    let sink = move |changes: &Changes| {
        let _ = sender.send(changes.clone());
    };
    (store.subscribe(prefix.as_bytes(), Box::new(sink)), receiver)
}

pub fn the_feed_tells_each_batch_once_and_whole(store: &dyn Store) {
    done(store, Batch::new().append("log", "before"));
    let (_subscription, feed) = listen(store, "");
    let first = Batch::new()
        .put("a", "1")
        .delete("b")
        .append("log", "x")
        .truncate("log", 1)
        .put_blob("blob");
    let mut expected = vec![Changes {
        revision: done(store, first).revision,
        changes: vec![
            Change::Put(b"a".to_vec()),
            Change::Delete(b"b".to_vec()),
            Change::Append(b"log".to_vec(), 2),
            Change::Truncate(b"log".to_vec()),
        ],
    }];
    let conflict = Batch::new().check("a", None).put("a", "2");
    assert!(write(store, conflict).is_err());
    done(store, Batch::new().put_blob("only a blob"));
    for number in 0..30 {
        let revision = done(store, Batch::new().put(format!("k{number}"), "v")).revision;
        let changes = vec![Change::Put(format!("k{number}").into_bytes())];
        expected.push(Changes { revision, changes });
    }
    // What came just before the subscription may be told too.
    let mut told = feed.recv_timeout(SOON).expect("a change");
    while told.changes == [Change::Append(b"log".to_vec(), 1)] {
        told = feed.recv_timeout(SOON).expect("a change");
    }
    for changes in expected {
        assert_eq!(told, changes);
        told = match feed.recv_timeout(if changes.changes == [Change::Put(b"k29".to_vec())] {
            Duration::from_millis(50)
        } else {
            SOON
        }) {
            Ok(told) => told,
            Err(error) => {
                assert_eq!(
                    (error, changes.changes),
                    (RecvTimeoutError::Timeout, vec![Change::Put(b"k29".to_vec())])
                );
                return;
            }
        };
    }
    panic!("one too many: {told:?}");
}

pub fn the_feed_keeps_to_its_prefix(store: &dyn Store) {
    let (_subscription, feed) = listen(store, "a/");
    done(store, Batch::new().put("b/1", "v"));
    done(store, Batch::new().put("b/2", "v").put("a/1", "v").append("a/log", "e"));
    let told = feed.recv_timeout(SOON).expect("a change");
    assert_eq!(
        told.changes,
        [Change::Put(b"a/1".to_vec()), Change::Append(b"a/log".to_vec(), 1)]
    );
}

pub fn a_subscription_ends(store: &dyn Store) {
    let (subscription, feed) = listen(store, "");
    let (_other, still) = listen(store, "");
    done(store, Batch::new().put("a", "1"));
    assert!(feed.recv_timeout(SOON).is_ok());
    drop(subscription);
    done(store, Batch::new().put("b", "1"));
    assert_eq!(feed.recv_timeout(SOON), Err(RecvTimeoutError::Disconnected));
    let told: Vec<_> = (0..2)
        .map(|_| still.recv_timeout(SOON).map(|told| told.changes))
        .collect();
    assert_eq!(
        told,
        [
            Ok(vec![Change::Put(b"a".to_vec())]),
            Ok(vec![Change::Put(b"b".to_vec())])
        ]
    );
}

/// Something of everything.
pub fn fill(store: &dyn Store) {
    let numbers = (0..2500).fold(Batch::new(), |batch, n| batch.put(format!("n/{n}"), n.to_string()));
    done(store, numbers);
    let events = (0..2500).fold(Batch::new(), |batch, n| batch.append("long", n.to_string()));
    done(store, events);
    done(store, Batch::new().put("", "").put("\0\u{ff}", vec![0xff; 10_000]));
    done(
        store,
        Batch::new().append("gone", "1").append("gone", "2").truncate("gone", 2),
    );
    done(
        store,
        Batch::new()
            .raise("gap", 9)
            .append("gap", "10")
            .raise("gap", 19)
            .append("gap", "20")
            .raise("gap", 25),
    );
    done(
        store,
        Batch::new().raise("never", 0).put_blob("").put_blob(vec![1; 200_000]),
    );
}

/// Everything in a store.
pub fn rows(store: &dyn Store) -> Vec<Row> {
    let mut rows = Vec::new();
    let outcome = store.export(&mut |row| {
        rows.push(row);
        Ok(())
    });
    assert_eq!(outcome, Ok(()));
    rows
}

pub fn an_export_restores_into_the_same(store: &dyn Store) {
    assert_eq!(rows(store), []);
    fill(store);
    let all = rows(store);
    let kinds: Vec<u8> = all
        .iter()
        .map(|row| match row {
            Row::Pair(_) => 0,
            Row::Stream(_) | Row::Event(_) => 1,
            Row::Blob(_) => 2,
        })
        .collect();
    assert!(kinds.is_sorted());
    let copy = sx_store::Embedded::on(
        "copy",
        std::sync::Arc::new(sx_store::SimulatedDisk::new(1)),
        sx_store::Options::default(),
    )
    .expect("opens");
    sx_store::copy(store, &copy).expect("copies");
    assert!(rows(&copy) == all);
    assert_eq!(store.verify(), Ok(Vec::new()));
    let stopped = store.export(&mut |_| Err("enough".to_owned()));
    assert_eq!(stopped.map_err(|error| error.to_string()), Err("enough".to_owned()));
}

pub fn counts_are_right(store: &dyn Store) {
    fill(store);
    let stats = store.stats().expect("counts");
    let counted = Stats {
        bytes_stored: 0,
        bytes_on_disk: 0,
        ..stats
    };
    let expected = Stats {
        keys: 2502,
        streams: 4,
        events: 2502,
        blobs: 2,
        bytes_stored: 0,
        bytes_on_disk: 0,
    };
    assert_eq!(counted, expected);
    assert!(stats.bytes_stored > 210_000 && stats.bytes_on_disk > 0, "{stats:?}");
}

pub fn a_closed_store_says_so(store: &dyn Store) {
    let reply = store.write(Batch::new().put("k", "v"));
    store.close();
    assert!(reply.wait().is_ok(), "what was handed in before is finished");
    assert_eq!(write(store, Batch::new().put("k", "v")), Err(WriteError::Closed));
    assert_eq!(store.get(b"k").wait(), Err(ReadError::Closed));
    assert_eq!(store.blob(&Cid::of(b"")).wait(), Err(ReadError::Closed));
    assert_eq!(store.stats(), Err(ReadError::Closed));
    assert_eq!(store.verify(), Err(ReadError::Closed));
    store.close();
}
