(define (tak x y z)
  (if (not (< y x)) z
      (tak (tak (- x 1) y z) (tak (- y 1) z x) (tak (- z 1) x y))))
(define (run i acc) (if (= i 0) acc (run (- i 1) (+ acc (tak 24 16 8)))))
(define (work) (run 20 0))
(define (repeat n) (let ((answer (work))) (if (= n 1) answer (repeat (- n 1)))))
(display (repeat N)) (newline)
