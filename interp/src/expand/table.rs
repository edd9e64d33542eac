//! The special forms, one row each: name, syntax, what it is, how it is transformed.
//!
//! Names with `%` are for derived forms and libraries. Auxiliary names mean something only inside
//! other forms; they are rows so that a local variable can hide them like any other name.

use super::work::{Result, Use, Worker};
use super::{bind, choice, control, define, macros, matching, module, page, quasi, thread, types, values};
use std::collections::HashMap;
use std::sync::OnceLock;
use sx_runtime::syntax::Stx;

/// A special form.
pub struct Form {
    /// Its name.
    pub name: &'static str,
    /// How it is written.
    pub syntax: &'static str,
    /// What it does, in a line.
    pub doc: &'static str,
    pub(super) rewrite: Rewrite,
}

/// How a form is transformed.
pub(super) enum Rewrite {
    /// Makes core forms.
    Core(fn(&mut Worker<'_>, &Use<'_>) -> Result<()>),
    /// Becomes another form.
    Derived(fn(&mut Worker<'_>, &Use<'_>) -> Result<Stx>),
    /// Becomes a sequence of definitions.
    Definitions(fn(&mut Worker<'_>, &Use<'_>) -> Result<Stx>),
    /// A definition: at top level by the function, in a body by the scan.
    Define(fn(&mut Worker<'_>, &Use<'_>) -> Result<()>),
    Begin,
    Do,
    Import,
    Library,
    Include,
    /// No form by itself; `syntax` says where it belongs.
    Auxiliary,
}

use Rewrite::{Auxiliary, Begin, Core, Define, Definitions, Derived, Do, Import, Include, Library};

macro_rules! forms {
    ($($name:literal $syntax:literal $doc:literal $rewrite:expr;)*) => {
        static FORMS: &[Form] = &[$(Form { name: $name, syntax: $syntax, doc: $doc, rewrite: $rewrite }),*];
    };
}

