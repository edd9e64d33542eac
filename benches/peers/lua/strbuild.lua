local byte=string.byte
local function work() local p,j={},0
for i=0,999999 do p[j+1]=(i*7919)%10007 p[j+2]="," j=j+2 end
local s=table.concat(p) local n=0
for i=1,#s do if byte(s,i)==55 then n=n+1 end end return #s.." "..n end
local r for n=1,N do r=work() end print(r)
