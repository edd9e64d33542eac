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
mod leave;
mod prims;
mod scheme;
mod slots;
mod spoil;
mod tables;

use crate::inline::{Leaf, Region};
use crate::piece::{Blocks, Piece, Root, is_call};
use crate::trial::Marks;
use crate::types::kind::FLOAT;
use crate::types::{Notes, Types, only};
use cranelift_codegen::ir::types::{F64, I64};
use cranelift_codegen::ir::{AbiParam, Block, InstBuilder, MemFlagsData, SigRef, Signature, Value};
use cranelift_codegen::isa::CallConv;
use cranelift_frontend::{FunctionBuilder, Variable};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use sx_runtime::chunk::{Chunk, Liveness};
use sx_runtime::fault::{Fault, planted};
use sx_runtime::native::{CompileJob, HELPERS, Helper};
use sx_runtime::ops::{Instr, Op};
use sx_runtime::value::{TAG_POINTER, Word};

/// Memory accesses of ours never trap and are aligned.
pub(crate) const MEMORY: MemFlagsData = MemFlagsData::trusted();

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
    /// Beside the word, the double of it is in its variable.
    twin: bool,
}

const IN_FRAME: Slot = Slot::new(Place::Frame, false);

impl Slot {
    const fn new(place: Place, dirty: bool) -> Slot {
        Slot {
            place,
            dirty,
            twin: false,
        }
    }
    /// Is its value in a variable as a double?
    fn has_double(self) -> bool {
        self.place == Place::Double || self.twin
    }
}

/// What is known at a point.
#[derive(Clone)]
struct State {
    slots: Vec<Slot>,
    types: Types,
}

/// A way out to the machine, emitted behind everything else.
pub(crate) struct Way {
    block: Block,
    pc: usize,
    stores: Vec<(usize, Value, bool)>,
}

impl Way {
    /// The instruction that the machine goes on with, and the slots that are stored for it.
    pub fn told(&self) -> (usize, Vec<usize>) {
        (self.pc, self.stores.iter().map(|(slot, ..)| *slot).collect())
    }
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
    /// Calls whose callee is part of the code.
    pub inlined: BTreeMap<usize, Leaf<'j>>,
}

impl<'j> Function<'j> {
    /// Of a job, with these callees as part of it.
    pub fn new(job: &'j CompileJob, inlined: BTreeMap<usize, Leaf<'j>>) -> Function<'j> {
        let code: Vec<Instr> = job.code.iter().map(|w| Instr(*w)).collect();
        let calls = code.iter().enumerate().filter(|(_, i)| is_call(**i));
        let returns = inlined.iter().map(|(pc, leaf)| (*pc, leaf.returns)).collect();
        Function {
            notes: Notes { job, returns },
            live: job.chunk.liveness(),
            blocks: Blocks::new(&code, &job.loops),
            slots: job.chunk.frame_size as usize,
            entries: calls.zip(job.first_entry..).map(|((pc, _), n)| (pc, n)).collect(),
            inlined,
            code,
        }
    }

    /// The chunks of all callees that are part of it, theirs too.
    pub fn all_inlined(&self) -> Vec<Arc<Chunk>> {
        let mut all = vec![];
        for leaf in self.inlined.values() {
            all.push(leaf.function.notes.job.chunk.clone());
            all.extend(leaf.function.all_inlined());
        }
        all
    }
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

/// A value on its way into a callee.
pub(crate) struct Taken {
    word: Option<Value>,
    double: Option<Value>,
}

/// See `Lower::snapshot`.
pub(crate) struct Snapshot(State, BTreeMap<usize, Value>);

/// What waits while a callee's code is emitted.
pub(crate) struct Outer<'a> {
    f: &'a Function<'a>,
    piece: Rc<Piece>,
    words: Vec<Variable>,
    doubles: Vec<Variable>,
    state: State,
    conditions: BTreeMap<usize, Value>,
    blocks: BTreeMap<usize, Block>,
    inherited: BTreeMap<usize, State>,
    region: Option<Region>,
}

