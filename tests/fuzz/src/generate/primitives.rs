//! Calls of any primitive of the table, from the types of its parameters.

use super::{Generator, Ty};
use crate::sexp::{Sexp, atom, form};
use std::sync::OnceLock;
use sx_runtime::prims::{self, Mark, Prim, Type};

/// Primitives whose answer is not a function of the program, or that reach further than a test
/// may, or that make as much as a number says.
const LEFT_OUT: &[&str] = &[
    "random-int",
    "random-float",
    "now-ms",
    "gensym",
    "gc",
    "runtime-stats",
    "doc",
    "exit",
    "host-warn",
    "load",
    "make-vector",
    "make-bytevector",
    "make-string",
    "repeat",
    "pad-left",
    "pad-right",
    "expt",
    "pow",
    "arithmetic-shift",
    "range",
    "read-line",
    "read-char",
    "peek-char",
    "read",
    "read-string",
    "sleep",
    "open-input-file",
    "open-output-file",
    "file-exists?",
    "delete-file",
    "getenv",
    "current-jiffy",
    "current-second",
    "format-date",
    "number->string",
    "inexact->exact",
    "exact",
    "bit-count",
    "exact-integer-sqrt",
];

/// Those that can be called.
fn callable() -> &'static [&'static Prim] {
    static CALLABLE: OnceLock<Vec<&'static Prim>> = OnceLock::new();
    let fits = |prim: &&&'static Prim| {
        !prim.is_internal()
            && !prim.name.contains("jit")
            && !prim.name.contains("random")
            && !prim.name.contains("clock")
            && !prim.name.contains("time")
            && !LEFT_OUT.contains(&prim.name)
    };
    CALLABLE.get_or_init(|| prims::all().iter().filter(fits).copied().collect())
}

impl Generator {
    pub(super) fn primitive(&mut self, ty: Ty, depth: usize) -> Sexp {
        let result: &[Type] = match ty {
            Ty::Int => &[Type::Number, Type::Int, Type::Index],
            Ty::Bool => &[Type::Bool],
            Ty::Str => &[Type::String],
            Ty::List => &[Type::List],
            Ty::Dict => &[Type::Dict],
            Ty::Vector => &[Type::Vector],
            _ => &[],
        };
        // No result asked for: anything will do.
        let fits = |prim: &&&'static Prim| result.is_empty() || result.contains(&prim.result);
        let known: Vec<&'static Prim> = callable().iter().filter(fits).copied().collect();
        if known.is_empty() {
            return self.leaf(ty);
        }
        let prim = known[self.below(known.len())];
        self.call_of(prim, depth)
    }

    fn call_of(&mut self, prim: &'static Prim, depth: usize) -> Sexp {
        let mut items = vec![atom(prim.name)];
        for param in prim.params {
            let count = match param.mark {
                Mark::Required => 1,
                Mark::Optional => self.below(2),
                Mark::Rest => self.below(4),
            };
            for _ in 0..count {
                let wrong = self.one_in(40);
                items.push(if wrong {
                    self.leaf(Ty::Any)
                } else {
                    self.argument(param.ty, depth)
                });
            }
        }
        Sexp::List(items)
    }

    fn argument(&mut self, ty: Type, depth: usize) -> Sexp {
        let ty = match ty {
            Type::Number | Type::Int => Ty::Int,
            Type::String => Ty::Str,
            Type::Bool => Ty::Bool,
            Type::List => Ty::List,
            Type::Dict => Ty::Dict,
            Type::Vector => Ty::Vector,
            Type::Procedure => Ty::Fun(1),
            Type::Any => Ty::Any,
            _ => return self.literal(ty, depth),
        };
        self.expr(ty, depth)
    }

    fn literal(&mut self, ty: Type, depth: usize) -> Sexp {
        let text = match ty {
            Type::Index => self.pick(&["0", "1", "2"]),
            Type::Name => self.pick(&["\"a\"", "'b", "':c"]),
            Type::Char => self.pick(&["#\\a", "#\\Z", "#\\5", "#\\space"]),
            Type::Symbol => self.pick(&["'a", "'bc"]),
            Type::Keyword => "':k",
            Type::Pair => self.pick(&["(list 1 2)", "(cons 1 ())"]),
            Type::Bytes => "(bytevector 1 2 3)",
            Type::Collection => return self.expr(Ty::List, depth),
            Type::Set => "(make-set (list 1 2))",
            Type::HashTable => "(make-hash-table)",
            Type::IntSet => "(make-int-set (list 1 70))",
            Type::IntMap => "(make-int-map)",
            Type::StringBuffer => "(make-string-buffer)",
            Type::Promise => "(make-promise 1)",
            Type::Error => "(guard (e (true e)) (error \"made\" 1))",
            Type::Port => "(open-input-string \"ab c\")",
            _ => "nil",
        };
        form(text, &[])
    }
}
