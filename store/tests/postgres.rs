//! The contract over PostgreSQL, and what only a database that others share has. Ignored unless
//! asked for, since it needs PostgreSQL: `cargo test -p sx-store --test postgres -- --ignored`.

#[path = "suite/contract.rs"]
mod suite;

use std::sync::mpsc::channel;
use std::time::{Duration, Instant};
use suite::cluster::{self, Cluster};
use suite::{Opened, contract, done, fill, rows};
use sx_store::{Batch, Change, Changes, OpenError, Postgres, PostgresOptions, ReadError, Store, WriteError};

const SOON: Duration = Duration::from_secs(20);

mod on_a_database {
    use super::*;

    fn new() -> Opened {
        Opened {
            store: Box::new(cluster::shared().new_store()),
            scratch: None,
        }
    }

    contract! { [#[ignore = "needs PostgreSQL"]] new }
}

fn open(url: &str) -> Postgres {
    Postgres::open(url, PostgresOptions::default()).expect("opens")
}

#[test]
#[ignore = "needs PostgreSQL"]
fn what_was_written_is_there_when_it_is_opened_again() {
    let url = cluster::shared().new_database();
    let store = open(&url);
    fill(&store);
    let before = rows(&store);
    drop(store);
    assert!(rows(&open(&url)) == before);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn many_may_make_the_tables_at_once() {
    let url = cluster::shared().new_database();
    std::thread::scope(|scope| {
        let openers: Vec<_> = (0..6)
            .map(|_| scope.spawn(|| done(&open(&url), Batch::new().append("log", "e")).seqs))
            .collect();
        let mut seqs: Vec<u64> = openers
            .into_iter()
            .flat_map(|opener| opener.join().expect("no panic"))
            .collect();
        seqs.sort_unstable();
        assert_eq!(seqs, [1, 2, 3, 4, 5, 6]);
    });
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_newer_store_is_refused() {
    let cluster = cluster::shared();
    let url = cluster.new_database();
    drop(open(&url));
    let database = url.rsplit('/').next().unwrap_or("");
    cluster.sql(database, "UPDATE sx.format SET format = 99");
    match Postgres::open(&url, PostgresOptions::default()).map(|_| ()) {
        Err(OpenError::Newer { found: 99, .. }) => {}
        other => panic!("{other:?}"),
    }
}

#[test]
#[ignore = "needs PostgreSQL"]
fn what_cannot_be_reached_is_said_without_the_password() {
    let impatient = PostgresOptions {
        patience: Duration::from_millis(300),
        ..PostgresOptions::default()
    };
    let cases = [
        "postgres://sx:secret@127.0.0.1:1/none",
        "postgres://sx:secret@127.0.0.1:1/none?sslmode=require",
        "postgres://:::",
    ];
    for url in cases {
        let text = Postgres::open(url, impatient).map(|_| ()).expect_err(url).to_string();
        assert!(text.contains("no connection") && !text.contains("secret"), "{text}");
    }
    // The server's refusal is not waited out.
    let started = Instant::now();
    let patient = PostgresOptions {
        patience: Duration::from_secs(60),
        ..impatient
    };
    let text = Postgres::open(&cluster::shared().url("missing"), patient)
        .map(|_| ())
        .expect_err("missing")
        .to_string();
    assert!(
        text.contains("\"missing\" does not exist") && started.elapsed() < SOON,
        "{text}"
    );
}

#[test]
#[ignore = "needs PostgreSQL"]
fn machines_hear_of_each_others_changes() {
    let url = cluster::shared().new_database();
    let (one, two) = (open(&url), open(&url));
    let (sender, told) = channel();
    let _subscription = two.subscribe(
        b"",
        Box::new(move |changes: &Changes| drop(sender.send(changes.clone()))),
    );
    for number in 0..40 {
        let written = done(&one, Batch::new().put("k", number.to_string()));
        let expected = Changes {
            revision: written.revision,
            changes: vec![Change::Put(b"k".to_vec())],
        };
        assert_eq!(told.recv_timeout(SOON), Ok(expected));
        assert_eq!(two.get(b"k").wait(), Ok(Some(number.to_string().into_bytes())));
    }
}

/// Every connection is cut, again and again, while clients write; each counts on its answers.
#[test]
#[ignore = "needs PostgreSQL"]
fn cut_connections_lose_and_repeat_nothing() {
    let cluster = cluster::shared();
    let url = cluster.new_database();
    let database = url.rsplit('/').next().unwrap_or("");
    let store = open(&url);
    let (sender, told) = channel();
    let _subscription = store.subscribe(
        b"",
        Box::new(move |changes: &Changes| drop(sender.send(changes.clone()))),
    );
    let cut = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}' AND pid <> pg_backend_pid()"
    );
    let mut seqs: Vec<u64> = std::thread::scope(|scope| {
        let client = || {
            (0..60)
                .flat_map(|n| {
                    std::thread::sleep(Duration::from_millis(10));
                    assert!(store.last_seq(b"log").wait().expect("reads") >= n / 60);
                    done(&store, Batch::new().append("log", "e")).seqs
                })
                .collect::<Vec<u64>>()
        };
        let clients: Vec<_> = (0..4).map(|_| scope.spawn(client)).collect();
        for _ in 0..6 {
            std::thread::sleep(Duration::from_millis(100));
            cluster.sql(database, &cut);
        }
        clients
            .into_iter()
            .flat_map(|client| client.join().expect("no panic"))
            .collect()
    });
    seqs.sort_unstable();
    assert_eq!(seqs, (1..=240).collect::<Vec<u64>>());
    assert_eq!(store.read(b"log", 0, 1000).wait().expect("reads").rows.len(), 240);
    // The feed has told each, too.
    let heard: Vec<u64> = (0..240)
        .map(
            |_| match told.recv_timeout(SOON).expect("a change").changes.as_slice() {
                [Change::Append(_, seq)] => *seq,
                other => panic!("{other:?}"),
            },
        )
        .collect();
    assert_eq!(heard, (1..=240).collect::<Vec<u64>>());
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_database_that_goes_and_comes_back() {
    let mut cluster = Cluster::start();
    let url = cluster.new_database();
    let store = open(&url);
    let impatient = Postgres::open(
        &url,
        PostgresOptions {
            patience: Duration::from_millis(400),
            readers: 1,
        },
    )
    .expect("opens");
    done(&store, Batch::new().put("k", "1"));
    cluster.halt("kill");
    assert!(matches!(impatient.get(b"k").wait(), Err(ReadError::Lost(_))));
    let lost = impatient.write(Batch::new().append("log", "x")).wait();
    assert!(
        matches!(lost, Err(WriteError::Lost(_) | WriteError::Unknown(_))),
        "{lost:?}"
    );
    // Those who are patient wait for it.
    let (read, write) = (store.get(b"k"), store.write(Batch::new().put("k", "2")));
    std::thread::sleep(Duration::from_millis(300));
    cluster.resume();
    assert_eq!(read.wait().map(|value| value.is_some()), Ok(true));
    assert!(write.wait().is_ok());
    assert_eq!(store.get(b"k").wait(), Ok(Some(b"2".to_vec())));
    let deadline = Instant::now() + SOON;
    while impatient.get(b"k").wait() != Ok(Some(b"2".to_vec())) {
        assert!(Instant::now() < deadline, "it does not come back");
    }
}

/// Changes that the database no longer has are told as one: anything may be different.
#[test]
#[ignore = "needs PostgreSQL"]
fn changes_missed_for_good_are_said() {
    let cluster = cluster::shared();
    let url = cluster.new_database();
    let database = url.rsplit('/').next().unwrap_or("");
    let store = open(&url);
    let (sender, told) = channel();
    let _subscription = store.subscribe(
        b"",
        Box::new(move |changes: &Changes| drop(sender.send(changes.clone()))),
    );
    // As if a thousand batches had come and gone during an interruption.
    cluster.sql(database, "UPDATE sx.state SET revision = 1000, forgotten = 900");
    let written = done(&store, Batch::new().put("k", "v"));
    assert_eq!(
        told.recv_timeout(SOON),
        Ok(Changes {
            revision: 900,
            changes: vec![Change::Everything]
        })
    );
    assert_eq!(
        told.recv_timeout(SOON).map(|changes| changes.revision),
        Ok(written.revision)
    );
}
