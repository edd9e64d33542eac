//! The elements of HTML, and of the SVG and MathML that stand in pages: what each may hold. What
//! an attribute holds, by its name.
//!
//! Deliberately absent: elements whose content is never parsed as a tree of its own (`plaintext`,
//! `xmp`, `noembed`, `noframes`).

use super::markup::{Markup, Short};
use std::sync::OnceLock;

/// What an element may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// Text and elements.
    Nodes,
    /// The same; a parser drops a newline that comes first.
    Lines,
    /// Text, in which a parser finds no elements.
    Text,
    /// The same; a parser drops a newline that comes first.
    TextLines,
    /// Nothing, and there is no end tag.
    Void,
    /// Nothing.
    Empty,
    /// A program in another language, to which no escape applies.
    Program,
    /// Not an element: its items.
    Fragment,
    /// Not an element: markup as it is.
    Raw,
    /// Not an element: a comment.
    Comment,
    /// Not an element: the document type.
    Doctype,
}

use Content::{Comment, Doctype, Empty, Fragment, Lines, Nodes, Program, Raw, Text, TextLines, Void};

/// Names and what elements of these names hold.
const TAGS: &[(Content, &str)] = &[
    (
        Nodes,
        "a abbr address article aside audio b bdi bdo big blockquote body button canvas caption center cite code \
         colgroup data datalist dd del details dfn dialog dir div dl dt em fieldset figcaption figure font footer \
         form h1 h2 h3 h4 h5 h6 head header hgroup html i ins kbd label legend li main map mark marquee menu meter \
         nav nobr noscript object ol optgroup option output p picture progress q rb rp rt rtc ruby s samp search \
         section select slot small span strike strong sub summary sup table tbody td template tfoot th thead time \
         tr tt u ul var video",
    ),
    (Lines, "listing pre"),
    (Text, "title"),
    (TextLines, "textarea"),
    (
        Void,
        "area base basefont bgsound br col embed hr img input keygen link meta param source track wbr",
    ),
    (Empty, "iframe"),
    (Program, "script style"),
    (
        Nodes,
        "svg animate animateMotion animateTransform circle clipPath defs desc ellipse feBlend feColorMatrix \
         feComponentTransfer feComposite feConvolveMatrix feDiffuseLighting feDisplacementMap feDistantLight \
         feDropShadow feFlood feFuncA feFuncB feFuncG feFuncR feGaussianBlur feImage feMerge feMergeNode \
         feMorphology feOffset fePointLight feSpecularLighting feSpotLight feTile feTurbulence filter foreignObject \
         g image line linearGradient marker mask metadata mpath path pattern polygon polyline radialGradient rect \
         set stop switch symbol text textPath tspan use view",
    ),
    (
        Nodes,
        "math annotation annotation-xml maction merror mfrac mi mmultiscripts mn mo mover mpadded mphantom \
         mprescripts mroot mrow ms mspace msqrt mstyle msub msubsup msup mtable mtd mtext mtr munder munderover \
         semantics",
    ),
    (Fragment, "<>"),
    (Raw, "raw!"),
    (Comment, "!--"),
    (Doctype, "!doctype"),
];

/// An element: what it may hold, and how its tags begin and end.
pub(super) struct Tag {
    pub(super) content: Content,
    /// `<p`; made of the name when it is written if there is none.
    start: Option<Short<24>>,
    /// `</p>`, alike.
    end: Option<Short<24>>,
}

/// Any element of a page's own.
static CUSTOM: Tag = Tag {
    content: Nodes,
    start: None,
    end: None,
};

fn table() -> &'static Names<Tag> {
    static TABLE: OnceLock<Names<Tag>> = OnceLock::new();
    TABLE.get_or_init(|| Names::of(TAGS, |content, name| Tag::new(name, content)))
}

impl Tag {
    fn new(name: &str, content: Content) -> Tag {
        Tag {
            content,
            start: Short::of(&format!("<{name}")),
            end: Short::of(&format!("</{name}>")),
        }
    }
    /// The element of that name. A name with a hyphen is an element of the page's own.
    pub(super) fn find(name: &str) -> Option<&'static Tag> {
        table().get(name).or_else(|| is_custom(name).then_some(&CUSTOM))
    }
    /// Writes how its start tag begins.
    pub(super) fn push_start(&self, out: &mut Markup, name: &str) {
        match &self.start {
            Some(start) => out.push_short(start),
            None => {
                out.push('<');
                out.push_str(name);
            }
        }
    }
    /// Writes its end tag.
    pub(super) fn push_end(&self, out: &mut Markup, name: &str) {
        match &self.end {
            Some(end) => out.push_short(end),
            None => {
                out.push_str("</");
                out.push_str(name);
                out.push('>');
            }
        }
    }
}

