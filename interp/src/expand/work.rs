//! The work list: what an expansion has still to do, and the loop that does it.

use super::body::Scan;
use super::env::{Aliases, Binding, Env, Frames, Ident, Meaning, Scoping};
use super::list::List;
use super::op::{self, Op};
use super::syntax_rules::Rules;
use super::table::{Form, Rewrite};
use super::top::{MARK, TopEnv};
use super::{Answer, GlobalMacro, Globals, MacroRef, Step, SyntaxError, Warning, build, choice, module, page};
use std::cell::Cell;
use std::rc::Rc;
use sx_runtime::html::tag_of;
use sx_runtime::syntax::{Name, Node, Span, Stx, Syntax};

/// One piece of work.
#[derive(Clone)]
pub(super) enum Task {
    /// A whole top-level form.
    Top(Stx),
    /// `macroexpand`
    Macroexpand(Stx),
    /// An expression; a lambda gets the name.
    Expr { form: Stx, env: Env, name: Option<Name> },
    /// The forms of a body.
    Body { forms: Vec<Stx>, env: Env, span: Span },
    /// A body whose definitions are being collected.
    Scan(Box<Scan>),
    /// One more instruction.
    Emit(Op, Span),
    /// Waits for the form that a macro procedure returns.
    AwaitForm { place: Place, span: Span, encoded: bool },
    /// The transformer of a local macro is complete; the output goes on where it was.
    TransformerDone { output: List<(Op, Span)>, name: Name },
    /// Waits for the macro; binds it in the body that is being scanned.
    AwaitMacro { frame: usize, ident: Ident },
}

/// Where a macro was used: what becomes of the form it expands to.
#[derive(Clone)]
pub(super) enum Place {
    Top,
    Macroexpand,
    Expr {
        env: Env,
        name: Option<Name>,
    },
    /// In the body whose scan is next on the work list.
    Body,
}

/// An expansion in progress.
#[derive(Clone)]
pub struct Expansion {
    todo: List<Task>,
    output: List<(Op, Span)>,
    warnings: List<Warning>,
    frames: Frames,
    aliases: Rc<Aliases>,
    top: Rc<TopEnv>,
    /// Macro uses expanded so far.
    uses: u32,
    /// Forms that templates may still make.
    budget: u64,
    /// Core forms made so far.
    size: u32,
}

/// Pieces of work between two pauses.
const SLICE: u32 = 100_000;
/// A form that takes more macro uses than this is taken for one that never ends.
const USES_MAX: u32 = 500_000;
/// So many times may files be included in one top-level form.
const INCLUDES_MAX: u32 = 500;
/// So many forms may `syntax-rules` templates make in the expansion of one top-level form.
const MADE_MAX: u64 = 20_000_000;
/// So many core forms may one top-level form become.
const OUTPUT_MAX: u32 = 4_000_000;

/// An expansion at work: its state, and what it may ask about globals.
pub(super) struct Worker<'a> {
    state: Expansion,
    pub(super) globals: &'a dyn Globals,
    /// Set by a piece of work that must hand over to the evaluator.
    stop: Option<Stop>,
}

enum Stop {
    Macro { procedure: MacroRef, form: Stx, span: Span },
    Forms(Vec<Stx>),
    Step(Box<Step>),
}

/// A form being expanded: what every transformer gets.
pub(super) struct Use<'a> {
    pub(super) form: &'a Stx,
    pub(super) items: &'a [Stx],
    pub(super) env: &'a Env,
    pub(super) name: Option<&'a Name>,
    pub(super) special: &'static Form,
}

pub(super) type Result<T> = std::result::Result<T, SyntaxError>;

impl Use<'_> {
    pub(super) fn args(&self) -> &[Stx] {
        self.items.get(1..).unwrap_or_default()
    }
    pub(super) fn span(&self) -> &Span {
        &self.form.span
    }
    /// The form is not of the shape its table row shows.
    pub(super) fn bad(&self) -> SyntaxError {
        self.error(
            format!(
                "expected {}",
                self.special.syntax.replacen(self.special.name, self.special.shown(), 1)
            ),
            self.form,
        )
    }
    /// `form: message`, at a part of the form.
    pub(super) fn error(&self, message: impl std::fmt::Display, at: &Stx) -> SyntaxError {
        SyntaxError::new(format!("{}: {message}", self.special.shown()), at.span.clone())
    }
    /// A builder of forms that stand at this place.
    pub(super) fn builder(&self) -> build::Builder {
        build::Builder::new(self.span())
    }
}

