//! What must be known of a program before its code is made: which local functions can be loops.
//!
//! The walk gives each function body a region and notes every use of a local function with the
//! region it stands in. A local function is a loop if it is only ever called, in tail position of its
//! own scope, from regions that run in the same frame; whether they do depends on which other
//! local functions are loops, so the set is narrowed until it is stable.

use crate::core::{Core, CoreNode, Lambda, Var};
use std::collections::{HashMap, HashSet};
use sx_runtime::syntax::Node;

pub(super) struct Analysis {
    loops: HashSet<usize>,
}

impl Analysis {
    pub fn of(core: &Core) -> Analysis {
        let mut walk = Walk::default();
        walk.regions.push(Region {
            parent: 0,
            candidate: None,
        });
        walk.core(core, 0);
        walk.finish()
    }

    /// Is the local function bound to `var` a loop?
    pub fn is_loop(&self, var: &Var) -> bool {
        self.loops.contains(&var.id())
    }
}

/// A function body.
struct Region {
    parent: usize,
    /// The variable whose loop this body may be.
    candidate: Option<usize>,
}

/// A local function that may be a loop.
struct Candidate {
    /// The region its `letrec` stands in.
    home: usize,
    argc: usize,
    /// A call must be in tail position of this scope.
    scope: usize,
}

/// One use of a variable.
struct Use {
    var: usize,
    region: usize,
    /// A call in tail position of the scope of a candidate, with the right number of arguments.
    loop_call: bool,
}

#[derive(Default)]
struct Walk {
    regions: Vec<Region>,
    candidates: HashMap<usize, Candidate>,
    uses: Vec<Use>,
    /// Scopes of candidates that are open.
    depth: usize,
    /// The position is in tail position of the open scopes from this one inwards.
    tail_from: Option<usize>,
}

impl Walk {
    fn core(&mut self, core: &Core, region: usize) {
        stacker::maybe_grow(64 * 1024, 1024 * 1024, || self.core_here(core, region));
    }

    fn non_tail(&mut self, core: &Core, region: usize) {
        let saved = self.tail_from.take();
        self.core(core, region);
        self.tail_from = saved;
    }

    fn touch(&mut self, var: &Var, region: usize, loop_call: bool) {
        self.uses.push(Use {
            var: var.id(),
            region,
            loop_call,
        });
    }

    fn core_here(&mut self, core: &Core, region: usize) {
        match &core.node {
            CoreNode::Const(_) | CoreNode::Global(_) => {}
            CoreNode::Local(var) => self.touch(var, region, false),
            CoreNode::SetLocal(var, value) => {
                self.touch(var, region, false);
                self.non_tail(value, region);
            }
            CoreNode::SetGlobal(_, value) | CoreNode::Define(_, value) => self.non_tail(value, region),
            CoreNode::If(test, then, other) => {
                self.non_tail(test, region);
                self.core(then, region);
                self.core(other, region);
            }
            CoreNode::Seq(items) => {
                if let Some((last, init)) = items.split_last() {
                    init.iter().for_each(|c| self.non_tail(c, region));
                    self.core(last, region);
                }
            }
            CoreNode::Lambda(lambda) => self.lambda(lambda, region),
            CoreNode::Let(_, init, body) => {
                self.non_tail(init, region);
                self.core(body, region);
            }
            CoreNode::Letrec(bindings, body) => self.letrec(bindings, body, region),
            CoreNode::Call(callee, args) => self.call(callee, args, region),
        }
    }

    fn lambda(&mut self, lambda: &Lambda, parent: usize) {
        self.regions.push(Region {
            parent,
            candidate: None,
        });
        let region = self.regions.len() - 1;
        self.non_tail(&lambda.body, region);
    }

    fn call(&mut self, callee: &Core, args: &[Core], region: usize) {
        args.iter().for_each(|a| self.non_tail(a, region));
        match &callee.node {
            CoreNode::Local(var) => {
                let row = self.candidates.get(&var.id());
                let tail = |scope: usize| self.tail_from.is_some_and(|from| from <= scope);
                let loop_call = row.is_some_and(|c| c.argc == args.len() && tail(c.scope));
                self.touch(var, region, loop_call);
            }
            CoreNode::Lambda(lambda) if called_in_place(lambda, args) => {
                self.core(&lambda.body, region);
            }
            _ => self.non_tail(callee, region),
        }
    }

    fn letrec(&mut self, bindings: &[(Var, Core)], body: &Core, region: usize) {
        if let [(var, init)] = bindings
            && let CoreNode::Lambda(lambda) = &init.node
            && lambda.rest.is_none()
            && !var.0.assigned.get()
        {
            return self.candidate(var, lambda, body, region);
        }
        bindings.iter().for_each(|(_, init)| self.non_tail(init, region));
        self.core(body, region);
    }

