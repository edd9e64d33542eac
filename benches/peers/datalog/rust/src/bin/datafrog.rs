//! The rows in datafrog, whose joins are written by hand.
use datafrog::{Iteration, Relation};
use datalog_peers::{pairs, rows};

type Pairs = Relation<(u32, u32)>;

fn swapped(pairs: Vec<(u32, u32)>) -> Pairs {
    pairs.into_iter().map(|(a, b)| (b, a)).collect()
}

/// Paths, kept as (end, start).
fn paths(edges: &[(u32, u32)]) -> Pairs {
    let mut iteration = Iteration::new();
    let path = iteration.variable::<(u32, u32)>("path");
    let edge: Pairs = edges.iter().copied().collect();
    path.extend(edges.iter().map(|&(x, y)| (y, x)));
    while iteration.changed() {
        path.from_join(&path, &edge, |_y, &x, &z| (z, x));
    }
    path.complete()
}

/// Two children of one parent.
fn siblings(parent: &Pairs) -> Vec<(u32, u32)> {
    let families = parent.chunk_by(|a, b| a.0 == b.0);
    families
        .flat_map(|family| family.iter().flat_map(move |a| family.iter().map(move |b| (a.1, b.1))))
        .filter(|(a, b)| a != b)
        .collect()
}

fn same_generation(parent: &Pairs) -> Pairs {
    let mut iteration = Iteration::new();
    let sg = iteration.variable::<(u32, u32)>("sg");
    let half = iteration.variable::<(u32, u32)>("half");
    sg.extend(siblings(parent));
    while iteration.changed() {
        half.from_join(&sg, parent, |_p, &q, &x| (q, x));
        sg.from_join(&half, parent, |_q, &x, &y| (x, y));
    }
    sg.complete()
}

fn points_to(directory: &str) -> Pairs {
    let assign = swapped(pairs(directory, "assign"));
    let load = swapped(pairs(directory, "load"));
    let store: Pairs = pairs(directory, "store").into_iter().collect();
    let mut iteration = Iteration::new();
    let pt = iteration.variable::<(u32, u32)>("pt");
    let loads = iteration.variable::<(u32, u32)>("loads");
    let stores = iteration.variable::<(u32, u32)>("stores");
    pt.extend(pairs(directory, "addr"));
    while iteration.changed() {
        pt.from_join(&pt, &assign, |_z, &x, &y| (y, x));
        loads.from_join(&pt, &load, |_x, &z, &y| (z, y));
        pt.from_join(&loads, &pt, |_z, &y, &w| (y, w));
        stores.from_join(&pt, &store, |_y, &z, &x| (x, z));
        pt.from_join(&stores, &pt, |_x, &z, &w| (z, w));
    }
    pt.complete()
}

fn unreached(reached: &Pairs, nodes: &[[u32; 1]]) -> usize {
    let all = nodes.iter().flat_map(|[y]| nodes.iter().map(move |[x]| (*y, *x)));
    let unreached: Pairs = all.filter(|pair| reached.binary_search(pair).is_err()).collect();
    unreached.len()
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let directory = &arguments[2];
    match arguments[1].as_str() {
        "tc" => println!("path\t{}", paths(&pairs(directory, "edge")).len()),
        "sg" => {
            let parent: Pairs = pairs(directory, "parent").into_iter().collect();
            println!("sg\t{}", same_generation(&parent).len());
        }
        "pt" => println!("pt\t{}", points_to(directory).len()),
        "neg" => {
            let reached = paths(&pairs(directory, "edge"));
            println!("reach\t{}", reached.len());
            println!("unreach\t{}", unreached(&reached, &rows(directory, "node")));
        }
        "none" => {}
        other => panic!("no row {other}"),
    }
}
