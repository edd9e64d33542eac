;; What comes before each program of the public R7RS benchmarks: the name they print.
(import (only (scheme base) define))
(define (this-scheme-implementation-name) "sx")
