//! Power cuts, full and failing disks, flipped bits under the embedded store, driven without a
//! thread so that a run follows from its seed.
//!
//! `SX_POWER_CUTS=10000 cargo test -p sx-store power` makes so many cuts; `SX_POWER_SEED` says
//! from which seed on.

use crate::embedded::core::{Core, Outcome};
use crate::*;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a store should hold.
#[derive(Clone, Default, PartialEq)]
struct Model {
    pairs: BTreeMap<Vec<u8>, Vec<u8>>,
    logs: BTreeMap<Vec<u8>, Log>,
    blobs: BTreeMap<Cid, Vec<u8>>,
}

#[derive(Clone, Default, PartialEq)]
struct Log {
    last: u64,
    events: BTreeMap<u64, Vec<u8>>,
}

impl Model {
    fn apply(&mut self, batch: &Batch) -> Result<(), usize> {
        for (index, check) in batch.checks.iter().enumerate() {
            let holds = match check {
                Check::Value { key, value } => self.pairs.get(key) == value.as_ref(),
                Check::LastSeq { stream, seq } => self.logs.get(stream).map_or(0, |log| log.last) == *seq,
            };
            if !holds {
                return Err(index);
            }
        }
        for write in &batch.writes {
            self.change(write.clone());
        }
        Ok(())
    }

    fn change(&mut self, write: Write) {
        match write {
            Write::Put { key, value } => {
                self.pairs.insert(key, value);
            }
            Write::Delete { key } => {
                self.pairs.remove(&key);
            }
            Write::Append { stream, event } => {
                let log = self.logs.entry(stream).or_default();
                log.last += 1;
                log.events.insert(log.last, event);
            }
            Write::Truncate { stream, through } => {
                if let Some(log) = self.logs.get_mut(&stream) {
                    log.events.retain(|seq, _| *seq > through);
                }
            }
            Write::Raise { stream, seq } => {
                let log = self.logs.entry(stream).or_default();
                log.last = log.last.max(seq);
            }
            Write::PutBlob { bytes } => {
                self.blobs.insert(Cid::of(&bytes), bytes);
            }
        }
    }

    /// What a store holds.
    fn of(core: &Core) -> Result<Model, ExportError> {
        let mut model = Model::default();
        let mut last = Vec::new();
        core.view().look()?.export(&mut |row| {
            match row {
                Row::Pair((key, value)) => {
                    model.pairs.insert(key, value);
                }
                Row::Stream(info) => {
                    model.logs.entry(info.name.clone()).or_default().last = info.last_seq;
                    last = info.name;
                }
                Row::Event(event) => {
                    let log = model.logs.entry(last.clone()).or_default();
                    log.events.insert(event.seq, event.bytes);
                }
                Row::Blob(bytes) => {
                    model.blobs.insert(Cid::of(&bytes), bytes);
                }
            }
            Ok(())
        })?;
        Ok(model)
    }
}

/// Dice for workloads.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        super::roll(&mut self.0) % n
    }
    fn bytes(&mut self) -> Vec<u8> {
        // Mostly small, now and then more than a page.
        let length = if self.below(10) == 0 {
            self.below(9000)
        } else {
            self.below(60)
        };
        (0..length).map(|_| self.below(256) as u8).collect()
    }
    fn name(&mut self, kind: &str) -> Vec<u8> {
        format!("{kind}/{}", self.below(12)).into_bytes()
    }
    fn batch(&mut self, model: &Model) -> Batch {
        let mut batch = Batch::new();
        if self.below(4) == 0 {
            let key = self.name("key");
            // Right in two of three cases.
            let value = if self.below(3) == 0 {
                None
            } else {
                model.pairs.get(&key).cloned()
            };
            batch = batch.check(key, value.as_deref());
        }
        if self.below(8) == 0 {
            let stream = self.name("log");
            let seq = model.logs.get(&stream).map_or(0, |log| log.last);
            batch = batch.check_seq(stream, seq);
        }
        for _ in 0..=self.below(5) {
            batch = batch.with(self.write(model));
        }
        batch
    }
    fn write(&mut self, model: &Model) -> Write {
        match self.below(12) {
            0..=4 => Write::Put {
                key: self.name("key"),
                value: self.bytes(),
            },
            5 => Write::Delete { key: self.name("key") },
            6..=8 => Write::Append {
                stream: self.name("log"),
                event: self.bytes(),
            },
            9 => {
                let stream = self.name("log");
                let last = model.logs.get(&stream).map_or(0, |log| log.last);
                let through = self.below(last + 2);
                Write::Truncate { stream, through }
            }
            10 => Write::Raise {
                stream: self.name("log"),
                seq: self.below(40),
            },
            _ => Write::PutBlob { bytes: self.bytes() },
        }
    }
}

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().expect("a number"))
}

