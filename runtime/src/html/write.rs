//! The walk over a tree that writes it.

use super::escape::{leaves_program, push_attribute, push_comment, push_json, push_text, refused_scheme};
use super::known::Known;
use super::markup::{Markup, Short};
use super::tags::{Content, Kind, Tag, is_attribute_name, kind_of, shows_images};
use crate::error::{Code, Raise};
use crate::heap::Heap;
use crate::list::{Items, ListError};
use crate::object::Type;
use crate::print::Style;
use crate::value::{Value, Word};
use std::cell::Cell;
use std::collections::HashSet;
use std::slice;

/// What becomes of a tree.
#[derive(Debug)]
pub enum Rendered<'h> {
    /// Its markup.
    Html(String),
    /// The calls of components in it that there is no markup for yet, in order.
    Calls(Vec<Value<'h>>),
}

/// Writes a tree. `parts` is the list of the markup of the calls in it; `out` an empty text.
pub fn render<'h>(heap: &'h Heap, tree: Value<'h>, parts: Value<'h>, out: String) -> Result<Rendered<'h>, Raise> {
    let mut writer = Writer {
        heap,
        out: Markup::in_place_of(out),
        open: Vec::new(),
        names: Vec::new(),
        tags: Known::default(),
        attributes: Known::default(),
        scratch: String::new(),
        texts: None,
        dropped: usize::MAX,
        parts: parts.items(),
        calls: Vec::new(),
    };
    writer.node(tree)?;
    while let Some(open) = writer.open.last_mut() {
        match open.next() {
            Some(node) => writer.node(node)?,
            None => writer.close(),
        }
        writer.check_limit()?;
    }
    Ok(if writer.calls.is_empty() {
        Rendered::Html(writer.out.into_string())
    } else {
        Rendered::Calls(writer.calls)
    })
}

struct Writer<'h> {
    heap: &'h Heap,
    out: Markup,
    /// What has begun and not ended, outermost first.
    open: Vec<Open<'h>>,
    /// The attributes of the element that is being begun.
    names: Vec<&'h str>,
    /// What symbols and keywords met before mean.
    tags: Known<'h, Option<&'static Tag>>,
    attributes: Known<'h, Attribute>,
    scratch: String,
    /// The element of texts that the walk is in.
    texts: Option<Texts<'h>>,
    /// A newline that is written here is dropped by a parser.
    dropped: usize,
    parts: Items<'h>,
    calls: Vec<Value<'h>>,
}

/// Something with items that are being written.
struct Open<'h> {
    value: Value<'h>,
    items: Nodes<'h>,
    /// Are there attributes among the items?
    skips: bool,
    /// The element to end, if it is one, and its name.
    tag: Option<(&'static Tag, &'h str)>,
}

/// Items still to come. Nothing is written to the heap while a tree is.
#[derive(Clone)]
enum Nodes<'h> {
    Row(slice::Iter<'h, Cell<Value<'h>>>),
    Chain(Items<'h>),
}

impl<'h> Nodes<'h> {
    fn of(list: Value<'h>) -> Nodes<'h> {
        match list.as_view() {
            Some(view) => Nodes::Row(view.elements().iter()),
            None => Nodes::Chain(list.items()),
        }
    }

    /// The one that comes next.
    #[inline(always)]
    fn peek(&self) -> Option<Value<'h>> {
        match self {
            Nodes::Row(row) => row.as_slice().first().map(Cell::get),
            Nodes::Chain(items) => items.clone().next(),
        }
    }
}

impl<'h> Iterator for Nodes<'h> {
    type Item = Value<'h>;
    #[inline(always)]
    fn next(&mut self) -> Option<Value<'h>> {
        match self {
            Nodes::Row(row) => row.next().map(Cell::get),
            Nodes::Chain(items) => items.next(),
        }
    }
}

