//! What kind of value something is.

use super::prims;
use super::{Cx, check::is_adt};
use crate::error::Raise;
use crate::num::Num;
use crate::object::Type;
use crate::value::{Value, Word};

prims! { PREDICATES {
    /// Is it a number?
    "number?" | "complex?" (x: Any) -> Bool, Pure, |cx| test(cx, |v| v.is_number()), ["(number? 1/2) ; => true", "(number? \"1\") ; => false"];
    /// Is it a number without an imaginary part: any number but NaN counts too?
    "real?" (x: Any) -> Bool, Pure, |cx| test(cx, |v| v.is_number()), ["(real? 1.5) ; => true"];
    /// Is it a whole number, exact or not?
    "integer?" (x: Any) -> Bool, Pure, |cx| number(cx, Num::is_integer), ["(integer? 2.0) ; => true", "(integer? 1.5) ; => false"];
    /// Is it a number that is not infinite?
    "rational?" (x: Any) -> Bool, Pure, |cx| number(cx, |n| n.is_exact() || n.to_f64().is_finite()), ["(rational? 1/2) ; => true"];
    /// Is it a float?
    "float?" (x: Any) -> Bool, Pure, |cx| number(cx, |n| !n.is_exact()), ["(float? 1.5) ; => true", "(float? 1) ; => false"];
    /// Is it an integer or rational?
    "exact?" (x: Number) -> Bool, Pure, |cx| number(cx, Num::is_exact), ["(exact? 1/2) ; => true"];
    /// Is it a float?
    "inexact?" (x: Number) -> Bool, Pure, |cx| number(cx, |n| !n.is_exact()), ["(inexact? 1.5) ; => true"];
    /// Is it an exact integer?
    "exact-integer?" (x: Any) -> Bool, Pure, |cx| number(cx, Num::is_exact_integer), ["(exact-integer? 2.0) ; => false"];
    /// Is it an exact rational that is no integer, or an integer?
    "exact-rational?" (x: Any) -> Bool, Pure, |cx| number(cx, Num::is_exact), ["(exact-rational? 1/2) ; => true"];
    /// Is it not a number?
    "nan?" (x: Number) -> Bool, Pure, |cx| number(cx, |n| n.to_f64().is_nan()), ["(nan? (- +inf.0 +inf.0)) ; => true"];
    /// Is it infinite?
    "infinite?" (x: Number) -> Bool, Pure, |cx| number(cx, |n| matches!(n, Num::Float(f) if f.is_infinite())), ["(infinite? -inf.0) ; => true"];
    /// Is it neither infinite nor NaN?
    "finite?" (x: Number) -> Bool, Pure, |cx| number(cx, |n| n.is_exact() || n.to_f64().is_finite()), ["(finite? 1) ; => true"];
    /// Is it a string?
    "string?" (x: Any) -> Bool, Pure, |cx| test(cx, |v| v.is_string()), ["(string? :a) ; => true"];
    /// Is it a symbol?
    "symbol?" (x: Any) -> Bool, Pure, |cx| is(cx, Type::Symbol), ["(symbol? (quote a)) ; => true"];
    /// Is it a keyword, which only quoted code has?
    "keyword?" (x: Any) -> Bool, Pure, |cx| is(cx, Type::Keyword), ["(keyword? :a) ; => false"];
    /// Is it true or false?
    "boolean?" (x: Any) -> Bool, Pure, |cx| test(cx, |v| v.word() == Word::TRUE || v.word() == Word::FALSE), ["(boolean? false) ; => true"];
    /// Is it the value true?
    "true?" (x: Any) -> Bool, Pure, |cx| test(cx, |v| v.word() == Word::TRUE), ["(true? 1) ; => false"];
    /// Is it the value false? nil is not.
    "false?" (x: Any) -> Bool, Pure, |cx| test(cx, |v| v.word() == Word::FALSE), ["(false? nil) ; => false"];
    /// Is it nil?
    "nil?" (x: Any) -> Bool, Pure, |cx| test(cx, |v| v == Value::NIL), ["(nil? nil) ; => true", "(nil? ()) ; => false"];
    /// Is it a character?
    "char?" (x: Any) -> Bool, Pure, |cx| test(cx, |v| v.word().is_char()), ["(char? #\\a) ; => true"];
    /// Is it a list? nil is none.
    "list?" (x: Any) -> Bool, Pure, |cx| test(cx, |v| v.is_list()), ["(list? ()) ; => true", "(list? nil) ; => false"];
    /// Is it a dict, or an ADT value?
    "dict?" | "%dict?" (x: Any) -> Bool, Pure, |cx| test(cx, |v| v.is(Type::Dict) || is_adt(v)), ["(dict? {}) ; => true"];
    /// Is it a vector?
    "vector?" (x: Any) -> Bool, Pure, |cx| is(cx, Type::Vector), ["(vector? (vector)) ; => true"];
    /// Is it a bytevector?
    "bytevector?" (x: Any) -> Bool, Pure, |cx| is(cx, Type::Bytevector), ["(bytevector? (bytevector)) ; => true"];
    /// Is it a set?
    "set?" (x: Any) -> Bool, Pure, |cx| is(cx, Type::Set), ["(set? (make-set)) ; => true"];
    /// Is it a hash table?
    "hash-table?" (x: Any) -> Bool, Pure, |cx| is(cx, Type::HashTable), ["(hash-table? {}) ; => false"];
    /// Is it an int-set?
    "int-set?" (x: Any) -> Bool, Pure, |cx| is(cx, Type::IntSet), ["(int-set? (make-int-set)) ; => true", "(int-set? (make-set)) ; => false"];
    /// Is it an int-map?
    "int-map?" (x: Any) -> Bool, Pure, |cx| is(cx, Type::IntMap), ["(int-map? (make-int-map)) ; => true"];
    /// Is it a string buffer?
    "string-buffer?" (x: Any) -> Bool, Pure, |cx| is(cx, Type::StringBuffer), ["(string-buffer? (make-string-buffer)) ; => true"];
    /// Is it a port?
    "port?" (x: Any) -> Bool, Pure, |cx| is(cx, Type::Port), ["(port? (open-output-string)) ; => true"];
    /// Is it the end-of-file object?
    "eof-object?" (x: Any) -> Bool, Pure, |cx| test(cx, |v| v.word() == Word::EOF), ["(eof-object? nil) ; => false"];
    /// Can it be called: is it a procedure, continuation, parameter, component or island?
    "callable?" | "procedure?" | "function?" (x: Any) -> Bool, Pure, |cx| test(cx, |v| v.is_callable()), ["(callable? \"f\") ; => false"];
    /// Is it a procedure made by fn or a primitive?
    "lambda?" (x: Any) -> Bool, Pure, |cx| is(cx, Type::Closure), ["(lambda? 1) ; => false"];
    /// Is it a continuation?
    "continuation?" (x: Any) -> Bool, Pure, |cx| is(cx, Type::Continuation), ["(continuation? 1) ; => false"];
    /// Is it a coroutine?
    "coroutine?" (x: Any) -> Bool, Pure, |cx| is(cx, Type::Coroutine), ["(coroutine? 1) ; => false"];
    /// Is it a parameter?
    "parameter?" (x: Any) -> Bool, Pure, |cx| is(cx, Type::Parameter), ["(parameter? 1) ; => false"];
    /// Is it a promise?
    "promise?" (x: Any) -> Bool, Pure, |cx| is(cx, Type::Promise), ["(promise? (%promise-value 1)) ; => true"];
    /// Is it a macro?
    "macro?" (x: Any) -> Bool, Pure, |cx| is(cx, Type::Macro), ["(macro? 1) ; => false"];
    /// Is it a component?
    "component?" (x: Any) -> Bool, Pure, |cx| is(cx, Type::Component), ["(component? 1) ; => false"];
    /// Is it an island?
    "island?" (x: Any) -> Bool, Pure, |cx| is(cx, Type::Island), ["(island? 1) ; => false"];
    /// Is it an error object?
    "error?" | "error-object?" (x: Any) -> Bool, Pure, |cx| is(cx, Type::Error), ["(error? 1) ; => false"];
    /// Is it a record or ADT value?
    "record?" (x: Any) -> Bool, Pure, |cx| is(cx, Type::Record), ["(record? 1) ; => false"];
    /// Is it made of one pair, not of a window on a buffer? For walking lists.
    "%pair?" (x: Any) -> Bool, Reads, |cx| is(cx, Type::Pair), ["(%pair? (cons 1 ())) ; => true", "(%pair? (list 1)) ; => false"];
} }

fn test(cx: &mut Cx<'_>, f: impl Fn(Value<'_>) -> bool) -> Result<Word, Raise> {
    Ok(Word::bool(f(cx.arg(0))))
}

fn is(cx: &mut Cx<'_>, ty: Type) -> Result<Word, Raise> {
    Ok(Word::bool(cx.arg(0).is(ty)))
}

fn number(cx: &mut Cx<'_>, f: impl Fn(&Num) -> bool) -> Result<Word, Raise> {
    Ok(Word::bool(cx.arg(0).as_number().is_some_and(|n| f(&n))))
}
