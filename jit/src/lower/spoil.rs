//! Ways out of native code, made wrong on purpose: see `sx_runtime::fault`.

use super::Way;
use sx_runtime::fault::{Fault, planted};

impl Way {
    /// The way as the planted fault has it; itself without one.
    pub(super) fn spoilt(mut self) -> Way {
        if planted(Fault::NativeExitSlotLost) {
            self.stores.pop();
        }
        if planted(Fault::NativeExitSlotSwapped)
            && let [first, .., last] = &mut self.stores[..]
        {
            std::mem::swap(&mut first.0, &mut last.0);
        }
        if planted(Fault::NativeExitEarly) {
            self.pc = self.pc.saturating_sub(1);
        }
        self
    }
}
