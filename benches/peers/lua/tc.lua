local function closure(n,adj) local seen,cnt,delta,rounds={},0,{},0
 for x=0,n-1 do for _,y in ipairs(adj[x]) do local k=x*n+y if not seen[k] then seen[k]=true cnt=cnt+1 delta[#delta+1]=k end end end
 while #delta>0 do local nw,m={},0 for i=1,#delta do local k=delta[i] local y=k%n local base=k-y local l=adj[y] for j=1,#l do local k2=base+l[j] if not seen[k2] then seen[k2]=true cnt=cnt+1 m=m+1 nw[m]=k2 end end end delta=nw rounds=rounds+1 end
 return cnt.." "..rounds end
local ch={} for i=0,999 do ch[i]=i<999 and {i+1} or {} end
local g={} for i=0,999 do g[i]={} end local x=42
for i=1,3000 do local a=(x*16807)%2147483647 x=(a*16807)%2147483647 local l=g[a%1000] l[#l+1]=x%1000 end
local a,b for n=1,N do a,b=closure(1000,ch),closure(1000,g) end print(a.." "..b)
