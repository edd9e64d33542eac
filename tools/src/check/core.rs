//! Findings in core forms, where every name is settled: globals that nothing defines, calls with
//! the wrong number of arguments, variables that nothing uses.

use super::Finding;
use super::bindings::{Binding, How};
use super::world::{Arity, Known, World};
use std::collections::{HashMap, HashSet};
use sx::Code;
use sx_interp::core::{Core, CoreNode, Var};
use sx_runtime::syntax::{Name, Node, Span};

/// Everything found.
pub fn check(world: &World, bindings: &[Binding]) -> Vec<Finding> {
    let facts = Facts::gather(&world.cores);
    let mut findings = Vec::new();
    for (name, span) in &facts.globals {
        if !facts.defined.contains(&***name) {
            findings.extend(undefined(world, name, span));
        }
    }
    for call in &facts.calls {
        findings.extend(wrong_call(world, &facts, call));
        findings.extend(wrong_component_call(world, &facts, call));
    }
    findings.extend(unused(world, &facts, bindings));
    findings
}

/// A call of something with a name.
struct Call<'a> {
    callee: &'a Core,
    operands: &'a [Core],
    span: &'a Span,
}

/// What the core forms of a program say of names.
#[derive(Default)]
struct Facts<'a> {
    /// Uses of globals.
    globals: Vec<(&'a Name, &'a Span)>,
    /// Globals that are defined, also where the definition is inside a procedure.
    defined: HashSet<&'a str>,
    /// Globals that are assigned.
    assigned: HashSet<&'a str>,
    calls: Vec<Call<'a>>,
    used: HashSet<usize>,
    /// Variables of `let` and definitions: where they are bound.
    variables: Vec<(&'a Var, &'a Span)>,
    /// Procedures that a variable always holds.
    procedures: HashMap<usize, Arity>,
}

