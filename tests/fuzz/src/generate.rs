//! Random programs that end: typed, so that most of what they do succeeds; with every kind of
//! control in every kind of place, so that much of it is interrupted.
//!
//! A program ends because loops count, recursion goes down, and whatever could go round without
//! end (a continuation used again, a loop by `call/cc`) first asks `(spend!)`, which says yes a
//! fixed number of times in a run.
//!
//! Invariant: the program is a function of the seed and the options alone.

mod control;
mod data;
mod effects;
mod library;
mod primitives;
mod program;

use crate::sexp::{Sexp, atom, form};
use sx_runtime::host::Random;

/// What kind of value an expression is meant to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ty {
    /// A small integer.
    Int,
    /// A boolean.
    Bool,
    /// A string.
    Str,
    /// A list of integers.
    List,
    /// A dict from keywords to integers.
    Dict,
    /// A vector of integers.
    Vector,
    /// A procedure of so many integers that answers an integer.
    Fun(u8),
    /// A continuation that takes an integer and does not return.
    Escape,
    /// Anything.
    Any,
}

/// The types a variable may have.
const PLAIN: &[Ty] = &[
    Ty::Int,
    Ty::Int,
    Ty::Int,
    Ty::Bool,
    Ty::Str,
    Ty::List,
    Ty::List,
    Ty::Dict,
    Ty::Vector,
];

#[derive(Clone)]
struct Variable {
    name: String,
    ty: Ty,
    assignable: bool,
}

/// What surrounds the place where an expression is made.
#[derive(Clone, Default)]
struct Around {
    /// Ops that a handler around takes.
    ops: Vec<&'static str>,
    /// There is a `reset` around, of this type.
    prompt: Option<Ty>,
    /// There is a coroutine around.
    coroutine: bool,
}

/// Makes one program.
pub struct Generator {
    random: Random,
    scope: Vec<Variable>,
    around: Around,
    names: usize,
    /// Forms still allowed in the program.
    room: usize,
    globals: Vec<Variable>,
    functions: Vec<(String, u8, Ty)>,
    macros: Vec<(&'static str, usize)>,
    /// Uses of what the program defines of the library's kinds of things.
    kinds: Vec<&'static [&'static str]>,
}

type Production = fn(&mut Generator, Ty, usize) -> Sexp;

impl Generator {
    /// The generator of the program of this seed.
    pub fn new(seed: u64) -> Generator {
        let mut random = Random::new(seed ^ 0x5eed_0f5e);
        // Most mistakes show in a small program; some need a large one.
        let most = [40, 100, 300][(random.next_u64() % 3) as usize];
        let room = 20 + (random.next_u64() % most) as usize;
        Generator {
            random,
            scope: vec![],
            around: Around::default(),
            names: 0,
            room,
            globals: vec![],
            functions: vec![],
            macros: vec![],
            kinds: vec![],
        }
    }

