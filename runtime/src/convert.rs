//! Syntax trees to values and back: quoted constants, what a macro is given, what it returns,
//! what `sx-parse` and `read` give.
//!
//! Neither direction recurses. A value that holds itself is made of a tree with labels; the other
//! way it is an error and not a loop. A part that occurs twice becomes one shared tree.

use crate::dict::size_of_dict;
use crate::heap::Heap;
use crate::list::{ListError, size_of_list};
use crate::num::Num;
use crate::number::size_of_number;
use crate::object::Type;
use crate::string::size_of_string;
use crate::syntax::{Language, Node, Source, Span, Stx, Syntax};
use crate::table::size_of_table;
use crate::value::{Value, Word};
use crate::vector::size_of_vector;
use std::collections::{HashMap, HashSet};

/// The shape of the lists made of syntax.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Lists {
    /// Indexed in constant time.
    Views,
    /// Chains of pairs, as Scheme programs expect.
    Pairs,
}

impl Lists {
    /// The shape that the lists of a text have.
    pub fn of(source: &Source) -> Lists {
        match source.language {
            Language::Sx => Lists::Views,
            Language::Scheme => Lists::Pairs,
        }
    }
}

/// The value contains itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Circular;

/// One step of making a value: look at a tree, or put together what its parts have become.
enum Step<'s> {
    Visit(&'s Stx),
    Build(&'s Syntax),
    /// The datum of a label is there.
    Labelled(&'s Syntax),
}

/// The labels of a tree that is becoming a value.
#[derive(Default)]
struct Labels<'h> {
    /// What labelled data have become.
    made: HashMap<*const Syntax, Value<'h>>,
    /// Labels whose data are being made, with what stands for each of these until then.
    open: Vec<(u32, Option<Value<'h>>)>,
    /// What stands for something, and that.
    stand_ins: HashMap<Word, Value<'h>>,
}

/// Bytes to reserve before `Heap::value_of_syntax`.
pub fn size_of_syntax(stx: &Stx) -> usize {
    let (mut todo, mut size) = (vec![stx], 0);
    let mut labelled = HashSet::new();
    while let Some(stx) = todo.pop() {
        if matches!(stx.node, Node::Label(..)) && !labelled.insert(&raw const **stx) {
            continue;
        }
        size += size_of_node(&stx.node);
        push_parts(&stx.node, &mut todo);
    }
    size
}

fn size_of_node(node: &Node) -> usize {
    match node {
        Node::Int(_) => Heap::SIZE_OF_INTEGER,
        Node::Float(_) => Heap::SIZE_OF_FLOAT,
        Node::Big(big) => size_of_number(&Num::Big((**big).clone())),
        Node::Ratio(ratio) => size_of_number(&Num::Ratio((**ratio).clone())),
        Node::Str(text) => size_of_string(text.len()),
        Node::Keyword(_) => Heap::SIZE_OF_KEYWORD,
        Node::List(items) | Node::Dotted(items, _) => size_of_list(items.len()).max(items.len() * Heap::SIZE_OF_PAIR),
        Node::Vector(items) => size_of_vector(items.len()),
        Node::Bytes(bytes) => crate::bytes::size_of_bytevector(bytes.len()),
        // What stands for the datum while it is made.
        Node::Label(..) => Heap::SIZE_OF_PAIR,
        // A hashed dict is made with room for all.
        Node::Dict(entries) => size_of_dict(entries.len()) + size_of_table(entries.len()),
        _ => 0,
    }
}

/// Adds the parts of a node, last first.
fn push_parts<'s>(node: &'s Node, out: &mut Vec<&'s Stx>) {
    match node {
        Node::List(items) | Node::Vector(items) => out.extend(items.iter().rev()),
        Node::Dotted(items, tail) => {
            out.push(tail);
            out.extend(items.iter().rev());
        }
        Node::Dict(entries) => out.extend(entries.iter().rev().map(|(_, value)| value)),
        Node::Label(_, datum) => out.push(datum),
        _ => {}
    }
}

impl Heap {
    /// The value of a datum. `Node::Value` rows are looked up with `row`; an alias becomes the
    /// symbol it prints as; keys of dicts are keywords, strings or symbols, the last of equal
    /// ones holds. Spends `size_of_syntax(stx)`.
    pub fn value_of_syntax<'h>(&'h self, stx: &Stx, lists: Lists, row: &dyn Fn(u32) -> Value<'h>) -> Value<'h> {
        let mut steps = vec![Step::Visit(stx)];
        let mut made = Vec::new();
        let mut parts = Vec::new();
        let mut labels = Labels::default();
        while let Some(step) = steps.pop() {
            match step {
                Step::Visit(stx) => {
                    if let Node::Label(label, datum) = &stx.node {
                        match labels.made.get(&(&raw const **stx)) {
                            Some(known) => made.push(*known),
                            None => {
                                labels.open.push((*label, None));
                                steps.extend([Step::Labelled(stx), Step::Visit(datum)]);
                            }
                        }
                        continue;
                    }
                    if let Node::Ref(label) = stx.node {
                        made.push(labels.stand_in(self, label));
                        continue;
                    }
                    if let Some(value) = self.value_of_atom(&stx.node, row) {
                        made.push(value);
                        continue;
                    }
                    steps.push(Step::Build(stx));
                    push_parts(&stx.node, &mut parts);
                    steps.extend(parts.drain(..).map(Step::Visit));
                }
                Step::Build(stx) => self.build(&stx.node, lists, &mut made),
                Step::Labelled(stx) => labels.close(stx, made.last().copied().unwrap_or(Value::NIL)),
            }
        }
        let value = made.pop().unwrap_or(Value::NIL);
        if !labels.stand_ins.is_empty() {
            self.put_in_place(value, &labels.stand_ins);
        }
        value
    }

    /// Puts what something stands for in its place, everywhere in a fresh value.
    fn put_in_place(&self, value: Value<'_>, stand_ins: &HashMap<Word, Value<'_>>) {
        let (mut todo, mut seen) = (vec![value], HashSet::new());
        while let Some(value) = todo.pop() {
            if !seen.insert(value.word()) {
                continue;
            }
            let meant = |part: Value<'_>| stand_ins.get(&part.word()).copied();
            if let Some(pair) = value.as_pair() {
                let (car, cdr) = (pair.car(), pair.cdr());
                meant(car).into_iter().for_each(|it| self.set_car(pair, it));
                meant(cdr).into_iter().for_each(|it| self.set_cdr(pair, it));
                todo.extend([car, cdr]);
            } else if value.is_list() {
                for (i, item) in value.items().enumerate() {
                    meant(item).into_iter().for_each(|it| self.set_nth(value, i, it));
                    todo.push(item);
                }
            } else if let Some(vector) = value.as_vector() {
                for (i, item) in vector.iter().enumerate() {
                    meant(item).into_iter().for_each(|it| self.vector_set(vector, i, it));
                    todo.push(item);
                }
            } else if let Some(dict) = value.as_dict() {
                let entries: Vec<_> = self.dict_entries(dict).collect();
                for (key, item) in entries {
                    meant(item).into_iter().for_each(|it| self.dict_set(dict, key, it));
                    todo.push(item);
                }
            }
        }
    }

    /// The value of a datum, in old space where it does not move: what a chunk's constants
    /// become. Needs no reservation.
    pub fn constant_of_syntax<'h>(&'h self, stx: &Stx, lists: Lists) -> Value<'h> {
        self.pretenured(|heap| heap.value_of_syntax(stx, lists, &|_| Value::NIL))
    }

    fn value_of_atom<'h>(&'h self, node: &Node, row: &dyn Fn(u32) -> Value<'h>) -> Option<Value<'h>> {
        Some(match node {
            Node::Nil => Value::NIL,
            Node::Bool(b) => Value::bool(*b),
            Node::Int(i) => self.integer(*i),
            Node::Big(big) => self.number(&Num::Big((**big).clone())),
            Node::Ratio(ratio) => self.number(&Num::Ratio((**ratio).clone())),
            Node::Float(f) => self.float(*f),
            Node::Char(c) => Value::char(*c),
            Node::Str(text) => self.string(text),
            Node::Sym(name) | Node::Alias(name, _) => self.symbol(name),
            Node::Keyword(name) => self.keyword(name),
            Node::Bytes(bytes) => self.bytevector_from(bytes),
            Node::Value(n) => row(*n),
            Node::List(items) if items.is_empty() => Value::EMPTY,
            Node::List(_) | Node::Dotted(..) | Node::Vector(_) | Node::Dict(_) => return None,
            Node::Label(..) | Node::Ref(_) => return None,
        })
    }

    /// Replaces the last of `made`, which are the parts of `node`, by what they make.
    fn build<'h>(&'h self, node: &Node, lists: Lists, made: &mut Vec<Value<'h>>) {
        let value = match node {
            Node::List(items) => {
                let items = made.split_off(made.len() - items.len());
                match lists {
                    Lists::Views => self.list(&items),
                    Lists::Pairs => self.pairs(&items, Value::EMPTY),
                }
            }
            // The tail is visited last, so it lies on top.
            Node::Dotted(items, _) => {
                let tail = made.pop().unwrap_or(Value::NIL);
                let items = made.split_off(made.len() - items.len());
                self.pairs(&items, tail)
            }
            Node::Vector(items) => {
                let items = made.split_off(made.len() - items.len());
                self.vector_from(&items)
            }
            Node::Dict(entries) => {
                let values = made.split_off(made.len() - entries.len());
                let keys = entries.iter().map(|(key, _)| self.intern(&key_text(key)));
                self.dict_of(keys.zip(values).collect()).value()
            }
            _ => Value::NIL,
        };
        made.push(value);
    }
}

