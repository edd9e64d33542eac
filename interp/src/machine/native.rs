//! The machine's side of the native tier: when a function is compiled, how native code is entered,
//! what is done when it leaves for good or for a moment.
//!
//! Native code is stackless, so at any moment it is either running, with the machine below it
//! waiting in `run_native`, or there is none of it on any stack; retired code is freed then.
//! A helper (`native/helpers.rs`) does for native code what the loop does itself, and says where
//! native code goes on: `next_native`.
//!
//! Invariant: a stepped program never enters native code, so all of this asks first.
#![allow(unsafe_code)]

mod controls;
mod counters;
mod helpers;
mod jobs;
mod reasons;
mod told;

pub(super) use controls::Exclusions;
pub use counters::{COUNTERS, NativeStats};
use jobs::{DEEPEST, callees, is_compilable, note_floats};

use super::view::function_name;
use super::{Exit, Machine};
use std::any::Any;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use sx_runtime::chunk::Chunk;
use sx_runtime::fault::{Fault, planted};
use sx_runtime::instance::{Instance, instance_of};
use sx_runtime::native::{Bailout, Compiled, Compiler, Context, Left, Loss, NativeState, Stubs, status};
use sx_runtime::ops::Instr;
use sx_runtime::stack::Site;
use sx_runtime::value::Word;

type Step = Result<(), Box<Exit>>;

/// Guards that fail at one instruction before it gets code for every kind of operand.
const MOST_EXITS: u32 = 12;
/// Functions that wait for their compile at most; loops are compiled all the same.
const MOST_WAITING: usize = 256;
/// Calls that are asked for at most before a compile, however often the memory for code was full.
const MOST_CALLS: u32 = 1 << 16;
/// Times a function is compiled at most.
const MOST_COMPILES: u32 = 40;

/// When functions are compiled, and which.
#[derive(Clone, Debug)]
pub struct NativeOptions {
    /// Calls before a function is compiled.
    pub threshold: u32,
    /// Turns of a loop before it is entered natively.
    pub loop_threshold: u16,
    /// Compile before the call goes on, on the program's own thread.
    pub sync: bool,
    /// Names of functions that are never compiled; a `*` stands for any text.
    pub denied: Vec<String>,
    /// Names of the only functions that are compiled, if there are any here.
    pub only: Vec<String>,
    /// Is told of every compile, and of every code that is given up.
    pub log: Option<fn(&str)>,
}

impl Default for NativeOptions {
    fn default() -> NativeOptions {
        NativeOptions {
            threshold: 60,
            loop_threshold: 500,
            sync: false,
            denied: vec![],
            only: vec![],
            log: None,
        }
    }
}

impl NativeOptions {
    /// Everything is compiled before it first runs: for tests.
    pub const SYNC: NativeOptions = NativeOptions {
        threshold: 1,
        loop_threshold: 1,
        sync: true,
        denied: vec![],
        only: vec![],
        log: None,
    };
}

/// The native tier of a machine.
pub(super) struct Tier {
    context: Box<Context>,
    /// Addresses by number of entry.
    entries: Vec<usize>,
    stubs: Stubs,
    compiler: Box<dyn Compiler>,
    options: NativeOptions,
    /// Calls before a function is compiled: twice as many whenever the memory for code was full, so
    /// that code which does not fit is not made over and over.
    threshold: u32,
    stats: NativeStats,
    /// Numbers of entries that belonged to instances which are dead.
    free: Rc<RefCell<Vec<(u32, u32)>>>,
    /// Native code is running, or what a helper does for it.
    is_running: bool,
    /// Functions that have been asked for and not come.
    waiting: usize,
    /// The host has answered, and native code has not been entered since.
    is_resumed: bool,
    /// Code that nothing enters any more, until native code has been left.
    retired: Vec<Compiled>,
    /// Why the run ends, from a helper to `run_native`.
    exit: Option<Box<Exit>>,
    /// A panic in a helper, likewise.
    panic: Option<Box<dyn Any + Send>>,
}

