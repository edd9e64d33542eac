# The inputs of the Datalog rows, the same on every machine: in/ROW/RELATION.facts below the working
# directory. `python3 gen.py chain N` and `python3 gen.py update` make more of them.
import random,os
def w(d,rel,rows):
    os.makedirs(f'in/{d}',exist_ok=True)
    open(f'in/{d}/{rel}.facts','w').write(''.join('\t'.join(map(str,r))+'\n' for r in rows))
def rnd(n,m,seed):
    r=random.Random(seed); s=set()
    while len(s)<m:
        a,b=r.randrange(n),r.randrange(n)
        if a!=b: s.add((a,b))
    return sorted(s)
w('tc-chain','edge',[(i,i+1) for i in range(1999)])
w('tc-rand','edge',rnd(2000,4000,1))
w('tc-dense','edge',rnd(1500,15000,2))
N=50
w('tc-grid','edge',[(i*N+j,i*N+j+1) for i in range(N) for j in range(N-1)]+[(i*N+j,(i+1)*N+j) for i in range(N-1) for j in range(N)])
w('sg','parent',[((c-1)//2,c) for c in range(1,2047)])
# points-to: 10k statements
r=random.Random(7); V=8000; 
S={'addr':set(),'assign':set(),'load':set(),'store':set()}
def loc(): # modular program: functions of 40 vars, mostly local traffic
    f=r.randrange(V//40); return f
def var(f): return f*40+r.randrange(40)
tgt={'addr':2500,'assign':5000,'load':1300,'store':1200}
for k,n in tgt.items():
    while len(S[k])<n:
        f=loc(); a=var(f); b=var(f) if r.random()<0.8 else r.randrange(V)
        if k=='addr': b=V+f*20+r.randrange(20) if r.random()<0.5 else b
        if a!=b: S[k].add((a,b))
for k in S: w('pt',k,sorted(S[k]))
w('neg','edge',rnd(1500,2000,3)); w('neg','node',[(i,) for i in range(1500)])
r=random.Random(5)
w('agg','edge',[(a,b,r.randrange(1,11)) for a,b in rnd(2000,8000,4)]); w('agg','src',[(i*97,) for i in range(20)])
# 1,000 chains of 100 edges are the input of changes.
import sys
if sys.argv[1:2]==['chain']: n=int(sys.argv[2]); w(f'chain-{n}','edge',[(i,i+1) for i in range(n)])
if sys.argv[1:2]==['update']: w('update','edge',[(c*101+i,c*101+i+1) for c in range(1000) for i in range(100)])