impl<'h> Labels<'h> {
    /// What stands for the datum of a label that is being made.
    fn stand_in(&mut self, heap: &'h Heap, label: u32) -> Value<'h> {
        match self.open.iter_mut().rev().find(|(open, _)| *open == label) {
            Some((_, stands_in)) => *stands_in.get_or_insert_with(|| heap.cons(Value::NIL, Value::NIL)),
            None => Value::NIL,
        }
    }
    /// The innermost open label has become a value.
    fn close(&mut self, stx: &Syntax, value: Value<'h>) {
        self.made.insert(stx, value);
        if let Some((_, Some(stands_in))) = self.open.pop() {
            self.stand_ins.insert(stands_in.word(), value);
        }
    }
}

/// The key a datum stands for in a dict.
pub fn key_text(key: &Stx) -> String {
    match &key.node {
        Node::Keyword(name) | Node::Sym(name) | Node::Alias(name, _) => name.to_string(),
        Node::Str(text) => text.to_string(),
        Node::Int(i) => i.to_string(),
        Node::Bool(b) => b.to_string(),
        _ => "nil".to_string(),
    }
}

/// A container whose parts are becoming syntax.
struct Open<'h> {
    value: Value<'h>,
    /// Parts still to come, last first.
    parts: Vec<Value<'h>>,
    done: Vec<Stx>,
}

