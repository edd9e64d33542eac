//! The line editor of the REPL: history in a file, input that goes on until its brackets close,
//! completion of names with their documentation.
//!
//! Deliberately absent: what an input means; that is `repl.rs`.

use super::commands::COMMANDS;
use super::{Next, Repl, wants_more};
use crate::run::complain;
use crate::{FAILED, SUCCESS, print};
use reedline::{
    Completer, CompletionResult, DescriptionMode, EditCommand, Emacs, FileBackedHistory, IdeMenu, KeyCode,
    KeyModifiers, MenuBuilder, Prompt, PromptEditMode, PromptHistorySearch, PromptHistorySearchStatus, Reedline,
    ReedlineEvent, ReedlineMenu, Signal, Span, Suggestion, ValidationResult, Validator, default_emacs_keybindings,
};
use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

const MENU: &str = "completion";
const HISTORY_LINES: usize = 10_000;
/// Longest line of documentation shown beside a completion.
const DOC_CHARS: usize = 200;

/// Names with the first line of their documentation, shared with the completer.
type Names = Arc<Mutex<Vec<(String, Option<String>)>>>;

/// Runs the loop on a terminal.
pub fn edit(repl: &mut Repl) -> u8 {
    print::text(&format!(
        "sx {}  `,help` lists commands, Ctrl-D leaves\n",
        crate::args::VERSION
    ));
    let names = Names::default();
    let mut editor = editor(Arc::clone(&names));
    loop {
        refresh(&names, repl);
        match editor.read_line(&Arrow) {
            Ok(Signal::Success(text)) => {
                if repl.input(&text) == Next::Quit {
                    return SUCCESS;
                }
            }
            Ok(Signal::CtrlD) => return SUCCESS,
            // Ctrl-C at the prompt drops the line.
            Ok(_) => {}
            Err(error) => return complain(&format!("terminal: {error}"), FAILED),
        }
    }
}

fn editor(names: Names) -> Reedline {
    let menu = IdeMenu::default()
        .with_name(MENU)
        .with_max_completion_height(12)
        .with_max_description_width(72)
        .with_description_mode(DescriptionMode::PreferRight);
    let mut keys = default_emacs_keybindings();
    let complete = vec![ReedlineEvent::Menu(MENU.to_owned()), ReedlineEvent::MenuNext];
    keys.add_binding(KeyModifiers::NONE, KeyCode::Tab, ReedlineEvent::UntilFound(complete));
    let newline = ReedlineEvent::Edit(vec![EditCommand::InsertNewline]);
    keys.add_binding(KeyModifiers::ALT, KeyCode::Enter, newline);
    let editor = Reedline::create()
        .with_completer(Box::new(NameCompleter { names }))
        .with_menu(ReedlineMenu::EngineCompleter(Box::new(menu)))
        .with_validator(Box::new(Brackets))
        .with_edit_mode(Box::new(Emacs::new(keys)));
    match history_file().and_then(|path| FileBackedHistory::with_file(HISTORY_LINES, path).ok()) {
        Some(history) => editor.with_history(Box::new(history)),
        None => editor,
    }
}

/// Where the history is kept, in a directory that is made if need be.
fn history_file() -> Option<PathBuf> {
    let state = match std::env::var_os("XDG_STATE_HOME") {
        Some(directory) => PathBuf::from(directory),
        None => PathBuf::from(std::env::var_os("HOME")?).join(".local/state"),
    };
    let directory = state.join("sx");
    std::fs::create_dir_all(&directory).ok()?;
    Some(directory.join("history"))
}

fn refresh(names: &Names, repl: &mut Repl) {
    let isolate = &mut repl.session.isolate;
    let mut known: Vec<String> = isolate.names();
    known.retain(|name| !name.starts_with('%'));
    known.sort();
    let documented = known.into_iter().map(|name| {
        let doc = isolate.doc(&name).as_deref().and_then(first_line);
        (name, doc)
    });
    *names.lock().unwrap_or_else(PoisonError::into_inner) = documented.collect();
}

fn first_line(doc: &str) -> Option<String> {
    let line = doc.lines().find(|line| !line.trim().is_empty())?;
    Some(line.chars().take(DOC_CHARS).collect())
}

struct NameCompleter {
    names: Names,
}

impl Completer for NameCompleter {
    fn complete(&mut self, line: &str, position: usize) -> CompletionResult {
        CompletionResult::fresh(self.suggestions(line, position))
    }
}