/// Of a helper as pieces call it, which is without touching a register (`PreserveAll`), or as it
/// is.
pub fn helper_signature(helper: Helper, convention: CallConv) -> Signature {
    let mut signature = signature(HELPERS[helper as usize].1 + 1, convention);
    if HELPERS[helper as usize].2 {
        signature.params[1] = AbiParam::new(F64);
    }
    if convention == CallConv::PreserveAll {
        signature.returns.clear();
    }
    signature
}

/// Emits one piece.
pub struct Lower<'a, 'f> {
    pub(crate) b: FunctionBuilder<'f>,
    pub(crate) f: &'a Function<'a>,
    piece: Rc<Piece>,
    context: Value,
    fp: Value,
    words: Vec<Variable>,
    doubles: Vec<Variable>,
    state: State,
    /// Conditions that slots hold as booleans, where that was worked out in this block.
    conditions: BTreeMap<usize, Value>,
    blocks: BTreeMap<usize, Block>,
    inherited: BTreeMap<usize, State>,
    ways: Vec<Way>,
    /// The callee whose code is being emitted, if it is a callee's.
    pub(crate) region: Option<Region>,
    /// Marks of guards, if they are to fail on purpose.
    marks: Option<&'a Marks>,
    tail: SigRef,
    signatures: BTreeMap<usize, SigRef>,
}

pub(crate) fn at(field: usize) -> i32 {
    // Offsets of context fields and frame slots are small.
    field as i32
}

/// The offset of field `i` of an object from its tagged word.
pub(crate) fn field(i: usize) -> i32 {
    (i * 8) as i32 - TAG_POINTER as i32
}

fn slot_offset(slot: usize) -> i32 {
    (slot * 8) as i32
}

