local mx,n
local function work() local h,x={},42
for i=1,1000000 do x=(x*16807)%2147483647 local k="w"..(x%5000) h[k]=(h[k] or 0)+1 end
mx,n=0,0 for i=0,4999 do local c=h["w"..i] or 0 if c>mx then mx=c end if c>0 then n=n+1 end end end
for i=1,N do work() end print(n.." "..mx)