    fn below(&mut self, n: usize) -> usize {
        (self.random.next_u64() % n.max(1) as u64) as usize
    }
    /// True once in so many times.
    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
    fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }
    fn name(&mut self, stem: &str) -> String {
        self.names += 1;
        format!("{stem}{}", self.names)
    }
    fn plain_type(&mut self) -> Ty {
        self.pick(PLAIN)
    }

    /// An expression of a type, at most so deep.
    fn expr(&mut self, ty: Ty, depth: usize) -> Sexp {
        if depth == 0 || self.room == 0 {
            return self.leaf(ty);
        }
        self.room -= 1;
        if self.one_in(3) {
            return self.general(ty, depth - 1);
        }
        match ty {
            Ty::Int => self.int(depth - 1),
            Ty::Bool => self.bool(depth - 1),
            Ty::Str => self.str(depth - 1),
            Ty::List => self.list(depth - 1),
            Ty::Dict => self.dict(depth - 1),
            Ty::Vector => self.vector(depth - 1),
            Ty::Fun(arity) => self.function(arity, depth - 1),
            Ty::Escape => self.leaf(Ty::Any),
            Ty::Any if self.one_in(5) => self.primitive(ty, depth - 1),
            Ty::Any => {
                let ty = self.plain_type();
                self.expr(ty, depth)
            }
        }
    }

    /// An expression that is a leaf.
    fn leaf(&mut self, ty: Ty) -> Sexp {
        if !self.one_in(3)
            && let Some(name) = self.variable(ty)
        {
            return atom(name);
        }
        match ty {
            Ty::Int | Ty::Escape => self.literal_int(),
            Ty::Bool => atom(self.pick(&["true", "false"])),
            Ty::Str => atom(self.pick(&["\"\"", "\"a\"", "\"bc\"", "\"né\"", "\"x y\""])),
            Ty::List => {
                let text = self.pick(&[
                    "()",
                    "(list)",
                    "(list 1 2 3)",
                    "(list 5 4)",
                    "(cons 7 (list 8))",
                    "'(1 2)",
                ]);
                form(text, &[])
            }
            Ty::Dict => form(self.pick(&["{}", "{:a 1}", "{:a 1 :b 2}", "{:b 3 :c 4 :a 5}"]), &[]),
            Ty::Vector => form(self.pick(&["(vector)", "(vector 1 2)", "(vector 3 4 5)"]), &[]),
            Ty::Fun(0) => form(self.pick(&["(fn () 1)", "(fn () (spend!))"]), &[]),
            Ty::Fun(1) => form(self.pick(&["inc", "abs", "(fn (x) x)", "-", "tick"]), &[]),
            Ty::Fun(2) => form(self.pick(&["+", "max", "(fn (x y) y)", "-", "*"]), &[]),
            Ty::Fun(n) => form(
                &format!("(fn ({}) {n})", ["x", "y", "z", "w"][..usize::from(n)].join(" ")),
                &[],
            ),
            Ty::Any => form(
                self.pick(&["nil", "true", "0", "\"s\"", "#\\c", "'sym", ":key", "1/2", "2.5", "()"]),
                &[],
            ),
        }
    }

    fn literal_int(&mut self) -> Sexp {
        match self.below(12) {
            0 => atom(self.pick(&[
                "4611686018427387903",
                "-4611686018427387904",
                "1000000007",
                "65536",
                "40000",
            ])),
            _ => atom((self.below(14) as i64 - 3).to_string()),
        }
    }

    /// The name of a variable of this type, if one is in scope.
    fn variable(&mut self, ty: Ty) -> Option<String> {
        let fits = |v: &&Variable| v.ty == ty || ty == Ty::Any;
        let names: Vec<String> = self
            .scope
            .iter()
            .rev()
            .take(12)
            .chain(&self.globals)
            .filter(fits)
            .map(|v| v.name.clone())
            .collect();
        let at = self.below(names.len());
        names.get(at).cloned()
    }

    /// A variable that may be assigned.
    fn assignable(&mut self) -> Option<Variable> {
        let found: Vec<Variable> = self
            .scope
            .iter()
            .chain(&self.globals)
            .filter(|v| v.assignable)
            .cloned()
            .collect();
        let at = self.below(found.len());
        found.get(at).cloned()
    }

    /// Makes something while variables are in scope.
    fn with<T>(&mut self, variables: &[(&str, Ty)], make: impl FnOnce(&mut Generator) -> T) -> T {
        let mark = self.scope.len();
        for (name, ty) in variables {
            let assignable = !matches!(ty, Ty::Escape);
            self.scope.push(Variable {
                name: (*name).into(),
                ty: *ty,
                assignable,
            });
        }
        let made = make(self);
        self.scope.truncate(mark);
        made
    }

    /// Makes something elsewhere: what is around here need not be around there.
    fn elsewhere<T>(&mut self, around: Around, make: impl FnOnce(&mut Generator) -> T) -> T {
        let saved = std::mem::replace(&mut self.around, around);
        let made = make(self);
        self.around = saved;
        made
    }

    /// Forms that are there for any type.
    fn general(&mut self, ty: Ty, depth: usize) -> Sexp {
        let production = self.weighted(GENERAL);
        production(self, ty, depth)
    }

    fn weighted(&mut self, table: &[(usize, Production)]) -> Production {
        let total = table.iter().map(|row| row.0).sum();
        let mut at = self.below(total);
        for (weight, production) in table {
            match at.checked_sub(*weight) {
                None => return *production,
                Some(rest) => at = rest,
            }
        }
        table[0].1
    }

    fn conditional(&mut self, ty: Ty, depth: usize) -> Sexp {
        let test = self.expr(Ty::Bool, depth);
        let (a, b) = (self.expr(ty, depth), self.expr(ty, depth));
        let template = self.pick(&[
            "(if $0 $1 $2)",
            "(cond ($0 $1) (else $2))",
            "(cond ((not $0) $2) (true $1))",
            "(if (and $0 true) $1 $2)",
            "(if (or false $0) $1 $2)",
            "(case (if $0 1 2) ((1) $1) (else $2))",
            "(let ((t $0)) (if t $1 $2))",
        ]);
        form(template, &[test, a, b])
    }

    fn let_form(&mut self, ty: Ty, depth: usize) -> Sexp {
        let (a, b) = (self.name("v"), self.name("v"));
        let (a_ty, b_ty) = (self.plain_type(), self.plain_type());
        let a_init = self.expr(a_ty, depth);
        let b_init = self.with(&[(&a, a_ty)], |g| g.expr(b_ty, depth));
        let body = self.with(&[(&a, a_ty), (&b, b_ty)], |g| g.body(ty, depth));
        let template = self.pick(&[
            "(let (($0 $1) ($2 $3)) $4)",
            "(let* (($0 $1) ($2 $3)) $4)",
            "(let (($0 $1)) (define $2 $3) $4)",
            "(letrec (($0 $1) ($2 $3)) $4)",
            "((fn ($0) (let (($2 $3)) $4)) $1)",
            "(call-with-values (fn () (let (($0 $1)) (values $0 $3))) (fn ($0 $2) $4))",
        ]);
        form(template, &[atom(a), a_init, atom(b), b_init, body])
    }

    /// A few effects, then a value.
    fn body(&mut self, ty: Ty, depth: usize) -> Sexp {
        if !self.one_in(3) {
            return self.expr(ty, depth);
        }
        let first = self.statement(depth);
        let last = self.expr(ty, depth);
        form("(begin $0 $1)", &[first, last])
    }

    /// An expression that is there for its effect.
    fn statement(&mut self, depth: usize) -> Sexp {
        match self.below(6) {
            0 | 1 => self.assignment(depth),
            2 => self.mutation(depth),
            3 => {
                let value = self.expr(Ty::Any, depth);
                form("(note $0)", &[value])
            }
            4 => self.redefinition(depth),
            _ => self.expr(Ty::Any, depth),
        }
    }

    fn assignment(&mut self, depth: usize) -> Sexp {
        match self.assignable() {
            Some(variable) => {
                let value = self.expr(variable.ty, depth);
                form("(set! $0 $1)", &[atom(variable.name), value])
            }
            None => self.leaf(Ty::Any),
        }
    }

    fn sequence(&mut self, ty: Ty, depth: usize) -> Sexp {
        let first = self.statement(depth);
        let last = self.expr(ty, depth);
        let template = self.pick(&[
            "(begin $0 $1)",
            "(do $0 $1)",
            "(let () $0 $1)",
            "(begin (when true $0) $1)",
        ]);
        form(template, &[first, last])
    }

    fn noted(&mut self, ty: Ty, depth: usize) -> Sexp {
        let value = self.expr(ty, depth);
        form("(note $0)", &[value])
    }

    /// A loop with an accumulator of the type.
    fn counting_loop(&mut self, ty: Ty, depth: usize) -> Sexp {
        let (name, i, acc) = (self.name("loop"), self.name("i"), self.name("acc"));
        let start = self.expr(ty, depth);
        let times = atom((1 + self.below(4)).to_string());
        let next = self.with(&[(&i, Ty::Int), (&acc, ty)], |g| g.expr(ty, depth));
        let template = self.pick(&[
            "(let $0 (($1 0) ($2 $3)) (if (< $1 $4) ($0 (+ $1 1) $5) $2))",
            "(let $0 (($1 0) ($2 $3)) (cond ((>= $1 $4) $2) (else ($0 (+ $1 1) $5))))",
            "(do (($1 0 (+ $1 1)) ($2 $3 $5)) ((= $1 $4) $2))",
            "(letrec (($0 (fn ($1 $2) (if (< $1 $4) ($0 (+ $1 1) $5) $2)))) ($0 0 $3))",
            "(let (($0 nil)) (set! $0 (fn ($1 $2) (if (< $1 $4) ($0 (+ $1 1) $5) $2))) ($0 0 $3))",
        ]);
        form(template, &[atom(name), atom(i), atom(acc), start, times, next])
    }

    /// Recursion that is not in tail position.
    fn recursion(&mut self, ty: Ty, depth: usize) -> Sexp {
        let (name, n, inner) = (self.name("rec"), self.name("n"), self.name("r"));
        let end = self.expr(ty, depth);
        let times = self.pick(&["3", "5", "60", "3000"]);
        let step = match times {
            "60" | "3000" => atom(inner.clone()),
            _ => self.with(&[(&n, Ty::Int), (&inner, ty)], |g| g.expr(ty, depth)),
        };
        let template = "(let $0 (($1 $2)) (if (= $1 0) $3 (let (($4 ($0 (- $1 1)))) $5)))";
        form(template, &[atom(name), atom(n), atom(times), end, atom(inner), step])
    }

    fn user_call(&mut self, ty: Ty, depth: usize) -> Sexp {
        let fitting: Vec<(String, u8, Ty)> = self.functions.iter().filter(|f| f.2 == ty).cloned().collect();
        if fitting.is_empty() {
            return self.conditional(ty, depth);
        }
        let at = self.below(fitting.len());
        let (name, arity, _) = fitting[at].clone();
        let mut items = vec![atom(name)];
        items.extend((0..arity).map(|_| self.expr(Ty::Int, depth)));
        if self.one_in(6) {
            let callee = items.remove(0);
            return form(
                "(apply $0 (list $1 $2))",
                &[callee, items[0].clone(), items.last().cloned().unwrap_or(atom("1"))],
            );
        }
        Sexp::List(items)
    }

    /// A form or function under a name of one's own.
    fn shadowing(&mut self, ty: Ty, depth: usize) -> Sexp {
        let value = self.expr(ty, depth);
        let name = self.pick(&[
            "if", "map", "first", "when", "list", "cond", "+", "reduce", "guard", "let",
        ]);
        let template = self.pick(&[
            "(let (($0 (fn (x) x))) ($0 $1))",
            "((fn ($0) ($0 $1)) (fn (x) x))",
            "(let () (define ($0 x) x) ($0 $1))",
            "(let (($0 (fn (x y) y))) ($0 1 $1))",
            "(letrec (($0 (fn (n x) (if (= n 0) x ($0 (- n 1) x))))) ($0 2 $1))",
        ]);
        if matches!(name, "if" | "cond") && template.contains("(if ") || name == "let" && template.contains("(let () ")
        {
            return value;
        }
        form(template, &[atom(name), value])
    }

    /// An error of some kind, where a value of the type is expected.
    fn error(&mut self, _: Ty, depth: usize) -> Sexp {
        let value = self.expr(Ty::Any, depth);
        let template = self.pick(&[
            "(raise $0)",
            "(error \"made\" $0)",
            "(raise-continuable $0)",
            "(first 5)",
            "(+ 1 \"x\")",
            "(nowhere $0)",
            "nowhere",
            "(5 $0)",
            "((fn (x) x))",
            "(cons 1)",
            "(quotient 1 0)",
            "(map 1 2)",
            "(vector-ref (vector) 3)",
            "(perform {:op \"x/none\" :args (list $0)})",
            "(perform 7)",
            "(assert false)",
            "(append! () 1)",
            "(get 5 :a)",
            "(letrec ((a b) (b $0)) a)",
        ]);
        form(template, &[value])
    }
}

const GENERAL: &[(usize, Production)] = &[
    (8, Generator::conditional),
    (10, Generator::let_form),
    (6, Generator::sequence),
    (4, Generator::noted),
    (6, Generator::counting_loop),
    (3, Generator::recursion),
    (8, Generator::user_call),
    (3, Generator::shadowing),
    (2, Generator::error),
    (3, Generator::macro_use),
    (8, Generator::guard),
    (3, Generator::bound_handler),
    (5, Generator::wind),
    (5, Generator::escape),
    (4, Generator::reentry),
    (4, Generator::reset),
    (12, Generator::handled),
    (6, Generator::perform_then),
    (3, Generator::coroutine),
    (3, Generator::parameterized),
    (3, Generator::values),
    (3, Generator::promise),
    (2, Generator::evaluated),
    (6, Generator::extract),
    (4, Generator::library_form),
    (2, Generator::bounded),
];
