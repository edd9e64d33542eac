//! Chunks: compiled functions. A chunk is immutable, holds no heap reference and is shared by
//! every isolate; an `Instance` (`isolate.rs`) is what one isolate makes of it.
//!
//! Invariant: `live` has a row for every instruction that can collect, raise or call, and the
//! slots of a row are exactly those whose value is needed after the instruction.

use crate::convert::Lists;
use crate::fault::{Fault, planted};
use crate::object::{Rest, arity_aux};
use crate::ops::{Effect, Instr, Op};
use crate::syntax::{Name, Source, Span, Stx};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

/// What a constant is before an isolate gives it a word.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Const {
    /// A datum.
    Datum(Stx),
    /// The interned string that a `get` looks up.
    Key(Name),
    /// The cell of a global variable.
    Global(Name),
    /// The row of a primitive.
    Prim(Name),
}

/// A place where a primitive was compiled as an instruction of its own.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Inlined {
    /// The instruction.
    pub pc: u32,
    /// Index of the constant with the global's cell.
    pub cell: u16,
    /// Where the same expression stands as an ordinary call, for an instruction with operands of
    /// its own; a `CallPrim` needs none, it is rewritten in place.
    pub cold: Option<u32>,
    /// Does a `CallPrim` stand in tail position, so that it is rewritten into a call that does?
    pub is_tail: bool,
}

/// The span of an instruction.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct PcSpan {
    /// The instruction.
    pub pc: u32,
    /// Index into `sources`.
    pub source: u16,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// A compiled function.
#[derive(Debug, Serialize, Deserialize)]
pub struct Chunk {
    /// What errors and traces call it; empty for an anonymous one.
    pub name: Name,
    /// Docstring.
    pub doc: Option<Name>,
    /// Required parameters; they lie in slots 1, 2, …
    pub params: u16,
    /// Does slot `params + 1` collect further arguments?
    pub rest: bool,
    /// Names of the parameters, for `doc` and errors.
    pub param_names: Vec<Name>,
    /// Slots of a frame, the site word of its highest call window included.
    pub frame_size: u16,
    /// The instructions.
    pub code: Vec<u64>,
    /// Constants.
    pub consts: Vec<Const>,
    /// Functions made by this one.
    pub children: Vec<Arc<Chunk>>,
    /// How many variables a closure over this chunk captures.
    pub captures: u16,
    /// How many feedback cells an instance has.
    pub feedback: u16,
    /// Instructions that stand for a call of a primitive.
    pub inlined: Vec<Inlined>,
    /// By pc, one more than where in `live_words` the slots needed after the instruction begin; 0
    /// where no safepoint is.
    pub live: Vec<u32>,
    /// Bit sets of `live_stride` words each.
    pub live_words: Vec<u64>,
    /// Spans by pc.
    pub spans: Vec<PcSpan>,
    /// Texts the spans point into.
    #[serde(with = "source_names")]
    pub sources: Vec<Arc<Source>>,
    /// Local variables: `(slot, first pc, one past the last pc, name)`, for tools.
    pub locals: Vec<(u16, u32, u32, Name)>,
    /// Part of the core library: its globals cannot be redefined from outside, and backtraces
    /// leave it out.
    pub core: bool,
    /// What its quoted lists and the lists of further arguments are made of.
    pub lists: Lists,
    /// As a handler of effects, does it only resume in tail position? Worked out when asked.
    #[serde(skip)]
    pub resumes: OnceLock<bool>,
}

