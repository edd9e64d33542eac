;;; R7RS chapter 4: expressions. Each line of output is one check.

;;;; 4.1.1 variable references
(define x 28)
x
;=> 28

;;;; 4.1.2 literal expressions
(for-each (lambda (x) (write x) (newline))
  (list (quote a) (quote #(a b c)) (quote (+ 1 2)) 'a '#(a b c) '() '(+ 1 2) '(quote a) ''a '"abc" "abc" '145932 145932
        '#t #t '#\a #\a '#u8(64 65) #u8(64 65) #(1 "x" a)))
;out| a
;out| #(a b c)
;out| (+ 1 2)
;out| a
;out| #(a b c)
;out| ()
;out| (+ 1 2)
;out| 'a
;out| 'a
;out| "abc"
;out| "abc"
;out| 145932
;out| 145932
;out| #t
;out| #t
;out| #\a
;out| #\a
;out| #u8(64 65)
;out| #u8(64 65)
;out| #(1 "x" a)

;;;; 4.1.4 procedures
(define reverse-subtract (lambda (x y) (- y x)))
(define add4 (let ((x 4)) (lambda (y) (+ x y))))
(for-each (lambda (x) (write x) (newline))
  (list ((lambda (x) (+ x x)) 4) (reverse-subtract 7 10) (add4 6) ((lambda x x) 3 4 5 6)
        ((lambda (x y . z) z) 3 4 5 6) ((lambda (x y . z) z) 3 4) ((lambda z (eq? z '())))))
;out| 8
;out| 3
;out| 10
;out| (3 4 5 6)
;out| (5 6)
;out| ()
;out| #t

;;;; 4.1.5 conditionals
(write (list (if (> 3 2) 'yes 'no) (if (> 2 3) 'yes 'no) (if (> 3 2) (- 3 2) (+ 3 2)) (if '() 1 2) (if 0 1 2) (if "" 1 2)))
;out| (yes no 1 1 1 1)

;;;; 4.2.1 cond
(for-each (lambda (x) (write x) (newline))
  (list (cond ((> 3 2) 'greater) ((< 3 2) 'less))
        (cond ((> 3 3) 'greater) ((< 3 3) 'less) (else 'equal))
        (cond ((assv 'b '((a 1) (b 2))) => cadr) (else #f))
        (cond (#f 1) (2))
        (cond (else 1 2))))
;out| greater
;out| equal
;out| 2
;out| 2
;out| 2

;;;; 4.2.2 let is parallel
(define x 1)
(define y 2)
(write (let ((x y) (y x)) (list x y)))
(write (let ((x 2) (y 3)) (let ((x 7) (z (+ x y))) (* z x))))
(write (let ((x 2) (y 3)) (let* ((x 7) (z (+ x y))) (* z x))))
;out| (2 1)3570

;;;; 4.2.6 parameterize
(define radix (make-parameter 10 (lambda (x) (if (and (exact-integer? x) (<= 2 x 16)) x (error "invalid radix")))))
(define (f n) (number->string n (radix)))
(write (list (f 12) (parameterize ((radix 2)) (f 12)) (f 12)))
(newline)
(write (guard (e (#t (error-object-message e))) (parameterize ((radix 0)) (f 12))))
;out| ("12" "1100" "12")
;out| "invalid radix"
