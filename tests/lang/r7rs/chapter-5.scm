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
