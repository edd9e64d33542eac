//! A program that many calls run in at once: one isolate, its edge, and the fibers that wait.
//!
//! A call is begun and run on the spot as far as it goes without waiting; the rest of it is a future
//! that puts the fiber aside at each wait and brings it back. All of it stays on the thread of the
//! isolate, and the isolate is never borrowed across an `await`, so fibers take turns exactly at
//! their performs and at the ends of their slices.

mod client;

pub use client::{Clients, Message, SocketEnd, Turn};

use crate::edge::{Answer, Edge, Later, Refusal};
use crate::metrics::{Counts, Question};
use crate::request_id::RequestId;
use crate::ticker::{Ticker, Watched};
use std::cell::{OnceCell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use sx::{Arguments, Code, Error, Event, Fiber, Isolate, Object, Times, Value};
use tokio::sync::{Mutex, mpsc, watch};
use tokio::time::Instant;

/// What answers the ops of programs that the edge does not know: those about the server itself.
pub type Special = Box<dyn Fn(&str, &[Value]) -> Answer>;

/// A program and who runs it.
pub struct Program {
    isolate: RefCell<Isolate>,
    edge: Edge,
    special: RefCell<Option<Special>>,
    watched: Watched,
    clients: Clients,
    /// Held by what runs, once handlers run one after the other.
    turns: OnceCell<Arc<Mutex<()>>>,
    /// What the worker counts.
    pub counts: Arc<Counts>,
    health: watch::Sender<Health>,
}

/// Whether the isolate can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Health {
    Well,
    /// Rust code panicked in it; nothing in it runs any more.
    Broken,
    /// The same, and whoever waited has been told.
    Told,
}

/// A call that was begun.
pub enum Call {
    /// It is over.
    Over(Result<Value, Error>),
    /// It is not.
    Going(Going),
}

/// What is left of a call.
pub struct Going {
    state: State,
    terms: Terms,
}

enum State {
    Preempted(Fiber),
    Waiting(Fiber, Later),
    /// The same, while others take their turn.
    Aside(Fiber, Later),
}

impl State {
    fn fiber(&self) -> &Fiber {
        match self {
            State::Preempted(fiber) | State::Waiting(fiber, _) | State::Aside(fiber, _) => fiber,
        }
    }
}

/// What a call may take, and for whom it is made.
#[derive(Clone)]
struct Terms {
    lasting: Duration,
    deadline: Option<Instant>,
    grace: Duration,
    id: Option<RequestId>,
}

impl Terms {
    fn new(times: Times, id: Option<RequestId>) -> Terms {
        Terms {
            lasting: times.lasting,
            deadline: Instant::now().checked_add(times.lasting),
            grace: times.grace,
            id,
        }
    }
}

impl Program {
    /// A program in this isolate.
    pub fn new(isolate: Isolate, edge: Edge, ticker: &Ticker, counts: Arc<Counts>) -> Rc<Program> {
        let watched = ticker.watch(isolate.interrupt_handle());
        Rc::new(Program {
            isolate: RefCell::new(isolate),
            edge,
            special: RefCell::default(),
            watched,
            clients: Clients::default(),
            turns: OnceCell::new(),
            counts,
            health: watch::Sender::new(Health::Well),
        })
    }

