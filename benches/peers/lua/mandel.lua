local function mi(cr,ci) local zr,zi,i=0.0,0.0,0 while true do if i==200 then return i end local a,b=zr*zr,zi*zi if a+b>4.0 then return i end zi=2.0*(zr*zi)+ci zr=a-b+cr i=i+1 end end
local function run(n) local s=0 for y=0,n-1 do local ci=3.0*y/n-1.5 for x=0,n-1 do s=s+mi(3.0*x/n-2.0,ci) end end return s end
local r for n=1,N do r=run(500) end print(r)
