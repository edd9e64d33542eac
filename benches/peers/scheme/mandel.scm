(define (mandel-iter cr ci)
  (let loop ((zr 0.0) (zi 0.0) (i 0))
    (if (= i 200) i
        (let ((zr2 (* zr zr)) (zi2 (* zi zi)))
          (if (> (+ zr2 zi2) 4.0) i
              (loop (+ (- zr2 zi2) cr) (+ (* 2.0 (* zr zi)) ci) (+ i 1)))))))
(define (run n)
  (let yl ((y 0) (sum 0))
    (if (= y n) sum
        (let ((ci (- (/ (* 3.0 y) n) 1.5)))
          (yl (+ y 1)
              (let xl ((x 0) (sum sum))
                (if (= x n) sum
                    (xl (+ x 1) (+ sum (mandel-iter (- (/ (* 3.0 x) n) 2.0) ci))))))))))
(define (work) (run 500))
(define (repeat n) (let ((answer (work))) (if (= n 1) answer (repeat (- n 1)))))
(display (repeat N)) (newline)
