function text(){ const p=[]; for(let i=0;i<20000;i++) p.push("line ",i," of the text, with some words in it","\n"); return p.join(""); }
function work(){ const s=text(), out=[]; let n=0;
for(let i=0;i<s.length;i++){ const c=s[i]; out.push(c.toUpperCase()); if(c==="\n") n++; }
let len=0; for(const line of out.join("").split("\n")) len+=line.length;
return n+" "+len; }
let r; for(let n=0;n<N;n++) r=work(); console.log(r);
