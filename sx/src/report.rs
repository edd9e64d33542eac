//! Errors as text for people: the message with its code, the source line with a caret, notes,
//! advice, and the calls that led there.
//!
//! Invariant: the text depends on the error alone, not on the terminal or the tier that ran; a
//! `Style` adds colour and nothing else.

use crate::error::{Error, TraceFrame};
use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use std::fmt::Write as _;
use std::ops::Range;
use sx_runtime::syntax::Span;

/// With colour or without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Text alone.
    Plain,
    /// With escape sequences for a terminal.
    Colour,
}

/// A source line longer than this is shown in part.
const WIDTH_MAX: usize = 160;
/// A longer backtrace is shown with its middle left out.
const FRAMES_MAX: usize = 20;

/// The whole report of an error, ending in a newline.
///
/// ```
/// use sx::{Engine, Source, Style};
///
/// let mut isolate = Engine::new().isolate()?;
/// let error = isolate.eval_source(Source::new("a.sx", "(+ 1 \"two\")")).unwrap_err();
/// assert_eq!(error.message, "Expected number, got string");
/// assert!(sx::report(&error, Style::Plain).contains(" --> a.sx:1:1\n"));
/// # Ok::<(), sx::Error>(())
/// ```
pub fn report(error: &Error, style: Style) -> String {
    let mut text = String::new();
    for error in std::iter::once(error).chain(&error.more) {
        render(&mut text, error, Level::ERROR, error.code.text(), style);
    }
    text
}

/// The report of something that is no error but deserves a look, under a name of its own.
pub fn report_warning(warning: &Error, name: &str, style: Style) -> String {
    let mut text = String::new();
    render(&mut text, warning, Level::WARNING, name, style);
    text
}

fn render(text: &mut String, error: &Error, level: Level<'static>, name: &str, style: Style) {
    let renderer = match style {
        Style::Plain => Renderer::plain(),
        Style::Colour => Renderer::styled(),
    };
    // The window below already cut what is too wide.
    let renderer = renderer.decor_style(DecorStyle::Ascii).term_width(4 * WIDTH_MAX);
    text.push_str(&renderer.render(&[group(error, level, name)]));
    text.push('\n');
    backtrace(text, &error.trace);
}

fn group<'a>(error: &'a Error, level: Level<'static>, name: &'a str) -> Group<'a> {
    let title = level.primary_title(error.full_message()).id(name);
    let mut group = Group::with_title(title);
    if let Some(span) = &error.span {
        group = group.element(snippet(span));
    }
    for note in &error.notes {
        group = group.element(Level::NOTE.message(note));
    }
    if let Some(help) = &error.help {
        group = group.element(Level::HELP.message(help));
    }
    group
}

fn snippet(span: &Span) -> Snippet<'_, annotate_snippets::Annotation<'_>> {
    let (line, column) = span.source.line_col(span.start);
    let (window, marked) = window(&span.source.text, span.start as usize, span.end as usize);
    let path = if window.start == line_start(&span.source.text, span.start as usize) {
        span.source.name.clone()
    } else {
        // The column the renderer would count starts at the cut.
        format!("{} (column {column})", span.source.name)
    };
    Snippet::source(&span.source.text[window])
        .line_start(line as usize)
        .path(path)
        .annotation(AnnotationKind::Primary.span(marked))
}

/// The part of the first line of `start..end` that is shown, and the marked part within it.
fn window(text: &str, start: usize, end: usize) -> (Range<usize>, Range<usize>) {
    let start = floor_boundary(text, start);
    let line_start = line_start(text, start);
    let line = text[start..].split('\n').next().unwrap_or_default();
    let line_end = start + line.trim_end_matches('\r').len();
    let end = floor_boundary(text, end.clamp(start, line_end)).max(start);
    let from = if start - line_start > WIDTH_MAX {
        floor_boundary(text, start - WIDTH_MAX / 2)
    } else {
        line_start
    };
    let to = floor_boundary(text, line_end.min(from + 2 * WIDTH_MAX)).max(start);
    let end = end.min(to);
    (from..to, start - from..end - from)
}

fn line_start(text: &str, at: usize) -> usize {
    text[..floor_boundary(text, at)].rfind('\n').map_or(0, |i| i + 1)
}

fn floor_boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len()))
        .rev()
        .find(|i| text.is_char_boundary(*i))
        .unwrap_or(0)
}

/// An error keeps no more than so many of its calls, the innermost.
const FRAMES_KEPT: usize = 64;

/// A frame and how many times it stood there in a row.
type Run<'a> = (usize, &'a TraceFrame);

fn backtrace(text: &mut String, trace: &[TraceFrame]) {
    let runs = runs(trace);
    if runs.is_empty() {
        return;
    }
    text.push_str("backtrace:\n");
    let (head, tail) = match runs.len() > FRAMES_MAX {
        true => (&runs[..FRAMES_MAX / 2], &runs[runs.len() - FRAMES_MAX / 2..]),
        false => (&runs[..], &runs[..0]),
    };
    let width = head.iter().chain(tail).map(|(_, f)| f.function.chars().count()).max();
    let width = width.unwrap_or(0).min(40);
    head.iter().for_each(|run| frame(text, run, width));
    if !tail.is_empty() {
        let hidden: usize = runs[FRAMES_MAX / 2..runs.len() - FRAMES_MAX / 2]
            .iter()
            .map(|(n, _)| n)
            .sum();
        // Writing to a string cannot fail, here and below.
        let _ = writeln!(text, "  … {hidden} more");
    }
    tail.iter().for_each(|run| frame(text, run, width));
    if trace.len() >= FRAMES_KEPT {
        text.push_str("  …\n");
    }
}

