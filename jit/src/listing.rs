//! The pieces of a function as text: blocks and instructions, what is known of the operands, and where a piece
//! leaves, which slots it stores for the machine.

use crate::lower::Function;
use crate::piece::Piece;
use crate::types::{Types, kinds_text};
use std::fmt::Write;

/// Adds the text of a piece; `ways` are the instructions it leaves at, each with the slots stored there.
pub fn list(out: &mut String, piece: &Piece, function: &Function<'_>, ways: &[(usize, Vec<usize>)]) {
    let (root, blocks, size) = (piece.root, piece.order.len(), piece.size(function));
    // Writing to a string does not fail.
    let _ = writeln!(out, "; {root}: {size} instructions in {blocks} blocks");
    list_blocks(out, piece, function, ways, "");
}

fn list_blocks(out: &mut String, piece: &Piece, function: &Function<'_>, ways: &[(usize, Vec<usize>)], indent: &str) {
    for start in &piece.order {
        let mut types = piece.types[start].clone();
        let _ = writeln!(out, "{indent}block {start}{}", known(&types));
        for pc in *start..function.blocks.end(*start) {
            list_instruction(out, function, pc, &types, indent);
            let stored = ways.iter().filter(|(way, _)| *way == pc).map(|(_, slots)| slots);
            for slots in stored {
                let _ = writeln!(
                    out,
                    "{indent}        may leave here, having stored {}",
                    registers(slots)
                );
            }
            if let Some(leaf) = function.inlined.get(&pc) {
                let name = &leaf.function.notes.job.chunk.name;
                let _ = writeln!(out, "{indent}        {name} is part of the code:");
                list_blocks(out, &leaf.piece, &leaf.function, &[], &format!("{indent}        "));
            }
            types.step(&function.notes, pc);
        }
    }
}

fn list_instruction(out: &mut String, function: &Function<'_>, pc: usize, types: &Types, indent: &str) {
    let i = function.code[pc];
    let text = function.notes.job.chunk.show(pc, i);
    let mut operands = vec![];
    i.uses(|slot| operands.push(kinds_text(types.of(slot))));
    let operands = match operands.is_empty() {
        true => String::new(),
        false => format!("  ; {}", operands.join(", ")),
    };
    let _ = writeln!(out, "{indent}{pc:6}  {text}{operands}");
}

/// What is known of slots where a block begins.
fn known(types: &Types) -> String {
    let is_known = |slot: &usize| kinds_text(types.of(*slot)) != kinds_text(crate::types::kind::ANY);
    let slots = (1..types.0.len()).filter(is_known);
    let known: Vec<String> = slots
        .map(|slot| format!("r{slot} {}", kinds_text(types.of(slot))))
        .collect();
    match known.is_empty() {
        true => String::new(),
        false => format!(": {}", known.join(", ")),
    }
}

fn registers(slots: &[usize]) -> String {
    if slots.is_empty() {
        return "nothing".into();
    }
    let names: Vec<String> = slots.iter().map(|slot| format!("r{slot}")).collect();
    names.join(" ")
}