impl Machine {
    /// Gives the machine a native tier.
    pub fn set_native(&mut self, compiler: Box<dyn Compiler>, options: NativeOptions) {
        let stubs = compiler.stubs();
        let entries = vec![stubs.returned()];
        let stack = &self.isolate.state.stack;
        let context = Box::new(Context {
            limit: stack.limit_word(),
            nursery: &self.isolate.heap.nursery,
            entries: entries.as_ptr(),
            machine: std::ptr::null_mut(),
            fp: std::ptr::null_mut(),
            value: Word::NIL,
            site: Word(0),
            answer: 0,
            helpers: helpers::table(),
            calls: stubs.calls,
            jumps: stubs.jumps,
        });
        self.isolate.state.set_interpret_stub(stubs.interpret);
        self.exclusions.bind(&options.denied, &options.only);
        self.native = Some(Box::new(Tier {
            context,
            entries,
            stubs,
            compiler,
            threshold: options.threshold,
            options,
            stats: NativeStats::default(),
            free: Rc::default(),
            is_running: false,
            waiting: 0,
            is_resumed: false,
            retired: vec![],
            exit: None,
            panic: None,
        }));
    }

    /// Counts an instruction of the loop, which a closure of `running` is about to do.
    ///
    /// # Safety
    /// `running` is the closure of a complete frame.
    #[inline]
    pub(super) unsafe fn count_instruction(&mut self, running: Word) {
        self.interpreted += 1;
        // SAFETY: by the caller.
        let counter = unsafe { &instance_of(running).interpreted };
        counter.set(counter.get() + 1);
    }

    /// Instructions the loop has run while they were counted.
    pub fn interpreted(&self) -> u64 {
        self.interpreted
    }

    /// What the native tier has done; `None` without one.
    pub fn native_stats(&self) -> Option<NativeStats> {
        self.native.as_ref().map(|tier| tier.stats)
    }

    /// Where native code enters functions that have none; 0 without a native tier.
    #[inline]
    pub(super) fn interpret_stub(&self) -> usize {
        self.native.as_ref().map_or(0, |tier| tier.stubs.interpret)
    }
    /// After how many calls a function is compiled.
    #[inline]
    pub(super) fn call_threshold(&self) -> u32 {
        self.native.as_ref().map_or(u32::MAX, |tier| tier.threshold)
    }

    // --- going in ------------------------------------------------------------------------------

    /// The frame at `nfp`, of an exact call, is complete but for being the running one: its function
    /// has native code, or is to get some.
    ///
    /// # Safety
    /// The loop has nothing in its registers that the stack does not know.
    #[inline(never)]
    pub(super) unsafe fn native_call(&mut self, nfp: *mut Word) -> Step {
        let stack = &mut self.isolate.state.stack;
        (stack.fp, stack.pc, stack.at_call) = (nfp, 0, false);
        self.retire_if_redefined();
        // SAFETY: by the caller.
        unsafe {
            let instance = instance_of(*nfp);
            if instance.calls.get() == self.call_threshold() {
                self.promote_running();
            }
            match instance.entry.get() {
                entry if entry == self.interpret_stub() => Ok(()),
                entry => self.run_native(entry, nfp, Word::NIL, Word(0)),
            }
        }
    }

    /// A value returns into a frame that waits for it in native code.
    ///
    /// # Safety
    /// `fp` is the waiting frame and `site` its site word.
    #[inline(never)]
    pub(super) unsafe fn native_return(&mut self, fp: *mut Word, value: Word, site: Word) -> Step {
        self.retire_if_redefined();
        let entry = self
            .native
            .as_ref()
            .and_then(|tier| tier.entries.get(Site::entry(site)).copied())
            .unwrap_or(0);
        // SAFETY: by the caller; the entry table holds addresses of pieces, and of a stub that takes
        // the same.
        unsafe { self.run_native(entry, fp.add(Site::of(site).base), value, site) }
    }

