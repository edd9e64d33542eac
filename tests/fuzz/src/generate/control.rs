//! Conditions, winds, continuations, parameters, coroutines, values.

use super::{Around, Generator, Ty};
use crate::sexp::{Sexp, atom, form};

impl Generator {
    pub(super) fn guard(&mut self, ty: Ty, depth: usize) -> Sexp {
        let e = self.name("e");
        let body = if self.one_in(2) {
            self.error_in(ty, depth)
        } else {
            self.body(ty, depth)
        };
        let handler = self.with(&[(&e, Ty::Any)], |g| g.expr(ty, depth));
        let other = self.expr(ty, depth);
        let template = self.pick(&[
            "(guard ($0 (true $1)) $2)",
            "(guard ($0 ((number? $0) $1) (else $3)) $2)",
            "(guard ($0 ((string? $0) $1)) $2)",
            "(guard ($0 ((error? $0) (note (error-message $0)) $1)) $2)",
            "(guard ($0 (true (note $0) $1)) $2)",
            "(guard ($0 (true $3)) (guard ($0 ((error? $0) (raise $0))) $2))",
            "(let ((r (try-call (fn () $2)))) (if (get r :ok) (get r :value) (begin (note r) $3)))",
            "(guard ($0 ((begin (note $0) false) $1) (else $3)) $2)",
        ]);
        form(template, &[atom(e), handler, body, other])
    }

    /// An expression that fails somewhere inside.
    fn error_in(&mut self, ty: Ty, depth: usize) -> Sexp {
        let failing = self.error(ty, depth);
        let value = self.expr(ty, depth);
        let test = self.expr(Ty::Bool, depth);
        let template = self.pick(&[
            "(begin $0 $1)",
            "(if $2 $0 $1)",
            "(begin (for-each (fn (x) (if (= x 2) $0 (note x))) (list 1 2 3)) $1)",
            "(begin (map (fn (x) (if $2 $0 x)) (list 1 2)) $1)",
            "(let deep ((n 4)) (if (= n 0) $0 (begin (deep (- n 1)) $1)))",
            "(dynamic-wind (fn () (note :in)) (fn () $0 $1) (fn () (note :out)))",
        ]);
        form(template, &[failing, value, test])
    }

    pub(super) fn bound_handler(&mut self, ty: Ty, depth: usize) -> Sexp {
        let e = self.name("e");
        let answer = self.with(&[(&e, Ty::Any)], |g| g.expr(ty, depth));
        let raised = self.expr(Ty::Any, depth);
        let body = self.expr(ty, depth);
        let template = self.pick(&[
            "(handler-bind ((true (fn ($0) $1))) (raise-continuable $2))",
            "(handler-bind ((number? (fn ($0) $1)) (true (fn ($0) (note $0) $1))) (raise-continuable $2))",
            "(handler-bind ((error? (fn ($0) (note :seen)))) $3)",
            "(guard ($0 (true $1)) (handler-bind ((true (fn ($0) (note $0) $1))) (raise $2) $3))",
            "(handler-bind ((true (fn ($0) $1))) (handler-bind ((true (fn ($0) (raise-continuable $0)))) (raise-continuable $2)))",
            "(handler-bind (((fn ($0) (begin (note $0) true)) (fn ($0) $1))) (begin (map (fn (x) (raise-continuable x)) (list 1 2)) $3))",
        ]);
        form(template, &[atom(e), answer, raised, body])
    }

    pub(super) fn wind(&mut self, ty: Ty, depth: usize) -> Sexp {
        let body = self.body(ty, depth);
        let (before, after) = (self.statement(depth.min(1)), self.statement(depth.min(1)));
        let mark = atom(self.name("w"));
        let template = self.pick(&[
            "(dynamic-wind (fn () (note '(in $3))) (fn () $1) (fn () (note '(out $3))))",
            "(dynamic-wind (fn () $0) (fn () $1) (fn () $2))",
            "(dynamic-wind (fn () (note :in) $0) (fn () (note :body) $1) (fn () $2 (note :out)))",
        ]);
        form(template, &[before, body, after, mark])
    }

    pub(super) fn escape(&mut self, ty: Ty, depth: usize) -> Sexp {
        let k = self.name("k");
        let value = self.expr(ty, depth);
        let body = self.with(&[(&k, Ty::Escape)], |g| g.expr(ty, depth));
        let template = self.pick(&[
            "(call/cc (fn ($0) (begin ($0 $1) $2)))",
            "(call/cc (fn ($0) (for-each (fn (x) (when (> x 1) ($0 $1))) (list 1 2 3)) $2))",
            "(call/cc (fn ($0) $2))",
            "(call/cc (fn ($0) (dynamic-wind (fn () (note :i)) (fn () ($0 $1)) (fn () (note :o)))))",
            "(call/cc (fn ($0) (if (spend!) ($0 $1) $2)))",
            "(let (($0 nil)) (let ((v (call/cc (fn (c) (set! $0 c) $1)))) (note :at) (if (spend!) ($0 $2) v)))",
        ]);
        form(template, &[atom(k), value, body])
    }