/// Making syntax of a value.
struct ToSyntax<'h, 'f> {
    heap: &'h Heap,
    span: &'f mut dyn FnMut(Value<'h>) -> Span,
    row: &'f mut dyn FnMut(Value<'h>) -> u32,
    open: Vec<Open<'h>>,
    is_open: HashSet<Word>,
    shared: HashMap<Word, Stx>,
}

impl Heap {
    /// The syntax tree of a value. `span` gives the place of each part; `row` keeps a value that
    /// has no syntax (a procedure, a record) and gives its row.
    pub fn syntax_of_value<'h>(
        &'h self,
        value: Value<'h>,
        span: &mut dyn FnMut(Value<'h>) -> Span,
        row: &mut dyn FnMut(Value<'h>) -> u32,
    ) -> Result<Stx, Circular> {
        let mut work = ToSyntax {
            heap: self,
            span,
            row,
            open: Vec::new(),
            is_open: HashSet::new(),
            shared: HashMap::new(),
        };
        let mut ready = work.enter(value)?;
        loop {
            let Some(top) = work.open.last_mut() else {
                // Nothing is open, so the value itself is ready.
                return ready.ok_or(Circular);
            };
            top.done.extend(ready.take());
            ready = match top.parts.pop() {
                Some(part) => work.enter(part)?,
                None => work.leave(),
            };
        }
    }
}

impl<'h> ToSyntax<'h, '_> {
    /// The syntax of an atom or of a container met before; otherwise opens the container.
    fn enter(&mut self, value: Value<'h>) -> Result<Option<Stx>, Circular> {
        if let Some(known) = self.shared.get(&value.word()) {
            return Ok(Some(known.clone()));
        }
        let Some(mut parts) = self.parts(value)? else {
            let node = self.atom(value);
            return Ok(Some(Syntax::new(node, (self.span)(value))));
        };
        if !self.is_open.insert(value.word()) {
            return Err(Circular);
        }
        parts.reverse();
        let done = Vec::with_capacity(parts.len());
        self.open.push(Open { value, parts, done });
        Ok(None)
    }

