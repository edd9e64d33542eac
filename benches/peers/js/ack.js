function ack(m,n){ if(m===0) return n+1; if(n===0) return ack(m-1,1); return ack(m-1,ack(m,n-1)); }
let r; for(let n=0;n<N;n++) r=ack(3,9); console.log(r);
