//! What tests want of a compile: that it fails at a stage, or that guards in its code fail on purpose,
//! each the first time it is reached or every time. Nothing a program sees may change by either.
//!
//! A guard that is to fail has a mark in memory, which its code looks at and sets. Marks live as long
//! as the code; when it goes, they are counted.

use std::cell::RefCell;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};

/// A step of a compile, for tests that have one fail there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The function has been cut into pieces.
    Cut,
    /// A piece is being lowered: a panic.
    Lower,
    /// The code generator is about to make machine code of it.
    Emit,
    /// Memory for the code is wanted: there is none.
    Allocate,
    /// The code is to be made executable: the system refuses.
    Map,
}

impl Stage {
    /// All of them, in their order.
    pub const ALL: [Stage; 5] = [Stage::Cut, Stage::Lower, Stage::Emit, Stage::Allocate, Stage::Map];
}

/// When guards fail that would have held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Force {
    /// Each the first time it is reached.
    Once,
    /// Each whenever it is reached.
    Always,
}

/// The guards of all code that has gone.
#[derive(Debug, Default)]
pub struct Tally {
    emitted: AtomicU64,
    forced: AtomicU64,
}

impl Tally {
    /// Of no code yet.
    pub const fn new() -> Tally {
        Tally {
            emitted: AtomicU64::new(0),
            forced: AtomicU64::new(0),
        }
    }
    /// Guards that were emitted, and those of them that failed on purpose.
    pub fn counts(&self) -> (u64, u64) {
        (
            self.emitted.load(Ordering::Relaxed),
            self.forced.load(Ordering::Relaxed),
        )
    }
}

/// What is wanted of one compile; usually nothing.
#[derive(Clone, Copy, Default)]
pub struct Trial {
    /// Where it fails.
    pub fails: Option<Stage>,
    /// When guards fail, and where they are counted.
    pub guards: Option<(Force, &'static Tally)>,
}

/// A mark that no code has set.
const UNTOUCHED: u64 = 1;

/// The marks of a unit's guards.
pub struct Marks {
    force: Force,
    tally: &'static Tally,
    /// Each stays where it is: code has its address.
    marks: RefCell<Vec<Pin<Box<AtomicU64>>>>,
}

impl Marks {
    /// None yet.
    pub fn new(force: Force, tally: &'static Tally) -> Marks {
        Marks {
            force,
            tally,
            marks: RefCell::default(),
        }
    }
    /// A mark for one more guard: where it is, and what the guard sets it to when it fails on purpose,
    /// which it does while the mark is not 0.
    pub fn add(&self) -> (usize, u64) {
        let mark = Box::pin(AtomicU64::new(UNTOUCHED));
        let address = &raw const *mark as usize;
        self.marks.borrow_mut().push(mark);
        match self.force {
            Force::Once => (address, 0),
            Force::Always => (address, UNTOUCHED + 1),
        }
    }
}

impl Drop for Marks {
    fn drop(&mut self) {
        let marks = self.marks.get_mut();
        let touched = marks.iter().filter(|mark| mark.load(Ordering::Relaxed) != UNTOUCHED);
        self.tally.forced.fetch_add(touched.count() as u64, Ordering::Relaxed);
        self.tally.emitted.fetch_add(marks.len() as u64, Ordering::Relaxed);
    }
}
