const compose=(f,g)=>x=>f(g(x)); const adder=n=>x=>x+n;
const lst=[]; for(let i=1;i<=1000000;i++) lst.push(i);
let total;
for(let n=0;n<N;n++){ total=0; for(let i=5;i>0;i--){ const f=compose(compose(adder(i),x=>2*x),x=>(x*x)%1000003);
 total+=lst.map(f).filter(x=>x%3===0).reduce((a,b)=>(a+b)%1000007,0); } }
console.log(total);
