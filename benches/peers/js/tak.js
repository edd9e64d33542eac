function tak(x,y,z){ return !(y<x)?z:tak(tak(x-1,y,z),tak(y-1,z,x),tak(z-1,x,y)); }
let a; for(let n=0;n<N;n++){ a=0; for(let i=0;i<20;i++) a+=tak(24,16,8); } console.log(a);