/// Rows by name. Most walks of a page are lookups here, so a name is hashed by its length and two
/// of its bytes.
struct Names<T> {
    rows: Vec<(&'static str, T)>,
    /// Row numbers from 1 by hash, 0 where there is none; the next place is tried on a collision.
    places: Vec<u16>,
}

impl<T> Names<T> {
    const PLACES: usize = 2048;

    fn of<K: Copy>(table: &'static [(K, &'static str)], make: impl Fn(K, &'static str) -> T) -> Names<T> {
        let mut names = Names {
            rows: Vec::new(),
            places: vec![0; Self::PLACES],
        };
        for (kind, of_kind) in table {
            for name in of_kind.split_ascii_whitespace() {
                let place = names.place(name);
                names.rows.push((name, make(*kind, name)));
                names.places[place] = names.rows.len() as u16;
            }
        }
        names
    }

    /// Where the name is, or could be.
    fn place(&self, name: &str) -> usize {
        let bytes = name.as_bytes();
        let at = |i: usize| usize::from(bytes.get(i).copied().unwrap_or(0));
        let last = at(bytes.len().wrapping_sub(1));
        let mut place = (at(0) * 31 + at(1) * 7 + last * 131 + bytes.len() * 257) % Self::PLACES;
        while self.places[place] != 0 && self.rows[usize::from(self.places[place]) - 1].0 != name {
            place = (place + 1) % Self::PLACES;
        }
        place
    }

    fn get(&self, name: &str) -> Option<&T> {
        let row = usize::from(self.places[self.place(name)]).checked_sub(1)?;
        Some(&self.rows[row].1)
    }
}

/// The tag that the name of a global spells, whichever library it is a global of. A call of such a
/// global while it is bound to nothing makes an element.
pub fn tag_of(global: &str) -> Option<&str> {
    let name = global.rsplit_once('#').map_or(global, |(_, name)| name);
    table().get(name).map(|_| name)
}

/// Can a page define an element of that name?
fn is_custom(name: &str) -> bool {
    name.contains('-')
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b))
}

/// What an attribute holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text.
    Text,
    /// Its presence says everything.
    Boolean,
    /// The same, unless it is `until-found`.
    Hidden,
    /// `true` or `false`, in words.
    Enumerated,
    /// An address.
    Url,
    /// Addresses with something after each, between commas or semicolons.
    Urls,
}

const ATTRIBUTES: &[(Kind, &str)] = &[
    (
        Kind::Boolean,
        "allowfullscreen async autofocus autoplay checked controls default defer disabled formnovalidate \
         inert ismap itemscope loop multiple muted nomodule novalidate open playsinline readonly required reversed \
         selected shadowrootclonable shadowrootdelegatesfocus",
    ),
    (Kind::Hidden, "hidden"),
    (Kind::Enumerated, "contenteditable draggable spellcheck"),
    (
        Kind::Url,
        "action background cite classid codebase data dynsrc formaction href icon longdesc lowsrc manifest ping \
         poster profile src usemap xlink:href xml:base",
    ),
    (Kind::Urls, "archive by from imagesrcset srcset to values"),
];

/// What the attribute of that name holds. Names of attributes have no case.
pub(super) fn kind_of(name: &str) -> Kind {
    static TABLE: OnceLock<Names<Kind>> = OnceLock::new();
    let table = TABLE.get_or_init(|| Names::of(ATTRIBUTES, |kind, _| kind));
    let known = if name.bytes().any(|b| b.is_ascii_uppercase()) {
        table.get(&name.to_ascii_lowercase())
    } else {
        table.get(name)
    };
    match known {
        Some(kind) => *kind,
        None if name.starts_with("aria-") => Kind::Enumerated,
        None => Kind::Text,
    }
}

/// May an address in that element be an image as data?
pub(super) fn shows_images(tag: &str) -> bool {
    ["img", "source", "link", "input", "video", "image", "feImage"].contains(&tag)
}

/// Can that be the name of an attribute?
pub(super) fn is_attribute_name(name: &str) -> bool {
    let first = |b: &u8| b.is_ascii_alphabetic() || b"_:@".contains(b);
    let later = |b: &u8| first(b) || b.is_ascii_digit() || b"-.".contains(b);
    name.as_bytes()
        .split_first()
        .is_some_and(|(b, rest)| first(b) && rest.iter().all(later))
}
