//! The host of an isolate made here: a host of the process or the caller, or a simulation the
//! caller keeps looking into, with an interrupt flag that can be set from any thread.
//!
//! Invariant: whatever the inner host says, a set flag interrupts.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use sx_runtime::host::{FileInfo, Host, HostError, SimulatedHost, Stream};
use sx_runtime::stack::Interrupter;

/// Stops a running program from another thread or a signal handler.
#[derive(Clone, Default)]
pub struct InterruptHandle {
    flag: Arc<AtomicBool>,
    /// Makes the machine look at the flag.
    poke: Arc<OnceLock<Interrupter>>,
}

impl InterruptHandle {
    /// The program that is running, or the next one, ends with the error `interrupted`.
    pub fn interrupt(&self) {
        self.flag.store(true, Ordering::SeqCst);
        self.renew();
    }
    /// Makes the program that is running, if one is, look at the time.
    pub fn poke(&self) {
        if let Some(interrupter) = self.poke.get() {
            interrupter.poke();
        }
    }
    /// Ties the handle to the stack of its machine.
    pub(crate) fn connect(&self, interrupter: Interrupter) {
        // A handle belongs to one isolate, which connects it once.
        let _ = self.poke.set(interrupter);
    }
    /// Makes the machine look at a flag set before it started.
    pub(crate) fn renew(&self) {
        if self.flag.load(Ordering::SeqCst)
            && let Some(interrupter) = self.poke.get()
        {
            interrupter.poke();
        }
    }
    /// Forgets an interrupt nobody has seen.
    pub(crate) fn clear(&self) {
        self.flag.store(false, Ordering::SeqCst);
    }
}

/// A world in memory that an isolate lives in while its maker looks on: what was printed, files,
/// input, a clock that stands still. The same seed and the same program do the same.
///
/// ```
/// use sx::{Engine, Simulation};
///
/// let world = Simulation::new(1);
/// let mut isolate = Engine::new().isolate_in(&world)?;
/// isolate.eval("(display \"hello\")")?;
/// assert_eq!(world.take_output(), "hello");
/// # Ok::<(), sx::Error>(())
/// ```
#[derive(Clone)]
pub struct Simulation(Rc<RefCell<SimulatedHost>>);

impl Simulation {
    /// A world without files or input.
    pub fn new(seed: u64) -> Simulation {
        Simulation(Rc::new(RefCell::new(SimulatedHost::new(seed))))
    }
    /// What was printed since the last call.
    pub fn take_output(&self) -> String {
        std::mem::take(&mut self.0.borrow_mut().out)
    }
    /// What was written to standard error since the last call.
    pub fn take_error_output(&self) -> String {
        std::mem::take(&mut self.0.borrow_mut().err)
    }
    /// Makes or replaces a file.
    pub fn write_file(&self, path: &str, text: &str) {
        self.0
            .borrow_mut()
            .files
            .insert(path.to_owned(), text.as_bytes().to_vec());
    }
    /// Adds a line of input; it should end in a newline.
    pub fn push_input(&self, line: &str) {
        self.0.borrow_mut().input.push_back(line.to_owned());
    }
}

/// Where an isolate's calls to the world go.
enum World {
    Own(Box<dyn Host>),
    Simulated(Simulation),
}

/// The host an isolate is given.
pub(crate) struct EngineHost {
    world: World,
    interrupt: InterruptHandle,
}

impl EngineHost {
    pub(crate) fn own(host: Box<dyn Host>, interrupt: InterruptHandle) -> EngineHost {
        EngineHost {
            world: World::Own(host),
            interrupt,
        }
    }
    pub(crate) fn simulated(simulation: Simulation, interrupt: InterruptHandle) -> EngineHost {
        EngineHost {
            world: World::Simulated(simulation),
            interrupt,
        }
    }
    fn with<R>(&mut self, f: impl FnOnce(&mut dyn Host) -> R) -> R {
        match &mut self.world {
            World::Own(host) => f(&mut **host),
            World::Simulated(simulation) => f(&mut *simulation.0.borrow_mut()),
        }
    }
}

impl Host for EngineHost {
    fn now_ms(&mut self) -> i64 {
        self.with(|host| host.now_ms())
    }
    fn monotonic_ns(&mut self) -> u64 {
        self.with(|host| host.monotonic_ns())
    }
    fn random_u64(&mut self) -> u64 {
        self.with(|host| host.random_u64())
    }
    fn random_bytes(&mut self, out: &mut [u8]) -> Result<(), HostError> {
        self.with(|host| host.random_bytes(out))
    }
    fn write(&mut self, stream: Stream, text: &str) -> Result<(), HostError> {
        self.with(|host| host.write(stream, text))
    }
    fn flush(&mut self, stream: Stream) -> Result<(), HostError> {
        self.with(|host| host.flush(stream))
    }
    fn read_line(&mut self, stops: &dyn Fn() -> bool) -> Result<Option<String>, HostError> {
        let flag = self.interrupt.clone();
        self.with(|host| host.read_line(&|| stops() || flag.flag.load(Ordering::Relaxed)))
    }
    fn read_file(&mut self, path: &str) -> Result<Vec<u8>, HostError> {
        self.with(|host| host.read_file(path))
    }
    fn read_part(&mut self, path: &str, start: u64, len: usize) -> Result<Vec<u8>, HostError> {
        self.with(|host| host.read_part(path, start, len))
    }
    fn file_info(&mut self, path: &str) -> Result<FileInfo, HostError> {
        self.with(|host| host.file_info(path))
    }
    fn file_exists(&mut self, path: &str) -> bool {
        self.with(|host| host.file_exists(path))
    }
    fn write_file(&mut self, path: &str, bytes: &[u8]) -> Result<(), HostError> {
        self.with(|host| host.write_file(path, bytes))
    }
    fn delete_file(&mut self, path: &str) -> Result<(), HostError> {
        self.with(|host| host.delete_file(path))
    }
    fn interrupted(&self) -> bool {
        let inner = match &self.world {
            World::Own(host) => host.interrupted(),
            World::Simulated(simulation) => simulation.0.borrow().interrupted(),
        };
        inner || self.interrupt.flag.load(Ordering::Relaxed)
    }
    fn variables(&mut self) -> Vec<(String, String)> {
        self.with(|host| host.variables())
    }
    fn environment(&mut self, name: &str) -> Option<String> {
        self.with(|host| host.environment(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_onlooker_sees_what_is_printed() {
        let (simulation, interrupt) = (Simulation::new(1), InterruptHandle::default());
        let mut host = EngineHost::simulated(simulation.clone(), interrupt.clone());
        simulation.write_file("a", "text");
        assert_eq!(host.read_text("a"), Ok("text".to_owned()));
        assert_eq!(host.write(Stream::Out, "out"), Ok(()));
        assert_eq!(
            (
                simulation.take_output().as_str(),
                simulation.take_error_output().as_str()
            ),
            ("out", "")
        );
        interrupt.interrupt();
        assert!(host.interrupted());
        interrupt.clear();
        assert!(!host.interrupted());
    }
}