    /// A continuation that is used again.
    pub(super) fn reentry(&mut self, ty: Ty, depth: usize) -> Sexp {
        let (k, n, v) = (self.name("k"), self.name("n"), self.name("v"));
        let first = self.expr(ty, depth);
        let again = self.with(&[(&n, Ty::Int)], |g| g.expr(ty, depth));
        let rest = self.with(&[(&n, Ty::Int), (&v, ty)], |g| g.expr(ty, depth));
        let template = self.pick(&[
            "(let (($0 nil) ($1 0)) (let (($2 (call/cc (fn (c) (set! $0 c) $3)))) (set! $1 (+ $1 1)) (if (spend!) ($0 $4) $5)))",
            "(let (($0 nil) ($1 0)) (let (($2 (dynamic-wind (fn () (note :in)) (fn () (call/cc (fn (c) (set! $0 c) $3))) (fn () (note :out))))) (set! $1 (+ $1 1)) (if (spend!) ($0 $4) $5)))",
            "(let (($0 nil) ($1 0)) (note (map (fn (x) (call/cc (fn (c) (when (= x 2) (set! $0 c)) x))) (list 1 2 3))) (set! $1 (+ $1 1)) (when (spend!) ($0 (* 10 $1))) (let (($2 $3)) $5))",
            "(let (($0 nil) ($1 0)) (let ((got (map (fn (x) (call/cc (fn (c) (when (= x 2) (set! $0 c)) x))) (list 1 2 3)))) (note (list-copy got)) (set-nth! got 0 77) (append! got 78) (set! $1 (+ $1 1)) (if (spend!) ($0 (* 10 $1)) (let (($2 $3)) $5))))",
            "(let (($0 nil) ($1 0) ($2 $3)) (call/cc (fn (c) (set! $0 c))) (set! $1 (+ $1 1)) (set! $2 $4) (if (spend!) ($0 nil) $5))",
        ]);
        form(template, &[atom(k), atom(n), atom(v), first, again, rest])
    }

    pub(super) fn reset(&mut self, ty: Ty, depth: usize) -> Sexp {
        let around = Around {
            prompt: Some(ty),
            ..self.around.clone()
        };
        let body = self.elsewhere(around, |g| g.body(ty, depth));
        let (k, value) = (self.name("k"), self.expr(ty, depth));
        let number = self.expr(Ty::Int, depth);
        let template = self.pick(&[
            "(reset $0)",
            "(reset (begin (shift $1 (begin ($1 1) ($1 2))) $0))",
            "(reset (let ((x (shift $1 (if (spend!) (begin (note ($1 $3)) ($1 2)) $2)))) (note x) $0))",
            "(let (($1 nil)) (note (reset (begin (shift c (begin (set! $1 c) $2)) $0))) (if (spend!) ($1 1) $2))",
            "(reset (begin (map (fn (x) (if (= x 2) (shift $1 (begin (note ($1 $3)) (note ($1 0)) $2)) x)) (list 1 2 3)) $0))",
            "(reset (guard (e (true (note e) $2)) (shift $1 ($1 1)) $0))",
        ]);
        form(template, &[body, atom(k), value, number])
    }

    pub(super) fn shift(&mut self, depth: usize) -> Sexp {
        let Some(ty) = self.around.prompt else {
            return self.leaf(Ty::Int);
        };
        let (k, value, number) = (self.name("k"), self.expr(ty, depth), self.expr(Ty::Int, depth));
        let template = self.pick(&[
            "(shift $0 ($0 $2))",
            "(shift $0 $1)",
            "(shift $0 (if (spend!) (begin ($0 $2) ($0 3)) ($0 $2)))",
            "(shift $0 (begin (note ($0 $2)) $1))",
        ]);
        form(template, &[atom(k), value, number])
    }

