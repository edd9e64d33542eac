class Cons{constructor(a,d){this.car=a;this.cdr=d;}}
const make=d=>d===0?new Cons(null,null):new Cons(make(d-1),make(d-1));
const check=t=>t.car===null?1:1+check(t.car)+check(t.cdr);
const M=16;
function work(){ const ll=make(M); let tot=check(make(M+1));
for(let d=4;d<=M;d+=2){ const n=1<<(M-d+4); for(let i=0;i<n;i++) tot+=check(make(d)); }
return tot+check(ll); }
let r; for(let n=0;n<N;n++) r=work(); console.log(r);
