//! The control operations: what `lib/core/control.sx` builds `guard`, handlers, continuations,
//! winds and effects from. Only core library code can name them.
//!
//! They look at frames, so they are neither primitives (which cannot) nor opcodes of their own
//! (they are rare). `control` in the machine carries them out.

macro_rules! controls {
    ($($(#[doc = $doc:literal])* $Name:ident $name:literal ($($arg:ident)*);)*) => {
        /// A control operation.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Control { $($(#[doc = $doc])* $Name,)* }
        /// Name in SX, operation, number of arguments, meaning.
        pub const CONTROLS: &[(&str, Control, usize, &str)] =
            &[$(($name, Control::$Name, { let names: &[&str] = &[$(stringify!($arg)),*]; names.len() }, concat!($($doc),*))),*];
    };
}

controls! {
    /// Call `thunk` through a marker frame of the given kind and payload.
    WithMark "%with-mark" (kind payload thunk);
    /// Payload of the nearest marker that takes a condition: `guard` or `handler-bind`.
    FindHandler "%find-handler" ();
    /// Payload of the nearest marker of a kind whose key is `key`.
    FindMark "%find-mark" (kind key);
    /// Number of winds entered since the marker with this payload.
    WindsAbove "%winds-above" (payload);
    /// Call `f` with the continuation of the whole program.
    CallCapturing "%call-capturing" (f);
    /// The winds a full continuation lies in, innermost first.
    ContinuationWinds "%continuation-winds" (k);
    /// Cut the stack to the marker with this payload and call `f` with `x` in its place.
    Abort "%abort" (payload f x);
    /// Capture to the marker, cut there, call `f` with `x`, the payload and the continuation.
    CaptureAbort "%capture-abort" (payload f x);
    /// Replace the whole stack by a full continuation and give it `v`.
    Throw "%throw" (k v);
    /// Run a coroutine until it yields, finishes or fails.
    CoroutineResume "%coroutine-resume" (c value);
    /// Hand a value to whoever resumed the nearest coroutine.
    CoroutineYield "%coroutine-yield" (value);
    /// Can the coroutine still be resumed?
    CoroutineAlive "%coroutine-alive?" (c);
    /// Replace this frame by a call of `f` with the items of a list.
    Apply "%apply" (f args);
    /// The wind records entered and not left, innermost first.
    Winds "%winds" ();
    /// Hand a request, as a dict, to the nearest handler that takes its op, or, as the program gave
    /// it, to the host.
    Perform "%perform" (request given);
    /// A handler that ran on top of who performed has returned this value: its extent ends.
    EndHandling "%end-handling" (resume marker mark link value);
    /// Keep the report of a condition that nothing takes, while extents are being left.
    NoteFailure "%note-failure" (condition);
    /// End the run: nothing takes this condition.
    Uncaught "%uncaught" (condition);
    /// Tell an error object where it is raised, if it has not been told; answer it.
    WithPlace "%with-place" (condition);
    /// Begin an evaluation: 0 a form, 1 a file, 2 a text, 3 the macro use at the head of a
    /// form, 4 a list of names and a form, whose value is a procedure of these names, 5 a list of
    /// a top level for Scheme and a form.
    EvalStart "%eval-start" (kind what);
    /// The first datum of a text and how many characters it takes, in a list; () if there is none.
    ReadDatum "%read-datum" (text);
    /// The first datum of a text in Scheme, likewise; `more` if the text ends inside it, which is an
    /// error when that is `all` there is.
    ReadScheme "%read-scheme" (text all);
    /// A new top level for Scheme: its name, a symbol.
    SchemeTop "%scheme-top" ();
    /// Go on with an evaluation, given the value of the call it asked for.
    EvalStep "%eval-step" (state value);
    /// Tell an error raised in a macro procedure the place of the macro's use, which the state of an
    /// evaluation awaits; false.
    NoteMacro "%note-macro" (condition state);
    /// Make a global a macro whose procedure gets the operands of its uses.
    DefineMacro "%define-macro" (name procedure);
    /// Make a global a special form whose procedure gets the operands and the environment.
    DefineSpecialForm "%define-special-form" (name procedure);
    /// The procedure of a macro or special form.
    MacroProcedure "%macro-procedure" (form);
    /// Make a global a macro of these rules, which belong to a library or the program.
    DefineSyntax "%define-syntax" (name rules library);
    /// Give the stack to a program that runs under this one, for some instructions: `fiber.rs`.
    FiberRun "%fiber-run" (kind k x steps);
    /// The parts of a compiled procedure.
    Bytecode "%bytecode" (procedure);
    /// What the native tier has done: the keys and values of `jit-stats`.
    NativeStats "%native-stats" ();
    /// The functions that were called or compiled: name, what runs it, calls, exits, place, what there is of
    /// its code, compiles, instructions interpreted.
    NativeFunctions "%native-functions" ();
    /// Of a procedure as it would be compiled now its pieces, Cranelift's form and the machine code, three
    /// texts, and a list of what its instructions have met; a text why there are none; nil without a tier.
    NativeCode "%native-code" (procedure);
    /// Functions whose name matches the pattern get no native code, nor keep it; with `callers`,
    /// functions that refer to the global of that name.
    NativeExclude "%native-exclude" (pattern callers);
    /// Is there to be no native code for functions of that name?
    NativeExcluded "%native-excluded?" (name);
    /// Compile functions at this call; true if there is a tier.
    NativeThreshold "%native-threshold" (calls);
    /// Forget what was counted; with `all`, also all native code and every exclusion.
    NativeReset "%native-reset" (all);
}

macro_rules! procedures {
    ($($(#[doc = $doc:literal])* $name:literal $Name:ident ($($arg:ident)*) $least:literal;)*) => {
        /// Control operations that programs call as procedures: name, operation, parameters, the
        /// fewest arguments, documentation. Missing arguments are `nil`.
        pub const PROCEDURES: &[(&str, Control, &[&str], usize, &str)] =
            &[$(($name, Control::$Name, &[$(stringify!($arg)),*], $least, concat!($($doc, "\n"),*))),*];
    };
}

procedures! {
    /// Runs a coroutine until it yields or finishes; the value is what it yields or returns. A
    /// second argument is the value of the coroutine-yield it waits in.
    /// (coroutine-resume (make-coroutine (fn () 5))) => 5
    "coroutine-resume" CoroutineResume (c value) 1;
    /// Hands a value to whoever resumed the nearest coroutine, and waits there for the next
    /// resume, whose value this call then has.
    /// (let ((c (make-coroutine (fn () (coroutine-yield 7))))) (coroutine-resume c)) => 7
    "coroutine-yield" CoroutineYield (value) 0;
    /// Can the coroutine be resumed, now or when it yields?
    /// (coroutine-alive? (make-coroutine (fn () 1))) => true
    "coroutine-alive?" CoroutineAlive (c) 1;
    /// Calls f with the current continuation, a procedure that may be called any number of times.
    /// (+ 1 (call/cc (fn (k) (* 10 (k 5))))) => 6
    "call/cc" CallCapturing (f) 1;
    /// Another name of call/cc.
    /// (call-with-current-continuation (fn (k) (k 1))) => 1
    "call-with-current-continuation" CallCapturing (f) 1;
}

/// The operation called `name`, if it takes `argc` arguments.
pub fn find(name: &str, argc: usize) -> Option<Control> {
    CONTROLS.iter().find(|c| c.0 == name && c.2 == argc).map(|c| c.1)
}

/// The kind of marker called `name`.
pub fn mark_number(name: &str) -> Option<i64> {
    mark::NAMES.iter().find(|m| m.0 == name).map(|m| m.1)
}

impl Control {
    /// The operation with this number.
    pub fn from_number(n: usize) -> Option<Control> {
        CONTROLS.get(n).map(|c| c.1)
    }
}

macro_rules! marks {
    ($($(#[doc = $doc:literal])* $NAME:ident $name:literal $value:literal;)*) => {
        /// Kinds of marker, as `%with-mark` takes them.
        pub mod mark {
            $($(#[doc = $doc])* pub const $NAME: i64 = $value;)*
            /// What core library code calls each kind.
            pub const NAMES: &[(&str, i64)] = &[$(($name, $NAME)),*];
        }
    };
}

marks! {
    /// `guard`: the payload is the handler, called outside with the condition.
    GUARD "%mark-guard" 1;
    /// `handler-bind`: the payload is a list of predicate, handler, ….
    BIND "%mark-bind" 2;
    /// Ignore every handler down to the marker whose payload this is.
    SKIP "%mark-skip" 3;
    /// `with-handler`: the payload is a dict from op to function, or a function.
    EFFECT "%mark-effect" 4;
    /// `parameterize`, `provide`, `scope`: the payload is a pair of key and value.
    BINDING "%mark-binding" 5;
    /// `dynamic-wind`: the payload is the wind record.
    WIND "%mark-wind" 6;
    /// `reset`: the payload is a fresh object.
    PROMPT "%mark-prompt" 7;
    /// The base of a running coroutine: the payload is the coroutine.
    COROUTINE "%mark-coroutine" 8;
    /// `scope`: the payload is a pair of key and list.
    SCOPE "%mark-scope" 9;
}
