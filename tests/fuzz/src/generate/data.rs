//! Expressions of each type of data, changes to data, and redefinitions.

use super::{Generator, Ty};
use crate::sexp::{Sexp, atom, form};

impl Generator {
    pub(super) fn int(&mut self, depth: usize) -> Sexp {
        match self.below(16) {
            15 => self.mixed(depth),
            14 => self.floats(depth),
            0..=3 => self.arithmetic(depth),
            4 => self.fold(depth),
            5 => self.shift(depth),
            6 | 7 => self.perform(depth),
            8 if self.around.coroutine => self.yielding(depth),
            8 => self.use_saved(depth),
            9 => self.apply_function(depth),
            10 => self.primitive(Ty::Int, depth),
            11 => self.user_call(Ty::Int, depth),
            12 => self.measure(depth),
            _ => self.thrown(depth),
        }
    }

    fn arithmetic(&mut self, depth: usize) -> Sexp {
        let (a, b, c) = (
            self.expr(Ty::Int, depth),
            self.expr(Ty::Int, depth),
            self.expr(Ty::Int, depth),
        );
        let template = self.pick(&[
            "(+ $0 $1)",
            "(- $0 $1)",
            "(+ $0 1)",
            "(- $0 1)",
            "(* $0 $1)",
            "(max $0 $1)",
            "(min $0 $1 $2)",
            "(mod $0 (+ 7 (abs $1)))",
            "(quotient $0 3)",
            "(+ $0 $1 $2)",
            "(- $0 $1 $2)",
            "(inc $0)",
            "(dec $0)",
            "(abs $0)",
            "(/ $0 2)",
            "(+ $0 0.5)",
            "(+ 40000 $0)",
            "(guard (e (true (note (error-message e)) $2)) (mod $0 (rem $1 2)))",
            "(guard (e (true $2)) (quotient $0 (- $1 $1)))",
        ]);
        form(template, &[a, b, c])
    }

    /// Arithmetic on floats, in rows, several times over at the same place and not always on floats.
    fn floats(&mut self, depth: usize) -> Sexp {
        let (a, b) = (self.expr(Ty::Int, depth), self.expr(Ty::Int, depth.min(1)));
        let template = self.pick(&[
            "(reduce (fn (acc x) (+ (* x 0.5) (- acc 0.25))) 0 (list 1.5 $1 2.5 0.0 $0))",
            "(let loop ((z 0.5) (n 4)) (if (= n 0) (begin (note z) $0) (loop (+ (* z z) (/ 1.5 n)) (- n 1))))",
            "(let loop ((z 1.5) (n 4)) (if (< (* z z) 9.0) (if (= n 0) $0 (loop (+ z 0.5) (- n 1))) (begin (note z) n)))",
            "(last (map (fn (x) (let ((y (* x 1.5))) (if (<= (- y x) (* y y)) (/ y 2.0) $0))) (list 1.5 $1 -2.5 3)))",
            "(reduce (fn (acc x) (if (> (* acc x) 1e200) 1.5 (* (* acc x) x))) 1.5 (list 1e100 2.5 1e100 $1 1/2))",
            "(let* ((n $0) (x (* 0.5 n)) (y (* 3 (+ 4611686018427387000 n)))) (if (< x y) (begin (note x) n) 1))",
        ]);
        form(template, &[a, b])
    }

    /// One place that meets values of several kinds, shapes or lengths, or one that changes its own.
    fn mixed(&mut self, depth: usize) -> Sexp {
        let (a, b) = (self.expr(Ty::Int, depth), self.expr(Ty::Int, depth.min(1)));
        let template = self.pick(&[
            "(last (map (fn (d) (or (get d :a) $1)) (list {:a 1 :b 2} {:c $0} {:b 3} {:a $0 :b 2} {:b 3 :a 5})))",
            "(let ((p (cons $0 (list 1)))) (append! p $1) (+ (first p) (first (rest p))))",
            "(let ((p (cons $0 (cons 1 ())))) (set-nth! p 1 $1) (+ (first p) (nth p 1)))",
            "(let ((x (if (< $0 $1) 1 2.5))) (begin (note (+ x 1)) $0))",
            "(last (map (fn (x) (if (list? x) (len x) (+ x 1))) (list $1 (list 1) (cons 1 (list 2)) $0)))",
            "(or (nth (list $0 $1 3) (+ 3 (mod $1 2))) $0)",
        ]);
        form(template, &[a, b])
    }

