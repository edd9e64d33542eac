//! The instruction table: one row an opcode, read by the encoder, the disassembler, the
//! verifier, liveness, the machine and the reference page.
//!
//! An instruction is 64 bits: `op:8 d:8 a:16 b:16 c:16`, low end first. `bc` is the signed 32-bit
//! field over `b` and `c`; `cd` the signed 24-bit field with `c` as its high part.
//! Invariant: an operation reads all its operands before it writes its result, and whatever can
//! raise does so before its first effect.

/// What an operand means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A slot that is written.
    Def,
    /// A slot that is read.
    Use,
    /// First slot of a call window: callee, then the arguments counted by `Argc`.
    Window,
    /// First slot of a window without a callee of its own: only the arguments are read.
    Args,
    /// How many arguments the window holds.
    Argc,
    /// Index of a constant.
    Const,
    /// Index of a captured variable of the running closure.
    Captured,
    /// Index of a nested chunk.
    Child,
    /// Jump distance in instructions, from the next instruction.
    Jump,
    /// A small integer.
    Imm,
    /// Index of a feedback cell of the instance.
    Feedback,
}

/// Where in the instruction an operand lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(non_camel_case_types, missing_docs)]
pub enum Field {
    a,
    b,
    c,
    d,
    bc,
    cd,
}

/// What an operation may do besides writing its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// May ask the heap for room, so may collect.
    Alloc,
    /// May raise a condition.
    Raise,
    /// Calls SX code: the frame stays below the callee's.
    Call,
    /// May go elsewhere than to the next instruction.
    Branch,
    /// Never goes to the next instruction.
    End,
}

/// One row of the table.
pub struct OpInfo {
    /// Name in disassembly.
    pub name: &'static str,
    /// One sentence.
    pub doc: &'static str,
    /// Operands in order.
    pub operands: &'static [(Field, Role)],
    /// Effects.
    pub effects: &'static [Effect],
}

impl OpInfo {
    /// Has this effect?
    pub fn has(&self, effect: Effect) -> bool {
        self.effects.contains(&effect)
    }
}

