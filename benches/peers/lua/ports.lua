local function text()
  local p={} for i=0,19999 do p[#p+1]="line " p[#p+1]=i p[#p+1]=" of the text, with some words in it" p[#p+1]="\n" end
  return table.concat(p)
end
local function work()
  local s,out,n=text(),{},0
  for i=1,#s do local c=s:sub(i,i) out[i]=c:upper() if c=="\n" then n=n+1 end end
  local len=0 for line in table.concat(out):gmatch("[^\n]+") do len=len+#line end
  return n.." "..len
end
local r for n=1,N do r=work() end print(r)
