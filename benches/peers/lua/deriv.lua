local function cons(a,d) return {a,d} end
local function list(a,b,c,d) local l=nil if d~=nil then l=cons(d,l) end if c~=nil then l=cons(c,l) end if b~=nil then l=cons(b,l) end return cons(a,l) end
local function map(f,l) if l==nil then return nil end return cons(f(l[1]),map(f,l[2])) end
local deriv
function deriv(a) if type(a)~="table" then return a=="x" and 1 or 0 end
 local op=a[1]
 if op=="+" then return cons("+",map(deriv,a[2]))
 elseif op=="-" then return cons("-",map(deriv,a[2]))
 elseif op=="*" then return list("*",a,cons("+",map(function(e) return list("/",deriv(e),e) end,a[2])))
 elseif op=="/" then local u,v=a[2][1],a[2][2][1] return list("-",list("/",deriv(u),v),list("/",u,list("*",v,v,deriv(v)))) end
 return "error" end
local function count(x) if type(x)=="table" then return 1+count(x[1])+count(x[2]) end return 0 end
local e=cons("+",cons(list("*",3,"x","x"),cons(list("*","a","x","x"),cons(list("*","b","x"),cons(5,nil)))))
local last for n=1,N do for i=1,500000 do last=deriv(e) end end print(count(last))
