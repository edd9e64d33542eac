//! What every part of SX agrees on: values, heap, stack, tables, chunks, errors, `Host`.
//!
//! Deliberately absent: anything that reads source text, runs code or emits it.

pub mod bytes;
pub mod chunk;
pub mod convert;
pub mod dict;
pub mod equal;
pub mod error;
pub mod fault;
pub mod foreign;
pub mod hash_table;
pub mod heap;
pub mod host;
pub mod html;
pub mod instance;
pub mod int_table;
pub mod isolate;
pub mod list;
pub mod native;
pub mod num;
pub mod number;
pub mod object;
pub mod ops;
pub mod prims;
pub mod print;
pub mod record;
pub mod resume;
pub mod shape;
pub mod stack;
pub mod string;
pub mod string_buffer;
pub mod symbol;
pub mod syntax;
pub mod table;
pub mod text;
pub mod value;
pub mod vector;
pub mod verify;