forms! {
    "quote" "(quote datum)" "The datum itself." Core(quote);
    "quasiquote" "(quasiquote template)" "The template with its unquoted parts evaluated." Derived(quasi::quasiquote);
    "if" "(if test then else?)" "One of two branches; nil without an else." Core(choice::if_form);
    "when" "(when test body...)" "The body if the test holds, else nil." Core(choice::when);
    "unless" "(unless test body...)" "The body if the test does not hold, else nil." Core(choice::unless);
    "and" "(and form...)" "The last value if all hold, else the first that does not." Core(choice::and);
    "or" "(or form...)" "The first value that holds, else the last." Core(choice::or);
    "cond" "(cond (test body...)...) or (cond test value ...)" "The body of the first test that holds, else nil." Core(choice::cond);
    "case" "(case key (data body...)...) or (case key test value ...)" "The body of the clause whose data hold the key, else nil." Core(choice::case);
    "begin" "(begin form...)" "The forms in order; the last one's value." Begin;
    "do" "(do form...) or (do ((var init step?)...) (test result...) body...)" "The forms in order, or Scheme's loop." Do;
    "fn" "(fn (params…) body…)" "A procedure; &rest before the last parameter collects what is left." Core(bind::lambda);
    "lambda" "(lambda (params…) body…)" "A procedure: another name of fn." Core(bind::lambda);
    "let" "(let ((name value)...) body...) or (let name ((name value)...) body...)" "Variables, each visible in the values after it; with a name, a loop." Core(bind::let_form);
    "named-let" "(named-let name ((name value)...) body...)" "A loop: let with a name." Core(bind::let_form);
    "let*" "(let* ((name value)...) body...)" "Variables, each visible in the values after it." Core(bind::let_star);
    "letrec" "(letrec ((name value)...) body...)" "Variables visible in each other's values." Core(bind::letrec);
    "letrec*" "(letrec* ((name value)...) body...)" "Variables visible in each other's values." Core(bind::letrec);
    "define" "(define name value)" "Binds a name, in a body or globally; (define (name params…) body…) binds a procedure." Define(define::define);
    "set!" "(set! name value)" "Assigns a variable." Core(define::set);
    "define-values" "(define-values formals form)" "Binds names to the values of a form." Definitions(values::define_values);
    "let-values" "(let-values ((formals form)...) body...)" "Variables for several values at a time." Derived(values::let_values);
    "let*-values" "(let*-values ((formals form)...) body...)" "The same, each visible in the forms after it." Derived(values::let_star_values);
    "receive" "(receive formals form body...)" "Variables for the values of a form." Derived(values::receive);
    "case-lambda" "(case-lambda (formals body...)...)" "A procedure with a body for each number of arguments." Derived(values::case_lambda);
    "->" "(-> value step...)" "Threads the value through the steps as first operand." Derived(thread::first);
    "->>" "(->> value step...)" "Threads the value through the steps as last operand." Derived(thread::last);
    "as->" "(as-> value name step...)" "Threads the value through the steps under a name." Derived(thread::named);
    "match" "(match form (pattern body...)...)" "The body of the first pattern the value fits." Derived(matching::match_form);
    "let-match" "(let-match pattern form body...)" "Variables for the parts of a value." Derived(matching::let_match);
    "define-type" "(define-type name (Constructor field...)...)" "An algebraic type: constructors, predicates, accessors." Definitions(types::define_type);
    "define-record-type" "(define-record-type name (constructor field...) predicate (field accessor modifier?)...)" "A record type and its procedures." Definitions(types::define_record_type);
    "delay" "(delay form)" "A promise of the form's value." Derived(control::delay);
    "delay-force" "(delay-force form)" "A promise of the value of the promise that the form gives." Derived(control::delay_force);
    "parameterize" "(parameterize ((parameter value)...) body...)" "The body with other values of parameters." Derived(control::parameterize);
    "guard" "(guard (name clause...) body...)" "The body; a condition it raises goes to the first clause that takes it." Derived(control::guard);
    "handler-bind" "(handler-bind ((predicate handler)...) body...)" "The body with handlers that run where a condition is raised." Derived(control::handler_bind);
    "with-handler" "(with-handler handler body...)" "The body with a handler of the requests it performs." Derived(control::with_handler);
    "reset" "(reset body...)" "Delimits what shift captures." Derived(control::reset);
    "shift" "(shift name body...)" "The body in place of everything up to the reset, which it gets as a function." Derived(control::shift);
    "provide" "(provide name value body...)" "The body with a value of a dynamic name." Derived(control::provide);
    "context" "(context name default?)" "The value of a dynamic name." Derived(control::context);
    "scope" "(scope name body...)" "The body, collecting what it emits under the name." Derived(control::scope);
    "emit!" "(emit! name value)" "Adds a value to a scope." Derived(control::emit);
    "emitted" "(emitted name)" "What was added to a scope." Derived(control::emitted);
    "collect!" "(collect! bucket value)" "Adds a value to a bucket unless it is there." Derived(control::collect);
    "collected" "(collected bucket)" "What a bucket holds." Derived(control::collected);
    "clear-collected!" "(clear-collected! bucket)" "Empties a bucket." Derived(control::clear_collected);
    "defmacro" "(defmacro name (param...) body...)" "A macro whose body makes the form to evaluate." Define(macros::defmacro);
    "define-syntax" "(define-syntax name (syntax-rules (literal...) (pattern template)...))" "A hygienic macro." Define(macros::define_syntax);
    "let-syntax" "(let-syntax ((name rules)...) body...)" "Local hygienic macros." Core(macros::let_syntax);
    "letrec-syntax" "(letrec-syntax ((name rules)...) body...)" "Local hygienic macros that see each other." Core(macros::letrec_syntax);
    "syntax-error" "(syntax-error message form...)" "An error of the text that a macro was used in." Core(macros::syntax_error);
    "cond-expand" "(cond-expand (requirement form...)...)" "The forms of the first requirement that holds." Definitions(module::cond_expand);
    "define-library" "(define-library (name...) declaration...)" "A library." Library;
    "import" "(import (name...)...)" "Names from libraries." Import;
    "include" "(include path...)" "The forms of files." Include;
    "include-ci" "(include-ci path...)" "The forms of files of Scheme, read without regard to case." Include;
    "defcomp" "(defcomp ~name (&key name... &rest children) body...)" "A component." Definitions(page::defcomp);
    "defisland" "(defisland ~name (&key name... &rest children) body...)" "A component with behaviour of its own." Definitions(page::defisland);
    "defpage" "(defpage name :path path :content form)" "A page at a path." Definitions(page::defpage);
    "defhandler" "(defhandler name :option value ... (&key name...) body...)" "A named handler of requests." Definitions(page::defhandler);
    "defstyle" "(defstyle name value)" "A style under a name." Definitions(page::defstyle);
    "deftype" "(deftype name spec)" "A type on record." Derived(page::deftype);
    "defeffect" "(defeffect name spec)" "An effect on record." Derived(page::defeffect);
    "deftest" "(deftest name body...)" "A test." Derived(page::deftest);
    "defsuite" "(defsuite name body...)" "A group of tests." Derived(page::defsuite);
    "register-special-form!" "(register-special-form! name (fn (operands environment) body...))" "A form whose procedure gets its operands unevaluated." Derived(page::register);

    "else" "cond, case, guard or match" "The clause for everything else." Auxiliary;
    "=>" "a clause of cond, case or guard" "Passes the value of the test on." Auxiliary;
    "..." "syntax-rules" "Repeats what stands before it." Auxiliary;
    "_" "a pattern" "Takes anything." Auxiliary;
    "unquote" "quasiquote" "A part to evaluate." Auxiliary;
    "splice-unquote" "quasiquote" "A part whose list goes in place." Auxiliary;
    "unquote-splicing" "quasiquote" "A part whose list goes in place." Auxiliary;
    "syntax-rules" "define-syntax, let-syntax or letrec-syntax" "The patterns and templates of a macro." Auxiliary;

    "%let" "(%let ((name value)...) body...)" "Scheme's let: no value sees the variables." Core(bind::let_parallel);
    "%scheme-letrec" "(%scheme-letrec ((name value)...) body...)" "Scheme's letrec: all values, then all variables." Derived(bind::scheme_letrec);
    "%cond" "(%cond (test body...)...)" "Scheme's cond." Core(choice::scheme_cond);
    "%case" "(%case key ((datum...) body...)...)" "Scheme's case." Core(choice::scheme_case);
    "%do" "(%do ((var init step?)...) (test result...) body...)" "Scheme's do." Core(choice::do_loop);
    "%or" "(%or form...)" "Scheme's or." Core(choice::scheme_or);
    "%scheme-guard" "(%scheme-guard (name clause...) body...)" "Scheme's guard, which raises again where the condition was raised." Derived(control::scheme_guard);
    "%cond-else" "(%cond-else default clause...)" "cond with a form for when no clause holds." Core(choice::cond_else);
    "%define-global" "(%define-global name value)" "A global definition from inside a procedure." Core(define::define_global);
    "%named" "(%named name lambda)" "A lambda with that name." Core(macros::named);
}

/// The special forms that programs may use, in the order of the reference.
pub fn forms() -> impl Iterator<Item = &'static Form> {
    FORMS
        .iter()
        .filter(|form| !form.name.starts_with('%') && !matches!(form.rewrite, Auxiliary))
}

impl Form {
    /// Its name as people know it.
    pub fn shown(&self) -> &'static str {
        let name = self
            .name
            .strip_prefix("%scheme-")
            .or_else(|| self.name.strip_prefix('%'));
        name.unwrap_or(self.name)
    }
}

/// Is it the name of a form, auxiliary ones and those of libraries included?
pub fn is_form(name: &str) -> bool {
    find(name).is_some()
}

/// The row of that name.
pub(super) fn find(name: &str) -> Option<&'static Form> {
    static INDEX: OnceLock<HashMap<&'static str, &'static Form>> = OnceLock::new();
    let index = INDEX.get_or_init(|| FORMS.iter().map(|form| (form.name, form)).collect());
    index.get(name).copied()
}

fn quote(worker: &mut Worker<'_>, usage: &Use<'_>) -> Result<()> {
    let [datum] = usage.args() else { return Err(usage.bad()) };
    worker.output(super::op::Op::Const(super::build::strip(datum)), usage.span());
    Ok(())
}
