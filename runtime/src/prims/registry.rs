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
    super::dates::DATES,
    super::dicts::DICTS,
    super::digest::DIGEST,
    super::json::JSON,
    super::lists::LISTS,
    super::matching::MATCHING,
    super::numtext::NUMTEXT,
    super::ports::PORTS,
    super::predicates::PREDICATES,
    super::records::RECORDS,
    super::reflect::REFLECT,
    super::regex::REGEX,
    super::sets::HASH_TABLES,
    super::sets::SETS,
    super::strings::STRINGS,
    super::vectors::BYTES,
    super::vectors::VECTORS,
    super::world::WORLD,
];

struct Registry {
    rows: Vec<&'static Prim>,
    by_name: HashMap<&'static str, PrimId>,
}

fn registry() -> &'static Registry {
    static REGISTRY: OnceLock<Registry> = OnceLock::new();
    REGISTRY.get_or_init(|| {
        let rows: Vec<&'static Prim> = FAMILIES.iter().flat_map(|family| family.iter()).collect();
        let mut by_name = HashMap::new();
        for (i, prim) in rows.iter().enumerate() {
            for name in std::iter::once(&prim.name).chain(prim.aliases) {
                let earlier = by_name.insert(*name, PrimId(i as u16));
                debug_assert!(earlier.is_none(), "two primitives are called {name}");
            }
        }
        Registry { rows, by_name }
    })
}

/// Every primitive; the index is its number.
pub fn all() -> &'static [&'static Prim] {
    &registry().rows
}

/// The number of the primitive of this name.
pub fn by_name(name: &str) -> Option<PrimId> {
    registry().by_name.get(name).copied()
}

/// The row of a number.
pub fn get(id: PrimId) -> &'static Prim {
    registry().rows[id.0 as usize]
}

/// Every name a program can use, aliases included.
pub fn names() -> impl Iterator<Item = (&'static str, PrimId)> {
    registry().by_name.iter().map(|(name, id)| (*name, *id))
}
