local function compose(f,g) return function(x) return f(g(x)) end end
local function adder(n) return function(x) return x+n end end
local function map(f,l) local r={} for i=1,#l do r[i]=f(l[i]) end return r end
local function filter(p,l) local r,j={},0 for i=1,#l do local v=l[i] if p(v) then j=j+1 r[j]=v end end return r end
local function fold(f,a,l) for i=1,#l do a=f(a,l[i]) end return a end
local lst={} for i=1,1000000 do lst[i]=i end local total for n=1,N do total=0
for i=5,1,-1 do local f=compose(compose(adder(i),function(x) return 2*x end),function(x) return (x*x)%1000003 end)
 total=total+fold(function(a,b) return (a+b)%1000007 end,0,filter(function(x) return x%3==0 end,map(f,lst))) end end
print(total)
