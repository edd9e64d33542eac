//! The contract over a file, and what only a file has.

#[path = "suite/contract.rs"]
mod suite;

use std::path::Path;
use std::sync::Arc;
use suite::{Opened, Scratch, contract, done, fill, rows};
use sx_store::{Batch, Embedded, OpenError, Options, SimulatedDisk, Store};

fn open(path: &Path) -> Result<Embedded, OpenError> {
    Embedded::open(path, Options::default())
}

mod on_a_file {
    use super::*;

    fn new() -> Opened {
        let scratch = Scratch::new();
        let store = Box::new(open(scratch.path()).expect("opens"));
        Opened {
            store,
            scratch: Some(scratch),
        }
    }

    contract! { [] new }
}

mod on_a_simulated_disk {
    use super::*;

    fn new() -> Opened {
        let disk = Arc::new(SimulatedDisk::new(7));
        let store = Embedded::on("simulated", disk, Options::default()).expect("opens");
        Opened {
            store: Box::new(store),
            scratch: None,
        }
    }

    contract! { [] new }
}

#[test]
fn what_was_written_is_there_when_it_is_opened_again() {
    let scratch = Scratch::new();
    let directory = scratch.path().join("made/with its parents");
    let before = {
        let store = open(&directory).expect("opens");
        fill(&store);
        rows(&store)
    };
    let store = open(&directory).expect("opens");
    assert!(rows(&store) == before);
    // Numbers of logs go on, also those of names.
    assert_eq!(
        done(&store, Batch::new().append("gone", "3").append("new", "1")).seqs,
        [3, 1]
    );
    assert_eq!(store.verify(), Ok(Vec::new()));
}

#[test]
fn the_process_that_has_it_open_is_named() {
    let scratch = Scratch::new();
    let store = open(scratch.path()).expect("opens");
    match open(scratch.path()).map(|_| ()) {
        Err(error @ OpenError::Held { .. }) => {
            let text = error.to_string();
            assert!(text.contains(&format!("process {}: ", std::process::id())), "{text}");
        }
        other => panic!("{other:?}"),
    }
    store.close();
    assert!(open(scratch.path()).is_ok());
}

#[test]
fn what_is_no_store_is_refused_and_left_alone() {
    let scratch = Scratch::new();
    let path = scratch.path().join("store.redb");
    for text in ["", "not a database", &"x".repeat(100_000)] {
        std::fs::write(&path, text).expect("writes");
        assert!(
            matches!(open(scratch.path()).map(|_| ()), Err(OpenError::Corrupt { .. })),
            "{} bytes",
            text.len()
        );
        assert_eq!(std::fs::read_to_string(&path).ok().as_deref(), Some(text));
    }
}

#[test]
#[cfg(unix)]
fn the_files_of_a_new_store_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = Scratch::new();
    let _store = open(scratch.path()).expect("opens");
    let files = std::fs::read_dir(scratch.path()).expect("lists");
    let modes: Vec<(String, u32)> = files
        .map(|file| file.expect("a file"))
        .map(|file| {
            let mode = file.metadata().expect("a mode").permissions().mode() & 0o777;
            (file.file_name().to_string_lossy().into_owned(), mode)
        })
        .collect();
    assert_eq!(modes.len(), 2, "{modes:?}");
    assert!(modes.iter().all(|(_, mode)| *mode == 0o600), "{modes:?}");
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let scratch = Scratch::new();
    std::fs::write(scratch.path().join("file"), "").expect("writes");
    match open(&scratch.path().join("file/below")).map(|_| ()) {
        Err(OpenError::Io { path, .. }) => assert!(path.contains("file/below"), "{path}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_receiver_that_panics_leaves_nobody_waiting() {
    let store = Embedded::on("simulated", Arc::new(SimulatedDisk::new(7)), Options::default()).expect("opens");
    let subscription = store.subscribe(b"", Box::new(|_| panic!("a receiver of a test")));
    let answer = store.write(Batch::new().put("k", "v")).wait();
    assert!(matches!(answer, Err(sx_store::WriteError::Unknown(_))), "{answer:?}");
    drop(subscription);
    let answer = store.write(Batch::new().put("k", "w")).wait();
    assert!(
        matches!(
            answer,
            Err(sx_store::WriteError::Closed | sx_store::WriteError::Unknown(_))
        ),
        "{answer:?}"
    );
    store.close();
    assert_eq!(store.get(b"k").wait(), Err(sx_store::ReadError::Closed));
}
