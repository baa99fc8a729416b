; tour.lisp - what the Lisp of lisp.h can do, with what it should print beside it in tour.expected.

(define (show what value) (display what ": " value) (newline))

; recursion
(define (fib n) (if (< n 2) n (+ (fib (- n 1)) (fib (- n 2)))))
(show "fib 20" (fib 20))

; lists
(define (iota n) (let ((tail ())) (iota-onto n tail)))
(define (iota-onto n tail) (if (= n 0) tail (iota-onto (- n 1) (cons n tail))))
(define (map f list) (if (null? list) () (cons (f (car list)) (map f (cdr list)))))
(define (fold f start list) (if (null? list) start (fold f (f start (car list)) (cdr list))))
(define (reverse list) (fold (lambda (done each) (cons each done)) () list))
(show "squares" (map (lambda (n) (* n n)) (iota 10)))
(show "backwards" (reverse (iota 5)))
(show "sum" (fold + 0 (iota 10000)))
(show "a pair" (cons 1 2))
(show "quoted" '(a (b "c") . d))

; mutual recursion, in constant stack
(define (even n) (if (= n 0) 'yes (odd (- n 1))))
(define (odd n) (if (= n 0) 'no (even (- n 1))))
(show "is 100001 even" (even 100001))

; closures, and what they keep
(define (counter start) (lambda () (set! start (+ start 1))))
(define one (counter 0))
(define other (counter 100))
(one) (one) (other)
(show "counters" (list (one) (other)))

; a loop of a million rounds
(define (loop n sum) (cond ((= n 0) sum) (else (loop (- n 1) (+ sum n)))))
(show "a million" (loop 1000000 0))

; strings and names
(define (repeat text n) (if (= n 0) "" (string-append text (repeat text (- n 1)))))
(show "repeated" (repeat "ab" 5))
(show "length" (string-length (repeat "ab" 1000)))
(show "a name is one thing" (is 'name (string->symbol (string-append "na" "me"))))
(show "so is a number" (is (string-append "4" (number->string 2)) "42"))
(show "two lists are two" (is (list 1) (list 1)))

; memory: what is kept stays, what is dropped is found
(define kept (map (lambda (n) (cons n (number->string n))) (iota 2000)))
(define dropped (map (lambda (n) (cons n (number->string n))) (iota 2000)))
(gc)
(set! dropped ())
(show "found thousands" (> (gc) 8000))
(show "kept" (fold (lambda (sum each) (+ sum (string-length (cdr each)))) 0 kept))