    /// The isolate, which nobody may hold across an await.
    pub fn isolate(&self) -> std::cell::RefMut<'_, Isolate> {
        self.isolate.borrow_mut()
    }

    /// Answers the ops about the server from now on.
    pub fn set_special(&self, special: Special) {
        *self.special.borrow_mut() = Some(special);
    }

    /// What clients hear of it.
    pub fn clients(&self) -> &Clients {
        &self.clients
    }

    /// The edge.
    pub fn edge(&self) -> &Edge {
        &self.edge
    }

    // --- turns ---------------------------------------------------------------------------------

    /// From now on handlers run one after the other.
    pub fn take_turns(&self) {
        self.turns.get_or_init(Arc::default);
    }

    /// Do they?
    pub fn takes_turns(&self) -> bool {
        self.turns.get().is_some()
    }

    /// The right to run a handler, once it is free.
    pub async fn turn(&self) -> Turn {
        match self.turns.get() {
            Some(turns) => Some(Arc::clone(turns).lock_owned().await),
            None => None,
        }
    }

    /// The same; nothing if it is not free.
    pub fn free_turn(&self) -> Option<Turn> {
        match self.turns.get() {
            Some(turns) => Arc::clone(turns).try_lock_owned().ok().map(Some),
            None => Some(None),
        }
    }

    // --- calls ---------------------------------------------------------------------------------

    /// Begins a call, for the request of this name, and runs it as far as it goes.
    pub fn call(&self, function: &Object, arguments: impl Arguments, times: Times, id: Option<RequestId>) -> Call {
        if self.is_broken() {
            return Call::Over(Err(broken()));
        }
        let mut isolate = self.isolate.borrow_mut();
        match isolate.begin_call(function, arguments, times) {
            Ok(()) => self.run(&mut isolate, Terms::new(times, id)),
            Err(error) => Call::Over(Err(error)),
        }
    }

    /// The same for a text.
    pub fn evaluate(&self, source: Arc<sx::Source>, times: Times) -> Call {
        let mut isolate = self.isolate.borrow_mut();
        match isolate.begin_source(source, times) {
            Ok(()) => self.run(&mut isolate, Terms::new(times, None)),
            Err(error) => Call::Over(Err(error)),
        }
    }

    /// Runs the current program of the isolate until it is over or has to wait. What it has printed
    /// is seen by then.
    fn run(&self, isolate: &mut Isolate, terms: Terms) -> Call {
        let call = self.run_silently(isolate, terms);
        isolate.flush();
        call
    }

    fn run_silently(&self, isolate: &mut Isolate, terms: Terms) -> Call {
        let _running = self.watched.run();
        self.edge.set_request(terms.id);
        let going = |state: State| {
            // The program itself is never ended for what a handler does.
            if terms.id.is_some() {
                state.fiber().allow_end();
            }
            Call::Going(Going {
                state,
                terms: terms.clone(),
            })
        };
        loop {
            let Ok(event) = catch_unwind(AssertUnwindSafe(|| isolate.go_on())) else {
                self.health.send_replace(Health::Broken);
                return Call::Over(Err(broken()));
            };
            match event {
                Event::Value(value) => return Call::Over(Ok(value)),
                Event::Failed(error) => return Call::Over(Err(error)),
                Event::Preempted(fiber) => {
                    self.counts.preemptions.up();
                    self.watched.gave_way();
                    return going(State::Preempted(fiber));
                }
                Event::Performed { op, arguments } => match self.perform(&op, &arguments) {
                    Answer::Now(answer) => give(isolate, answer),
                    Answer::Unknown => isolate.refuse_unhandled(),
                    Answer::Later(later) => {
                        if terms.deadline.is_none() {
                            // What lasts as long as its client may not run long without a wait.
                            isolate.renew_time();
                        }
                        match isolate.park() {
                            Ok(fiber) => return going(State::Waiting(fiber, later)),
                            Err(error) => isolate.refuse(error.code, error.message.clone()),
                        }
                    }
                    Answer::Aside(later) => match isolate.park() {
                        Ok(fiber) => return going(State::Aside(fiber, later)),
                        Err(error) => isolate.refuse(error.code, error.message.clone()),
                    },
                },
            }
        }
    }

    fn perform(&self, op: &str, arguments: &[Value]) -> Answer {
        let known = |answer: Answer| (!matches!(answer, Answer::Unknown)).then_some(answer);
        known(self.edge.perform(op, arguments))
            .or_else(|| known(self.clients.perform(op, arguments)))
            .or_else(|| self.special.borrow().as_ref().map(|special| special(op, arguments)))
            .unwrap_or(Answer::Unknown)
    }

    /// Runs a call to its end.
    pub async fn finish(&self, call: Call) -> Result<Value, Error> {
        let mut call = call;
        loop {
            let Going { state, mut terms } = match call {
                Call::Over(result) => return result,
                Call::Going(going) => going,
            };
            match state {
                State::Preempted(fiber) => {
                    tokio::task::yield_now().await;
                    if self.is_broken() {
                        return Err(broken());
                    }
                    let mut isolate = self.isolate.borrow_mut();
                    isolate.unpark(fiber)?;
                    call = self.run(&mut isolate, terms);
                }
                State::Aside(fiber, later) if !fiber.is_told() => {
                    terms.deadline = None;
                    let answer = self.wait(later, &fiber, &terms).await;
                    if self.is_broken() {
                        return Err(broken());
                    }
                    terms.deadline = Instant::now().checked_add(terms.lasting);
                    let mut isolate = self.isolate.borrow_mut();
                    isolate.unpark(fiber)?;
                    isolate.renew_time();
                    if let Some(answer) = answer {
                        give(&mut isolate, answer);
                    }
                    call = self.run(&mut isolate, terms);
                }
                State::Waiting(fiber, later) | State::Aside(fiber, later) => {
                    let answer = self.wait(later, &fiber, &terms).await;
                    if self.is_broken() {
                        return Err(broken());
                    }
                    if answer.is_none() && fiber.is_told() {
                        return Err(Error::new(Code::Deadline, "deadline exceeded"));
                    }
                    let mut isolate = self.isolate.borrow_mut();
                    isolate.unpark(fiber)?;
                    match answer {
                        Some(answer) => give(&mut isolate, answer),
                        None => isolate.expire(),
                    }
                    call = self.run(&mut isolate, terms);
                }
            }
        }
    }

    /// Waits for an answer; nothing if its time is over, or it was ended for its memory.
    async fn wait(&self, later: Later, fiber: &Fiber, terms: &Terms) -> Option<Result<Value, Refusal>> {
        // The program itself, which waits for the server to end, is no handler.
        let _suspended = terms.id.as_ref().map(|_| {
            self.counts.suspensions.up();
            self.counts.suspended.hold()
        });
        let answer = async {
            tokio::select! {
                answer = later => Some(answer),
                () = fiber.ended() => None,
            }
        };
        let Some(deadline) = terms.deadline else {
            return answer.await;
        };
        let until = if fiber.is_told() {
            deadline + terms.grace
        } else {
            deadline
        };
        let answer = tokio::time::timeout_at(until, answer).await;
        answer.unwrap_or_else(|_| {
            self.counts.deadlines.up();
            None
        })
    }

    // --- how it is -----------------------------------------------------------------------------

    /// Did Rust code panic in the isolate?
    pub fn is_broken(&self) -> bool {
        *self.health.borrow() != Health::Well
    }

    /// Waits until it did.
    pub async fn breaks(&self) {
        self.has_become(Health::Broken).await;
    }

    /// Whoever waited for the isolate has been told that it broke.
    pub fn tell_clients(&self) {
        self.health.send_replace(Health::Told);
    }

    /// Waits until they have.
    pub async fn clients_are_told(&self) {
        self.has_become(Health::Told).await;
    }

    async fn has_become(&self, health: Health) {
        let mut now = self.health.subscribe();
        // The sender is a field of this.
        let _ = now.wait_for(|now| *now >= health).await;
    }

    /// Answers what is asked of the worker, between two calls.
    pub async fn answer_questions(self: Rc<Program>, mut questions: mpsc::UnboundedReceiver<Question>) {
        while let Some(question) = questions.recv().await {
            if self.is_broken() {
                continue;
            }
            let mut isolate = self.isolate.borrow_mut();
            // Whoever asked may have lost patience.
            match question {
                Question::Figures(answer) => drop(answer.send(isolate.figures())),
                Question::Native(answer) => {
                    let report = isolate.call::<String>("jit-report", ());
                    drop(answer.send(report.unwrap_or_else(|error| error.message.clone())));
                }
            }
        }
    }
}

fn broken() -> Error {
    Error::new(Code::Interrupt, "a bug of the server ended this")
}

fn give(isolate: &mut Isolate, answer: Result<Value, Refusal>) {
    match answer {
        Ok(value) => {
            if let Err(error) = isolate.answer(value) {
                isolate.refuse(error.code, error.message.clone());
            }
        }
        Err(refusal) => isolate.refuse(refusal.code, refusal.message),
    }
}
