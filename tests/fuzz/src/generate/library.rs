//! What a program does with the types, forms and functions that nothing else here would use:
//! records and types with constructors, values taken apart, components and pages, buckets, ports,
//! and primitives whose work is as large as a number says, with small numbers.

use super::{Generator, Ty};
use crate::sexp::{Sexp, form, parse};

/// What a program may define, and expressions that use it: `$0` and `$2` are integers, the value is
/// that of `$1`.
const KINDS: &[(&str, &[&str])] = &[
    (
        "(define-type Shape (Dot) (Circle r) (Rect w h))",
        &[
            "(match (if (< $0 $2) (Circle $0) (Rect $0 $2)) ((Circle r) (note r) $1) ((Rect w h) (note (list w h)) $1) ((Dot) $1))",
            "(match (map (fn (x) (Rect x $0)) (list 1 2)) (((Rect a b) &rest more) (note (list a b more)) $1) (_ $1))",
            "(begin (note (list (Circle? (Dot)) (Shape? (Circle $0)) (= (Rect 1 $0) (Rect 1 $2)))) $1)",
            "(begin (note (map (fn (r) (Circle-r (Circle r))) (list $0 $2))) $1)",
            "(begin (note (guard (e (true (error-message e))) (Circle-r (Dot)))) $1)",
            "(match (Circle $0) ((Rect w h) $1) ((Dot) $1))",
            "(let ((Circle (fn (r) (list r)))) (note (Circle $0)) $1)",
        ],
    ),
    (
        "(define-record-type point (make-point x y) point? (x point-x set-point-x!) (y point-y))",
        &[
            "(let ((p (make-point $0 $2))) (set-point-x! p (+ 1 (point-y p))) (note (list (point? p) (point-x p) (type-of p))) $1)",
            "(let ((p (make-point $0 2)) (k nil)) (call/cc (fn (c) (set! k c))) (set-point-x! p (+ (point-x p) 1)) (note (point-x p)) (if (spend!) (k 1) $1))",
            "(begin (note (guard (e (true (error-message e))) (point-x $0))) $1)",
            "(begin (note (map point-x (map (fn (x) (make-point x $0)) (list 1 2)))) $1)",
        ],
    ),
    (
        "(defcomp ~box (&key title &rest children) (list title (perform (list \"test/echo\" 7)) children))",
        &[
            "(begin (note (~box :title $0 1 $2)) $1)",
            "(begin (note (render-to-html (div :class \"c\" (~box $0 (p $2))))) $1)",
            "(begin (note (map (fn (x) (~box x :title $0)) (list 1 2))) $1)",
            "(begin (note (render-to-html '(div (~box :title \"<\" 1) 2))) $1)",
        ],
    ),
    (
        "(define many (case-lambda ((a) (list :one a)) ((a b) (list :two a b)) ((a &rest more) (list :more a more))))",
        &["(begin (note (list (many $0) (many 1 $2) (many 1 2 $0))) $1)"],
    ),
];

/// Uses of what is always there.
const USES: &[&str] = &[
    "(match $0 (1 (note :one) $1) (2 $1) (_ (note :other) $1))",
    "(match (list $0 $2) ((a b) (note (list b a)) $1) (_ $1))",
    "(match (list 1 (list $0) $2) ((a (b) &rest more) (note (list a b more)) $1) (else $1))",
    "(match {:kind \"c\" :r $0} ({:kind \"s\" :side s} $1) ({:kind \"c\" :r r} (note r) $1))",
    "(match '(b c) ('a $1) ('(b c) (note $0) $1))",
    "(let*-values (((a b) (values $0 $2)) ((c) (values b))) (note (list a b c)) $1)",
    "(begin (collect! \"b\" $0) (collect! \"b\" $2) (collect! \"b\" $0) (note (collected \"b\")) $1)",
    "(begin (collect! \"c\" $0) (clear-collected! \"c\") (note (collected \"c\")) $1)",
    "(begin (note (render-to-html (ul (map (fn (x) (li :id x (str x \"<\" $0))) (list 1 2))))) $1)",
    "(let ((f (case-lambda ((a) $0) ((a b) (note (list a b)) $1)))) (f 1 $2))",
    "(cond-expand (full-unicode (begin (note $0) $1)) (else $1))",
    "(let-syntax ((again (syntax-rules () ((_ a) (begin a a))))) (again (note $0)) $1)",
];

