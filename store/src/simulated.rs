//! A disk in memory that loses power, fills up and fails, for tests.
//!
//! At a power cut every sector written since the last sync is there or not, each by a throw of
//! the dice; so is every change of length. What was synced stays.
//!
//! Invariant: what happens follows from the seed and the calls.

use crate::Disk;
use std::collections::HashSet;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The unit that a disk writes as a whole.
const SECTOR: usize = 512;
/// The unit in which room is counted.
const BLOCK: u64 = 4096;

/// A disk that can lose power.
pub struct SimulatedDisk(Mutex<State>);

#[derive(Default)]
struct State {
    /// What is on the disk for sure.
    durable: Vec<u8>,
    /// What the system shows.
    current: Vec<u8>,
    /// What was done since the last sync.
    pending: Vec<Operation>,
    dice: u64,
    /// Operations until the power goes, if it will.
    fuse: Option<u64>,
    sync_fails: bool,
    /// Blocks that there is room for, and those in use.
    room: Option<usize>,
    used: HashSet<u64>,
    syncs: u64,
}

enum Operation {
    Write(usize, Vec<u8>),
    SetLen(usize),
}

impl SimulatedDisk {
    /// An empty disk.
    pub fn new(seed: u64) -> SimulatedDisk {
        SimulatedDisk(Mutex::new(State {
            dice: seed,
            ..State::default()
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The power goes after this many more writes and syncs.
    pub fn cut_after(&self, operations: u64) {
        self.state().fuse = Some(operations);
    }

    /// Has it gone?
    pub fn is_off(&self) -> bool {
        self.state().fuse == Some(0)
    }

    /// The power comes back; what was not synced is partly there.
    pub fn power_on(&self) {
        let mut state = self.state();
        let state = &mut *state;
        // In a third of the cuts nothing arrives, in a third everything.
        let chance = [0, 128, 256][roll(&mut state.dice) as usize % 3];
        for operation in std::mem::take(&mut state.pending) {
            state.dice = state.dice.wrapping_add(1);
            arrive(&mut state.durable, operation, chance, &mut state.dice);
        }
        state.current = state.durable.clone();
        state.fuse = None;
    }

    /// From now on syncs fail, or no longer do.
    pub fn fail_syncs(&self, fail: bool) {
        self.state().sync_fails = fail;
    }

    /// From now on there is room for so many bytes in all; `None` for no limit.
    pub fn set_room(&self, bytes: Option<u64>) {
        self.state().room = bytes.map(|bytes| (bytes / BLOCK) as usize);
    }

    /// Bytes in use.
    pub fn bytes_used(&self) -> u64 {
        self.state().used.len() as u64 * BLOCK
    }

    /// Flips a bit, as an ageing disk does.
    pub fn flip(&self, offset: usize, bit: u32) {
        let mut state = self.state();
        for image in [0, 1] {
            let bytes = if image == 0 {
                &mut state.durable
            } else {
                &mut state.current
            };
            if let Some(byte) = bytes.get_mut(offset) {
                *byte ^= 1 << (bit % 8);
            }
        }
    }

    /// How many syncs there were.
    pub fn syncs(&self) -> u64 {
        self.state().syncs
    }
}

impl State {
    /// Counts an operation; an error if the power is off or goes at it.
    fn tick(&mut self) -> io::Result<()> {
        match &mut self.fuse {
            Some(0) => Err(io::Error::other("the power is off")),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn occupy(&mut self, offset: u64, length: usize) -> io::Result<()> {
        let blocks = offset / BLOCK..(offset + length as u64).div_ceil(BLOCK);
        let new: Vec<u64> = blocks.filter(|block| !self.used.contains(block)).collect();
        if self.room.is_some_and(|room| self.used.len() + new.len() > room) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.used.extend(new);
        Ok(())
    }
}

/// The next throw (the splitmix64 sequence).
fn roll(dice: &mut u64) -> u64 {
    *dice = dice.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *dice;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Lets an operation reach the disk, sector by sector, each with `chance` in 256.
fn arrive(image: &mut Vec<u8>, operation: Operation, chance: u64, dice: &mut u64) {
    match operation {
        Operation::SetLen(length) => {
            if roll(dice) % 256 < chance {
                image.resize(length, 0);
            }
        }
        Operation::Write(offset, bytes) => {
            let mut at = 0;
            while at < bytes.len() {
                let end = ((offset + at) / SECTOR * SECTOR + SECTOR - offset).min(bytes.len());
                if roll(dice) % 256 < chance {
                    put(image, offset + at, &bytes[at..end]);
                }
                at = end;
            }
        }
    }
}

fn put(image: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    if image.len() < offset + bytes.len() {
        image.resize(offset + bytes.len(), 0);
    }
    image[offset..offset + bytes.len()].copy_from_slice(bytes);
}

impl Disk for SimulatedDisk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state().current.len() as u64)
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.state();
        state.tick()?;
        let length = len as usize;
        state.used.retain(|block| block * BLOCK < len);
        state.current.resize(length, 0);
        state.pending.push(Operation::SetLen(length));
        Ok(())
    }
    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.state();
        let begin = offset as usize;
        match state.current.get(begin..begin + out.len()) {
            Some(bytes) => out.copy_from_slice(bytes),
            None => return Err(io::ErrorKind::UnexpectedEof.into()),
        }
        Ok(())
    }
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        state.tick()?;
        state.occupy(offset, bytes.len())?;
        put(&mut state.current, offset as usize, bytes);
        state.pending.push(Operation::Write(offset as usize, bytes.to_vec()));
        Ok(())
    }
    fn sync(&self) -> io::Result<()> {
        let mut state = self.state();
        state.tick()?;
        if state.sync_fails {
            return Err(io::Error::other("the disk does not answer"));
        }
        let state = &mut *state;
        for operation in std::mem::take(&mut state.pending) {
            arrive(&mut state.durable, operation, 256, &mut state.dice);
        }
        state.syncs += 1;
        Ok(())
    }
}

impl std::fmt::Debug for SimulatedDisk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SimulatedDisk({} bytes)", self.state().current.len())
    }
}

#[cfg(test)]
mod tests;
