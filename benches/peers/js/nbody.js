const pi=3.141592653589793, sm=4*(pi*pi), dpy=365.24;
const initial=[[0,0,0,0,0,0,sm],
[4.84143144246472090,-1.16032004402742839,-0.103622044471123109,0.00166007664274403694*dpy,0.00769901118419740425*dpy,-0.0000690460016972063023*dpy,0.000954791938424326609*sm],
[8.34336671824457987,4.12479856412430479,-0.403523417114321381,-0.00276742510726411145*dpy,0.00499852801234917238*dpy,0.0000230417297573763929*dpy,0.000285885980666130812*sm],
[12.8943695621391310,-15.1111514016986312,-0.223307578892655734,0.00296460137564761618*dpy,0.00237847173959480950*dpy,-0.0000296589568540237556*dpy,0.0000436624404335156298*sm],
[15.3796971148509165,-25.9193146099879641,0.179258772950371181,0.00268067772490389322*dpy,0.00162824170038242295*dpy,-0.0000951592254519715870*dpy,0.0000515138902046611451*sm]];
const B=initial.map(b=>b.map(x=>x));
function reset(){ for(let i=0;i<5;i++) for(let j=0;j<7;j++) B[i][j]=initial[i][j]; }
function off(){ let px=0,py=0,pz=0; for(let i=0;i<5;i++){const b=B[i],m=b[6];px+=b[3]*m;py+=b[4]*m;pz+=b[5]*m;} B[0][3]=0-px/sm;B[0][4]=0-py/sm;B[0][5]=0-pz/sm; }
function energy(){ let e=0; for(let i=0;i<5;i++){const b=B[i]; e+=0.5*(b[6]*(b[3]*b[3]+(b[4]*b[4]+b[5]*b[5]))); for(let j=i+1;j<5;j++){const c=B[j];const dx=b[0]-c[0],dy=b[1]-c[1],dz=b[2]-c[2]; e-=b[6]*c[6]/Math.sqrt(dx*dx+(dy*dy+dz*dz));}} return e; }
function adv(dt){ for(let i=0;i<5;i++){const b=B[i],bm=b[6]; for(let j=i+1;j<5;j++){const c=B[j]; const dx=b[0]-c[0],dy=b[1]-c[1],dz=b[2]-c[2]; const d2=dx*dx+(dy*dy+dz*dz),mag=dt/(d2*Math.sqrt(d2)),cm=c[6];
 b[3]-=dx*cm*mag;b[4]-=dy*cm*mag;b[5]-=dz*cm*mag;c[3]+=dx*bm*mag;c[4]+=dy*bm*mag;c[5]+=dz*bm*mag;}}
 for(let i=0;i<5;i++){const b=B[i];b[0]+=dt*b[3];b[1]+=dt*b[4];b[2]+=dt*b[5];}}
let r; for(let n=0;n<N;n++){ reset(); off(); for(let i=0;i<200000;i++) adv(0.01); r=Math.round(1e9*energy()); } console.log(r);
