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
