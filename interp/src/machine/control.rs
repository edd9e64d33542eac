//! The control operations, as `control.sx` calls them.

use super::call::arity_error;
use super::{Exit, Machine, kept, move_down, values};
use crate::control::{Control, PROCEDURES, mark};
use sx_runtime::error::{Code, Raise};
use sx_runtime::fault::{Fault, planted};
use sx_runtime::list::size_of_list;
use sx_runtime::object::{self, Type};
use sx_runtime::syntax::Language;
use sx_runtime::value::{Value, Word};

type Step = Result<(), Box<Exit>>;

/// More arguments than this are not put on the stack.
const MOST_STACK_ARGS: usize = 10_000;

impl Machine {
    /// Carries out operation `number` on the arguments above `nfp`. In tail position the running
    /// frame gives way to it.
    ///
    /// # Safety
    /// The loop has saved its registers; unless `tail`, the site word below `nfp` is true.
    pub(super) unsafe fn control(&mut self, number: usize, nfp: *mut Word, argc: usize, tail: bool) -> Step {
        // SAFETY: by the caller, here and below.
        unsafe {
            let mut at = nfp;
            if tail {
                at = self.isolate.state.stack.fp;
                move_down(nfp.add(1), at.add(1), argc);
            }
            *at = Word::NIL;
            self.wait_below(at, argc + 1);
            let result = self.control_here(number, at);
            self.finish_control(result)
        }
    }

    /// A control operation called as a procedure, its arguments above `nfp`.
    pub(super) unsafe fn enter_control(&mut self, nfp: *mut Word, argc: usize, row: usize) -> Step {
        let Some((name, op, params, least, _)) = PROCEDURES.get(row) else {
            return self.raise(Raise::new(Code::Control, "no such control operation"));
        };
        if argc < *least || argc > params.len() {
            let wanted = if params.len() == *least {
                format!("{least}")
            } else {
                format!("{least} to {}", params.len())
            };
            let plural = if wanted == "1" { "" } else { "s" };
            let message = format!("{name}: expected {wanted} argument{plural}, got {argc}");
            return self.raise(Raise::new(Code::Arity, message));
        }
        // SAFETY: the words above the window are ours to write; the caller has made the frame
        // below wait.
        unsafe {
            (argc..params.len()).for_each(|i| *nfp.add(1 + i) = Word::NIL);
            *nfp = Word::NIL;
            self.isolate.state.stack.window = (nfp, params.len() + 1);
            let result = self.control_here(*op as usize, nfp);
            self.finish_control(result)
        }
    }

    /// Gives the operation's value to the waiting frame, or raises.
    unsafe fn finish_control(&mut self, result: Result<Option<Word>, Stop>) -> Step {
        match result {
            Ok(Some(value)) => {
                // SAFETY: the operation left the frame waiting.
                unsafe { self.resume_frame(value) };
                Ok(())
            }
            Ok(None) => Ok(()),
            Err(Stop::Raise(raise)) => self.raise(raise),
            Err(Stop::Exit(exit)) => Err(exit),
        }
    }

