const escapes={"&":"&amp;","<":"&lt;",">":"&gt;",'"':"&quot;"};
const escape=s=>s.replace(/[&<>"]/g,c=>escapes[c]);
function render(tree,out){
if(typeof tree==="string"){ out.push(escape(tree)); return; }
if(Array.isArray(tree)){ for(const t of tree) render(t,out); return; }
out.push("<",tree.tag); for(const k in tree.attrs) out.push(" ",k,'="',escape(tree.attrs[k]),'"'); out.push(">");
for(const t of tree.children) render(t,out); out.push("</",tree.tag,">"); }
const h=(tag,attrs,...children)=>({tag,attrs,children});
const item=i=>h("li",{},h("a",{href:"/post/"+i},"Post <"+i+"> & friends")," by ",h("em",{},"author"+i%7));
function work(){ const items=[]; for(let i=0;i<16667;i++) items.push(item(i));
const out=[]; render(h("html",{},h("body",{},h("h1",{},"Posts"),h("ul",{},items))),out); return out.join("").length; }
let r; for(let n=0;n<N;n++) r=work(); console.log(r);
