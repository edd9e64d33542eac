const make=(d,n)=>d===0?n:[make(d-1,2*n),make(d-1,2*n+1)];
const t=make(16,1);
function* walk(t){ if(typeof t==="object"){ yield* walk(t[0]); yield* walk(t[1]); } else yield t; }
function* deep(d){ if(d===0) yield* walk(t); else yield* deep(d-1); }
let tot; for(let n=0;n<N;n++){ tot=0; for(let i=0;i<10;i++) for(const v of deep(153)) tot+=v%1000; } console.log(tot);