    fn measure(&mut self, depth: usize) -> Sexp {
        let ty = self.pick(&[Ty::List, Ty::Str, Ty::Dict, Ty::Vector]);
        let value = self.expr(ty, depth);
        match ty {
            Ty::Vector => form("(vector-length $0)", &[value]),
            _ => form("(len $0)", &[value]),
        }
    }

    /// A use of a continuation that is in scope.
    fn thrown(&mut self, depth: usize) -> Sexp {
        let value = self.expr(Ty::Int, depth);
        match self.variable(Ty::Escape) {
            Some(k) => form("($0 $1)", &[atom(k), value]),
            None => value,
        }
    }

    fn fold(&mut self, depth: usize) -> Sexp {
        let list = self.expr(Ty::List, depth);
        let (acc, x) = (self.name("acc"), self.name("x"));
        let body = self.with(&[(&acc, Ty::Int), (&x, Ty::Int)], |g| g.expr(Ty::Int, depth));
        let f = self.expr(Ty::Fun(2), depth.min(1));
        let template = self.pick(&[
            "(reduce (fn ($1 $2) $3) 0 $0)",
            "(fold-left (fn ($1 $2) $3) 1 $0)",
            "(fold-right (fn ($2 $1) $3) 2 $0)",
            "(reduce $4 0 $0)",
            "(apply + $0)",
            "(let loop ((xs $0) ($1 0)) (if (empty? xs) $1 (let (($2 (first xs))) (loop (rest xs) $3))))",
        ]);
        form(template, &[list, atom(acc), atom(x), body, f])
    }

    fn apply_function(&mut self, depth: usize) -> Sexp {
        let arity = self.below(4) as u8;
        let f = self.expr(Ty::Fun(arity), depth);
        let mut items = vec![f];
        items.extend((0..arity).map(|_| self.expr(Ty::Int, depth)));
        Sexp::List(items)
    }

    /// Takes something out of a structure, and goes on with it.
    pub(super) fn extract(&mut self, ty: Ty, depth: usize) -> Sexp {
        if ty != Ty::Int {
            return self.let_form(ty, depth);
        }
        let (list, dict, vector) = (self.leaf(Ty::List), self.leaf(Ty::Dict), self.leaf(Ty::Vector));
        let i = self.expr(Ty::Int, depth);
        let template = self.pick(&[
            "(nth (cons $3 $0) 0)",
            "(first (append $0 (list $3)))",
            "(get $1 :a $3)",
            "(or (get $1 :b) $3)",
            "(vector-ref (vector $3 1) (if (vector? $2) 0 1))",
            "(last (list $3 $3))",
            "(second (list 1 $3))",
            "(last (map (fn (d) (or (get d :a) $3)) (list {:a 1 :b 2} $1 {:b 3} {:a $3 :b 2} {:b 3 :a 5})))",
            "(last (map (fn (f) (f $3)) (list inc (fn (x) x) abs)))",
            "(let ((v (vector 1 2 $3))) (vector-set! v 1 $3) (+ (vector-ref v 0) (vector-ref v 2)))",
            "(let ((v (vector 1 2 $3))) (for-each (fn (i) (vector-set! v i $3)) (list 0 2)) (note v) $3)",
            "(letrec ((f (fn (n) (if (< n 1) $3 (g (- n 1))))) (g (fn (n) (note n) (f (- n 1))))) (last (map f (list 1 2 3))))",
        ]);
        form(template, &[list, dict, vector, i])
    }

    pub(super) fn bool(&mut self, depth: usize) -> Sexp {
        if self.one_in(4) {
            return self.primitive(Ty::Bool, depth);
        }
        let (a, b) = (self.expr(Ty::Int, depth), self.expr(Ty::Int, depth));
        let (list, other) = (self.expr(Ty::List, depth.min(1)), self.expr(Ty::Bool, depth));
        let template = self.pick(&[
            "(< $0 $1)",
            "(<= $0 $1)",
            "(> $0 $1)",
            "(>= $0 $1)",
            "(= $0 $1)",
            "(= $0 3)",
            "(< $0 2)",
            "(> $0 2)",
            "(not $3)",
            "(empty? $2)",
            "(eq? $0 $1)",
            "(some (fn (x) (< x $0)) $2)",
            "(every? (fn (x) (begin (note x) (< x $0))) $2)",
            "(and $3 (< $0 $1))",
            "(or $3 (begin (note :or) (= $0 1)))",
            "(nil? (nth $2 $0))",
            "(not (= $0 $1))",
            "(not (empty? $2))",
        ]);
        form(template, &[a, b, list, other])
    }

