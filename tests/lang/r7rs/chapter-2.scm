;;; R7RS chapter 2: lexical conventions. Each line of output is one check.

;;;; 2.1 identifiers
(for-each (lambda (x) (write x) (newline))
  '(... + +soup+ <=? ->string a34kTMNs lambda list->vector q V17a |two words| |two\x20;words|
    the-word-recursion-has-many-meanings nil true false :key a:b))
(write (eq? 'abc 'AbC)) (newline)
(write (symbol->string '|a\tb|)) (newline)
(write '||) (newline)
;out| ...
;out| +
;out| +soup+
;out| <=?
;out| ->string
;out| a34kTMNs
;out| lambda
;out| list->vector
;out| q
;out| V17a
;out| |two words|
;out| |two words|
;out| the-word-recursion-has-many-meanings
;out| nil
;out| true
;out| false
;out| :key
;out| a:b
;out| #f
;out| "a\tb"
;out| ||

;;;; 2.1 fold-case
#!fold-case
(write (eq? 'abc 'ABC)) (newline)
(WRITE 'Hello) (newline)
#!no-fold-case
(write (eq? 'abc 'ABC))
;out| #t
;out| hello
;out| #f

;;;; 2.2 comments
; a line
(write (list 1 #| a block #| in a block |# |# 2 #;(not read) 3 #; 4 5))
#|
 (write 'no)
|#
;out| (1 2 3 5)

;;;; 2.4 datum labels are for data that a program reads and writes
(write (let ((x (list 'a 'b 'c))) (set-cdr! (cddr x) x) x))
;out| #0=(a b c . #0#)

;;;; 2.4 datum labels are read back
(define (read-text text) (read (open-input-string text)))
(define x (read-text "#0=(a b . #0#)"))
(write x) (newline)
(write (eq? x (cddr x))) (newline)
(write (read-text "#0=(1 #1=#(2 #0# #1#) #1#)")) (newline)
(write (let ((x (read-text "(#5=(a) #5# #5#)"))) (and (eq? (car x) (cadr x)) (eq? (car x) (caddr x))))) (newline)
(write (read-text "(#0=\"text\" #0#)")) (newline)
(write (guard (e (#t (error-object-message e))) (read-text "(#0# #0=a)")))
;out| #0=(a b . #0#)
;out| #t
;out| #0=(1 #1=#(2 #0# #1#) #1#)
;out| #t
;out| ("text" "text")
;out| "read: no datum before has the label #0="

;;;; 2.4 a literal may contain itself
(define x '#0=(a b . #0#))
(write x) (newline)
(write (eq? x (cddr x))) (newline)
(define (shared) '(#1=(a) #1#))
(write (eq? (car (shared)) (cadr (shared)))) (newline)
(write (#2=+ 1 (#2# 2 3)))
;out| #0=(a b . #0#)
;out| #t
;out| #t
;out| 6

;;;; 2.4 code cannot contain itself
(write 1)
(+ 1 #0=(car #0#))
;out| 1
;!! #0#: only quoted data may contain themselves
;@ 2:14

;;;; 2.1 an identifier between bars may go on for lines
(write (string->symbol "a
b")) (newline)
(write (eq? '|a
b| (string->symbol "a\nb"))) (newline)
(write (map string->symbol '("+NaN.0" "+INF.0" "1E3" "0x1F")))
;out| |a\nb|
;out| #t
;out| (|+NaN.0| |+INF.0| |1E3| |0x1F|)
