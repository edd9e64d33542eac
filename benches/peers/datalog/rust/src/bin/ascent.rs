//! The rows in ascent, which compiles rules to Rust.
use datalog_peers::{pairs, rows};

mod tc {
    ascent::ascent! {
        pub struct Program;
        relation edge(u32, u32);
        relation path(u32, u32);
        path(x, y) <-- edge(x, y);
        path(x, z) <-- path(x, y), edge(y, z);
    }
}
mod sg {
    ascent::ascent! {
        pub struct Program;
        relation parent(u32, u32);
        relation sg(u32, u32);
        sg(x, y) <-- parent(p, x), parent(p, y), if x != y;
        sg(x, y) <-- parent(p, x), sg(p, q), parent(q, y);
    }
}
mod pt {
    ascent::ascent! {
        pub struct Program;
        relation addr(u32, u32);
        relation assign(u32, u32);
        relation load(u32, u32);
        relation store(u32, u32);
        relation pt(u32, u32);
        pt(y, x) <-- addr(y, x);
        pt(y, x) <-- assign(y, z), pt(z, x);
        pt(y, w) <-- load(y, x), pt(x, z), pt(z, w);
        pt(z, w) <-- store(y, x), pt(y, z), pt(x, w);
    }
}
mod neg {
    ascent::ascent! {
        pub struct Program;
        relation edge(u32, u32);
        relation node(u32);
        relation reach(u32, u32);
        relation unreach(u32, u32);
        reach(x, y) <-- edge(x, y);
        reach(x, z) <-- reach(x, y), edge(y, z);
        unreach(x, y) <-- node(x), node(y), !reach(x, y);
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let directory = &arguments[2];
    let read = |relation| pairs(directory, relation);
    match arguments[1].as_str() {
        "tc" => {
            let mut p = tc::Program::default();
            p.edge = read("edge");
            p.run();
            println!("path\t{}", p.path.len());
        }
        "sg" => {
            let mut p = sg::Program::default();
            p.parent = read("parent");
            p.run();
            println!("sg\t{}", p.sg.len());
        }
        "pt" => {
            let mut p = pt::Program::default();
            p.addr = read("addr");
            p.assign = read("assign");
            p.load = read("load");
            p.store = read("store");
            p.run();
            println!("pt\t{}", p.pt.len());
        }
        "neg" => {
            let mut p = neg::Program::default();
            p.edge = read("edge");
            p.node = rows(directory, "node").into_iter().map(|[n]| (n,)).collect();
            p.run();
            println!("reach\t{}\nunreach\t{}", p.reach.len(), p.unreach.len());
        }
        "none" => {}
        other => panic!("no row {other}"),
    }
}
