//! Forms that choose: `if when unless and or cond case`.

use super::SyntaxError;
use super::env::{Env, Ident};
use super::op::Op;
use super::table::Form;
use super::work::{Result, Task, Use, Worker};
use crate::core::Var;
use sx_runtime::syntax::{Node, Span, Stx};
use sx_runtime::value::Word;

/// Work in the order it is to be done, and instructions to follow it, the last one first.
struct Plan {
    tasks: Vec<Task>,
    closing: Vec<Task>,
    span: Span,
}

impl Plan {
    fn new(span: &Span) -> Plan {
        Plan {
            tasks: Vec::new(),
            closing: Vec::new(),
            span: span.clone(),
        }
    }
    fn op(&mut self, op: Op) {
        self.tasks.push(Task::Emit(op, self.span.clone()));
    }
    fn node(&mut self, node: Node) {
        self.op(Op::Const(sx_runtime::syntax::Syntax::new(node, self.span.clone())));
    }
    fn expr(&mut self, form: &Stx, env: &Env) {
        self.tasks.push(Task::Expr {
            form: form.clone(),
            env: env.clone(),
            name: None,
        });
    }
    fn body(&mut self, forms: &[Stx], env: &Env, span: &Span) {
        self.tasks.push(Task::Body {
            forms: forms.to_vec(),
            env: env.clone(),
            span: span.clone(),
        });
    }
    /// The instruction comes after everything still to be planned.
    fn close(&mut self, op: Op) {
        self.closing.push(Task::Emit(op, self.span.clone()));
    }
    fn run(self, worker: &mut Worker<'_>) {
        self.closing.into_iter().for_each(|task| worker.push(task));
        self.tasks.into_iter().rev().for_each(|task| worker.push(task));
    }
}

/// `(if test then else?)`
pub(super) fn if_form(worker: &mut Worker<'_>, usage: &Use<'_>) -> Result<()> {
    let (test, then, otherwise) = match usage.args() {
        [test, then] => (test, then, None),
        [test, then, otherwise] => (test, then, Some(otherwise)),
        _ => return Err(usage.bad()),
    };
    let mut plan = Plan::new(usage.span());
    plan.expr(test, usage.env);
    plan.expr(then, usage.env);
    match otherwise {
        Some(form) => plan.expr(form, usage.env),
        None => plan.node(Node::Nil),
    }
    plan.op(Op::If);
    plan.run(worker);
    Ok(())
}

/// `(when test body…)`
pub(super) fn when(worker: &mut Worker<'_>, usage: &Use<'_>) -> Result<()> {
    let (test, body) = usage.args().split_first().ok_or_else(|| usage.bad())?;
    let mut plan = Plan::new(usage.span());
    plan.expr(test, usage.env);
    plan.body(body, usage.env, usage.span());
    plan.node(Node::Nil);
    plan.op(Op::If);
    plan.run(worker);
    Ok(())
}

/// `(unless test body…)`
pub(super) fn unless(worker: &mut Worker<'_>, usage: &Use<'_>) -> Result<()> {
    let (test, body) = usage.args().split_first().ok_or_else(|| usage.bad())?;
    let mut plan = Plan::new(usage.span());
    plan.expr(test, usage.env);
    plan.node(Node::Nil);
    plan.body(body, usage.env, usage.span());
    plan.op(Op::If);
    plan.run(worker);
    Ok(())
}

/// `(and form…)`
pub(super) fn and(worker: &mut Worker<'_>, usage: &Use<'_>) -> Result<()> {
    connective(worker, usage, true);
    Ok(())
}

/// `(or form…)`
pub(super) fn or(worker: &mut Worker<'_>, usage: &Use<'_>) -> Result<()> {
    connective(worker, usage, false);
    Ok(())
}

