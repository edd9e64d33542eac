//! How a function is cut into pieces of native code.
//!
//! A piece begins where native code can be entered: at the function's first instruction, behind a
//! call, or at a loop head the machine asked for. It holds every block reachable from there
//! without crossing a call, so a call ends it (but for one whose callee is part of the code: `inline`),
//! and blocks reachable from several beginnings are
//! in several pieces.

use crate::inline::Leaf;
use crate::lower::Function;
use crate::types::kind::{ANY, FLOAT};
use crate::types::{Kinds, Types};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display, Formatter};
use sx_runtime::ops::{Effect, Instr, Op};

/// Where a piece begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Root {
    /// At the function's first instruction.
    Start,
    /// Behind the call at this instruction, whose value comes in.
    Behind(usize),
    /// At this loop head.
    Loop(usize),
}

impl Root {
    /// The first instruction.
    pub fn pc(self) -> usize {
        match self {
            Root::Start => 0,
            Root::Behind(call) => call + 1,
            Root::Loop(pc) => pc,
        }
    }
}

impl Display for Root {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Root::Start => write!(f, "the start"),
            Root::Behind(call) => write!(f, "behind the call at {call}"),
            Root::Loop(pc) => write!(f, "the loop at {pc}"),
        }
    }
}

/// Does native code end here, with the frame waiting for a value?
pub fn is_call(i: Instr) -> bool {
    matches!(i.op(), Some(Op::Call | Op::CallGlobal | Op::Control))
}

/// The blocks of a function: first instruction, one past the last.
pub struct Blocks {
    ends: BTreeMap<usize, usize>,
}

impl Blocks {
    /// Cuts `code` at jumps, their targets, calls and `extra`.
    pub fn new(code: &[Instr], extra: &[u32]) -> Blocks {
        let mut starts = BTreeSet::from([0, code.len()]);
        starts.extend(extra.iter().map(|pc| *pc as usize));
        for (pc, i) in code.iter().enumerate() {
            starts.extend(i.target(pc));
            let ends = i
                .op()
                .is_none_or(|op| op.info().has(Effect::End) || op.info().has(Effect::Branch));
            if ends || is_call(*i) {
                starts.insert(pc + 1);
            }
        }
        starts.retain(|s| *s <= code.len());
        let starts: Vec<usize> = starts.into_iter().collect();
        Blocks {
            ends: starts.windows(2).map(|w| (w[0], w[1])).collect(),
        }
    }
    /// One past the last instruction of the block that begins at `start`.
    pub fn end(&self, start: usize) -> usize {
        self.ends.get(&start).copied().unwrap_or(start)
    }
}

/// Where control may go from the block that ends at `pc`, within a piece.
fn successors(function: &Function<'_>, pc: usize) -> Vec<usize> {
    let last = function.code[pc];
    let Some(op) = last.op() else { return vec![] };
    if is_call(last) && !function.inlined.contains_key(&pc) {
        return vec![];
    }
    let mut next: Vec<usize> = last.target(pc).into_iter().collect();
    if !op.info().has(Effect::End) && !next.contains(&(pc + 1)) {
        next.push(pc + 1);
    }
    next
}

/// One piece: its blocks in reverse postorder, with what leads where.
#[derive(Clone)]
pub struct Piece {
    /// Where it begins.
    pub root: Root,
    /// First instructions of its blocks.
    pub order: Vec<usize>,
    /// Successors by block.
    pub next: BTreeMap<usize, Vec<usize>>,
    /// Blocks with several predecessors, the beginning counted as one.
    pub joins: BTreeSet<usize>,
    /// Slots that some instruction of the piece writes.
    pub written: BTreeSet<usize>,
    /// Slots that instructions inside its loops read.
    pub read_in_loops: BTreeSet<usize>,
    /// What is known of the slots at the start of each block.
    pub types: BTreeMap<usize, Types>,
}

impl Piece {
    /// Finds the blocks.
    pub fn new(root: Root, function: &Function<'_>) -> Piece {
        let (code, blocks) = (&function.code, &function.blocks);
        let mut piece = Piece {
            root,
            order: vec![],
            next: BTreeMap::new(),
            joins: BTreeSet::new(),
            written: BTreeSet::new(),
            read_in_loops: BTreeSet::new(),
            types: BTreeMap::new(),
        };
        piece.walk(function);
        let mut seen = BTreeSet::from([root.pc()]);
        for to in piece.next.values().flatten() {
            if !seen.insert(*to) {
                piece.joins.insert(*to);
            }
        }
        if let Root::Behind(call) = root {
            piece.written.extend(code[call].def());
        }
        for start in &piece.order {
            piece
                .written
                .extend(code[*start..blocks.end(*start)].iter().filter_map(|i| i.def()));
        }
        piece.find_loop_reads(code, blocks);
        piece
    }

    /// Depth first, without recursion.
    fn walk(&mut self, function: &Function<'_>) {
        let mut post = vec![];
        let mut stack = vec![(self.root.pc(), 0)];
        self.enter(self.root.pc(), function);
        while let Some((start, n)) = stack.last_mut() {
            match self.next[start].get(*n).copied() {
                Some(to) => {
                    *n += 1;
                    if !self.next.contains_key(&to) {
                        self.enter(to, function);
                        stack.push((to, 0));
                    }
                }
                None => {
                    post.push(*start);
                    stack.pop();
                }
            }
        }
        post.reverse();
        self.order = post;
    }

    fn enter(&mut self, start: usize, function: &Function<'_>) {
        let last = function.blocks.end(start) - 1;
        self.next.insert(start, successors(function, last));
    }

