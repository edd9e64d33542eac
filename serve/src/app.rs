//! What a program that may serve is run with, and how it is stopped.
//!
//! Deliberately absent: running it; that is [`worker`](crate::worker), and [`reload`](crate::reload)
//! where its files are watched.

use crate::admin::Admin;
use crate::http::{Limits, Tls, Trusted};
use crate::networks::Networks;
use crate::worker::Process;
use crate::{admin, reload, worker};
use std::net::SocketAddr;
use std::sync::Arc;
use sx::{Access, Code, Engine, Error, Isolate, Source, Value};
use sx_store::Store;
use tokio::sync::watch;

/// What is done to the isolate of a worker before it runs; is it the first worker's?
pub type Equip = Box<dyn Fn(&mut Isolate, bool) + Send + Sync>;

/// Reads the program anew.
pub type Reread = Box<dyn Fn() -> Result<Arc<Source>, String> + Send + Sync>;

/// What a program is run with.
pub struct App {
    /// Makes the isolates of the workers.
    pub engine: Engine,
    /// Equips the isolate of a worker; the first worker's is told so.
    pub equip: Equip,
    /// Which files the program may touch once it listens, if not all.
    pub access: Option<Access>,
    /// The store of the process.
    pub store: Option<Arc<dyn Store>>,
    /// The program.
    pub source: Arc<Source>,
    /// Reads it when a file has changed that it has read; nobody looks for that without it.
    pub reread: Option<Reread>,
    /// Serve the function `app` on this port if the program itself does not listen.
    pub port: Option<u16>,
    /// The address to listen at.
    pub host: String,
    /// Who the server says it is, if it is to speak https.
    pub tls: Option<Tls>,
    /// Limits the program may change.
    pub limits: Limits,
    /// Bytes that the heaps of all workers together may take, if there is a limit to that.
    pub memory_cap: Option<usize>,
    /// Workers, whatever the program asks for.
    pub workers: Option<usize>,
    /// Proxies that are believed when they say whom they speak for.
    pub trusted: Trusted,
    /// Addresses that `http/request` may reach though they are not public.
    pub reachable: Networks,
    /// Where the server tells how it is.
    pub admin: Option<Admin>,
    /// Told where the server listens.
    pub bound: Box<dyn Fn(SocketAddr) + Send + Sync>,
}

impl App {
    /// A program without a store that may read every file and listens at the loopback address.
    pub fn new(engine: Engine, source: Arc<Source>) -> App {
        App {
            engine,
            equip: Box::new(|_, _| {}),
            access: None,
            store: None,
            source,
            reread: None,
            port: None,
            host: "127.0.0.1".to_owned(),
            tls: None,
            limits: Limits::default(),
            memory_cap: None,
            workers: None,
            trusted: Trusted::default(),
            reachable: Networks::default(),
            admin: None,
            bound: Box::new(|_| {}),
        }
    }

    /// Prepares to run it.
    pub fn prepare(self) -> Result<Prepared, Error> {
        Process::new(self).map(|process| Prepared(Arc::new(process)))
    }
}

/// A program that is about to run.
pub struct Prepared(Arc<Process>);

impl Prepared {
    /// What stops it.
    pub fn stop(&self) -> Stop {
        self.0.stop.clone()
    }

    /// Runs the program to its end; its value.
    pub fn run(self) -> Result<Value, Error> {
        let process = self.0;
        let admin = match &process.app.admin {
            Some(place) => Some(admin::start(place, &process).map_err(|error| io_error(&error))?),
            None => None,
        };
        let value = match &process.app.reread {
            Some(reread) => reload::run(&process, reread),
            None => worker::run(&process, 0, Arc::clone(&process.app.source)),
        };
        process.stop.stop();
        drop(admin);
        value
    }
}

/// Stops a server, from any thread: all of it, or programs that another one takes the place of.
///
/// Programs of a process are numbered; the number in here is that of the first one that may run.
#[derive(Clone)]
pub struct Stop(watch::Sender<u64>);

impl Stop {
    pub(crate) fn new() -> Stop {
        Stop(watch::Sender::new(0))
    }

    /// Accept no more, finish what is under way, end.
    pub fn stop(&self) {
        self.0.send_replace(u64::MAX);
    }

    /// The same for the programs before this one.
    pub(crate) fn stop_before(&self, program: u64) {
        self.0.send_if_modified(|first| {
            let is_later = *first < program;
            *first = program.max(*first);
            is_later
        });
    }

    /// Told when a program is to stop.
    pub(crate) fn of(&self, program: u64) -> Stopping {
        Stopping(self.0.subscribe(), program)
    }

    /// Is all of it to stop?
    pub(crate) fn is_stopped(&self) -> bool {
        *self.0.borrow() == u64::MAX
    }
}

/// Told when a program is to stop.
#[derive(Clone)]
pub(crate) struct Stopping(watch::Receiver<u64>, u64);

impl Stopping {
    /// Is it to stop already?
    pub fn is_told(&self) -> bool {
        *self.0.borrow() > self.1
    }

    /// Waits until it is to stop.
    pub async fn wait(&mut self) {
        let program = self.1;
        // Who could say so has gone only when everything ends.
        let _ = self.0.wait_for(|first| *first > program).await;
    }
}

pub(crate) fn io_error(error: &std::io::Error) -> Error {
    Error::new(Code::Io, error.to_string())
}