fn open(disk: &Arc<SimulatedDisk>, options: Options) -> Result<Core, OpenError> {
    Core::open("simulated", Arc::clone(disk) as Arc<dyn Disk>, options)
}

/// A life of a disk: several stretches of writes, each ended by a power cut at any operation,
/// also while the store is being opened or made.
fn power_cuts(seed: u64, cuts: u64) {
    let mut dice = Dice(seed);
    let disk = Arc::new(SimulatedDisk::new(seed));
    let options = Options {
        check_bytes_max: if seed.is_multiple_of(2) { 0 } else { u64::MAX },
        quick_repair_from: if seed % 4 >= 2 { 0 } else { u64::MAX },
        ..Options::default()
    };
    let mut before = Model::default();
    for cut in 0..cuts {
        // Few operations cut into opening, more into commits.
        let spread = [30, 300][dice.below(2) as usize];
        disk.cut_after(dice.below(spread) + 1);
        let mut after = before.clone();
        if let Ok(mut core) = open(&disk, options) {
            assert!(
                Model::of(&core).as_ref() == Ok(&before),
                "seed {seed}, cut {cut}: the store opened with other contents"
            );
            while !disk.is_off() {
                let mut group = Vec::new();
                after = before.clone();
                let mut expected = Vec::new();
                for _ in 0..=dice.below(3) {
                    let batch = dice.batch(&after);
                    expected.push(after.apply(&batch));
                    group.push(batch);
                }
                let outcomes = core.commit(&group);
                let Some(answered) = answers(&outcomes) else {
                    break;
                };
                assert_eq!(answered, expected, "seed {seed}, cut {cut}");
                before = after.clone();
            }
        }
        disk.cut_after(0);
        disk.power_on();
        let core = open(&disk, options).unwrap_or_else(|error| panic!("seed {seed}, cut {cut}: {error}"));
        let found = Model::of(&core).unwrap_or_else(|error| panic!("seed {seed}, cut {cut}: {error}"));
        // The group under way when the power went happened as a whole or not at all.
        assert!(
            found == before || found == after,
            "seed {seed}, cut {cut}: an answered write is lost, or a batch is torn"
        );
        let problems = core.view().look().and_then(|snapshot| snapshot.verify_rows());
        assert_eq!(problems, Ok(Vec::new()), "seed {seed}, cut {cut}");
        before = found;
    }
}

/// Which batches happened; `None` if the disk did not let them.
fn answers(outcomes: &[Outcome]) -> Option<Vec<Result<(), usize>>> {
    let answer = |outcome: &Outcome| match outcome {
        Ok(_) => Some(Ok(())),
        Err(WriteError::Conflict { check }) => Some(Err(*check)),
        Err(_) => None,
    };
    outcomes.iter().map(answer).collect()
}

#[test]
fn power_cuts_lose_nothing_answered_and_tear_nothing() {
    let cuts = number("SX_POWER_CUTS", 300);
    let first = number("SX_POWER_SEED", 1);
    for seed in first..first + cuts.div_ceil(10) {
        power_cuts(seed, 10);
    }
}

