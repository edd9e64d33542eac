//! From the bytecode of one piece to Cranelift's form.
//!
//! Slots live in variables as far as possible: as words, or as doubles when only floats are in
//! them. A slot is *dirty* while its frame word does not hold its value. Before anything that may
//! collect, raise, call or leave, the dirty slots that are still needed are stored, so that the
//! frame in memory is what the machine would have made of it; behind a safepoint, words that may
//! have moved are loaded again when they are next read.
//!
//! Invariants: a guard comes before the first effect of its instruction; where control joins,
//! every path has the slots in the same places (`Lower::joined`).

mod arith;
mod calls;
mod data;
mod prims;

use crate::piece::{Blocks, Piece, Root};
use crate::types::kind::{BOOL, FIX, FLOAT, NIL, POINTER};
use crate::types::{Notes, Types, only};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{F64, I64};
use cranelift_codegen::ir::{self, AbiParam, Block, BlockArg, InstBuilder, MemFlagsData, SigRef, Signature, Value};
use cranelift_codegen::isa::CallConv;
use cranelift_frontend::{FunctionBuilder, Variable};
use std::collections::BTreeMap;
use std::mem::offset_of;
use sx_runtime::chunk::Liveness;
use sx_runtime::instance::Instance;
use sx_runtime::native::{Context, HELPERS, Helper, JUMPS, status};
use sx_runtime::object;
use sx_runtime::ops::{Instr, Op};
use sx_runtime::value::{FLONUM_BIAS, TAG_POINTER, Word};

/// Memory accesses of ours never trap and are aligned.
const MEMORY: MemFlagsData = MemFlagsData::trusted();

/// Where a slot's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// In the frame only.
    Frame,
    /// In a variable, as a word.
    Word,
    /// In a variable, as a double.
    Double,
}

/// A slot on the way through a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Slot {
    place: Place,
    /// The frame does not hold it.
    dirty: bool,
}

const IN_FRAME: Slot = Slot {
    place: Place::Frame,
    dirty: false,
};

/// What is known at a point.
#[derive(Clone)]
struct State {
    slots: Vec<Slot>,
    types: Types,
}

/// A way out to the machine, emitted behind everything else.
struct Way {
    block: Block,
    pc: usize,
    stores: Vec<(usize, Value, bool)>,
}

/// What a function's pieces share.
pub struct Function<'j> {
    /// The job and its notes.
    pub notes: Notes<'j>,
    /// The code.
    pub code: Vec<Instr>,
    /// What is needed where.
    pub live: Liveness,
    /// Its blocks.
    pub blocks: Blocks,
    /// Slots of a frame.
    pub slots: usize,
    /// Numbers of the entries behind calls.
    pub entries: BTreeMap<usize, u32>,
}

/// The signature of a piece.
pub fn piece_signature() -> Signature {
    signature(4, CallConv::Tail)
}

/// `words` words to a word.
pub fn signature(words: usize, convention: CallConv) -> Signature {
    let mut signature = Signature::new(convention);
    signature.params = vec![AbiParam::new(I64); words];
    signature.returns = vec![AbiParam::new(I64)];
    signature
}

/// Emits one piece.
pub struct Lower<'a, 'f> {
    b: FunctionBuilder<'f>,
    f: &'a Function<'a>,
    piece: &'a Piece,
    context: Value,
    fp: Value,
    instance: Value,
    consts: Value,
    words: Vec<Variable>,
    doubles: Vec<Variable>,
    state: State,
    blocks: BTreeMap<usize, Block>,
    inherited: BTreeMap<usize, State>,
    ways: Vec<Way>,
    tail: SigRef,
    signatures: [Option<SigRef>; 5],
}

fn at(field: usize) -> i32 {
    // Offsets of context fields and frame slots are small.
    field as i32
}

/// The offset of field `i` of an object from its tagged word.
fn field(i: usize) -> i32 {
    (i * 8) as i32 - TAG_POINTER as i32
}

