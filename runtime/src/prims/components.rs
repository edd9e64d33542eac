//! Components, islands and forms a program registered, as data: how they are made and taken
//! apart. Calling them is SX (`lib/core/forms.sx`); what their HTML looks like is no matter of
//! this file.

use super::seq::list_items;
use super::{Cx, prims};
use crate::error::{Code, Raise};
use crate::heap::Heap;
use crate::list::size_of_list;
use crate::object::{Type, component, macro_};
use crate::value::{Value, Word};
use crate::vector::size_of_vector;

prims! { COMPONENTS {
    /// A component: name, names of its positional parameters and of its keys, does it take further operands, its procedure, and whatever its definer keeps.
    "%make-component" (name: Name, positional: List, keys: List, rest: Any, procedure: Procedure, info: Any optional) -> Any, Allocates, |cx| make(cx, Type::Component), ["(type-of (%make-component \"~card\" () (list \"title\") false (fn (title) title))) ; => \"component\""];
    /// The same for an island.
    "%make-island" (name: Name, positional: List, keys: List, rest: Any, procedure: Procedure, info: Any optional) -> Any, Allocates, |cx| make(cx, Type::Island), ["(type-of (%make-island \"~clock\" () () false (fn () 1))) ; => \"island\""];
    /// Is it a component or an island?
    "%component?" (x: Any) -> Bool, Pure, |cx| Ok(Word::bool(is_component(cx.arg(0)))), ["(%component? 1) ; => false"];
    /// The procedure of a component.
    "%component-procedure" (c: Any) -> Procedure, Reads, |cx| Ok(component_at(cx)?.at(component::BODY).word()), ["((%component-procedure (%make-component \"~c\" () () false (fn () 5)))) ; => 5"];
    /// What the definer of a component keeps with it.
    "%component-info" (c: Any) -> Any, Reads, |cx| Ok(component_at(cx)?.at(component::INFO).word()), ["(%component-info (%make-component \"~c\" () () false (fn () 5) 7)) ; => 7"];
    /// The arguments of a component's procedure, from the operands of a call: a key comes before its value, as a keyword or, if it is one of the component's, as a string; what is missing is nil; unknown keys are left out.
    "%component-arguments" (c: Any, operands: List) -> List, Allocates, arguments, ["(%component-arguments (%make-component \"~c\" (list \"a\") (list \"b\") true (fn (a b rest) a)) (list 1 \"b\" 2 3 4)) ; => (1 2 (3 4))", "(%component-arguments (%make-component \"~c\" () (list \"b\") false (fn (b) b)) (list \"b\")) ; error: ~c: the key :b has no value"];
    /// The procedure of a registered form.
    "%macro-procedure" (form: Any) -> Any, Reads, macro_procedure, ["(%macro-procedure 1) ; error: expected a macro, got number"];
} }

fn is_component(v: Value<'_>) -> bool {
    v.is(Type::Component) || v.is(Type::Island)
}

fn component_at<'h>(cx: &'h Cx<'_>) -> Result<Value<'h>, Raise> {
    let c = cx.arg(0);
    if is_component(c) {
        return Ok(c);
    }
    let message = format!("expected a component, got {}", c.type_name());
    Err(Raise::new(Code::Type, message).with_arg(0))
}

fn macro_procedure(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let form = cx.arg(0);
    if form.is(Type::Macro) {
        return Ok(form.at(macro_::EXPANDER).word());
    }
    let message = format!("expected a macro, got {}", form.type_name());
    Err(Raise::new(Code::Type, message).with_arg(0))
}

fn make(cx: &mut Cx<'_>, ty: Type) -> Result<Word, Raise> {
    let who = cx.text(0).to_string();
    let names = |i: usize| -> Result<Vec<String>, Raise> {
        let items = list_items(&who, cx.arg(i))?;
        Ok(items
            .into_iter()
            .map(|v| v.as_name().unwrap_or_default().to_string())
            .collect())
    };
    let (positional, keys) = (names(1)?, names(2)?);
    let lists = size_of_list(positional.len()) + size_of_list(keys.len());
    cx.reserve(lists + size_of_vector(3) + Heap::size_of(4))?;
    let heap = cx.heap();
    // Interning allocates outside the reservation, in old space.
    let list = |names: &[String]| heap.list(&names.iter().map(|name| heap.intern(name)).collect::<Vec<_>>());
    let params = heap.vector_from(&[list(&positional), list(&keys), cx.arg(3)]);
    let info = cx.given(5).unwrap_or(Value::NIL);
    let fields = [heap.intern(&who), params, cx.arg(4), info].map(Value::word);
    Ok(heap.make(ty, 0, fields).word())
}

/// What a component takes.
struct Parameters<'h> {
    name: &'h str,
    positional: usize,
    keys: Vec<&'h str>,
    rest: bool,
}

impl<'h> Parameters<'h> {
    fn of(component: Value<'h>) -> Parameters<'h> {
        let parts = component.at(component::PARAMS).as_vector();
        let part = |i: usize| parts.and_then(|v| v.get(i)).unwrap_or(Value::NIL);
        Parameters {
            name: component.at(component::NAME).as_str().unwrap_or_default(),
            positional: part(0).items().count(),
            keys: part(1).items().filter_map(Value::as_str).collect(),
            rest: part(2).word().is_truthy(),
        }
    }

    /// The arguments for these operands, without the list of the rest, and the rest.
    fn bind(&self, operands: &[Value<'h>]) -> Result<(Vec<Value<'h>>, Vec<Value<'h>>), Raise> {
        let mut values = vec![Value::NIL; self.positional + self.keys.len()];
        let (mut plain, mut at) = (vec![], 0);
        while let Some(operand) = operands.get(at).copied() {
            at += 1;
            let place = |name: &str| self.keys.iter().position(|key| *key == name);
            let key = match operand.as_keyword() {
                Some(name) => Some((name, place(name))),
                None => operand.as_str().and_then(|name| Some((name, Some(place(name)?)))),
            };
            let Some((name, place)) = key else {
                plain.push(operand);
                continue;
            };
            let Some(value) = operands.get(at).copied() else {
                let message = format!("{}: the key :{name} has no value", self.name);
                return Err(Raise::new(Code::Arity, message));
            };
            at += 1;
            if let Some(place) = place {
                values[self.positional + place] = value;
            }
        }
        let rest = plain.split_off(plain.len().min(self.positional));
        values[..plain.len()].copy_from_slice(&plain);
        Ok((values, rest))
    }
}

fn arguments(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    component_at(cx)?;
    let count = list_items("component", cx.arg(1))?.len();
    let most = Parameters::of(cx.arg(0));
    let bytes = size_of_list(most.positional + most.keys.len() + 1) + size_of_list(count);
    cx.reserve(bytes)?;
    let parameters = Parameters::of(cx.arg(0));
    let operands = list_items("component", cx.arg(1))?;
    let (mut values, rest) = parameters.bind(&operands)?;
    if parameters.rest {
        values.push(cx.heap().list(&rest));
    }
    Ok(cx.heap().list(&values).word())
}
