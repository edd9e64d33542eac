;;; Strings that are changed: a character may take the place of one of another width, and nothing but that string sees it.

;;;; characters of every width take the place of one another
(define s (make-string 4 #\a))
(string-set! s 1 #\λ)
(string-set! s 3 #\x1F600)
(string-set! s 0 #\漢)
(define seen (list (string-length s) (string-ref s 0) (string-ref s 2) (string-copy s)))
(string-set! s 0 #\z)
(string-set! s 3 #\é)
(list seen s (string-length s) (string->list s 2) (substring s 0 2))
;=> ((4 #\漢 #\a "漢λa😀") "zλaé" 4 (#\a #\é) "zλ")

;;;; what was taken out of a string before is not changed with it
(define s (string-copy "abc"))
(define copy (string-copy s))
(define symbol (string->symbol s))
(define part (substring s 1 3))
(string-set! s 1 #\λ)
(define later (string-append s "!"))
(string-set! s 1 #\x)
(list s copy symbol part later)
;=> ("axc" "abc" abc "bc" "aλc!")

;;;; fill and copy across widths, onto itself too
(define s (string-copy "abcdef"))
(string-fill! s #\é 1 3)
(string-copy! s 2 s 0 4)
(define t (make-string 3 #\-))
(string-copy! t 1 "λμν" 0 2)
(string-copy! t 0 "x")
(list s t (string=? t "xλμ") (string<? t s) (equal? s "abééef"))
;=> ("aéaééd" "xλμ" #t #f #f)

;;;; a string of wide characters is written, compared, hashed and converted as any other
(define s (make-string 3 #\b))
(string-set! s 1 #\ü)
(define p (open-output-string))
(write s p)
(write-string s p 1)
(list (get-output-string p) (string->utf8 s) (string->utf8 s 1 2) (string->vector s) (string-upcase s)
  (string->symbol s) (equal? s (string #\b #\ü #\b)) (assoc s '(("x" 1) ("büb" 2))))
;=> ("\"büb\"üb" #u8(98 195 188 98) #u8(195 188) #(#\b #\ü #\b) "BÜB" büb #t ("büb" 2))

;;;; outside of it there is no place
(define s (string-copy "ab"))
(string-set! s 0 #\λ)
(string-set! s 2 #\x)
;!! string-set!: index 2 out of range (length 2)
;@ 3:1

;;;; a part behind its end is not copied
(define s (string-copy "ab"))
(string-set! s 0 #\λ)
(string-copy! s 1 "xyz")
;!! string-copy!: 1 to 4 out of range (length 2)
;@ 3:1