    fn candidate(&mut self, var: &Var, lambda: &Lambda, body: &Core, home: usize) {
        let scope = self.depth;
        self.candidates.insert(
            var.id(),
            Candidate {
                home,
                argc: lambda.params.len(),
                scope,
            },
        );
        let saved = self.tail_from;
        self.tail_from = Some(saved.map_or(scope, |from| from.min(scope)));
        self.depth += 1;
        self.core(body, home);
        self.regions.push(Region {
            parent: home,
            candidate: Some(var.id()),
        });
        let region = self.regions.len() - 1;
        self.core(&lambda.body, region);
        self.depth -= 1;
        self.tail_from = saved;
    }

    /// The region whose frame each region runs in, given which candidates are loops. Regions are
    /// numbered after their parents, so one sweep settles them.
    fn frames(&self, loops: &HashSet<usize>) -> Vec<usize> {
        let mut frames: Vec<usize> = vec![];
        for (i, region) in self.regions.iter().enumerate() {
            let shared = region.candidate.is_some_and(|c| loops.contains(&c));
            frames.push(if shared { frames[region.parent] } else { i });
        }
        frames
    }

    fn finish(self) -> Analysis {
        let called: HashSet<usize> = self.uses.iter().filter(|u| u.loop_call).map(|u| u.var).collect();
        let mut loops: HashSet<usize> = self.candidates.keys().copied().filter(|v| called.contains(v)).collect();
        loop {
            let frames = self.frames(&loops);
            let before = loops.len();
            for u in &self.uses {
                if let Some(c) = self.candidates.get(&u.var)
                    && (!u.loop_call || frames[u.region] != frames[c.home])
                {
                    loops.remove(&u.var);
                }
            }
            if loops.len() == before {
                return Analysis { loops };
            }
        }
    }
}

/// Is `((fn (x) …) v)` a `let`?
pub(super) fn called_in_place(lambda: &Lambda, args: &[Core]) -> bool {
    lambda.rest.is_none() && lambda.params.len() == args.len()
}

/// Parts of `core` that run in its own frame.
fn parts<'c>(core: &'c Core, out: &mut Vec<&'c Core>) {
    match &core.node {
        CoreNode::Const(_) | CoreNode::Global(_) | CoreNode::Local(_) | CoreNode::Lambda(_) => {}
        CoreNode::SetLocal(_, value) | CoreNode::SetGlobal(_, value) | CoreNode::Define(_, value) => out.push(value),
        CoreNode::If(a, b, c) => out.extend([&**a, &**b, &**c]),
        CoreNode::Seq(items) => out.extend(items),
        CoreNode::Let(_, init, body) => out.extend([&**init, &**body]),
        CoreNode::Letrec(bindings, body) => {
            out.extend(bindings.iter().map(|(_, c)| c));
            out.push(body);
        }
        CoreNode::Call(callee, args) => {
            out.push(callee);
            out.extend(args);
        }
    }
}

/// The floats that a loop's body names, up to eight, not looking far.
pub(super) fn floats(body: &Core) -> Vec<f64> {
    let (mut found, mut todo, mut seen) = (vec![], vec![body], 0);
    while let Some(core) = todo.pop() {
        seen += 1;
        if seen > 500 || found.len() == 8 {
            break;
        }
        match &core.node {
            CoreNode::Const(datum) => {
                if let Node::Float(x) = datum.node {
                    found.push(x);
                }
            }
            CoreNode::Letrec(bindings, inner) => {
                // The body of a local function that may be a loop inside this one.
                let bodies = bindings.iter().filter_map(|(_, c)| match &c.node {
                    CoreNode::Lambda(lambda) => Some(&lambda.body),
                    _ => None,
                });
                todo.extend(bodies);
                todo.push(inner);
            }
            _ => parts(core, &mut todo),
        }
    }
    found
}

/// Does `core` use one of `vars`, or may it? Says yes when it would take long to find out.
pub(super) fn may_mention(core: &Core, vars: &[usize]) -> bool {
    let (mut todo, mut seen) = (vec![core], 0);
    while let Some(core) = todo.pop() {
        seen += 1;
        match &core.node {
            _ if seen > 200 => return true,
            CoreNode::Local(v) | CoreNode::SetLocal(v, _) if vars.contains(&v.id()) => return true,
            CoreNode::Lambda(lambda) => todo.push(&lambda.body),
            _ => parts(core, &mut todo),
        }
    }
    false
}
