//! Components and islands as data: a name, what parameters they take, and the procedure of their
//! body. How operands become arguments is SX, in `lib/core/definitions.sx`.

use super::{Cx, prims};
use crate::error::{Code, Raise};
use crate::heap::Heap;
use crate::object::{Type, component};
use crate::value::Word;

prims! { COMPONENTS {
    /// A component, or an island: its name, what its parameters are, its procedure.
    "%component" (name: String, params: List, procedure: Procedure, island: Bool) -> Any, Allocates, make, ["(type-of (%component \"~c\" () (fn () 1) false)) ; => \"component\"", "(type-of (%component \"~c\" () (fn () 1) true)) ; => \"island\""];
    /// The name of a component or island.
    "%component-name" (c: Any) -> String, Pure, |cx| field(cx, component::NAME), ["(%component-name (%component \"~c\" () (fn () 1) false)) ; => \"~c\"", "(%component-name 5) ; error: %component-name: expected component, got number"];
    /// What the parameters of a component or island are.
    "%component-params" (c: Any) -> List, Pure, |cx| field(cx, component::PARAMS), ["(%component-params (%component \"~c\" (list 1) (fn () 1) false)) ; => (1)"];
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

fn field(cx: &Cx<'_>, index: usize) -> Result<Word, Raise> {
    let c = cx.arg(0);
    if c.is(Type::Component) || c.is(Type::Island) {
        return Ok(c.at(index).word());
    }
    let message = format!("%component-name: expected component, got {}", c.type_name());
    Err(Raise::new(Code::Type, message).with_arg(0))
}