impl<'h> Open<'h> {
    #[inline]
    fn next(&mut self) -> Option<Value<'h>> {
        loop {
            let item = self.items.next()?;
            if !self.skips || item.as_keyword().is_none() {
                return Some(item);
            }
            self.items.next();
        }
    }
}

/// What the name of an attribute says.
#[derive(Clone, Copy)]
struct Attribute {
    kind: Kind,
    /// Can an attribute have that name?
    is_name: bool,
    /// ` href="`, if that is short.
    start: Option<Short<24>>,
}

impl Attribute {
    fn of(name: &str) -> Attribute {
        Attribute {
            kind: kind_of(name),
            is_name: is_attribute_name(name),
            start: Short::of(&format!(" {name}=\"")),
        }
    }
}

/// An element that holds texts and no elements.
#[derive(Clone, Copy)]
struct Texts<'h> {
    tag: &'h str,
    kind: TextKind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum TextKind {
    /// Escaped as everywhere.
    Plain,
    Json,
    /// Another program, which only `raw!` can write.
    Program,
}

/// What the head of an element says besides its attributes.
#[derive(Default)]
struct Head {
    has_content: bool,
    /// Does an attribute follow content?
    is_scattered: bool,
    json: bool,
}

/// Nesting is searched for a tree that contains itself each time it has doubled from here on.
const DEEP: usize = 1024;

impl<'h> Writer<'h> {
    fn begin(
        &mut self,
        value: Value<'h>,
        items: Nodes<'h>,
        skips: bool,
        tag: Option<(&'static Tag, &'h str)>,
    ) -> Result<(), Raise> {
        self.open.push(Open {
            value,
            items,
            skips,
            tag,
        });
        let depth = self.open.len();
        if depth >= DEEP && depth.is_power_of_two() {
            self.check_acyclic()?;
        }
        Ok(())
    }

    fn check_limit(&self) -> Result<(), Raise> {
        match self.out.len() > self.heap.limit() {
            true => Err(Raise::Memory),
            false => Ok(()),
        }
    }

    #[cold]
    fn check_acyclic(&self) -> Result<(), Raise> {
        let mut seen = HashSet::new();
        match self.open.iter().all(|open| seen.insert(open.value.word())) {
            true => Ok(()),
            false => Err(self.wrong(Code::Value, "the tree contains itself")),
        }
    }

    fn close(&mut self) {
        if let Some(Open {
            tag: Some((tag, name)), ..
        }) = self.open.pop()
        {
            tag.push_end(&mut self.out, name);
            self.texts = None;
        }
    }

    fn node(&mut self, node: Value<'h>) -> Result<(), Raise> {
        if let Some(text) = node.as_str() {
            return self.text(text);
        }
        if node.is_list() {
            return self.list(node);
        }
        if let Some(vector) = node.as_vector() {
            return self.begin(node, Nodes::Row(vector.elements().iter()), false, None);
        }
        if node == Value::NIL {
            return Ok(());
        }
        let mut scratch = std::mem::take(&mut self.scratch);
        let done = match self.plain(node, &mut scratch) {
            Some(text) => self.text(text),
            None => Err(self.no_content(node)),
        };
        self.scratch = scratch;
        done
    }

    /// The text of a value that is nothing but text.
    fn plain<'a>(&self, value: Value<'a>, scratch: &'a mut String) -> Option<&'a str> {
        if let Some(text) = value.as_name() {
            return Some(text);
        }
        let is_plain = value.is_number() || value.word().is_char() || matches!(value.word(), Word::TRUE | Word::FALSE);
        scratch.clear();
        let shown = is_plain && self.heap.print_to(scratch, value, Style::Display, usize::MAX).is_ok();
        shown.then_some(&**scratch)
    }

