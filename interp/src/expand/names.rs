//! The core functions that expansions call: what `lib/core` and the primitives must supply.
//!
//! A form never depends on what the program makes of a name, so it calls `%` names only. Those
//! that are a plain function's double (`%list`, `%append`) are that function, whatever its name
//! means to the program.

/// A core function: name, operands, what it must do.
pub struct CoreFunction {
    /// With its `%`.
    pub name: &'static str,
    /// The operands it is called with.
    pub operands: &'static str,
    /// What it must do.
    pub meaning: &'static str,
}

macro_rules! functions {
    ($($name:literal $operands:literal $meaning:literal;)*) => {
        /// All of them.
        pub const CORE_FUNCTIONS: &[CoreFunction] =
            &[$(CoreFunction { name: $name, operands: $operands, meaning: $meaning }),*];
    };
}

functions! {
    "%list" "value..." "list";
    "%cons" "first rest" "cons";
    "%list*" "value... tail" "the values before the tail: (%list* 1 2 '(3)) = (1 2 3)";
    "%append" "list..." "append: a fresh list";
    "%append*" "list... tail" "append, the last operand being any tail";
    "%nth" "list index" "nth";
    "%list->vector" "list" "list->vector";
    "%dict" "key value ..." "dict: keys are strings, or keywords and symbols taken by name";
    "%dict?" "value" "dict?";
    "%=" "a b" "=: structural, of any two values, never an error";
    "%eq?" "a b" "eq?";
    "%eqv?" "a b" "eqv?";
    "%call-with-values" "producer consumer" "call-with-values";
    "%case-lambda" "procedure..." "a procedure that calls the first one that takes so many arguments";
    "%guard" "thunk handler" "the thunk's value; a raise in it calls the handler outside the guard, its value is the guard's";
    "%guard-again" "thunk handler" "Scheme's guard: the handler gets the condition and a procedure that raises it again where it was raised";
    "%reraise" "condition" "raises the condition again, the same way it was raised, outward";
    "%handler-bind" "(predicate handler ...) thunk" "the thunk with handlers that run where the condition is raised";
    "%with-handler" "handler thunk" "the handler is a procedure of request and resume, or a dict of such by op";
    "%reset" "thunk" "delimits %shift";
    "%shift" "procedure" "calls the procedure with the continuation up to the %reset";
    "%parameterize" "(parameter value ...) thunk" "the thunk with other values of the parameters";
    "%scope-name" "value" "the symbol that a string or keyword names; anything else is itself";
    "%provide" "name value thunk" "the thunk with a value of the name, compared by identity";
    "%context" "name default" "the innermost value provided, or the default";
    "%scope" "name thunk" "the thunk's value; collects what it emits";
    "%emit!" "name value" "adds to the innermost scope of that name";
    "%emitted" "name" "list of what was emitted";
    "%collect!" "bucket value" "adds unless equal to what is there";
    "%collected" "bucket" "list of what was collected";
    "%clear-collected!" "bucket" "empties it";
    "%make-lazy" "thunk" "delay: a promise of the thunk's value";
    "%make-lazy-force" "thunk" "delay-force: a promise of what the thunk's promise will give, in constant space";
    "%match-failed" "value" "raises: match: no clause matched <value>";
    "%match-adt?" "value constructor count" "is it an ADT value of the constructor (a symbol) with so many fields?";
    "%match-field" "value index" "a field of an ADT value";
    "%match-list?" "value count" "is it a list of exactly so many items?";
    "%match-list-from?" "value count" "is it a list of at least so many items?";
    "%match-item" "list index" "an item";
    "%match-rest" "list count" "what follows the first so many items";
    "%match-key?" "value key" "is it a dict (or ADT value) with that key?";
    "%match-value" "dict key" "the value of that key";
    "%make-record-type" "name (field...) adt?" "a record type; all names symbols, a record's without < >; with the name of an algebraic type, a constructor of it";
    "%make-record" "type value..." "a record, the values in the order of the fields";
    "%record-is?" "value type" "is it a record of the type?";
    "%record-ref" "record type index who" "a field; who is named in the error";
    "%record-set!" "record type index value who" "assigns a field";
    "%adt-is?" "value name" "is it a record of a constructor of that algebraic type?";
    "%define-macro" "global procedure" "makes the global (a symbol) a macro of that procedure; its value is the macro";
    "%define-syntax" "global rules library" "makes the global a macro of Rules::from_datum(rules, top level of the library); the library is a symbol or nil for the program";
    "%annotate" "global key value" "keeps an annotation of a definition: (%annotate 'f \"effects\" '(io))";
    "%register-special-form" "global procedure" "makes the global a form of that procedure";
    "%apply-special-form" "form operands environment" "calls the form's procedure with the unevaluated operands and the environment";
    "%environment" "name value ..." "an environment of those variables, names being symbols";
    "%make-component" "name (positional...) (key...) has-rest procedure" "a component; the procedure takes positional, keys, and a list of the rest if has-rest; missing ones are nil";
    "%make-island" "name (positional...) (key...) has-rest procedure" "the same for an island";
    "%call-component" "procedure operand..." "calls a component, whose keys come as keyword objects before their values; anything else is called with the keywords as strings";
    "%make-page" "name options" "a page; options is a dict, :content and :data are thunks";
    "%make-handler" "name options (positional...) (key...) has-rest procedure" "a named handler of requests";
    "%deftype" "name spec" "puts a type on record";
    "%defeffect" "name spec" "puts an effect on record";
    "%deftest" "name thunk" "defines a test";
    "%defsuite" "name thunk" "defines a group of tests";
}
