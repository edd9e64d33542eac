;;; R7RS chapter 4, section by section. The value of a case is the number of its checks that hold; a check
;;; that does not is printed.

;;;; 4.1.3 procedure calls
(define n 0)
(define (test want got)
  (if (equal? want got) (set! n (+ n 1)) (begin (write (list 'want want 'got got)) (newline))))
(test 7 (+ 3 4))
(test 12 ((if #f + *) 3 4))
(test '(1 2 3) (let ((order '())) (define (note x) (set! order (cons x order)) x) (list (note 1) (note 2) (note 3))))
n
;=> 3

;;;; 4.1.4 lambda
(define n 0)
(define (test want got)
  (if (equal? want got) (set! n (+ n 1)) (begin (write (list 'want want 'got got)) (newline))))
(test 8 ((lambda (x) (+ x x)) 4))
(test '(3 4 5 6) ((lambda x x) 3 4 5 6))
(test '(5 6) ((lambda (x y . z) z) 3 4 5 6))
(test '() ((lambda (x . rest) rest) 1))
(test #t ((lambda rest (null? rest))))
(test '(1 9 3) (let ((f (lambda rest (set-car! (cdr rest) 9) rest))) (f 1 2 3)))
n
;=> 6

;;;; 4.1.6 assignments
(define n 0)
(define (test want got)
  (if (equal? want got) (set! n (+ n 1)) (begin (write (list 'want want 'got got)) (newline))))
(define x 2)
(test 3 (+ x 1))
(set! x 4)
(test 5 (+ x 1))
n
;=> 2

;;;; 4.2.1 cond, case, and, or, when, unless, cond-expand
(define n 0)
(define (test want got)
  (if (equal? want got) (set! n (+ n 1)) (begin (write (list 'want want 'got got)) (newline))))
(test 'greater (cond ((> 3 2) 'greater) ((< 3 2) 'less)))
(test 'equal (cond ((> 3 3) 'greater) ((< 3 3) 'less) (else 'equal)))
(test 2 (cond ((assv 'b '((a 1) (b 2))) => cadr) (else #f)))
(test 5 (cond (#f 1) (5)))
(test 'composite (case (* 2 3) ((2 3 5 7) 'prime) ((1 4 6 8 9) 'composite)))
(test 'c (case (car '(c d)) ((a e i o u) 'vowel) ((w y) 'semivowel) (else => (lambda (x) x))))
(test '((other . z) (semivowel . y) (other . x) (semivowel . w) (vowel . u))
  (map (lambda (x) (case x ((a e i o u) => (lambda (w) (cons 'vowel w))) ((w y) (cons 'semivowel x)) (else => (lambda (x) (cons 'other x)))))
       '(z y x w u)))
(test 'char (case #\a ((#\a #\b) 'char) (else 'no)))
(test 'big (case 100000000000000000000 ((100000000000000000000) 'big) (else 'no)))
(test #t (and (= 2 2) (> 2 1)))
(test #f (and (= 2 2) (< 2 1)))
(test '(f g) (and 1 2 'c '(f g)))
(test #t (and))
(test #t (or (= 2 2) (> 2 1)))
(test #f (or #f #f #f))
(test '(b c) (or (memq 'b '(a b c)) (/ 3 0)))
(test #f (or))
(test 3 (when (> 2 1) 1 2 3))
(test 3 (unless (> 1 2) 1 2 3))
(test 1 (cond-expand (r7rs 1) (else 2)))
(test 2 (cond-expand ((and r7rs (not full-unicode)) 1) ((library (scheme base)) 2) (else 3)))
(test 3 (cond-expand ((library (no such)) 1) ((or no-such ratios) 3)))
n
;=> 22

;;;; 4.2.2 let, let*, letrec, letrec*, let-values
(define n 0)
(define (test want got)
  (if (equal? want got) (set! n (+ n 1)) (begin (write (list 'want want 'got got)) (newline))))
(test 6 (let ((x 2) (y 3)) (* x y)))
(test 35 (let ((x 2) (y 3)) (let ((x 7) (z (+ x y))) (* z x))))
(test 70 (let ((x 2) (y 3)) (let* ((x 7) (z (+ x y))) (* z x))))
(test 3 (let* ((x 1) (x (+ x 1)) (x (+ x 1))) x))
(test 5 (let* () 5))
(test #t (letrec ((even? (lambda (n) (if (zero? n) #t (odd? (- n 1))))) (odd? (lambda (n) (if (zero? n) #f (even? (- n 1)))))) (even? 88)))
(test 5 (letrec* ((p (lambda (x) (+ 1 (q (- x 1))))) (q (lambda (y) (if (zero? y) 0 (+ 1 (p (- y 1)))))) (x (p 5)) (y x)) y))
(test 35 (let-values (((root rem) (exact-integer-sqrt 32))) (* root (+ rem 0)) (* 7 5)))
(test '(5 7) (let-values (((root rem) (exact-integer-sqrt 32))) (list root rem)))
(test '(x y a b) (let ((a 'a) (b 'b) (x 'x) (y 'y)) (let*-values (((a b) (values x y)) ((x y) (values a b))) (list a b x y) (list x y 'a 'b))))
(test '(x y x y) (let ((a 'a) (b 'b) (x 'x) (y 'y)) (let*-values (((a b) (values x y)) ((x y) (values a b))) (list a b x y))))
(test '(x y a b) (let ((a 'a) (b 'b) (x 'x) (y 'y)) (let-values (((a b) (values x y)) ((x y) (values a b))) (list a b x y))))
(test '(1 (2 3)) (let-values (((a . b) (values 1 2 3))) (list a b)))
(test '(1 2) (let-values ((all (values 1 2))) all))
n
;=> 14

;;;; 4.2.2 letrec has all values before any variable has its own
(define n 0)
(define (test want got)
  (if (equal? want got) (set! n (+ n 1)) (begin (write (list 'want want 'got got)) (newline))))
(test '(2 3) (let ((again #f) (turns 0))
  (letrec ((a (+ 1 1)) (b (call/cc (lambda (c) (set! again c) 3))))
    (let ((seen (list a b)))
      (set! a 50)
      (set! b 60)
      (set! turns (+ turns 1))
      (if (< turns 3) (again 3) seen)))))
(test '(done done) (letrec ((a (call/cc list)) (b (call/cc list)))
  (cond ((procedure? a) (a 'done))
        ((pair? a) ((car a) 'done))
        ((pair? b) ((car b) 'done))
        (else (list a b)))))
(test 120 (letrec ((f (lambda (n) (if (= n 0) 1 (* n (f (- n 1)))))) (five (abs -5)) (one (abs -1))) (f (* five one))))
(test 7 (letrec () (define x 7) x))
n
;=> 4

;;;; 4.2.3 sequencing
(define n 0)
(define (test want got)
  (if (equal? want got) (set! n (+ n 1)) (begin (write (list 'want want 'got got)) (newline))))
(define x 0)
(test 6 (and (= x 0) (begin (set! x 5) (+ x 1))))
(test 1 (begin 1))
n
;=> 2

;;;; 4.2.4 iteration
(define n 0)
(define (test want got)
  (if (equal? want got) (set! n (+ n 1)) (begin (write (list 'want want 'got got)) (newline))))
(test #(0 1 2 3 4) (do ((vec (make-vector 5)) (i 0 (+ i 1))) ((= i 5) vec) (vector-set! vec i i)))
(test 25 (let ((x '(1 3 5 7 9))) (do ((x x (cdr x)) (sum 0 (+ sum (car x)))) ((null? x) sum))))
(test '((6 1 3) (-5 -2)) (let loop ((numbers '(3 -2 1 6 -5)) (nonneg '()) (neg '()))
  (cond ((null? numbers) (list nonneg neg))
        ((>= (car numbers) 0) (loop (cdr numbers) (cons (car numbers) nonneg) neg))
        ((< (car numbers) 0) (loop (cdr numbers) nonneg (cons (car numbers) neg))))))
(test '(2 1 0) (let ((procs '())) (do ((i 0 (+ i 1))) ((= i 3)) (set! procs (cons (lambda () i) procs))) (map (lambda (p) (p)) procs)))
n
;=> 4

;;;; 4.2.5 delayed evaluation
(define n 0)
(define (test want got)
  (if (equal? want got) (set! n (+ n 1)) (begin (write (list 'want want 'got got)) (newline))))
(test 3 (force (delay (+ 1 2))))
(test '(3 3) (let ((p (delay (+ 1 2)))) (list (force p) (force p))))
(define integers (letrec ((next (lambda (n) (delay (cons n (next (+ n 1))))))) (next 0)))
(define (head stream) (car (force stream)))
(define (tail stream) (cdr (force stream)))
(test 2 (head (tail (tail integers))))
(define (stream-filter p? s)
  (delay-force (if (null? (force s)) (delay '())
    (let ((h (car (force s))) (t (cdr (force s)))) (if (p? h) (delay (cons h (stream-filter p? t))) (stream-filter p? t))))))
(test 5 (head (tail (tail (stream-filter odd? integers)))))
(test 10001 (head (stream-filter (lambda (k) (> k 10000)) integers)))
(define count 0)
(define p (delay (begin (set! count (+ count 1)) (if (> count x) count (force p)))))
(define x 5)
(test #t (promise? p))
(test 6 (force p))
(test 6 (begin (set! x 10) (force p)))
(test 7 (force 7))
(test 8 (force (make-promise 8)))
(test #t (promise? (make-promise 1)))
(test 9 (force (make-promise (make-promise 9))))
(test #f (promise? 1))
(define r (delay (begin (set! r-count (+ r-count 1)) 1)))
(define r-count 0)
(test '(1 1 1) (let* ((a (force r)) (b (force r))) (list a b r-count)))
(define (loop n) (if (= n 0) (delay 'done) (delay-force (loop (- n 1)))))
(test 'done (force (loop 100000)))
n
;=> 15

;;;; 4.2.6 dynamic bindings
(define n 0)
(define (test want got)
  (if (equal? want got) (set! n (+ n 1)) (begin (write (list 'want want 'got got)) (newline))))
(define radix (make-parameter 10 (lambda (x) (if (and (exact-integer? x) (<= 2 x 16)) x (error "invalid radix")))))
(define (f n) (number->string n (radix)))
(test "12" (f 12))
(test "1100" (parameterize ((radix 2)) (f 12)))
(test "12" (f 12))
(test "invalid radix" (guard (e (#t (error-object-message e))) (parameterize ((radix 0)) (f 12))))
(define p (make-parameter 1))
(define q (make-parameter 2))
(test '(2 1) (parameterize ((p (q)) (q (p))) (list (p) (q))))
(test '(5 1) (let ((k-value 0)) (parameterize ((p 5)) (set! k-value (p))) (list k-value (p))))
n
;=> 6

;;;; 4.2.7 guard
(define n 0)
(define (test want got)
  (if (equal? want got) (set! n (+ n 1)) (begin (write (list 'want want 'got got)) (newline))))
(test 42 (guard (condition ((assq 'a condition) => cdr) ((assq 'b condition))) (raise (list (cons 'a 42)))))
(test '(b . 23) (guard (condition ((assq 'a condition) => cdr) ((assq 'b condition))) (raise (list (cons 'b 23)))))
(test 'outer (guard (e ((eq? e 'x) 'outer)) (guard (e ((eq? e 'y) 'inner)) (raise 'x))))
(test 'no-error (guard (e (#t 'error)) 'no-error))
(test 43 (with-exception-handler (lambda (e) 42) (lambda () (guard (e ((string? e) 'caught)) (+ 1 (raise-continuable 'oops))))))
(test '(in out caught) (let ((log '())) (guard (e (#t (set! log (cons 'caught log)))) (dynamic-wind (lambda () (set! log (cons 'in log))) (lambda () (raise 1)) (lambda () (set! log (cons 'out log))))) (reverse log)))
(test '(in out in out) (let ((log '())) (with-exception-handler (lambda (e) 1) (lambda () (guard (e (#f 'never)) (dynamic-wind (lambda () (set! log (cons 'in log))) (lambda () (raise-continuable 1)) (lambda () (set! log (cons 'out log))))))) (reverse log)))
n
;=> 7

;;;; 4.2.8 quasiquotation
(define n 0)
(define (test want got)
  (if (equal? want got) (set! n (+ n 1)) (begin (write (list 'want want 'got got)) (newline))))
(test '(list 3 4) `(list ,(+ 1 2) 4))
(test '(list a 'a) (let ((name 'a)) `(list ,name ',name)))
(test '(a 3 4 5 6 b) `(a ,(+ 1 2) ,@(map abs '(4 -5 6)) b))
(test '((foo 7) . cons) `((foo ,(- 10 3)) ,@(cdr '(c)) . ,(car '(cons))))
(test #(10 5 2 4 3 8) `#(10 5 ,(exact (sqrt 4)) ,@(map (lambda (x) (exact (sqrt x))) '(16 9)) 8))
(test '((foo foo bar) baz) (let ((foo '(foo bar)) (@baz 'baz)) `((foo ,@foo) ,@(list @baz))))
(test '(a `(b ,(c 3))) `(a `(b ,(c ,(+ 1 2)))))
(test '(a `(b ,(foo 4 d) e) f) `(a `(b ,(foo ,(+ 1 3) d) e) f))
(test '(a `(b ,x ,'y d) e) (let ((name1 'x) (name2 'y)) `(a `(b ,,name1 ,',name2 d) e)))
(test '(list 3 4) (quasiquote (list (unquote (+ 1 2)) 4)))
(test '`(list ,(+ 1 2) 4) '(quasiquote (list (unquote (+ 1 2)) 4)))
(test '(1 . 2) `(1 . ,(+ 1 1)))
(test '(1 2 . 3) `(1 ,@(list 2) . 3))
(test '(1 2 3) `(1 ,@'(2 3)))
(test '() `())
(test #() `#())
(test 5 `,(+ 2 3))
n
;=> 17

;;;; 4.2.9 case-lambda
(define n 0)
(define (test want got)
  (if (equal? want got) (set! n (+ n 1)) (begin (write (list 'want want 'got got)) (newline))))
(define range (case-lambda ((e) (range 0 e)) ((b e) (do ((r '() (cons e r)) (e (- e 1) (- e 1))) ((< e b) r)))))
(test '(0 1 2) (range 3))
(test '(3 4) (range 3 5))
(define plus (case-lambda (() 0) ((x) x) ((x y) (+ x y)) ((x y . rest) (apply plus (+ x y) rest))))
(test 0 (plus))
(test 1 (plus 1))
(test 6 (plus 1 2 3))
(test '(1 2) ((case-lambda ((a) 'one) (all all)) 1 2))
n
;=> 6

;;;; 4.3.1 let-syntax and letrec-syntax
(define n 0)
(define (test want got)
  (if (equal? want got) (set! n (+ n 1)) (begin (write (list 'want want 'got got)) (newline))))
(test 'now (let-syntax ((given-that (syntax-rules () ((_ test stmt1 stmt2 ...) (if test (begin stmt1 stmt2 ...)))))) (let ((if #t)) (given-that if (set! if 'now)) if)))
(test 'outer (let ((x 'outer)) (let-syntax ((m (syntax-rules () ((m) x)))) (let ((x 'inner)) (m)))))
(test 7 (letrec-syntax ((my-or (syntax-rules () ((my-or) #f) ((my-or e) e) ((my-or e1 e2 ...) (let ((temp e1)) (if temp temp (my-or e2 ...)))))))
  (let ((x #f) (y 7) (temp 8) (let odd?) (if even?)) (my-or x (let temp) (if y) y))))
(test '(1 2) (let () (define-syntax two (syntax-rules () ((_ a) (list a 2)))) (two 1)))
n
;=> 4

;;;; 4.3.2 pattern language
(define n 0)
(define (test want got)
  (if (equal? want got) (set! n (+ n 1)) (begin (write (list 'want want 'got got)) (newline))))
(define-syntax be-like-begin (syntax-rules () ((be-like-begin name) (define-syntax name (syntax-rules () ((name expr (... ...)) (begin expr (... ...))))))))
(be-like-begin sequence)
(test 4 (sequence 1 2 3 4))
(test 'ok (let ((=> #f)) (cond (#t => 'ok))))
(define-syntax swap! (syntax-rules () ((_ a b) (let ((tmp a)) (set! a b) (set! b tmp)))))
(test '(2 1) (let ((tmp 1) (other 2)) (swap! tmp other) (list tmp other)))
(define-syntax my-let (syntax-rules () ((_ ((name val) ...) body1 body2 ...) ((lambda (name ...) body1 body2 ...) val ...))))
(test 3 (my-let ((a 1) (b 2)) (+ a b)))
(define-syntax nested (syntax-rules () ((_ (a b ...) ...) '((a ... ) (b ... ...)))))
(test '((1 4) (2 3 5 6)) (nested (1 2 3) (4 5 6)))
(define-syntax tail (syntax-rules () ((_ a ... z) 'z)))
(test 3 (tail 1 2 3))
(define-syntax middle (syntax-rules () ((_ a b ... y z) '(a (b ...) y z))))
(test '(1 (2 3) 4 5) (middle 1 2 3 4 5))
(test '(1 () 2 3) (middle 1 2 3))
(define-syntax dotted (syntax-rules () ((_ a . b) '(a b))))
(test '(1 (2 3)) (dotted 1 2 3))
(define-syntax vec (syntax-rules () ((_ #(a b ...)) (list 'a '(b ...)))))
(test '(1 (2 3)) (vec #(1 2 3)))
(define-syntax lit (syntax-rules (to) ((_ a to b) '(range a b)) ((_ a b c) '(three a b c))))
(test '(range 1 2) (lit 1 to 2))
(test '(three 1 2 3) (lit 1 2 3))
(define-syntax custom (syntax-rules ::: () ((_ a :::) '(a ::: end))))
(test '(1 2 end) (custom 1 2))
(define-syntax under (syntax-rules () ((_ _ x _) 'x)))
(test 2 (under 1 2 3))
(define-syntax datum (syntax-rules () ((_ 1) 'one) ((_ "s") 'string) ((_ #\c) 'char) ((_ x) 'other)))
(test '(one string char other) (list (datum 1) (datum "s") (datum #\c) (datum 2)))
(define-syntax while (syntax-rules () ((_ c body ...) (let lp () (when c body ... (lp))))))
(test 10 (let ((i 0) (lp 5)) (while (< i 10) (set! i (+ i 1))) i))
(test '((1 ...)) (let-syntax ((m (syntax-rules () ((_ x) '((x (... ...))))))) (m 1)))
(define-syntax ten (syntax-rules () ((_) 10)))
(define-syntax jabberwocky (syntax-rules () ((_ hatter) (begin (define march-hare 42) (define-syntax hatter (syntax-rules () ((_) march-hare)))))))
(jabberwocky mad-hatter)
(test 42 (mad-hatter))
(test 10 (ten))
(define-syntax tail-dot (syntax-rules () ((_ (a b ... . r)) '(a (b ...) r))))
(test '(1 (2) 3) (tail-dot (1 2 . 3)))
n
;=> 20

;;;; 4.3.3 syntax-error
(define n 0)
(define (test want got)
  (if (equal? want got) (set! n (+ n 1)) (begin (write (list 'want want 'got got)) (newline))))
(define-syntax simple-let (syntax-rules () ((_ (head ... ((x . y) val) . tail) body1 body2 ...) (syntax-error "expected an identifier but got" (x . y))) ((_ ((name val) ...) body1 body2 ...) ((lambda (name ...) body1 body2 ...) val ...))))
(test 3 (simple-let ((a 1) (b 2)) (+ a b)))
n
;=> 1

;;;; 4.3.2 what is no ellipsis
(define n 0)
(define (test want got)
  (if (equal? want got) (set! n (+ n 1)) (begin (write (list 'want want 'got got)) (newline))))
(define-syntax literal (syntax-rules ... (...) ((_ x) '(x ...))))
(test '(1 ...) (literal 1))
(test 'ok (let ((... 2)) (let-syntax ((s (syntax-rules () ((_ x ...) 'bad) ((_ . r) 'ok)))) (s a b c))))
(test 'ok (let-syntax ((s (syntax-rules () ((_ x ...) 'ok) ((_ . r) 'bad)))) (s a b c)))
n
;=> 3

;;;; 4.2.8 the last list of a quasiquotation may be anything
(write `(1 ,@5)) (write `(1 ,@'(2 3) ,@4)) (write `(1 ,@'()))
;out| (1 . 5)(1 2 3 . 4)(1)
