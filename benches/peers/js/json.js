const record=i=>`{"id": ${i}, "name": "item number ${i}", "price": ${i}.25, "tags": ["a", "b\\n", null, true]}`;
function work(){ const r=[]; for(let i=1;i<=100;i++) r.push(record(i));
const s="["+Array(1200).fill(r.join(",")).join(",")+"]", data=JSON.parse(s);
let sum=0; for(const x of data) sum+=x.id+x.price;
return s.length+" "+data.length+" "+sum; }
let r; for(let n=0;n<N;n++) r=work(); console.log(r);
