//! Programs as trees that can be built from templates, printed and cut down.

use std::fmt;

/// A form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sexp {
    /// A token, as written.
    Atom(String),
    /// `(…)`
    List(Vec<Sexp>),
    /// `{…}`
    Dict(Vec<Sexp>),
    /// A prefix such as `'` and what it stands before.
    Prefix(&'static str, Box<Sexp>),
}

impl Sexp {
    /// Calls `f` with each token.
    pub fn atoms(&self, f: &mut impl FnMut(&str)) {
        match self {
            Sexp::Atom(text) => f(text),
            Sexp::List(items) | Sexp::Dict(items) => items.iter().for_each(|item| item.atoms(f)),
            Sexp::Prefix(_, inner) => inner.atoms(f),
        }
    }
    /// The name that a `define` form defines.
    pub fn defined(&self) -> Option<&str> {
        let Sexp::List(items) = self else { return None };
        match items.get(1)? {
            Sexp::Atom(name) => Some(name),
            Sexp::List(head) => match head.first()? {
                Sexp::Atom(name) => Some(name),
                _ => None,
            },
            _ => None,
        }
    }
}

/// A token.
pub fn atom(text: impl Into<String>) -> Sexp {
    Sexp::Atom(text.into())
}

/// The form a template shows, `$0` to `$9` standing for the parts.
pub fn form(template: &str, parts: &[Sexp]) -> Sexp {
    let mut forms = parse(template);
    assert_eq!(forms.len(), 1, "a template is one form: {template}");
    let mut whole = forms.swap_remove(0);
    fill(&mut whole, parts);
    whole
}

fn fill(sexp: &mut Sexp, parts: &[Sexp]) {
    match sexp {
        Sexp::Atom(text) => {
            if let Some(number) = text.strip_prefix('$').and_then(|n| n.parse::<usize>().ok()) {
                *sexp = parts[number].clone();
            }
        }
        Sexp::List(items) | Sexp::Dict(items) => items.iter_mut().for_each(|item| fill(item, parts)),
        Sexp::Prefix(_, inner) => fill(inner, parts),
    }
}

/// Reads forms; for templates and for programs this crate has printed.
pub fn parse(text: &str) -> Vec<Sexp> {
    let mut open: Vec<(char, Vec<Sexp>)> = vec![('\0', vec![])];
    let mut prefixes: Vec<(usize, &'static str)> = vec![];
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let Some(c) = rest.chars().next() else { break };
        let (token, tail) = rest.split_at(token_len(rest));
        rest = tail;
        match c {
            '(' | '{' => {
                open.push((c, vec![]));
                continue;
            }
            '\'' | '`' | ',' => {
                prefixes.push((
                    open.len(),
                    ["'", "`", ",", ",@"].into_iter().find(|p| *p == token).unwrap_or("'"),
                ));
                continue;
            }
            ';' => continue,
            _ => {}
        }
        let mut done = match c {
            ')' | '}' => match open.pop() {
                Some(('(', items)) => Sexp::List(items),
                Some((_, items)) => Sexp::Dict(items),
                None => break,
            },
            _ => atom(token),
        };
        while let Some((depth, prefix)) = prefixes.last().copied()
            && depth == open.len()
        {
            prefixes.pop();
            done = Sexp::Prefix(prefix, Box::new(done));
        }
        match open.last_mut() {
            Some((_, items)) => items.push(done),
            None => break,
        }
    }
    open.swap_remove(0).1
}

fn token_len(text: &str) -> usize {
    let first = text.chars().next().unwrap_or(' ');
    match first {
        '(' | ')' | '{' | '}' | '\'' | '`' => 1,
        ',' => 1 + usize::from(text[1..].starts_with('@')),
        ';' => text.find('\n').unwrap_or(text.len()),
        '"' => {
            let mut escaped = false;
            let end = text[1..].char_indices().find(|(_, c)| {
                let ends = *c == '"' && !escaped;
                escaped = *c == '\\' && !escaped;
                ends
            });
            end.map_or(text.len(), |(i, _)| i + 2)
        }
        '#' if text.starts_with("#\\") => {
            let after = text[2..].chars().next().map_or(0, char::len_utf8);
            2 + after + text[2 + after..].find(ends_token).unwrap_or(text.len() - 2 - after)
        }
        _ => text.find(ends_token).unwrap_or(text.len()),
    }
}

fn ends_token(c: char) -> bool {
    c.is_whitespace() || "(){}';\"`,".contains(c)
}

impl fmt::Display for Sexp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (open, items, close) = match self {
            Sexp::Atom(text) => return f.write_str(text),
            Sexp::Prefix(prefix, inner) => return write!(f, "{prefix}{inner}"),
            Sexp::List(items) => ('(', items, ')'),
            Sexp::Dict(items) => ('{', items, '}'),
        };
        write!(f, "{open}")?;
        for (i, item) in items.iter().enumerate() {
            if i > 0 {
                f.write_str(" ")?;
            }
            write!(f, "{item}")?;
        }
        write!(f, "{close}")
    }
}

/// A program as text, a form a line.
pub fn show(forms: &[Sexp]) -> String {
    forms.iter().map(|form| format!("{form}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_round_trip() {
        let text = "(a \"x \\\" )\" #\\( {:k 'v} `(b ,c ,@d))\n'(1 2)\n";
        assert_eq!(show(&parse(text)), text);
        let filled = form("(let (($0 $1)) $0)", &[atom("x"), parse("(f 1)").swap_remove(0)]);
        assert_eq!(filled.to_string(), "(let ((x (f 1))) x)");
    }
}
