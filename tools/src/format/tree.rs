//! The text as a tree of brackets, prefixes, atoms and comments, in one vector, so that depth
//! costs no native stack.
//!
//! Invariant: what is inside a node stands behind it in the vector; the root is the first node.

use super::rules::{self, Rule};
use sx_interp::read::{Lexeme, LexemeKind};

/// A node's place in the tree.
pub type Id = usize;

/// The tree of a text.
pub struct Tree<'a> {
    pub nodes: Vec<Node<'a>>,
}

/// A piece of the text and what is inside it.
pub struct Node<'a> {
    pub kind: Kind,
    /// The text of an atom, comment or prefix, the opening bracket of a list.
    pub text: &'a str,
    /// The closing bracket of a list.
    pub close: &'a str,
    pub items: Vec<Id>,
    /// Line ends between it and what stands before it.
    pub lines_before: usize,
    /// Nothing may follow it on its line.
    pub ends_line: bool,
    /// Must it be printed over several lines?
    pub breaks: bool,
    /// Its characters when on one line.
    pub width: usize,
    /// For a list: how it is broken.
    pub rule: Rule,
    /// For an item of a list: does it stay on the first line?
    pub in_header: bool,
    /// For an item of a list of pairs: is it the first of its pair?
    pub starts_pair: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Atom,
    LineComment,
    BlockComment,
    Prefix,
    List,
}

impl<'a> Node<'a> {
    fn new(kind: Kind, text: &'a str, lines_before: usize) -> Node<'a> {
        // Alone on its line a bar is a symbol, before another bar it quotes one.
        let is_bar = kind == Kind::Atom && text.starts_with('|') && !text[1..].contains('|');
        let ends_line = kind == Kind::LineComment || is_bar;
        Node {
            kind,
            text,
            close: "",
            items: Vec::new(),
            lines_before,
            ends_line,
            breaks: ends_line || text.contains('\n'),
            width: text.chars().count(),
            rule: Rule::Call,
            in_header: false,
            starts_pair: false,
        }
    }
}

impl Node<'_> {
    fn is_symbol(&self) -> bool {
        let is_other = |c: char| c.is_ascii_digit() || matches!(c, '"' | '#' | ':');
        self.kind == Kind::Atom && !self.text.starts_with(is_other)
    }
}

