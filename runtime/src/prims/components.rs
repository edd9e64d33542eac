//! Components and islands as data: a name, what parameters they take, and the procedure of their
//! body; how operands, some of them with keys, become the procedure's arguments.

use super::{Cx, prims, seq};
use crate::error::{Code, Raise};
use crate::heap::Heap;
use crate::list::size_of_list;
use crate::object::{Type, component};
use crate::value::{Value, Word};

prims! { COMPONENTS {
    /// A component, or an island: its name, what its parameters are, its procedure.
    "%component" (name: String, params: List, procedure: Procedure, island: Bool) -> Any, Allocates, make, ["(type-of (%component \"~c\" () (fn () 1) false)) ; => \"component\"", "(type-of (%component \"~c\" () (fn () 1) true)) ; => \"island\""];
    /// The name of a component or island.
    "%component-name" (c: Any) -> String, Pure, |cx| field(cx, component::NAME), ["(%component-name (%component \"~c\" () (fn () 1) false)) ; => \"~c\"", "(%component-name 5) ; error: %component-name: expected component, got number"];
    /// The arguments of a component's procedure for a list of operands: what parameters in order take
    /// of the operands without a key, what parameters by key take of those that follow one, and the
    /// list of the rest. A key that nothing follows has the value true.
    "%component-arguments" (c: Any, operands: List) -> List, Allocates, arguments, ["(%component-arguments (%component \"~c\" (list (list (quote x)) (list (quote a) (quote b)) true) (fn () 1) false) (list (make-keyword \"b\") 1 2 3)) ; => (2 nil 1 (3))", "(%component-arguments (%component \"~c\" (list () () false) (fn () 1) false) (list 5)) ; error: ~c: takes no children"];
    /// The procedure of a component or island.
    "%component-procedure" (c: Any) -> Procedure, Pure, |cx| field(cx, component::BODY), ["(callable? (%component-procedure (%component \"~c\" () (fn () 1) false))) ; => true"];
} }

fn make(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    cx.reserve(Heap::size_of(4))?;
    let ty = if cx.arg(3).word().is_truthy() {
        Type::Island
    } else {
        Type::Component
    };
    let fields = [cx.arg(0).word(), cx.arg(1).word(), cx.arg(2).word(), Word::NIL];
    Ok(cx.heap().make(ty, 0, fields).word())
}

fn is_component(v: Value<'_>) -> bool {
    v.is(Type::Component) || v.is(Type::Island)
}

fn field(cx: &Cx<'_>, index: usize) -> Result<Word, Raise> {
    let c = cx.arg(0);
    if is_component(c) {
        return Ok(c.at(index).word());
    }
    let message = format!("%component-name: expected component, got {}", c.type_name());
    Err(Raise::new(Code::Type, message).with_arg(0))
}

/// What a component is declared to take: `(positional keys takes-rest)`.
struct Parameters<'h> {
    positional: usize,
    keys: Value<'h>,
    takes_rest: bool,
}

impl<'h> Parameters<'h> {
    fn of(c: Value<'h>) -> Option<Parameters<'h>> {
        let mut parts = is_component(c).then(|| c.at(component::PARAMS))?.items();
        Some(Parameters {
            positional: parts.next()?.list_len().unwrap_or(0),
            keys: parts.next()?,
            takes_rest: parts.next()?.word().is_truthy(),
        })
    }
}

fn arguments(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let given = seq::list_len("%component-arguments", cx.arg(1))?;
    let wanted = Parameters::of(cx.arg(0)).map_or(0, |p| p.positional + p.keys.list_len().unwrap_or(0) + 1);
    cx.reserve(size_of_list(wanted) + size_of_list(given))?;
    let (c, mut operands) = (cx.arg(0), cx.arg(1).items());
    let Some(parameters) = Parameters::of(c) else {
        return Err(Raise::new(Code::Type, "%component-arguments: expected component").with_arg(0));
    };
    let (mut named, mut plain) = (Vec::new(), Vec::with_capacity(given));
    while let Some(operand) = operands.next() {
        match operand.as_keyword() {
            Some(key) => named.push((key, operands.next().unwrap_or(Value::immediate(Word::TRUE)))),
            None => plain.push(operand),
        }
    }
    if plain.len() > parameters.positional && !parameters.takes_rest {
        let name = c.at(component::NAME).as_str().unwrap_or_default();
        return Err(Raise::new(Code::Arity, format!("{name}: takes no children")));
    }
    let rest = plain.split_off(parameters.positional.min(plain.len()));
    let mut arguments = plain;
    arguments.resize(parameters.positional, Value::NIL);
    for key in parameters.keys.items() {
        let name = key.as_symbol().unwrap_or_default();
        let value = named.iter().rev().find(|(key, _)| *key == name);
        arguments.push(value.map_or(Value::NIL, |(_, value)| *value));
    }
    if parameters.takes_rest {
        arguments.push(cx.heap().list(&rest));
    }
    Ok(cx.heap().list(&arguments).word())
}
