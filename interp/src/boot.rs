//! Loading the core library: from its sources when an image is made, from the image ever after.
//! Making the images of the other libraries, one in a machine of its own each.
//!
//! This is the one driver of evaluations in Rust: it calls `Machine::run` between steps, from
//! outside every program, because `%evaluate` itself is not loaded yet.

use crate::eval::{EvalError, Evaluation, MacroRow, Next, Told, View};
use crate::image::Image;
use crate::machine::{Exit, Failure, Machine};
use crate::read::{SyntaxError, read_all};
use std::sync::Arc;
use sx_runtime::chunk::Chunk;
use sx_runtime::syntax::{Name, Source, Span, Stx};
use sx_runtime::value::Word;

/// Why a library could not be loaded.
#[derive(Debug)]
pub enum BootError {
    /// Its text is wrong.
    Syntax(Vec<SyntaxError>),
    /// A form of it failed.
    Failed(Box<Failure>),
    /// Anything else, in words.
    Other(String),
}

impl Machine {
    /// Evaluates the core library from its sources; answers its compiled top-level forms, which
    /// are what an image holds.
    pub fn load_core(&mut self, sources: &[Arc<Source>]) -> Result<Vec<Arc<Chunk>>, BootError> {
        self.evaluator.core = true;
        let mut chunks = vec![];
        for source in sources {
            let top = self.evaluator.program.clone();
            let evaluation = Evaluation::text(source.clone(), &top).map_err(unreadable)?;
            self.load_all(evaluation, &mut chunks)?;
        }
        self.finish_core();
        Ok(chunks)
    }

    /// Runs the top-level forms of the core library as an image holds them.
    pub fn load_image(&mut self, chunks: &[Arc<Chunk>]) -> Result<(), BootError> {
        self.evaluator.core = true;
        for chunk in chunks {
            self.run_chunk(chunk)?;
        }
        self.finish_core();
        Ok(())
    }

    /// The image of a library file, made by evaluating it here: what it loads is in the bundle.
    /// `None` for a file that defines or imports libraries, which is read as text.
    pub fn compile_library(&mut self, source: &Arc<Source>) -> Result<Option<Image>, BootError> {
        let forms = read_all(source.clone()).map_err(BootError::Syntax)?;
        let head = |form: &Stx| form.as_list()?.first()?.as_name().cloned();
        let modular = |name: Name| matches!(&*name, "import" | "define-library");
        if forms.iter().filter_map(head).any(modular) {
            return Ok(None);
        }
        let top = self.evaluator.program.clone();
        let mut chunks = vec![];
        let evaluation = Evaluation::text(source.clone(), &top).map_err(unreadable)?;
        self.load_all(evaluation, &mut chunks)?;
        if !top.knows_nothing() {
            return Err(BootError::Other(format!(
                "{}: import stands at the top of a form, or the file cannot be compiled ahead",
                source.name
            )));
        }
        let adts = top.adts();
        Ok(Some(Image { chunks, adts }))
    }

    /// Loads a file of the bundle, as a program does.
    pub fn load_bundled(&mut self, name: &str) -> Result<(), BootError> {
        let source = Source::new("<load>", format!("(load {name:?})"));
        let top = self.evaluator.program.clone();
        let evaluation = Evaluation::text(source, &top).map_err(unreadable)?;
        self.load_all(evaluation, &mut vec![])
    }

    fn finish_core(&mut self) {
        self.evaluator.core = false;
        self.isolate.seal_core();
    }

    fn load_all(&mut self, evaluation: Evaluation, chunks: &mut Vec<Arc<Chunk>>) -> Result<(), BootError> {
        let mut evaluation = evaluation;
        let mut told = Told::Value;
        loop {
            let mut warnings = vec![];
            let isolate = &mut self.isolate;
            let view = View::new(&self.evaluator, &isolate.state.globals, &mut *isolate.host);
            let next = evaluation.step(told, &view, &mut warnings).map_err(unreadable)?;
            if let Some(w) = warnings.first() {
                return Err(BootError::Other(format!("{}: {}", w.span.place(), w.message)));
            }
            match next {
                Next::Done | Next::Form(_) => return Ok(()),
                Next::Run(chunk, rest) => {
                    let value = self.run_chunk(&chunk)?;
                    told = if rest.awaits_macro() {
                        Told::Macro(self.add_macro_procedure(value))
                    } else {
                        chunks.push(chunk);
                        Told::Value
                    };
                    evaluation = rest;
                }
                Next::Macro(row, form, rest) => {
                    let value = self.run_macro(row, &form)?;
                    let span = rest.awaits_form().cloned().unwrap_or_else(Span::none);
                    told = Told::Form(
                        self.syntax_of_word(value, &span)
                            .map_err(|r| BootError::Other(r.message().into()))?,
                    );
                    evaluation = rest;
                }
            }
        }
    }

    fn run_macro(&mut self, row: u32, form: &Stx) -> Result<Word, BootError> {
        let Some(MacroRow::Procedure(at)) = self.evaluator.macros.get(row as usize).cloned() else {
            return Err(BootError::Other("no such macro".into()));
        };
        let args = self
            .operand_values(form)
            .map_err(|r| BootError::Other(r.message().into()))?;
        let callee = self.isolate.state.embedded[at];
        self.start(callee, &args);
        self.finish_run()
    }

    pub(crate) fn run_chunk(&mut self, chunk: &Arc<Chunk>) -> Result<Word, BootError> {
        let closure = self
            .isolate
            .closure(chunk)
            .map_err(|_| BootError::Other("memory limit".into()))?;
        self.start(closure, &[]);
        self.finish_run()
    }

    fn finish_run(&mut self) -> Result<Word, BootError> {
        match self.run() {
            Exit::Value(word) => Ok(word),
            Exit::Failed(failure) | Exit::Interrupted(failure) => Err(BootError::Failed(failure)),
            Exit::Perform | Exit::Stepped | Exit::Preempted => {
                Err(BootError::Other("a library performs an op while it is loaded".into()))
            }
        }
    }
}

fn unreadable(error: EvalError) -> BootError {
    BootError::Syntax(error.into_parts().1)
}