    pub(super) fn coroutine(&mut self, ty: Ty, depth: usize) -> Sexp {
        let around = Around {
            coroutine: true,
            ..self.around.clone()
        };
        let (c, x) = (self.name("co"), self.name("x"));
        let body = self.elsewhere(around.clone(), |g| g.expr(ty, depth));
        let yielded = self.elsewhere(around, |g| g.expr(Ty::Int, depth));
        let value = self.expr(ty, depth);
        let template = self.pick(&[
            "(let (($0 (make-coroutine (fn () (let (($1 (coroutine-yield $2))) (note $1) $3))))) (note (coroutine-resume $0)) (coroutine-resume $0 5))",
            "(let (($0 (make-coroutine (fn () (for-each (fn ($1) (coroutine-yield (+ $1 $2))) (list 1 2 3)) $3)))) (note (coroutine-resume $0)) (note (coroutine-resume $0)) (note (coroutine-alive? $0)) $4)",
            "(let (($0 (make-coroutine (fn () (guard (e (true (note e) $4)) (coroutine-yield $2) $3))))) (note (coroutine-resume $0)) (coroutine-resume $0))",
            "(let (($0 (make-coroutine (fn () $3)))) (begin (coroutine-resume $0) (note (guard (e (true (error-message e))) (coroutine-resume $0))) $4))",
            "(let (($0 (make-coroutine (fn () (let loop ((i 0)) (note (coroutine-yield (+ i $2))) (loop (+ i 1))))))) (note (map (fn ($1) (coroutine-resume $0 $1)) (list 1 2 3))) $4)",
            "(let (($0 nil)) (set! $0 (make-coroutine (fn () (note (guard (e (true (error-message e))) (coroutine-resume $0))) $3))) (coroutine-resume $0))",
        ]);
        form(template, &[atom(c), atom(x), yielded, body, value])
    }

    pub(super) fn parameterized(&mut self, ty: Ty, depth: usize) -> Sexp {
        let body = self.body(ty, depth);
        let (a, b) = (self.expr(Ty::Int, depth), self.expr(Ty::Int, depth));
        let template = self.pick(&[
            "(parameterize ((p0 $0)) $1)",
            "(parameterize ((p0 $0) (p1 $2)) (note (list (p0) (p1))) $1)",
            "(begin (note (parameterize ((p1 $0)) (p1))) $1)",
            "(let ((q (make-parameter $0 (fn (x) (note x) (+ x 1))))) (parameterize ((q $2)) (note (q)) $1))",
            "(provide theme $0 (note (context theme)) $1)",
            "(scope bag (emit! bag $0) (emit! bag $2) (note (emitted bag)) $1)",
        ]);
        form(template, &[a, body, b])
    }

    pub(super) fn values(&mut self, ty: Ty, depth: usize) -> Sexp {
        let (a, b) = (self.name("a"), self.name("b"));
        let (first, second) = (self.expr(ty, depth), self.expr(Ty::Int, depth));
        let body = self.with(&[(&a, ty), (&b, Ty::Int)], |g| g.expr(ty, depth));
        let template = self.pick(&[
            "(call-with-values (fn () (values $2 $3)) (fn ($0 $1) $4))",
            "(receive ($0 $1) (values $2 $3) $4)",
            "(let-values ((($0 $1) (values $2 $3))) $4)",
            "(call-with-values (fn () (call/cc (fn (k) (k $2 $3)))) (fn ($0 $1) $4))",
            "(receive ($0 &rest $1) (apply values (list $2 $3)) (let (($1 (first $1))) $4))",
        ]);
        form(template, &[atom(a), atom(b), first, second, body])
    }

    pub(super) fn promise(&mut self, ty: Ty, depth: usize) -> Sexp {
        let (p, value) = (self.name("p"), self.body(ty, depth));
        let template = self.pick(&[
            "(force (delay $1))",
            "(let (($0 (delay (begin (note :forced) $1)))) (force $0) (force $0))",
            "(force (delay-force (delay $1)))",
            "(deref (delay $1))",
        ]);
        form(template, &[atom(p), value])
    }

    pub(super) fn evaluated(&mut self, ty: Ty, depth: usize) -> Sexp {
        let saved = std::mem::take(&mut self.scope);
        let value = self.expr(ty, depth.min(2));
        self.scope = saved;
        let template = self.pick(&[
            "(eval-expr '$0)",
            "(eval-expr (list 'begin '$0))",
            "(eval-expr '(let ((x $0)) x))",
        ]);
        form(template, &[value])
    }

    /// A use of one of the program's macros.
    pub(super) fn macro_use(&mut self, ty: Ty, depth: usize) -> Sexp {
        if self.macros.is_empty() {
            return self.expr(ty, depth);
        }
        let (name, argc) = self.pick(&self.macros.clone());
        let value = self.expr(ty, depth);
        let extra = self.expr(Ty::Any, depth);
        match argc {
            1 => form("($0 $1)", &[atom(name), value]),
            _ => form("($0 $1 $2)", &[atom(name), extra, value]),
        }
    }
}
