//! `kill -9` in a loop of writes: what a child process said was written is there.
//!
//! The child is this test program again. `SX_KILLS=1000` makes so many rounds.

#[path = "suite/contract.rs"]
mod suite;

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Duration;
use suite::Scratch;
use sx_store::{Batch, Embedded, Options, Store};

/// Tells the child where its store is.
const DIRECTORY: &str = "SX_KILL_TEST_DIRECTORY";

/// Not a test of its own: what the child does, until it is killed. Every batch writes its number
/// twice and into a log; what was answered is printed.
#[test]
#[ignore = "run by the test beside it"]
fn child() {
    let Some(directory) = std::env::var_os(DIRECTORY) else {
        return;
    };
    let store = Embedded::open(directory.as_ref(), Options::default()).expect("opens");
    let store = &store;
    let first = store.last_seq(b"log").wait().expect("reads");
    std::thread::scope(|scope| {
        for client in 0..4u64 {
            scope.spawn(move || {
                for n in first.. {
                    let value = format!("{n} {}", "x".repeat((n % 50 * 97) as usize));
                    let batch = Batch::new()
                        .put(format!("left/{client}"), value.clone())
                        .append("log", format!("{client} {n}"))
                        .put(format!("right/{client}"), value);
                    let written = store.write(batch).wait().expect("writes");
                    // One call writes a whole line, so that a kill tears none.
                    let line = format!("\nanswered {client} {n} {}\n", written.seqs[0]);
                    let _ = std::io::stdout().lock().write_all(line.as_bytes());
                }
            });
        }
    });
}

#[test]
fn a_killed_process_has_lost_nothing_it_answered() {
    let rounds = std::env::var("SX_KILLS").map_or(100, |text| text.parse().expect("a number"));
    let scratch = Scratch::new();
    let mut answered_in_all = 0;
    for round in 0..rounds {
        let program = std::env::current_exe().expect("this program has a name");
        let mut child = Command::new(program)
            .args(["child", "--exact", "--ignored", "--nocapture"])
            .env(DIRECTORY, scratch.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the child starts");
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        // At least one answer, then some time, different each round.
        let (sender, begun) = std::sync::mpsc::channel();
        let reading = std::thread::spawn(move || {
            let mut answers = Vec::new();
            for line in output.lines().map_while(Result::ok) {
                if let Some(answer) = line.strip_prefix("answered ") {
                    let mut numbers = answer.split(' ').map(|text| text.parse::<u64>().expect("a number"));
                    let mut next = || numbers.next().expect("three numbers");
                    answers.push((next(), next(), next()));
                    let _ = sender.send(());
                }
            }
            answers
        });
        begun
            .recv_timeout(Duration::from_secs(60))
            .unwrap_or_else(|_| panic!("round {round}: the child writes nothing"));
        std::thread::sleep(Duration::from_micros(round * 7919 % 20_000));
        child.kill().expect("the child is there");
        child.wait().expect("the child ends");
        let answers = reading.join().expect("no panic");
        check(&scratch, round, &answers);
        answered_in_all += answers.len();
    }
    println!("{answered_in_all} answered writes in {rounds} rounds");
}

fn check(scratch: &Scratch, round: u64, answers: &[(u64, u64, u64)]) {
    let store =
        Embedded::open(scratch.path(), Options::default()).unwrap_or_else(|error| panic!("round {round}: {error}"));
    for (client, n, seq) in answers {
        let event = store.read(b"log", *seq, 1).wait().expect("reads").rows.remove(0);
        assert_eq!(
            (event.seq, event.bytes),
            (*seq, format!("{client} {n}").into_bytes()),
            "round {round}: an event is lost"
        );
        let left = store
            .get(format!("left/{client}").as_bytes())
            .wait()
            .expect("reads")
            .expect("the key is there");
        let now: u64 = String::from_utf8_lossy(&left)
            .split(' ')
            .next()
            .and_then(|text| text.parse().ok())
            .expect("a number");
        assert!(
            now >= *n,
            "round {round}: client {client} wrote {n}, and {now} is there"
        );
    }
    for client in 0..4 {
        let side = |side: &str| store.get(format!("{side}/{client}").as_bytes()).wait().expect("reads");
        assert!(side("left") == side("right"), "round {round}: a batch is torn");
    }
    assert_eq!(store.verify(), Ok(Vec::new()), "round {round}");
}
