//! What the native tier counts: one table, from which come the numbers, the keys of `jit-stats` and
//! the page.

macro_rules! counters {
    ($($(#[doc = $doc:literal])* $field:ident $key:literal;)*) => {
        /// What the tier has done so far.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct NativeStats { $($(#[doc = $doc])* pub $field: u64,)* }
        /// Key in `jit-stats` and meaning.
        pub const COUNTERS: &[(&str, &str)] = &[$(($key, concat!($($doc),*))),*];
        impl NativeStats {
            /// The numbers, in the order of the table.
            pub fn numbers(&self) -> [u64; COUNTERS.len()] {
                [$(self.$field),*]
            }
        }
    };
}

counters! {
    /// Functions compiled, again or for the first time.
    compiled "compiled";
    /// Functions the compiler would not compile.
    refused "compile-failed";
    /// Functions that are called, but too rarely; counted when somebody asks.
    below "below-threshold";
    /// Times a guard failed.
    exits "exits";
    /// Times native code was entered from the machine.
    entered "entered";
    /// Compiles that were for other loops or operands than the first.
    again "again";
    /// Functions whose code was given up because a primitive was redefined, or was asked to be.
    retired "retired";
    /// Bytes of code made.
    bytes "bytes";
    /// Nanoseconds of processor time spent compiling.
    nanos "nanos";
    /// Instructions compiled, those of callees that became part of their callers too.
    lowered "lowered";
    /// The most nanoseconds of processor time in a row that the program's own thread worked for the tier, compiles
    /// in `jit-sync` left out.
    pause "pause";
    /// Instructions the machine has run, where they are counted (`sx jit report` has them counted).
    interpreted "interpreted";
    /// Functions whose code was given up because the memory for code was full.
    evicted "evicted";
    /// Compiles for which there was no memory for code.
    full "full";
    /// Times the host has answered a `perform`.
    resumed "resumed";
    /// Of them, times native code went on after it.
    resumed_natively "resumed-natively";
}
