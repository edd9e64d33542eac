//! What a run shows, and the edge it performs effects at.

use std::collections::{BTreeMap, HashMap};
use sx_runtime::syntax::Span;
use sx_runtime::value::Word;

/// What a program did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What the last form's value prints as, unless the run ended in an error.
    pub value: Option<String>,
    /// What was written to the output.
    pub output: String,
    /// What was written to the error stream.
    pub error_output: String,
    /// The effects that reached the edge, each as `op args…`.
    pub effects: Vec<String>,
    /// The message of the error that ended the run.
    pub error: Option<String>,
    /// Where that error may be said to be, the best answer first: `line:col` in the program,
    /// `text:line:col` elsewhere.
    pub places: Vec<String>,
    /// The run took longer, or made more, than the oracle allows: nothing above counts.
    pub gave_up: bool,
    /// What the run went through.
    pub counts: Counts,
}

/// What a run went through, for whoever asks what runs cover.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Calls of each primitive and of each procedure that works on continuations.
    pub called: BTreeMap<&'static str, u64>,
    /// Captures inside each function of the core library, by how many of them there were around.
    pub captured_in: BTreeMap<(String, usize), u64>,
    /// Delimited continuations that were resumed never, once, and more than once.
    pub resumed: [u64; 3],
}

/// What programs are called in spans.
pub const PROGRAM: &str = "<case>";

/// A place as text.
pub fn place_text(span: &Span) -> String {
    let (line, column) = span.source.line_col(span.start);
    if span.source.name == PROGRAM {
        format!("{line}:{column}")
    } else {
        span.place()
    }
}

/// How a run ends.
pub enum Ending<'a> {
    /// With a value.
    Value(Word),
    /// With the message of an error, and where it was.
    Error(String, Vec<&'a Span>),
    /// It took too long.
    GaveUp,
}

/// What an edge answers to a request.
pub enum Answer {
    /// This argument.
    Argument(usize),
    /// This integer.
    Integer(i64),
    /// It services no such op.
    Unhandled,
}

/// The edge of a run: who services what no handler takes.
pub trait Edge {
    /// Answers an op with so many arguments.
    fn perform(&mut self, op: &str, argc: usize) -> Answer;
}

/// The edge of tests: `test/echo` answers its first argument, `test/counter` counts from 0.
#[derive(Default)]
pub struct TestEdge {
    count: i64,
}

impl Edge for TestEdge {
    fn perform(&mut self, op: &str, argc: usize) -> Answer {
        match op {
            "test/echo" if argc > 0 => Answer::Argument(0),
            "test/counter" => {
                self.count += 1;
                Answer::Integer(self.count - 1)
            }
            _ => Answer::Unhandled,
        }
    }
}

/// Where conditions were raised, by the bits of the condition.
pub type Places<'a> = HashMap<u64, Vec<&'a Span>>;
