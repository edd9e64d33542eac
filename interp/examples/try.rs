use sx_interp::machine::*;
use sx_runtime::{heap::*, host::*, syntax::*};
fn main() {
    let mut files: Vec<_> = std::fs::read_dir("lib/core")
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    files.sort();
    let sources: Vec<_> = files
        .iter()
        .map(|p| Source::new(p.to_string_lossy(), std::fs::read_to_string(p).unwrap()))
        .collect();
    let stress = std::env::var("GC").is_ok();
    let mut m = Machine::new(
        HeapOptions {
            nursery_bytes: 4 << 20,
            ..HeapOptions::default()
        },
        Box::new(RealHost::default()),
    )
    .unwrap_or_else(|_| panic!());
    if let Err(e) = m.load_core(&sources) {
        println!("BOOT {e:#?}");
        return;
    }
    let _ = stress;
    m.stress.seal_every_call = std::env::var("SEAL").is_ok();
    let text = match std::env::args().nth(1).unwrap() {
        p if p.ends_with(".sx") => std::fs::read_to_string(p).unwrap(),
        t => t,
    };
    let t0 = std::time::Instant::now();
    let state = match m.evaluation_of(Source::new("t", text)) {
        Ok(Ok(w)) => w,
        Ok(Err(_)) => {
            println!("syntax");
            return;
        }
        Err(e) => {
            println!("{e:?}");
            return;
        }
    };
    let f = m.isolate.global("%evaluate").unwrap();
    m.start(f, &[state, sx_runtime::value::Word::NIL]);
    match m.run() {
        Exit::Value(_) => {
            let v = m.result();
            println!("=> {}", m.isolate.heap.print(v, sx_runtime::print::Style::Write));
        }
        other => println!("{other:#?}"),
    }
    eprintln!("{:?} {:?}", t0.elapsed(), m.isolate.heap.stats());
}
