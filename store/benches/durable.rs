//! What durable commits cost beside the syncs they are made of, and how opening after a crash
//! grows: `cargo bench -p sx-store --bench durable`, in a directory on the disk in question
//! (`SX_BENCH_DIR`, default `target/durable`).
//!
//! The raw row replays the very writes of a commit, at the same offsets of a file of the same
//! size, and syncs as often: what is left is the price of the store itself. Rows alternate, and
//! medians are compared, since disks have moods.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use sx_store::{Batch, Disk, Embedded, Options, Store};

/// Commits of one stretch, and how many stretches alternate.
const COMMITS: usize = 60;
const STRETCHES: usize = 7;
/// Clients of the crowded row.
const CLIENTS: usize = 16;

/// What a store did to its disk.
#[derive(Clone)]
enum Operation {
    Write(u64, Vec<u8>),
    Sync,
}

/// A file that notes what is done to it.
#[derive(Debug)]
struct Recorder {
    file: File,
    operations: Mutex<Option<Vec<Operation>>>,
}

impl std::fmt::Debug for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Operation::Write(offset, bytes) => write!(f, "{}@{offset}", bytes.len()),
            Operation::Sync => f.write_str("sync"),
        }
    }
}

impl Recorder {
    fn note(&self, operation: impl FnOnce() -> Operation) {
        if let Some(operations) = self.operations.lock().expect("no panic").as_mut() {
            operations.push(operation());
        }
    }
}

impl Disk for Recorder {
    fn len(&self) -> io::Result<u64> {
        Disk::len(&self.file)
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        Disk::set_len(&self.file, len)
    }
    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read_at(offset, out)
    }
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.note(|| Operation::Write(offset, bytes.to_vec()));
        self.file.write_at(offset, bytes)
    }
    fn sync(&self) -> io::Result<()> {
        self.note(|| Operation::Sync);
        self.file.sync()
    }
}

fn directory() -> PathBuf {
    let directory = std::env::var_os("SX_BENCH_DIR").map_or_else(|| PathBuf::from("target/durable"), PathBuf::from);
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir_all(&directory).expect("the directory can be made");
    directory
}