    /// Is the loop of this `Loop` instruction to be entered natively?
    #[inline(always)]
    pub(super) fn wants_loop(&self, i: Instr, instance: &Instance) -> bool {
        instance.has_loops.get() || i.a() + 1 == self.loop_threshold()
    }
    #[inline]
    fn loop_threshold(&self) -> usize {
        self.native
            .as_ref()
            .map_or(0, |tier| tier.options.loop_threshold as usize)
    }

    /// Enters the loop at `pc`, jumped to by `i`, natively if there is code for it; asks for some if
    /// it is hot.
    ///
    /// # Safety
    /// `fp` is the running frame and stands at `pc`.
    #[inline(never)]
    pub(super) unsafe fn native_loop(&mut self, fp: *mut Word, pc: usize, i: Instr) -> Step {
        let stack = &mut self.isolate.state.stack;
        (stack.fp, stack.pc, stack.at_call) = (fp, pc, false);
        self.retire_if_redefined();
        // SAFETY: by the caller.
        unsafe {
            let instance = instance_of(*fp);
            if loop_entry(instance, pc).is_none() {
                if i.a() + 1 < self.loop_threshold() {
                    return Ok(());
                }
                instance.native.borrow_mut().want_loop(pc as u32);
                self.promote_running();
            }
            match loop_entry(instance, pc) {
                Some(entry) => self.run_native(entry, fp, Word::NIL, Word(0)),
                None => Ok(()),
            }
        }
    }

    /// The host has answered what the running frame waits for.
    pub(super) fn note_resumed(&mut self) {
        if let Some(tier) = &mut self.native {
            tier.stats.resumed += 1;
            tier.is_resumed = true;
        }
    }

    /// Goes on natively if the running frame can.
    #[inline]
    pub(super) fn go_native(&mut self) -> Step {
        let next = self.next_native();
        let Some(tier) = &self.native else { return Ok(()) };
        if next == tier.stubs.moved {
            return Ok(());
        }
        let (fp, value, site) = (tier.context.fp, tier.context.value, tier.context.site);
        // SAFETY: `next_native` answers a piece and has put its registers into the context.
        unsafe { self.run_native(next, fp, value, site) }
    }

    /// Where the running frame goes on in native code, the registers in the context; the stub that
    /// leaves if it does not.
    fn next_native(&mut self) -> usize {
        self.retire_if_redefined();
        let resumed = std::mem::replace(&mut self.resumed, Word(0));
        let Some(tier) = &mut self.native else { return 0 };
        let moved = tier.stubs.moved;
        if !self.fibers.is_empty() {
            return moved;
        }
        let stack = &self.isolate.state.stack;
        let (fp, pc) = (stack.fp, stack.pc);
        if stack.at_call || !stack.active {
            return moved;
        }
        // SAFETY: the running frame is complete.
        unsafe {
            let instance = instance_of(*fp);
            tier.context.fp = fp;
            if pc == 0 {
                let entry = instance.entry.get();
                return if entry == tier.stubs.interpret { moved } else { entry };
            }
            if Site::entry(resumed) == 0 || Site::of(resumed).pc + 1 != pc {
                return moved;
            }
            let entry = tier.entries[Site::entry(resumed)];
            if entry == tier.stubs.returned() {
                return moved;
            }
            tier.context.fp = fp.add(Site::of(resumed).base);
            tier.context.value = *fp.add(Instr(*instance.code.add(pc - 1)).a());
            tier.context.site = resumed;
            entry
        }
    }

