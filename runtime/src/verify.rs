//! The verifier: proves that a chunk's instructions stay within its frame, its constants and its
//! code, so that the machine need not check. Every chunk passes it before it first runs, whether
//! it comes from the compiler or from an image.

use crate::chunk::{Chunk, Const, Inlined};
use crate::ops::{Effect, Field, Instr, Op, Role};

/// What is wrong with a chunk, and at which instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// The instruction.
    pub pc: usize,
    /// What is wrong with it.
    pub what: String,
}

/// Proves a chunk and the chunks in it.
pub fn verify(chunk: &Chunk) -> Result<(), Malformed> {
    let at = |pc: usize, what: String| Malformed { pc, what };
    if chunk.params as usize + chunk.rest as usize >= chunk.frame_size as usize {
        return Err(at(0, "parameters outside the frame".into()));
    }
    for (pc, word) in chunk.code.iter().enumerate() {
        check_instr(chunk, pc, Instr(*word)).map_err(|what| at(pc, what))?;
    }
    match chunk.code.last().and_then(|w| Instr(*w).op()) {
        Some(op) if op.info().has(Effect::End) => {}
        _ => return Err(at(chunk.code.len(), "the code runs off its end".into())),
    }
    for row in &chunk.inlined {
        check_inlined(chunk, row).map_err(|what| at(row.pc as usize, what))?;
    }
    check_live(chunk)?;
    chunk
        .children
        .iter()
        .try_for_each(|c| stacker::maybe_grow(64 * 1024, 1024 * 1024, || verify(c)))
}

fn check_instr(chunk: &Chunk, pc: usize, instr: Instr) -> Result<(), String> {
    let op = instr.op().ok_or("no such operation")?;
    let mut window = 0;
    for &(field, role) in op.info().operands {
        let v = instr.field(field);
        let fits = match role {
            Role::Def | Role::Use => v < chunk.frame_size as i64,
            Role::Window | Role::Args => {
                window = v;
                v >= 1 && v < chunk.frame_size as i64
            }
            Role::Argc => window + v < chunk.frame_size as i64,
            Role::Const => v >= 0 && check_const(op, chunk.consts.get(v as usize)),
            Role::Captured => v >= 0 && v < chunk.captures as i64,
            Role::Child => (v as usize) < chunk.children.len(),
            Role::Jump => instr.target(pc).is_some_and(|to| to < chunk.code.len()),
            Role::Imm => true,
            Role::Feedback => v < chunk.feedback as i64,
        };
        if !fits {
            return Err(format!("operand {field:?}={v} of {} is out of range", op.info().name));
        }
    }
    if op == Op::MakeClosure && instr.d() != chunk.children[instr.field(Field::c) as usize].captures as usize {
        return Err("wrong number of captured variables".into());
    }
    Ok(())
}

/// Is the constant of the kind the operation reads?
fn check_const(op: Op, constant: Option<&Const>) -> bool {
    match (op, constant) {
        (_, None) => false,
        (Op::Const, Some(c)) => matches!(c, Const::Datum(_) | Const::Key(_)),
        (Op::CheckBound, Some(c)) => matches!(c, Const::Datum(_)),
        (Op::CallPrim, Some(c)) => matches!(c, Const::Prim(_)),
        (_, Some(c)) => matches!(c, Const::Global(_)),
    }
}

fn check_inlined(chunk: &Chunk, row: &Inlined) -> Result<(), String> {
    let n = chunk.code.len() as u32;
    if row.pc >= n || row.cold.is_some_and(|c| c >= n) {
        return Err("inlined primitive outside the code".into());
    }
    if !matches!(chunk.consts.get(row.cell as usize), Some(Const::Global(_))) {
        return Err("inlined primitive without a global".into());
    }
    let is_call = Instr(chunk.code[row.pc as usize]).op() == Some(Op::CallPrim);
    if row.cold.is_none() && !is_call {
        return Err("inlined primitive without an ordinary call".into());
    }
    Ok(())
}

/// The liveness rows are what the data flow says, and lie within the frame.
fn check_live(chunk: &Chunk) -> Result<(), Malformed> {
    let stride = chunk.live_stride();
    for (pc, at) in chunk.live.iter().enumerate() {
        let Some(at) = (*at as usize).checked_sub(1) else {
            continue;
        };
        let Some(row) = chunk.live_words.get(at..at + stride) else {
            return Err(Malformed {
                pc,
                what: "liveness row out of range".into(),
            });
        };
        let beyond =
            |(i, w): (usize, &u64)| *w != 0 && i * 64 + 63 - w.leading_zeros() as usize >= chunk.frame_size as usize;
        if row.iter().enumerate().any(beyond) {
            return Err(Malformed {
                pc,
                what: "live slot outside the frame".into(),
            });
        }
    }
    if cfg!(debug_assertions) {
        let (rows, words) = crate::chunk::compute_live(&chunk.code, chunk.frame_size, &chunk.inlined);
        if rows != chunk.live || words != chunk.live_words {
            return Err(Malformed {
                pc: 0,
                what: "liveness rows do not follow from the code".into(),
            });
        }
    }
    Ok(())
}
