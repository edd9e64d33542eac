local function key(i) return "key-"..i end
local function strings()
  local h={} for i=0,199999 do h[key(i)]=i end for i=0,199999,3 do h[key(i)]=nil end
  local t=0 for i=0,199999 do t=t+(h[key(i)] or 1) end return t
end
local function ints()
  local h,x,size={},42,0
  for i=1,1000000 do x=(x*16807)%2147483647 local k=x%50021 local v=h[k] if not v then size=size+1 end h[k]=(v or 0)+1 end
  local top=0 for i=0,50020 do top=math.max(top,h[i] or 0) end return 1000*size+top
end
local a,b for n=1,N do a=strings() b=ints() end print(a.." "..b)
