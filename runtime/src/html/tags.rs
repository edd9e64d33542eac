//! The elements of HTML, and of the SVG and MathML that stand in pages: what each may hold. What
//! an attribute holds, by its name.
//!
//! Deliberately absent: elements whose content is never parsed as a tree of its own (`plaintext`,
//! `xmp`, `noembed`, `noframes`).

use std::collections::HashMap;
use std::sync::OnceLock;

/// What an element may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// Text and elements.
    Nodes,
    /// The same; a parser drops a newline that comes first.
    Lines,
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

use Content::{Comment, Doctype, Empty, Fragment, Lines, Nodes, Program, Raw, Void};

/// Names and what elements of these names hold.
const TAGS: &[(Content, &str)] = &[
    (
        Nodes,
        "a abbr address article aside audio b bdi bdo big blockquote body button canvas caption center cite code \
         colgroup data datalist dd del details dfn dialog dir div dl dt em fieldset figcaption figure font footer \
         form h1 h2 h3 h4 h5 h6 head header hgroup html i ins kbd label legend li main map mark marquee menu meter \
         nav nobr noscript object ol optgroup option output p picture progress q rb rp rt rtc ruby s samp search \
         section select slot small span strike strong sub summary sup table tbody td template tfoot th thead time \
         title tr tt u ul var video",
    ),
    (Lines, "listing pre textarea"),
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

fn table() -> &'static HashMap<&'static str, Content> {
    static TABLE: OnceLock<HashMap<&'static str, Content>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let of_row = |(content, names): &'static (Content, &'static str)| {
            names.split_ascii_whitespace().map(|name| (name, *content))
        };
        TAGS.iter().flat_map(of_row).collect()
    })
}

/// The tag that the name of a global spells, whichever library it is a global of. A call of such a
/// global while it is bound to nothing makes an element.
pub fn tag_of(global: &str) -> Option<&str> {
    let name = global.rsplit_once('#').map_or(global, |(_, name)| name);
    table().contains_key(name).then_some(name)
}

/// What the element of that name may hold. A name with a hyphen is an element of the page's own.
pub(super) fn content_of(name: &str) -> Option<Content> {
    table().get(name).copied().or_else(|| is_custom(name).then_some(Nodes))
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
        "allowfullscreen async autofocus autoplay checked controls default defer disabled formnovalidate hidden \
         inert ismap itemscope loop multiple muted nomodule novalidate open playsinline readonly required reversed \
         selected shadowrootclonable shadowrootdelegatesfocus",
    ),
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
    static TABLE: OnceLock<HashMap<&'static str, Kind>> = OnceLock::new();
    let table = TABLE.get_or_init(|| {
        let of_row =
            |(kind, names): &'static (Kind, &'static str)| names.split_ascii_whitespace().map(|name| (name, *kind));
        ATTRIBUTES.iter().flat_map(of_row).collect()
    });
    let plain = if name.bytes().any(|b| b.is_ascii_uppercase()) {
        table.get(&*name.to_ascii_lowercase())
    } else {
        table.get(name)
    };
    match plain {
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
