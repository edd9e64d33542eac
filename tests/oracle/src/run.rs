//! Runs: the library, expanded once; a machine for each program.

use crate::env::{CORE_SOURCES, Env, Kont};
use crate::evaluate::{self, Forms};
use crate::machine::{Machine, State};
use crate::outcome::{Edge, Ending, Outcome, PROGRAM, TestEdge, place_text};
use std::collections::HashMap;
use sx_interp::core::{Core, CoreNode, Lambda};
use sx_interp::expand::{Answer, Expansion, GlobalMacro, Globals, Step, SyntaxError, TopEnv};
use sx_interp::read::Reader;
use sx_runtime::syntax::{Language, Name, Node, Source, Span, Stx, Syntax};

/// The steps a program may take unless someone says otherwise.
const FUEL: u64 = 2_000_000_000;

/// The core library, ready to be run. Not to be shared between threads.
pub struct Oracle {
    library: Library,
    nothing: Core,
}

/// The definitions of the core library. Those of functions do nothing but make a procedure, so a
/// run makes it when it first asks for it.
#[derive(Default)]
pub struct Library {
    functions: HashMap<Name, Core>,
    others: Vec<Core>,
}

impl Library {
    fn add(&mut self, form: Core) {
        match &form.node {
            CoreNode::Define(name, value) if matches!(value.node, CoreNode::Lambda(_)) => {
                let name = name.clone();
                self.functions.insert(name, form);
            }
            _ => self.others.push(form),
        }
    }
    /// The function of that name.
    pub fn function(&self, name: &str) -> Option<&Lambda> {
        match &self.functions.get(name)?.node {
            CoreNode::Define(_, value) => match &value.node {
                CoreNode::Lambda(lambda) => Some(lambda),
                _ => None,
            },
            _ => None,
        }
    }
}

/// Everything is bound and nothing is a macro: how the library sees the globals.
struct FromLibrary;

impl Globals for FromLibrary {
    fn macro_of(&self, _: &str) -> Option<GlobalMacro> {
        None
    }
    fn is_bound(&self, _: &str) -> bool {
        false
    }
}

impl Oracle {
    /// Reads and expands the library.
    pub fn new() -> Result<Oracle, String> {
        let span = Span::none();
        let nothing = Core::new(CoreNode::Const(Syntax::new(Node::Nil, span.clone())), span);
        let mut library = Library::default();
        for (name, text) in library_texts().map_err(|e| format!("lib/core: {e}"))? {
            let source = Source::new(format!("{CORE_SOURCES}{name}"), text);
            for form in read(&source).map_err(|errors| errors[0].to_string())? {
                expand_library_form(form)?
                    .into_iter()
                    .for_each(|form| library.add(form));
            }
        }
        Ok(Oracle { library, nothing })
    }

    /// Runs a program, at most so many steps.
    pub fn run(&self, language: Language, source: &str, edge: &mut dyn Edge, fuel: Option<u64>) -> Outcome {
        let source = Source::in_language(language, PROGRAM, source);
        let forms = match read(&source) {
            Ok(forms) => forms,
            Err(errors) => return unreadable(&errors),
        };
        let kept = Forms::default();
        let mut machine = Machine::new(edge, &kept, &self.library, &self.nothing);
        for form in &self.library.others {
            machine.run(State::Eval(form, Env::default(), Kont(None)), FUEL);
        }
        let start = evaluate::program(&mut machine, forms, &source);
        let ending = machine.run(start, fuel.unwrap_or(FUEL));
        machine.outcome(ending, language)
    }
}

/// The texts of the library that the oracle loads: all but what it has its own idea of.
fn library_texts() -> std::io::Result<Vec<(String, String)>> {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../../lib/core");
    let mut texts = vec![("oracle.sx".to_owned(), include_str!("control.sx").to_owned())];
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.ends_with(".sx") && name != "control.sx" {
            texts.push((name, std::fs::read_to_string(&path)?));
        }
    }
    texts.sort();
    Ok(texts)
}

/// The forms of a text, or everything that is wrong with it.
pub fn read(source: &std::sync::Arc<Source>) -> Result<Vec<Stx>, Vec<SyntaxError>> {
    let mut reader = Reader::new(source.clone());
    let (mut forms, mut errors) = (vec![], vec![]);
    while let Some(next) = reader.next_form() {
        match next {
            Ok(form) => forms.push(form),
            Err(wrong) => errors.extend(wrong),
        }
    }
    if errors.is_empty() { Ok(forms) } else { Err(errors) }
}

fn expand_library_form(form: Stx) -> Result<Vec<Core>, String> {
    let mut todo = vec![Expansion::new(form, &TopEnv::program())];
    let mut done = vec![];
    while let Some(expansion) = todo.pop() {
        match expansion.step(Answer::Go, &FromLibrary) {
            Step::Done(core, _) => done.push(core),
            Step::Pause(next) => todo.push(next),
            Step::Forms(forms) => todo.extend(forms.into_iter().rev()),
            Step::Err(error) => return Err(error.to_string()),
            _ => return Err("the library only defines procedures".to_owned()),
        }
    }
    Ok(done)
}

fn unreadable(errors: &[SyntaxError]) -> Outcome {
    let messages: Vec<&str> = errors.iter().map(|e| e.message.as_str()).collect();
    // A reader names places in full; a program knows only itself.
    let messages = messages.join("\n").replace(&format!("{PROGRAM}:"), "");
    Outcome {
        error: Some(messages),
        places: errors.iter().take(1).map(|e| place_text(&e.span)).collect(),
        ..Outcome::default()
    }
}

impl Machine<'_> {
    fn outcome(mut self, ending: Ending<'_>, language: Language) -> Outcome {
        let mut outcome = Outcome::default();
        match ending {
            Ending::Value(value) => outcome.value = Some(self.print_in(language, value)),
            Ending::Error(message, places) => {
                outcome.error = Some(message);
                outcome.places = places.into_iter().map(place_text).collect();
            }
            Ending::GaveUp => outcome.gave_up = true,
        }
        outcome.output = std::mem::take(&mut self.host.out);
        outcome.error_output = std::mem::take(&mut self.host.err);
        outcome.effects = std::mem::take(&mut self.effects);
        for times in &self.resumes {
            self.counts.resumed[(*times).min(2) as usize] += 1;
        }
        outcome.counts = std::mem::take(&mut self.counts);
        outcome
    }
}

/// Runs a program at the edge of tests, with a library that each thread reads once.
pub fn run(source: &str) -> Result<Outcome, String> {
    thread_local! {
        static ORACLE: Result<Oracle, String> = Oracle::new();
    }
    ORACLE.with(|oracle| match oracle {
        Ok(oracle) => Ok(oracle.run(Language::Sx, source, &mut TestEdge::default(), None)),
        Err(error) => Err(error.clone()),
    })
}