    /// Runs native code from `entry` on until it leaves; then the stack says what the machine does.
    ///
    /// # Safety
    /// `entry` is a piece and the others its registers; the stack is otherwise complete.
    unsafe fn run_native(&mut self, entry: usize, fp: *mut Word, value: Word, site: Word) -> Step {
        debug_assert!(!self.isolate.state.redefined, "code that was given up");
        let machine: *mut Machine = self;
        let mut registers = (entry, fp, value, site);
        loop {
            let Some(tier) = &mut self.native else { return Ok(()) };
            tier.free_retired();
            tier.is_running = true;
            tier.stats.entered += 1;
            tier.stats.resumed_natively += u64::from(std::mem::take(&mut tier.is_resumed));
            tier.context.machine = machine.cast();
            tier.context.nursery = &self.isolate.heap.nursery;
            tier.context.limit = self.isolate.state.stack.limit_word();
            let context: *mut Context = &mut *tier.context;
            let (entry, fp, value, site) = registers;
            type Enter = extern "C" fn(*mut Context, usize, *mut Word, Word, Word) -> u64;
            // SAFETY: the stub has this signature; by the caller the registers are right. The
            // machine is reached through the context until the call returns.
            let answer = unsafe {
                let enter = std::mem::transmute::<usize, Enter>(tier.stubs.enter);
                enter(context, entry, fp, value, site)
            };
            let Some(tier) = &mut self.native else { return Ok(()) };
            tier.is_running = false;
            if let Some(panic) = tier.panic.take() {
                std::panic::resume_unwind(panic);
            }
            if let Some(exit) = tier.exit.take() {
                return Err(exit);
            }
            if answer != status::ENTER {
                return Ok(());
            }
            let fp = tier.context.fp;
            let stack = &mut self.isolate.state.stack;
            (stack.fp, stack.pc, stack.at_call) = (fp, 0, false);
            // SAFETY: native code has made the frame at `fp`.
            let instance = unsafe { instance_of(*fp) };
            let calls = instance.calls.get().wrapping_add(1);
            instance.calls.set(calls);
            if calls != self.call_threshold() {
                return Ok(());
            }
            // SAFETY: as above.
            unsafe { self.promote_running() };
            match instance.entry.get() {
                entry if entry == self.interpret_stub() => return Ok(()),
                entry => registers = (entry, fp, Word::NIL, Word(0)),
            }
        }
    }

    // --- compiling -----------------------------------------------------------------------------

    /// The function of the running frame is to be compiled, now or by and by.
    ///
    /// # Safety
    /// The running frame is complete.
    pub(super) unsafe fn promote_running(&mut self) {
        let (fp, pc) = (self.isolate.state.stack.fp, self.isolate.state.stack.pc);
        // SAFETY: by the caller; the instance of a running frame is alive.
        unsafe {
            let instance: *const Instance = instance_of(*fp);
            note_floats(&*instance, fp, pc);
            self.compile(&*instance);
        }
    }

    /// Asks for code if the function lacks some and may have it. Asked too often this does nothing, so
    /// whoever finds that it may be time asks.
    fn compile(&mut self, instance: &Instance) {
        let Some(tier) = &mut self.native else { return };
        let mut native = instance.native.borrow_mut();
        let lacks = native.code.is_none() || native.lacks();
        let may = native.refused.is_none() && native.compiles < MOST_COMPILES;
        if native.pending || !lacks || !may {
            return;
        }
        if !is_compilable(instance) || self.exclusions.excludes(&instance.chunk) {
            return;
        }
        if tier.waiting >= MOST_WAITING && native.loops.is_empty() {
            // It asks again if it is still called.
            instance.calls.set(0);
            return;
        }
        let begun = tier.compiler.clock();
        tier.free_retired();
        let Some(mut job) = tier.job(instance, &mut native) else {
            tier.refuse(instance, &mut native, Bailout::NoEntries);
            return;
        };
        job.callees = callees(instance, &job.code, &self.exclusions, DEEPEST);
        native.compiles += 1;
        native.made_for = (native.generic.len(), native.loops.len());
        if tier.options.sync {
            drop(native);
            let made = tier.compiler.compile(job);
            self.install(instance, made);
        } else {
            native.pending = true;
            tier.waiting += 1;
            tier.compiler.submit(job, self.isolate.state.stack.interrupter());
            tier.note_pause(begun);
        }
    }

