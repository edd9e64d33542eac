//! The loop: decode, do, go on.

use super::budget::Polled;
use super::floats::{feed, feeds};
use super::operands::{
    both_fixnums, both_flonums, exact, floor_mod, has_element, is_eq, is_pair, is_view, mixed_floats, move_down,
    shaped_value, takes_exactly, view_item, view_len,
};
use super::{Exit, Machine, kept};
use sx_runtime::fault::{Fault, planted};
use sx_runtime::instance::{Instance, feedback, instance_of};
use sx_runtime::object::{self, Type, pair, vector};
use sx_runtime::ops::{Instr, Op};
use sx_runtime::stack::Site;
use sx_runtime::value::{Value, Word};

/// The registers, loaded from the stack.
macro_rules! load {
    ($self:ident, $fp:ident, $ip:ident, $consts:ident) => {{
        $fp = $self.isolate.state.stack.fp;
        let instance: &Instance = instance_of(*$fp);
        $ip = instance.code.add($self.isolate.state.stack.pc);
        $consts = instance.consts;
    }};
}

impl Machine {
    /// Runs until the program ends, fails, performs an op for the host, or is stopped.
    pub fn run(&mut self) -> Exit {
        self.go(false)
    }

    /// Runs at most `step_limit` instructions; those of a program that it steps itself do not
    /// count.
    pub fn run_steps(&mut self, limit: u64) -> Exit {
        self.set_outer_limit(limit);
        self.go(true)
    }

    fn go(&mut self, traced: bool) -> Exit {
        loop {
            let exit = match self.begin() {
                Err(exit) => *exit,
                // SAFETY: `begin` leaves the stack with a complete running frame; the verifier has
                // checked every operand of every instruction against the frame and the constants.
                Ok(()) => match unsafe { self.loop_over(traced || self.is_stepping()) } {
                    Ok(never) => match never {},
                    Err(exit) => *exit,
                },
            };
            if let Some(exit) = self.after_exit(exit) {
                return exit;
            }
        }
    }

    unsafe fn loop_over(&mut self, traced: bool) -> Result<std::convert::Infallible, Box<Exit>> {
        // SAFETY: as in `go`.
        unsafe {
            match (traced, self.counting) {
                (true, _) => self.dispatch::<true, false>(),
                (false, true) => self.dispatch::<false, true>(),
                (false, false) => self.dispatch::<false, false>(),
            }
        }
    }

    /// Brings the stack from where `start`, `answer` or an exit left it to a running frame.
    fn begin(&mut self) -> Result<(), Box<Exit>> {
        let stack = &mut self.isolate.state.stack;
        if !stack.at_call {
            return Ok(());
        }
        let (window, n) = stack.window;
        if n > 0 {
            stack.window.1 = 0;
            // SAFETY: `start` made this window: a callee and its arguments above a complete frame.
            return unsafe { self.enter(window, n - 1) };
        }
        if planted(Fault::EffectRepeated) && self.performs % 2 == 1 {
            self.performs += 1;
            return Err(Box::new(Exit::Perform));
        }
        if let Some(raise) = self.refused.take() {
            return self.raise(raise);
        }
        let value = self.isolate.state.kept[kept::RESULT];
        // SAFETY: the frame waits at its call.
        unsafe { self.resume_frame(value) };
        self.note_resumed();
        Ok(())
    }