impl Chunk {
    /// A chunk without code, that only describes a built-in procedure.
    pub fn described(name: &str, doc: &str, params: usize, rest: bool, param_names: &[&str]) -> Arc<Chunk> {
        let mut chunk = Chunk::built_in(name, params as u16, 1, vec![]);
        chunk.doc = Some(doc.into());
        chunk.rest = rest;
        chunk.param_names = param_names.iter().map(|n| (*n).into()).collect();
        Arc::new(chunk)
    }
    /// A chunk of instructions written by hand, which use no constants.
    pub fn built_in(name: &str, params: u16, frame_size: u16, code: Vec<u64>) -> Chunk {
        let (live, live_words) = compute_live(&code, frame_size, &[]);
        let has_code = !code.is_empty();
        Chunk {
            name: name.into(),
            doc: None,
            params,
            rest: false,
            param_names: vec![],
            frame_size,
            code,
            consts: vec![],
            children: vec![],
            captures: 0,
            feedback: has_code as u16,
            inlined: vec![],
            live,
            live_words,
            spans: vec![],
            sources: vec![],
            locals: vec![],
            core: true,
            lists: Lists::Views,
            resumes: OnceLock::new(),
        }
    }
    /// Words per bit set.
    pub fn live_stride(&self) -> usize {
        (self.frame_size as usize).div_ceil(64)
    }
    /// The slots needed after the instruction at `pc`, not counting its result.
    pub fn live_after(&self, pc: usize) -> Option<&[u64]> {
        let start = (*self.live.get(pc)? as usize).checked_sub(1)?;
        Some(&self.live_words[start..start + self.live_stride()])
    }
    /// The slots needed by the instruction at `pc` and after it. Worked out anew: for tools, and
    /// for stopping a frame where no safepoint is.
    pub fn live_before(&self, pc: usize) -> Vec<u64> {
        let mut flow = Flow::new(&self.code, self.frame_size, &self.inlined);
        flow.solve();
        flow.before_instruction(pc)
    }
    /// What is needed before and after every instruction, for the native tier.
    pub fn liveness(&self) -> Liveness {
        let mut flow = Flow::new(&self.code, self.frame_size, &self.inlined);
        while flow.pass() {}
        flow.everywhere()
    }
    /// The span of the instruction at `pc`, or of the nearest before it.
    pub fn span_at(&self, pc: usize) -> Option<Span> {
        let row = self.spans.partition_point(|s| s.pc as usize <= pc).checked_sub(1)?;
        self.span_of_row(row)
    }
    /// The span of the operator of the call at `pc`, which has a row before the call's own.
    pub fn operator_span_at(&self, pc: usize) -> Option<Span> {
        let row = self.spans.partition_point(|s| (s.pc as usize) < pc);
        self.spans.get(row).filter(|s| s.pc as usize == pc)?;
        self.span_of_row(row)
    }
    fn span_of_row(&self, row: usize) -> Option<Span> {
        let s = &self.spans[row];
        Some(Span {
            source: self.sources.get(s.source as usize)?.clone(),
            start: s.start,
            end: s.end,
        })
    }
    /// The arity word a closure over this chunk carries in its header.
    pub fn arity_word(&self) -> u32 {
        let rest = match (self.rest, self.lists) {
            (false, _) => Rest::None,
            (true, Lists::Views) => Rest::View,
            (true, Lists::Pairs) => Rest::Pairs,
        };
        arity_aux(self.params, rest) as u32
    }
    /// The code as text, an instruction a line.
    pub fn disassemble(&self) -> String {
        let mut out = String::new();
        for (pc, word) in self.code.iter().enumerate() {
            out += &format!("{pc:4}  {}\n", self.show(pc, Instr(*word)));
        }
        out
    }
    /// One instruction as text.
    pub fn show(&self, pc: usize, instr: Instr) -> String {
        use crate::ops::Role;
        let Some(op) = instr.op() else {
            return format!("?? {:#x}", instr.0);
        };
        let mut parts = vec![];
        for &(field, role) in op.info().operands {
            let v = instr.operand(field, role);
            parts.push(match role {
                Role::Def | Role::Use => format!("r{v}"),
                Role::Window | Role::Args => format!("@{v}"),
                Role::Argc | Role::Imm => format!("{v}"),
                Role::Captured => format!("^{v}"),
                Role::Child => format!("fn{v}"),
                Role::Feedback => format!("f{v}"),
                Role::Jump => format!("->{}", pc as i64 + 1 + v),
                Role::Const => match self.consts.get(v as usize) {
                    Some(Const::Global(n)) => format!("{n}"),
                    Some(Const::Prim(n)) => format!("'{n}"),
                    Some(Const::Key(n)) => format!(":{n}"),
                    Some(Const::Datum(d)) => format!("k{v}={:?}", d.node),
                    None => format!("k{v}?"),
                },
            });
        }
        format!("{} {}", op.info().name, parts.join(" "))
    }
}

/// The slots needed around every instruction of a chunk, as bit sets.
pub struct Liveness {
    stride: usize,
    before: Vec<u64>,
    after: Vec<u64>,
}

