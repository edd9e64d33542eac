function mi(cr,ci){ let zr=0,zi=0,i=0; for(;;){ if(i===200) return i; const a=zr*zr,b=zi*zi; if(a+b>4) return i; zi=2*(zr*zi)+ci; zr=a-b+cr; i++; } }
function run(n){ let s=0; for(let y=0;y<n;y++){ const ci=3*y/n-1.5; for(let x=0;x<n;x++) s+=mi(3*x/n-2,ci);} return s; }
let r; for(let n=0;n<N;n++) r=run(500); console.log(r);