#[test]
fn a_full_disk_is_said_and_writes_go_on_when_there_is_room() {
    let disk = Arc::new(SimulatedDisk::new(1));
    let mut core = open(&disk, Options::default()).expect("opens");
    let mut model = Model::default();
    let mut dice = Dice(2);
    disk.set_room(Some(disk.bytes_used() + (64 << 10)));
    let mut full = 0;
    for round in 0..60 {
        let batch = Batch::new().put(format!("key/{round}"), vec![dice.below(256) as u8; 4000]);
        let outcome = core.commit(std::slice::from_ref(&batch)).remove(0);
        match outcome {
            Ok(_) => model.apply(&batch).expect("no checks"),
            Err(WriteError::Full(text)) => {
                assert!(text.starts_with("simulated: "), "{text}");
                full += 1;
            }
            Err(error) => panic!("round {round}: {error}"),
        }
        assert!(Model::of(&core).as_ref() == Ok(&model), "round {round}");
        if full == 3 {
            disk.set_room(None);
        }
    }
    assert!((3..10).contains(&full), "{full} times full");
}

#[test]
fn a_failed_sync_is_unknown_and_nothing_is_written_after_it() {
    let disk = Arc::new(SimulatedDisk::new(1));
    let mut core = open(&disk, Options::default()).expect("opens");
    let batch = |key: &str| vec![Batch::new().put(key, "1")];
    assert!(core.commit(&batch("a"))[0].is_ok());
    disk.fail_syncs(true);
    assert!(matches!(core.commit(&batch("b"))[0], Err(WriteError::Unknown(_))));
    disk.fail_syncs(false);
    match &core.commit(&batch("c"))[0] {
        Err(WriteError::Io(text)) => assert!(text.contains("a sync failed"), "{text}"),
        other => panic!("{other:?}"),
    }
}

/// A bit that flips anywhere is found, or it changes nothing: no read gives anything else than
/// what was written.
#[test]
fn flipped_bits_are_never_served() {
    let mut found = 0;
    for seed in 0..number("SX_FLIPS", 150) {
        let mut dice = Dice(seed);
        let disk = Arc::new(SimulatedDisk::new(seed));
        let mut core = open(&disk, Options::default()).expect("opens");
        let mut model = Model::default();
        for _ in 0..20 {
            let batch = dice.batch(&model);
            let expected = model.apply(&batch);
            assert_eq!(answers(&core.commit(&[batch])), Some(vec![expected]));
        }
        core.close();
        drop(core);
        // Most of the file is empty; aim at what is used.
        let length = Disk::len(&*disk).expect("has a length");
        let offset = dice.below(if seed.is_multiple_of(2) {
            length
        } else {
            disk.bytes_used().min(length)
        });
        disk.flip(offset as usize, dice.below(8) as u32);
        match open(&disk, Options::default()) {
            Err(OpenError::Corrupt { .. }) => found += 1,
            Err(error) => panic!("seed {seed}: {error}"),
            Ok(core) => match Model::of(&core) {
                Ok(now) => assert!(now == model, "seed {seed}: a flipped bit was served"),
                Err(_) => found += 1,
            },
        }
    }
    assert!(found > 0, "no flipped bit was found, so nothing was tested");
}

#[test]
fn a_truncated_file_is_refused() {
    let disk = Arc::new(SimulatedDisk::new(1));
    let mut core = open(&disk, Options::default()).expect("opens");
    core.commit(&[Batch::new().put("key", vec![7; 100_000])]);
    core.close();
    drop(core);
    let length = Disk::len(&*disk).expect("has a length");
    for part in [0.9, 0.5, 0.1, 0.001] {
        let copy = Arc::new(SimulatedDisk::new(1));
        let mut bytes = vec![0; (length as f64 * part) as usize];
        disk.read_at(0, &mut bytes).expect("reads");
        copy.write_at(0, &bytes).expect("writes");
        match open(&copy, Options::default()) {
            Err(OpenError::Corrupt { .. }) => {}
            Err(error) => panic!("{part}: {error}"),
            Ok(core) => {
                let value = core.view().look().and_then(|snapshot| snapshot.get(b"key"));
                assert_ne!(value, Ok(None), "{part}: the key is said not to be there");
            }
        }
    }
}