    pub(super) fn str(&mut self, depth: usize) -> Sexp {
        if self.one_in(3) {
            return self.primitive(Ty::Str, depth);
        }
        let (a, b) = (self.expr(Ty::Str, depth), self.expr(Ty::Any, depth));
        let i = self.expr(Ty::Int, depth.min(1));
        let template = self.pick(&[
            "(str $0 $1)",
            "(inspect $1)",
            "(upper $0)",
            "(join \",\" (map str (list $2 $1)))",
            "(substring (str $0 \"abc\") 0 2)",
            "(let ((sb (make-string-buffer))) (string-buffer-append! sb $0) (string-buffer-append! sb \"z\") (string-buffer->string sb))",
            "(type-of $1)",
        ]);
        form(template, &[a, b, i])
    }

    pub(super) fn list(&mut self, depth: usize) -> Sexp {
        if self.one_in(6) {
            return self.primitive(Ty::List, depth);
        }
        let x = self.name("x");
        let (xs, ys) = (self.expr(Ty::List, depth), self.expr(Ty::List, depth.min(1)));
        let int = self.expr(Ty::Int, depth);
        let mapped = self.with(&[(&x, Ty::Int)], |g| g.body(Ty::Int, depth));
        let test = self.with(&[(&x, Ty::Int)], |g| g.expr(Ty::Bool, depth));
        let template = self.pick(&[
            "(map (fn ($2) $4) $0)",
            "(map (fn ($2) $4) $0)",
            "(filter (fn ($2) $5) $0)",
            "(map (fn ($2 y) (+ $4 y)) $0 $1)",
            "(append $0 $1)",
            "(cons $3 $0)",
            "(list $3 $3)",
            "(rest $0)",
            "(take $0 2)",
            "(drop $0 1)",
            "(reverse $0)",
            "(slice $0 0 2)",
            "(sort (fn (a b) (begin (note a) (< a b))) $0)",
            "(sort-by (fn ($2) $4) $0)",
            "(range 0 (min 5 (abs (len $0))))",
            "(map-indexed (fn (i $2) (+ i $4)) $0)",
            "(take-while (fn ($2) $5) $0)",
            "(drop-while (fn ($2) $5) $0)",
            "(let ((out (list))) (for-each (fn ($2) (append! out $4)) $0) out)",
            "(first (partition (fn ($2) $5) $0))",
            "(vector->list (vector-map (fn ($2) $4) (list->vector $0)))",
            "(iterate (fn ($2) $4) $3 3)",
            "(for-each (fn ($2) (note $4)) $0)",
            "(find-index (fn ($2) $5) $0)",
        ]);
        form(template, &[xs, ys, atom(x), int, mapped, test])
    }

    pub(super) fn dict(&mut self, depth: usize) -> Sexp {
        let (d, v) = (self.expr(Ty::Dict, depth), self.expr(Ty::Int, depth));
        let key = atom(self.pick(&[":a", ":b", ":c", ":d", "\"e\""]));
        let test = self.expr(Ty::Bool, depth);
        let template = self.pick(&[
            "{:a $1 :b $1}",
            "{$2 $1}",
            "(assoc $0 $2 $1)",
            "(dissoc $0 $2)",
            "(merge $0 {$2 $1})",
            "(update (assoc $0 $2 1) $2 (fn (old) (+ old $1)))",
            "(let ((d (assoc $0 :z 0))) (dict-set! d $2 $1) d)",
            "(let ((d (merge $0 {:q 1}))) (dict-delete! d $2) (dict-set! d $2 $1) d)",
            "(let ((d {:a 1})) (let ((e (if $3 d {:a 2 :b 3}))) (dict-set! e $2 $1) (note d) e))",
            "(let ((t (make-hash-table))) (hash-table-set! t $2 $1) (hash-table-update!/default t :k (fn (old) (+ old $1)) 5) {:k (hash-table-ref t :k (fn () 0))})",
        ]);
        form(template, &[d, v, key, test])
    }

    pub(super) fn vector(&mut self, depth: usize) -> Sexp {
        let (v, n) = (self.expr(Ty::Vector, depth), self.expr(Ty::Int, depth));
        let template = self.pick(&[
            "(vector $1 $1)",
            "(let ((v (vector $1 2 3))) (vector-set! v 0 (vector-ref v 1)) (vector-set! v 1 $1) v)",
            "(vector-map (fn (x) (+ x $1)) $0)",
            "(let ((v (vector 0 0))) (vector-set! v 1 (list $1)) (note (vector-ref v 1)) $0)",
            "(list->vector (list $1 1))",
        ]);
        form(template, &[v, n])
    }

