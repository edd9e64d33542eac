local function make(d) if d==0 then return {} end return {make(d-1),make(d-1)} end
local function check(t) if t[1]==nil then return 1 end return 1+check(t[1])+check(t[2]) end
local M=16 local function work() local ll=make(M) local tot=check(make(M+1))
for d=4,M,2 do local n=2^(M-d+4) for i=1,n do tot=tot+check(make(d)) end end
return tot+check(ll) end
local r for n=1,N do r=work() end print(string.format("%d",r))