    fn text(&mut self, text: &str) -> Result<(), Raise> {
        match self.texts {
            None
            | Some(Texts {
                kind: TextKind::Plain, ..
            }) => {
                if self.dropped == self.out.len() && text.starts_with('\n') {
                    self.out.push('\n');
                }
                push_text(&mut self.out, text);
                Ok(())
            }
            Some(Texts {
                kind: TextKind::Json, ..
            }) => {
                push_json(&mut self.out, text);
                Ok(())
            }
            Some(Texts { tag, .. }) => {
                let what = format!("text in {tag} is not escaped; write (raw! \"…\")");
                Err(self.wrong(Code::Value, &what))
            }
        }
    }

    fn list(&mut self, list: Value<'h>) -> Result<(), Raise> {
        if let Err(error) = list.list_len() {
            let what = match error {
                ListError::Circular => "a list without an end",
                _ => "a list that does not end in ()",
            };
            return Err(self.wrong(Code::Value, what));
        }
        let mut items = Nodes::of(list);
        let Some(head) = items.next() else { return Ok(()) };
        if let Some(name) = head.as_symbol() {
            return match name.len() > 1 && name.starts_with('~') {
                true => self.call(list),
                false => self.element(list, head, name, items),
            };
        }
        if head.is(Type::Component) || head.is(Type::Island) {
            return self.call(list);
        }
        self.begin(list, Nodes::of(list), false, None)
    }

    /// The call of a component: its markup if that is there, else it is noted.
    #[inline(never)]
    fn call(&mut self, call: Value<'h>) -> Result<(), Raise> {
        match self.parts.next().map(|part| part.as_str().unwrap_or_default()) {
            // Its texts are escaped, so this begins an element.
            Some(part) if part.contains('<') && self.texts.is_some_and(|texts| texts.kind == TextKind::Plain) => {
                Err(self.holds_no_elements("a component"))
            }
            Some(part) => self.raw(part),
            None => {
                self.calls.push(call);
                Ok(())
            }
        }
    }

    fn raw(&mut self, markup: &str) -> Result<(), Raise> {
        if let Some(Texts { tag, kind }) = self.texts
            && kind != TextKind::Plain
            && leaves_program(markup, tag)
        {
            let what = format!("the text of {tag} may hold neither </{tag} nor <!--");
            return Err(self.wrong(Code::Value, &what));
        }
        if self.dropped == self.out.len() && markup.starts_with('\n') {
            self.out.push('\n');
        }
        self.out.push_str(markup);
        Ok(())
    }

    fn element(&mut self, list: Value<'h>, head: Value<'h>, name: &'h str, mut items: Nodes<'h>) -> Result<(), Raise> {
        let Some(tag) = self.tags.get(head, || Tag::find(name)) else {
            return Err(self.wrong(Code::Value, &format!("unknown tag {name}")));
        };
        let content = tag.content;
        match content {
            Content::Fragment => return self.begin(list, items, false, None),
            Content::Raw => return self.raw_items(items),
            Content::Comment => return self.comment(items),
            _ => {}
        }
        if self.texts.is_some() {
            return Err(self.holds_no_elements(name));
        }
        if content == Content::Doctype {
            self.out.push_str("<!DOCTYPE html>");
            return Ok(());
        }
        tag.push_start(&mut self.out, name);
        let head = self.attributes(name, &mut items)?;
        match content {
            Content::Void | Content::Empty if head.has_content => {
                Err(self.wrong(Code::Value, &format!("{name} has no content")))
            }
            Content::Void => Ok(()),
            Content::Empty => {
                tag.push_end(&mut self.out, name);
                Ok(())
            }
            _ => {
                let kind = match content {
                    Content::Text | Content::TextLines => Some(TextKind::Plain),
                    Content::Program if head.json => Some(TextKind::Json),
                    Content::Program => Some(TextKind::Program),
                    _ => None,
                };
                if matches!(content, Content::Lines | Content::TextLines) {
                    self.dropped = self.out.len();
                }
                // Most elements hold a text or two and nothing else.
                if !head.is_scattered && content != Content::Program {
                    while let Some(text) = items.peek().and_then(Value::as_str) {
                        items.next();
                        self.text(text)?;
                        self.check_limit()?;
                    }
                    if items.peek().is_none() {
                        tag.push_end(&mut self.out, name);
                        return Ok(());
                    }
                }
                self.texts = kind.map(|kind| Texts { tag: name, kind });
                self.begin(list, items, head.is_scattered, Some((tag, name)))
            }
        }
    }

