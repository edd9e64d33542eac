let mx,n;
function work(){ const h=new Map(); let x=42;
for(let i=0;i<1000000;i++){ x=(x*16807)%2147483647; const k="w"+(x%5000); h.set(k,(h.get(k)||0)+1); }
mx=0; n=0; for(let i=0;i<5000;i++){ const c=h.get("w"+i)||0; if(c>mx)mx=c; if(c>0)n++; } }
for(let i=0;i<N;i++) work();
console.log(n+" "+mx);