    pub(super) fn function(&mut self, arity: u8, depth: usize) -> Sexp {
        let names: Vec<String> = (0..arity).map(|_| self.name("p")).collect();
        let variables: Vec<(&str, Ty)> = names.iter().map(|n| (n.as_str(), Ty::Int)).collect();
        let body = self.with(&variables, |g| g.body(Ty::Int, depth));
        let params = Sexp::List(names.iter().map(atom).collect());
        match self.below(6) {
            0 => {
                let n = self.name("n");
                let start = self.expr(Ty::Int, depth.min(1));
                let template = "(let (($0 $1)) (fn $2 (set! $0 (+ $0 1)) (+ $0 $3)))";
                form(template, &[atom(n), start, params, body])
            }
            1 if arity == 1 => form("(memoize (fn $0 $1))", &[params, body]),
            2 if arity > 0 => {
                let all = atom(self.name("all"));
                let names: Vec<Sexp> = names.iter().map(atom).collect();
                form(
                    "(fn (&rest $0) (apply (fn $1 $2) (take (append $0 (list 0 0 0)) $3)))",
                    &[all, Sexp::List(names), body, atom(arity.to_string())],
                )
            }
            _ => form("(fn $0 $1)", &[params, body]),
        }
    }

    /// A change to something mutable.
    pub(super) fn mutation(&mut self, depth: usize) -> Sexp {
        let (list, dict, vector) = (self.leaf(Ty::List), self.leaf(Ty::Dict), self.leaf(Ty::Vector));
        let (value, key) = (self.expr(Ty::Int, depth), atom(self.pick(&[":a", ":b", ":n"])));
        let template = self.pick(&[
            "(append! gl $3)",
            "(dict-set! gd $4 $3)",
            "(vector-set! gv 1 $3)",
            "(vector-set! gv 0 (list $3 gl))",
            "(dict-set! gd $4 (cons $3 $0))",
            "(set-nth! gl 0 $3)",
            "(dict-delete! gd $4)",
            "(set! gi (+ gi $3))",
            "(note (len $0))",
            "(note (get $1 $4))",
            "(note $2)",
        ]);
        form(template, &[list, dict, vector, value, key])
    }

    /// A global, a primitive or a library function gets another meaning, used at once.
    pub(super) fn redefinition(&mut self, depth: usize) -> Sexp {
        let value = self.expr(Ty::Int, depth);
        let template = self.pick(&[
            "(begin (set! inc (fn (x) (+ x 100))) (note (inc 1)))",
            "(begin (set! first (fn (xs) 77)) (note (first (list 1 2))))",
            "(begin (set! first orig-first) (note (first (list 1 2))))",
            "(begin (set! inc orig-inc) (note (inc 1)))",
            "(begin (set! max (fn (&rest xs) (len xs))) (note (max 4 5 6)))",
            "(begin (set! nth (fn (xs i) (list :nth i))) (note (nth (list 1 2) 1)))",
            "(begin (set! nth orig-nth) (note (nth (list 1 2) 1)))",
            "(begin (set! map (fn (f xs) (list :map))) (note (map inc (list 1))))",
            "(begin (set! map orig-map) (note (map inc (list 1))))",
            "(begin (set! cons (fn (x xs) (append (list x) xs))) (note (cons 1 (list 2))))",
            "(begin (for-each (fn (x) (when (= x 2) (set! rest (fn (xs) :redefined)))) (list 1 2 3)) (note (rest (list 1 2))))",
            "(begin (set! rest orig-rest) (note (rest (list 1 2))))",
            "(begin (eval-expr '(define dec (fn (x) (* x 2)))) (note (dec 10)))",
            "(begin (set! not (fn (x) x)) (note (not true)) (set! not orig-not))",
            "(begin (set! empty? (fn (x) :e)) (note (if (empty? gl) 1 2)) (set! empty? orig-empty?))",
            "(note (with-handler {:swap (fn (request resume) (set! inc (fn (x) (list :swapped x))) (resume 1))} (inc (perform {:op \"swap\"}))))",
            "(begin (note (map (fn (x) (set! abs (fn (y) (list x y))) (abs $0)) (list 1 2))) (set! abs orig-abs))",
        ]);
        form(template, &[value])
    }
}