/// Calls `$m!` with every row.
#[macro_export]
macro_rules! for_each_op {
    ($m:ident) => {
        $m! {
            /// `a := b`.
            Move { a: Def, b: Use } [];
            /// `a := constant`.
            Const { a: Def, bc: Const } [];
            /// `a := ` the fixnum `bc`.
            Int { a: Def, bc: Imm } [];
            /// `a := ` captured variable of the running closure.
            Captured { a: Def, bc: Captured } [];
            /// `a := ` a new box holding `b`.
            NewBox { a: Def, b: Use } [Alloc];
            /// `a := ` the content of box `b`.
            GetBox { a: Def, b: Use } [];
            /// Content of box `a := b`.
            SetBox { a: Use, b: Use } [];
            /// Undefined symbol (the name constant) unless `a` has its value.
            CheckBound { a: Use, bc: Const } [Raise];
            /// `a := ` the value of the global cell; undefined symbol if it has none.
            GetGlobal { a: Def, bc: Const } [Raise];
            /// Global cell `:= a`; undefined symbol if it has no value yet.
            SetGlobal { a: Use, bc: Const } [Alloc, Raise];
            /// Global cell `:= a`, making it if need be.
            DefGlobal { a: Use, bc: Const } [Alloc];
            /// `a := ` a closure over a nested chunk that captures the window's values.
            MakeClosure { a: Def, b: Args, c: Child, d: Argc } [Alloc];
            /// Captured variable number `b` of closure `a := c`, for closures that refer to each other.
            PatchClosure { a: Use, b: Imm, c: Use } [];

            /// Go on at the target.
            Jump { bc: Jump } [Branch, End];
            /// Go back to a loop head; counts the turns in field `a`, and answers interrupts.
            Loop { bc: Jump } [Branch, End];
            /// Jump if `a` is `false` or `nil`.
            JumpIfFalse { a: Use, bc: Jump } [Branch];
            /// Jump unless `a` is `false` or `nil`.
            JumpIfTrue { a: Use, bc: Jump } [Branch];
            /// Jump if `a < b`.
            JumpLt { a: Use, b: Use, cd: Jump } [Branch, Raise];
            /// Jump unless `a < b`.
            JumpNotLt { a: Use, b: Use, cd: Jump } [Branch, Raise];
            /// Jump if `a <= b`.
            JumpLe { a: Use, b: Use, cd: Jump } [Branch, Raise];
            /// Jump unless `a <= b`.
            JumpNotLe { a: Use, b: Use, cd: Jump } [Branch, Raise];
            /// Jump if `a = b`.
            JumpNumEq { a: Use, b: Use, cd: Jump } [Branch, Raise];
            /// Jump unless `a = b`.
            JumpNotNumEq { a: Use, b: Use, cd: Jump } [Branch, Raise];
            /// Jump if `a <` the integer `b`.
            JumpLtI { a: Use, b: Imm, cd: Jump } [Branch, Raise];
            /// Jump unless `a <` the integer `b`.
            JumpNotLtI { a: Use, b: Imm, cd: Jump } [Branch, Raise];
            /// Jump if `a >` the integer `b`.
            JumpGtI { a: Use, b: Imm, cd: Jump } [Branch, Raise];
            /// Jump unless `a >` the integer `b`.
            JumpNotGtI { a: Use, b: Imm, cd: Jump } [Branch, Raise];
            /// Jump if `a =` the integer `b`.
            JumpNumEqI { a: Use, b: Imm, cd: Jump } [Branch, Raise];
            /// Jump unless `a =` the integer `b`.
            JumpNotNumEqI { a: Use, b: Imm, cd: Jump } [Branch, Raise];
            /// Jump if `a` and `b` are the same object.
            JumpEq { a: Use, b: Use, cd: Jump } [Branch];
            /// Jump unless `a` and `b` are the same object.
            JumpNotEq { a: Use, b: Use, cd: Jump } [Branch];
            /// Jump if `a` is empty.
            JumpEmpty { a: Use, bc: Jump } [Branch, Raise];
            /// Jump unless `a` is empty.
            JumpNotEmpty { a: Use, bc: Jump } [Branch, Raise];
            /// Jump if `a` is `nil`.
            JumpNil { a: Use, bc: Jump } [Branch];
            /// Jump unless `a` is `nil`.
            JumpNotNil { a: Use, bc: Jump } [Branch];

            /// `a := b + c`.
            Add { a: Def, b: Use, c: Use } [Alloc, Raise];
            /// `a := b - c`.
            Sub { a: Def, b: Use, c: Use } [Alloc, Raise];
            /// `a := b * c`.
            Mul { a: Def, b: Use, c: Use } [Alloc, Raise];
            /// `a := b / c`.
            Div { a: Def, b: Use, c: Use } [Alloc, Raise];
            /// `a := b + ` the integer `c`.
            AddI { a: Def, b: Use, c: Imm } [Alloc, Raise];
            /// `a := b - ` the integer `c`.
            SubI { a: Def, b: Use, c: Imm } [Alloc, Raise];
            /// `a := ` quotient of `b` by `c`, towards zero.
            Quotient { a: Def, b: Use, c: Use } [Alloc, Raise];
            /// `a := ` remainder with the sign of `b`.
            Rem { a: Def, b: Use, c: Use } [Alloc, Raise];
            /// `a := ` remainder with the sign of `c`.
            Mod { a: Def, b: Use, c: Use } [Alloc, Raise];
            /// `a := b < c`.
            Lt { a: Def, b: Use, c: Use } [Raise];
            /// `a := b <= c`.
            Le { a: Def, b: Use, c: Use } [Raise];
            /// `a := b = c`, structural.
            NumEq { a: Def, b: Use, c: Use } [Raise];
            /// `a := ` `b` and `c` are the same object.
            Eq { a: Def, b: Use, c: Use } [];
            /// `a := not b`.
            Not { a: Def, b: Use } [];
            /// `a := ` `b` is `nil`.
            IsNil { a: Def, b: Use } [];
            /// `a := ` `b` is empty.
            IsEmpty { a: Def, b: Use } [Raise];

            /// `a := ` a pair of `b` and `c`.
            Cons { a: Def, b: Use, c: Use } [Alloc, Raise];
            /// `a := ` first item of `b`.
            First { a: Def, b: Use } [Alloc, Raise];
            /// `a := ` `b` without its first item.
            Rest { a: Def, b: Use } [Alloc, Raise];
            /// `a := ` item `c` of vector `b`.
            VectorRef { a: Def, b: Use, c: Use } [Alloc, Raise];
            /// `a := ` item number `c` of vector `b`.
            VectorRefI { a: Def, b: Use, c: Imm } [Alloc, Raise];
            /// Item `b` of vector `a := c`.
            VectorSet { a: Use, b: Use, c: Use } [Alloc, Raise];
            /// Item number `b` of vector `a := c`.
            VectorSetI { a: Use, b: Imm, c: Use } [Alloc, Raise];
            /// `a := ` item `c` of list `b`.
            Nth { a: Def, b: Use, c: Use } [Alloc, Raise];
            /// `a := ` value of key `c` in dict `b`, or `nil`.
            Get { a: Def, b: Use, c: Use, d: Feedback } [Alloc, Raise];

            /// `a := ` call the window's callee.
            Call { a: Def, b: Window, c: Argc, d: Feedback } [Call, Alloc, Raise];
            /// `a := ` call the value of a global cell; the callee slot is written here.
            CallGlobal { a: Def, b: Args, c: Const, d: Argc } [Call, Alloc, Raise];
            /// `a := ` call a primitive of the table.
            CallPrim { a: Def, b: Args, c: Const, d: Argc } [Alloc, Raise];
            /// Leave the frame to the window's callee.
            TailCall { b: Window, c: Argc, d: Feedback } [Call, Alloc, Raise, End];
            /// Leave the frame to the value of a global cell.
            TailCallGlobal { b: Args, c: Const, d: Argc } [Call, Alloc, Raise, End];
            /// Leave the frame with the value `a`.
            Return { a: Use } [End];
            /// `a := ` a control operation (`control.rs`) on the window's arguments; it may replace
            /// the frame, and then never comes back here.
            Control { a: Def, b: Args, c: Imm, d: Argc } [Call, Alloc, Raise];
        /// The same in tail position: its value is the frame's value.
        TailControl { b: Args, c: Imm, d: Argc } [Call, Alloc, Raise, End];
            /// Make this frame the innermost marker. `a` kind, `b` payload, `c` link.
            PushMark { a: Use, b: Use, c: Def } [Alloc];
            /// Unlink this frame, the innermost marker. `a` kind, `b` payload, `c` link.
            PopMark { a: Use, b: Use, c: Use } [];
            /// Give the value `a`, just returned into this cursor frame, to the next frame of its Kont `b`.
            Underflow { a: Use, b: Use } [Call, Alloc, End];
            /// End the run with the value `a`.
            Halt { a: Use } [End];
        }
    };
}