    /// Puts what the compiling thread has finished to use.
    pub(super) fn install_finished(&mut self) {
        let Some(tier) = &mut self.native else { return };
        tier.free_retired();
        let finished = tier.compiler.finished();
        if finished.is_empty() {
            return;
        }
        let begun = tier.compiler.clock();
        tier.waiting -= finished.len();
        for (instance, made) in finished {
            // SAFETY: an instance with a pending compile is kept.
            let instance = unsafe { &*(instance as *const Instance) };
            let mut native = instance.native.borrow_mut();
            native.pending = false;
            if std::mem::take(&mut native.stale) {
                // Compiled from code that has been patched since.
                native.entries.pop();
                instance.start_over();
                continue;
            }
            drop(native);
            self.install(instance, made);
            if instance.native.borrow().lacks() {
                // More was wanted meanwhile.
                self.compile(instance);
            }
        }
        if let Some(tier) = &mut self.native {
            tier.note_pause(begun);
        }
    }

    /// Puts what the compiler answered to use.
    fn install(&mut self, instance: &Instance, made: Result<Compiled, Bailout>) {
        if matches!(made, Err(Bailout::NoMemory)) {
            self.evict();
            // What is still called often asks again.
            instance.start_over();
            instance.native.borrow_mut().entries.pop();
            return;
        }
        let Some(tier) = &mut self.native else { return };
        let mut native = instance.native.borrow_mut();
        match made {
            Ok(code) => {
                let again = if native.compiles > 1 { " again" } else { "" };
                let (bytes, micros) = (code.size.bytes, code.nanos / 1000);
                tier.log(|| format!("{}: compiled{again}, {bytes} bytes, {micros} us", named(instance)));
                tier.install(instance, &mut native, code);
            }
            Err(why) => {
                native.entries.pop();
                tier.refuse(instance, &mut native, why);
            }
        }
    }

    /// The memory for code is full: all code of this isolate is given up, and what is still called
    /// often is compiled anew. Simple, and right as long as a program's hot code fits by far.
    fn evict(&mut self) {
        let Some(tier) = &mut self.native else { return };
        tier.stats.full += 1;
        let mut count = 0;
        for instance in self.isolate.state.instances() {
            let mut native = instance.native.borrow_mut();
            let Some(code) = native.code.take() else {
                continue;
            };
            tier.retire(instance, code);
            native.lost = Some(Loss::Evicted);
            instance.start_over();
            count += 1;
        }
        if count > 0 {
            tier.stats.evicted += count;
            tier.threshold = tier.threshold.saturating_mul(2).min(MOST_CALLS.max(tier.threshold));
            tier.log(|| format!("the memory for code is full: {count} functions lose theirs"));
        }
    }

    /// To be asked before an address of code is looked up: the machine may just have redefined a
    /// primitive.
    #[inline]
    fn retire_if_redefined(&mut self) {
        if self.isolate.state.redefined {
            self.retire_stale();
        }
    }

    /// Gives up the code of every function that had a redefined primitive compiled.
    fn retire_stale(&mut self) {
        self.isolate.state.redefined = false;
        let Some(tier) = &mut self.native else { return };
        let is_stale = |instance: &&Instance| instance.native.borrow().stale;
        let stale = self.isolate.state.instances().filter(is_stale);
        let stale: Vec<*const Chunk> = stale.map(|instance| instance.chunk_address).collect();
        for instance in self.isolate.state.instances() {
            let mut native = instance.native.borrow_mut();
            let has_stale = |code: &Compiled| code.inlined.iter().any(|chunk| stale.contains(&Arc::as_ptr(chunk)));
            if !native.stale && !native.pending && !native.code.as_ref().is_some_and(has_stale) {
                continue;
            }
            // A pending compile, which may have looked at anything, finds the mark when it is installed.
            native.stale = native.pending;
            if let Some(code) = native.code.take() {
                tier.stats.retired += 1;
                tier.retire(instance, code);
                native.lost = Some(Loss::Redefined);
                instance.start_over();
                tier.log(|| format!("{}: given up: {}", named(instance), Loss::Redefined.text()));
            }
        }
    }

