function work(){ const xs=[]; let x=42; for(let i=0;i<1000000;i++){ x=(x*16807)%2147483647; xs.push(x); }
const up=xs.slice().sort((a,b)=>a-b), down=xs.slice().sort((a,b)=>(b%1000003)-(a%1000003));
return up[0]+" "+up[500000]+" "+down[0]%1000003+" "+down[777777]%1000003; }
let r; for(let n=0;n<N;n++) r=work(); console.log(r);
