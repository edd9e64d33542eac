;;; Scheme's primitives that have native code of their own: each is called often enough that it has, with what the code
;;; is for and with everything else.

;;;; parts of pairs, whatever the list was made by
(define (parts p) (list (car p) (cdr p)))
(define (deep p) (list (cadr p) (cddr p) (caddr p) (cdddr p) (cadddr p)))
(define (twice f x) (f x) (f x))
(for-each (lambda (x) (write x) (newline))
  (list (twice parts (cons 1 2)) (twice parts (list 1 2 3)) (twice parts '(1 . 2)) (twice parts '(1)) (twice parts (vector->list #(1 2)))
        (twice deep '(1 2 3 4)) (twice deep (list 1 2 3 4 5)) (twice deep (cons 1 (cons 2 (cons 3 (cons 4 5)))))
        (twice caar '((1 2) 3)) (twice cdar (list (list 1 2) 3)) (twice cdar (list (cons 1 2)))))
;out| (1 2)
;out| (1 (2 3))
;out| (1 2)
;out| (1 ())
;out| (1 (2))
;out| (2 (3 4) 3 (4) 4)
;out| (2 (3 4 5) 3 (4 5) 4)
;out| (2 (3 4 . 5) 3 (4 . 5) 4)
;out| 1
;out| (2)
;out| 2
;=> #<unspecified>

;;;; the tail of a list is the same each time
(define (same-tail? xs) (eq? (cdr xs) (cdr xs)))
(define made (list 1 2 3))
(list (same-tail? made) (same-tail? made) (same-tail? (cons 1 made)) (eq? (cdr made) (cdr made)) (eq? (cddr made) (cddr made)))
;=> (#t #t #t #t #t)

;;;; car of a number
(define (f x) (car x))
(f (list 1))
(f (cons 1 2))
(f 5)
;!! car: expected pair, got number
;@ 1:15

;;;; car of the empty list
(define (f x)
  (+ 1 (car x)))
(f (list 1))
(f (cons 1 2))
(f '())
;!! car: expected pair, got list
;@ 2:8

;;;; cdr of a string
(define (f x) (list (cdr x)))
(f (cons 1 2))
(f "no")
;!! cdr: expected pair, got string
;@ 1:21

;;;; cadr of a list that is too short
(define (f x)
  (list
    (cadr x)))
(f (cons 1 (cons 2 '())))
(f (list 1 2))
(f (list 1))
;!! cadr: expected pair on the way, got list
;@ 3:5

;;;; caddr of what is not a list on its way
(define (f x) (list (caddr x)))
(f (list 1 2 3))
(f (cons 1 (cons 2 3)))
;!! caddr: expected pair on the way, got number
;@ 1:21

;;;; parts are set
(define p (cons 1 2))
(define (set-both! p a d) (set-car! p a) (set-cdr! p d) p)
(define xs (list 1 2 3))
(for-each (lambda (x) (write x) (newline))
  (list (set-both! p 3 4) (set-both! p 1.5 (list 1)) (set-both! xs 0 (cdr (cdr xs))) (set-both! (list 1 2 3) 5 6) xs))
;out| (1.5 1)
;out| (1.5 1)
;out| (0 3)
;out| (5 . 6)
;out| (0 3)
;=> #<unspecified>

;;;; what is set may be younger than the pair
(define old (cons 0 0))
(define (fill! p n)
  (if (= n 0)
      p
      (begin
        (set-car! p (list n (make-string 3 #\x)))
        (set-cdr! p (vector n (number->string n)))
        (fill! p (- n 1)))))
(fill! old 3000)
(define (churn n) (if (= n 0) '() (begin (make-vector 100 n) (churn (- n 1)))))
(churn 3000)
old
;=> ((1 "xxx") . #(1 "1"))

;;;; a ring, walked
(define ring (list 1 2 3))
(set-cdr! (cddr ring) ring)
(define (walk p n sum) (if (zero? n) sum (walk (cdr p) (- n 1) (+ sum (car p)))))
(walk ring 3000 0)
;=> 6000

;;;; set-car! of what is no pair
(define (f p x) (set-car! p x) p)
(f (cons 1 2) 3)
(f (list 1 2) 3)
(f #(1 2) 3)
;!! set-car!: expected pair, got vector
;@ 1:17

;;;; set-cdr! of the empty list
(define (f p x)
  (set-cdr! p x)
  p)
(f (cons 1 2) 3)
(f '() 3)
;!! set-cdr!: expected pair, got list
;@ 2:3

;;;; pair? and null? of everything
(define (which x) (cons (if (pair? x) 'pair '-) (if (null? x) 'null '-)))
(define (both? x) (list (pair? x) (null? x)))
(define things (list 1 1.5 1e300 0.0 'a "a" #\a #t #f '() '(1) (list 1 2) (cons 1 2) (vector) (lambda (x) x) car (if #f #f) (cdr (list 1)) (vector->list #())))
(for-each (lambda (x) (write (which x)) (write (both? x)) (newline)) things)
;out| (- . -)(#f #f)
;out| (- . -)(#f #f)
;out| (- . -)(#f #f)
;out| (- . -)(#f #f)
;out| (- . -)(#f #f)
;out| (- . -)(#f #f)
;out| (- . -)(#f #f)
;out| (- . -)(#f #f)
;out| (- . -)(#f #f)
;out| (- . null)(#f #t)
;out| (pair . -)(#t #f)
;out| (pair . -)(#t #f)
;out| (pair . -)(#t #f)
;out| (- . -)(#f #f)
;out| (- . -)(#f #f)
;out| (- . -)(#f #f)
;out| (- . -)(#f #f)
;out| (- . null)(#f #t)
;out| (- . null)(#f #t)
;=> #<unspecified>

;;;; a list walked to its end
(define (sum xs) (if (null? xs) 0 (+ (car xs) (sum (cdr xs)))))
(define (last-tail xs) (if (pair? xs) (last-tail (cdr xs)) xs))
(list (sum (list 1 2 3)) (sum '(1 2 3)) (sum (cons 1 (cons 2 '()))) (sum '()) (last-tail (cons 1 (cons 2 3))) (last-tail (list 1 2)) (last-tail 5))
;=> (6 6 3 0 3 () 5)

;;;; = of numbers of all kinds
(define (equal-numbers? x y) (= x y))
(define (verdict x y) (if (= x y) 'same 'other))
(define big (expt 10 30))
(for-each
  (lambda (p) (write (list (equal-numbers? (car p) (cdr p)) (verdict (car p) (cdr p)) (verdict (cdr p) (car p)))) (newline))
  (list (cons 1 1) (cons 1 2) (cons -1 -1) (cons 1 1.0) (cons 1.5 1.5) (cons 1.5 2.5) (cons 0 0.0) (cons 0.0 -0.0) (cons 1/2 1/2) (cons 1/2 0.5)
        (cons 1/2 1) (cons big (expt 10 30)) (cons big (+ big 1)) (cons big 1e30) (cons 1 big) (cons +nan.0 +nan.0) (cons +inf.0 +inf.0)
        (cons 9007199254740993 9007199254740992.0) (cons 4611686018427387903 4611686018427387903) (cons 4611686018427387904 4611686018427387904)))
;out| (#t same same)
;out| (#f other other)
;out| (#t same same)
;out| (#t same same)
;out| (#t same same)
;out| (#f other other)
;out| (#t same same)
;out| (#t same same)
;out| (#t same same)
;out| (#t same same)
;out| (#f other other)
;out| (#t same same)
;out| (#f other other)
;out| (#f other other)
;out| (#f other other)
;out| (#f other other)
;out| (#t same same)
;out| (#f other other)
;out| (#t same same)
;out| (#t same same)
;=> #<unspecified>

;;;; = of floats that are known to be
(define (settled x) (= (* x 0.5) (/ x 2.0)))
(map settled (list 1.0 3.5 1e300 +inf.0 +nan.0))
;=> (#t #t #t #t #f)

;;;; = of a number and a symbol
(define (f x y) (= x y))
(f 1 2)
(f 1 1.5)
(f 1 'a)
;!! Expected number, got symbol
;@ 1:17

;;;; = of a list
(define (f x)
  (if (= x 0) 'zero 'other))
(f 1)
(f 2)
(f '(1))
;!! Expected number, got list
;@ 2:7

;;;; signs of numbers of all kinds
(define (signs x) (list (zero? x) (positive? x) (negative? x)))
(define (sign x) (cond ((zero? x) 'zero) ((positive? x) 'positive) ((negative? x) 'negative) (else 'none)))
(for-each (lambda (x) (write (signs x)) (write (sign x)) (newline))
  (list 0 1 -1 0.0 -0.0 1.5 -1.5 1/2 -1/2 (expt 10 30) (- (expt 10 30)) 4611686018427387903 -4611686018427387904 +nan.0 +inf.0 -inf.0))
;out| (#t #f #f)zero
;out| (#f #t #f)positive
;out| (#f #f #t)negative
;out| (#t #f #f)zero
;out| (#t #f #f)zero
;out| (#f #t #f)positive
;out| (#f #f #t)negative
;out| (#f #t #f)positive
;out| (#f #f #t)negative
;out| (#f #t #f)positive
;out| (#f #f #t)negative
;out| (#f #t #f)positive
;out| (#f #f #t)negative
;out| (#f #f #f)none
;out| (#f #t #f)positive
;out| (#f #f #t)negative
;=> #<unspecified>

;;;; zero? of a character
(define (f x) (zero? x))
(f 0)
(f 1)
(f #\0)
;!! Expected number, got char
;@ 1:15

;;;; positive? of a list
(define (f x)
  (if (positive? x) 1 2))
(f 1)
(f 1.5)
(f '())
;!! Expected number, got list
;@ 2:7

;;;; characters compared
(define (compare a b) (list (char=? a b) (char<? a b) (char>? a b) (char<=? a b) (char>=? a b)))
(define (order a b) (cond ((char<? a b) 'before) ((char=? a b) 'same) (else 'behind)))
(for-each (lambda (p) (write (compare (car p) (cdr p))) (write (order (car p) (cdr p))) (newline))
  (list (cons #\a #\a) (cons #\a #\b) (cons #\b #\a) (cons #\x0 #\a) (cons #\λ #\a) (cons #\x10ffff #\x10fffe)))
;out| (#t #f #f #t #t)same
;out| (#f #t #f #t #f)before
;out| (#f #f #t #f #t)behind
;out| (#f #t #f #t #f)before
;out| (#f #f #t #f #t)behind
;out| (#f #f #t #f #t)behind
;=> #<unspecified>

;;;; char=? of a string
(define (f a b) (char=? a b))
(f #\a #\b)
(f #\a "a")
;!! char=?: expected char, got string
;@ 1:17

;;;; char<? of a number
(define (f a b)
  (if (char<? a b) 1 2))
(f #\a #\b)
(f 97 #\b)
;!! char<?: expected char, got number
;@ 2:7

;;;; quotients of all kinds
(define (ratio x y) (/ x y))
(define (halves x) (/ (* x 1.0) 2.0))
(for-each (lambda (p) (write (ratio (car p) (cdr p))) (write-char #\space) (write (halves (car p))) (newline))
  (list (cons 1 2) (cons 6 3) (cons 1.0 4.0) (cons 1 4.0) (cons 1.0 4) (cons 1.0 0.0) (cons -1.0 0.0) (cons 0.0 0.0) (cons (expt 10 30) 10) (cons 1/2 1/4) (cons 1.0 3)))
;out| 1/2 0.5
;out| 2 3.0
;out| 0.25 0.5
;out| 0.25 0.5
;out| 0.25 0.5
;out| +inf.0 0.5
;out| -inf.0 -0.5
;out| +nan.0 0.0
;out| 100000000000000000000000000000 5e29
;out| 2 0.25
;out| 0.3333333333333333 0.5
;=> #<unspecified>

;;;; an exact number through 0
(define (f x y) (/ x y))
(f 1.0 2.0)
(f 1 2)
(f 1 0)
;!! /: division by zero
;@ 1:17

;;;; floats through floats stay floats
(define (f x n) (if (= n 0) x (f (/ (+ x 1.0) 3.0) (- n 1))))
(list (f 1.0 0) (f 1.0 1) (f 1.0 40))
;=> (1.0 0.6666666666666666 0.5)

;;;; a list is a chain of pairs, each its own
(define (f a b) (list a b (list b) (list)))
(define (build n) (if (= n 0) '() (cons (f n (* n 1.5)) (build (- n 1)))))
(define x (f 1 2))
(define y (f 3 4))
(set-car! (cdr x) 'new)
(set-cdr! (cddr x) '())
(list x y (build 3) (length (build 10000)))
;=> ((1 new (2)) (3 4 (4) ()) ((3 4.5 (4.5) ()) (2 3.0 (3.0) ()) (1 1.5 (1.5) ())) 10000)

;;;; reverse of lists of any length
(define (f xs) (reverse xs))
(list (f '()) (f (list 1)) (f (list 1 2 3)) (length (f (make-list 100000 0))))
;=> (() (1) (3 2 1) 100000)

;;;; reverse of what is no list
(define (f xs) (reverse xs))
(f (list 1 2))
(f (cons 1 2))
;!! reverse: the list does not end in ()

;;;; a name that the program defines anew
(define (f x) (car x))
(define before (list (f (list 1 2)) (f (list 3))))
(define (car x) 'mine)
(list before (f (list 1 2)))
;=> ((1 3) mine)

;;;; an error in the middle is caught, and the loop goes on
(define (safe-car x) (call/cc (lambda (k) (with-exception-handler (lambda (e) (k 'none)) (lambda () (car x))))))
(define (firsts xs) (if (null? xs) '() (cons (safe-car (car xs)) (firsts (cdr xs)))))
(firsts (list (list 1) 2 '() (cons 3 4) "x" '(5)))
;=> (1 none none 3 none 5)
