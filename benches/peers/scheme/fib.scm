(define (fib n) (if (< n 2) n (+ (fib (- n 1)) (fib (- n 2)))))
(define (work) (fib 35))
(define (repeat n) (let ((answer (work))) (if (= n 1) answer (repeat (- n 1)))))
(display (repeat N)) (newline)