fn slot_offset(slot: usize) -> i32 {
    (slot * 8) as i32
}

impl<'a, 'f> Lower<'a, 'f> {
    /// Emits `piece` into `b`.
    pub fn run(f: &'a Function<'a>, piece: &'a Piece, b: FunctionBuilder<'f>) -> FunctionBuilder<'f> {
        let mut lower = Lower::begin(f, piece, b);
        for start in &piece.order {
            lower.block(*start);
        }
        for way in std::mem::take(&mut lower.ways) {
            lower.way(way);
        }
        lower.b.seal_all_blocks();
        lower.b
    }

    fn begin(f: &'a Function<'a>, piece: &'a Piece, mut b: FunctionBuilder<'f>) -> Lower<'a, 'f> {
        let entry = b.create_block();
        b.append_block_params_for_function_params(entry);
        b.switch_to_block(entry);
        let params = b.block_params(entry).to_vec();
        let words: Vec<Variable> = (0..f.slots).map(|_| b.declare_var(I64)).collect();
        let doubles: Vec<Variable> = (0..f.slots).map(|_| b.declare_var(F64)).collect();
        let blocks = piece.order.iter().map(|s| (*s, b.create_block())).collect();
        let tail = b.import_signature(piece_signature());
        let closure = b.ins().load(I64, MEMORY, params[1], 0);
        let instance = b.ins().load(I64, MEMORY, closure, field(object::closure::INSTANCE));
        let consts = b.ins().load(I64, MEMORY, instance, at(offset_of!(Instance, consts)));
        let state = State {
            slots: vec![IN_FRAME; f.slots],
            types: Types::unknown(f.slots),
        };
        let mut lower = Lower {
            b,
            f,
            piece,
            context: params[0],
            fp: params[1],
            instance,
            consts,
            words,
            doubles,
            state,
            blocks,
            inherited: BTreeMap::new(),
            ways: vec![],
            tail,
            signatures: [None; 5],
        };
        lower.b.def_var(lower.words[0], closure);
        lower.state.slots[0].place = Place::Word;
        if let Root::Behind(call) = piece.root
            && let Some(slot) = f.code[call].def()
        {
            lower.set_word(slot, params[2]);
        }
        lower.go(piece.root.pc());
        lower
    }

    // --- control flow --------------------------------------------------------------------------

    /// Is the place of each slot at the start of this block fixed?
    fn is_join(&self, start: usize) -> bool {
        self.piece.joins.contains(&start)
    }

    /// Where slots are at the start of a block with several ways in.
    fn joined(&self, start: usize) -> State {
        let types = self.piece.types[&start].clone();
        let place_of = |slot: usize| {
            if slot != 0 && !self.f.live.before(start, slot) {
                IN_FRAME
            } else if self.piece.written.contains(&slot) {
                let floats = only(types.of(slot), FLOAT);
                Slot {
                    place: if floats { Place::Double } else { Place::Word },
                    dirty: true,
                }
            } else if self.piece.read_in_loops.contains(&slot) {
                Slot {
                    place: Place::Word,
                    dirty: false,
                }
            } else {
                IN_FRAME
            }
        };
        State {
            slots: (0..self.f.slots).map(place_of).collect(),
            types,
        }
    }

    /// Jumps to the block at `start`; the current block ends.
    fn go(&mut self, start: usize) {
        let block = self.blocks[&start];
        self.arrive(start);
        self.b.ins().jump(block, &[]);
    }

    /// Brings the slots to where the block at `start` wants them.
    fn arrive(&mut self, start: usize) {
        if !self.is_join(start) {
            self.inherited.insert(start, self.state.clone());
            return;
        }
        let wanted = self.joined(start);
        for slot in 0..self.f.slots {
            match wanted.slots[slot].place {
                Place::Frame => {}
                Place::Word => {
                    let word = self.word(slot);
                    self.b.def_var(self.words[slot], word);
                }
                Place::Double => {
                    let double = self.known_double(slot);
                    self.b.def_var(self.doubles[slot], double);
                }
            }
        }
    }

    /// Goes to the one block or the other; the current block ends.
    fn branch(&mut self, condition: Value, yes: usize, no: usize) {
        if yes == no {
            return self.go(yes);
        }
        let before = self.state.clone();
        let sides = [self.b.create_block(), self.b.create_block()];
        self.b.ins().brif(condition, sides[0], &[], sides[1], &[]);
        for (side, to) in sides.into_iter().zip([yes, no]) {
            self.b.switch_to_block(side);
            self.state = before.clone();
            self.go(to);
        }
    }

    fn block(&mut self, start: usize) {
        self.b.switch_to_block(self.blocks[&start]);
        self.state = match self.inherited.remove(&start) {
            Some(state) => state,
            None => self.joined(start),
        };
        // What the analysis began with here, so that it holds behind the block what it has said.
        self.state.types = self.piece.types[&start].clone();
        let end = self.f.blocks.end(start);
        for pc in start..end {
            if self.instruction(pc) {
                return;
            }
            self.state.types.step(&self.f.notes, pc);
            self.forget_dead(pc);
        }
        self.go(end);
    }

    /// Slots that nothing needs any more are nowhere.
    fn forget_dead(&mut self, pc: usize) {
        let result = self.f.code[pc].def();
        for slot in 1..self.f.slots {
            if self.state.slots[slot] != IN_FRAME && Some(slot) != result && !self.f.live.after(pc, slot) {
                self.state.slots[slot] = IN_FRAME;
            }
        }
    }

    /// Emits an instruction; `true` if it ended the block.
    fn instruction(&mut self, pc: usize) -> bool {
        let i = self.f.code[pc];
        let Some(op) = i.op() else {
            self.leave(pc);
            return true;
        };
        match op {
            Op::Move => self.copy(i.b(), i.a()),
            Op::Const => self.constant(i),
            Op::Int => {
                let word = self.number(Word::fixnum(i.bc() as i64).0);
                self.set_word(i.a(), word);
            }
            Op::Jump => {
                self.go_from(pc, i);
                return true;
            }
            Op::Loop => {
                self.poll(pc);
                self.go_from(pc, i);
                return true;
            }
            Op::JumpIfFalse | Op::JumpIfTrue => {
                let falsy = self.is_falsy(i.a());
                self.jump_if(pc, i, falsy, op == Op::JumpIfFalse);
                return true;
            }
            Op::JumpNil | Op::JumpNotNil => {
                let word = self.word(i.a());
                let nil = self.same(word, Word::NIL.0);
                self.jump_if(pc, i, nil, op == Op::JumpNil);
                return true;
            }
            Op::JumpEq | Op::JumpNotEq => {
                let same = self.is_eq(i.a(), i.b());
                self.jump_if(pc, i, same, op == Op::JumpEq);
                return true;
            }
            Op::JumpEmpty | Op::JumpNotEmpty => {
                let empty = self.is_empty(pc, i.a());
                self.jump_if(pc, i, empty, op == Op::JumpEmpty);
                return true;
            }
            Op::Eq => {
                let same = self.is_eq(i.b(), i.c());
                self.set_bool(i.a(), same);
            }
            Op::Not => {
                let falsy = self.is_falsy(i.b());
                self.set_bool(i.a(), falsy);
            }
            Op::IsNil => {
                let word = self.word(i.b());
                let nil = self.same(word, Word::NIL.0);
                self.set_bool(i.a(), nil);
            }
            Op::IsEmpty => {
                let empty = self.is_empty(pc, i.b());
                self.set_bool(i.a(), empty);
            }
            _ => return self.arithmetic(pc, i, op) || self.data(pc, i, op) || self.call(pc, i, op),
        }
        false
    }

    fn go_from(&mut self, pc: usize, i: Instr) {
        // The verifier has checked that a jump has a target.
        self.go(i.target(pc).unwrap_or(pc));
    }

    /// Jumps as `i` says if `condition` is `wanted`.
    fn jump_if(&mut self, pc: usize, i: Instr, condition: Value, wanted: bool) {
        self.state.types.step(&self.f.notes, pc);
        let target = i.target(pc).unwrap_or(pc + 1);
        match wanted {
            true => self.branch(condition, target, pc + 1),
            false => self.branch(condition, pc + 1, target),
        }
    }

    // --- slots ---------------------------------------------------------------------------------

    fn kinds(&self, slot: usize) -> crate::types::Kinds {
        self.state.types.of(slot)
    }

    /// The word in a slot.
    fn word(&mut self, slot: usize) -> Value {
        let Slot { place, dirty } = self.state.slots[slot];
        match place {
            Place::Word => self.b.use_var(self.words[slot]),
            Place::Double if dirty => {
                let double = self.b.use_var(self.doubles[slot]);
                self.boxed(double)
            }
            Place::Double => self.load_slot(slot),
            Place::Frame => {
                let word = self.load_slot(slot);
                self.b.def_var(self.words[slot], word);
                self.state.slots[slot] = Slot {
                    place: Place::Word,
                    dirty: false,
                };
                word
            }
        }
    }

    fn load_slot(&mut self, slot: usize) -> Value {
        self.b.ins().load(I64, MEMORY, self.fp, slot_offset(slot))
    }

    fn set_word(&mut self, slot: usize, word: Value) {
        self.b.def_var(self.words[slot], word);
        self.state.slots[slot] = Slot {
            place: Place::Word,
            dirty: true,
        };
    }

    fn set_double(&mut self, slot: usize, double: Value) {
        self.b.def_var(self.doubles[slot], double);
        self.state.slots[slot] = Slot {
            place: Place::Double,
            dirty: true,
        };
    }

    fn set_bool(&mut self, slot: usize, condition: Value) {
        let (yes, no) = (self.number(Word::TRUE.0), self.number(Word::FALSE.0));
        let word = self.b.ins().select(condition, yes, no);
        self.set_word(slot, word);
    }

    fn copy(&mut self, from: usize, to: usize) {
        if self.state.slots[from].place == Place::Double {
            let double = self.b.use_var(self.doubles[from]);
            self.set_double(to, double);
        } else {
            let word = self.word(from);
            self.set_word(to, word);
        }
    }

    fn constant(&mut self, i: Instr) {
        use sx_runtime::chunk::Const;
        use sx_runtime::syntax::Node;
        let k = i.bc() as usize;
        let datum = match self.f.notes.job.chunk.consts.get(k) {
            Some(Const::Datum(datum)) => Some(&datum.node),
            _ => None,
        };
        match datum {
            Some(Node::Float(f)) => {
                let double = self.b.ins().f64const(*f);
                self.set_double(i.a(), double);
            }
            Some(Node::Int(n)) if only(crate::types::constant_kinds(self.f.notes.job.chunk.consts.get(k)), FIX) => {
                let word = self.number(Word::fixnum(*n).0);
                self.set_word(i.a(), word);
            }
            _ => {
                let word = self.load_const(k);
                self.set_word(i.a(), word);
            }
        }
    }

    fn load_const(&mut self, k: usize) -> Value {
        self.b.ins().load(I64, MEMORY, self.consts, slot_offset(k))
    }

    fn number(&mut self, bits: u64) -> Value {
        self.b.ins().iconst(I64, bits as i64)
    }

    fn same(&mut self, word: Value, bits: u64) -> Value {
        let bits = self.number(bits);
        self.b.ins().icmp(IntCC::Equal, word, bits)
    }

    fn masked(&mut self, word: Value, mask: u64) -> Value {
        let mask = self.number(mask);
        self.b.ins().band(word, mask)
    }

    fn is_falsy(&mut self, slot: usize) -> Value {
        let kinds = self.kinds(slot);
        if kinds & (NIL | BOOL) == 0 && kinds != 0 {
            return self.b.ins().iconst(ir::types::I8, 0);
        }
        let word = self.word(slot);
        if only(kinds, BOOL) {
            return self.same(word, Word::FALSE.0);
        }
        let bit = self.number(8);
        let word = self.b.ins().bor(word, bit);
        self.same(word, Word::FALSE.0)
    }

    // --- floats --------------------------------------------------------------------------------

    /// The word of a double.
    fn boxed(&mut self, double: Value) -> Value {
        let bits = self.b.ins().bitcast(I64, MemFlagsData::new(), double);
        let bias = self.number(FLONUM_BIAS);
        let bits = self.b.ins().isub(bits, bias);
        let word = self.b.ins().rotl_imm_u(bits, 3);
        let tag = self.masked(word, 3);
        let fits = self.same(tag, 1);
        let (slow, done) = (self.cold_block(), self.b.create_block());
        self.b.append_block_param(done, I64);
        self.b.ins().brif(fits, done, &[BlockArg::Value(word)], slow, &[]);
        self.b.switch_to_block(slow);
        let sig = {
            let mut signature = Signature::new(CallConv::SystemV);
            signature.params = vec![AbiParam::new(I64), AbiParam::new(F64)];
            signature.returns = vec![AbiParam::new(I64)];
            self.b.import_signature(signature)
        };
        let helper = self.helper_address(Helper::BoxFloat);
        let call = self.b.ins().call_indirect(sig, helper, &[self.context, double]);
        let word = self.b.inst_results(call)[0];
        self.b.ins().jump(done, &[BlockArg::Value(word)]);
        self.b.switch_to_block(done);
        self.b.block_params(done)[0]
    }

    /// The double of a flonum word.
    fn unboxed(&mut self, word: Value) -> Value {
        let bits = self.b.ins().rotr_imm_u(word, 3);
        let bias = self.number(FLONUM_BIAS);
        let bits = self.b.ins().iadd(bits, bias);
        self.b.ins().bitcast(F64, MemFlagsData::new(), bits)
    }

    /// The double in a slot that holds a float for sure.
    fn known_double(&mut self, slot: usize) -> Value {
        if self.state.slots[slot].place == Place::Double {
            return self.b.use_var(self.doubles[slot]);
        }
        let word = self.word(slot);
        let tag = self.masked(word, 3);
        let immediate = self.same(tag, 1);
        let (fast, slow, done) = (self.b.create_block(), self.cold_block(), self.b.create_block());
        self.b.append_block_param(done, F64);
        self.b.ins().brif(immediate, fast, &[], slow, &[]);
        self.b.switch_to_block(fast);
        let double = self.unboxed(word);
        self.b.ins().jump(done, &[BlockArg::Value(double)]);
        self.b.switch_to_block(slow);
        let double = self.b.ins().load(F64, MEMORY, word, field(object::flonum::BITS));
        self.b.ins().jump(done, &[BlockArg::Value(double)]);
        self.b.switch_to_block(done);
        self.b.block_params(done)[0]
    }

    // --- leaving and safepoints ----------------------------------------------------------------

    fn cold_block(&mut self) -> Block {
        let block = self.b.create_block();
        self.b.set_cold_block(block);
        block
    }

    /// A block that hands the frame to the machine, at the instruction `pc`, from the state here.
    fn way_out(&mut self, pc: usize) -> Block {
        let block = self.cold_block();
        let mut stores = vec![];
        for slot in 1..self.f.slots {
            let Slot { place, dirty } = self.state.slots[slot];
            if dirty && self.f.live.before(pc, slot) {
                let is_double = place == Place::Double;
                let variable = if is_double {
                    self.doubles[slot]
                } else {
                    self.words[slot]
                };
                stores.push((slot, self.b.use_var(variable), is_double));
            }
        }
        self.ways.push(Way { block, pc, stores });
        block
    }

    fn way(&mut self, way: Way) {
        self.b.switch_to_block(way.block);
        for (slot, value, is_double) in way.stores {
            let word = if is_double { self.boxed(value) } else { value };
            self.b.ins().store(MEMORY, word, self.fp, slot_offset(slot));
        }
        self.jump_at(Helper::Exit, way.pc);
    }

    /// Leaves here, whatever happens.
    fn leave(&mut self, pc: usize) {
        let way = self.way_out(pc);
        self.b.ins().jump(way, &[]);
    }

    /// Goes on only if `condition` holds; otherwise to `way`.
    fn guard(&mut self, condition: Value, way: Block) {
        let on = self.b.create_block();
        self.b.ins().brif(condition, on, &[], way, &[]);
        self.b.switch_to_block(on);
    }

    /// Goes on only unless `condition` holds; otherwise to `way`.
    fn guard_not(&mut self, condition: Value, way: Block) {
        let on = self.b.create_block();
        self.b.ins().brif(condition, way, &[], on, &[]);
        self.b.switch_to_block(on);
    }

    fn return_moved(&mut self) {
        let moved = self.number(status::MOVED);
        self.b.ins().return_(&[moved]);
    }

    fn helper_address(&mut self, helper: Helper) -> Value {
        let offset = at(offset_of!(Context, helpers) + helper as usize * 8);
        self.b.ins().load(I64, MEMORY.with_readonly(), self.context, offset)
    }

    /// Calls a helper with these words behind the context.
    fn helper(&mut self, helper: Helper, words: &[Value]) -> Value {
        debug_assert_eq!(HELPERS[helper as usize].1, words.len());
        let n = words.len() + 1;
        let sig = match self.signatures[n] {
            Some(sig) => sig,
            None => {
                let sig = self.b.import_signature(signature(n, CallConv::SystemV));
                self.signatures[n] = Some(sig);
                sig
            }
        };
        let address = self.helper_address(helper);
        let args: Vec<Value> = [self.context].iter().chain(words).copied().collect();
        let call = self.b.ins().call_indirect(sig, address, &args);
        self.b.inst_results(call)[0]
    }

    /// Calls a helper that wants the frame and the instruction.
    fn call_at(&mut self, helper: Helper, pc: usize) -> Value {
        let pc = self.number(pc as u64);
        self.helper(helper, &[self.fp, pc])
    }

    /// Jumps to a helper that says where to go on.
    fn jump_to(&mut self, helper: Helper, first: Value, second: Value) {
        let row = JUMPS.iter().position(|h| *h == helper).unwrap_or_default();
        let offset = at(offset_of!(Context, jumps) + row * 8);
        let stub = self.b.ins().load(I64, MEMORY.with_readonly(), self.context, offset);
        self.b
            .ins()
            .return_call_indirect(self.tail, stub, &[self.context, first, second, second]);
    }

    /// The same with the frame and the instruction.
    fn jump_at(&mut self, helper: Helper, pc: usize) {
        let pc = self.number(pc as u64);
        self.jump_to(helper, self.fp, pc);
    }

    /// Stores what the frame lacks of what the instruction reads and what is needed after it. What
    /// is stored is no longer dirty.
    fn flush(&mut self, pc: usize) {
        let mut read = vec![];
        self.f.code[pc].uses(|s| read.push(s));
        for slot in 1..self.f.slots {
            if self.state.slots[slot].dirty && (read.contains(&slot) || self.f.live.after(pc, slot)) {
                let word = self.word(slot);
                self.b.ins().store(MEMORY, word, self.fp, slot_offset(slot));
                self.state.slots[slot].dirty = false;
            }
        }
    }

    /// Behind a safepoint on the straight way: words that may have moved are in the frame only.
    fn moved(&mut self) {
        for slot in 0..self.f.slots {
            if self.state.slots[slot].place == Place::Word && self.kinds(slot) & POINTER != 0 {
                self.state.slots[slot] = IN_FRAME;
            }
        }
    }

    /// A helper that may collect or raise, on the straight way: its answer.
    fn safepoint(&mut self, helper: Helper, pc: usize) -> Value {
        self.flush(pc);
        let answer = self.call_at(helper, pc);
        self.unless_suspended(answer);
        let code = self.f.code[pc];
        for slot in 1..self.f.slots {
            if !self.f.live.after(pc, slot) && Some(slot) != code.def() {
                self.state.slots[slot] = IN_FRAME;
            }
        }
        self.moved();
        answer
    }

    /// A helper has moved frames: leave.
    fn unless_suspended(&mut self, answer: Value) {
        let suspended = self.same(answer, Word::SUSPEND.0);
        let (gone, on) = (self.cold_block(), self.b.create_block());
        self.b.ins().brif(suspended, gone, &[], on, &[]);
        self.b.switch_to_block(gone);
        self.return_moved();
        self.b.switch_to_block(on);
    }

    /// On a side way: a helper that may collect or raise, after which the state is again what it
    /// is here. The current block must be the side way's.
    fn detour(&mut self, helper: Helper, pc: usize) -> Value {
        let state = self.state.clone();
        self.flush(pc);
        let answer = self.call_at(helper, pc);
        self.unless_suspended(answer);
        self.state = state;
        self.reload(pc);
        answer
    }

    /// Loads again what a collection may have moved.
    fn reload(&mut self, pc: usize) {
        for slot in 0..self.f.slots {
            let needed = slot == 0 || self.f.live.after(pc, slot);
            if needed && self.state.slots[slot].place == Place::Word && self.kinds(slot) & POINTER != 0 {
                let word = self.load_slot(slot);
                self.b.def_var(self.words[slot], word);
            }
        }
    }

    /// `fast` emits the short way of an instruction; where it branches to the block it is given, a
    /// helper does the instruction. Answers the value of either.
    fn or_slowly(&mut self, pc: usize, helper: Helper, fast: impl FnOnce(&mut Self, Block) -> Value) -> Value {
        let (slow, done) = (self.cold_block(), self.b.create_block());
        self.b.append_block_param(done, I64);
        // The side way begins from the state before the short way has touched it.
        self.touch(pc);
        let before = self.state.clone();
        let value = fast(self, slow);
        let after = std::mem::replace(&mut self.state, before);
        self.b.ins().jump(done, &[BlockArg::Value(value)]);
        self.b.switch_to_block(slow);
        let value = self.detour(helper, pc);
        self.b.ins().jump(done, &[BlockArg::Value(value)]);
        self.b.switch_to_block(done);
        debug_assert!(after.slots == self.state.slots);
        self.b.block_params(done)[0]
    }

    /// Brings every slot the instruction reads into a variable.
    fn touch(&mut self, pc: usize) {
        let mut read = vec![];
        self.f.code[pc].uses(|s| read.push(s));
        for slot in read {
            if self.state.slots[slot].place == Place::Frame {
                self.word(slot);
            }
        }
    }

    /// A turn of a loop: looks around if the limit was lowered.
    fn poll(&mut self, pc: usize) {
        let limit = self.limit();
        let fine = self.b.ins().icmp(IntCC::UnsignedLessThanOrEqual, self.fp, limit);
        let (slow, on) = (self.cold_block(), self.b.create_block());
        self.b.ins().brif(fine, on, &[], slow, &[]);
        self.b.switch_to_block(slow);
        let state = self.state.clone();
        self.flush(pc);
        let next = self.call_at(Helper::Poll, pc);
        let stays = self.same(next, 0);
        let (back, gone) = (self.b.create_block(), self.cold_block());
        self.b.ins().brif(stays, back, &[], gone, &[]);
        self.b.switch_to_block(gone);
        self.go_on_at(next);
        self.b.switch_to_block(back);
        self.state = state;
        self.reload(pc);
        self.b.ins().jump(on, &[]);
        self.b.switch_to_block(on);
    }

    fn limit(&mut self) -> Value {
        let limit = at(offset_of!(Context, limit));
        let limit = self.b.ins().load(I64, MEMORY.with_readonly(), self.context, limit);
        self.b.ins().load(I64, MEMORY, limit, 0)
    }
}
