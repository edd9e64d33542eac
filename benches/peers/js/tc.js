function closure(n,adj){ const seen=new Set(); let delta=[],rounds=0;
 for(let x=0;x<n;x++) for(const y of adj[x]){const k=x*n+y; if(!seen.has(k)){seen.add(k);delta.push(k);}}
 while(delta.length){ const nw=[]; for(const k of delta){const y=k%n,base=k-y; for(const z of adj[y]){const k2=base+z; if(!seen.has(k2)){seen.add(k2);nw.push(k2);}}} delta=nw; rounds++; }
 return seen.size+" "+rounds; }
const ch=[]; for(let i=0;i<1000;i++) ch.push(i<999?[i+1]:[]);
const g=[]; for(let i=0;i<1000;i++) g.push([]); let x=42;
for(let i=0;i<3000;i++){ const a=(x*16807)%2147483647; x=(a*16807)%2147483647; g[a%1000].push(x%1000);}
let a,b; for(let n=0;n<N;n++){ a=closure(1000,ch); b=closure(1000,g); } console.log(a+" "+b);