impl Liveness {
    /// Is the slot needed by the instruction at `pc` or after it?
    pub fn before(&self, pc: usize, slot: usize) -> bool {
        self.before[pc * self.stride + slot / 64] >> (slot % 64) & 1 != 0
    }
    /// Is the slot needed after the instruction at `pc`, its result not counted?
    pub fn after(&self, pc: usize, slot: usize) -> bool {
        self.after[pc * self.stride + slot / 64] >> (slot % 64) & 1 != 0
    }
}

/// Computes the `live` rows of a chunk: backward data flow over its basic blocks.
pub fn compute_live(code: &[u64], frame_size: u16, inlined: &[Inlined]) -> (Vec<u32>, Vec<u64>) {
    let mut flow = Flow::new(code, frame_size, inlined);
    flow.solve();
    flow.rows()
}

/// The data flow of one chunk.
struct Flow<'c> {
    code: &'c [u64],
    stride: usize,
    /// Instruction by instruction, what does not change from pass to pass.
    steps: Vec<Step>,
    /// First instruction of each block, and one past the last.
    starts: Vec<usize>,
    /// What each block needs, `stride` words each.
    needs: Vec<u64>,
    /// Does any block lead to itself or to one before it?
    goes_back: bool,
}

/// Where control may go after an instruction.
#[derive(Clone, Default)]
struct Step {
    /// Control does not go on to the next instruction.
    ends: bool,
    /// An inlined primitive that may stand as an ordinary call elsewhere.
    has_cold: bool,
    /// The blocks it may go to, other than on in its own: the next, where it jumps, the cold call.
    blocks: [Option<u32>; 3],
}

