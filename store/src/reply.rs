//! An answer that is there already or comes later.
//!
//! A [`Ticket`] is taken in one of three ways: waited for, awaited, or given a function to call.
//! Invariant: every ticket is answered; a promise that is dropped answers that it was.

use crate::error::Abandoned;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// An answer, now or later.
#[must_use]
pub enum Reply<R> {
    /// The answer.
    Now(R),
    /// What it will be found by.
    Later(Ticket<R>),
}

/// The claim to an answer that comes later.
#[must_use]
pub struct Ticket<R>(Arc<Slot<R>>);

/// The duty to answer. Dropping it answers with [`Abandoned`].
pub struct Promise<R: Abandoned>(Option<Arc<Slot<R>>>);

struct Slot<R> {
    state: Mutex<State<R>>,
    answered: Condvar,
}

enum State<R> {
    Empty,
    Waker(Waker),
    Call(Box<dyn FnOnce(R) + Send>),
    Answer(R),
    Taken,
}

/// A promise and the ticket for it.
pub fn promise<R: Abandoned>() -> (Promise<R>, Ticket<R>) {
    let slot = Arc::new(Slot {
        state: Mutex::new(State::Empty),
        answered: Condvar::new(),
    });
    (Promise(Some(Arc::clone(&slot))), Ticket(slot))
}

impl<R> Slot<R> {
    /// A panic of another thread cannot leave the state half changed: it is one word.
    fn state(&self) -> MutexGuard<'_, State<R>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, answer: R) {
        let mut state = self.state();
        match std::mem::replace(&mut *state, State::Taken) {
            State::Call(call) => {
                drop(state);
                call(answer);
            }
            State::Waker(waker) => {
                *state = State::Answer(answer);
                drop(state);
                waker.wake();
            }
            State::Empty | State::Answer(_) | State::Taken => {
                *state = State::Answer(answer);
                self.answered.notify_one();
            }
        }
    }
}

impl<R: Abandoned> Promise<R> {
    /// Answers. A function given to the ticket runs now, in this thread.
    pub fn answer(mut self, answer: R) {
        if let Some(slot) = self.0.take() {
            slot.answer(answer);
        }
    }
}

impl<R: Abandoned> Drop for Promise<R> {
    fn drop(&mut self) {
        if let Some(slot) = self.0.take() {
            slot.answer(R::abandoned());
        }
    }
}

impl<R> Ticket<R> {
    /// Calls `f` with the answer: now if it is there, else in the thread that answers, so it
    /// should hand the answer on and return.
    pub fn then(self, f: impl FnOnce(R) + Send + 'static) {
        let mut state = self.0.state();
        match std::mem::replace(&mut *state, State::Taken) {
            State::Answer(answer) => {
                drop(state);
                f(answer);
            }
            _ => *state = State::Call(Box::new(f)),
        }
    }

    /// Waits for the answer.
    pub fn wait(self) -> R {
        let mut state = self.0.state();
        loop {
            match std::mem::replace(&mut *state, State::Empty) {
                State::Answer(answer) => return answer,
                _ => {
                    let waited = self.0.answered.wait(state);
                    state = waited.unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }
}

impl<R> Future for Ticket<R> {
    type Output = R;
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R> {
        let mut state = self.0.state();
        match std::mem::replace(&mut *state, State::Taken) {
            State::Answer(answer) => Poll::Ready(answer),
            _ => {
                *state = State::Waker(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl<R> Reply<R> {
    /// Calls `f` with the answer: now if it is there, else in the thread that answers.
    pub fn then(self, f: impl FnOnce(R) + Send + 'static) {
        match self {
            Reply::Now(answer) => f(answer),
            Reply::Later(ticket) => ticket.then(f),
        }
    }
    /// The answer, waited for if need be.
    pub fn wait(self) -> R {
        match self {
            Reply::Now(answer) => answer,
            Reply::Later(ticket) => ticket.wait(),
        }
    }
}

impl<R> From<Ticket<R>> for Reply<R> {
    fn from(ticket: Ticket<R>) -> Reply<R> {
        Reply::Later(ticket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ReadError;
    use std::sync::mpsc::channel;

    type Answer = Result<u8, ReadError>;

    #[test]
    fn an_answer_is_found_whether_it_comes_before_or_after() {
        for early in [true, false] {
            let (promise, ticket) = promise::<Answer>();
            let (sender, receiver) = channel();
            let mut promise = Some(promise);
            if early {
                promise.take().into_iter().for_each(|promise| promise.answer(Ok(7)));
            }
            ticket.then(move |answer| sender.send(answer).expect("the receiver lives"));
            promise.into_iter().for_each(|promise| promise.answer(Ok(7)));
            assert_eq!(receiver.recv(), Ok(Ok(7)), "early: {early}");
        }
    }

    #[test]
    fn a_waiting_thread_wakes() {
        let (promise, ticket) = promise::<Answer>();
        let waiting = std::thread::spawn(move || ticket.wait());
        promise.answer(Ok(1));
        assert_eq!(waiting.join().expect("no panic"), Ok(1));
    }

    #[test]
    fn a_broken_promise_is_an_answer() {
        let (promise, ticket) = promise::<Answer>();
        drop(promise);
        assert_eq!(ticket.wait(), Err(ReadError::Closed));
    }

    #[test]
    fn a_ticket_is_a_future() {
        let (promise, mut ticket) = promise::<Answer>();
        let mut cx = Context::from_waker(Waker::noop());
        assert_eq!(Pin::new(&mut ticket).poll(&mut cx), Poll::Pending);
        promise.answer(Ok(2));
        assert_eq!(Pin::new(&mut ticket).poll(&mut cx), Poll::Ready(Ok(2)));
    }
}