impl Expansion {
    fn with(task: Task, top: &Rc<TopEnv>) -> Expansion {
        let mut todo = List::new();
        todo.push(task);
        Expansion {
            todo,
            output: List::new(),
            warnings: List::new(),
            frames: Frames::default(),
            aliases: Rc::new(Aliases::new()),
            top: top.clone(),
            uses: 0,
            budget: MADE_MAX,
            size: 0,
        }
    }
    /// The expansion of a top-level form.
    pub fn new(form: Stx, top: &Rc<TopEnv>) -> Expansion {
        Expansion::with(Task::Top(form), top)
    }
    /// The expansion of a form only as far as its head is a macro.
    pub fn macroexpand(form: Stx, top: &Rc<TopEnv>) -> Expansion {
        Expansion::with(Task::Macroexpand(form), top)
    }

    /// The top level it belongs to.
    pub fn top(&self) -> &Rc<TopEnv> {
        &self.top
    }

    /// Goes on until the evaluator is needed.
    pub fn step(self, answer: Answer, globals: &dyn Globals) -> Step {
        let mut worker = Worker {
            state: self,
            globals,
            stop: None,
        };
        match worker.accept(answer).and_then(|()| worker.run()) {
            Ok(step) => step,
            Err(error) => Step::Err(error),
        }
    }
}

