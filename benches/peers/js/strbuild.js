function work(){ const p=[]; for(let i=0;i<1000000;i++){ p.push((i*7919)%10007); p.push(","); }
const s=p.join(""); let n=0; const len=s.length;
for(let i=0;i<len;i++) if(s.charCodeAt(i)===55) n++;
return len+" "+n; }
let r; for(let n=0;n<N;n++) r=work(); console.log(r);
