local function make(d,n) if d==0 then return n end return {make(d-1,2*n),make(d-1,2*n+1)} end
local t=make(16,1)
local function walk(t) if type(t)=="table" then walk(t[1]) walk(t[2]) else coroutine.yield(t) end end
local tot for n=1,N do tot=0 for i=1,10 do for v in coroutine.wrap(function() walk(t) end) do tot=tot+v%1000 end end end print(tot)
