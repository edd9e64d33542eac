function fib(n){ return n<2?n:fib(n-1)+fib(n-2); }
let r; for(let n=0;n<N;n++) r=fib(35); console.log(r);