impl<'a> Tree<'a> {
    /// The tree of the lexemes of a text that reads.
    pub fn new(text: &'a str, lexemes: &[Lexeme]) -> Tree<'a> {
        let mut tree = Tree {
            nodes: vec![Node::new(Kind::List, "", 0)],
        };
        let mut open: Vec<Id> = vec![0];
        let mut end = 0;
        for lexeme in lexemes {
            let lines_before = text[end..lexeme.start].matches('\n').count();
            end = lexeme.end;
            tree.take(lexeme.kind, &text[lexeme.start..lexeme.end], lines_before, &mut open);
        }
        for id in 1..tree.nodes.len() {
            tree.settle(id);
        }
        for id in (1..tree.nodes.len()).rev() {
            tree.measure(id);
        }
        tree
    }

    fn take(&mut self, kind: LexemeKind, text: &'a str, lines_before: usize, open: &mut Vec<Id>) {
        let innermost = open.last().copied().unwrap_or(0);
        let kind = match kind {
            LexemeKind::Close => {
                self.nodes[innermost].close = text;
                open.pop();
                self.close_prefixes(open);
                return;
            }
            LexemeKind::Open => Kind::List,
            LexemeKind::Prefix => Kind::Prefix,
            LexemeKind::Atom => Kind::Atom,
            LexemeKind::LineComment => Kind::LineComment,
            LexemeKind::BlockComment => Kind::BlockComment,
        };
        let id = self.nodes.len();
        self.nodes
            .push(Node::new(kind, text.trim_end_matches('\r'), lines_before));
        self.nodes[innermost].items.push(id);
        match kind {
            Kind::List | Kind::Prefix => open.push(id),
            Kind::Atom => self.close_prefixes(open),
            Kind::LineComment | Kind::BlockComment => {}
        }
    }

    /// A datum is complete, and with it the prefixes before it.
    fn close_prefixes(&self, open: &mut Vec<Id>) {
        while open.last().is_some_and(|id| self.nodes[*id].kind == Kind::Prefix) {
            open.pop();
        }
    }

    /// What the list is and which of its items its first line holds. A quoted list is data, as is
    /// every list in it.
    fn settle(&mut self, id: Id) {
        let is_quote = self.nodes[id].kind == Kind::Prefix && self.nodes[id].text == "'";
        let is_data = self.nodes[id].rule == Rule::Data;
        if is_quote || is_data {
            for item in self.nodes[id].items.clone() {
                self.nodes[item].rule = Rule::Data;
            }
        }
        if self.nodes[id].kind != Kind::List {
            return;
        }
        let operands: Vec<Id> = self.nodes[id]
            .items
            .iter()
            .copied()
            .filter(|i| self.is_datum(*i))
            .collect();
        self.nodes[id].rule = match self.nodes[id].text {
            "{" => Rule::Pairs,
            "(" | "[" if !is_data => self.rule_of_call(id, &operands),
            _ => Rule::Data,
        };
        let in_header = match self.nodes[id].rule {
            Rule::Form(count) | Rule::Flat(count) => count + 1,
            Rule::Pairs => 0,
            _ => 1,
        };
        let is_form = matches!(self.nodes[id].rule, Rule::Form(_));
        for (at, item) in operands.into_iter().enumerate() {
            self.nodes[item].in_header = at < in_header.max(1);
            self.nodes[item].starts_pair = at >= in_header && (at - in_header) % 2 == 0;
            if is_form && at >= in_header {
                self.nodes[item].rule = Rule::Clause;
            }
        }
    }

    fn is_datum(&self, id: Id) -> bool {
        let node = &self.nodes[id];
        !matches!(node.kind, Kind::LineComment | Kind::BlockComment) && node.text != "#;"
    }

    fn rule_of_call(&self, list: Id, operands: &[Id]) -> Rule {
        let is_symbol = |id: &Id| self.nodes[*id].is_symbol();
        let Some(head) = operands.first().filter(|id| is_symbol(id)) else {
            let is_clause = self.nodes[list].rule == Rule::Clause;
            return if is_clause { Rule::Clause } else { Rule::Data };
        };
        let has_name = operands.get(1).is_some_and(is_symbol);
        let head = self.nodes[*head].text;
        match rules::of_use(head, has_name) {
            Rule::Form(count) if matches!(head, "cond" | "case") && !self.are_clauses(&operands[1..], count) => {
                Rule::Flat(count)
            }
            rule => rule,
        }
    }

    /// As the expander decides it: every one is a list, and all have two elements or none begins
    /// with a symbol.
    fn are_clauses(&self, operands: &[Id], count: usize) -> bool {
        let clauses = operands.get(count..).unwrap_or_default().iter();
        let parts: Vec<Vec<&Node<'_>>> = clauses
            .map(|id| self.nodes[*id].items.iter().filter(|item| self.is_datum(**item)))
            .map(|items| items.map(|item| &self.nodes[*item]).collect())
            .collect();
        let is_telling = |node: &&Node<'_>| !node.is_symbol() || node.text == "else";
        let all = |holds: &dyn Fn(&Vec<&Node<'_>>) -> bool| parts.iter().all(holds);
        all(&|items| items.len() == 2) || all(&|items| items.first().is_some_and(is_telling))
    }

    /// Whether it goes on one line, and how long that is, from what is inside.
    fn measure(&mut self, id: Id) {
        let node = &self.nodes[id];
        let Some(last) = node.items.last() else {
            self.nodes[id].width += node.close.len();
            return;
        };
        let is_list = node.kind == Kind::List;
        let gaps = if is_list { node.items.len() - 1 } else { 0 };
        let width: usize = node.items.iter().map(|item| self.nodes[*item].width).sum();
        let broken = |item: &Id| {
            let item = &self.nodes[*item];
            item.breaks || is_list && item.lines_before > 0 && !item.in_header
        };
        let breaks = node.items.iter().enumerate().any(|(at, item)| {
            let is_first_comment = at == 0 && !self.nodes[*item].breaks;
            broken(item) && !is_first_comment
        });
        let (ends_line, close) = (!is_list && self.nodes[*last].ends_line, node.close.len());
        let node = &mut self.nodes[id];
        node.width += width + gaps + close;
        node.breaks |= breaks;
        node.ends_line |= ends_line;
    }
}
