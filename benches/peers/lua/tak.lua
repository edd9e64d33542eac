local function tak(x,y,z) if not (y<x) then return z end return tak(tak(x-1,y,z),tak(y-1,z,x),tak(z-1,x,y)) end
local a for n=1,N do a=0 for i=1,20 do a=a+tak(24,16,8) end end print(a)