    /// The operation: a value for the waiting frame, or `None` if it moved frames itself.
    unsafe fn control_here(&mut self, number: usize, at: *mut Word) -> Result<Option<Word>, Stop> {
        // SAFETY: the arguments lie above `at`, as many as the table says.
        unsafe {
            let (a, b, c) = (*at.add(1), *at.add(2), *at.add(3));
            let Some(op) = Control::from_number(number) else {
                return Err(Raise::new(Code::Control, "no such control operation").into());
            };
            match op {
                Control::WithMark => {
                    *at = self.marker;
                    self.enter(at, 3)?;
                    Ok(None)
                }
                Control::FindHandler => {
                    let handles = |m: &super::marks::MarkView| matches!(m.kind, mark::GUARD | mark::BIND);
                    Ok(Some(self.find_handling(handles).map_or(Word::NIL, |f| f.payload)))
                }
                Control::FindMark => Ok(Some(self.find_keyed(a, b))),
                Control::WindsAbove => {
                    let found = self.find_payload(a).ok_or_else(left)?;
                    Ok(Some(Word::fixnum(found.winds as i64)))
                }
                Control::CallCapturing => {
                    self.call_capturing(at)?;
                    Ok(None)
                }
                Control::ContinuationWinds => Ok(Some(self.continuation_winds(a)?)),
                Control::Abort => {
                    let found = self.find_payload(a).ok_or_else(left)?;
                    let at = self.cut(&found);
                    self.end_grace();
                    *at = b;
                    *at.add(1) = c;
                    self.enter(at, 1)?;
                    Ok(None)
                }
                Control::CaptureAbort => {
                    let mut at = at;
                    let mut found = self.find_payload(a).ok_or_else(left)?;
                    if self.is_across(&found) {
                        at = self.settle(at, 4)?;
                        found = self.find_payload(*at.add(1)).ok_or_else(left)?;
                    }
                    let (k, found) = self.capture(found, at)?;
                    // The capture may have collected: the window holds the arguments' new words.
                    let (payload, f, x) = (*at.add(1), *at.add(2), *at.add(3));
                    let to = self.cut(&found);
                    *to = f;
                    *to.add(1) = x;
                    *to.add(2) = payload;
                    *to.add(3) = k;
                    self.enter(to, 3)?;
                    Ok(None)
                }
                Control::CoroutineResume => {
                    self.coroutine_resume(at)?;
                    Ok(None)
                }
                Control::CoroutineYield => {
                    self.coroutine_yield(at)?;
                    Ok(None)
                }
                Control::CoroutineAlive => Ok(Some(self.coroutine_alive(a)?)),
                Control::Throw => {
                    self.throw(a, b)?;
                    Ok(None)
                }
                Control::Apply => {
                    self.apply(at, a, b)?;
                    Ok(None)
                }
                Control::Winds => Ok(Some(self.isolate.state.stack.winds)),
                Control::Perform => self.perform(at),
                Control::EndHandling => Ok(Some(self.end_handling(at))),
                Control::WithPlace => Ok(Some(self.with_place(a)?)),
                Control::NoteMacro => Ok(Some(self.note_macro(a, b)?)),
                Control::ReadDatum => Ok(Some(self.read_datum(a, Language::Sx, true)?)),
                Control::ReadScheme => Ok(Some(self.read_datum(a, Language::Scheme, b.is_truthy())?)),
                Control::SchemeTop => Ok(Some(self.scheme_top()?)),
                Control::EvalStart => Ok(Some(self.eval_start(a, b)?)),
                Control::EvalStep => Ok(Some(self.eval_step(a, b)?)),
                Control::DefineMacro => Ok(Some(self.define_macro(a, b, false)?)),
                Control::DefineSpecialForm => Ok(Some(self.define_macro(a, b, true)?)),
                Control::MacroProcedure => Ok(Some(Self::macro_procedure(a))),
                Control::DefineSyntax => Ok(Some(self.define_syntax(a, b, c)?)),
                Control::FiberRun => self.fiber_run(at),
                Control::Bytecode => Ok(Some(self.bytecode(a)?)),
                Control::NativeStats => Ok(Some(self.native_numbers()?)),
                Control::NativeFunctions => Ok(Some(self.native_functions()?)),
                Control::NativeCode => Ok(Some(self.native_code(a)?)),
                Control::NativeExclude => Ok(Some(self.native_exclude(a, b)?)),
                Control::NativeExcluded => Ok(Some(self.native_excluded(a)?)),
                Control::NativeThreshold => Ok(Some(self.native_threshold(a)?)),
                Control::NativeReset => Ok(Some(self.native_reset(a.is_truthy()))),
                Control::NoteFailure => {
                    self.noted = Some(Box::new(self.failure_of(a)));
                    Ok(Some(Word::NIL))
                }
                Control::Uncaught => {
                    let failure = match self.noted.take() {
                        Some(noted) => *noted,
                        None => self.failure_of(a),
                    };
                    self.isolate.state.kept[kept::RESULT] = a;
                    self.note_fiber_failure();
                    Err(Stop::Exit(Box::new(Exit::Failed(Box::new(failure)))))
                }
            }
        }
    }

    /// Calls the function at `at[1]` with everything below `at`.
    unsafe fn call_capturing(&mut self, at: *mut Word) -> Result<(), Stop> {
        // SAFETY: the function is in the window.
        unsafe {
            let at = self.seal_below(at, 2)?;
            let k = self.capture_all(at)?;
            *at = *at.add(1);
            *at.add(1) = k;
            self.enter(at, 1)?;
            Ok(())
        }
    }

