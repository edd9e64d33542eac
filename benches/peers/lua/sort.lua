local function work()
  local up,down,x={},{},42
  for i=1,1000000 do x=(x*16807)%2147483647 up[i]=x down[i]=x end
  table.sort(up) table.sort(down,function(a,b) return a%1000003>b%1000003 end)
  return up[1].." "..up[500001].." "..(down[1]%1000003).." "..(down[777778]%1000003)
end
local r for n=1,N do r=work() end print(r)