impl NameCompleter {
    fn suggestions(&self, line: &str, position: usize) -> Vec<Suggestion> {
        let start = word_start(line, position);
        let word = &line[start..position];
        let suggestion = |value: &str, description: Option<String>| Suggestion {
            value: value.to_owned(),
            description,
            span: Span::new(start, position),
            append_whitespace: false,
            ..Suggestion::default()
        };
        if start == 1 && line.starts_with(',') {
            let fitting = COMMANDS.iter().filter(|command| command.name.starts_with(word));
            return fitting
                .map(|command| suggestion(command.name, Some(command.help.to_owned())))
                .collect();
        }
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let fitting = names.iter().filter(|(name, _)| name.starts_with(word));
        fitting.map(|(name, doc)| suggestion(name, doc.clone())).collect()
    }
}

/// Where the name that ends at `position` begins.
fn word_start(line: &str, position: usize) -> usize {
    let is_end = |c: char| c.is_whitespace() || "()[]{}\"';`,".contains(c);
    let before = line[..position].char_indices().rev();
    before
        .take_while(|(_, c)| !is_end(*c))
        .last()
        .map_or(position, |(at, _)| at)
}

struct Brackets;

impl Validator for Brackets {
    fn validate(&self, line: &str) -> ValidationResult {
        if wants_more(line) {
            ValidationResult::Incomplete
        } else {
            ValidationResult::Complete
        }
    }
}

struct Arrow;

impl Prompt for Arrow {
    fn render_prompt_left(&self) -> Cow<'_, str> {
        Cow::Borrowed("sx")
    }
    fn render_prompt_right(&self) -> Cow<'_, str> {
        Cow::Borrowed("")
    }
    fn render_prompt_indicator(&self, _: PromptEditMode) -> Cow<'_, str> {
        Cow::Borrowed("> ")
    }
    fn render_prompt_multiline_indicator(&self) -> Cow<'_, str> {
        Cow::Borrowed("    ")
    }
    fn render_prompt_history_search_indicator(&self, search: PromptHistorySearch) -> Cow<'_, str> {
        let failing = match search.status {
            PromptHistorySearchStatus::Passing => "",
            PromptHistorySearchStatus::Failing => "nothing like ",
        };
        Cow::Owned(format!("({failing}{}) ", search.term))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completer() -> NameCompleter {
        let names = [("map", Some("Applies.")), ("map-indexed", None), ("max", None)];
        let names = names.map(|(name, doc)| (name.to_owned(), doc.map(str::to_owned)));
        NameCompleter {
            names: Arc::new(Mutex::new(names.to_vec())),
        }
    }

    #[test]
    fn the_name_at_the_cursor_is_completed() {
        let found = completer().suggestions("(list (map", 10);
        let values: Vec<&str> = found.iter().map(|s| s.value.as_str()).collect();
        assert_eq!(values, ["map", "map-indexed"]);
        assert_eq!(found[0].description.as_deref(), Some("Applies."));
        assert_eq!((found[0].span.start, found[0].span.end), (7, 10));
    }

    #[test]
    fn what_the_program_defines_is_completed_with_its_documentation() {
        let session = crate::session::Session::start(&[]).expect("a session");
        let mut repl = Repl { session, inputs: 0 };
        let complete = |repl: &mut Repl, line: &str| {
            let names = Names::default();
            refresh(&names, repl);
            NameCompleter { names }.suggestions(line, line.len())
        };
        assert_eq!(complete(&mut repl, "(halv").len(), 0);
        repl.input("(define (halve n) \"Half of n.\" (/ n 2))");
        let found = complete(&mut repl, "(halv");
        assert_eq!(found[0].value, "halve");
        assert!(found[0].description.as_deref().is_some_and(|doc| !doc.is_empty()));
        // Primitives and functions of the library have theirs.
        for name in ["string-length", "map"] {
            let found = complete(&mut repl, name);
            let own = found.iter().find(|suggestion| suggestion.value == name);
            assert!(own.is_some_and(|own| own.description.is_some()), "{name}");
        }
    }

    #[test]
    fn commands_are_completed_with_their_help() {
        let found = completer().suggestions(",by", 3);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].value, "bytecode");
        assert!(found[0].description.is_some());
    }

    #[test]
    fn an_open_bracket_goes_on() {
        let is_incomplete = |line| matches!(Brackets.validate(line), ValidationResult::Incomplete);
        assert!(is_incomplete("(a"));
        assert!(!is_incomplete("(a)"));
        assert!(!is_incomplete(",doc ("));
    }
}