impl<'a> Facts<'a> {
    fn gather(cores: &'a [Core]) -> Facts<'a> {
        let mut facts = Facts::default();
        let mut todo: Vec<&Core> = cores.iter().collect();
        while let Some(core) = todo.pop() {
            facts.take(core, &mut todo);
        }
        facts
    }

    fn take(&mut self, core: &'a Core, todo: &mut Vec<&'a Core>) {
        match &core.node {
            CoreNode::Const(_) => {}
            CoreNode::Local(var) => drop(self.used.insert(var.id())),
            CoreNode::Global(name) => self.globals.push((name, &core.span)),
            CoreNode::SetLocal(var, value) => {
                self.used.insert(var.id());
                todo.push(value);
            }
            CoreNode::SetGlobal(name, value) => {
                self.globals.push((name, &core.span));
                self.assigned.insert(name);
                todo.push(value);
            }
            CoreNode::Define(name, value) => {
                self.defined.insert(name);
                todo.push(value);
            }
            CoreNode::If(test, then, otherwise) => todo.extend([&**test, then, otherwise]),
            CoreNode::Seq(forms) => todo.extend(forms),
            CoreNode::Lambda(lambda) => todo.push(&lambda.body),
            CoreNode::Let(var, value, body) => {
                self.bind(var, value, &core.span);
                todo.extend([&**value, body]);
            }
            CoreNode::Letrec(entries, body) => {
                for (var, value) in entries {
                    self.bind(var, value, &core.span);
                    todo.push(value);
                }
                todo.push(body);
            }
            CoreNode::Call(callee, operands) => {
                let span = &core.span;
                self.calls.push(Call { callee, operands, span });
                todo.push(callee);
                todo.extend(operands);
            }
        }
    }

    fn bind(&mut self, var: &'a Var, value: &Core, span: &'a Span) {
        self.variables.push((var, span));
        if let CoreNode::Lambda(lambda) = &value.node
            && !var.0.assigned.get()
        {
            let count = lambda.params.len();
            self.procedures
                .insert(var.id(), (count, lambda.rest.is_none().then_some(count)));
        }
    }
}

/// The name as the program wrote it: a library's global has the library's name in front.
fn printed(global: &str) -> &str {
    match global.split_once('#') {
        Some((library, name)) if !library.is_empty() && !name.is_empty() => name,
        _ => global,
    }
}

fn undefined(world: &World, name: &Name, span: &Span) -> Option<Finding> {
    let shown = printed(name);
    let is_known = name.starts_with('%')
        || world.defines(name)
        || world.loose.contains(shown)
        || world.known(name) != Known::Nothing
        || sx_runtime::html::tag_of(name).is_some();
    if is_known {
        return None;
    }
    let finding = Finding::error(Code::Undefined, format!("Undefined symbol: {shown}"), span);
    Some(match world.advice(shown) {
        Some(advice) => finding.help(advice),
        None => finding,
    })
}

fn wrong_call(world: &World, facts: &Facts<'_>, call: &Call<'_>) -> Option<Finding> {
    let (name, arity) = match &call.callee.node {
        CoreNode::Global(name) if name.starts_with('%') || facts.assigned.contains(&**name) => return None,
        CoreNode::Global(name) if world.loose.contains(printed(name)) => return None,
        CoreNode::Global(name) => (printed(name), world.arity(name)?),
        CoreNode::Local(var) => (&*var.0.name, *facts.procedures.get(&var.id())?),
        _ => return None,
    };
    wrong_count(name, arity, call.operands.len(), call.span)
}

/// A call or use of something that takes another number of arguments.
pub(super) fn wrong_count(name: &str, (least, most): Arity, given: usize, span: &Span) -> Option<Finding> {
    if given >= least && most.is_none_or(|most| given <= most) {
        return None;
    }
    let message = format!("{name}: expected {}, got {given}", wanted(least, most));
    Some(Finding::error(Code::Arity, message, span))
}

/// Children that a component does not take, and keys it does not have.
fn wrong_component_call(world: &World, facts: &Facts<'_>, call: &Call<'_>) -> Vec<Finding> {
    let (CoreNode::Global(function), Some((callee, operands))) = (&call.callee.node, call.operands.split_first())
    else {
        return Vec::new();
    };
    let CoreNode::Global(name) = &callee.node else {
        return Vec::new();
    };
    let settled = !facts.assigned.contains(&**name) && !world.loose.contains(printed(name));
    let Some(component) = world
        .component(name)
        .filter(|_| settled && &**function == "%call-component")
    else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    let (mut plain, mut operands) = (0, operands.iter());
    while let Some(operand) = operands.next() {
        let CoreNode::Const(stx) = &operand.node else {
            plain += 1;
            continue;
        };
        match &stx.node {
            Node::Keyword(key) => {
                operands.next();
                if !component.keys.contains(key) {
                    let message = format!("{} has no parameter :{key}", printed(name));
                    findings.push(Finding::warning("unknown-key", message, &operand.span));
                }
            }
            _ => plain += 1,
        }
    }
    if plain > component.positional && !component.takes_rest {
        let message = format!("{}: takes no children", printed(name));
        findings.push(Finding::error(Code::Arity, message, call.span));
    }
    findings
}

fn wanted(least: usize, most: Option<usize>) -> String {
    let plural = |n: usize| if n == 1 { "" } else { "s" };
    match most {
        None => format!("at least {least} argument{}", plural(least)),
        Some(most) if most == least => format!("{least} argument{}", plural(least)),
        Some(most) => format!("{least} to {most} arguments"),
    }
}

/// Variables that the text binds and nothing uses. A name that begins with `_` says that this is
/// meant.
fn unused<'a>(world: &'a World, facts: &'a Facts<'_>, bindings: &'a [Binding]) -> impl Iterator<Item = Finding> + 'a {
    let mut places: HashMap<(&str, u32, u32), (bool, bool)> = HashMap::new();
    for (var, span) in &facts.variables {
        let entry = places.entry((&*var.0.name, span.start, span.end)).or_default();
        entry.0 = true;
        entry.1 |= facts.used.contains(&var.id());
    }
    bindings.iter().filter_map(move |binding| {
        let key = (&*binding.name, binding.form.start, binding.form.end);
        let is_unused = places.get(&key) == Some(&(true, false));
        let is_meant = binding.name.starts_with('_') || binding.how == How::Parameter;
        if !is_unused || is_meant || world.loose.contains(&binding.name) {
            return None;
        }
        let message = format!("{} is bound but never used", binding.name);
        Some(Finding::warning("unused", message, &binding.span))
    })
}
