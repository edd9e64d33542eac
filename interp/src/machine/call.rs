//! Calls that are not "a closure of just this arity with room on the stack": primitives, rest
//! parameters, continuations, parameters, errors; a full or poked stack; slow instructions.

use super::budget::Polled;
use super::{Exit, Machine, move_down, values};
use crate::compile::is_turned_round;
use sx_runtime::chunk::Const;
use sx_runtime::convert::Lists;
use sx_runtime::error::{Code, Raise};
use sx_runtime::heap::Heap;
use sx_runtime::instance::{Instance, builtin, instance_of};
use sx_runtime::list::size_of_list;
use sx_runtime::object::{self, Type};
use sx_runtime::ops::Instr;
use sx_runtime::prims::{self, PrimId};
use sx_runtime::stack::Site;
use sx_runtime::syntax::Name;
use sx_runtime::value::{Value, Word};
use sx_runtime::vector::size_of_vector;

type Step = Result<(), Box<Exit>>;

impl Machine {
    /// Asks the heap for room; the stack is at a safepoint.
    pub(super) fn reserve(&mut self, bytes: usize) -> Result<(), Raise> {
        let isolate = &mut self.isolate;
        isolate
            .heap
            .reserve(bytes, &mut isolate.state)
            .map_err(|_| Raise::Memory)
    }

    /// Does the work of an instruction whose fast path does not apply, by its primitive.
    #[cold]
    #[inline(never)]
    pub(super) unsafe fn slow_op(&mut self, i: Instr, operands: &[Word]) -> Result<Word, Raise> {
        let id = self.slow[(i.0 & 0xff) as usize].ok_or_else(|| Raise::new(Code::Value, "no such primitive"))?;
        self.isolate.state.scratch[..operands.len()].copy_from_slice(operands);
        let args = self.isolate.state.scratch.as_mut_ptr();
        // SAFETY: the scratch words are the primitive's window; the loop has saved its registers.
        let done = unsafe { self.isolate.call_primitive(id, args, operands.len()) };
        if let Err(Raise::Condition(_)) = done
            && let Some(name) = self.written()
            && let Some(id) = prims::by_name(&name)
        {
            // The error is that of what is written: `(> a b)` is done as `(< b a)`, `modulo` as `mod`. The
            // operands are where a collection has followed them.
            if is_turned_round(&name) {
                self.isolate.state.scratch[..operands.len()].reverse();
            }
            // SAFETY: as above.
            return unsafe { self.isolate.call_primitive(id, args, operands.len()) };
        }
        done
    }

    /// The name of the primitive that the running instruction stands for.
    fn written(&self) -> Option<Name> {
        let stack = &self.isolate.state.stack;
        // SAFETY: the running frame begins with its closure.
        let chunk = unsafe { &instance_of(*stack.fp).chunk };
        // Of a negated test there is a row for `not` too, before that of the test.
        let row = chunk.inlined.iter().rfind(|row| row.pc as usize == stack.pc)?;
        match &chunk.consts[row.cell as usize] {
            Const::Global(name) => Some(name.clone()),
            _ => None,
        }
    }

    /// The frame that waits below `nfp` is the running one, waiting at its call.
    ///
    /// # Safety
    /// The site word below `nfp` is true.
    pub(super) unsafe fn wait_below(&mut self, nfp: *mut Word, live: usize) {
        let stack = &mut self.isolate.state.stack;
        // SAFETY: by the caller.
        unsafe {
            let site = Site::of(*nfp.sub(1));
            stack.fp = nfp.sub(site.base);
            stack.pc = site.pc;
        }
        stack.at_call = true;
        stack.window = (nfp, live);
    }

    /// Gives `value` to the frame that waits, which becomes the running one.
    ///
    /// # Safety
    /// The running frame waits at its call.
    pub(super) unsafe fn resume_frame(&mut self, value: Word) {
        let stack = &mut self.isolate.state.stack;
        // SAFETY: by the caller.
        unsafe {
            let instance = instance_of(*stack.fp);
            let i = Instr(*instance.code.add(stack.pc));
            *stack.fp.add(i.a()) = value;
            if let Some(base) = i.window() {
                self.resumed = *stack.fp.add(base - 1);
            }
        }
        stack.pc += 1;
        stack.at_call = false;
        stack.window.1 = 0;
    }

    /// Makes the callee at `nfp`, its `argc` arguments above it, the running frame, or does what
    /// the call asks for.
    ///
    /// # Safety
    /// The site word below `nfp` and the words of the window are true.
    #[inline(never)]
    pub(super) unsafe fn enter(&mut self, nfp: *mut Word, argc: usize) -> Step {
        // SAFETY: by the caller, here and below.
        unsafe {
            self.wait_below(nfp, argc + 1);
            let callee: Value<'_> = Value::from_raw(*nfp);
            match callee.object_type() {
                Some(Type::Closure) => self.enter_closure(nfp, argc),
                Some(Type::Continuation) => self.enter_continuation(nfp, argc),
                Some(Type::Parameter) if argc == 0 => self.enter_through(nfp, argc, "%parameter-value"),
                Some(Type::Component | Type::Island) => self.enter_through(nfp, argc, "%apply-component"),
                Some(Type::Parameter) => self.raise(parameter_arity(argc)),
                _ => {
                    let shown = self.show(*nfp);
                    self.raise(not_callable(&shown))
                }
            }
        }
    }

