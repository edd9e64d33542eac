//! Performing, handling, forwarding, and what comes right after.

use super::{Around, Generator, Ty};
use crate::sexp::{Sexp, form};

const OPS: &[&str] = &["ask", "tell", "flip"];

/// Functions that call back with a perform (`$0`) in what they call, on a list (`$1`).
#[rustfmt::skip]
const CALLED_BACK: &[&str] = &[
    "(map (fn (x) (+ x $0)) $1)",
    "(filter (fn (x) (< x $0)) $1)",
    "(map (fn (x) (reduce (fn (a b) (+ a $0)) x (list 1 2))) $1)",
    "(sort (fn (a b) (< a (+ b (* 0 $0)))) $1)",
    "(sort-by (fn (x) (- x $0)) $1)",
    "(map-indexed (fn (i x) (+ i $0)) $1)",
    "(take-while (fn (x) (< x $0)) $1)",
    "(drop-while (fn (x) (< x $0)) $1)",
    "(list (reduce (fn (a x) (+ a (+ x $0))) 0 $1))",
    "(list (fold-right (fn (x a) (+ a (+ x $0))) 0 $1))",
    "(map + (map (fn (x) $0) $1) (map (fn (x) $0) $1))",
    "(list (find (fn (x) (> x $0)) $1))",
    "(list (if (some (fn (x) (= x $0)) $1) 1 2) (if (every? (fn (x) (< x $0)) $1) 3 4))",
    "(begin (for-each (fn (x) (note (+ x $0))) $1) (list 9))",
    "(apply append (map (fn (x) (list x $0)) $1))",
    "(vals (group-by (fn (x) (if (even? x) $0 0)) (list 1 2 3)))",
    "(first (partition (fn (x) (< x $0)) $1))",
    "(iterate (fn (x) (+ x $0)) 1 3)",
    "(list (force (delay $0)))",
    "(list (find-index (fn (x) (> x $0)) $1))",
    "(let ((out (list))) (for-each-indexed (fn (i x) (append! out (+ i $0))) $1) out)",
    "(let ((t (make-hash-table))) (for-each (fn (x) (hash-table-set! t x x)) $1) (list (hash-table-fold t (fn (k v acc) (+ acc $0)) 0)))",
    "(let ((t (make-hash-table)) (out (list))) (for-each (fn (x) (hash-table-set! t x x)) $1) (hash-table-walk t (fn (k v) (append! out (+ v $0)))) out)",
    "(let ((t (make-hash-table)) (out (list))) (hash-table-set! t :a 1) (hash-table-set! t :b 2) (hash-table-for-each (fn (k v) (append! out (+ v $0))) t) out)",
    "(let ((t (make-hash-table))) (hash-table-update! t :k (fn (old) (+ old $0)) (fn () $0)) (list (hash-table-ref t :k (fn () 0)) (hash-table-ref t :none (fn () $0)) (hash-table-ref t :k (fn () 0) (fn (v) (+ v $0)))))",
    "(list (len (string-map (fn (c) (begin $0 c)) \"abc\")))",
    "(let ((out (list))) (string-for-each (fn (c) (append! out $0)) \"ab\") out)",
    "(let ((out (list))) (vector-for-each (fn (x) (append! out (+ x $0))) (vector 1 2)) out)",
    "(vals (update-in {:a {:b 1}} (list :a :b) (fn (old) (+ old $0))))",
    "(map (memoize (fn (x) (+ x $0))) (list 1 2 1))",
    "(list (len (regex-replace \"b.\" \"abcbd\" (fn (m) (begin $0 \"x\")))))",
    "(map (fn (x y z) (+ x $0)) $1 (list 1 2 3) (list 4 5 6))",
    "(list (some (fn (x y) (< x (+ y $0))) $1 (list 1 2)) (every? (fn (x y) (< x (+ y $0))) $1 (list 1 2)))",
    "(list (reduce (fn (acc x y) (+ acc $0)) 0 $1 (list 1 2)))",
    "(list (fold-left (fn (acc x y) (+ acc $0)) 0 $1 (list 1 2)))",
    "(list (fold-right (fn (x y acc) (+ acc $0)) 0 $1 (list 1 2)))",
    "(parameterize ((p1 $0)) (list (p1)))",
    "(list (apply (fn (x &rest more) (+ x $0)) 1 $1))",
    "(begin (for-each (fn (x y) (note (+ x $0))) $1 (list 1 2)) (list 9))",
    "(vector->list (vector-map (fn (x y) (+ x $0)) (list->vector $1) (vector 1 2)))",
    "(list (call-with-values (fn () (values 1 $0)) (fn (a b) (+ a b $0))))",
    "(list (dynamic-wind (fn () $0) (fn () $0) (fn () $0)))",
    "(list (get (try-call (fn () (+ 1 $0))) :value))",
];

