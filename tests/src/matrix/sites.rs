//! The places where code runs inside code, one row each.
//!
//! In a row `$x` is the variable that holds the element of the visit and `$E` the hole, whose
//! value is that element unless the case puts another in its place. Names that a row defines
//! globally end in `$x`, so that a site may stand inside itself.

/// An expression with a hole.
pub struct Site {
    /// What the hole is in.
    pub name: &'static str,
    /// The expression.
    code: &'static str,
    /// The elements for which the hole is evaluated, in order.
    pub visits: &'static [i64],
    /// What the value prints as when the hole's value is the element.
    pub value: &'static str,
    /// How a continuation taken in the hole may be resumed several times.
    pub resumes: Resumes,
}

/// What may take the hole's continuation and resume it several times with independent results.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Resumes {
    /// A handler and a shift.
    Freely,
    /// A handler only: the site has a `reset` of its own.
    ByHandler,
    /// Nothing: the site keeps state that the resumptions share by design (a promise's first
    /// value, a coroutine's box, a scope's bucket), or leaves for a place outside the capture.
    Once,
}

impl Site {
    /// The expression with a variable and an expression for the hole.
    pub fn code_with(&self, variable: &str, hole: &str) -> String {
        self.code.replace("$x", variable).replace("$E", hole)
    }
}

macro_rules! resumes {
    () => {
        Resumes::Freely
    };
    ($resumes:ident) => {
        Resumes::$resumes
    };
}

macro_rules! sites {
    ($($name:literal $code:literal [$($visit:literal)*] $value:literal $($resumes:ident)?;)*) => {
        /// Every site.
        pub const SITES: &[Site] = &[$(Site {
            name: $name,
            code: $code,
            visits: &[$($visit),*],
            value: $value,
            resumes: resumes!($($resumes)?),
        }),*];
    };
}

