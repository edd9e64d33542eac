function piece(i){ const line="alpha,beta-"+i+",Gamma "+((i*7919)%10007);
const parts=line.split(","), joined=[parts[0],parts[1].toUpperCase(),parts[2]].join("/");
const end=joined.substring(joined.indexOf("/")+1);
return joined.length+(end.endsWith("7")?1000:0)+(parts[1]<"beta-5"?1:0); }
let sum; for(let n=0;n<N;n++){ sum=0; for(let i=0;i<200000;i++) sum+=piece(i); } console.log(sum);