macro_rules! op_table {
    ($($(#[doc = $doc:literal])* $Name:ident { $($f:ident: $r:ident),* } [$($e:ident),*];)*) => {
        /// Operations.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Op { $($(#[doc = $doc])* $Name,)* }
        /// The rows, by opcode.
        pub const OPS: &[OpInfo] = &[$(OpInfo {
            name: stringify!($Name),
            doc: concat!($($doc),*),
            operands: &[$((Field::$f, Role::$r)),*],
            effects: &[$(Effect::$e),*],
        }),*];
        const ALL: &[Op] = &[$(Op::$Name),*];
    };
}
for_each_op!(op_table);

impl Op {
    /// The row.
    pub fn info(self) -> &'static OpInfo {
        &OPS[self as usize]
    }
}

/// One encoded instruction.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub struct Instr(pub u64);

/// Feedback cells that the instructions of a function may have; further sites share cell 0.
pub const FEEDBACK_CELLS_MAX: u16 = 256;

impl Instr {
    /// With three 16-bit operands.
    pub fn abc(op: Op, a: u16, b: u16, c: u16) -> Instr {
        Instr(op as u64 | (a as u64) << 16 | (b as u64) << 32 | (c as u64) << 48)
    }
    /// With all four operands.
    pub fn abcd(op: Op, a: u16, b: u16, c: u16, d: u8) -> Instr {
        Instr(Instr::abc(op, a, b, c).0 | (d as u64) << 8)
    }
    /// With a wide operand.
    pub fn wide(op: Op, a: u16, bc: i32) -> Instr {
        Instr(op as u64 | (a as u64) << 16 | (bc as u32 as u64) << 32)
    }
    /// Two slots and a 24-bit jump; `None` if the distance does not fit.
    pub fn jump2(op: Op, a: u16, b: u16, cd: i32) -> Option<Instr> {
        let fits = (-(1 << 23)..1 << 23).contains(&cd);
        fits.then(|| Instr::abcd(op, a, b, (cd >> 8) as u16, cd as u8))
    }
    /// The opcode; `None` for bits that are no instruction.
    pub fn op(self) -> Option<Op> {
        ALL.get((self.0 & 0xff) as usize).copied()
    }
    /// Field `a`.
    #[inline(always)]
    pub const fn a(self) -> usize {
        (self.0 >> 16 & 0xffff) as usize
    }
    /// Field `b`.
    #[inline(always)]
    pub const fn b(self) -> usize {
        (self.0 >> 32 & 0xffff) as usize
    }
    /// Field `c`.
    #[inline(always)]
    pub const fn c(self) -> usize {
        (self.0 >> 48) as usize
    }
    /// Field `d`.
    #[inline(always)]
    pub const fn d(self) -> usize {
        (self.0 >> 8 & 0xff) as usize
    }
    /// Field `bc`.
    #[inline(always)]
    pub const fn bc(self) -> i32 {
        (self.0 >> 32) as i32
    }
    /// Field `cd`.
    #[inline(always)]
    pub const fn cd(self) -> i32 {
        ((self.0 as i64 >> 48) as i32) << 8 | self.d() as i32
    }
    /// Field `b` as a signed number.
    #[inline(always)]
    pub const fn imm_b(self) -> i64 {
        self.b() as u16 as i16 as i64
    }
    /// Field `c` as a signed number.
    #[inline(always)]
    pub const fn imm_c(self) -> i64 {
        self.c() as u16 as i16 as i64
    }
    /// The operand in a field, as written in the table.
    pub fn field(self, field: Field) -> i64 {
        match field {
            Field::a => self.a() as i64,
            Field::b => self.b() as i64,
            Field::c => self.c() as i64,
            Field::d => self.d() as i64,
            Field::bc => self.bc() as i64,
            Field::cd => self.cd() as i64,
        }
    }
    /// The operand as its role reads it (immediates are signed).
    pub fn operand(self, field: Field, role: Role) -> i64 {
        match (role, field) {
            (Role::Imm, Field::b | Field::c) => self.field(field) as u16 as i16 as i64,
            _ => self.field(field),
        }
    }
    /// Every slot this instruction reads.
    pub fn uses(self, mut f: impl FnMut(usize)) {
        let Some(op) = self.op() else { return };
        let mut window = None;
        for &(field, role) in op.info().operands {
            let v = self.field(field) as usize;
            match role {
                Role::Use => f(v),
                Role::Window => {
                    f(v);
                    window = Some(v);
                }
                Role::Args => window = Some(v),
                Role::Argc => {
                    let base = window.unwrap_or(0);
                    (base + 1..=base + v).for_each(&mut f);
                }
                _ => {}
            }
        }
    }
    /// The slot this instruction writes.
    pub fn def(self) -> Option<usize> {
        let info = self.op()?.info();
        info.operands
            .iter()
            .find(|(_, r)| *r == Role::Def)
            .map(|(f, _)| self.field(*f) as usize)
    }
    /// Where this instruction, at `pc`, may jump.
    pub fn target(self, pc: usize) -> Option<usize> {
        let info = self.op()?.info();
        let (field, _) = info.operands.iter().find(|(_, r)| *r == Role::Jump)?;
        Some((pc as i64 + 1 + self.field(*field)) as usize)
    }
    /// First slot of the call window, if this is a call.
    #[inline(always)]
    pub fn window(self) -> Option<usize> {
        HAS_WINDOW[(self.0 & 0xff) as usize].then(|| self.b())
    }
}

/// By opcode, has the instruction a call window? It is field `b` in all of them.
static HAS_WINDOW: [bool; 256] = has_window();

const fn has_window() -> [bool; 256] {
    let mut found = [false; 256];
    let mut op = 0;
    while op < OPS.len() {
        let operands = OPS[op].operands;
        let mut i = 0;
        while i < operands.len() {
            if matches!(operands[i].1, Role::Window | Role::Args) {
                assert!(matches!(operands[i].0, Field::b), "a window is field b");
                found[op] = true;
            }
            i += 1;
        }
        op += 1;
    }
    found
}

/// The reference page `docs/bytecode.md`.
pub fn reference() -> String {
    let mut out = String::from(
        "# Bytecode\n\nGenerated from the table in `runtime/src/ops.rs`. An instruction is 64 bits: \
         `op:8 d:8 a:16 b:16 c:16`, low end first; `bc` and `cd` are wide signed fields.\n\n\
         | op | operands | effects | meaning |\n|---|---|---|---|\n",
    );
    for op in OPS {
        let operands: Vec<String> = op.operands.iter().map(|(f, r)| format!("{f:?}:{r:?}")).collect();
        let effects: Vec<String> = op.effects.iter().map(|e| format!("{e:?}")).collect();
        out += &format!(
            "| `{}` | {} | {} | {} |\n",
            op.name,
            operands.join(" "),
            effects.join(" "),
            op.doc.trim()
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_round_trip() {
        let i = Instr::abcd(Op::CallPrim, 1, 0xfffe, 0x8001, 0xff);
        assert_eq!(
            (i.op(), i.a(), i.b(), i.c(), i.d()),
            (Some(Op::CallPrim), 1, 0xfffe, 0x8001, 0xff)
        );
        for d in [0, 1, -1, 255, 256, -257, (1 << 23) - 1, -(1 << 23)] {
            assert_eq!(Instr::jump2(Op::JumpLt, 3, 4, d).map(Instr::cd), Some(d));
        }
        assert!(Instr::jump2(Op::JumpLt, 3, 4, 1 << 23).is_none());
        assert_eq!(Instr::wide(Op::Int, 7, -5).bc(), -5);
    }

    #[test]
    fn uses_follow_roles() {
        let mut seen = vec![];
        Instr::abc(Op::Call, 1, 5, 2).uses(|s| seen.push(s));
        assert_eq!(seen, [5, 6, 7]);
        seen.clear();
        Instr::abcd(Op::CallPrim, 1, 5, 0, 2).uses(|s| seen.push(s));
        assert_eq!(seen, [6, 7]);
        assert_eq!(Instr::abc(Op::VectorSet, 1, 2, 3).def(), None);
    }
}
