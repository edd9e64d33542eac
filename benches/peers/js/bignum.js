function work(){ let f=1n; for(let n=5000n;n>0n;n--) f=n*f;
let a=0n,b=1n; for(let i=0;i<100000;i++) [a,b]=[b,a+b];
const digits=s=>{ let t=0; for(let i=0;i<s.length;i++) t+=s.charCodeAt(i)-48; return t; };
return digits(f.toString())+" "+digits(a.toString())+" "+(a/f)%1000000007n; }
let r; for(let n=0;n<N;n++) r=work(); console.log(r);