    /// Writes the attributes of an element and the end of its start tag. Leaves `items` at the
    /// first that is content.
    fn attributes(&mut self, tag: &'h str, items: &mut Nodes<'h>) -> Result<Head, Raise> {
        let mut head = Head::default();
        self.names.clear();
        let mut ahead = items.clone();
        while let Some(item) = ahead.next() {
            let Some(name) = item.as_keyword() else {
                head.has_content |= item != Value::NIL;
                continue;
            };
            let value = ahead.next().unwrap_or(Value::immediate(Word::TRUE));
            if self.names.iter().any(|other| other.eq_ignore_ascii_case(name)) {
                return Err(self.wrong(Code::Value, &format!("attribute {name} of {tag} twice")));
            }
            self.names.push(name);
            head.json |= name == "type" && value.as_str().is_some_and(is_json);
            let attribute = self.attributes.get(item, || Attribute::of(name));
            self.attribute(tag, name, attribute, value)?;
            match head.has_content {
                true => head.is_scattered = true,
                false => *items = ahead.clone(),
            }
        }
        self.out.push('>');
        Ok(head)
    }

    fn attribute(&mut self, tag: &str, name: &str, attribute: Attribute, value: Value<'h>) -> Result<(), Raise> {
        let Attribute { kind, is_name, start } = attribute;
        let is_bool = matches!(value.word(), Word::TRUE | Word::FALSE);
        if value == Value::NIL || value.word() == Word::FALSE && kind != Kind::Enumerated {
            return Ok(());
        }
        if !is_name {
            return Err(self.wrong(Code::Value, &format!("no attribute of {tag} can be called {name:?}")));
        }
        let is_bare = match kind {
            Kind::Boolean => true,
            Kind::Hidden => !value
                .as_str()
                .is_some_and(|text| text.eq_ignore_ascii_case("until-found")),
            Kind::Enumerated => false,
            _ => is_bool,
        };
        match start {
            Some(start) if !is_bare => self.out.push_short(&start),
            _ => {
                self.out.push(' ');
                self.out.push_str(name);
                if is_bare {
                    return Ok(());
                }
                self.out.push_str("=\"");
            }
        }
        let mut scratch = std::mem::take(&mut self.scratch);
        let done = match self.attribute_text(value, &mut scratch) {
            Some(text) => self.attribute_value(tag, name, kind, text),
            None => Err(self.wrong(
                Code::Type,
                &format!("attribute {name} of {tag}: expected text, got {}", value.type_name()),
            )),
        };
        self.scratch = scratch;
        self.out.push('"');
        done
    }

    /// The text of an attribute's value.
    fn attribute_text<'a>(&self, value: Value<'a>, scratch: &'a mut String) -> Option<&'a str> {
        match value.is_list() {
            true => self.joined(value, scratch),
            false => self.plain(value, scratch),
        }
    }

    /// The texts in a list with spaces between.
    #[inline(never)]
    fn joined<'a>(&self, value: Value<'a>, scratch: &'a mut String) -> Option<&'a str> {
        let (mut joined, mut text) = (String::new(), String::new());
        if value.first().is_some_and(is_markup) {
            return None;
        }
        for item in value.list_to_vec().ok()? {
            if matches!(item.word(), Word::NIL | Word::FALSE) {
                continue;
            }
            if !joined.is_empty() {
                joined.push(' ');
            }
            joined.push_str(self.plain(item, &mut text)?);
        }
        *scratch = joined;
        Some(scratch)
    }

