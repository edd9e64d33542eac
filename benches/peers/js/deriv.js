class Cons{constructor(a,d){this.car=a;this.cdr=d;}}
const cons=(a,d)=>new Cons(a,d);
const list=(...xs)=>{let l=null;for(let i=xs.length-1;i>=0;i--)l=cons(xs[i],l);return l;};
const map=(f,l)=>l===null?null:cons(f(l.car),map(f,l.cdr));
function deriv(a){
  if(!(a instanceof Cons)) return a==="x"?1:0;
  const op=a.car;
  if(op==="+") return cons("+",map(deriv,a.cdr));
  if(op==="-") return cons("-",map(deriv,a.cdr));
  if(op==="*") return list("*",a,cons("+",map(e=>list("/",deriv(e),e),a.cdr)));
  if(op==="/") return list("-",list("/",deriv(a.cdr.car),a.cdr.cdr.car),list("/",a.cdr.car,list("*",a.cdr.cdr.car,a.cdr.cdr.car,deriv(a.cdr.cdr.car))));
  return "error";
}
const count=x=>x instanceof Cons?1+count(x.car)+count(x.cdr):0;
const expr=list("+",list("*",3,"x","x"),list("*","a","x","x"),list("*","b","x"),5);
let last=0; for(let n=0;n<N;n++) for(let i=0;i<500000;i++) last=deriv(expr);
console.log(count(last));