    /// Slots read between a loop head and a jump back to it, in the order of the code.
    fn find_loop_reads(&mut self, code: &[Instr], blocks: &Blocks) {
        let place: BTreeMap<usize, usize> = self.order.iter().enumerate().map(|(n, s)| (*s, n)).collect();
        for (from, next) in &self.next {
            for head in next.iter().filter(|to| place[to] <= place[from]) {
                for start in &self.order[place[head]..=place[from]] {
                    for i in &code[*start..blocks.end(*start)] {
                        i.uses(|s| {
                            self.read_in_loops.insert(s);
                        });
                        if i.op() == Some(Op::Captured) {
                            self.read_in_loops.insert(0);
                        }
                    }
                }
            }
        }
    }

    /// Its instructions.
    pub fn instructions<'p>(&'p self, function: &'p Function<'_>) -> impl Iterator<Item = usize> + 'p {
        self.order.iter().flat_map(|start| *start..function.blocks.end(*start))
    }

    /// How many instructions it stands for, those of callees that are part of it too.
    pub fn size(&self, function: &Function<'_>) -> usize {
        let callee = |pc| function.inlined.get(&pc).map_or(0, Leaf::size);
        self.instructions(function).map(|pc| 1 + callee(pc)).sum()
    }

    /// The blocks that end with a call, and the calls.
    pub fn calls<'p>(&'p self, function: &'p Function<'_>) -> impl Iterator<Item = (usize, usize)> + 'p {
        let last = |start: &usize| (*start, function.blocks.end(*start) - 1);
        let blocks = self.order.iter().map(last);
        blocks.filter(|(_, last)| is_call(function.code[*last]))
    }

    /// What is known where it begins, if that is not behind a call.
    fn begin(&self, function: &Function<'_>) -> Types {
        let mut types = Types::unknown(function.slots);
        for slot in self.floats(function) {
            types.0[slot] = FLOAT;
        }
        types
    }

    /// Slots that are looked at where it begins, and go on as doubles if they hold floats: those its
    /// loops read.
    pub fn floats(&self, function: &Function<'_>) -> Vec<usize> {
        if matches!(self.root, Root::Behind(_)) {
            return vec![];
        }
        let slots = function.notes.floats(self.root.pc()).iter().map(|slot| *slot as usize);
        slots.filter(|slot| self.read_in_loops.contains(slot)).collect()
    }

    /// Finds what is known at the start of each block, from what is known where the piece begins.
    pub fn infer(&mut self, function: &Function<'_>, begin: Types) {
        let slots = begin.0.len();
        self.types = self.order.iter().map(|s| (*s, Types::impossible(slots))).collect();
        let start = self.root.pc();
        self.types.insert(start, begin);
        let mut todo: BTreeSet<usize> = BTreeSet::from([start]);
        while let Some(block) = todo.pop_first() {
            let mut types = self.types[&block].clone();
            for pc in block..function.blocks.end(block) {
                types.step(&function.notes, pc);
            }
            for to in &self.next[&block] {
                if self.types.get_mut(to).is_some_and(|t| t.join(&types)) {
                    todo.insert(*to);
                }
            }
        }
    }

    /// What is known behind each of its calls, by the call.
    fn known_behind_calls(&self, function: &Function<'_>) -> Vec<(usize, Types)> {
        let known = |(start, call): (usize, usize)| {
            let mut types = self.types[&start].clone();
            for pc in start..call {
                types.step(&function.notes, pc);
            }
            types.call(function.code[call]);
            (call, types)
        };
        self.calls(function).map(known).collect()
    }

    /// What the piece, a whole function that calls nothing but leaves, answers.
    pub fn returns(&self, function: &Function<'_>) -> Kinds {
        let mut kinds = 0;
        for start in &self.order {
            let last = function.blocks.end(*start) - 1;
            let mut types = self.types[start].clone();
            for pc in *start..last {
                types.step(&function.notes, pc);
            }
            let i = function.code[last];
            kinds |= match i.op() {
                Some(Op::Return) => types.of(i.a()),
                Some(Op::TailCallGlobal) => function.inlined.get(&last).map_or(ANY, |leaf| leaf.returns),
                _ => 0,
            };
        }
        kinds
    }
}

/// Finds what is known at the start of each block of all pieces of a function. Only its own code
/// makes frames wait for a piece behind a call, so that piece begins with what all ways to the call
/// know.
pub fn infer_all(pieces: &mut [Piece], function: &Function<'_>) {
    let behind = |(n, piece): (usize, &Piece)| match piece.root {
        Root::Behind(call) => Some((call, n)),
        Root::Start | Root::Loop(_) => None,
    };
    let numbers: BTreeMap<usize, usize> = pieces.iter().enumerate().filter_map(behind).collect();
    let mut known: BTreeMap<usize, Types> = BTreeMap::new();
    let mut todo: BTreeSet<usize> = (0..pieces.len())
        .filter(|n| behind((*n, &pieces[*n])).is_none())
        .collect();
    while let Some(n) = todo.pop_first() {
        let piece = &mut pieces[n];
        let begin = match piece.root {
            Root::Behind(call) => known[&call].clone(),
            Root::Start | Root::Loop(_) => piece.begin(function),
        };
        piece.infer(function, begin);
        for (call, types) in piece.known_behind_calls(function) {
            let so_far = known.entry(call).or_insert_with(|| Types::impossible(function.slots));
            if so_far.join(&types) {
                todo.extend(numbers.get(&call));
            }
        }
    }
}
