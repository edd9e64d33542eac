//! HTML of trees. A tree is data: a list that begins with the symbol of a tag is an element, its
//! keywords are attributes and the rest is its content; any other list, or a vector, is its
//! items; texts, numbers, booleans and symbols are text, `nil` is nothing. `<>` `raw!` `!--` and
//! `!doctype` stand where a tag would: items, markup as it is, a comment, the document type.
//!
//! Calls of components may be in a tree too. They are not made here: a tree is rendered with
//! the markup of each call, in the order of the tree, or answers which calls it has.
//!
//! Invariants: a parser reads back just the tree that was written, whatever the texts in it are;
//! what cannot be written so is refused. The walk keeps its own stack, so no tree is too deep, and
//! one that contains itself is an error.

mod escape;
mod known;
mod markup;
mod tags;
mod write;

pub use escape::escape_all;
pub use tags::tag_of;
pub use write::{Rendered, render};

#[cfg(test)]
mod tests;