    /// The parts of a container: the tail of an improper list is its last part.
    fn parts(&self, value: Value<'h>) -> Result<Option<Vec<Value<'h>>>, Circular> {
        if value.is_list() {
            let mut parts = match value.list_len() {
                Err(ListError::Circular) => return Err(Circular),
                Ok(len) => Vec::with_capacity(len),
                Err(_) => Vec::new(),
            };
            let mut items = value.items();
            parts.extend(items.by_ref());
            parts.extend(Some(items.tail()).filter(|tail| *tail != Value::EMPTY));
            return Ok(Some(parts));
        }
        let dict = value
            .as_dict()
            .map(|d| self.heap.dict_entries(d).map(|(_, v)| v).collect());
        Ok(dict.or_else(|| value.as_vector().map(|v| v.iter().collect())))
    }

    /// Closes the innermost container, all of whose parts are done.
    fn leave(&mut self) -> Option<Stx> {
        let Open { value, mut done, .. } = self.open.pop()?;
        self.is_open.remove(&value.word());
        let node = if let Some(dict) = value.as_dict() {
            let keys = self
                .heap
                .dict_entries(dict)
                .map(|(key, _)| key.as_str().unwrap_or_default());
            let span = (self.span)(value);
            let keys = keys.map(|key| Syntax::new(Node::Keyword(key.into()), span.clone()));
            Node::Dict(keys.zip(done).collect())
        } else if value.as_vector().is_some() {
            Node::Vector(done)
        } else if value.list_len().is_err() {
            match done.pop() {
                Some(tail) => Node::Dotted(done, tail),
                None => Node::Nil,
            }
        } else {
            Node::List(done)
        };
        let stx = Syntax::new(node, (self.span)(value));
        self.shared.insert(value.word(), stx.clone());
        Some(stx)
    }

    fn atom(&mut self, value: Value<'h>) -> Node {
        if let Some(number) = value.as_number() {
            return match number {
                Num::Int(i) => Node::Int(i),
                Num::Big(big) => Node::Big(big.into()),
                Num::Ratio(ratio) => Node::Ratio(ratio.into()),
                Num::Float(f) => Node::Float(f),
            };
        }
        if let Some(c) = value.word().as_char() {
            return Node::Char(c);
        }
        match (value.word(), value.object_type()) {
            (Word::NIL, _) => Node::Nil,
            (Word::TRUE, _) => Node::Bool(true),
            (Word::FALSE, _) => Node::Bool(false),
            (_, Some(Type::String | Type::Text)) => Node::Str(value.as_str().unwrap_or_default().into()),
            (_, Some(Type::Symbol)) => Node::Sym(value.as_symbol().unwrap_or_default().into()),
            (_, Some(Type::Keyword)) => Node::Keyword(value.as_keyword().unwrap_or_default().into()),
            (_, Some(Type::Bytevector)) => Node::Bytes(value.bytes_to_vec().unwrap_or_default().into()),
            _ => Node::Value((self.row)(value)),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::heap::HeapOptions;
    use crate::print::Style;

    fn stx(node: Node) -> Stx {
        Syntax::new(node, Span::none())
    }

    fn sample() -> Stx {
        let one = || stx(Node::Int(1));
        let entry = |key: &str, value| (stx(Node::Keyword(key.into())), value);
        let dict = Node::Dict(vec![
            entry("b", one()),
            entry("a", stx(Node::Nil)),
            entry("b", stx(Node::Char('x'))),
        ]);
        let parts = vec![
            stx(Node::Sym("f".into())),
            stx(Node::Str("text".into())),
            stx(Node::Float(0.0)),
            stx(Node::Int(i64::MIN)),
            stx(Node::List(vec![])),
            stx(Node::Dotted(vec![one()], stx(Node::Bool(true)))),
            stx(Node::Vector(vec![one(), one()])),
            stx(Node::Bytes([1, 2].as_slice().into())),
            stx(dict),
            stx(Node::Alias("g".into(), 3)),
            stx(Node::Keyword("k".into())),
        ];
        stx(Node::List(parts))
    }

    const TEXT: &str = "(f \"text\" 0.0 -9223372036854775808 () (1 . true) #(1 1) #u8(1 2) {:b #\\x :a nil} g :k)";

    #[test]
    fn syntax_round_trips() {
        for lists in [Lists::Views, Lists::Pairs] {
            let mut heap = Heap::new(HeapOptions {
                stress: true,
                poison: true,
                ..HeapOptions::default()
            });
            heap.reserve(size_of_syntax(&sample()), &mut ()).unwrap();
            let value = heap.handle(heap.value_of_syntax(&sample(), lists, &|_| Value::NIL));
            heap.collect(&mut ());
            assert_eq!(heap.print(heap.get(&value), Style::Write), TEXT);
            let span = &mut |_: Value<'_>| Span::none();
            let back = heap.syntax_of_value(heap.get(&value), span, &mut |_| 0).unwrap();
            heap.reserve(size_of_syntax(&back), &mut ()).unwrap();
            let again = heap.value_of_syntax(&back, lists, &|_| Value::NIL);
            assert!(heap.equal(again, heap.get(&value)));
        }
    }

    #[test]
    fn constants_are_old() {
        let mut heap = Heap::new(HeapOptions::default());
        let constant = heap.constant_of_syntax(&sample(), Lists::Views);
        assert!(!heap.is_young(constant.word()));
        assert!(!constant.items().any(|item| heap.is_young(item.word())));
        let rooted = heap.handle(constant);
        heap.reserve(100, &mut ()).unwrap();
        assert!(heap.is_young(heap.cons(Value::NIL, Value::NIL).word()));
        heap.collect(&mut ());
        assert_eq!(heap.print(heap.get(&rooted), Style::Write), TEXT);
    }

    #[test]
    fn deep_and_shared_and_circular_values() {
        let mut heap = Heap::new(HeapOptions::default());
        let deep = (0..300_000).fold(stx(Node::Nil), |inner, _| stx(Node::List(vec![inner])));
        heap.reserve(size_of_syntax(&deep), &mut ()).unwrap();
        let value = heap.value_of_syntax(&deep, Lists::Views, &|_| Value::NIL);
        let span = &mut |_: Value<'_>| Span::none();
        assert!(heap.syntax_of_value(value, span, &mut |_| 0).is_ok());

        heap.reserve(100 * size_of_list(2), &mut ()).unwrap();
        let doubled = (0..60).fold(Value::EMPTY, |inner, _| heap.list(&[inner, inner]));
        assert!(heap.syntax_of_value(doubled, span, &mut |_| 0).is_ok());
        heap.set_nth(doubled, 0, doubled);
        assert_eq!(
            heap.syntax_of_value(doubled, span, &mut |_| 0).map(|_| ()),
            Err(Circular)
        );
    }

    #[test]
    fn what_has_no_syntax_keeps_a_row() {
        let mut heap = Heap::new(HeapOptions::default());
        heap.reserve(1000, &mut ()).unwrap();
        let buffer = heap.string_buffer().value();
        let list = heap.list(&[buffer]);
        let mut rows = Vec::new();
        let back = heap.syntax_of_value(list, &mut |_| Span::none(), &mut |v| {
            rows.push(v);
            rows.len() as u32 - 1
        });
        let again = heap.value_of_syntax(&back.unwrap(), Lists::Views, &|n| rows[n as usize]);
        assert_eq!(again.first(), Some(buffer));
    }
}
