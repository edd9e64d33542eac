;;; R7RS chapter 5: program structure. Each line of output is one check.

;;;; 5.1 a program sees what it imports
(import (only (scheme base) + define guard error-object-message) (prefix (scheme write) w:))
(define (f x) (+ x 1))
(w:write (f 1))
(w:write (guard (e (#t (error-object-message e))) (car 1)))
;out| 2"Undefined symbol: car"

;;;; 5.1 a program sees no name of SX
(write (guard (e (#t (error-object-message e))) (first '(1 2))))
;out| "Undefined symbol: first"

;;;; 5.3 a procedure sees a later definition of an imported name
(define (add-three x) (+ x 3))
(define (reversed xs) (reverse xs))
(define imported-+ +)
(write (list (add-three 6) (reversed '(1 2))))
(begin (define + (lambda (x y) (list y x))) (define (reverse xs) 'mine))
(write (list (add-three 6) (reversed '(1 2))))
(set! + imported-+)
(write (list (add-three 6) (map (lambda (x) (+ x 1)) '(1 2))))
;out| (9 (2 1))((3 6) mine)(9 (2 3))

;;;; 5.3 a library does not see what the program makes of its imports
(define-library (twice)
  (export twice)
  (import (scheme base))
  (begin (define (twice x) (+ x x))))
(import (scheme base) (scheme write) (twice))
(define (three) (+ 1 2))
(define (+ x y) 'mine)
(write (list (twice 4) (three)))
;out| (8 mine)

;;;; 5.2 import sets
(import (scheme base) (scheme write)
        (only (scheme char) char-upcase) (except (scheme cxr) cdddr)
        (prefix (only (scheme inexact) sqrt) m:) (rename (scheme lazy) (force demand)))
(write (list (char-upcase #\a) (caddr '(1 2 3)) (m:sqrt 4) (demand (delay 5))))
;out| (#\A 3 2 5)

;;;; what has no value to speak of
(if #f #f)
;=> #<unspecified>

;;;; exit leaves every extent
(dynamic-wind (lambda () (display "in ")) (lambda () (exit 3)) (lambda () (display "out")))
;skip oracle it has no process to end
;out| in out
;fx| exit 3
;!! Unhandled effect: exit

;;;; emergency-exit leaves at once
(dynamic-wind (lambda () (display "in ")) (lambda () (emergency-exit #f)) (lambda () (display "out")))
;skip oracle it has no process to end
;fx| exit 1
;out| in out
;!! Unhandled effect: exit