/// `(%or form…)`: Scheme's `or`, whose value without forms is `#f`.
pub(super) fn scheme_or(worker: &mut Worker<'_>, usage: &Use<'_>) -> Result<()> {
    match usage.args() {
        [] => worker.constant(Node::Bool(false), usage.span()),
        _ => connective(worker, usage, false),
    }
    Ok(())
}

/// `let t = form in if t then rest else t`, and the other way round for `or`.
fn connective(worker: &mut Worker<'_>, usage: &Use<'_>, is_and: bool) {
    let mut plan = Plan::new(usage.span());
    let Some((last, firsts)) = usage.args().split_last() else {
        worker.constant(if is_and { Node::Bool(true) } else { Node::Nil }, usage.span());
        return;
    };
    for form in firsts {
        let var = Var::new(if is_and { "and" } else { "or" }.into());
        plan.expr(form, usage.env);
        plan.op(Op::Local(var.clone()));
        plan.close(Op::Let(var.clone()));
        plan.close(Op::If);
        if is_and {
            plan.close(Op::Local(var));
        } else {
            plan.op(Op::Local(var));
        }
    }
    plan.expr(last, usage.env);
    plan.run(worker);
}

// ---- cond and case --------------------------------------------------------------------------

/// How the clauses of a `cond` or `case` are written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    /// `(test body…) …`
    Clauses,
    /// `test body test body …`
    Flat,
}

impl Worker<'_> {
    /// Clauses iff every one is a list and either all have exactly two elements, or the head of
    /// every one is a list, a catch-all or a literal.
    fn style(&self, clauses: &[Stx], env: &Env) -> Style {
        let lists: Option<Vec<&[Stx]>> = clauses.iter().map(|clause| clause.as_list()).collect();
        let Some(lists) = lists else { return Style::Flat };
        let pairs = lists.iter().all(|items| items.len() == 2);
        let telling = |head: &Stx| Ident::of(head).is_none() || self.is_keyword(head, "else", env);
        let heads = || lists.iter().all(|items| items.first().is_some_and(telling));
        match pairs || heads() {
            true => Style::Clauses,
            false => Style::Flat,
        }
    }

    fn is_catch_all(&self, test: &Stx, env: &Env) -> bool {
        match &test.node {
            Node::Bool(true) => true,
            Node::Keyword(name) => &**name == "else",
            _ => self.is_keyword(test, "else", env),
        }
    }
}

/// One clause: its test, and `=> receiver` or the body.
struct Clause<'a> {
    test: &'a Stx,
    receiver: Option<&'a Stx>,
    body: &'a [Stx],
    span: &'a Span,
}

/// Flat clauses of which one is half.
fn odd(of: &Form, at: &Stx) -> SyntaxError {
    let message = format!("{}: odd number of forms; expected {}", of.name, of.syntax);
    SyntaxError::new(message, at.span.clone())
}

fn parse_clauses<'a>(
    worker: &Worker<'_>,
    usage: &'a Use<'_>,
    clauses: &'a [Stx],
    style: Style,
) -> Result<Vec<Clause<'a>>> {
    if style == Style::Flat {
        if clauses.len() % 2 == 1 {
            return Err(odd(usage.special, &clauses[clauses.len() - 1]));
        }
        let clause = |pair: &'a [Stx]| Clause {
            test: &pair[0],
            receiver: None,
            body: &pair[1..],
            span: &pair[0].span,
        };
        return Ok(clauses.chunks_exact(2).map(clause).collect());
    }
    let clause = |stx: &'a Stx| {
        let items = stx.as_list().unwrap_or_default();
        let (test, body) = items
            .split_first()
            .ok_or_else(|| usage.error("expected a clause, got ()", stx))?;
        let arrow = body
            .first()
            .is_some_and(|first| worker.is_keyword(first, "=>", usage.env));
        let receiver = match body {
            [_, receiver] if arrow => Some(receiver),
            _ if arrow => return Err(usage.error("=> is followed by exactly one form", stx)),
            _ => None,
        };
        Ok(Clause {
            test,
            receiver,
            body,
            span: &stx.span,
        })
    };
    clauses.iter().map(clause).collect()
}

