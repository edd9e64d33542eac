//! The chunks that are written by hand: where a run ends, a marker, a cursor, a handling frame.

use crate::control::Control;
use std::sync::{Arc, OnceLock};
use sx_runtime::chunk::Chunk;
use sx_runtime::ops::{Instr, Op};
use sx_runtime::stack::{cursor, handling, marker};

/// The lowest frame of a run: the value returned into it is the run's value.
pub(super) fn halt_chunk() -> Arc<Chunk> {
    static CHUNK: OnceLock<Arc<Chunk>> = OnceLock::new();
    let code = || {
        vec![
            Instr::abc(Op::Call, 1, HALT_SIZE as u16, 0),
            Instr::abc(Op::Halt, 1, 0, 0),
        ]
    };
    CHUNK
        .get_or_init(|| chunk("%halt", 0, HALT_SIZE as u16, code()))
        .clone()
}

/// Words of the lowest frame, its site word included.
pub(super) const HALT_SIZE: usize = 3;

/// Calls its third argument below a marker.
pub(super) fn marker_chunk() -> Arc<Chunk> {
    static CHUNK: OnceLock<Arc<Chunk>> = OnceLock::new();
    let (kind, payload, thunk, link) = (
        marker::KIND as u16,
        marker::PAYLOAD as u16,
        marker::THUNK as u16,
        marker::LINK as u16,
    );
    let window = link + 2;
    let code = || {
        vec![
            Instr::abc(Op::PushMark, kind, payload, link),
            Instr::abc(Op::Move, window, thunk, 0),
            Instr::abc(Op::Call, thunk, window, 0),
            Instr::abc(Op::PopMark, kind, payload, link),
            Instr::abc(Op::Return, thunk, 0, 0),
        ]
    };
    CHUNK.get_or_init(|| chunk("%with-mark", 3, window + 2, code())).clone()
}

/// Where a marker frame waits for its thunk: only there it is linked.
pub(super) const MARKER_CALL: usize = 2;

/// Stands below a handler of effects that runs on top of who performed. The handler does not
/// return into it if it resumes.
pub(super) fn handling_chunk() -> Arc<Chunk> {
    static CHUNK: OnceLock<Arc<Chunk>> = OnceLock::new();
    let (value, size) = (handling::VALUE as u16, handling::SIZE as u16);
    let code = || {
        vec![
            Instr::abc(Op::Call, value, size, 2),
            Instr::abcd(Op::TailControl, 0, 0, Control::EndHandling as u16, value as u8),
        ]
    };
    let chunk = || chunk("%handling", 0, size + 3, code());
    CHUNK.get_or_init(chunk).clone()
}

/// Stands below frames that are still in a Kont. Its first instruction is only ever waited at.
pub(super) fn cursor_chunk() -> Arc<Chunk> {
    static CHUNK: OnceLock<Arc<Chunk>> = OnceLock::new();
    let (value, size) = (cursor::VALUE as u16, cursor::SIZE as u16);
    let code = || {
        vec![
            Instr::abc(Op::Call, value, size, 0),
            Instr::abc(Op::Underflow, value, cursor::KONT as u16, 0),
        ]
    };
    CHUNK.get_or_init(|| chunk("%cursor", 0, size, code())).clone()
}

fn chunk(name: &str, params: u16, frame_size: u16, code: Vec<Instr>) -> Arc<Chunk> {
    Arc::new(Chunk::built_in(
        name,
        params,
        frame_size,
        code.into_iter().map(|i| i.0).collect(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_name_places_in_the_code() {
        let op = |chunk: Arc<Chunk>, pc: usize| Instr(chunk.code[pc]).op();
        assert_eq!(op(marker_chunk(), MARKER_CALL), Some(Op::Call));
        assert_eq!(handling::VALUE + 2, handling::SIZE);
        let (_, _, arguments, _) = crate::control::CONTROLS[Control::EndHandling as usize];
        assert_eq!(arguments, handling::VALUE);
    }
}