    fn attribute_value(&mut self, tag: &str, name: &str, kind: Kind, text: &str) -> Result<(), Raise> {
        let refused = |url| refused_scheme(url, || shows_images(tag));
        let refused = match kind {
            Kind::Url => refused(text),
            Kind::Urls => text.split([',', ';']).find_map(refused),
            Kind::Text if tag == "meta" && name.eq_ignore_ascii_case("content") => refreshed(text).and_then(refused),
            _ => None,
        };
        if let Some(scheme) = refused {
            return Err(self.wrong(Code::Value, &format!("attribute {name} of {tag}: {scheme}: is refused")));
        }
        push_attribute(&mut self.out, text);
        Ok(())
    }

    #[inline(never)]
    fn raw_items(&mut self, items: Nodes<'h>) -> Result<(), Raise> {
        for item in items {
            match item.as_str() {
                Some(markup) => self.raw(markup)?,
                None if item == Value::NIL => {}
                None => {
                    let what = format!("raw! expected a string, got {}", item.type_name());
                    return Err(self.wrong(Code::Type, &what));
                }
            }
        }
        Ok(())
    }

    #[inline(never)]
    fn comment(&mut self, items: Nodes<'h>) -> Result<(), Raise> {
        if let Some(Texts { tag, .. }) = self.texts {
            return Err(self.wrong(Code::Value, &format!("a comment inside {tag}")));
        }
        let (mut all, mut scratch) = (String::new(), String::new());
        for item in items {
            match self.plain(item, &mut scratch) {
                Some(text) => all.push_str(text),
                None => return Err(self.no_content(item)),
            }
        }
        push_comment(&mut self.out, &all);
        Ok(())
    }

    #[cold]
    fn holds_no_elements(&self, what: &str) -> Raise {
        let tag = self.texts.map_or("", |texts| texts.tag);
        self.wrong(Code::Value, &format!("{what} inside {tag}, which holds no elements"))
    }

    #[cold]
    fn no_content(&self, node: Value<'_>) -> Raise {
        self.wrong(Code::Type, &format!("no HTML for {}", node.type_name()))
    }

    /// The error of what is wrong where the walk is.
    #[cold]
    fn wrong(&self, code: Code, what: &str) -> Raise {
        const SHOWN: usize = 8;
        let tags: Vec<&str> = self
            .open
            .iter()
            .filter_map(|open| open.tag)
            .map(|(_, name)| name)
            .collect();
        let place = match tags.len().checked_sub(SHOWN) {
            _ if tags.is_empty() => String::new(),
            None | Some(0) => format!(" (in {})", tags.join(" > ")),
            Some(left) => format!(" (in … > {})", tags[left..].join(" > ")),
        };
        Raise::new(code, format!("render-to-html: {what}{place}"))
    }
}

/// Is it the head of something that is markup and no element?
fn is_markup(head: Value<'_>) -> bool {
    let tag = head.as_symbol().and_then(Tag::find);
    tag.is_some_and(|tag| matches!(tag.content, Content::Raw | Content::Fragment | Content::Comment))
}

/// The address in the `content` of a `meta` element that refreshes the page: `5; url=…`.
fn refreshed(content: &str) -> Option<&str> {
    let time = content.trim_start();
    let rest = time.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    if rest.len() == time.len() {
        return None;
    }
    let rest = rest.trim_start().trim_start_matches([';', ',']).trim_start();
    let url = match rest.split_at_checked(3) {
        Some((word, value)) if word.eq_ignore_ascii_case("url") => {
            value.trim_start().strip_prefix('=').unwrap_or(value).trim_start()
        }
        _ => rest,
    };
    Some(url.trim_start_matches(['"', '\'']))
}

/// Is that the type of a script element that holds JSON?
fn is_json(kind: &str) -> bool {
    let kind = kind.trim().to_ascii_lowercase();
    kind == "application/json" || kind.ends_with("+json") || kind == "importmap" || kind == "speculationrules"
}