impl<'c> Flow<'c> {
    fn new(code: &'c [u64], frame_size: u16, inlined: &[Inlined]) -> Flow<'c> {
        let mut steps = vec![Step::default(); code.len()];
        let mut cold: Vec<(usize, usize)> = inlined
            .iter()
            .filter_map(|i| i.cold.map(|c| (i.pc as usize, c as usize)))
            .collect();
        cold.retain(|(pc, _)| *pc < code.len());
        let mut jumps = vec![];
        let mut starts: Vec<usize> = vec![0, code.len()];
        starts.extend(cold.iter().map(|(_, to)| to));
        for (pc, word) in code.iter().enumerate() {
            let instr = Instr(*word);
            let target = instr.target(pc);
            steps[pc].ends = instr.op().is_none_or(|op| op.info().has(Effect::End));
            if target.is_some() || steps[pc].ends {
                starts.extend(target);
                starts.push(pc + 1);
            }
            jumps.extend(target.map(|to| (pc, to)));
        }
        starts.retain(|s| *s <= code.len());
        starts.sort_unstable();
        starts.dedup();
        let block = |pc: usize| starts.binary_search(&pc).ok().map(|b| b as u32);
        for (b, start) in starts.iter().enumerate().skip(1) {
            // The last of a block: what the block after it needs was not carried along.
            let last = &mut steps[start - 1];
            last.blocks[0] = (!last.ends).then_some(b as u32);
        }
        let goes_back = jumps.iter().chain(&cold).any(|(pc, to)| to <= pc);
        for (pc, to) in jumps {
            steps[pc].blocks[1] = block(to);
        }
        for (pc, to) in cold {
            steps[pc].blocks[2] = block(to);
            steps[pc].has_cold = true;
        }
        let stride = (frame_size as usize).div_ceil(64);
        let needs = vec![0; starts.len() * stride];
        Flow {
            code,
            stride,
            steps,
            starts,
            needs,
            goes_back,
        }
    }

    /// Finds what each block needs. A chunk without loops takes one pass.
    fn solve(&mut self) {
        while self.pass() && self.goes_back {}
    }

    /// Goes over every block once, backwards; answers whether anything changed.
    fn pass(&mut self) -> bool {
        let mut changed = false;
        let mut live = vec![0u64; self.stride];
        for b in (0..self.starts.len().saturating_sub(1)).rev() {
            live.fill(0);
            for pc in (self.starts[b]..self.starts[b + 1]).rev() {
                self.after(pc, &mut live);
                self.before(pc, &mut live);
            }
            let row = &mut self.needs[b * self.stride..(b + 1) * self.stride];
            if *row != *live {
                row.copy_from_slice(&live);
                changed = true;
            }
        }
        changed
    }

    /// Turns what the next instruction needs into what is needed after the one at `pc`, its
    /// result not counted.
    fn after(&self, pc: usize, live: &mut [u64]) {
        let step = &self.steps[pc];
        if step.ends {
            live.fill(0);
        }
        for b in step.blocks.into_iter().flatten() {
            let row = &self.needs[b as usize * self.stride..(b as usize + 1) * self.stride];
            live.iter_mut().zip(row).for_each(|(l, n)| *l |= n);
        }
        if let Some(d) = Instr(self.code[pc]).def() {
            live[d / 64] &= !(1 << (d % 64));
        }
    }

    fn before(&self, pc: usize, live: &mut [u64]) {
        Instr(self.code[pc]).uses(|s| live[s / 64] |= 1 << (s % 64));
    }

    /// What is needed at the instruction at `pc`.
    fn before_instruction(&self, pc: usize) -> Vec<u64> {
        let mut live = vec![0u64; self.stride];
        let end = self.starts[self.starts.partition_point(|start| *start <= pc)];
        for at in (pc..end).rev() {
            self.after(at, &mut live);
            self.before(at, &mut live);
        }
        live
    }

    fn everywhere(&self) -> Liveness {
        let words = self.code.len() * self.stride;
        let mut all = Liveness {
            stride: self.stride,
            before: vec![0; words],
            after: vec![0; words],
        };
        let mut live = vec![0u64; self.stride];
        for b in (0..self.starts.len().saturating_sub(1)).rev() {
            live.fill(0);
            for pc in (self.starts[b]..self.starts[b + 1]).rev() {
                let row = pc * self.stride..(pc + 1) * self.stride;
                self.after(pc, &mut live);
                all.after[row.clone()].copy_from_slice(&live);
                self.before(pc, &mut live);
                all.before[row].copy_from_slice(&live);
            }
        }
        all
    }

    /// The rows of every instruction that can collect, raise or call.
    fn rows(&self) -> (Vec<u32>, Vec<u64>) {
        let (mut rows, mut words) = (vec![0; self.code.len()], vec![]);
        let mut known: HashMap<Vec<u64>, u32> = HashMap::new();
        let mut live = vec![0u64; self.stride];
        for b in (0..self.starts.len().saturating_sub(1)).rev() {
            live.fill(0);
            for pc in (self.starts[b]..self.starts[b + 1]).rev() {
                self.after(pc, &mut live);
                if self.is_safepoint(pc) {
                    let dropped = planted(Fault::LiveBitDropped).then(|| without_highest(&live));
                    let row = dropped.as_ref().unwrap_or(&live);
                    let at = known.get(row).copied().unwrap_or_else(|| {
                        let at = words.len() as u32;
                        words.extend_from_slice(row);
                        known.insert(row.clone(), at);
                        at
                    });
                    rows[pc] = at + 1;
                }
                self.before(pc, &mut live);
            }
        }
        (rows, words)
    }

    fn is_safepoint(&self, pc: usize) -> bool {
        let Some(op) = Instr(self.code[pc]).op() else {
            return false;
        };
        let effects = [Effect::Alloc, Effect::Raise, Effect::Call];
        effects.iter().any(|e| op.info().has(*e)) || op == Op::Loop || self.steps[pc].has_cold
    }
}

/// The bits but for the highest one that is set.
fn without_highest(bits: &[u64]) -> Vec<u64> {
    let mut bits = bits.to_vec();
    if let Some(word) = bits.iter_mut().rfind(|word| **word != 0) {
        *word &= !(1 << word.ilog2());
    }
    bits
}

/// Sources go into an image by name; the text is found again from the library files.
mod source_names {
    use super::{Arc, Source};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(sources: &[Arc<Source>], s: S) -> Result<S::Ok, S::Error> {
        sources.iter().map(|x| x.name.clone()).collect::<Vec<_>>().serialize(s)
    }
    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<Arc<Source>>, D::Error> {
        Ok(Vec::<String>::deserialize(d)?
            .into_iter()
            .map(|n| Source::new(n, ""))
            .collect())
    }
}
