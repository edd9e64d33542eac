;;; Wrong arguments are errors that name the procedure as the program calls it.

;;;; a list has to be one
(define-syntax said
  (syntax-rules () ((_ e ...) (list (guard (c ((error-object? c) (error-object-message c))) e) ...))))
(define ring (list 1 2))
(set-cdr! (cdr ring) ring)
(for-each (lambda (text) (write text) (newline))
  (said
    (map car 5) (map car '((1) . 2)) (map + '(1 2) 5) (map + '(1 2 3) '(1 . 2)) (map 5 '()) (map list '() 5)
    (for-each car 5) (for-each car '((1) . 2)) (for-each + '(1) 'x) (for-each 'x '(1))
    (vector-map car 5) (vector-map + #(1) '(2)) (vector-for-each car "x") (vector-map 1 #())
    (string-map char-upcase 5) (string-map (lambda (c) 1) "a") (string-for-each 5 "a")
    (append '(1 . 2) '()) (append 5 '()) (length '(1 . 2)) (length 5) (length ring) (reverse '(1 . 2))
    (list-tail '(1 2) 3) (list-ref '(1 2) 2) (list-set! (list 1) 1 2) (list-copy ring)
    (memq 'x '(a . b)) (member 1 '(2 . 3) =) (member 1 5 =) (member 1 '(2) 5)
    (assq 'x '(1)) (assq 'x '((a . 1) . b)) (assoc 1 '(1) =) (assoc 1 '((2 . 3) . 4) =)
    (apply + 1) (apply + 1 '(2 . 3)) (list->string '(1)) (list->string '(#\a . #\b)) (list->vector '(1 . 2))
    (boolean=? #t 1) (symbol=? 'a "a")))
;out| "map: expected list, got number"
;out| "map: the list does not end in ()"
;out| "map: expected list, got number"
;out| "map: the list does not end in ()"
;out| "map: expected procedure, got number"
;out| "map: expected list, got number"
;out| "for-each: expected list, got number"
;out| "for-each: the list does not end in ()"
;out| "for-each: expected list, got symbol"
;out| "for-each: expected procedure, got symbol"
;out| "vector-map: expected vector, got number"
;out| "vector-map: expected vector, got list"
;out| "vector-for-each: expected vector, got string"
;out| "vector-map: expected procedure, got number"
;out| "string-map: expected string, got number"
;out| "string-map: expected char, got number"
;out| "string-for-each: expected procedure, got number"
;out| "append: the list does not end in ()"
;out| "append: expected list"
;out| "length: the list does not end in ()"
;out| "length: expected list"
;out| "length: the list is circular"
;out| "reverse: the list does not end in ()"
;out| "list-tail: index 3 out of range (length 2)"
;out| "list-ref: index 2 out of range (length 2)"
;out| "list-set!: index 1 out of range (length 1)"
;out| "list-copy: the list is circular"
;out| "memq: the list does not end in ()"
;out| "member: the list does not end in ()"
;out| "member: expected list, got number"
;out| "member: expected procedure, got number"
;out| "assq: expected a list of pairs"
;out| "assq: the list does not end in ()"
;out| "assoc: expected a list of pairs"
;out| "assoc: the list does not end in ()"
;out| "apply: expected (fn args... list)"
;out| "apply: expected (fn args... list)"
;out| "list->string: expected char, got number"
;out| "list->string: the list does not end in ()"
;out| "list->vector: the list does not end in ()"
;out| "boolean=?: expected boolean, got number"
;out| "symbol=?: expected symbol, got string"

;;;; several lists end where the shortest does, and a ring never does
(define ring (list 1 2))
(set-cdr! (cdr ring) ring)
(list (map + '(10 20 30) ring) (map + ring '(10 20 30)) (vector-map + #(1 2) #(10))
  (let ((sum 0)) (for-each (lambda (a b) (set! sum (+ sum (* a b)))) ring '(1 10 100)) sum))
;=> ((11 22 31) (11 22 31) #(11) 121)

;;;; an error names what was called, not what does it
(define-syntax said
  (syntax-rules () ((_ e ...) (list (guard (c ((error-object? c) (error-object-message c))) e) ...))))
(define (f a b) (modulo a b))
(for-each (lambda (text) (write text) (newline))
  (said
    (exact +inf.0) (modulo 1 0) (f 1 0) (apply modulo '(1 0)) (floor-remainder 1 0) (remainder 1 0) (truncate-remainder 1 0)
    (truncate-quotient 1 0) (quotient 1 0) (floor/ 1 0) (truncate/ 1 0) (string-upcase 5)
    (string-downcase 'x) (input-port-open? 5) (read 5) (read-char 5) (read-u8 5)
    (u8-ready? 5) (flush-output-port 5) (display) (write 1 5) (member 1) (assoc) (string-copy "abc" 5) (substring "abc" 2 1)
    (read-bytevector! 5) (read-bytevector! (bytevector 1) (open-input-bytevector #u8()) 2) (write-bytevector 5)
    (write-bytevector #u8(1) (open-output-bytevector) 2) (open-binary-input-file "no/such")))
;out| "exact: no exact value"
;out| "modulo: division by zero"
;out| "modulo: division by zero"
;out| "modulo: division by zero"
;out| "floor-remainder: division by zero"
;out| "remainder: division by zero"
;out| "truncate-remainder: division by zero"
;out| "truncate-quotient: division by zero"
;out| "quotient: division by zero"
;out| "floor/: division by zero"
;out| "truncate/: division by zero"
;out| "string-upcase: expected string, got number"
;out| "string-downcase: expected string, got symbol"
;out| "input-port-open?: expected port, got number"
;out| "read: expected a port to read from, got number"
;out| "read-char: expected port, got number"
;out| "read-u8: expected port, got number"
;out| "u8-ready?: expected port, got number"
;out| "flush-output-port: expected port, got number"
;out| "display: expected at least 1 argument, got 0"
;out| "write: expected port, got number"
;out| "member: expected at least 2 arguments, got 1"
;out| "assoc: expected at least 2 arguments, got 0"
;out| "string-copy: 5 to 3 out of range (length 3)"
;out| "substring: 2 to 1 out of range (length 3)"
;out| "read-bytevector!: expected bytevector, got number"
;out| "read-bytevector!: no places from 2 to 1 (length 1)"
;out| "write-bytevector: expected bytevector, got number"
;out| "write-bytevector: 2 to 1 out of range (length 1)"
;out| "open-binary-input-file: no/such: no such file"
