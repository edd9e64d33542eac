//! What is told of one function: what runs it and why, how much code it has, where that was left, what its
//! instructions have met.

#![allow(unsafe_code)]

use super::super::Machine;
use super::super::view::{Datum, function_name};
use super::{MOST_COMPILES, place};
use sx_runtime::instance::feedback::{Callee, FLOAT, OTHER, VIEW};
use sx_runtime::instance::{Instance, builtin};
use sx_runtime::native::{CodeSize, Compiled, Left, Loss, NativeState};
use sx_runtime::ops::{Field, Instr, Op, Role};

impl Machine {
    /// What runs a function, and why nothing else; nothing of one that was not called.
    pub(super) fn outcome(&self, instance: &Instance, native: &NativeState) -> Option<String> {
        let code = native.code.as_ref();
        let worn_out = native.compiles >= MOST_COMPILES;
        let excluded = self.exclusions.excludes(&instance.chunk);
        Some(match (code, native.refused, native.lost) {
            (Some(code), ..) => format!("native, {} bytes", code.size.bytes),
            (_, Some(why), _) => format!("refused: {}", why.text()),
            _ if native.pending => "being compiled".into(),
            (.., Some(_)) if worn_out => format!("given up: it was compiled {} times", native.compiles),
            (.., Some(why)) => format!("given up: {}", why.text()),
            _ if native.compiles == 0 && (instance.builtin != builtin::NONE || instance.calls.get() == 0) => {
                return None;
            }
            _ if excluded => format!("interpreted: {}", Loss::Excluded.text()),
            _ if native.compiles > 0 => "given up: what was compiled was out of date when it came".into(),
            _ => "interpreted".into(),
        })
    }
}

/// Where code was left: place, how often, the instruction, whether it has code for every kind of operand now,
/// and why, a list of texts.
pub(super) fn exit_row(instance: &Instance, native: &NativeState, left: &Left) -> Datum {
    let instr = instance.code().get(left.pc as usize).and_then(|word| Instr(*word).op());
    let why = left.why.iter().map(|(reason, kinds)| match &kinds[..] {
        [] => reason.text().to_owned(),
        kinds => format!("{}: {}", reason.text(), kinds.join(", ")),
    });
    Datum::List(vec![
        Datum::Text(place(instance, left.pc)),
        Datum::Int(i64::from(left.count)),
        Datum::Text(instr.map_or("unknown", |op| op.info().name).into()),
        Datum::Bool(native.generic.contains(&left.pc)),
        Datum::List(why.map(Datum::Text).collect()),
    ])
}

/// What there is of some code: bytes, instructions, stores, calls of helpers on straight and on side ways, entries
/// behind calls and into loops, and the functions that are part of it.
pub(super) fn code_row(code: &Compiled) -> Datum {
    let CodeSize {
        bytes,
        instructions,
        stores,
        helpers,
        cold_helpers,
    } = code.size;
    let numbers = [
        bytes,
        instructions,
        stores,
        helpers,
        cold_helpers,
        code.entries.len(),
        code.loops.len(),
    ];
    let inlined = code.inlined.iter().map(|chunk| Datum::Text(function_name(chunk)));
    let numbers = numbers.into_iter().map(|n| Datum::Int(n as i64));
    Datum::List(numbers.chain([Datum::List(inlined.collect())]).collect())
}

/// What the notes in an instruction mean.
const NOTES: &[(u64, &str)] = &[(FLOAT, "floats"), (VIEW, "views"), (OTHER, "other values")];

/// What instructions have met that is more than their first short way takes: texts.
pub(super) fn met_rows(instance: &Instance) -> Vec<Datum> {
    let code = instance.code().iter().enumerate();
    let rows = code.filter_map(|(pc, word)| {
        let met = met(instance, Instr(*word))?;
        let name = Instr(*word).op()?.info().name;
        Some(Datum::Text(format!(
            "{pc} {name} at {}: {met}",
            place(instance, pc as u32)
        )))
    });
    rows.collect()
}

fn met(instance: &Instance, i: Instr) -> Option<String> {
    let op = i.op()?;
    let cell = op.info().operands.iter().find(|(_, role)| *role == Role::Feedback);
    let Some((field, role)) = cell else {
        let takes_notes = !op
            .info()
            .operands
            .iter()
            .any(|(field, _)| matches!(field, Field::d | Field::cd));
        let noted = if takes_notes { i.d() as u64 } else { 0 };
        let met: Vec<&str> = NOTES.iter().filter(|row| noted & row.0 != 0).map(|row| row.1).collect();
        return (!met.is_empty()).then(|| met.join(" and "));
    };
    let cell = instance.feedback().get(i.operand(*field, *role) as usize)?;
    if op == Op::Get {
        return cell.shape().map(|(_, several)| match several {
            true => "dicts of several shapes".into(),
            false => "dicts of one shape".into(),
        });
    }
    match cell.callee() {
        Callee::None => None,
        // SAFETY: the cell keeps the instance alive.
        Callee::One(callee) => Some(format!("calls of {}", function_name(unsafe { &(*callee).chunk }))),
        Callee::Many => Some("calls of several functions".into()),
    }
}