sites! {
    "map" "(map (fn ($x) $E) (list 1 2 3))" [1 2 3] "(1 2 3)";
    "map of pairs" "(map (fn ($x) $E) (cons 1 (cons 2 (cons 3 ()))))" [1 2 3] "(1 2 3)";
    "map of pairs and a view" "(map (fn ($x) $E) (cons 1 (list 2 3)))" [1 2 3] "(1 2 3)";
    "map of two lists" "(map (fn ($x z) (+ $E z)) (list 1 2 3) (list 10 20 30))" [1 2 3] "(11 22 33)";
    "map of three lists" "(map (fn ($x z w) $E) (list 1 2 3) (list 4 5 6) (list 7 8))" [1 2] "(1 2)";
    "map data first" "(map (list 1 2 3) (fn ($x) $E))" [1 2 3] "(1 2 3)";
    "map of a vector" "(map (fn ($x) $E) (vector 1 2 3))" [1 2 3] "(1 2 3)";
    "map of a set" "(map (fn ($x) $E) (make-set (list 1 2)))" [1 2] "(1 2)";
    "map-indexed data first" "(map-indexed (list 1 2) (fn (i $x) (+ i $E)))" [1 2] "(1 3)";
    "for-each data first" "(for-each (list 1 2) (fn ($x) $E))" [1 2] "nil";
    "for-each-indexed data first" "(for-each-indexed (list 1 2) (fn (i $x) $E))" [1 2] "nil";
    "filter data first" "(filter (list 1 2 3) (fn ($x) (odd? $E)))" [1 2 3] "(1 3)";
    "reduce data first" "(reduce (list 1 2 3) (fn (acc $x) (+ acc $E)) 10)" [1 2 3] "16";
    "fold-left data first" "(fold-left (list 1 2) (fn (acc $x) (+ acc $E)) 10)" [1 2] "13";
    "fold-right data first" "(fold-right (list 1 2) (fn ($x acc) (cons $E acc)) ())" [2 1] "(1 2)";
    "some data first" "(some (list 1 2 3) (fn ($x) (= 2 $E)))" [1 2] "true";
    "every? data first" "(every? (list 1 2 3) (fn ($x) (< $E 3)))" [1 2 3] "false";
    "find data first" "(find (list 1 2 3) (fn ($x) (= 2 $E)))" [1 2] "2";
    "find-index data first" "(find-index (list 1 2 3) (fn ($x) (= 2 $E)))" [1 2] "1";
    "take-while data first" "(take-while (list 1 2 3) (fn ($x) (< $E 3)))" [1 2 3] "(1 2)";
    "drop-while data first" "(drop-while (list 1 2 3 4) (fn ($x) (< $E 3)))" [1 2 3] "(3 4)";
    "partition data first" "(partition (list 1 2 3) (fn ($x) (odd? $E)))" [1 2 3] "((1 3) (2))";
    "group-by data first" "(group-by (list 1 2) (fn ($x) (odd? $E)))" [1 2] "{:true (1) :false (2)}";
    "sort data first" "(sort (list 2 1) (fn ($x z) (< $E z)))" [1] "(1 2)";
    "sort-by data first" "(sort-by (list 1 3 2) (fn ($x) (- $E)))" [1 3 2] "(3 2 1)";
    "map-indexed" "(map-indexed (fn (i $x) (+ i $E)) (list 1 2 3))" [1 2 3] "(1 3 5)";
    "for-each" "(for-each (fn ($x) $E) (list 1 2 3))" [1 2 3] "nil";
    "for-each of pairs" "(for-each (fn ($x) $E) (cons 1 (cons 2 ())))" [1 2] "nil";
    "for-each of two lists" "(for-each (fn ($x z) $E) (list 1 2) (list 3 4))" [1 2] "nil";
    "for-each-indexed" "(for-each-indexed (fn (i $x) $E) (list 1 2))" [1 2] "nil";
    "filter" "(filter (fn ($x) (odd? $E)) (list 1 2 3))" [1 2 3] "(1 3)";
    "filter of pairs" "(filter (fn ($x) (odd? $E)) (cons 1 (cons 2 (cons 3 ()))))" [1 2 3] "(1 3)";
    "reduce" "(reduce (fn (acc $x) (+ acc $E)) 10 (list 1 2 3))" [1 2 3] "16";
    "reduce of pairs" "(reduce (fn (acc $x) (cons $E acc)) () (cons 1 (cons 2 (cons 3 ()))))" [1 2 3] "(3 2 1)";
    "reduce of two lists" "(reduce (fn (acc $x z) (+ acc $E z)) 0 (list 1 2) (list 10 20))" [1 2] "33";
    "reduce without a start" "(reduce (fn (acc $x) (+ acc $E)) (list 10 1 2))" [1 2] "13";
    "fold-left" "(fold-left (fn (acc $x) (list acc $E)) 0 (list 1 2 3))" [1 2 3] "(((0 1) 2) 3)";
    "fold-right" "(fold-right (fn ($x acc) (cons $E acc)) () (list 1 2 3))" [3 2 1] "(1 2 3)";
    "fold-right of two lists" "(fold-right (fn ($x z acc) (cons (+ $E z) acc)) () (list 1 2) (list 10 20))" [2 1] "(11 22)";
    "some" "(some (fn ($x) (= 2 $E)) (list 1 2 3))" [1 2] "true";
    "some of pairs" "(some (fn ($x) (> $E 2)) (cons 1 (cons 2 (cons 3 ()))))" [1 2 3] "true";
    "some of two lists" "(some (fn ($x z) (= z $E)) (list 1 2 3) (list 3 2 1))" [1 2] "true";
    "every? of two lists" "(every? (fn ($x z) (< $E z)) (list 1 2) (list 5 6))" [1 2] "true";
    "every?" "(every? (fn ($x) (< $E 3)) (list 1 2 3))" [1 2 3] "false";
    "find" "(find (fn ($x) (= 2 $E)) (list 1 2 3))" [1 2] "2";
    "find-index" "(find-index (fn ($x) (= 2 $E)) (list 1 2 3))" [1 2] "1";
    "take-while" "(take-while (fn ($x) (< $E 3)) (list 1 2 3))" [1 2 3] "(1 2)";
    "drop-while" "(drop-while (fn ($x) (< $E 3)) (list 1 2 3 4))" [1 2 3] "(3 4)";
    "partition" "(partition (fn ($x) (odd? $E)) (list 1 2 3))" [1 2 3] "((1 3) (2))";
    "group-by" "(group-by (fn ($x) (odd? $E)) (list 1 2 3))" [1 2 3] "{:true (1 3) :false (2)}";
    "iterate" "(iterate (fn ($x) (+ 1 $E)) 1 4)" [1 2 3] "(1 2 3 4)";
    "sort" "(sort (fn ($x z) (< $E z)) (list 2 1))" [1] "(1 2)";
    "sort of three" "(sort (fn ($x z) (< $E z)) (list 3 1 2))" [2 1 1 2] "(1 2 3)";
    "sort by numbers" "(sort (fn ($x z) (- $E z)) (cons 2 (cons 1 ())))" [1] "(1 2)";
    "sort-by" "(sort-by (fn ($x) (- $E)) (list 1 3 2))" [1 3 2] "(3 2 1)";
    "sort-by with a comparator" "(sort-by - (fn ($x z) (< $E z)) (list 1 2))" [-2] "(2 1)";
    "apply" "(apply (fn ($x z) (+ $E z)) (list 1 2))" [1] "3";
    "vector-map" "(vector-map (fn ($x) $E) (vector 1 2 3))" [1 2 3] "#(1 2 3)";
    "vector-for-each" "(vector-for-each (fn ($x) $E) (vector 1 2))" [1 2] "nil";
    "vector-map of two vectors" "(vector-map (fn ($x z) (+ $E z)) (vector 1 2) (vector 10 20))" [1 2] "#(11 22)";
    "vector-for-each of two vectors" "(vector-for-each (fn ($x z) $E) (vector 1 2) (vector 3 4))" [1 2] "nil";
    "regex-replace by a function" "(regex-replace \"[0-9]\" \"a1b2\" (fn (digit) (let (($x (parse-int digit))) (str $E \"!\"))))" [1 2] "\"a1!b2!\"";
    "hash-table-for-each" "(let ((t (make-hash-table))) (hash-table-set! t 1 2) (hash-table-set! t 3 4) (hash-table-for-each (fn ($x v) $E) t))" [1 3] "nil";
    "bind" "(bind (fn () (let (($x 1)) $E)))" [1] "1";
    "assert-throws" "(assert-throws (fn () (let (($x 1)) (error (str \"no \" $E)))))" [1] "\"no 1\"";
    "deftest" "(begin (deftest \"t$x\" (let (($x 1)) (assert-equal $x $E))) (get (first (run-tests)) :ok))" [1] "true" Once;
    "string-map" "(string-map (fn (c) (let (($x (char->integer c))) (integer->char $E))) \"ab\")" [97 98] "\"ab\"";
    "string-for-each" "(string-for-each (fn (c) (let (($x (char->integer c))) $E)) \"ab\")" [97 98] "nil";
    "string-map of two strings" "(string-map (fn (c d) (let (($x (char->integer c))) (integer->char $E))) \"ab\" \"cd\")" [97 98] "\"ab\"";
    "string-for-each of two strings" "(string-for-each (fn (c d) (let (($x (char->integer c))) $E)) \"ab\" \"cd\")" [97 98] "nil";
    "update" "(update {:a 1} :a (fn ($x) $E))" [1] "{:a 1}";
    "update-in" "(update-in {:a {:b 1}} (list :a :b) (fn ($x) $E))" [1] "{:a {:b 1}}";
    "hash-table-update!" "(let ((t (make-hash-table))) (hash-table-set! t 1 1) (hash-table-update! t 1 (fn ($x) (+ 1 $E))) (hash-table-ref t 1))" [1] "2";
    "hash-table-update! thunk" "(let ((t (make-hash-table))) (hash-table-update! t 1 inc (fn () (let (($x 5)) $E))) (hash-table-ref t 1))" [5] "6";
    "hash-table-update!/default" "(let ((t (make-hash-table))) (hash-table-update!/default t 1 (fn ($x) $E) 7) (hash-table-ref t 1))" [7] "7";
    "hash-table-ref thunk" "(hash-table-ref (make-hash-table) 1 (fn () (let (($x 5)) $E)))" [5] "5";
    "hash-table-walk" "(let ((t (make-hash-table))) (hash-table-set! t 1 2) (hash-table-set! t 3 4) (hash-table-walk t (fn ($x v) $E)))" [1 3] "nil";
    "hash-table-fold" "(let ((t (make-hash-table))) (hash-table-set! t 1 2) (hash-table-set! t 3 4) (hash-table-fold t (fn ($x v acc) (cons $E acc)) ()))" [1 3] "(3 1)";
    "memoize" "((memoize (fn ($x) $E)) 1)" [1] "1";
    "call-with-values producer" "(call-with-values (fn () (let (($x 1)) (values $E 2))) list)" [1] "(1 2)";
    "call-with-values consumer" "(call-with-values (fn () (values 1 2)) (fn ($x z) (list $E z)))" [1] "(1 2)";
    "case-lambda" "((case-lambda (($x) $E) (($x z) z)) 1)" [1] "1";
    "try-call" "(get (try-call (fn () (let (($x 1)) $E))) :value)" [1] "1";
    "force" "(force (delay (let (($x 1)) $E)))" [1] "1" Once;
    "deref" "(deref (delay (let (($x 1)) $E)))" [1] "1" Once;
    "delay-force" "(force (delay-force (let (($x 1)) (make-promise $E))))" [1] "1" Once;
    "named let" "(let loop (($x 1) (acc 0)) (if (> $x 3) acc (loop (+ $x 1) (+ acc $E))))" [1 2 3] "6";
    "do loop" "(do (($x 1 (+ $x 1)) (acc () (cons $E acc))) ((= $x 3) acc))" [1 2] "(2 1)";
    "match clause" "(match (list 1 2) (($x z) (list $E z)))" [1] "(1 2)";
    "cond test" "(let (($x 1)) (cond ((= 2 $E) \"two\") ((= 1 $x) \"one\") (else \"none\")))" [1] "\"one\"";
    "guard" "(guard (e (true \"caught\")) (let (($x 1)) $E))" [1] "1";
    "guard clause" "(guard ($x (true $E)) (raise 1))" [1] "1";
    "guard test" "(guard ($x ((= 1 $E) \"one\") (else \"other\")) (raise 1))" [1] "\"one\"";
    "handler-bind" "(handler-bind ((number? (fn ($x) $E))) (raise-continuable 1))" [1] "1";
    "dynamic-wind" "(dynamic-wind (fn () (let (($x 1)) $E)) (fn () (let (($x 2)) $E)) (fn () (let (($x 3)) $E)))" [1 2 3] "2";
    "parameterize" "(let ((p (make-parameter 0))) (parameterize ((p 1)) (let (($x (p))) $E)))" [1] "1";
    "parameter converter" "((make-parameter 1 (fn ($x) $E)))" [1] "1";
    "parameterize converter" "(let ((p (make-parameter 0 (fn ($x) (if (= $x 0) 0 $E))))) (parameterize ((p 1)) (p)))" [1] "1";
    "with-handler" "(with-handler {:ask (fn (request resume) (resume 0))} (let (($x 1)) $E))" [1] "1";
    "handler that resumes" "(with-handler {:ask (fn (request resume) (resume (let (($x 1)) $E)))} (perform {:op :ask}))" [1] "1";
    "handler of all ops" "(with-handler (fn (request resume) (resume (let (($x 1)) $E))) (perform {:op :ask}))" [1] "1";
    "handler after resuming" "(with-handler {:ask (fn (request resume) (let (($x (resume 1))) (list $E)))} (perform {:op :ask}))" [1] "(1)";
    "call/cc" "(call/cc (fn (leave) (let (($x 1)) (+ 1 (leave $E)))))" [1] "1" Once;
    "reset" "(reset (let (($x 1)) (+ 1 $E)))" [1] "2" ByHandler;
    "shift" "(reset (+ 1 (shift again (again (let (($x 1)) $E)))))" [1] "2" ByHandler;
    "coroutine" "(coroutine-resume (make-coroutine (fn () (let (($x 1)) $E))))" [1] "1" Once;
    "coroutine between yields" "(let ((c (make-coroutine (fn () (let (($x (coroutine-yield 0))) $E))))) (coroutine-resume c) (coroutine-resume c 1))" [1] "1" Once;
    "provide" "(provide place$x 1 (let (($x (context place$x))) $E))" [1] "1";
    "scope" "(scope place$x (emit! place$x (let (($x 1)) $E)) (emitted place$x))" [1] "(1)" Once;
    "eval" "(eval-expr '(let (($x 1)) $E))" [1] "1";
    "load" "(begin (write-file \"site$x.sx\" (inspect '(let (($x 1)) $E))) (load \"site$x.sx\"))" [1] "1";
    "load-source" "(load-source (inspect '(let (($x 1)) $E)))" [1] "1";
    "registered form" "(begin (eval-expr '(register-special-form! form$x (fn (args env) (let (($x 1)) $E)))) (eval-expr '(form$x)))" [1] "1";
    "macro" "(begin (eval-expr '(defmacro macro$x () (let (($x 1)) $E))) (eval-expr '(macro$x)))" [1] "1";
    "macroexpand" "(begin (eval-expr '(defmacro macro$x () (let (($x 1)) $E))) (macroexpand '(macro$x)))" [1] "1";
    "component" "(let () (defcomp ~part (&key $x) (b $E)) (render-to-html (p (map (fn (i) (~part :$x i)) (list 1 2)))))" [1 2] "\"<p><b>1</b><b>2</b></p>\"";
    "component children" "(let () (defcomp ~box (&rest children) (p children)) (render-to-html (~box (let (($x 1)) $E))))" [1] "\"<p>1</p>\"";
    "component in data" "(begin (eval-expr '(defcomp ~part$x (&key $x) (b $E))) (render-to-html '(p (~part$x :$x 1) (~part$x :$x 2))))" [1 2] "\"<p><b>1</b><b>2</b></p>\"";
    "island" "(let () (defisland ~part (&key $x) (b $E)) (render-page (~part :$x 1)))" [1] "\"<b>1</b>\"";
    "operand of a tag" "(p :id (let (($x 1)) $E) \"text\")" [1] "(p :id 1 \"text\")";
    "record constructor operand" "(let () (define-record-type r (make-r a b) r? (a r-a) (b r-b)) (r-a (make-r (let (($x 1)) $E) 2)))" [1] "1";
}
