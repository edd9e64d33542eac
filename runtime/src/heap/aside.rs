//! Programs that were put aside: what the heap keeps for each, and which one goes when memory is
//! short.
//!
//! A full collection counts what each of them holds that nothing before it does. A reservation that
//! the limit forbids then ends the one that holds most, where that is more than the running program
//! holds and asks for: nobody is refused for what another one keeps. Only those are ended whose
//! owner said so; the owner learns of it when it looks, and may ask to be woken.

use super::Heap;
use super::handles::Handles;
use crate::value::Word;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// A program that holds less than this part of the limit is not worth ending.
const SMALL_PART: usize = 16;

/// What the heap keeps for a program.
pub(super) struct Row {
    pub(super) words: [Word; 2],
    /// Bytes nothing before it held at the last full collection.
    pub(super) held: usize,
    may_end: bool,
    has_ended: bool,
    waker: Option<Waker>,
}

impl Row {
    const EMPTY: Row = Row {
        words: [Word::NIL; 2],
        held: 0,
        may_end: false,
        has_ended: false,
        waker: None,
    };
}

/// The words of a program that was put aside, until this is dropped.
pub struct Aside {
    handles: Rc<Handles>,
    index: usize,
}

impl Aside {
    pub(super) fn new(handles: &Rc<Handles>, words: [Word; 2]) -> Aside {
        let row = Row { words, ..Row::EMPTY };
        Aside {
            handles: Rc::clone(handles),
            index: handles.aside.borrow_mut().add(row),
        }
    }
    fn with<R>(&self, f: impl FnOnce(&mut Row) -> R) -> R {
        f(&mut self.handles.aside.borrow_mut().rows[self.index])
    }
    /// The words, valid until the next `reserve`; nothing if the program was ended.
    pub fn words(&self) -> Option<[Word; 2]> {
        self.with(|row| (!row.has_ended).then_some(row.words))
    }
    /// The program may be ended when memory is short.
    pub fn allow_end(&self) {
        self.with(|row| row.may_end = true);
    }
    /// Was the program ended? If not, whoever asks is woken when it is.
    pub fn poll_end(&self, context: &Context<'_>) -> Poll<()> {
        self.with(|row| {
            if row.has_ended {
                return Poll::Ready(());
            }
            row.waker = Some(context.waker().clone());
            Poll::Pending
        })
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        self.handles.aside.borrow_mut().remove(self.index, Row::EMPTY);
    }
}

impl Handles {
    pub(super) fn visit_aside(&self, f: &mut dyn FnMut(&mut Row)) {
        self.aside.borrow_mut().rows.iter_mut().for_each(f);
    }
}

impl Heap {
    /// Ends the program that holds most, right after a full collection; `false` if that would be the
    /// running one, with the `asked` bytes it wants, or one that does not matter.
    pub(super) fn end_largest(&mut self, asked: usize) -> bool {
        let least = self
            .held_running
            .saturating_add(asked)
            .max(self.options.limit_bytes / SMALL_PART);
        let mut aside = self.handles.aside.borrow_mut();
        let rows = aside.rows.iter_mut();
        let largest = rows.filter(|row| row.may_end).max_by_key(|row| row.held);
        let Some(row) = largest.filter(|row| row.held > least) else {
            return false;
        };
        let ended = Row {
            has_ended: true,
            ..Row::EMPTY
        };
        let waker = std::mem::replace(row, ended).waker;
        drop(aside);
        waker.into_iter().for_each(Waker::wake);
        true
    }
}
