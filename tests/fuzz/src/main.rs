use sx_fuzz::run::{Library, MODES, differences};
fn main() {
    let seed: u64 = std::env::args().nth(1).and_then(|s| s.parse().ok()).unwrap_or(0);
    let n: u64 = std::env::args().nth(2).and_then(|s| s.parse().ok()).unwrap_or(1);
    let mode = std::env::args().nth(3).unwrap_or("plain".into());
    let mode = MODES.iter().find(|m| m.0 == mode).unwrap().1;
    let oracle = sx_oracle::Oracle::new().unwrap();
    let library = Library::new().unwrap();
    let run = |text: &str| {
        let o = oracle.run(text, &mut sx_oracle::TestEdge::default(), Some(300_000));
        if o.gave_up {
            return vec![];
        }
        match library.run(text, mode) {
            Ok(s) => differences(&o, &s),
            Err(e) => vec![e],
        }
    };
    let mut bad = 0;
    for s in seed..seed + n {
        let forms = sx_fuzz::generate::Generator::new(s).program();
        let text = sx_fuzz::sexp::show(&forms);
        let d = run(&text);
        if !d.is_empty() {
            let kind = d[0].lines().next().unwrap().to_owned();
            let small = sx_fuzz::shrink::shrink(forms, 1500, |f| {
                run(&sx_fuzz::sexp::show(f))
                    .first()
                    .is_some_and(|x| x.lines().next().unwrap() == kind)
            });
            let text = sx_fuzz::sexp::show(&small);
            println!("seed {s}\n{text}{}\n", run(&text).join("\n"));
            bad += 1;
            if bad > 8 {
                break;
            }
        }
    }
    println!("bad {bad}");
}
