//! Printing of the tree: what goes on a line and where the next one begins.
//!
//! Invariant: where a line begins depends only on the lexemes, on where the author began lines,
//! and on the width; a text printed so is printed the same again.

use super::WIDTH;
use super::rules::Rule;
use super::tree::{Id, Kind, Tree};

/// Deeper lines are not indented further, so that depth costs linear space.
const INDENT_MAX: usize = 80;
/// What a form's or a call's lines are indented by.
const INDENT: usize = 2;
/// Native stack that printing one level may take, and what it takes when there is less.
const STACK_LEFT: usize = 64 * 1024;
const STACK_MORE: usize = 1024 * 1024;

/// The whole text, with a line end behind each line.
pub fn print(tree: &Tree<'_>) -> String {
    let mut printer = Printer {
        tree,
        text: String::new(),
        column: 0,
    };
    for (at, item) in tree.nodes[0].items.iter().enumerate() {
        let node = &tree.nodes[*item];
        if at > 0 && node.kind == Kind::LineComment && node.lines_before == 0 {
            printer.push(" ");
        } else if at > 0 {
            printer.new_line(0, node.lines_before);
        }
        printer.node(*item, 0);
    }
    if !printer.text.is_empty() {
        printer.text.push('\n');
    }
    printer.text
}

struct Printer<'a> {
    tree: &'a Tree<'a>,
    text: String,
    column: usize,
}

impl Printer<'_> {
    fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.column = match text.rfind('\n') {
            Some(at) => text[at + 1..].chars().count(),
            None => self.column + text.chars().count(),
        };
    }

    /// A new line, with an empty one before it if there was one.
    fn new_line(&mut self, indent: usize, lines_before: usize) {
        self.text.push_str(if lines_before > 1 { "\n\n" } else { "\n" });
        self.text.extend(std::iter::repeat_n(' ', indent));
        self.column = indent;
    }

    fn fits(&self, id: Id, closers: usize) -> bool {
        let node = &self.tree.nodes[id];
        !node.breaks && self.column + node.width + closers <= WIDTH
    }

    /// Prints a node that so many closing brackets follow on the same line.
    fn node(&mut self, id: Id, closers: usize) {
        stacker::maybe_grow(STACK_LEFT, STACK_MORE, || match self.tree.nodes[id].kind {
            Kind::List => self.list(id, closers),
            Kind::Prefix => self.prefix(id, closers),
            Kind::Atom | Kind::LineComment | Kind::BlockComment => self.push(self.tree.nodes[id].text),
        });
    }

    fn prefix(&mut self, id: Id, closers: usize) {
        let node = &self.tree.nodes[id];
        let indent = self.column.min(INDENT_MAX) + node.text.len();
        self.push(node.text);
        let mut ends_line = false;
        for (at, item) in node.items.iter().enumerate() {
            let inner = &self.tree.nodes[*item];
            if ends_line || at > 0 && inner.kind == Kind::LineComment && inner.lines_before > 0 {
                self.new_line(indent, 0);
            } else if at > 0 || node.text == "," && inner.text.starts_with('@') {
                self.push(" ");
            }
            let is_last = at + 1 == node.items.len();
            self.node(*item, if is_last { closers } else { 0 });
            ends_line = inner.ends_line;
        }
    }

    fn list(&mut self, id: Id, closers: usize) {
        let node = &self.tree.nodes[id];
        let is_flat = self.fits(id, closers);
        let step = match node.rule {
            Rule::Form(_) | Rule::Flat(_) | Rule::Call | Rule::Clause => INDENT,
            Rule::Data | Rule::Pairs => node.text.len(),
        };
        let indent = self.column.min(INDENT_MAX) + step;
        self.push(node.text);
        let mut ends_line = false;
        for (at, item) in node.items.iter().enumerate() {
            let is_last = at + 1 == node.items.len();
            let closers = if is_last { closers + 1 } else { 0 };
            if ends_line || at > 0 && !is_flat && self.starts_line(id, at, closers) {
                self.new_line(indent, self.tree.nodes[*item].lines_before);
            } else if at > 0 {
                self.push(" ");
            }
            self.node(*item, closers);
            ends_line = self.tree.nodes[*item].ends_line;
        }
        if ends_line {
            self.new_line(indent, 0);
        }
        self.push(node.close);
    }

    /// Does a line begin before this item of a list that is broken?
    fn starts_line(&self, list: Id, at: usize, closers: usize) -> bool {
        let nodes = &self.tree.nodes;
        let list = &nodes[list];
        let item = &nodes[list.items[at]];
        if item.in_header {
            return false;
        }
        if item.lines_before > 0 || item.kind == Kind::LineComment {
            return item.lines_before > 0;
        }
        let is_first = match list.rule {
            Rule::Form(_) => item.kind != Kind::BlockComment,
            Rule::Flat(_) => item.starts_pair,
            _ => false,
        };
        if is_first {
            return true;
        }
        let too_long = !item.breaks && self.column + 1 + item.width + closers > WIDTH;
        // The author had it all on one line, which is too long.
        let spread = !list.breaks
            && match list.rule {
                Rule::Pairs => item.starts_pair,
                Rule::Data | Rule::Clause => true,
                Rule::Flat(_) => false,
                Rule::Call | Rule::Form(_) => at > 1 && !nodes[list.items[at - 1]].text.starts_with(':'),
            };
        too_long || spread
    }
}
