//! What names were found to mean earlier in a walk, by the object of the name: a page says the same
//! few names many times over.

use crate::value::Value;

/// A value for each symbol or keyword that was asked for; of those that share a place, the last.
pub(super) struct Known<'h, T> {
    places: [Option<(Value<'h>, T)>; PLACES],
}

const PLACES: usize = 32;

impl<T: Copy> Default for Known<'_, T> {
    fn default() -> Self {
        Known { places: [None; PLACES] }
    }
}

impl<'h, T: Copy> Known<'h, T> {
    /// What `name` means; `find` is asked where that is not known.
    pub(super) fn get(&mut self, name: Value<'h>, find: impl FnOnce() -> T) -> T {
        let place = &mut self.places[(name.word().0 >> 4) as usize % PLACES];
        match *place {
            Some((known, meaning)) if known == name => meaning,
            _ => place.insert((name, find())).1,
        }
    }
}
