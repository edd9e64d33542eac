//! Faults planted on purpose, to show that the fuzzer finds faults of their kind.
//!
//! Each stands at one place of the runtime or the interpreter, which asks `planted` and does the
//! wrong thing when it answers yes. Without the feature `planted-faults` it is a constant `false`
//! and costs nothing. Nothing but the tests of the fuzzer switches a fault on.

macro_rules! faults {
    ($($(#[doc = $doc:literal])* $Name:ident $text:literal;)*) => {
        /// A fault.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Fault { $($(#[doc = $doc])* $Name,)* }
        /// Every fault and its name.
        pub const FAULTS: &[(Fault, &str)] = &[$((Fault::$Name, $text),)*];
    };
}

faults! {
    /// A variable that is assigned and captured lives in a slot.
    BoxOmitted "box-omitted";
    /// A store into an old object is not remembered.
    BarrierMissing "barrier-missing";
    /// An operand read before a reservation is used after it.
    ReloadMissing "reload-missing";
    /// A dict keeps the shape it had before a key was added.
    StaleShape "stale-shape";
    /// Sealing copies one slot of a frame wrong.
    SealedSlotWrong "sealed-slot-wrong";
    /// A resumed continuation has lost its innermost marker.
    MarkerChainWrong "marker-chain-wrong";
    /// The marks between a handler and who performs are not seen again after it has resumed.
    MarkNotRestored "mark-not-restored";
    /// A performed op is handed to the host twice.
    EffectRepeated "effect-repeated";
    /// A wind that is left stays on the list of winds.
    WindTwice "wind-twice";
    /// Code that is already there does not see a primitive redefined.
    RedefinitionIgnored "redefinition-ignored";
    /// A primitive that was redefined is still compiled as an instruction.
    ShadowingIgnored "shadowing-ignored";
    /// A cursor gives back one frame more than it should.
    CursorStopIgnored "cursor-stop-ignored";
    /// A variable may be read before it has a value.
    UnboundUnchecked "unbound-unchecked";
    /// The ordinary call behind an instruction swaps its arguments.
    ColdSwapped "cold-swapped";
    /// A slot that is still needed counts as dead.
    LiveBitDropped "live-bit-dropped";
    /// A handler sees itself.
    MaskIgnored "mask-ignored";
    /// A parameter has the value of whichever was bound last.
    BindingConfused "binding-confused";
    /// A resumed continuation has lost its winds.
    WindsLost "winds-lost";
    /// A buffer is shared without a copy.
    BufferShared "buffer-shared";
    /// An instance does not tell the native tier that a primitive it uses was redefined.
    NativeStaleIgnored "native-stale-ignored";
    /// Retired native code stays behind calls that wait in it.
    NativeRowKept "native-row-kept";
    /// Native code takes any pointer for an object of the type it was compiled for.
    NativeGuardDropped "native-guard-dropped";
    /// Native code takes any two numbers for fixnums.
    NativeTagUnchecked "native-tag-unchecked";
    /// A sum that is no fixnum goes on as one.
    NativeOverflowUnchecked "native-overflow-unchecked";
    /// The remainder of a negative number keeps its sign where the divisor's is wanted.
    NativeModSign "native-mod-sign";
    /// Native code divides by whatever it is given.
    NativeZeroUnchecked "native-zero-unchecked";
    /// A list or vector is read behind its end.
    NativeLengthUnchecked "native-length-unchecked";
    /// A dict of any shape is read as one of the shape seen before.
    NativeShapeUnchecked "native-shape-unchecked";
    /// A variable without a value is read like any other.
    NativeUnboundUnchecked "native-unbound-unchecked";
    /// A closure is entered whatever number of arguments it takes.
    NativeArityUnchecked "native-arity-unchecked";
    /// Arguments of a tail call change places.
    NativeTailSwapped "native-tail-swapped";
    /// The frame of a call that waits names the instruction before it.
    NativeSiteEarly "native-site-early";
    /// The frame of a call that waits names the entry behind another call.
    NativeEntryWrong "native-entry-wrong";
    /// A call's value goes to the slot beside its own.
    NativeResultSlotWrong "native-result-slot-wrong";
    /// On leaving, one slot is not written.
    NativeExitSlotLost "native-exit-slot-lost";
    /// On leaving, one slot gets the value of another.
    NativeExitSlotSwapped "native-exit-slot-swapped";
    /// On leaving, the instruction before is done again.
    NativeExitEarly "native-exit-early";
    /// On leaving, a double is written as it is, and not as a word.
    NativeDoubleRaw "native-double-raw";
    /// Before a safepoint, a slot that is dirty is not written.
    NativeFlushMissing "native-flush-missing";
    /// Behind a safepoint on a side way, what moved is not read again.
    NativeReloadMissing "native-reload-missing";
    /// Behind a safepoint on the straight way, what moved is not read again.
    NativeMovedIgnored "native-moved-ignored";
    /// A store by native code into an old object is not remembered.
    NativeBarrierMissing "native-barrier-missing";
    /// Where ways join, only the first counts for what is known.
    NativeJoinIgnored "native-join-ignored";
    /// Where ways join, slots count as written that are not.
    NativeJoinClean "native-join-clean";
    /// A pair stays a pair whatever a primitive does to it.
    NativeListsRemembered "native-lists-remembered";
}

#[cfg(feature = "planted-faults")]
static PLANTED: std::sync::atomic::AtomicU8 = std::sync::atomic::AtomicU8::new(u8::MAX);

/// Switches a fault on, or all off, in the whole process.
#[cfg(feature = "planted-faults")]
pub fn plant(fault: Option<Fault>) {
    PLANTED.store(
        fault.map_or(u8::MAX, |fault| fault as u8),
        std::sync::atomic::Ordering::Relaxed,
    );
}

/// Is the fault switched on?
#[cfg(feature = "planted-faults")]
#[inline]
pub fn planted(fault: Fault) -> bool {
    PLANTED.load(std::sync::atomic::Ordering::Relaxed) == fault as u8
}

/// Is the fault switched on?
#[cfg(not(feature = "planted-faults"))]
#[inline(always)]
pub const fn planted(_: Fault) -> bool {
    false
}
