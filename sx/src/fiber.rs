//! Many programs in one isolate, one of which runs: begin a call, run it until something happens,
//! put it aside, go on with another.
//!
//! A program that is being run is the isolate's *current* one; [`Isolate::park`] makes a [`Fiber`]
//! of it, [`Isolate::unpark`] the other way round. They share globals and heap. Effects that
//! [`Isolate::on`] services are answered on the way; every other one is an [`Event`], and whoever
//! drives the isolate answers it at once or later.
//!
//! Time is looked at only while somebody pokes the isolate now and then
//! ([`InterruptHandle::poke`](crate::InterruptHandle::poke)).

use crate::convert::Arguments;
use crate::error::Error;
use crate::isolate::Isolate;
use crate::value::{Object, Value};
use crate::{failure, transfer};
use std::sync::Arc;
use std::time::Duration;
use sx_interp::machine::{Budget, Exit, Machine, Parked};
use sx_runtime::error::{Code, Raise};
use sx_runtime::syntax::Source;
use sx_runtime::value::Value as Inner;

/// How long a program may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// After so long it is preempted; then, until its time is renewed, each time after a tenth of it.
    pub slice: Duration,
    /// So long it may run, all its slices together.
    pub running: Duration,
    /// So long it may last, waiting included.
    pub lasting: Duration,
    /// So long it may go on when it has been told that its time is over.
    pub grace: Duration,
}

impl Times {
    /// As long as it takes.
    pub const UNLIMITED: Times = Times {
        slice: Duration::MAX,
        running: Duration::MAX,
        lasting: Duration::MAX,
        grace: Duration::ZERO,
    };
}

/// Slices after the first are so many times shorter.
const LATER_SLICES: u32 = 10;

/// The account of a program's time.
#[derive(Clone, Copy)]
pub(crate) struct Clock {
    times: Times,
    began: u64,
    /// When it got its turn.
    turn_began: u64,
    ran: u64,
    /// Has it used up a slice?
    gave_way: bool,
    is_told: bool,
}

impl Clock {
    pub(crate) const STOPPED: Clock = Clock {
        times: Times::UNLIMITED,
        began: 0,
        turn_began: 0,
        ran: 0,
        gave_way: false,
        is_told: false,
    };

    fn budget(&self, now: u64) -> Budget {
        if self.times == Times::UNLIMITED {
            return Budget::UNLIMITED;
        }
        let after = |start: u64, time: Duration| start.saturating_add(nanoseconds(time));
        // Who is known to run long gives way often, so that others hardly notice.
        let slice = match self.gave_way {
            true => self.times.slice / LATER_SLICES,
            false => self.times.slice,
        };
        let extra = if self.is_told { self.times.grace } else { Duration::ZERO };
        let running = after(now, self.times.running.saturating_add(extra)).saturating_sub(self.ran);
        let lasting = after(self.began, self.times.lasting.saturating_add(extra));
        Budget {
            slice_ends: after(self.turn_began, slice),
            deadline: running.min(lasting),
            grace: nanoseconds(self.times.grace),
            is_told: self.is_told,
        }
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// A program that was put aside: it waits for an answer, or for its turn. Dropping it ends it
/// without running anything more of it.
pub struct Fiber {
    parked: Parked,
    clock: Clock,
}

/// Why the current program stopped.
#[derive(Debug)]
pub enum Event {
    /// It is over; its value.
    Value(Value),
    /// It is over; nothing took a condition, or it was interrupted.
    Failed(Error),
    /// It performed an op and waits: [`Isolate::answer`], [`Isolate::refuse`] or
    /// [`Isolate::refuse_unhandled`], then [`Isolate::go_on`].
    Performed {
        /// The op.
        op: String,
        /// Its arguments.
        arguments: Vec<Value>,
    },
    /// Its slice is over, and it was put aside.
    Preempted(Fiber),
}

impl std::fmt::Debug for Fiber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fiber")
    }
}

impl Isolate {
    /// Makes a call of a function the isolate has handed out the current program.
    ///
    /// ```
    /// use sx::{Engine, Event, Object, Times, Value};
    ///
    /// let mut isolate = Engine::new().isolate()?;
    /// let ask: Value = isolate.eval("(fn (who) (str who \": \" (perform (list \"ask\"))))")?;
    /// let Value::Object(ask) = ask else { panic!("a procedure is an object") };
    /// let mut waiting = Vec::new();
    /// for who in ["ann", "ben"] {
    ///     isolate.begin_call(&ask, (who,), Times::UNLIMITED)?;
    ///     assert!(matches!(isolate.go_on(), Event::Performed { .. }));
    ///     waiting.push(isolate.park()?);
    /// }
    /// let mut said = Vec::new();
    /// for (fiber, answer) in waiting.into_iter().zip([1i64, 2]).rev() {
    ///     isolate.unpark(fiber)?;
    ///     isolate.answer(answer)?;
    ///     if let Event::Value(value) = isolate.go_on() {
    ///         said.push(value.to_string());
    ///     }
    /// }
    /// assert_eq!(said, ["\"ben: 2\"", "\"ann: 1\""]);
    /// # Ok::<(), sx::Error>(())
    /// ```
    pub fn begin_call(&mut self, function: &Object, arguments: impl Arguments, times: Times) -> Result<(), Error> {
        let callee = |machine: &Machine, table: &transfer::Table| {
            let value = table.get(&machine.isolate.heap, function);
            value.map(Inner::word)
        };
        self.start_call(&callee, arguments)?;
        self.begin_clock(times);
        Ok(())
    }

