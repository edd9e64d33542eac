local pi=3.141592653589793 local sm,dpy=4*(pi*pi),365.24 local sqrt=math.sqrt
local initial={{0.0,0.0,0.0,0.0,0.0,0.0,sm},
{4.84143144246472090,-1.16032004402742839,-0.103622044471123109,0.00166007664274403694*dpy,0.00769901118419740425*dpy,-0.0000690460016972063023*dpy,0.000954791938424326609*sm},
{8.34336671824457987,4.12479856412430479,-0.403523417114321381,-0.00276742510726411145*dpy,0.00499852801234917238*dpy,0.0000230417297573763929*dpy,0.000285885980666130812*sm},
{12.8943695621391310,-15.1111514016986312,-0.223307578892655734,0.00296460137564761618*dpy,0.00237847173959480950*dpy,-0.0000296589568540237556*dpy,0.0000436624404335156298*sm},
{15.3796971148509165,-25.9193146099879641,0.179258772950371181,0.00268067772490389322*dpy,0.00162824170038242295*dpy,-0.0000951592254519715870*dpy,0.0000515138902046611451*sm}}
local B={{},{},{},{},{}}
local function reset() for i=1,5 do for j=1,7 do B[i][j]=initial[i][j] end end end
local function off() local px,py,pz=0.0,0.0,0.0 for i=1,5 do local b=B[i] local m=b[7] px=px+b[4]*m py=py+b[5]*m pz=pz+b[6]*m end B[1][4]=0-px/sm B[1][5]=0-py/sm B[1][6]=0-pz/sm end
local function energy() local e=0.0 for i=1,5 do local b=B[i] e=e+0.5*(b[7]*(b[4]*b[4]+(b[5]*b[5]+b[6]*b[6]))) for j=i+1,5 do local c=B[j] local dx,dy,dz=b[1]-c[1],b[2]-c[2],b[3]-c[3] e=e-b[7]*c[7]/sqrt(dx*dx+(dy*dy+dz*dz)) end end return e end
local function adv(dt) for i=1,5 do local b=B[i] local bm=b[7] for j=i+1,5 do local c=B[j] local dx,dy,dz=b[1]-c[1],b[2]-c[2],b[3]-c[3] local d2=dx*dx+(dy*dy+dz*dz) local mag,cm=dt/(d2*sqrt(d2)),c[7]
 b[4]=b[4]-dx*cm*mag b[5]=b[5]-dy*cm*mag b[6]=b[6]-dz*cm*mag c[4]=c[4]+dx*bm*mag c[5]=c[5]+dy*bm*mag c[6]=c[6]+dz*bm*mag end end
 for i=1,5 do local b=B[i] b[1]=b[1]+dt*b[4] b[2]=b[2]+dt*b[5] b[3]=b[3]+dt*b[6] end end
local r for n=1,N do reset() off() for i=1,200000 do adv(0.01) end r=1e9*energy() end print(string.format("%.0f",r))
