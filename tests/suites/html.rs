//! Hostile texts in every place a page can hold a text, read back by a real HTML parser.
//!
//! A place is a page with a hole, and where the text has to be in what the parser makes of the
//! page. The page has the elements it was written with and no others, or it was refused; in places
//! that can hold any text it is never refused.

use html5ever::tendril::TendrilSink;
use html5ever::{ParseOpts, parse_document};
use markup5ever_rcdom::{Handle, NodeData, RcDom};
use sx::{Engine, Isolate};
use sx_tests::hostile::texts;

/// A place for a text: its name, the function of the text that makes the page, the outline of the
/// page in which the text stands for `$`, and what may be refused there.
struct Place {
    name: &'static str,
    page: &'static str,
    outline: &'static str,
    refuses: Refuses,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Refuses {
    Nothing,
    /// What is refused is up to the renderer; what is written has to be right.
    Something,
    Everything,
}

use Refuses::{Everything, Nothing, Something};

const PLACES: &[Place] = &[
    place("text", "(p t)", "p[$]", Nothing),
    place(
        "text between elements",
        "(p (i \"a\") t (i \"b\"))",
        "p[i[a]$i[b]]",
        Nothing,
    ),
    place(
        "text in a list",
        "(ul (map (fn (x) (li x)) (list t t)))",
        "ul[li[$]li[$]]",
        Nothing,
    ),
    place(
        "text of a component",
        "(~quote :by t (p t))",
        "blockquote(cite=/?$)[p[$]]",
        Nothing,
    ),
    place(
        "text of a table",
        "(table (tbody (tr (td t))))",
        "table[tbody[tr[td[$]]]]",
        Nothing,
    ),
    place(
        "option",
        "(select (option :value t t))",
        "select[option(value=$)[$]]",
        Nothing,
    ),
    place("button", "(button :name t t)", "button(name=$)[$]", Nothing),
    place("pre", "(pre t)", "pre[$]", Nothing),
    place("textarea", "(textarea t)", "textarea[$]", Nothing),
    place("title", "(svg (title t))", "svg[title[$]]", Nothing),
    place("svg", "(svg (text :x t t))", "svg[text(x=$)[$]]", Nothing),
    place("math", "(math (mtext t))", "math[mtext[$]]", Nothing),
    place(
        "foreign object",
        "(svg (foreignObject (p t)))",
        "svg[foreignObject[p[$]]]",
        Nothing,
    ),
    place("template", "(template (p t))", "template[p[$]]", Nothing),
    place("noscript", "(noscript (p :id t))", "noscript[p(id=$)]", Nothing),
    place("attribute", "(p :title t)", "p(title=$)", Nothing),
    place(
        "second attribute",
        "(p :id \"i\" :class t \"x\")",
        "p(id=i class=$)[x]",
        Nothing,
    ),
    place("data attribute", "(p :data-x t)", "p(data-x=$)", Nothing),
    place("style attribute", "(p :style t)", "p(style=$)", Nothing),
    place("handler attribute", "(p :onclick t)", "p(onclick=$)", Nothing),
    place("void element", "(input :value t)", "input(value=$)", Nothing),
    place("srcdoc", "(iframe :srcdoc t)", "iframe(srcdoc=$)", Nothing),
    place(
        "part of an address",
        "(a :href (str \"/find?q=\" t) \"x\")",
        "a(href=/find?q=$)[x]",
        Nothing,
    ),
    place("address", "(a :href t \"x\")", "a(href=$)[x]", Something),
    place("source", "(img :src t)", "img(src=$)", Something),
    place("action", "(form :action t)", "form(action=$)", Something),
    place("linked", "(svg (a :xlink:href t))", "svg[a(xlink:href=$)]", Something),
    place("comment", "(div (!-- t))", "div[<!>]", Nothing),
    place(
        "JSON",
        "(script :type \"application/json\" (json-encode t))",
        "script(type=application/json)[{}]",
        Nothing,
    ),
    place("raw script", "(script (raw! t))", "script[$]", Something),
    place("raw style", "(style (raw! t))", "style[$]", Something),
    place("script", "(script t)", "", Everything),
    place("style", "(style t)", "", Everything),
    place(
        "attribute name",
        "(list 'p (make-keyword t) \"v\")",
        "p($=v)",
        Something,
    ),
    place("tag", "(list (string->symbol t) \"x\")", "$[x]", Something),
];

const fn place(name: &'static str, page: &'static str, outline: &'static str, refuses: Refuses) -> Place {
    Place {
        name,
        page,
        outline,
        refuses,
    }
}

/// The outline of an element: `name(attribute=value …)[content]`. Comments are `<!>`, the content
/// of a JSON script is decoded and left to the caller as `{}`.
fn outline(node: &Handle, json: &mut Option<String>) -> String {
    let mut out = String::new();
    match &node.data {
        NodeData::Text { contents } => out.push_str(&contents.borrow()),
        NodeData::Comment { .. } => out.push_str("<!>"),
        NodeData::Element {
            name,
            attrs,
            template_contents,
            ..
        } => {
            out.push_str(&name.local);
            let attrs = attrs.borrow();
            if !attrs.is_empty() {
                let shown = attrs.iter().map(|attr| match &attr.name.prefix {
                    Some(prefix) => format!("{prefix}:{}={}", attr.name.local, attr.value),
                    None => format!("{}={}", attr.name.local, attr.value),
                });
                out.push_str(&format!("({})", shown.collect::<Vec<_>>().join(" ")));
            }
            let template = template_contents.borrow();
            let children = template.as_ref().unwrap_or(node).children.borrow();
            let mut content: String = children.iter().map(|child| outline(child, json)).collect();
            if out.contains("application/json") {
                *json = Some(std::mem::replace(&mut content, "{}".into()));
            }
            if !content.is_empty() {
                out.push_str(&format!("[{content}]"));
            }
        }
        _ => {}
    }
    out
}

fn element_named(node: &Handle, wanted: &str) -> Option<Handle> {
    if matches!(&node.data, NodeData::Element { name, .. } if &*name.local == wanted) {
        return Some(node.clone());
    }
    node.children
        .borrow()
        .iter()
        .find_map(|child| element_named(child, wanted))
}

/// The outlines of the title and of what is in the body of a page, and the JSON in it.
fn parse(page: &str) -> (Vec<String>, Option<String>) {
    let mut options = ParseOpts::default();
    options.tree_builder.scripting_enabled = false;
    let dom = parse_document(RcDom::default(), options).one(page);
    let mut json = None;
    let mut outlines = Vec::new();
    outlines.extend(element_named(&dom.document, "title").map(|title| outline(&title, &mut json)));
    if let Some(body) = element_named(&dom.document, "body") {
        outlines.extend(body.children.borrow().iter().map(|child| outline(child, &mut json)));
    }
    (outlines, json)
}

/// How a parser gives a text back: NUL cannot stand in a page.
fn as_read(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// Would a browser run this address, or show it as a document of its own?
fn is_dangerous(url: &str) -> bool {
    let trimmed = url.trim_start_matches(|c: char| c <= ' ');
    let seen: String = trimmed.chars().filter(|c| !"\t\n\r".contains(*c)).collect();
    let seen = seen.to_ascii_lowercase();
    [
        "javascript:",
        "vbscript:",
        "data:text",
        "data:,",
        "data:application",
        "data:;",
    ]
    .iter()
    .any(|scheme| seen.starts_with(scheme))
}

fn pages() -> Result<Isolate, sx::Error> {
    let mut isolate = Engine::new().isolate()?;
    isolate.eval("(defcomp ~quote (&key by &rest children) (blockquote :cite (str \"/?\" by) children))")?;
    let functions: String = PLACES
        .iter()
        .enumerate()
        .map(|(i, place)| {
            format!(
                "(define (place-{i} t) (render-page (html (head (title t)) (body {} (b \"end\")))))\n",
                place.page
            )
        })
        .collect();
    isolate.eval(&functions)?;
    Ok(isolate)
}

/// What is wrong with a text in a place, if anything is.
fn fault(isolate: &mut Isolate, i: usize, place: &Place, text: &str) -> Option<String> {
    // These stand where a tag would and are none.
    if place.name == "tag" && ["<>", "raw!", "!--", "!doctype"].contains(&text) {
        return None;
    }
    let page = match isolate.call::<String>(&format!("place-{i}"), (text,)) {
        Err(_) if place.refuses != Nothing => return None,
        Err(error) => return Some(format!("refused: {}", error.message)),
        Ok(_) if place.refuses == Everything => return Some("not refused".into()),
        Ok(page) => page,
    };
    let (found, json) = parse(&page);
    let hole = match place.name {
        // A parser takes names of attributes in lower case.
        "attribute name" => as_read(text).to_ascii_lowercase(),
        // Markup is written as it is, and lines in it end as a parser ends them.
        "raw script" | "raw style" => as_read(text).replace("\r\n", "\n").replace('\r', "\n"),
        _ => as_read(text),
    };
    // Elements without anything in them have no brackets.
    let outline = if hole.is_empty() {
        place.outline.replace("[$]", "").replace('$', "")
    } else {
        place.outline.replace('$', &hole)
    };
    let title = match &*as_read(text) {
        "" => "title".to_string(),
        text => format!("title[{text}]"),
    };
    let wanted = [title, outline, "b[end]".to_string()];
    if found != wanted {
        return Some(format!("page {page:?}\n   found {found:?}\n  wanted {wanted:?}"));
    }
    if let Some(json) = json {
        let back = isolate.call::<String>("json-decode", (&*json,));
        if back.as_deref().ok() != Some(text) {
            return Some(format!("JSON {json:?} is {back:?}"));
        }
    }
    let is_address = ["address", "source", "action", "linked"].contains(&place.name);
    (is_address && is_dangerous(text)).then(|| format!("page {page:?}"))
}

#[test]
fn hostile_texts_stay_texts_in_every_place() {
    let mut isolate = pages().unwrap_or_else(|error| panic!("{}", error.message));
    let texts = texts();
    assert!(texts.len() >= 200, "{}", texts.len());
    let mut faults = Vec::new();
    for (i, place) in PLACES.iter().enumerate() {
        for text in &texts {
            if let Some(fault) = fault(&mut isolate, i, place, text) {
                faults.push(format!("{}: {text:?}\n  {fault}", place.name));
            }
        }
    }
    let count = faults.len();
    faults.truncate(10);
    assert!(count == 0, "{count} faults\n{}", faults.join("\n"));
}

/// The corpus would be worth nothing if what it asks of a page did not depend on escaping.
#[test]
fn without_escaping_the_corpus_finds_faults() {
    let unescaped = |text: &str| format!("<!DOCTYPE html><p title=\"{text}\">{text}</p><b>end</b>");
    let differs = |text: &String| {
        let (found, _) = parse(&unescaped(text));
        found != [format!("p(title={0})[{0}]", as_read(text)), "b[end]".to_string()]
    };
    let found = texts().iter().filter(|text| differs(text)).count();
    assert!(found >= 100, "{found}");
}