impl Generator {
    /// An expression with handlers around it.
    pub(super) fn handled(&mut self, ty: Ty, depth: usize) -> Sexp {
        let op = self.pick(OPS);
        let mut around = self.around.clone();
        around.ops.push(op);
        let body = self.elsewhere(around.clone(), |g| g.body(ty, depth));
        let performing = self.elsewhere(around, |g| g.performing(ty, depth));
        let handler = self.handler(ty, depth);
        let second = self.handler(ty, depth);
        let template = self.pick(&[
            "(with-handler {:$OP $0} $2)",
            "(with-handler {:$OP $0} (begin $3 $2))",
            "(with-handler {:other $1 :$OP $0} $3)",
            "(with-handler (fn (request resume) (if (= (op-of request) \"$OP\") ($0 request resume) (forward request resume))) $3)",
            "(with-handler {:$OP $0} (with-handler {:$OP (fn (request resume) (forward request resume))} $3))",
            "(with-handler {:$OP $0} (with-handler {:other $1} $3))",
            "(with-handler {:$OP $0} (with-handler (fn (request resume) (let ((r (forward request resume))) (note :back) r)) $3))",
            "(with-handler {:$OP $0} (dynamic-wind (fn () (note :in)) (fn () $3) (fn () (note :out))))",
            "(with-handler {:$OP $0} (guard (e (true (note e) $2)) $3))",
        ]);
        form(&template.replace("$OP", op), &[handler, second, body, performing])
    }

    /// A handler: it resumes never, once or twice, last of all or not.
    fn handler(&mut self, ty: Ty, depth: usize) -> Sexp {
        let value = self.with(&[("request", Ty::Any)], |g| g.expr(ty, depth.min(2)));
        let (a, b) = (self.expr(Ty::Int, depth.min(1)), self.expr(Ty::Int, depth.min(1)));
        let joined = match ty {
            Ty::Int => "(+ x y)",
            Ty::List => "(append x y)",
            Ty::Str => "(str x y)",
            _ => "y",
        };
        let template = self.pick(&[
            "(fn (request resume) $0)",
            "(fn (request resume) (resume $1))",
            "(fn (request resume) (resume $1))",
            "(fn (request resume) (begin (note (op-of request)) (resume $1)))",
            "(fn (request resume) (resume (+ 1 (arg-of request))))",
            "(fn (request resume) (let ((r (resume $1))) (note :after) r))",
            "(fn (request resume) (if (spend!) (let* ((x (resume $1)) (y (resume $2))) JOIN) (resume $1)))",
            "(fn (request resume) (if (spend!) (begin (resume $1) (resume $2)) $0))",
            "(fn (request resume) (begin (set! saved resume) (resume $1)))",
            "(fn (request resume) (resume (perform {:op \"test/echo\" :args (list $1)})))",
            "(fn (request resume) (first (map (fn (x) (resume x)) (list $1))))",
        ]);
        form(&template.replace("JOIN", joined), &[value, a, b])
    }

    /// An integer that is asked for.
    pub(super) fn perform(&mut self, depth: usize) -> Sexp {
        let value = self.expr(Ty::Int, depth);
        let ops = self.around.ops.clone();
        let op = match ops.is_empty() {
            false if !self.one_in(3) => self.pick(&ops),
            _ => self.pick(&["test/echo", "test/counter", "test/echo"]),
        };
        let template = self.pick(&[
            "(perform {:op \"$OP\" :args (list $0)})",
            "(perform (list \"$OP\" $0))",
            "(perform (list '$OP $0))",
        ]);
        form(&template.replace("$OP", op), &[value])
    }

    /// Something of a type that performs on the way, often inside a callback.
    fn performing(&mut self, ty: Ty, depth: usize) -> Sexp {
        let ask = self.perform(depth.min(1));
        let value = self.with(&[("got", Ty::Int)], |g| g.expr(ty, depth));
        let template = self.pick(&[
            "(let ((got $0)) $1)",
            "(let ((got (reduce + 0 (map (fn (x) (+ x $0)) (list 1 2 3))))) $1)",
            "(let ((got 0)) (for-each (fn (x) (set! got (+ got $0))) (list 1 2)) $1)",
            "(let* ((got (+ $0 $0))) $1)",
            "(let ((got (let deep ((n 3)) (if (= n 0) $0 (+ 1 (deep (- n 1))))))) $1)",
            "(let ((got (first (sort (fn (a b) (< (+ a $0) (+ b $0))) (list 3 1 2))))) $1)",
        ]);
        form(template, &[ask, value])
    }

    /// A perform inside the callback of a higher-order function, nested perhaps, and a list
    /// function of several arguments right behind it.
    pub(super) fn perform_then(&mut self, ty: Ty, depth: usize) -> Sexp {
        let ask = self.perform(depth.min(1));
        let xs = self.expr(Ty::List, depth.min(1));
        let hof = self.pick(CALLED_BACK);
        let list = form(hof, &[ask, xs]);
        let after = self.pick(&[
            "(append got (list 1 2))",
            "(take got 2)",
            "(drop got 1)",
            "(slice got 0 2)",
            "(list (nth got 0) (nth got 1))",
            "(cons 0 (rest got))",
            "(map (fn (x y) (list x y)) got (list 1 2 3))",
            "(reverse (cons (len got) got))",
        ]);
        let after = form(after, &[]);
        if ty == Ty::List {
            return form("(let ((got $0)) $1)", &[list, after]);
        }
        let value = self.with(&[("got", Ty::List)], |g| g.expr(ty, depth));
        form("(let ((got $0)) (note $1) $2)", &[list, after, value])
    }

    /// Uses the continuation some handler saved.
    pub(super) fn use_saved(&mut self, depth: usize) -> Sexp {
        let value = self.expr(Ty::Int, depth.min(1));
        form("(if (and saved (spend!)) (saved $0) $0)", &[value])
    }

    pub(super) fn yielding(&mut self, depth: usize) -> Sexp {
        let value = self.expr(Ty::Int, depth);
        form("(begin (coroutine-yield $0) 1)", &[value])
    }

    /// Nothing around at all.
    pub(super) fn nothing_around(&self) -> Around {
        Around::default()
    }
}