    /// # Safety
    /// The stack has a complete running frame of verified code.
    unsafe fn dispatch<const TRACED: bool, const COUNTED: bool>(
        &mut self,
    ) -> Result<std::convert::Infallible, Box<Exit>> {
        let mut fp: *mut Word;
        let mut ip: *mut u64;
        let mut consts: *mut Word;
        // SAFETY: in the whole loop: slots, constants and jump targets are in range because the
        // verifier checked the chunk; words in slots are live because the stack is rooted.
        unsafe {
            // Where calls of functions without native code lead; 0 if there is no native tier.
            let interpret = self.interpret_stub();
            if !TRACED && interpret != 0 {
                self.go_native()?;
            }
            load!(self, fp, ip, consts);
            macro_rules! slot {
                ($i:expr) => {
                    *fp.add($i)
                };
            }
            /// Writes the registers back; the running instruction is the one before `ip`.
            macro_rules! save {
                () => {{
                    let stack = &mut self.isolate.state.stack;
                    stack.fp = fp;
                    stack.pc = ip.offset_from(instance_of(*fp).code) as usize - 1;
                    stack.at_call = false;
                }};
            }
            /// A step that moved frames: its errors end the run, then the registers are loaded.
            macro_rules! moved {
                ($e:expr) => {{
                    $e?;
                    if !TRACED && interpret != 0 {
                        self.go_native()?;
                    }
                    load!(self, fp, ip, consts);
                }};
            }
            /// Runs native code until it leaves; errors end the run.
            macro_rules! native {
                ($e:expr) => {{
                    $e?;
                    load!(self, fp, ip, consts);
                }};
            }
            /// A step that gives a word or raises.
            macro_rules! valued {
                ($to:expr, $e:expr) => {{
                    match $e {
                        Ok(word) => slot!($to) = word,
                        Err(raise) => moved!(self.raise(raise)),
                    }
                }};
            }
            macro_rules! slow {
                ($i:expr, $to:expr, $($x:expr),*) => {{
                    let operands = [$($x),*];
                    note!($i, feedback::OTHER);
                    save!();
                    valued!($to, self.slow_op($i, &operands))
                }};
            }
            /// An instruction without a result.
            macro_rules! slow_set {
                ($i:expr, $operands:expr) => {{
                    save!();
                    if let Err(raise) = self.slow_op($i, $operands) {
                        moved!(self.raise(raise));
                    }
                }};
            }
            /// Whether the primitive of a test says yes.
            macro_rules! slow_test {
                ($i:expr, $operands:expr) => {{
                    save!();
                    match self.slow_op($i, $operands) {
                        Ok(word) => word.is_truthy(),
                        Err(raise) => {
                            moved!(self.raise(raise));
                            continue;
                        }
                    }
                }};
            }
            macro_rules! jump {
                ($d:expr) => {
                    ip = ip.offset($d as isize)
                };
            }
            macro_rules! compare {
                ($i:ident, $x:expr, $y:expr, $op:tt, $want:expr) => {{
                    let (x, y): (Word, Word) = ($x, $y);
                    let holds = if both_fixnums(x, y) {
                        (x.0 as i64) $op (y.0 as i64)
                    } else if both_flonums(x, y) {
                        x.as_flonum() $op y.as_flonum()
                    } else if let Some((x, y)) = mixed_floats(x, y) {
                        x $op y
                    } else {
                        slow_test!($i, &[x, y])
                    };
                    if holds == $want {
                        jump!($i.cd());
                    }
                }};
            }
            /// Only fixnums take the short way of a comparison with a small integer.
            macro_rules! compare_int {
                ($i:ident, $op:tt, $want:expr) => {{
                    let x: Word = slot!($i.a());
                    let y = $i.imm_b();
                    let holds = if x.is_fixnum() {
                        (x.0 as i64) $op (y << 1)
                    } else {
                        slow_test!($i, &[x, Word::fixnum(y)])
                    };
                    if holds == $want {
                        jump!($i.cd());
                    }
                }};
            }
            macro_rules! float_or_slow {
                ($code:ident, $i:ident, $x:ident, $y:ident, $op:tt) => {{
                    if both_flonums($x, $y)
                        && let result = $x.as_flonum() $op $y.as_flonum()
                        && let Some(word) = Word::flonum(result)
                    {
                        slot!($i.a()) = word;
                        let known = $i.d() as u64;
                        if known & feedback::FEEDS != 0 && !TRACED && !COUNTED {
                            ip = feed(fp, ip, $i, result);
                        } else if known & feedback::FLOAT == 0 {
                            *ip.sub(1) |= (feedback::FLOAT | feeds($i, Instr(*ip))) << 8;
                        }
                    } else if let Some(word) = self.float_op($code, $x, $y) {
                        slot!($i.a()) = word;
                    } else {
                        slow!($i, $i.a(), $x, $y)
                    }
                }};
            }
            /// Marks in the instruction itself what it has met; costs a test once marked.
            macro_rules! note {
                ($i:expr, $bits:expr) => {{
                    if $i.d() as u64 & $bits == 0 {
                        *ip.sub(1) |= $bits << 8;
                    }
                }};
            }
            /// Enters the closure at `$nfp` whose arguments lie above it, site word stored.
            macro_rules! call {
                ($nfp:expr, $argc:expr) => {{
                    let nfp: *mut Word = $nfp;
                    let argc: usize = $argc;
                    let callee = *nfp;
                    if callee.is_pointer()
                        && object::field_raw(callee, 0) as u32 == exact(argc)
                        && nfp as usize <= self.isolate.state.stack.limit()
                    {
                        let instance = instance_of(callee);
                        let calls = instance.calls.get().wrapping_add(1);
                        instance.calls.set(calls);
                        if !TRACED && (instance.entry.get() != interpret || calls == self.call_threshold()) {
                            native!(self.native_call(nfp));
                        } else {
                            fp = nfp;
                            ip = instance.code;
                            consts = instance.consts;
                        }
                    } else {
                        moved!(self.enter(nfp, argc));
                    }
                }};
            }
            macro_rules! note_callee {
                ($cell:expr, $callee:expr) => {{
                    let callee: Word = $callee;
                    if object::is_type(callee, Type::Closure) {
                        (*instance_of(*fp).feedback.add($cell)).note_callee(instance_of(callee));
                    }
                }};
            }
            macro_rules! site {
                ($base:expr) => {{
                    let pc = ip.offset_from(instance_of(*fp).code) as usize - 1;
                    *fp.add($base - 1) = Site { pc, base: $base }.word();
                }};
            }
            macro_rules! global {
                ($k:expr) => {{
                    let cell = *consts.add($k);
                    object::field(cell, object::cell::VALUE)
                }};
            }
            loop {
                if TRACED && self.counts(*fp) {
                    if self.step_limit == 0 {
                        ip = ip.add(1);
                        save!();
                        return Err(Box::new(Exit::Stepped));
                    }
                    self.step_limit -= 1;
                }
                if COUNTED {
                    self.count_instruction(*fp);
                }
                let i = Instr(*ip);
                ip = ip.add(1);
                let op: Op = std::mem::transmute::<u8, Op>(i.0 as u8);
                match op {
                    Op::Move => slot!(i.a()) = slot!(i.b()),
                    Op::Const => slot!(i.a()) = *consts.add(i.bc() as usize),
                    Op::Int => slot!(i.a()) = Word::fixnum(i.bc() as i64),
                    Op::Captured => {
                        slot!(i.a()) = object::field(*fp, object::closure::CAPTURED + i.bc() as usize);
                    }
                    Op::NewBox => {
                        let before = slot!(i.b());
                        if !self.isolate.heap.has_room(16) {
                            save!();
                            if let Err(raise) = self.reserve(16) {
                                moved!(self.raise(raise));
                                continue;
                            }
                        }
                        let value = if planted(Fault::ReloadMissing) {
                            before
                        } else {
                            slot!(i.b())
                        };
                        slot!(i.a()) = self.isolate.heap.new_box(Value::from_raw(value)).word();
                    }
                    Op::GetBox => slot!(i.a()) = object::field(slot!(i.b()), object::boxed::VALUE),
                    Op::SetBox => self
                        .isolate
                        .heap
                        .write(slot!(i.a()), object::boxed::VALUE, slot!(i.b())),
                    Op::CheckBound => {
                        if slot!(i.a()) == Word::UNBOUND && !planted(Fault::UnboundUnchecked) {
                            save!();
                            let name = *consts.add(i.bc() as usize);
                            moved!(self.raise_undefined(name));
                        }
                    }
                    Op::GetGlobal => {
                        let value = global!(i.bc() as usize);
                        if value == Word::UNBOUND {
                            save!();
                            moved!(self.raise_unbound_cell(*consts.add(i.bc() as usize)));
                        } else {
                            slot!(i.a()) = value;
                        }
                    }
                    Op::SetGlobal => {
                        let k = i.bc() as usize;
                        if global!(k) == Word::UNBOUND {
                            save!();
                            moved!(self.raise_unbound_cell(*consts.add(k)));
                        } else {
                            let core = instance_of(*fp).chunk.core;
                            self.isolate.store_global(*consts.add(k), slot!(i.a()), core);
                        }
                    }
                    Op::DefGlobal => {
                        let (core, cell) = (instance_of(*fp).chunk.core, *consts.add(i.bc() as usize));
                        self.isolate.store_global(cell, slot!(i.a()), core);
                        self.forget_macro(cell);
                    }
                    Op::MakeClosure => {
                        let n = i.d();
                        if !self.isolate.heap.has_room(16 + 8 * n) {
                            save!();
                            if let Err(raise) = self.reserve(16 + 8 * n) {
                                moved!(self.raise(raise));
                                continue;
                            }
                        }
                        let child = *instance_of(*fp).children.add(i.c());
                        let captured = std::slice::from_raw_parts(fp.add(i.b() + 1), n);
                        let aux = (*child).chunk.arity_word() as u64;
                        slot!(i.a()) = self.isolate.heap.closure(aux, child as *const (), captured).word();
                    }
                    Op::PatchClosure => {
                        let field = object::closure::CAPTURED + i.b();
                        self.isolate.heap.write(slot!(i.a()), field, slot!(i.c()));
                    }

                    Op::Jump => jump!(i.bc()),
                    Op::Loop => {
                        if i.a() < u16::MAX as usize {
                            *ip.sub(1) = i.0 + (1 << 16);
                        }
                        if fp as usize > self.isolate.state.stack.limit() {
                            save!();
                            match self.poll()? {
                                Polled::Nothing => {}
                                Polled::Preempted => return Err(Box::new(Exit::Preempted)),
                                Polled::Raised => {
                                    load!(self, fp, ip, consts);
                                    continue;
                                }
                            }
                        }
                        jump!(i.bc());
                        if !TRACED && interpret != 0 && self.wants_loop(i, instance_of(*fp)) {
                            let pc = ip.offset_from(instance_of(*fp).code) as usize;
                            native!(self.native_loop(fp, pc, i));
                        }
                    }
                    Op::JumpIfFalse => {
                        if slot!(i.a()).is_falsy() {
                            jump!(i.bc());
                        }
                    }
                    Op::JumpIfTrue => {
                        if slot!(i.a()).is_truthy() {
                            jump!(i.bc());
                        }
                    }
                    Op::JumpLt => compare!(i, slot!(i.a()), slot!(i.b()), <, true),
                    Op::JumpNotLt => compare!(i, slot!(i.a()), slot!(i.b()), <, false),
                    Op::JumpLe => compare!(i, slot!(i.a()), slot!(i.b()), <=, true),
                    Op::JumpNotLe => compare!(i, slot!(i.a()), slot!(i.b()), <=, false),
                    Op::JumpNumEq => compare!(i, slot!(i.a()), slot!(i.b()), ==, true),
                    Op::JumpNotNumEq => compare!(i, slot!(i.a()), slot!(i.b()), ==, false),
                    Op::JumpLtI => compare_int!(i, <, true),
                    Op::JumpNotLtI => compare_int!(i, <, false),
                    Op::JumpGtI => compare_int!(i, >, true),
                    Op::JumpNotGtI => compare_int!(i, >, false),
                    Op::JumpNumEqI => compare_int!(i, ==, true),
                    Op::JumpNotNumEqI => compare_int!(i, ==, false),
                    Op::JumpEq => {
                        if is_eq(slot!(i.a()), slot!(i.b())) {
                            jump!(i.cd());
                        }
                    }
                    Op::JumpNotEq => {
                        if !is_eq(slot!(i.a()), slot!(i.b())) {
                            jump!(i.cd());
                        }
                    }
                    Op::JumpEmpty | Op::JumpNotEmpty => {
                        let x = slot!(i.a());
                        let empty = if x == Word::EMPTY {
                            true
                        } else if is_pair(x) {
                            false
                        } else if is_view(x) {
                            view_len(x) == 0
                        } else {
                            slow_test!(i, &[x])
                        };
                        if empty == (op == Op::JumpEmpty) {
                            jump!(i.bc());
                        }
                    }
                    Op::JumpNil => {
                        if slot!(i.a()) == Word::NIL {
                            jump!(i.bc());
                        }
                    }
                    Op::JumpNotNil => {
                        if slot!(i.a()) != Word::NIL {
                            jump!(i.bc());
                        }
                    }

                    Op::Add => {
                        let (x, y) = (slot!(i.b()), slot!(i.c()));
                        if both_fixnums(x, y) {
                            match (x.0 as i64).checked_add(y.0 as i64) {
                                Some(sum) => slot!(i.a()) = Word(sum as u64),
                                None => slow!(i, i.a(), x, y),
                            }
                        } else {
                            float_or_slow!(op, i, x, y, +)
                        }
                    }
                    Op::Sub => {
                        let (x, y) = (slot!(i.b()), slot!(i.c()));
                        if both_fixnums(x, y) {
                            match (x.0 as i64).checked_sub(y.0 as i64) {
                                Some(difference) => slot!(i.a()) = Word(difference as u64),
                                None => slow!(i, i.a(), x, y),
                            }
                        } else {
                            float_or_slow!(op, i, x, y, -)
                        }
                    }
                    Op::AddI => {
                        let x = slot!(i.b());
                        match (x.0 & 1, (x.0 as i64).checked_add(i.imm_c() << 1)) {
                            (0, Some(sum)) => slot!(i.a()) = Word(sum as u64),
                            _ => {
                                let y = Word::fixnum(i.imm_c());
                                slow!(i, i.a(), x, y)
                            }
                        }
                    }
                    Op::SubI => {
                        let x = slot!(i.b());
                        match (x.0 & 1, (x.0 as i64).checked_sub(i.imm_c() << 1)) {
                            (0, Some(difference)) => slot!(i.a()) = Word(difference as u64),
                            _ => {
                                let y = Word::fixnum(i.imm_c());
                                slow!(i, i.a(), x, y)
                            }
                        }
                    }
                    Op::Mul => {
                        let (x, y) = (slot!(i.b()), slot!(i.c()));
                        if both_fixnums(x, y) {
                            match (x.0 as i64 >> 1).checked_mul(y.0 as i64) {
                                Some(product) => slot!(i.a()) = Word(product as u64),
                                None => slow!(i, i.a(), x, y),
                            }
                        } else {
                            float_or_slow!(op, i, x, y, *)
                        }
                    }
                    Op::Div => {
                        let (x, y) = (slot!(i.b()), slot!(i.c()));
                        float_or_slow!(op, i, x, y, /)
                    }
                    Op::Quotient | Op::Rem | Op::Mod => {
                        let (x, y) = (slot!(i.b()), slot!(i.c()));
                        if both_fixnums(x, y) && y.0 != 0 {
                            let (n, d) = (x.as_fixnum(), y.as_fixnum());
                            let result = match op {
                                Op::Quotient => n / d,
                                Op::Rem => n % d,
                                _ => floor_mod(n, d),
                            };
                            match Word::try_fixnum(result) {
                                Some(word) => slot!(i.a()) = word,
                                None => slow!(i, i.a(), x, y),
                            }
                        } else {
                            slow!(i, i.a(), x, y)
                        }
                    }
                    Op::Lt => {
                        let (x, y) = (slot!(i.b()), slot!(i.c()));
                        if both_fixnums(x, y) {
                            slot!(i.a()) = Word::bool((x.0 as i64) < (y.0 as i64));
                        } else {
                            slow!(i, i.a(), x, y)
                        }
                    }
                    Op::Le => {
                        let (x, y) = (slot!(i.b()), slot!(i.c()));
                        if both_fixnums(x, y) {
                            slot!(i.a()) = Word::bool((x.0 as i64) <= (y.0 as i64));
                        } else {
                            slow!(i, i.a(), x, y)
                        }
                    }
                    Op::NumEq => {
                        let (x, y) = (slot!(i.b()), slot!(i.c()));
                        if both_fixnums(x, y) {
                            slot!(i.a()) = Word::bool(x == y);
                        } else {
                            slow!(i, i.a(), x, y)
                        }
                    }
                    Op::Eq => slot!(i.a()) = Word::bool(is_eq(slot!(i.b()), slot!(i.c()))),
                    Op::Not => slot!(i.a()) = Word::bool(slot!(i.b()).is_falsy()),
                    Op::IsNil => slot!(i.a()) = Word::bool(slot!(i.b()) == Word::NIL),
                    Op::IsEmpty => {
                        let x = slot!(i.b());
                        if x == Word::EMPTY || is_pair(x) {
                            slot!(i.a()) = Word::bool(x == Word::EMPTY);
                        } else if is_view(x) {
                            slot!(i.a()) = Word::bool(view_len(x) == 0);
                        } else {
                            slow!(i, i.a(), x)
                        }
                    }

                    Op::Cons => {
                        let (x, y) = (slot!(i.b()), slot!(i.c()));
                        // `nil` as a tail is `()`, which the primitive sees to.
                        if y != Word::NIL && self.isolate.heap.has_room(24) {
                            slot!(i.a()) = self.isolate.heap.cons(Value::from_raw(x), Value::from_raw(y)).word();
                        } else {
                            slow!(i, i.a(), x, y)
                        }
                    }
                    Op::First => {
                        let x = slot!(i.b());
                        if is_pair(x) {
                            slot!(i.a()) = object::field(x, pair::CAR);
                        } else if is_view(x)
                            && let Some(item) = view_item(x, 0)
                        {
                            note!(i, feedback::VIEW);
                            slot!(i.a()) = item;
                        } else {
                            slow!(i, i.a(), x)
                        }
                    }
                    Op::Rest => {
                        let x = slot!(i.b());
                        if is_pair(x) {
                            slot!(i.a()) = object::field(x, pair::CDR);
                        } else if is_view(x) && self.isolate.heap.has_room(24) {
                            note!(i, feedback::VIEW);
                            let rest = self.isolate.heap.rest(Value::from_raw(x));
                            slot!(i.a()) = rest.map_or(Word::EMPTY, Value::word);
                        } else {
                            slow!(i, i.a(), x)
                        }
                    }
                    Op::VectorRef => {
                        let (x, y) = (slot!(i.b()), slot!(i.c()));
                        if y.is_fixnum() && has_element(x, y.as_fixnum()) {
                            slot!(i.a()) = object::field(x, vector::ELEMENTS + y.as_fixnum() as usize);
                        } else {
                            slow!(i, i.a(), x, y)
                        }
                    }
                    Op::VectorRefI => {
                        let x = slot!(i.b());
                        if has_element(x, i.imm_c()) {
                            slot!(i.a()) = object::field(x, vector::ELEMENTS + i.imm_c() as usize);
                        } else {
                            let y = Word::fixnum(i.imm_c());
                            slow!(i, i.a(), x, y)
                        }
                    }
                    Op::VectorSet => {
                        let (x, y, z) = (slot!(i.a()), slot!(i.b()), slot!(i.c()));
                        if y.is_fixnum() && has_element(x, y.as_fixnum()) {
                            self.isolate.heap.write(x, vector::ELEMENTS + y.as_fixnum() as usize, z);
                        } else {
                            slow_set!(i, &[x, y, z])
                        }
                    }
                    Op::VectorSetI => {
                        let (x, z) = (slot!(i.a()), slot!(i.c()));
                        if has_element(x, i.imm_b()) {
                            self.isolate.heap.write(x, vector::ELEMENTS + i.imm_b() as usize, z);
                        } else {
                            slow_set!(i, &[x, Word::fixnum(i.imm_b()), z])
                        }
                    }
                    Op::Nth => {
                        let (x, y) = (slot!(i.b()), slot!(i.c()));
                        if is_view(x)
                            && y.is_fixnum()
                            && let Some(item) = view_item(x, y.as_fixnum() as u64)
                        {
                            slot!(i.a()) = item;
                        } else {
                            slow!(i, i.a(), x, y)
                        }
                    }
                    Op::Get => {
                        let (x, y) = (slot!(i.b()), slot!(i.c()));
                        let cell = &*instance_of(*fp).feedback.add(i.d());
                        if let Some(value) = shaped_value(x, y, cell) {
                            slot!(i.a()) = value;
                        } else if let Some(value) = self.shaped_get(x, y, cell) {
                            slot!(i.a()) = value;
                        } else {
                            save!();
                            valued!(i.a(), self.slow_op(i, &[x, y]))
                        }
                    }

                    Op::Call => {
                        site!(i.b());
                        note_callee!(i.d(), slot!(i.b()));
                        call!(fp.add(i.b()), i.c());
                    }
                    Op::CallGlobal => {
                        site!(i.b());
                        slot!(i.b()) = global!(i.c());
                        if slot!(i.b()) == Word::UNBOUND {
                            save!();
                            moved!(self.raise_unbound_cell(*consts.add(i.c())));
                            continue;
                        }
                        call!(fp.add(i.b()), i.d());
                    }
                    Op::CallPrim => {
                        save!();
                        let id = sx_runtime::prims::PrimId((*consts.add(i.c())).as_fixnum() as u16);
                        valued!(i.a(), self.isolate.call_primitive(id, fp.add(i.b() + 1), i.d()))
                    }
                    Op::TailCall => {
                        note_callee!(i.d(), slot!(i.b()));
                        if takes_exactly(slot!(i.b()), i.c()) {
                            move_down(fp.add(i.b()), fp, i.c() + 1);
                            call!(fp, i.c());
                        } else {
                            save!();
                            moved!(self.enter_tail(fp.add(i.b()), i.c()));
                        }
                    }
                    Op::TailCallGlobal => {
                        let callee = global!(i.c());
                        if callee == Word::UNBOUND {
                            save!();
                            moved!(self.raise_unbound_cell(*consts.add(i.c())));
                            continue;
                        }
                        if takes_exactly(callee, i.d()) {
                            *fp = callee;
                            move_down(fp.add(i.b() + 1), fp.add(1), i.d());
                            call!(fp, i.d());
                        } else {
                            slot!(i.b()) = callee;
                            save!();
                            moved!(self.enter_tail(fp.add(i.b()), i.d()));
                        }
                    }
                    Op::Return => {
                        let value = slot!(i.a());
                        let word = *fp.sub(1);
                        let site = Site::of(word);
                        fp = fp.sub(site.base);
                        if !TRACED && Site::entry(word) != 0 {
                            native!(self.native_return(fp, value, word));
                            continue;
                        }
                        let instance = instance_of(*fp);
                        ip = instance.code.add(site.pc);
                        consts = instance.consts;
                        slot!(Instr(*ip).a()) = value;
                        ip = ip.add(1);
                    }
                    Op::Control => {
                        site!(i.b());
                        save!();
                        moved!(self.control(i.c(), fp.add(i.b()), i.d(), false));
                    }
                    Op::TailControl => {
                        save!();
                        moved!(self.control(i.c(), fp.add(i.b()), i.d(), true));
                    }
                    Op::PushMark => {
                        save!();
                        if let Err(raise) = self.push_mark() {
                            moved!(self.raise(raise));
                        }
                    }
                    Op::PopMark => {
                        save!();
                        self.pop_mark();
                    }
                    Op::Underflow => {
                        save!();
                        moved!(self.underflow());
                    }
                    Op::Halt => {
                        let value = slot!(i.a());
                        self.isolate.state.kept[kept::RESULT] = value;
                        self.isolate.state.stack.active = false;
                        return Err(Box::new(Exit::Value(value)));
                    }
                }
            }
        }
    }
}
