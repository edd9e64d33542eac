local function fib(n) if n<2 then return n end return fib(n-1)+fib(n-2) end
local r for n=1,N do r=fib(35) end print(r)
