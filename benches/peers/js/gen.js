function* g(){ for(let i=0;i<1000000;i++) yield i; }
let a; for(let n=0;n<N;n++){ a=0; for(const v of g()) a+=v; } console.log(a);
