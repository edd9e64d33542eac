//! What every part of SX agrees on: values, heap, stack, tables, chunks, errors, `Host`.
//!
//! Deliberately absent: anything that reads source text, runs code or emits it.

pub mod chunk;
pub mod error;
pub mod heap;
pub mod host;
pub mod list;
pub mod num;
pub mod number;
pub mod object;
pub mod ops;
pub mod string;
pub mod symbol;
pub mod syntax;
pub mod value;
