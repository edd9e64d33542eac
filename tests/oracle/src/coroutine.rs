//! Coroutines: a box that holds a continuation, or runs, or has finished. Copies of a
//! continuation that leads through a coroutine share its box.

use crate::env::{Kont, MarkKind, Step};
use crate::machine::{Machine, State};
use crate::objects;
use std::rc::Rc;
use sx_runtime::error::Code;
use sx_runtime::object::{Type, coroutine};
use sx_runtime::syntax::Span;
use sx_runtime::value::Word;

/// What a coroutine is at the moment.
#[derive(Clone)]
pub enum Coroutine<'a> {
    /// It will call this.
    Fresh(Word),
    /// It goes on with these.
    Suspended(Rc<Vec<Step<'a>>>),
    /// Someone resumed it and it has not yielded since.
    Running,
    /// It is over.
    Finished,
}

/// Does a continuation lead through this coroutine?
fn is_inside(kont: &Kont<'_>, number: usize) -> bool {
    kont.marks()
        .any(|(mark, _)| matches!(mark.kind, MarkKind::Coroutine(other) if other == number))
}

impl<'a> Machine<'a> {
    /// `(make-coroutine thunk)`
    pub fn make_coroutine(&mut self, thunk: Word) -> Word {
        self.coroutines.push(Coroutine::Fresh(thunk));
        let number = Word::fixnum(self.coroutines.len() as i64 - 1);
        objects::make(
            &mut self.heap,
            Type::Coroutine,
            &[Word::NIL, Word::NIL, number, Word::NIL],
        )
    }

    /// The number of a coroutine.
    fn coroutine(&self, word: Word) -> Option<usize> {
        objects::is(word, Type::Coroutine).then(|| objects::number(word, coroutine::EXTRA))
    }

    /// `(coroutine-alive? co)`
    pub fn coroutine_alive(&mut self, word: Word, kont: &Kont<'a>) -> Word {
        let Some(number) = self.coroutine(word) else {
            return Word::FALSE;
        };
        Word::bool(match self.coroutines[number] {
            Coroutine::Fresh(_) | Coroutine::Suspended(_) => true,
            Coroutine::Running => is_inside(kont, number),
            Coroutine::Finished => false,
        })
    }

    /// `(coroutine-resume co value)`
    pub fn coroutine_resume(&mut self, args: &[Word], kont: Kont<'a>, span: &'a Span) -> State<'a> {
        let Some(number) = self.coroutine(args[0]) else {
            let got = objects::value(&self.heap, args[0]).type_name().to_owned();
            return self.fail(
                Code::Type,
                format!("coroutine-resume: expected coroutine, got {got}"),
                kont,
                span,
            );
        };
        let value = args.get(1).copied().unwrap_or(Word::NIL);
        let refuse = |machine: &mut Self, why: &str| {
            machine.fail(
                Code::Control,
                format!("coroutine-resume: the coroutine {why}"),
                kont.clone(),
                span,
            )
        };
        let state = self.coroutines[number].clone();
        let base = self.new_extent(MarkKind::Coroutine(number));
        match state {
            Coroutine::Running if is_inside(&kont, number) => refuse(self, "is running"),
            // One that was left for good without a yield will not go on.
            Coroutine::Running | Coroutine::Finished => refuse(self, "has finished"),
            Coroutine::Fresh(thunk) => {
                self.coroutines[number] = Coroutine::Running;
                State::Call(thunk, vec![], kont.after_call(span, None).then(base), self.nowhere)
            }
            Coroutine::Suspended(steps) => {
                self.coroutines[number] = Coroutine::Running;
                State::Give(value, kont.after_call(span, None).then(base).under(&steps))
            }
        }
    }

    /// `(coroutine-yield value)`
    pub fn coroutine_yield(&mut self, value: Word, kont: Kont<'a>, span: &'a Span) -> State<'a> {
        let base = kont.marks().find_map(|(mark, at)| match mark.kind {
            MarkKind::Coroutine(number) => Some((number, at)),
            _ => None,
        });
        let Some((number, at)) = base else {
            return self.fail(Code::Control, "coroutine-yield: not inside a coroutine", kont, span);
        };
        self.coroutines[number] = Coroutine::Suspended(Rc::new(kont.upto(&at)));
        State::Give(value, at.next())
    }
}
