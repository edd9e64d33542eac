//! What `lib/core/control.sx` needs to know of requests, coroutines and procedures.

use super::{Cx, prims};
use crate::error::{Code, Raise};
use crate::heap::Heap;
use crate::object::{Type, coroutine};
use crate::value::{Value, Word};

prims! { CONTROL {
    /// The op of a request: `{:op name …}` or `(op arg …)`; a symbol counts as its name.
    "%request-op" (request: Any) -> String, Allocates, request_op, ["(%request-op {:op \"get\" :args ()}) ; => \"get\"", "(%request-op (list \"get\" 1)) ; => \"get\"", "(%request-op 5) ; error: perform: expected {:op name :args list} or (op arg …)"];
    /// The arguments of a request.
    "%request-args" (request: Any) -> List, Allocates, request_args, ["(%request-args {:op \"get\" :args (list 1)}) ; => (1)", "(%request-args (list \"get\" 1 2)) ; => (1 2)"];
    /// A coroutine that has not begun.
    "%make-coroutine" (thunk: Any) -> Any, Allocates, make_coroutine, ["(type-of (%make-coroutine (fn () 1))) ; => \"coroutine\""];
    /// 0 not begun, 1 waiting, 2 running, 3 finished.
    "%coroutine-state" (c: Any) -> Int, Reads, |cx| coroutine_field(cx, coroutine::STATE), ["(%coroutine-state (%make-coroutine (fn () 1))) ; => 0", "(%coroutine-state 5) ; error: coroutine-resume: expected coroutine, got number"];
    /// What a coroutine goes on with.
    "%coroutine-next" (c: Any) -> Any, Reads, |cx| coroutine_field(cx, coroutine::KONT), ["(callable? (%coroutine-next (%make-coroutine (fn () 1)))) ; => true"];
    /// Changes state and what to go on with.
    "%coroutine-set!" (c: Any, state: Int, next: Any) -> Nil, Writes, coroutine_set, ["(let ((c (%make-coroutine (fn () 1)))) (%coroutine-set! c 3 nil) (%coroutine-state c)) ; => 3"];
} }

impl Heap {
    /// What is said of a request that is none.
    pub fn bad_request() -> Raise {
        Raise::new(Code::Type, "perform: expected {:op name :args list} or (op arg …)")
    }

    /// The op of a request, interned; `None` if it is no request.
    pub fn request_op<'h>(&'h self, request: Value<'h>) -> Option<Value<'h>> {
        let op = match request.as_dict() {
            Some(dict) => self.dict_get_str(dict, "op"),
            None => request.first(),
        }?;
        match op.is(Type::String) {
            true => Some(self.intern_string(op)),
            false => op.as_name().map(|name| self.intern(name)),
        }
    }

    /// The arguments of a request; `None` if it is no request. Spends `SIZE_OF_PAIR` if it is a list.
    pub fn request_args<'h>(&'h self, request: Value<'h>) -> Option<Value<'h>> {
        match request.as_dict() {
            Some(dict) => {
                let args = self.dict_get_str(dict, "args").unwrap_or(Value::EMPTY);
                Some(if args == Value::NIL { Value::EMPTY } else { args })
            }
            None => self.rest(request),
        }
    }
}

fn request_op(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    cx.reserve(0)?;
    let op = cx.heap().request_op(cx.arg(0));
    op.map(Value::word).ok_or_else(Heap::bad_request)
}

fn request_args(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    cx.reserve(Heap::SIZE_OF_PAIR)?;
    let args = cx.heap().request_args(cx.arg(0));
    args.map(Value::word).ok_or_else(Heap::bad_request)
}

fn make_coroutine(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    cx.reserve(Heap::size_of(4))?;
    let fields = [Word::fixnum(0), cx.arg(0).word(), Word::NIL, Word::NIL];
    Ok(cx.heap().make(Type::Coroutine, 0, fields).word())
}

fn coroutine_at<'h>(cx: &'h Cx<'_>) -> Result<Value<'h>, Raise> {
    let c = cx.arg(0);
    if !c.is(Type::Coroutine) {
        let message = format!("coroutine-resume: expected coroutine, got {}", c.type_name());
        return Err(Raise::new(Code::Type, message).with_arg(0));
    }
    Ok(c)
}

fn coroutine_field(cx: &Cx<'_>, field: usize) -> Result<Word, Raise> {
    Ok(coroutine_at(cx)?.at(field).word())
}

fn coroutine_set(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let c = coroutine_at(cx)?;
    cx.heap().store(c, coroutine::STATE, cx.arg(1));
    cx.heap().store(c, coroutine::KONT, cx.arg(2));
    Ok(Word::NIL)
}
