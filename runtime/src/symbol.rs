//! Symbols, keywords and the interning of strings. Interned strings and symbols are old and
//! never move; the tables are weak, so a name nobody holds goes away.
//!
//! Interning does not spend a reservation: it allocates in old space, is counted there, and the
//! next `reserve` looks at the limit.
#![allow(unsafe_code)]

use crate::heap::Heap;
use crate::object::{self, INTERNED, Type, keyword, string, symbol};
use crate::value::{Value, Word};

impl Heap {
    /// The interned string with this text, made if it does not exist.
    pub fn intern(&self, text: &str) -> Value<'_> {
        match self.find_interned(text) {
            Some(found) => found,
            None => self.add_interned(text),
        }
    }

    fn find_hashed(&self, hash: u64, text: &str) -> Option<Value<'_>> {
        let found = self.strings.borrow().find(hash, |word| {
            let s = Value::from_word(word);
            s.raw_at(string::HASH) == Word::fixnum(hash as i64).0 && s.as_str() == Some(text)
        });
        found.map(Value::from_word)
    }

    /// The interned string with this text, if there is one: asking never makes one.
    pub fn find_interned(&self, text: &str) -> Option<Value<'_>> {
        self.find_hashed(self.hash_text(text), text)
    }

    /// The interned string equal to this string value.
    pub fn intern_string<'h>(&'h self, value: Value<'h>) -> Value<'h> {
        assert!(value.is(Type::String));
        if value.has_flag(INTERNED) {
            return value;
        }
        // The hash is kept in the string: who interns it again does not work it out again.
        let text = value.as_str().unwrap_or_default();
        match self.find_hashed(self.hash_string(value), text) {
            Some(found) => found,
            None => self.add_interned(text),
        }
    }

    fn add_interned(&self, text: &str) -> Value<'_> {
        let value = self.string_old(text);
        self.hash_string(value);
        value.set_flag(INTERNED);
        self.strings
            .borrow_mut()
            .add(value.word(), |word| hash_field(word, string::HASH));
        value
    }

    /// The symbol of this name.
    pub fn symbol(&self, name: &str) -> Value<'_> {
        self.symbol_of(self.intern(name))
    }

    /// The symbol whose name is this interned string.
    pub fn symbol_of<'h>(&'h self, name: Value<'h>) -> Value<'h> {
        assert!(name.is(Type::String) && name.has_flag(INTERNED));
        let hash = name.raw_at(string::HASH);
        let found = self
            .symbols
            .borrow()
            .find(hash >> 1, |word| Value::from_word(word).at(symbol::NAME) == name);
        if let Some(found) = found {
            return Value::from_word(found);
        }
        // SAFETY: both fields follow at once.
        let made = unsafe {
            let word = self.alloc_old(Type::Symbol, 0, 3);
            object::set_field_raw(word, symbol::NAME, name.word().0);
            object::set_field_raw(word, symbol::HASH, hash);
            word
        };
        self.symbols
            .borrow_mut()
            .add(made, |word| hash_field(word, symbol::HASH));
        Value::from_word(made)
    }

    /// The keyword of this name (without its colon). Spends `SIZE_OF_KEYWORD`.
    pub fn keyword(&self, name: &str) -> Value<'_> {
        self.make(Type::Keyword, 0, [self.intern(name).word()])
    }
    /// Bytes to reserve for a keyword.
    pub const SIZE_OF_KEYWORD: usize = Heap::size_of(1);

    /// Forgets the names that are not live. Symbols keep their strings alive.
    pub(crate) fn retain_interned(&self, is_live: impl Fn(Word) -> bool) {
        self.symbols
            .borrow_mut()
            .retain(&is_live, |word| hash_field(word, symbol::HASH));
        self.strings
            .borrow_mut()
            .retain(&is_live, |word| hash_field(word, string::HASH));
    }
}

fn hash_field(word: Word, i: usize) -> u64 {
    Value::from_word(word).raw_at(i) >> 1
}

impl<'h> Value<'h> {
    /// The name, if this is a symbol.
    pub fn as_symbol(self) -> Option<&'h str> {
        self.is(Type::Symbol)
            .then(|| self.at(symbol::NAME).as_str().unwrap_or_default())
    }
    /// The name as an interned string, if this is a symbol.
    pub fn symbol_name(self) -> Option<Value<'h>> {
        self.is(Type::Symbol).then(|| self.at(symbol::NAME))
    }
    /// The name, if this is a keyword.
    pub fn as_keyword(self) -> Option<&'h str> {
        self.is(Type::Keyword)
            .then(|| self.at(keyword::NAME).as_str().unwrap_or_default())
    }
}
