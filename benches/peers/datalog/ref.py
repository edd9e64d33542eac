# How many tuples each row has, counted without any Datalog engine, from the files gen.py made.
# independent reference counts (bitsets), not an engine
import sys,heapq
def rd(f): return [tuple(map(int,l.split())) for l in open(f)]
def tc(E):
    adj={}
    for a,b in E: adj.setdefault(a,[]).append(b)
    tot={}
    for s in adj:
        seen=set(); st=[s]
        while st:
            x=st.pop()
            for y in adj.get(x,()):
                if y not in seen: seen.add(y); st.append(y)
        tot[s]=seen
    return tot
for g in ['tc-chain','tc-rand','tc-dense','tc-grid']:
    print(g,sum(len(v) for v in tc(rd(f'in/{g}/edge.facts')).values()))
lv={0:0}; c=0
for p,ch in rd('in/sg/parent.facts'): lv[ch]=lv[p]+1
from collections import Counter
print('sg',sum(n*n-n for k,n in Counter(lv.values()).items()))
R={k:rd(f'in/pt/{k}.facts') for k in('addr','assign','load','store')}
pt={}
ch=True
def add(y,m):
    global ch
    o=pt.get(y,0); n=o|m
    if n!=o: pt[y]=n; ch=True
def bits(m):
    while m:
        l=m&-m; yield l.bit_length()-1; m^=l
for y,x in R['addr']: add(y,1<<x)
while ch:
    ch=False
    for y,z in R['assign']: add(y,pt.get(z,0))
    for y,x in R['load']:
        for z in bits(pt.get(x,0)): add(y,pt.get(z,0))
    for y,x in R['store']:
        v=pt.get(x,0)
        if v:
            for z in bits(pt.get(y,0)): add(z,v)
print('pt',sum(bin(v).count('1') for v in pt.values()),flush=True)
t=tc(rd('in/neg/edge.facts')); r=sum(len(v) for v in t.values()); print('neg reach',r,'unreach',1500*1500-r)
adj={}
for a,b,wt in rd('in/agg/edge.facts'): adj.setdefault(a,[]).append((b,wt))
n=0;mx=0;tot=0
D=64; W=0; cs=0
for (s,) in rd('in/agg/src.facts'):
    d={s:0};q=[(0,s)]
    while q:
        x,u=heapq.heappop(q)
        if x>d[u]: continue
        for v,wt in adj.get(u,()):
            if x+wt<d.get(v,1<<30): d[v]=x+wt; heapq.heappush(q,(x+wt,v))
    n+=len(d); mx=max(mx,max(d.values())); tot+=sum(d.values())
    layer=[set() for _ in range(D+1)]; layer[0].add(s)
    for k in range(D+1):
        for u in layer[k]:
            for v,wt in adj.get(u,()):
                if k+wt<=D: layer[k+wt].add(v)
    W+=sum(map(len,layer))
print('agg sp pairs',n,'maxdist',mx,'sumdist',tot,'walk(<=60) tuples',W)