    /// The same for a call in tail position whose window lies above the running frame. What fails
    /// fails in that frame; what goes well takes its place.
    ///
    /// # Safety
    /// The running frame is saved at the call, and `window` is true.
    #[inline(never)]
    pub(super) unsafe fn enter_tail(&mut self, window: *mut Word, argc: usize) -> Step {
        // SAFETY: by the caller, here and below.
        unsafe {
            let callee: Value<'_> = Value::from_raw(*window);
            let fp = self.isolate.state.stack.fp;
            let failure = match callee.instance() {
                Some(instance) => match instance.primitive() {
                    Some(id) => match self.isolate.call_primitive(id, window.add(1), argc) {
                        Ok(value) => {
                            self.wait_below(fp, 0);
                            self.resume_frame(value);
                            return Ok(());
                        }
                        Err(raise) => Some(raise),
                    },
                    None => arity_error(instance, argc),
                },
                None if callee.is(Type::Parameter) && argc > 0 => Some(parameter_arity(argc)),
                None if callee.is_callable() => None,
                None => Some(not_callable(&self.show(*window))),
            };
            if let Some(raise) = failure {
                return self.raise(raise);
            }
            move_down(window, fp, argc + 1);
            self.enter(fp, argc)
        }
    }

    unsafe fn enter_closure(&mut self, nfp: *mut Word, argc: usize) -> Step {
        // SAFETY: the callee is a closure; see `enter`.
        unsafe {
            let instance: &Instance = instance_of(*nfp);
            if let Some(id) = instance.primitive() {
                return self.enter_primitive(nfp, argc, id);
            }
            if instance.builtin != builtin::NONE {
                return self.enter_control(nfp, argc, (instance.builtin - builtin::CONTROL) as usize);
            }
            let (params, rest) = (instance.chunk.params as usize, instance.chunk.rest);
            if rest && argc >= params {
                if let Err(raise) = self.collect_rest(nfp, params, argc, instance.chunk.lists) {
                    return self.raise(raise);
                }
            } else if let Some(raise) = arity_error(instance, argc) {
                return self.raise(raise);
            }
            let words = if rest { params + 2 } else { argc + 1 };
            self.push_frame(nfp, words)
        }
    }

    /// Makes the frame at `nfp`, whose first `words` words are there, the running one.
    pub(super) unsafe fn push_collected(&mut self, nfp: *mut Word, words: usize) -> Step {
        // SAFETY: as in `push_frame`.
        unsafe { self.push_frame(nfp, words) }
    }

    unsafe fn push_frame(&mut self, nfp: *mut Word, words: usize) -> Step {
        let mut nfp = nfp;
        let mut is_preempted = false;
        if nfp as usize > self.isolate.state.stack.limit() {
            self.isolate.state.stack.window = (nfp, words);
            // SAFETY: the window is all there is of the new frame.
            (nfp, is_preempted) = match unsafe { self.look_around(nfp, words) }? {
                Some(found) => found,
                None => return Ok(()),
            };
        }
        let stack = &mut self.isolate.state.stack;
        stack.window.1 = 0;
        stack.fp = nfp;
        stack.pc = 0;
        stack.at_call = false;
        let calls = &self.instance().calls;
        let n = calls.get().wrapping_add(1);
        calls.set(n);
        if n == self.call_threshold() {
            // SAFETY: the new frame is complete.
            unsafe { self.promote_running() };
        }
        if is_preempted {
            return Err(Box::new(Exit::Preempted));
        }
        Ok(())
    }

    /// Runs a primitive called as a value and gives its answer to the waiting frame.
    unsafe fn enter_primitive(&mut self, nfp: *mut Word, argc: usize, id: PrimId) -> Step {
        // SAFETY: the arguments are live, and so is the callee, which the registry keeps.
        unsafe {
            match self.isolate.call_primitive(id, nfp.add(1), argc) {
                Ok(value) => {
                    self.resume_frame(value);
                    Ok(())
                }
                Err(raise) => self.raise(raise),
            }
        }
    }

    /// Puts the arguments after the first `params` into a list.
    unsafe fn collect_rest(&mut self, nfp: *mut Word, params: usize, argc: usize, lists: Lists) -> Result<(), Raise> {
        let n = argc - params;
        self.reserve(match lists {
            Lists::Views => size_of_list(n),
            Lists::Pairs => n * Heap::SIZE_OF_PAIR,
        })?;
        // SAFETY: the window holds the arguments; the list is made of live words.
        unsafe {
            let items = values(std::slice::from_raw_parts(nfp.add(1 + params), n));
            let heap = &self.isolate.heap;
            let list = match lists {
                Lists::Views => heap.list(items),
                Lists::Pairs => heap.pairs(items, Value::EMPTY),
            };
            *nfp.add(1 + params) = list.word();
        }
        Ok(())
    }

