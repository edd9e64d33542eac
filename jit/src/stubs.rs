//! The fixed pieces: into native code, out of it, and the return into a frame of the machine.

use crate::lower::{helper_signature, piece_signature, signature};
use crate::memory::Provider;
use crate::unit::Maker;
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Value};
use cranelift_codegen::isa::{CallConv, TargetFrontendConfig};
use cranelift_frontend::FunctionBuilder;
use std::mem::offset_of;
use sx_runtime::native::{Bailout, Context, HELPERS, Helper, JUMPS, Stubs, status};

const MEMORY: MemFlagsData = MemFlagsData::trusted();

/// The pieces and the memory they are in.
pub struct Code {
    pub stubs: Stubs,
    // Held so that it is not given back.
    _memory: Provider,
}

fn begin(b: &mut FunctionBuilder<'_>) -> Vec<Value> {
    let entry = b.create_block();
    b.append_block_params_for_function_params(entry);
    b.switch_to_block(entry);
    b.seal_block(entry);
    b.block_params(entry).to_vec()
}

/// Calls the helper with the registers, and goes on where it says.
fn jump(mut b: FunctionBuilder<'_>, helper: Helper, config: TargetFrontendConfig) -> Option<()> {
    let p = begin(&mut b);
    let words = HELPERS[helper as usize].1 + 1;
    let call_signature = b.import_signature(signature(words, CallConv::SystemV));
    let tail = b.import_signature(piece_signature());
    let offset = offset_of!(Context, helpers) + helper as usize * 8;
    let address = b.ins().load(I64, MEMORY, p[0], offset as i32);
    let call = b.ins().call_indirect(call_signature, address, &p[..words]);
    let next = b.inst_results(call)[0];
    let mut load = |offset: usize| b.ins().load(I64, MEMORY, p[0], offset as i32);
    let args = [
        p[0],
        load(offset_of!(Context, fp)),
        load(offset_of!(Context, value)),
        load(offset_of!(Context, site)),
    ];
    b.ins().return_call_indirect(tail, next, &args);
    b.finalize(config);
    Some(())
}

/// Calls the helper and leaves its answer in the context.
fn call(mut b: FunctionBuilder<'_>, helper: Helper, config: TargetFrontendConfig) -> Option<()> {
    let p = begin(&mut b);
    let signature = helper_signature(helper, CallConv::SystemV);
    let signature = b.import_signature(signature);
    let offset = offset_of!(Context, helpers) + helper as usize * 8;
    let address = b.ins().load(I64, MEMORY, p[0], offset as i32);
    let call = b.ins().call_indirect(signature, address, &p);
    let answer = b.inst_results(call)[0];
    b.ins().store(MEMORY, answer, p[0], offset_of!(Context, answer) as i32);
    b.ins().return_(&[]);
    b.finalize(config);
    Some(())
}

/// Makes them.
pub fn make(maker: &mut Maker) -> Result<Code, Bailout> {
    let mut unit = maker.unit();
    let config = maker.frontend_config();
    let enter = maker.define(&mut unit, signature(5, CallConv::SystemV), |mut b| {
        let p = begin(&mut b);
        let sig = b.import_signature(piece_signature());
        let call = b.ins().call_indirect(sig, p[1], &[p[0], p[2], p[3], p[4]]);
        let status = b.inst_results(call)[0];
        b.ins().return_(&[status]);
        b.finalize(config);
        Some(())
    })?;
    let interpret = maker.define(&mut unit, piece_signature(), |mut b| {
        let p = begin(&mut b);
        b.ins().store(MEMORY, p[1], p[0], offset_of!(Context, fp) as i32);
        let status = b.ins().iconst(I64, status::ENTER as i64);
        b.ins().return_(&[status]);
        b.finalize(config);
        Some(())
    })?;
    let moved = maker.define(&mut unit, piece_signature(), |mut b| {
        begin(&mut b);
        let status = b.ins().iconst(I64, status::MOVED as i64);
        b.ins().return_(&[status]);
        b.finalize(config);
        Some(())
    })?;
    let mut functions = vec![enter, interpret, moved];
    for helper in JUMPS {
        functions.push(maker.define(&mut unit, piece_signature(), |b| jump(b, helper, config))?);
    }
    for helper in Helper::ALL {
        let signature = helper_signature(*helper, CallConv::PreserveAll);
        functions.push(maker.define(&mut unit, signature, |b| call(b, *helper, config))?);
    }
    let (at, memory) = unit.finish(&functions)?;
    let (mut jumps, mut calls) = ([0; JUMPS.len()], [0; HELPERS.len()]);
    jumps.copy_from_slice(&at[3..][..JUMPS.len()]);
    calls.copy_from_slice(&at[3 + JUMPS.len()..]);
    Ok(Code {
        stubs: Stubs {
            enter: at[0],
            interpret: at[1],
            moved: at[2],
            calls,
            jumps,
        },
        _memory: memory,
    })
}