    /// Makes the evaluation of a text the current program.
    pub fn begin_source(&mut self, source: Arc<Source>, times: Times) -> Result<(), Error> {
        self.start(source)?;
        self.begin_clock(times);
        Ok(())
    }

    fn begin_clock(&mut self, times: Times) {
        let now = self.machine.isolate.host.monotonic_ns();
        self.clock = Clock {
            times,
            began: now,
            turn_began: now,
            ran: 0,
            gave_way: false,
            is_told: false,
        };
    }

    /// Runs the current program until something happens.
    pub fn go_on(&mut self) -> Event {
        let start = self.machine.isolate.host.monotonic_ns();
        self.machine.budget = self.clock.budget(start);
        let event = self.go();
        let end = self.machine.isolate.host.monotonic_ns();
        self.clock.ran += end.saturating_sub(start);
        self.clock.is_told = self.machine.budget.is_told;
        self.clock.gave_way |= matches!(event, Event::Preempted(_));
        self.machine.budget = Budget::UNLIMITED;
        match event {
            // The fiber was made before the account was.
            Event::Preempted(fiber) => Event::Preempted(Fiber {
                clock: self.clock,
                ..fiber
            }),
            event => event,
        }
    }

    fn go(&mut self) -> Event {
        loop {
            match self.machine.run() {
                Exit::Value(_) => {
                    let value = self.table.plain(&self.machine.isolate.heap, self.machine.result());
                    return Event::Value(value);
                }
                Exit::Perform => {
                    let (op, arguments) = self.request();
                    if !self.is_serviced(&op) {
                        self.show(&op, &arguments);
                        return Event::Performed { op, arguments };
                    }
                    self.serve();
                }
                Exit::Preempted => {
                    let parked = self.machine.park_running();
                    return match parked {
                        Ok(parked) => Event::Preempted(Fiber {
                            parked,
                            clock: self.clock,
                        }),
                        Err(raise) => Event::Failed(failure::of_raise(&raise)),
                    };
                }
                exit => {
                    if let Err(error) = self.after(exit) {
                        return Event::Failed(error);
                    }
                }
            }
        }
    }

    /// Puts the current program aside, which waits for an answer. An error if its frames do not
    /// fit into memory; it goes on waiting then.
    pub fn park(&mut self) -> Result<Fiber, Error> {
        let parked = self.machine.park_waiting();
        Ok(Fiber {
            parked: parked.map_err(|raise| failure::of_raise(&raise))?,
            clock: self.clock,
        })
    }

    /// Makes a fiber of this isolate the current program. An error if it was ended for the memory it
    /// held ([`Fiber::allow_end`]).
    pub fn unpark(&mut self, fiber: Fiber) -> Result<(), Error> {
        let unparked = self.machine.unpark(fiber.parked);
        unparked.map_err(|raise| failure::of_raise(&raise))?;
        self.clock = fiber.clock;
        self.clock.turn_began = self.machine.isolate.host.monotonic_ns();
        Ok(())
    }

    /// Gives the current program, which waits, the value of its `perform`. If it does not fit into
    /// memory the `perform` raises that instead.
    pub fn answer(&mut self, value: impl crate::IntoSx) -> Result<(), Error> {
        let value = value.into_sx();
        self.table.check(&value)?;
        self.give(Ok(value));
        Ok(())
    }

    /// The `perform` of the current program, which waits, raises an error.
    pub fn refuse(&mut self, code: Code, message: impl Into<String>) {
        self.machine.refuse(Raise::new(code, message.into()));
    }

    /// The `perform` of the current program, which waits, raises that nobody services the op.
    pub fn refuse_unhandled(&mut self) {
        self.machine.refuse_unhandled();
    }

    /// The time the current program may run and last begins anew, unless it is over already: for
    /// programs that wait again and again for as long as somebody listens.
    pub fn renew_time(&mut self) {
        if !self.clock.is_told {
            self.clock.ran = 0;
            self.clock.gave_way = false;
            self.clock.began = self.machine.isolate.host.monotonic_ns();
        }
    }

    /// The `perform` of the current program, which waits, raises `deadline exceeded`; it has its
    /// grace from now on.
    pub fn expire(&mut self) {
        let now = self.machine.isolate.host.monotonic_ns();
        if self.clock.times != Times::UNLIMITED && !self.clock.is_told {
            self.clock.is_told = true;
            self.clock.times.lasting = Duration::from_nanos(now.saturating_sub(self.clock.began));
            self.clock.times.running = Duration::from_nanos(self.clock.ran);
        }
        self.refuse(Code::Deadline, "deadline exceeded");
    }
}

impl Fiber {
    /// Has its time been over before?
    pub fn is_told(&self) -> bool {
        self.clock.is_told
    }

    /// It may be ended from now on when the isolate's memory runs short while another program runs,
    /// if it is the one that holds most of it. Nothing more of it runs then.
    pub fn allow_end(&self) {
        self.parked.frames().allow_end();
    }

    /// Resolves when it was ended; one waits at a time.
    pub fn ended(&self) -> impl Future<Output = ()> {
        std::future::poll_fn(|context| self.parked.frames().poll_end(context))
    }
}