fn frame(text: &mut String, (times, frame): &Run<'_>, width: usize) {
    let _ = write!(text, "  in {:width$}  {}", frame.function, frame.span.place());
    if *times > 1 {
        let _ = write!(text, "  × {times}");
    }
    text.push('\n');
}

/// Equal neighbours counted together: a recursion 10⁶ deep is one line.
fn runs(trace: &[TraceFrame]) -> Vec<Run<'_>> {
    let mut runs: Vec<Run<'_>> = Vec::new();
    for frame in trace {
        match runs.last_mut() {
            Some((times, last)) if same_place(last, frame) => *times += 1,
            _ => runs.push((1, frame)),
        }
    }
    runs
}

fn same_place(a: &TraceFrame, b: &TraceFrame) -> bool {
    a.function == b.function && a.span.start == b.span.start && std::sync::Arc::ptr_eq(&a.span.source, &b.span.source)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sx_runtime::error::Code;
    use sx_runtime::syntax::Source;

    fn span(text: &str, part: &str) -> Span {
        let start = text.find(part).expect("the sample has the part");
        Span {
            source: Source::new("a.sx", text),
            start: start as u32,
            end: (start + part.len()) as u32,
        }
    }

    #[test]
    fn a_report_has_place_caret_advice_and_calls() {
        let text = "(define (f x)\n  (+ x fooo))\n(f 1)\n";
        let mut error = Error::new(Code::Undefined, "Undefined symbol: fooo").at(span(text, "fooo"));
        error.help = Some("did you mean `foo`?".to_owned());
        error.notes = vec!["globals are looked up when they are used".to_owned()];
        error.trace = vec![
            TraceFrame {
                function: "f".to_owned(),
                span: span(text, "fooo"),
            },
            TraceFrame {
                function: "top level".to_owned(),
                span: span(text, "(f 1)"),
            },
        ];
        assert_eq!(
            report(&error, Style::Plain),
            "\
error[undefined]: Undefined symbol: fooo
 --> a.sx:2:8
  |
2 |   (+ x fooo))
  |        ^^^^
  |
  = note: globals are looked up when they are used
  = help: did you mean `foo`?
backtrace:
  in f          a.sx:2:8
  in top level  a.sx:3:1
"
        );
    }

    #[test]
    fn a_form_of_many_lines_is_marked_on_its_first() {
        for line_end in ["\n", "\r\n"] {
            let [text, form] = ["(foo\n  1\n  2)\n", "(foo\n  1\n  2)"].map(|text| text.replace('\n', line_end));
            let report = report(&Error::new(Code::User, "m").at(span(&text, &form)), Style::Plain);
            assert_eq!(report, "error[user]: m\n --> a.sx:1:1\n  |\n1 | (foo\n  | ^^^^\n");
        }
    }

    #[test]
    fn the_end_of_a_text_can_be_marked() {
        let text = "(foo";
        let span = Span {
            source: Source::new("a.sx", text),
            start: 4,
            end: 4,
        };
        let report = report(&Error::new(Code::Read, "unclosed (").at(span), Style::Plain);
        assert_eq!(
            report,
            "error[read]: unclosed (\n --> a.sx:1:5\n  |\n1 | (foo\n  |     ^\n"
        );
    }

    #[test]
    fn a_line_of_a_megabyte_is_shown_in_part() {
        let text = format!("{}X{}", "(".repeat(500_000), ")".repeat(500_000));
        let report = report(&Error::new(Code::User, "m").at(span(&text, "X")), Style::Plain);
        assert!(report.len() < 2_000, "{}", report.len());
        assert!(report.contains("a.sx (column 500001)"), "{report}");
        assert!(report.contains('X') && report.contains('^'), "{report}");
    }

    #[test]
    fn a_deep_recursion_is_one_line() {
        let text = "(loop)";
        let frame = TraceFrame {
            function: "loop".to_owned(),
            span: span(text, "(loop)"),
        };
        let mut error = Error::new(Code::User, "m");
        error.trace = vec![frame; 60];
        assert_eq!(
            report(&error, Style::Plain),
            "error[user]: m\nbacktrace:\n  in loop  a.sx:1:1  × 60\n"
        );
    }

    #[test]
    fn the_middle_of_a_long_backtrace_is_left_out() {
        let text = "x".repeat(100);
        let source = Source::new("a.sx", text);
        let mut error = Error::new(Code::User, "m");
        error.trace = (0..50)
            .map(|i| TraceFrame {
                function: format!("f{i}"),
                span: Span {
                    source: source.clone(),
                    start: i,
                    end: i + 1,
                },
            })
            .collect();
        let report = report(&error, Style::Plain);
        assert!(report.contains("  … 30 more\n"), "{report}");
        assert_eq!(report.lines().count(), 2 + 21);
    }

    #[test]
    fn colour_changes_nothing_else() {
        let text = "(f zwölf)\n";
        let error = Error::new(Code::User, "m").at(span(text, "zwölf"));
        let mut plain = String::new();
        let mut in_escape = false;
        for c in report(&error, Style::Colour).chars() {
            match c {
                '\x1b' => in_escape = true,
                'm' if in_escape => in_escape = false,
                c if !in_escape => plain.push(c),
                _ => {}
            }
        }
        assert_eq!(plain, report(&error, Style::Plain));
    }
}