    /// A guard failed at the instruction `pc` of the running frame.
    fn note_exit(&mut self, pc: usize) {
        let Some(tier) = &mut self.native else { return };
        tier.stats.exits += 1;
        // SAFETY: the running frame is complete.
        let instance: *const Instance = unsafe { instance_of(*self.isolate.state.stack.fp) };
        // SAFETY: the instance of a running frame is alive.
        let instance = unsafe { &*instance };
        let mut native = instance.native.borrow_mut();
        let pc = pc as u32;
        let row = match native.exits.iter().position(|left| left.pc == pc) {
            Some(row) => row,
            None => {
                native.exits.push(Left::new(pc));
                native.exits.len() - 1
            }
        };
        if native.exits[row].wants_reason() {
            // SAFETY: the running frame is complete and stands at the instruction.
            let why = unsafe { reasons::reason(instance, &native, self.isolate.state.stack.fp, pc as usize) };
            native.exits[row].note(why);
        }
        native.exits[row].count += 1;
        let count = native.exits[row].count;
        if count < MOST_EXITS {
            return;
        }
        if !native.generic.contains(&pc) {
            native.generic.push(pc);
            tier.stats.again += 1;
            tier.log(|| format!("{}: left {count} times at {}", named(instance), place(instance, pc)));
        }
        if native.lacks() {
            drop(native);
            self.compile(instance);
        }
    }
}

/// What a function is called in what people read.
fn named(instance: &Instance) -> String {
    function_name(&instance.chunk)
}

/// Where an instruction comes from.
fn place(instance: &Instance, pc: u32) -> String {
    let span = instance.chunk.span_at(pc as usize);
    span.map_or_else(|| format!("instruction {pc}"), |span| span.place())
}

/// Where native code of the instance is entered for the loop at `pc`.
fn loop_entry(instance: &Instance, pc: usize) -> Option<usize> {
    let native = instance.native.borrow();
    let loops = &native.code.as_ref()?.loops;
    loops.iter().find(|row| row.0 as usize == pc).map(|row| row.1)
}

impl Tier {
    /// Frees code that nothing enters any more, unless it may be what is running.
    #[inline]
    fn free_retired(&mut self) {
        if !self.is_running && !self.retired.is_empty() {
            let begun = self.compiler.clock();
            self.retired.clear();
            self.note_pause(begun);
        }
    }

    /// The program's own thread has worked for the tier since then.
    fn note_pause(&mut self, begun: u64) {
        let took = self.compiler.clock().saturating_sub(begun);
        self.stats.pause = self.stats.pause.max(took);
    }

    /// Tells the log, if there is one.
    fn log(&self, line: impl FnOnce() -> String) {
        if let Some(log) = self.options.log {
            log(&line());
        }
    }

    /// Puts code to use in place of what there was.
    fn install(&mut self, instance: &Instance, native: &mut NativeState, code: Compiled) {
        if let Some(old) = native.code.take() {
            self.retire(instance, old);
        }
        for (number, address) in &code.entries {
            self.entries[*number as usize] = *address;
        }
        self.stats.compiled += 1;
        self.stats.bytes += code.size.bytes as u64;
        self.stats.nanos += code.nanos;
        self.stats.lowered += code.size.instructions as u64;
        native.lost = None;
        instance.entry.set(code.entry);
        instance.has_loops.set(!code.loops.is_empty());
        native.code = Some(code);
    }

    /// The function gets no code, or no other than it has.
    fn refuse(&mut self, instance: &Instance, native: &mut NativeState, why: Bailout) {
        native.refused = Some(why);
        self.stats.refused += 1;
        self.log(|| format!("{}: refused: {}", named(instance), why.text()));
    }

    /// Nothing enters this code any more; frames that wait in it go on in the machine.
    fn retire(&mut self, instance: &Instance, code: Compiled) {
        instance.entry.set(self.stubs.interpret);
        instance.has_loops.set(false);
        if !planted(Fault::NativeRowKept) {
            for (number, _) in &code.entries {
                self.entries[*number as usize] = self.stubs.returned();
            }
        }
        self.retired.push(code);
    }
}
