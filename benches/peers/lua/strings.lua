local function piece(i)
  local line="alpha,beta-"..i..",Gamma "..((i*7919)%10007)
  local parts={} for part in line:gmatch("[^,]+") do parts[#parts+1]=part end
  local joined=table.concat({parts[1],parts[2]:upper(),parts[3]},"/")
  local last=joined:sub(joined:find("/",1,true)+1)
  return #joined+(last:sub(-1)=="7" and 1000 or 0)+(parts[2]<"beta-5" and 1 or 0)
end
local sum
for n=1,N do sum=0 for i=0,199999 do sum=sum+piece(i) end end
print(sum)