/// `(cond clause…)`
pub(super) fn cond(worker: &mut Worker<'_>, usage: &Use<'_>) -> Result<()> {
    let style = worker.style(usage.args(), usage.env);
    cond_with(worker, usage, usage.args(), style, None)
}

/// `(%cond clause…)`: Scheme's `cond`, all clauses lists.
pub(super) fn scheme_cond(worker: &mut Worker<'_>, usage: &Use<'_>) -> Result<()> {
    cond_with(worker, usage, usage.args(), Style::Clauses, None)
}

/// `(%cond-else default clause…)`: the default is for when no clause holds.
pub(super) fn cond_else(worker: &mut Worker<'_>, usage: &Use<'_>) -> Result<()> {
    let (default, clauses) = usage.args().split_first().ok_or_else(|| usage.bad())?;
    let style = match clauses
        .iter()
        .all(|clause| clause.as_list().is_some_and(|items| !items.is_empty()))
    {
        true => Style::Clauses,
        false => Style::Flat,
    };
    if style == Style::Flat
        && clauses.len() % 2 == 1
        && let (Some(guard), Some(last)) = (super::table::find("guard"), clauses.last())
    {
        return Err(odd(guard, last));
    }
    cond_with(worker, usage, clauses, style, Some(default))
}

fn cond_with(
    worker: &mut Worker<'_>,
    usage: &Use<'_>,
    clauses: &[Stx],
    style: Style,
    default: Option<&Stx>,
) -> Result<()> {
    let env = usage.env;
    let mut plan = Plan::new(usage.span());
    for clause in parse_clauses(worker, usage, clauses, style)? {
        if worker.is_catch_all(clause.test, env) {
            // What follows is dead, but its definitions and errors would have been wrong anyway.
            match clause.receiver {
                Some(receiver) => {
                    plan.expr(receiver, env);
                    plan.expr(clause.test, env);
                    plan.op(Op::Call(1));
                }
                None => plan.body(clause.body, env, clause.span),
            }
            plan.run(worker);
            return Ok(());
        }
        plan.expr(clause.test, env);
        if clause.receiver.is_none() && !clause.body.is_empty() {
            plan.body(clause.body, env, clause.span);
            plan.close(Op::If);
            continue;
        }
        let var = Var::new("test".into());
        plan.op(Op::Local(var.clone()));
        match clause.receiver {
            Some(receiver) => {
                plan.expr(receiver, env);
                plan.op(Op::Local(var.clone()));
                plan.op(Op::Call(1));
            }
            None => plan.op(Op::Local(var.clone())),
        }
        plan.close(Op::Let(var));
        plan.close(Op::If);
    }
    match default {
        Some(form) => plan.expr(form, env),
        None => plan.node(Node::Nil),
    }
    plan.run(worker);
    Ok(())
}

/// `(case key clause…)`
pub(super) fn case(worker: &mut Worker<'_>, usage: &Use<'_>) -> Result<()> {
    let (_, clauses) = usage.args().split_first().ok_or_else(|| usage.bad())?;
    let style = worker.style(clauses, usage.env);
    case_with(worker, usage, style, "%=")
}

/// `(%case key clause…)`: Scheme's `case`.
pub(super) fn scheme_case(worker: &mut Worker<'_>, usage: &Use<'_>) -> Result<()> {
    case_with(worker, usage, Style::Clauses, "%eqv?")
}

