//! `letrec`: loops, functions that refer to each other, and values that may be asked for too soon.

use super::analysis::{floats, may_mention};
use super::function::{Loop, Place};
use super::{CompileError, Compiler, Done, Goal, limit};
use crate::core::{Core, CoreNode, Lambda, Var};
use sx_runtime::ops::{Instr, Op};
use sx_runtime::syntax::{Node, Span, Syntax};

impl Compiler<'_> {
    pub(super) fn letrec(&mut self, bindings: &[(Var, Core)], body: &Core, goal: Goal) -> Done {
        if let [(var, init)] = bindings
            && let CoreNode::Lambda(lambda) = &init.node
            && self.analysis.is_loop(var)
        {
            return self.loop_expr(var, lambda, body, goal);
        }
        let mark = self.f().next;
        self.letrec_bindings(bindings)?;
        self.expr(body, goal)?;
        self.f().end_scope(mark);
        Ok(())
    }

    /// A binding at the front whose value needs none of the others is an ordinary one.
    fn letrec_bindings(&mut self, bindings: &[(Var, Core)]) -> Done {
        let ids: Vec<usize> = bindings.iter().map(|(v, _)| v.id()).collect();
        let mut rest = bindings;
        while let [(var, init), tail @ ..] = rest {
            if may_mention(init, &ids) {
                break;
            }
            self.bind(var, init)?;
            rest = tail;
        }
        self.recursive_bindings(rest)
    }

    /// Homes first, then every function (making one has no effect), then the other values in
    /// order.
    fn recursive_bindings(&mut self, bindings: &[(Var, Core)]) -> Done {
        let is_function = |(var, init): &(Var, Core)| matches!(init.node, CoreNode::Lambda(_)) && !var.0.assigned.get();
        let functions: Vec<&(Var, Core)> = bindings.iter().filter(|b| is_function(b)).collect();
        let mut slots = vec![];
        for (var, init) in bindings {
            let slot = self.f().alloc(&init.span)?;
            slots.push(slot);
            if functions.iter().any(|(v, _)| v.id() == var.id()) {
                self.f().declare(var, Place::Slot(slot), slot);
            } else {
                self.unbound_home(var, slot, &init.span);
            }
        }
        self.functions_of(&functions)?;
        for ((var, init), slot) in bindings.iter().zip(slots) {
            if !functions.iter().any(|(v, _)| v.id() == var.id()) {
                self.late_value(var, init, slot)?;
            }
        }
        Ok(())
    }

    /// A box without a value: reading it before it has one is an error.
    fn unbound_home(&mut self, var: &Var, slot: u16, span: &Span) {
        let k = self.f().datum(&super::calls::unbound_marker(span));
        self.f().emit(Instr::wide(Op::Const, slot, k), span);
        self.f().emit(Instr::abc(Op::NewBox, slot, slot, 0), span);
        self.f().declare(var, Place::Boxed(slot, true), slot);
    }

    fn late_value(&mut self, var: &Var, init: &Core, slot: u16) -> Done {
        self.with_temp(&init.span, |c, t| {
            match &init.node {
                CoreNode::Lambda(lambda) => c.lambda(lambda, t, Some(&var.0.name), &init.span)?,
                _ => c.into(init, t)?,
            }
            c.f().emit(Instr::abc(Op::SetBox, slot, t, 0), &init.span);
            Ok(())
        })
    }

    /// Makes closures that capture each other: those made later are patched in.
    fn functions_of(&mut self, functions: &[&(Var, Core)]) -> Done {
        // (variable awaited, closure that awaits it, index among its captured variables)
        let mut awaited: Vec<(usize, u16, u16)> = vec![];
        for (i, (var, init)) in functions.iter().enumerate() {
            let CoreNode::Lambda(lambda) = &init.node else { continue };
            let later: Vec<Var> = functions[i + 1..].iter().map(|(v, _)| v.clone()).collect();
            let slot = self.slot_of(var, &init.span)?;
            let patches = self.closure(lambda, slot, Some(&var.0.name), Some(var), &later, &init.span)?;
            awaited.extend(
                patches
                    .into_iter()
                    .map(|(at, index)| (later[at].id(), slot, index as u16)),
            );
            for (_, closure, index) in awaited.iter().filter(|p| p.0 == var.id()) {
                self.f()
                    .emit(Instr::abc(Op::PatchClosure, *closure, *index, slot), &init.span);
            }
            awaited.retain(|p| p.0 != var.id());
        }
        Ok(())
    }

    fn slot_of(&mut self, var: &Var, span: &Span) -> Result<u16, CompileError> {
        match self.place(var)? {
            Place::Slot(slot) => Ok(slot),
            _ => Err(limit("a function without a slot", span)),
        }
    }

    /// A local function as a loop: parameters are slots, calls are jumps to its head.
    fn loop_expr(&mut self, var: &Var, lambda: &Lambda, body: &Core, goal: Goal) -> Done {
        let mark = self.f().next;
        let constants = self.f().loop_constants.len();
        self.load_loop_constants(&lambda.body)?;
        let mut params = vec![];
        for param in &lambda.params {
            params.push((param.clone(), self.f().alloc(&body.span)?));
        }
        let row = self.f().loops.len();
        self.f().loops.push(Loop {
            params: params.clone(),
            head: None,
            entries: vec![],
        });
        self.f().declare_loop(var, row);
        self.expr(body, goal)?;
        let end = (goal != Goal::Return && !ends_in_loop(body, var)).then(|| self.f().jump(&body.span));
        let span = &lambda.body.span;
        let mut entries = std::mem::take(&mut self.f().loops[row].entries);
        // An entry right here need not jump.
        if entries.last().is_some_and(|e| e + 1 == self.f().pc()) && end.is_none() {
            entries.pop();
            self.f().drop_last();
        }
        self.f().land_all(entries, span)?;
        let head = self.f().pc();
        self.f().loops[row].head = Some(head);
        for (param, slot) in &params {
            self.home(param, *slot, span);
        }
        self.expr(&lambda.body, goal)?;
        if let Some(end) = end {
            self.f().land(end, span)?;
        }
        self.f().loop_constants.truncate(constants);
        self.f().end_scope(mark);
        Ok(())
    }

    /// Loads the floats that a loop's body names, once and not at each turn.
    fn load_loop_constants(&mut self, body: &Core) -> Done {
        for x in floats(body) {
            if self.f().loop_constant(x).is_none() {
                let slot = self.f().alloc(&body.span)?;
                let k = self.f().datum(&Syntax::new(Node::Float(x), body.span.clone()));
                self.f().emit(Instr::wide(Op::Const, slot, k), &body.span);
                self.f().loop_constants.push((x, slot));
            }
        }
        Ok(())
    }

    /// A call of a loop: its arguments become its parameters, all at once.
    pub(super) fn loop_call(&mut self, row: usize, args: &[Core], span: &Span) -> Done {
        let mark = self.f().next;
        let params = self.f().loops[row].params.clone();
        let mut moves = vec![];
        for (i, (arg, (param, slot))) in args.iter().zip(&params).enumerate() {
            if matches!(&arg.node, CoreNode::Local(v) if v.id() == param.id()) && !param.0.assigned.get() {
                continue;
            }
            let later = &args[i + 1..];
            if !param.0.assigned.get() && !later.iter().any(|a| may_mention(a, &[param.id()])) {
                self.into(arg, *slot)?;
            } else {
                let t = self.f().alloc(span)?;
                self.into(arg, t)?;
                moves.push((*slot, t));
            }
        }
        for (slot, t) in moves {
            self.f().emit(Instr::abc(Op::Move, slot, t, 0), span);
        }
        self.f().next = mark;
        match self.f().loops[row].head {
            Some(head) => {
                self.f().emit(Instr::wide(Op::Loop, 0, 0), span);
                let at = self.f().pc() - 1;
                self.f().aim(at, head, span)
            }
            None => {
                let at = self.f().jump(span);
                self.f().loops[row].entries.push(at);
                Ok(())
            }
        }
    }
}

/// Is `body` just a call of the loop?
fn ends_in_loop(body: &Core, var: &Var) -> bool {
    matches!(&body.node, CoreNode::Call(callee, _) if matches!(&callee.node, CoreNode::Local(v) if v.id() == var.id()))
}
