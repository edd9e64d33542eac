//! All primitives by name and by number. A chunk names primitives, an isolate resolves the names
//! once; numbers are stable within one build only.

use super::Prim;
use std::collections::HashMap;
use std::sync::OnceLock;

/// The number of a primitive.
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

/// All rows; the index is the number. Laid out by the compiler, so that a call finds its row
/// without asking whether the table has been made.
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

fn names_of_rows() -> &'static HashMap<&'static str, PrimId> {
    static NAMES: OnceLock<HashMap<&'static str, PrimId>> = OnceLock::new();
    NAMES.get_or_init(|| {
        let mut by_name = HashMap::new();
        for (i, prim) in ROWS.iter().enumerate() {
            for name in std::iter::once(&prim.name).chain(prim.aliases) {
                let earlier = by_name.insert(*name, PrimId(i as u16));
                debug_assert!(earlier.is_none(), "two primitives are called {name}");
            }
        }
        by_name
    })
}

/// Every primitive; the index is its number.
pub fn all() -> &'static [&'static Prim] {
    &ROWS
}

/// The number of the primitive of this name.
pub fn by_name(name: &str) -> Option<PrimId> {
    names_of_rows().get(name).copied()
}

/// The row of a number.
#[inline(always)]
pub fn get(id: PrimId) -> &'static Prim {
    ROWS[id.0 as usize]
}

/// Every name a program can use, aliases included.
pub fn names() -> impl Iterator<Item = (&'static str, PrimId)> {
    names_of_rows().iter().map(|(name, id)| (*name, *id))
}