fn case_with(worker: &mut Worker<'_>, usage: &Use<'_>, style: Style, equal: &'static str) -> Result<()> {
    let (key, clauses) = usage.args().split_first().ok_or_else(|| usage.bad())?;
    let env = usage.env;
    let var = Var::new("key".into());
    let mut plan = Plan::new(usage.span());
    plan.expr(key, env);
    plan.close(Op::Let(var.clone()));
    let mut complete = false;
    for clause in parse_clauses(worker, usage, clauses, style)? {
        let catch_all = worker.is_catch_all(clause.test, env);
        if !catch_all {
            plan_case_test(&mut plan, clause.test, &var, style, equal, env);
        }
        match clause.receiver {
            Some(receiver) => {
                plan.expr(receiver, env);
                plan.op(Op::Local(var.clone()));
                plan.op(Op::Call(1));
            }
            None => plan.body(clause.body, env, clause.span),
        }
        if catch_all {
            complete = true;
            break;
        }
        plan.close(Op::If);
    }
    if !complete {
        plan.node(Node::Nil);
    }
    plan.run(worker);
    Ok(())
}

/// Is the key one of the data of a clause, or in flat style the value of its test?
fn plan_case_test(plan: &mut Plan, test: &Stx, key: &Var, style: Style, equal: &'static str, env: &Env) {
    let data = match test.as_list() {
        Some(data) if style == Style::Clauses => data,
        _ => std::slice::from_ref(test),
    };
    if data.is_empty() {
        plan.node(Node::Bool(false));
    }
    for (at, datum) in data.iter().enumerate() {
        let function = match &datum.node {
            Node::Sym(_) | Node::Alias(..) if style == Style::Flat => equal,
            Node::Sym(_) | Node::Alias(..) | Node::Bool(_) | Node::Nil | Node::Char(_) => "%eq?",
            Node::Int(i) if equal == "%eqv?" && Word::try_fixnum(*i).is_some() => "%eq?",
            _ => equal,
        };
        plan.op(Op::Global(super::build::core_name(function)));
        plan.op(Op::Local(key.clone()));
        match &datum.node {
            _ if style == Style::Flat => plan.expr(datum, env),
            Node::Keyword(name) => plan.node(Node::Str(name.clone())),
            _ => plan.op(Op::Const(super::build::strip(datum))),
        }
        plan.op(Op::Call(2));
        if at + 1 < data.len() {
            plan.node(Node::Bool(true));
        }
    }
    (1..data.len()).for_each(|_| plan.op(Op::If));
}

/// `(do ((var init step?)…) (test result…) body…)` is Scheme's loop; any other `do` is a sequence.
pub(super) fn is_loop(args: &[Stx]) -> bool {
    let is_variable = |stx: &Stx| match stx.as_list() {
        Some([name, _] | [name, _, _]) => Ident::of(name).is_some(),
        _ => false,
    };
    match args {
        [variables, test, ..] => {
            variables.as_list().is_some_and(|items| items.iter().all(is_variable))
                && test.as_list().is_some_and(|items| !items.is_empty())
        }
        _ => false,
    }
}

/// The loop as a named let.
pub(super) fn do_loop(worker: &mut Worker<'_>, usage: &Use<'_>) -> Result<()> {
    if !is_loop(usage.args()) {
        return Err(usage.bad());
    }
    let builder = usage.builder();
    let [variables, test, body @ ..] = usage.args() else {
        return Err(usage.bad());
    };
    let again = builder.fresh(worker, "do");
    let (mut bindings, mut steps) = (Vec::new(), vec![again.clone()]);
    for variable in variables.as_list().unwrap_or_default() {
        let parts = variable.as_list().unwrap_or_default();
        bindings.push(builder.list(parts[..2].to_vec()));
        steps.push(parts.get(2).unwrap_or(&parts[0]).clone());
    }
    let (test, result) = test
        .as_list()
        .and_then(<[Stx]>::split_first)
        .ok_or_else(|| usage.bad())?;
    let mut turn = body.to_vec();
    turn.push(builder.list(steps));
    let choice = builder.call(
        "if",
        [
            test.clone(),
            super::body::one_form(&builder, result),
            builder.begin(turn),
        ],
    );
    let form = builder.call("let", [again, builder.list(bindings), choice]);
    worker.push_expr(&form, usage.env);
    Ok(())
}
