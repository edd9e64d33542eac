//! All primitives by name and by number. A chunk names primitives, an isolate resolves the names
//! once; numbers are stable within one build only. Each name of a primitive has a number, so that
//! what goes wrong is told of the name that the program wrote.

use super::check::check_args;
use super::{Cx, Prim};
use crate::error::Raise;
use crate::value::Word;
use std::collections::HashMap;
use std::sync::OnceLock;

/// The number of a name of a primitive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PrimId(pub u16);

/// Every family.
const FAMILIES: &[&[Prim]] = &[
    super::arith::ARITH,
    super::buffers::BUFFERS,
    super::chars::CHARS,
    super::compare::COMPARE,
    super::components::COMPONENTS,
    super::control::CONTROL,
    super::core::CORE,
    super::crypto::CRYPTO,
    super::dates::DATES,
    super::dicts::DICTS,
    super::digest::DIGEST,
    super::html::HTML,
    super::ints::INT_MAPS,
    super::ints::INT_SETS,
    super::json::JSON,
    super::lists::LISTS,
    super::matching::MATCHING,
    super::numtext::NUMTEXT,
    super::ports::PORTS,
    super::predicates::PREDICATES,
    super::records::RECORDS,
    super::reflect::REFLECT,
    super::regex::REGEX,
    super::scheme::CXR,
    super::scheme::LISTS,
    super::scheme::NUMBERS,
    super::scheme::PAIRS,
    super::scheme::STRINGS,
    super::scheme::TEXT,
    super::segments::SEGMENTS,
    super::sets::HASH_TABLES,
    super::sets::SETS,
    super::strings::STRINGS,
    super::vectors::BYTES,
    super::vectors::VECTORS,
    super::world::WORLD,
];

const COUNT: usize = {
    let (mut family, mut count) = (0, 0);
    while family < FAMILIES.len() {
        count += FAMILIES[family].len();
        family += 1;
    }
    count
};

/// All rows; the index is the number of the row's own name. Laid out by the compiler, so that a call
/// finds its row without asking whether the table has been made.
static ROWS: [&Prim; COUNT] = {
    let mut rows = [&FAMILIES[0][0]; COUNT];
    let (mut family, mut at) = (0, 0);
    while family < FAMILIES.len() {
        let mut i = 0;
        while i < FAMILIES[family].len() {
            rows[at] = &FAMILIES[family][i];
            at += 1;
            i += 1;
        }
        family += 1;
    }
    rows
};

const NAMES: usize = {
    let (mut row, mut count) = (0, COUNT);
    while row < COUNT {
        count += ROWS[row].aliases.len();
        row += 1;
    }
    count
};

/// Every name with its row; the index is its number. The rows' own names come first.
static NAMED: [(&str, &Prim); NAMES] = {
    let mut named = [("", ROWS[0]); NAMES];
    let (mut row, mut at) = (0, COUNT);
    while row < COUNT {
        let prim = ROWS[row];
        named[row] = (prim.name, prim);
        let mut i = 0;
        while i < prim.aliases.len() {
            named[at] = (prim.aliases[i], prim);
            at += 1;
            i += 1;
        }
        row += 1;
    }
    named
};

fn numbers() -> &'static HashMap<&'static str, PrimId> {
    static NUMBERS: OnceLock<HashMap<&'static str, PrimId>> = OnceLock::new();
    NUMBERS.get_or_init(|| {
        let mut by_name = HashMap::new();
        for (i, (name, _)) in NAMED.iter().enumerate() {
            let earlier = by_name.insert(*name, PrimId(i as u16));
            debug_assert!(earlier.is_none(), "two primitives are called {name}");
        }
        by_name
    })
}

/// Every primitive; the index is the number of its own name.
pub fn all() -> &'static [&'static Prim] {
    &ROWS
}

/// The number of this name of a primitive.
pub fn by_name(name: &str) -> Option<PrimId> {
    numbers().get(name).copied()
}

/// The row of a number.
#[inline(always)]
pub fn get(id: PrimId) -> &'static Prim {
    NAMED[id.0 as usize].1
}

/// The name of a number as people know it: `%read-char` is what `read-char` of Scheme calls.
pub fn shown(id: PrimId) -> &'static str {
    let (name, prim) = NAMED[id.0 as usize];
    match name == prim.name {
        true => prim.shown(),
        false => name
            .strip_prefix(super::SCHEME)
            .or(name.strip_prefix('%'))
            .unwrap_or(name),
    }
}

/// Checks the arguments and runs a primitive. An error names it as its caller does.
#[inline]
pub fn call(id: PrimId, cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let prim = get(id);
    check_args(prim, cx)
        .and_then(|()| (prim.body)(cx))
        .map_err(|raise| raise.about(prim.shown(), shown(id)))
}

/// Every name a program can use, aliases included, with its number.
pub fn names() -> impl Iterator<Item = (&'static str, PrimId)> {
    NAMED.iter().enumerate().map(|(i, (name, _))| (*name, PrimId(i as u16)))
}