impl Worker<'_> {
    fn accept(&mut self, answer: Answer) -> Result<()> {
        match answer {
            Answer::Go => {}
            Answer::Form(form) => {
                if let Some(Task::AwaitForm { place, span, encoded }) = self.state.todo.pop() {
                    let form = if encoded { self.decode(&form) } else { form };
                    self.continue_with(form, place, &span)?;
                }
            }
            Answer::Macro(procedure) => {
                if let Some(Task::AwaitMacro { frame, ident }) = self.state.todo.pop() {
                    self.bind_in_frame(frame, ident, Binding::Macro(procedure));
                }
            }
        }
        Ok(())
    }

    fn run(mut self) -> Result<Step> {
        for _ in 0..SLICE {
            let Some(task) = self.state.todo.pop() else {
                let warnings = self.state.warnings.into_vec();
                return Ok(Step::Done(op::build(self.state.output), warnings));
            };
            self.perform(task)?;
            if self.state.size > OUTPUT_MAX {
                let span = self
                    .state
                    .output
                    .iter()
                    .next()
                    .map_or_else(Span::none, |(_, span)| span.clone());
                return Err(SyntaxError::new("this form is too large", span));
            }
            match self.stop.take() {
                None => {}
                Some(Stop::Step(step)) => return Ok(*step),
                Some(Stop::Forms(forms)) => return Ok(self.into_forms(forms)),
                Some(Stop::Macro { procedure, form, span }) => {
                    return Ok(Step::NeedMacro {
                        procedure,
                        form,
                        span,
                        next: self.state,
                    });
                }
            }
            let next = self.state.todo.iter().next();
            if matches!(next, Some(Task::TransformerDone { .. })) {
                return Ok(self.hand_over_transformer());
            }
        }
        Ok(Step::Pause(self.state))
    }

    fn perform(&mut self, task: Task) -> Result<()> {
        match task {
            Task::Expr { form, env, name } => self.expr(&form, &env, name),
            Task::Emit(op, span) => {
                self.output(op, &span);
                Ok(())
            }
            Task::Body { forms, env, span } => {
                self.body(&forms, &env, &span);
                Ok(())
            }
            Task::Scan(scan) => self.scan(*scan),
            Task::Top(form) => self.top_form(form),
            Task::Macroexpand(form) => self.macroexpand(form),
            Task::TransformerDone { .. } | Task::AwaitForm { .. } | Task::AwaitMacro { .. } => Ok(()),
        }
    }

    fn hand_over_transformer(mut self) -> Step {
        let Some(Task::TransformerDone { output, name }) = self.state.todo.pop() else {
            return Step::Pause(self.state);
        };
        let core = op::build(std::mem::replace(&mut self.state.output, output));
        Step::NeedEval {
            core,
            name,
            next: self.state,
        }
    }

    /// Each form an expansion of its own, sharing the aliases.
    fn into_forms(self, forms: Vec<Stx>) -> Step {
        let fresh = |form| Expansion {
            aliases: self.state.aliases.clone(),
            ..Expansion::with(Task::Top(form), &self.state.top)
        };
        Step::Forms(forms.into_iter().map(fresh).collect())
    }

    // ---- what transformers use -------------------------------------------------------------

    /// Puts work on the list; what is pushed last is done first.
    pub(super) fn push(&mut self, task: Task) {
        self.state.todo.push(task);
    }
    pub(super) fn push_expr(&mut self, form: &Stx, env: &Env) {
        self.push_named(form, env, None);
    }
    pub(super) fn push_named(&mut self, form: &Stx, env: &Env, name: Option<Name>) {
        self.push(Task::Expr {
            form: form.clone(),
            env: env.clone(),
            name,
        });
    }
    pub(super) fn push_op(&mut self, op: Op, span: &Span) {
        self.push(Task::Emit(op, span.clone()));
    }
    pub(super) fn output(&mut self, op: Op, span: &Span) {
        self.state.size += 1;
        self.state.output.push((op, span.clone()));
    }
    pub(super) fn constant(&mut self, node: Node, span: &Span) {
        self.output(Op::Const(Syntax::new(node, span.clone())), span);
    }
    pub(super) fn warn(&mut self, message: String, span: &Span) {
        self.state.warnings.push(Warning {
            message,
            span: span.clone(),
        });
    }
    pub(super) fn warned(&self, ending: &str) -> bool {
        let warnings = &mut self.state.warnings.iter();
        warnings.any(|warning| warning.message.ends_with(ending))
    }
    pub(super) fn aliases(&self) -> &Aliases {
        &self.state.aliases
    }
    pub(super) fn frames(&self) -> &Frames {
        &self.state.frames
    }
    pub(super) fn new_frame(&mut self) -> usize {
        let frames = Rc::make_mut(&mut self.state.frames);
        frames.push(List::new());
        frames.len() - 1
    }
    pub(super) fn bind_in_frame(&mut self, frame: usize, ident: Ident, binding: Binding) {
        Rc::make_mut(&mut self.state.frames)[frame].push((ident, binding));
    }
    pub(super) fn scoping(&self) -> Scoping<'_> {
        Scoping {
            frames: &self.state.frames,
            aliases: &self.state.aliases,
            globals: self.globals,
        }
    }
    pub(super) fn meaning(&self, ident: &Ident, env: &Env) -> Meaning {
        self.scoping().meaning(ident, env)
    }
    pub(super) fn stop_with(&mut self, step: Step) {
        self.stop = Some(Stop::Step(Box::new(step)));
    }
    /// Is this the auxiliary keyword of that name (`else`, `=>`), not hidden by a binding?
    pub(super) fn is_keyword(&self, stx: &Stx, name: &str, env: &Env) -> bool {
        match Ident::of(stx) {
            Some(ident) if &*ident.name == name => {
                matches!(self.meaning(&ident, env), Meaning::Special(form) if form.name == name)
            }
            _ => false,
        }
    }
    /// The special form at the head of a form, if there is one.
    pub(super) fn special_of(&self, form: &Stx, env: &Env) -> Option<&'static Form> {
        let ident = Ident::of(form.as_list()?.first()?)?;
        match self.meaning(&ident, env) {
            Meaning::Special(form) => Some(form),
            _ => None,
        }
    }
    /// Takes the output aside while the transformer of a local macro is expanded.
    pub(super) fn begin_transformer(&mut self, name: Name) {
        let output = std::mem::take(&mut self.state.output);
        self.push(Task::TransformerDone { output, name });
    }

    // ---- macro uses -------------------------------------------------------------------------

    /// Expands one use of a `syntax-rules` macro.
    pub(super) fn apply_rules(&mut self, rules: &Rules, form: &Stx, env: &Env) -> Result<Stx> {
        self.count_use(&form.span)?;
        let budget = Cell::new(self.state.budget);
        let expanded = rules.expand(form, env, &self.scoping(), &budget);
        self.state.budget = budget.get();
        expanded
    }

    /// Asks for the call of a macro procedure.
    pub(super) fn call_macro(&mut self, procedure: MacroRef, form: &Stx, env: &Env, place: Place) -> Result<()> {
        self.count_use(&form.span)?;
        let span = form.span.clone();
        let (form, encoded) = self.encode(form, env);
        self.push(Task::AwaitForm {
            place,
            span: span.clone(),
            encoded,
        });
        self.stop = Some(Stop::Macro { procedure, form, span });
        Ok(())
    }

    fn count_use(&mut self, span: &Span) -> Result<()> {
        self.count_uses(1, "macro expansion does not end", span)
    }

    /// An `include` among other forms; a file may include itself.
    pub(super) fn count_include(&mut self, span: &Span) -> Result<()> {
        self.count_uses(
            USES_MAX / INCLUDES_MAX,
            "include: the files include each other without end",
            span,
        )
    }

    fn count_uses(&mut self, uses: u32, otherwise: &str, span: &Span) -> Result<()> {
        self.state.uses += uses;
        match self.state.uses > USES_MAX {
            true => Err(SyntaxError::new(otherwise, span.clone())),
            false => Ok(()),
        }
    }

    /// Goes on with what a macro use has become.
    fn continue_with(&mut self, form: Stx, place: Place, span: &Span) -> Result<()> {
        match place {
            Place::Top => self.push(Task::Top(form)),
            Place::Macroexpand => self.push(Task::Macroexpand(form)),
            Place::Expr { env, name } => self.push(Task::Expr { form, env, name }),
            Place::Body => match self.state.todo.pop() {
                Some(Task::Scan(mut scan)) => {
                    scan.put_back(form);
                    self.push(Task::Scan(scan));
                }
                _ => return Err(SyntaxError::new("a macro answered twice in one body", span.clone())),
            },
        }
        Ok(())
    }

    // ---- aliases in data --------------------------------------------------------------------

    /// The form for a macro procedure, which knows no aliases. An alias whose bare name means the
    /// same here becomes that name; another one gets a name that `decode` knows again.
    fn encode(&self, form: &Stx, env: &Env) -> (Stx, bool) {
        let mut encoded = false;
        let form = build::map_idents(form, &mut |ident, span| {
            let row = ident.alias_row()?;
            let bare = Ident::symbol(&ident.name);
            if self.scoping().same(&ident, env, &bare, env) {
                return Some(Syntax::new(bare.node(), span.clone()));
            }
            encoded = true;
            let marked: Name = format!("{}{MARK}{row}", ident.name).into();
            Some(Syntax::new(Node::Sym(marked), span.clone()))
        });
        (form, encoded)
    }

    fn decode(&self, form: &Stx) -> Stx {
        build::map_idents(form, &mut |ident, span| {
            let (printed, row) = ident.name.split_once(MARK)?;
            let alias = self.aliases().get(&printed.into(), row.parse().ok()?)?;
            Some(Syntax::new(alias.node(), span.clone()))
        })
    }

    // ---- top-level forms --------------------------------------------------------------------

    fn top_form(&mut self, form: Stx) -> Result<()> {
        let env = Env::top(self.state.top.clone());
        let Some(ident) = form.as_list().and_then(|items| Ident::of(items.first()?)) else {
            self.push_expr(&form, &env);
            return Ok(());
        };
        match self.meaning(&ident, &env) {
            Meaning::Special(special) => self.top_special(special, form, &env)?,
            Meaning::Macro(GlobalMacro::Rules(rules)) => {
                let form = self.apply_rules(&rules, &form, &env)?;
                self.push(Task::Top(form));
            }
            Meaning::Macro(GlobalMacro::Procedure(procedure)) => self.call_macro(procedure, &form, &env, Place::Top)?,
            _ => self.push_expr(&form, &env),
        }
        Ok(())
    }

    fn top_special(&mut self, special: &'static Form, form: Stx, env: &Env) -> Result<()> {
        let items = form.as_list().unwrap_or_default();
        let usage = Use {
            form: &form,
            items,
            env,
            name: None,
            special,
        };
        match special.rewrite {
            Rewrite::Do if choice::is_loop(usage.args()) => self.push_expr(&form, env),
            Rewrite::Begin | Rewrite::Do if items.len() > 1 => self.stop = Some(Stop::Forms(items[1..].to_vec())),
            Rewrite::Import => {
                let sets = module::parse_import(&usage)?;
                self.stop_with(Step::Import(sets, form.span.clone()));
            }
            Rewrite::Include => {
                let inclusion = module::parse_include(&usage)?;
                self.stop_with(Step::Include(inclusion));
            }
            Rewrite::Library => {
                let library = module::parse_library(&usage, self.globals)?;
                self.stop_with(Step::Library(Box::new(library)));
            }
            Rewrite::Derived(rewrite) | Rewrite::Definitions(rewrite) => {
                let form = rewrite(self, &usage)?;
                self.push(Task::Top(form));
            }
            _ => self.push_expr(&form, env),
        }
        Ok(())
    }

    fn macroexpand(&mut self, form: Stx) -> Result<()> {
        let env = Env::top(self.state.top.clone());
        let head = form.as_list().and_then(|items| Ident::of(items.first()?));
        match head.map(|ident| self.meaning(&ident, &env)) {
            Some(Meaning::Macro(GlobalMacro::Rules(rules))) => {
                let form = self.apply_rules(&rules, &form, &env)?;
                self.push(Task::Macroexpand(form));
                Ok(())
            }
            Some(Meaning::Macro(GlobalMacro::Procedure(procedure))) => {
                self.call_macro(procedure, &form, &env, Place::Macroexpand)
            }
            _ => {
                self.stop_with(Step::Expanded(build::strip(&form)));
                Ok(())
            }
        }
    }

    // ---- expressions ------------------------------------------------------------------------

    fn expr(&mut self, form: &Stx, env: &Env, name: Option<Name>) -> Result<()> {
        match &form.node {
            Node::Sym(_) | Node::Alias(..) => self.reference(form, env),
            Node::List(items) if !items.is_empty() => self.list(form, items, env, name),
            Node::Keyword(name) => {
                self.constant(Node::Str(name.clone()), &form.span);
                Ok(())
            }
            Node::Dict(pairs) => {
                let operands = pairs.iter().flat_map(|(key, value)| [key, value]);
                self.push_call_of("%dict", operands, form, env);
                Ok(())
            }
            Node::Dotted(items, _) => {
                match items
                    .first()
                    .and_then(|head| Ident::of(head))
                    .map(|ident| self.meaning(&ident, env))
                {
                    Some(Meaning::Local(Binding::Rules(rules)) | Meaning::Macro(GlobalMacro::Rules(rules))) => {
                        let form = self.apply_rules(&rules, form, env)?;
                        self.push_named(&form, env, name);
                        Ok(())
                    }
                    _ => Err(SyntaxError::new("a dotted list is no expression", form.span.clone())),
                }
            }
            Node::Label(_, datum) => {
                self.push_named(datum, env, name);
                Ok(())
            }
            Node::Ref(label) => {
                let message = format!("#{label}#: only quoted data may contain themselves");
                Err(SyntaxError::new(message, form.span.clone()))
            }
            _ => {
                self.output(Op::Const(build::strip(form)), &form.span);
                Ok(())
            }
        }
    }

    fn reference(&mut self, form: &Stx, env: &Env) -> Result<()> {
        let Some(ident) = Ident::of(form) else { return Ok(()) };
        let span = &form.span;
        let name = &ident.name;
        match self.meaning(&ident, env) {
            Meaning::Local(Binding::Var(var)) => self.output(Op::Local(var), span),
            Meaning::Local(Binding::Sibling(var)) => {
                self.warn_of_sibling(name, span);
                self.output(Op::Local(var), span);
            }
            Meaning::Global(global) => self.output(Op::Global(global), span),
            Meaning::Macro(_) => {
                let global = self.global_of(&ident, env);
                self.output(Op::Global(global), span);
            }
            Meaning::Special(special) => {
                let message = match special.rewrite {
                    Rewrite::Auxiliary => format!("{}: only has a meaning inside {}", special.name, special.syntax),
                    _ => format!(
                        "{}: a special form is no value; expected {}",
                        special.name, special.syntax
                    ),
                };
                return Err(SyntaxError::new(message, span.clone()));
            }
            Meaning::OtherPhase => {
                let message = format!("{name}: a macro transformer cannot use a variable of the code around it");
                return Err(SyntaxError::new(message, span.clone()));
            }
            Meaning::Local(_) => {
                let message = format!("{name}: a local macro is no value");
                return Err(SyntaxError::new(message, span.clone()));
            }
        }
        Ok(())
    }

    fn warn_of_sibling(&mut self, name: &Name, span: &Span) {
        let text = format!(
            ": let: `{name}` in this value is the variable bound just before it, not the one outside (let is sequential)"
        );
        // One warning for a variable of a form, at its first use.
        if !self.warned(&text) {
            self.warn(span.place() + &text, span);
        }
    }

    fn list(&mut self, form: &Stx, items: &[Stx], env: &Env, name: Option<Name>) -> Result<()> {
        let Some(ident) = Ident::of(&items[0]) else {
            self.push_call(items, form, env);
            return Ok(());
        };
        match self.meaning(&ident, env) {
            Meaning::Special(special) => self.special(
                special,
                &Use {
                    form,
                    items,
                    env,
                    name: name.as_ref(),
                    special,
                },
            ),
            Meaning::Local(Binding::Rules(rules)) | Meaning::Macro(GlobalMacro::Rules(rules)) => {
                let form = self.apply_rules(&rules, form, env)?;
                self.push_named(&form, env, name);
                Ok(())
            }
            Meaning::Local(Binding::Macro(procedure)) | Meaning::Macro(GlobalMacro::Procedure(procedure)) => {
                self.call_macro(procedure, form, env, Place::Expr { env: env.clone(), name })
            }
            Meaning::Macro(GlobalMacro::SpecialForm) => page::registered_form(self, &ident, form, env),
            _ if ident.name.len() > 1 && ident.name.starts_with('~') => {
                page::component_call(self, items, form, env);
                Ok(())
            }
            Meaning::Global(global) if self.is_tag(&global) => {
                self.push_call(&page::keyed(items), form, env);
                Ok(())
            }
            _ => {
                self.push_call(items, form, env);
                Ok(())
            }
        }
    }

    fn special(&mut self, special: &'static Form, usage: &Use<'_>) -> Result<()> {
        match special.rewrite {
            Rewrite::Core(transform) => transform(self, usage),
            Rewrite::Derived(rewrite) => {
                let form = rewrite(self, usage)?;
                self.push_named(&form, usage.env, usage.name.cloned());
                Ok(())
            }
            Rewrite::Definitions(rewrite) => {
                self.check_definition_place(usage)?;
                let form = rewrite(self, usage)?;
                self.push_expr(&form, usage.env);
                Ok(())
            }
            Rewrite::Define(transform) => {
                self.check_definition_place(usage)?;
                transform(self, usage)
            }
            Rewrite::Do if choice::is_loop(usage.args()) => choice::do_loop(self, usage),
            Rewrite::Begin | Rewrite::Do => {
                self.body(usage.args(), usage.env, usage.span());
                Ok(())
            }
            Rewrite::Include => {
                let forms = module::included(self, usage)?;
                self.body(&forms, usage.env, usage.span());
                Ok(())
            }
            Rewrite::Import | Rewrite::Library => Err(usage.error("only allowed at top level", usage.form)),
            Rewrite::Auxiliary => Err(usage.error(format!("only has a meaning inside {}", special.syntax), usage.form)),
        }
    }

    /// A definition is allowed at top level and among the forms of a body.
    fn check_definition_place(&self, usage: &Use<'_>) -> Result<()> {
        match usage.env.as_top() {
            Some(_) => Ok(()),
            None => Err(usage.error(
                "a definition is only allowed at top level or as a form of a body",
                usage.form,
            )),
        }
    }

    /// Does a call of this global make an element?
    fn is_tag(&self, global: &str) -> bool {
        tag_of(global).is_some() && !self.globals.is_bound(global)
    }

    fn push_call(&mut self, items: &[Stx], form: &Stx, env: &Env) {
        self.push_op(Op::Call(items.len() - 1), &form.span);
        for item in items.iter().rev() {
            self.push_expr(item, env);
        }
    }

    /// A call of a core function by its name.
    pub(super) fn push_call_of<'s>(
        &mut self,
        function: &str,
        operands: impl DoubleEndedIterator<Item = &'s Stx>,
        form: &Stx,
        env: &Env,
    ) {
        let operands: Vec<&Stx> = operands.collect();
        self.push_op(Op::Call(operands.len()), &form.span);
        for operand in operands.into_iter().rev() {
            self.push_expr(operand, env);
        }
        self.output(Op::Global(function.into()), &form.span);
    }

    /// The global that an identifier names here, whatever it holds.
    pub(super) fn global_of(&self, ident: &Ident, env: &Env) -> Name {
        self.scoping().global(ident, env)
    }
}
