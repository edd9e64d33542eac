;;; R7RS chapter 5, section by section. The value of a case is the number of its checks that hold; a check
;;; that does not is printed.

;;;; 5.3.1 and 5.3.2 definitions
(define n 0)
(define (test want got)
  (if (equal? want got) (set! n (+ n 1)) (begin (write (list 'want want 'got got)) (newline))))
(define add3 (lambda (x) (+ x 3)))
(test 6 (add3 3))
(define first car)
(test 1 (first '(1 2)))
(define (rest-of a . b) b)
(test '(2 3) (rest-of 1 2 3))
(define (all . args) args)
(test '() (all))
(test 45 (let ((x 5)) (define foo (lambda (y) (bar x y))) (define bar (lambda (a b) (+ (* a b) a))) (foo (+ x 3))))
(test 42 (let () (define-values (x) (values 42)) x))
(test '(2 1) (let ((x 1) (y 2)) (define-syntax swap! (syntax-rules () ((swap! a b) (let ((tmp a)) (set! a b) (set! b tmp))))) (swap! x y) (list x y)))
n
;=> 7

;;;; 5.3.3 define-values
(define n 0)
(define (test want got)
  (if (equal? want got) (set! n (+ n 1)) (begin (write (list 'want want 'got got)) (newline))))
(define-values (x y) (exact-integer-sqrt 17))
(test '(4 1) (list x y))
(define-values (a . b) (values 1 2 3))
(test '(1 (2 3)) (list a b))
(define-values all (values 1 2))
(test '(1 2) all)
(test 3 (let () (define-values (x y) (values 1 2)) (+ x y)))
(test '(1 2 (3)) (let () (define-values (x y . z) (values 1 2 3)) (list x y z)))
n
;=> 5

;;;; 5.4 syntax definitions
(define n 0)
(define (test want got)
  (if (equal? want got) (set! n (+ n 1)) (begin (write (list 'want want 'got got)) (newline))))
(test '(1 2) (let () (define-syntax foo (syntax-rules () ((_ b) (list 1 b)))) (foo 2)))
(define-syntax kw (syntax-rules () ((_ x) (quote x))))
(test 'a (kw a))
(define kw-value 3)
(define-syntax get (syntax-rules () ((_) kw-value)))
(test 3 (get))
n
;=> 3

;;;; 5.5 record types
(define n 0)
(define (test want got)
  (if (equal? want got) (set! n (+ n 1)) (begin (write (list 'want want 'got got)) (newline))))
(define-record-type <pare> (kons x y) pare? (x kar set-kar!) (y kdr))
(test #t (pare? (kons 1 2)))
(test #f (pare? (cons 1 2)))
(test 1 (kar (kons 1 2)))
(test 2 (kdr (kons 1 2)))
(test 3 (let ((k (kons 1 2))) (set-kar! k 3) (kar k)))
(define-record-type thing (make-thing b) thing? (a thing-a set-thing-a!) (b thing-b))
(test 5 (thing-b (make-thing 5)))
(test 6 (let ((t (make-thing 5))) (set-thing-a! t 6) (thing-a t)))
(test #f (thing? (kons 1 2)))
(define-record-type empty (make-empty) empty?)
(test #t (empty? (make-empty)))
(test #f (eqv? (make-empty) (make-empty)))
(test 'wrong (guard (e (#t 'wrong)) (kar (make-thing 1))))
(test '(1 2) (let () (define-record-type <local> (make a b) local? (a get-a) (b get-b)) (let ((l (make 1 2))) (list (get-a l) (get-b l)))))
n
;=> 12