fn file(path: &Path) -> File {
    let mut options = OpenOptions::new();
    options
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .expect("the file opens")
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// The size from which on commits allow for a quick repair: all, or none.
fn from(quick_repair: bool) -> u64 {
    if quick_repair { 0 } else { u64::MAX }
}

/// A store with ten thousand keys, and its disk.
fn store(path: &Path, quick_repair: bool) -> (Embedded, Arc<Recorder>) {
    let disk = Arc::new(Recorder {
        file: file(path),
        operations: Mutex::new(None),
    });
    let options = Options {
        quick_repair_from: from(quick_repair),
        ..Options::default()
    };
    let store = Embedded::on("bench", Arc::clone(&disk) as Arc<dyn Disk>, options).expect("opens");
    for part in 0..10 {
        let keys = (0..1000).fold(Batch::new(), |batch, n| batch.put(format!("key/{part}/{n}"), [7; 100]));
        store.write(keys).wait().expect("writes");
    }
    (store, disk)
}

fn put(store: &Embedded, n: usize) {
    let batch = Batch::new().put(format!("key/{}/{}", n % 10, n * 7919 % 1000), n.to_string().repeat(20));
    store.write(batch).wait().expect("writes");
}

/// Commits of one client, each timed.
fn alone(store: &Embedded) -> Vec<Duration> {
    let timed = |n| {
        let started = Instant::now();
        put(store, n);
        started.elapsed()
    };
    (0..COMMITS).map(timed).collect()
}

/// The same writes and syncs without a store.
fn raw(file: &File, operations: &[Operation]) -> Vec<Duration> {
    let mut times = Vec::new();
    let mut started = Instant::now();
    for operation in operations {
        match operation {
            Operation::Write(offset, bytes) => file.write_at(*offset, bytes).expect("writes"),
            Operation::Sync => {
                file.sync().expect("syncs");
                times.push(started.elapsed());
                started = Instant::now();
            }
        }
    }
    times
}

/// Commits a second of many clients.
fn crowd(store: &Embedded, clients: usize) -> f64 {
    let started = Instant::now();
    std::thread::scope(|scope| {
        for client in 0..clients {
            scope.spawn(move || (0..COMMITS).for_each(|n| put(store, client * 31 + n)));
        }
    });
    (clients * COMMITS) as f64 / started.elapsed().as_secs_f64()
}

fn commits(directory: &Path) {
    let raw_path = directory.join("raw");
    for quick_repair in [false, true] {
        let (store, disk) = store(&directory.join(format!("store-{quick_repair}")), quick_repair);
        std::fs::copy(directory.join(format!("store-{quick_repair}")), &raw_path).expect("copies");
        let raw_file = file(&raw_path);
        raw_file.sync().expect("syncs");
        let (mut ours, mut its, mut one, mut many) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut syncs = 0;
        for _ in 0..STRETCHES {
            *disk.operations.lock().expect("no panic") = Some(Vec::new());
            ours.extend(alone(&store));
            let operations = disk.operations.lock().expect("no panic").take().unwrap_or_default();
            let times = raw(&raw_file, &operations);
            syncs = times.len() / COMMITS;
            // A commit's syncs together.
            its.extend(times.chunks(syncs.max(1)).map(|times| times.iter().sum::<Duration>()));
            one.push(crowd(&store, 1));
            many.push(crowd(&store, CLIENTS));
        }
        let (ours, its) = (median(ours), median(its));
        one.sort_by(f64::total_cmp);
        many.sort_by(f64::total_cmp);
        let (one, many) = (one[one.len() / 2], many[many.len() / 2]);
        println!(
            "quick repair {}: {syncs} sync a commit; commit {} µs, its raw writes and syncs {} µs: ratio {:.2}; \
             1 client {one:.0}/s, {CLIENTS} clients {many:.0}/s: ratio {:.1}",
            if quick_repair { "on " } else { "off" },
            ours.as_micros(),
            its.as_micros(),
            ours.as_secs_f64() / its.as_secs_f64(),
            many / one,
        );
    }
}

/// Opening a copy of a store that was not closed, as after a kill.
fn reopening(directory: &Path, megabytes: usize) {
    for quick_repair in [false, true] {
        let path = directory.join("growing");
        let _ = std::fs::remove_file(&path);
        let options = Options {
            quick_repair_from: from(quick_repair),
            check_bytes_max: 0,
            ..Options::default()
        };
        let store = Embedded::on("bench", Arc::new(file(&path)), options).expect("opens");
        for part in 0..megabytes {
            let keys = (0..1000).fold(Batch::new(), |batch, n| batch.put(format!("{part}/{n}"), [7; 1000]));
            store.write(keys).wait().expect("writes");
        }
        let copy = directory.join("copy");
        std::fs::copy(&path, &copy).expect("copies");
        let size = std::fs::metadata(&copy).map_or(0, |found| found.len());
        let started = Instant::now();
        let again = Embedded::on("bench", Arc::new(file(&copy)), options).expect("opens");
        let took = started.elapsed();
        assert!(
            again.has(b"0/999").wait() == Ok(true),
            "the copy holds what was written"
        );
        again.close();
        let started = Instant::now();
        let checked = Options {
            check_bytes_max: u64::MAX,
            ..options
        };
        Embedded::on("bench", Arc::new(file(&copy)), checked)
            .expect("opens")
            .close();
        println!(
            "quick repair {}: {megabytes} MB of rows, file {} MiB: opening after a crash {} ms, a checked opening {} ms",
            if quick_repair { "on " } else { "off" },
            size >> 20,
            took.as_millis(),
            started.elapsed().as_millis(),
        );
    }
}

/// Reads of one key after the other.
fn reads(directory: &Path) {
    let (store, _) = store(&directory.join("reads"), false);
    let count = 200_000;
    let started = Instant::now();
    let mut found = 0;
    for n in 0..count {
        let value = store
            .get(format!("key/{}/{}", n % 10, n * 7919 % 1000).as_bytes())
            .wait()
            .expect("reads");
        found += value.map_or(0, |value| value.len());
    }
    assert_eq!(found, count * 100, "every key was found");
    println!(
        "a read of 100 bytes: {} ns",
        started.elapsed().as_nanos() / count as u128
    );
}

fn main() {
    // `cargo test --benches` runs this too, and wants no figures.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let directory = directory();
    commits(&directory);
    reopening(&directory, 20);
    reopening(&directory, 200);
    reads(&directory);
    let _ = std::fs::remove_dir_all(&directory);
}