    /// Calls the core function `name` with the callee and the list of its arguments instead.
    unsafe fn enter_through(&mut self, nfp: *mut Word, argc: usize, name: &str) -> Step {
        // SAFETY: as in `enter`.
        unsafe {
            if let Err(raise) = self.collect_rest(nfp, 0, argc, Lists::Views) {
                return self.raise(raise);
            }
            let Some(function) = self.core_global(name) else {
                return self.raise(Raise::new(
                    Code::NotCallable,
                    format!("Not callable: {}", self.show(*nfp)),
                ));
            };
            *nfp.add(2) = *nfp.add(1);
            *nfp.add(1) = *nfp;
            *nfp = function;
            self.enter(nfp, 2)
        }
    }

    unsafe fn enter_continuation(&mut self, nfp: *mut Word, argc: usize) -> Step {
        // SAFETY: as in `enter`.
        unsafe {
            if argc != 1
                && let Err(raise) = self.pack_values(nfp, argc)
            {
                return self.raise(raise);
            }
            let (k, value) = (*nfp, *nfp.add(1));
            if self.return_to_performer(nfp, k, value) {
                return Ok(());
            }
            if self.is_delimited(k) {
                return self.resume_at(nfp, k, value);
            }
            if object::field(k, object::continuation::EXTRA) == self.isolate.state.stack.winds {
                return self.throw(k, value);
            }
            let Some(function) = self.core_global("%throw-winding") else {
                return self.throw(k, value);
            };
            *nfp.add(2) = value;
            *nfp.add(1) = k;
            *nfp = function;
            self.enter(nfp, 2)
        }
    }

    /// Several arguments of a continuation become one value.
    unsafe fn pack_values(&mut self, nfp: *mut Word, argc: usize) -> Result<(), Raise> {
        self.reserve(size_of_vector(argc))?;
        // SAFETY: the window holds the arguments.
        unsafe {
            let items = std::slice::from_raw_parts(nfp.add(1), argc);
            *nfp.add(1) = self.isolate.heap.values_from(values(items)).word();
        }
        Ok(())
    }

    /// A call found no room, or the limit lowered. Answers where the new frame now is and whether
    /// to stop there, or `None` if a condition was raised instead.
    unsafe fn look_around(&mut self, nfp: *mut Word, words: usize) -> Result<Option<(*mut Word, bool)>, Box<Exit>> {
        let is_preempted = match self.poll()? {
            Polled::Nothing => false,
            Polled::Preempted => true,
            Polled::Raised => return Ok(None),
        };
        let full = nfp as usize > self.isolate.state.stack.real_limit();
        if !full && !self.stress.seal_every_call {
            return Ok(Some((nfp, is_preempted)));
        }
        if full && self.is_exhausted() {
            return self.raise(Raise::new(Code::Stack, "stack exhausted")).map(|()| None);
        }
        // SAFETY: the new frame's words are the window; everything below is complete.
        match unsafe { self.seal_below(nfp, words) } {
            Ok(moved) => Ok(Some((moved, is_preempted))),
            Err(raise) => self.raise(raise).map(|()| None),
        }
    }
}

impl Machine {
    /// Has recursion taken more than half of the memory? Says so once, so that the handlers of the
    /// error have the other half, and again when the memory has been given back in between.
    fn is_exhausted(&mut self) -> bool {
        let isolate = &mut self.isolate;
        let limit = isolate.heap.limit();
        let is_much = |used: usize| used > limit / 2;
        let used = isolate.heap.used();
        if !is_much(used) {
            self.exhausted = None;
            return false;
        }
        // Only a collection shows whether what was in use then has been given back; some growth is worth one.
        if self.exhausted.is_some_and(|then| used < then + limit / 8) {
            return false;
        }
        isolate.heap.collect(&mut isolate.state);
        let used = isolate.heap.used();
        let now = is_much(used).then_some(used);
        std::mem::replace(&mut self.exhausted, now).is_none() && now.is_some()
    }
}

/// `f: expected 2 arguments, got 3`, unless so many are right or the callee checks them itself.
pub(super) fn arity_error(instance: &Instance, argc: usize) -> Option<Raise> {
    let chunk = &instance.chunk;
    let params = chunk.params as usize;
    if instance.builtin != builtin::NONE || argc == params || chunk.rest && argc > params {
        return None;
    }
    let name = if chunk.name.is_empty() { "fn" } else { &chunk.name };
    let more = if chunk.rest { "at least " } else { "" };
    let plural = if params == 1 { "" } else { "s" };
    let message = format!("{name}: expected {more}{params} argument{plural}, got {argc}");
    Some(Raise::new(Code::Arity, message))
}

/// A parameter takes no arguments.
fn parameter_arity(argc: usize) -> Raise {
    Raise::new(Code::Arity, format!("parameter: expected 0 arguments, got {argc}"))
}

fn not_callable(shown: &str) -> Raise {
    Raise::new(Code::NotCallable, format!("Not callable: {shown}"))
}