    /// Payload of the nearest marker of a kind whose key is `key`: the payload itself, or the
    /// first of a pair.
    unsafe fn find_keyed(&self, kind: Word, key: Word) -> Word {
        // SAFETY: payloads are live.
        unsafe {
            let found = self.find_mark(|m| {
                if Word::fixnum(m.kind) != kind {
                    return false;
                }
                let payload = m.payload;
                key == Word::NIL
                    || payload == key
                    || (object::is_type(payload, Type::Pair)
                        && (object::field(payload, object::pair::CAR) == key || planted(Fault::BindingConfused)))
            });
            found.map_or(Word::NIL, |f| f.payload)
        }
    }

    /// The op, its arguments and the request above `at` go to the host.
    pub(super) unsafe fn host_perform(&mut self, at: *mut Word) -> Result<Option<Word>, Stop> {
        // SAFETY: the window holds op, arguments, request.
        unsafe {
            let mut at = at;
            if self.stress.suspend_every_perform {
                at = self.seal_below(at, 4)?;
            }
            self.isolate.state.kept[kept::OP] = *at.add(1);
            self.isolate.state.kept[kept::ARGS] = *at.add(2);
            self.isolate.state.kept[kept::RESULT] = *at.add(3);
            self.wait_below(at, 0);
            self.performs += 1;
            Err(Stop::Exit(Box::new(Exit::Perform)))
        }
    }

    /// Calls `f` with the items of `list` at `at`.
    unsafe fn apply(&mut self, at: *mut Word, f: Word, list: Word) -> Result<(), Stop> {
        // SAFETY: both are in the window.
        unsafe {
            let list: Value<'_> = Value::from_raw(list);
            let Ok(items) = list.list_to_vec() else {
                return Err(Raise::new(Code::Type, "apply: expected (fn args... list)").into());
            };
            let items: Vec<Word> = items.into_iter().map(Value::word).collect();
            *at = f;
            if items.len() > MOST_STACK_ARGS {
                return self.apply_many(at, items);
            }
            for (i, item) in items.iter().enumerate() {
                *at.add(1 + i) = *item;
            }
            self.enter(at, items.len())?;
            Ok(())
        }
    }

    /// A call with more arguments than belong on the stack: of a primitive, or of a function
    /// that collects them.
    unsafe fn apply_many(&mut self, at: *mut Word, items: Vec<Word>) -> Result<(), Stop> {
        // SAFETY: the items are rooted in `kept` while the call needs them.
        unsafe {
            let callee: Value<'_> = Value::from_raw(*at);
            let Some(instance) = callee.instance() else {
                self.enter(at, 0)?;
                return Ok(());
            };
            let params = instance.chunk.params as usize;
            let primitive = instance.primitive();
            if primitive.is_none() && !instance.chunk.rest {
                let many = || Raise::new(Code::Arity, format!("{}: too many arguments", instance.chunk.name));
                return Err(arity_error(instance, items.len()).unwrap_or_else(many).into());
            }
            let row = self.isolate.state.kept.len();
            self.isolate.state.kept.extend_from_slice(&items);
            self.isolate.state.stack.window = (at, 1);
            if let Some(id) = primitive {
                let args = self.isolate.state.kept.as_mut_ptr().add(row);
                let result = self.isolate.call_primitive(id, args, items.len());
                self.isolate.state.kept.truncate(row);
                self.resume_frame(result?);
                return Ok(());
            }
            let room = self.reserve(size_of_list(items.len()));
            let items = self.isolate.state.kept.split_off(row);
            room?;
            let rest = self.isolate.heap.list(values(&items[params..])).word();
            for (i, item) in items[..params].iter().enumerate() {
                *at.add(1 + i) = *item;
            }
            *at.add(1 + params) = rest;
            self.isolate.state.stack.window = (at, params + 2);
            self.push_collected(at, params + 2)?;
            Ok(())
        }
    }
}

/// Why an operation gave no value.
pub(super) enum Stop {
    Raise(Raise),
    Exit(Box<Exit>),
}

impl From<Raise> for Stop {
    fn from(raise: Raise) -> Stop {
        Stop::Raise(raise)
    }
}

impl From<Box<Exit>> for Stop {
    fn from(exit: Box<Exit>) -> Stop {
        Stop::Exit(exit)
    }
}

fn left() -> Raise {
    Raise::new(Code::Control, "the extent this belongs to has been left")
}