impl<'a, 'f> Lower<'a, 'f> {
    /// Emits `piece` into `b`; what is stored where it leaves goes to `told`.
    pub fn run(
        f: &'a Function<'a>,
        piece: Rc<Piece>,
        marks: Option<&'a Marks>,
        told: &mut Vec<(usize, Vec<usize>)>,
        b: FunctionBuilder<'f>,
    ) -> FunctionBuilder<'f> {
        let mut lower = Lower::begin(f, piece, marks, b);
        lower.emit_blocks();
        told.extend(lower.ways.iter().map(Way::told));
        for way in std::mem::take(&mut lower.ways) {
            lower.way(way);
        }
        lower.b.seal_all_blocks();
        lower.b
    }

    /// Emits the blocks of the piece, which something jumps into.
    pub(crate) fn emit_blocks(&mut self) {
        let piece = self.piece.clone();
        for start in &piece.order {
            self.block(*start);
        }
    }

    fn begin(
        f: &'a Function<'a>,
        piece: Rc<Piece>,
        marks: Option<&'a Marks>,
        mut b: FunctionBuilder<'f>,
    ) -> Lower<'a, 'f> {
        let entry = b.create_block();
        b.append_block_params_for_function_params(entry);
        b.switch_to_block(entry);
        let params = b.block_params(entry).to_vec();
        let words: Vec<Variable> = (0..f.slots).map(|_| b.declare_var(I64)).collect();
        let doubles: Vec<Variable> = (0..f.slots).map(|_| b.declare_var(F64)).collect();
        let blocks = piece.order.iter().map(|s| (*s, b.create_block())).collect();
        let tail = b.import_signature(piece_signature());
        let fp = match piece.root {
            // What has returned says where its own frame was.
            Root::Behind(call) => b.ins().iadd_imm_s(params[1], -(f.code[call].b() as i64 * 8)),
            Root::Start | Root::Loop(_) => params[1],
        };
        let types = match piece.root {
            Root::Behind(call) => piece.types[&(call + 1)].clone(),
            // Slots that are said to hold floats are looked at below.
            Root::Start | Root::Loop(_) => Types::unknown(f.slots),
        };
        let state = State {
            slots: vec![IN_FRAME; f.slots],
            types,
        };
        let mut lower = Lower {
            b,
            f,
            piece,
            context: params[0],
            fp,
            words,
            doubles,
            state,
            conditions: BTreeMap::new(),
            blocks,
            inherited: BTreeMap::new(),
            ways: vec![],
            region: None,
            marks,
            tail,
            signatures: BTreeMap::new(),
        };
        if let Root::Behind(call) = lower.piece.root
            && let Some(slot) = f.code[call].def()
        {
            let beside = usize::from(planted(Fault::NativeResultSlotWrong));
            lower.set_word(slot - beside, params[2]);
        }
        for slot in lower.piece.floats(f) {
            let way = lower.way_out(lower.piece.root.pc());
            let double = lower.float_in(slot, way);
            lower.b.def_var(lower.doubles[slot], double);
            lower.state.slots[slot] = Slot::new(Place::Double, false);
            lower.state.types.0[slot] = FLOAT;
        }
        lower.go(lower.piece.root.pc());
        lower
    }

    // --- inlined callees -----------------------------------------------------------------------

    /// The value of a slot, where a callee takes it from.
    pub(crate) fn taken(&mut self, slot: usize) -> Taken {
        let state = self.state.slots[slot];
        let double = state.has_double().then(|| self.b.use_var(self.doubles[slot]));
        let word = (state.place != Place::Double).then(|| self.word(slot));
        Taken { word, double }
    }

    /// A slot of a callee gets a value.
    pub(crate) fn give(&mut self, slot: usize, taken: Taken) {
        match taken {
            Taken {
                word: Some(word),
                double,
            } => {
                self.set_word(slot, word);
                if let Some(double) = double {
                    self.add_twin(slot, double);
                }
            }
            Taken {
                word: None,
                double: Some(double),
            } => self.set_double(slot, double),
            Taken { .. } => {}
        }
    }

    /// What is known and where everything is, for coming back to.
    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot(self.state.clone(), self.conditions.clone())
    }

    /// Back at a snapshot.
    pub(crate) fn restore(&mut self, snapshot: Snapshot) {
        (self.state, self.conditions) = (snapshot.0, snapshot.1);
    }

    /// From here on the code is a callee's: `emit_blocks` emits it from its slots.
    pub(crate) fn enter_region(&mut self, f: &'a Function<'a>, piece: Rc<Piece>, region: Region) -> Outer<'a> {
        let words = (0..f.slots).map(|_| self.b.declare_var(I64)).collect();
        let doubles = (0..f.slots).map(|_| self.b.declare_var(F64)).collect();
        let blocks = piece.order.iter().map(|s| (*s, self.b.create_block())).collect();
        let start = piece.root.pc();
        let state = State {
            slots: vec![IN_FRAME; f.slots],
            types: piece.types[&start].clone(),
        };
        Outer {
            f: std::mem::replace(&mut self.f, f),
            piece: std::mem::replace(&mut self.piece, piece),
            words: std::mem::replace(&mut self.words, words),
            doubles: std::mem::replace(&mut self.doubles, doubles),
            state: std::mem::replace(&mut self.state, state),
            conditions: std::mem::take(&mut self.conditions),
            blocks: std::mem::replace(&mut self.blocks, blocks),
            inherited: std::mem::take(&mut self.inherited),
            region: self.region.replace(region),
        }
    }

    /// The code is the caller's again.
    pub(crate) fn leave_region(&mut self, outer: Outer<'a>) {
        (self.f, self.piece) = (outer.f, outer.piece);
        (self.words, self.doubles) = (outer.words, outer.doubles);
        (self.state, self.conditions) = (outer.state, outer.conditions);
        (self.blocks, self.inherited) = (outer.blocks, outer.inherited);
        self.region = outer.region;
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
                let dirty = !planted(Fault::NativeJoinClean);
                Slot::new(if floats { Place::Double } else { Place::Word }, dirty)
            } else if self.region.is_some() {
                // Inlined code has no frame, so what came in stays where it is.
                Slot::new(Place::Word, true)
            } else if self.piece.read_in_loops.contains(&slot) {
                let floats = only(types.of(slot), FLOAT);
                Slot::new(if floats { Place::Double } else { Place::Word }, false)
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
    pub(crate) fn go(&mut self, start: usize) {
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
        self.conditions.clear();
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
}