/// Calls with small numbers, and of what needs an argument made for it.
const BOUNDED: &[&str] = &[
    "(make-vector 3 $0)",
    "(make-bytevector 3 7)",
    "(make-string 3 #\\x)",
    "(repeat (str $0) 3)",
    "(pad-left (str $0) 5)",
    "(pad-right (str $0) 5 \"-\")",
    "(expt $0 3)",
    "(expt 2 (mod (abs $0) 70))",
    "(pow $0 2)",
    "(arithmetic-shift $0 3)",
    "(arithmetic-shift $0 -2)",
    "(bit-count $0)",
    "(range 0 4)",
    "(number->string $0 16)",
    "(exact (+ $0 0.5))",
    "(inexact->exact 2.25)",
    "(call-with-values (fn () (exact-integer-sqrt 17)) list)",
    "(format-date 86400000)",
    "(parse-datetime \"1970-01-02\")",
    "(parse-int (str $0) 0)",
    "(let ((p (open-input-string \"ab\\ncdef\"))) (list (read-line p) (peek-char p) (read-char p) (read-string 2 p) (read p)))",
    "(let ((p (open-output-bytevector))) (write-u8 7 p) (write-bytevector (bytevector 1 2) p) (get-output-bytevector p))",
    "(let ((p (open-input-bytevector (bytevector 1 2)))) (list (peek-u8 p) (read-u8 p) (read-bytevector 3 p)))",
    "(let ((p (open-output-string))) (write $0 p) (write-char #\\a p) (write-string \"s\" p) (get-output-string p))",
    "(string->vector \"ab\")",
    "(concat (list $0) (vector 1))",
    "(bytevector-append (bytevector 1) (bytevector 2 3))",
    "(let ((t (alist->hash-table (list (cons 1 $0))))) (hash-table-set! t 2 3) (hash-table->alist (hash-table-copy t)))",
    "(sort (list \"b\" \"a\" \"c\"))",
    "(sort (list 3 $0 1))",
    "(symbol? (gensym))",
    "(list (file-exists? \"none\") (guard (e (true (error-message e))) (open-input-file \"none\")))",
    "(begin (write-file \"f\" (str $0)) (list (file-exists? \"f\") (read-file \"f\") (read-file-bytes \"f\") (delete-file \"f\")))",
    "(get-environment-variable \"HOME\")",
    "(random-int 0 5)",
    "(len (random-bytes 2))",
    "(list (now-ms) (current-second))",
    "(doc 'inc)",
    "(gc)",
];

impl Generator {
    /// Some of the definitions; the program may use what it defines.
    pub(super) fn some_kinds(&mut self) -> Vec<Sexp> {
        let mut forms = vec![];
        for (definition, uses) in KINDS {
            if self.one_in(4) {
                self.kinds.push(uses);
                forms.extend(parse(definition));
            }
        }
        forms
    }

    /// A use of a form or a type of the library.
    pub(super) fn library_form(&mut self, ty: Ty, depth: usize) -> Sexp {
        let (a, value, b) = (
            self.expr(Ty::Int, depth.min(1)),
            self.expr(ty, depth),
            self.expr(Ty::Int, depth.min(1)),
        );
        let uses = match self.below(2 * self.kinds.len() + 1) {
            0 => USES,
            n => self.kinds[(n - 1) / 2],
        };
        form(self.pick(uses), &[a, value, b])
    }

    /// A bounded call, noted.
    pub(super) fn bounded(&mut self, ty: Ty, depth: usize) -> Sexp {
        let (n, value) = (self.expr(Ty::Int, depth.min(1)), self.expr(ty, depth));
        let call = form(self.pick(BOUNDED), &[n]);
        form("(begin (note $0) $1)", &[call, value])
    }
}
