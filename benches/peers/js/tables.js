const key=i=>"key-"+i;
function strings(){ const h=new Map(); for(let i=0;i<200000;i++) h.set(key(i),i); for(let i=0;i<200000;i+=3) h.delete(key(i));
let t=0; for(let i=0;i<200000;i++){ const v=h.get(key(i)); t+=v===undefined?1:v; } return t; }
function ints(){ const h=new Map(); let x=42;
for(let i=0;i<1000000;i++){ x=(x*16807)%2147483647; h.set(x%50021,1+(h.get(x%50021)||0)); }
let top=0; for(let i=0;i<50021;i++) top=Math.max(top,h.get(i)||0); return 1000*h.size+top; }
let a,b; for(let n=0;n<N;n++){ a=strings(); b=ints(); } console.log(a+" "+b);
