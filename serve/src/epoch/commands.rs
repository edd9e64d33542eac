//! The commands of the protocol as one table: how they are parsed, what they do, what
//! `docs/host.md` says of them.

use super::Session;
use super::wire::Reply;
use std::fmt::Write as _;
use std::io;
use sx::{Source, Value};

/// A command.
pub(super) struct Command {
    pub name: &'static str,
    /// Its arguments, all strings; one that ends in `…` stands for any number.
    parameters: &'static [&'static str],
    doc: &'static str,
    pub run: fn(&mut Session<'_>, &[Value]) -> io::Result<Reply>,
}

macro_rules! commands {
    ($($name:literal ($($parameter:literal)*) $doc:literal => $run:expr;)*) => {
        /// Every command that gets a reply.
        pub(super) const COMMANDS: &[Command] = &[$(Command {
            name: $name,
            parameters: &[$($parameter),*],
            doc: $doc,
            run: $run,
        }),*];
    };
}

commands! {
    "ping" () "Nothing; says that the session lives." => |_, _| Ok(Reply::Done);
    "load" ("path") "Evaluates a file." => |session, arguments| {
        let text = format!("(load {})", arguments[0]);
        session.done("<load>", &text)
    };
    "load-source" ("text") "Evaluates a text." => |session, arguments| session.done("<source>", text_of(&arguments[0]));
    "eval" ("text") "Evaluates a text; the value of its last form." => |session, arguments| {
        session.value("<eval>", text_of(&arguments[0]))
    };
    "render" ("text") "Evaluates a text and renders its value as HTML." => |session, arguments| {
        session.value("<render>", &format!("(render-to-html (load-source {}))", arguments[0]))
    };
    "reset" () "Goes on with a fresh isolate; the epoch stays." => |session, _| Ok(match session.reset() {
        Ok(()) => Reply::Done,
        Err(message) => Reply::Error(message),
    });
    "io-enable" ("op…") "Leaves these ops to the parent too." => |session, arguments| {
        session.parent_ops.extend(arguments.iter().map(|op| text_of(op).to_owned()));
        Ok(Reply::Done)
    };
    "vm-trace" ("text") "Evaluates a text; what each instruction of its own functions found." => |session, arguments| {
        session.value("<trace>", &format!("(vm-trace {})", arguments[0]))
    };
    "bytecode-inspect" ("name") "What a function was compiled to." => |session, arguments| {
        session.value("<inspect>", &format!("(bytecode-inspect {})", arguments[0]))
    };
    "prim-check" ("name") "What a function calls by name: whether it exists, whether it takes so many arguments."
        => prim_check;
    "deps-check" ("text") "The names a text uses and nothing defines." => deps_check;
    "jit-stats" () "Counters of native compilation." => |session, _| session.value("<jit>", "(jit-stats)");
    "vm-reset-fn" ("name") "Gives an error: functions are never stale." => |_, _| {
        replaced("vm-reset-fn: a function that is defined again is compiled again; nothing has to be reset")
    };
    "vm-compile" ("text") "Gives an error that names `load-source`." => |_, _| {
        replaced("vm-compile: load-source compiles; bytecode-inspect shows what came of it")
    };
    "vm-exec" ("code") "Gives an error that names `eval`." => |_, _| {
        replaced("vm-exec: bytecode is not run from outside; use eval")
    };
}

impl Command {
    /// Are these its arguments?
    pub fn check(&self, arguments: &[Value]) -> Result<(), String> {
        let takes_any = self.parameters.last().is_some_and(|name| name.ends_with('…'));
        let fits = takes_any || arguments.len() == self.parameters.len();
        let is_text = |value: &Value| matches!(value, Value::String(_) | Value::Symbol(_));
        if fits && arguments.iter().all(is_text) {
            return Ok(());
        }
        Err(format!("{}: expected {}", self.name, self.usage()))
    }

    fn usage(&self) -> String {
        let quoted = self.parameters.iter().map(|name| match name.strip_suffix('…') {
            Some(name) => format!(" \"{name}\" …"),
            None => format!(" \"{name}\""),
        });
        format!("({}{})", self.name, quoted.collect::<String>())
    }
}

fn text_of(value: &Value) -> &str {
    match value {
        Value::String(text) | Value::Symbol(text) => text,
        _ => "",
    }
}

fn replaced(message: &str) -> io::Result<Reply> {
    Ok(Reply::Error(message.to_owned()))
}

impl Session<'_> {
    fn value(&mut self, name: &str, text: &str) -> io::Result<Reply> {
        Ok(match self.evaluate(name, text)? {
            Ok(value) => Reply::Value(value),
            Err(message) => Reply::Error(message),
        })
    }

    fn done(&mut self, name: &str, text: &str) -> io::Result<Reply> {
        Ok(match self.evaluate(name, text)? {
            Ok(_) => Reply::Done,
            Err(message) => Reply::Error(message),
        })
    }
}

fn prim_check(session: &mut Session<'_>, arguments: &[Value]) -> io::Result<Reply> {
    let name = text_of(&arguments[0]);
    let isolate = &session.isolate;
    let Some(calls) = isolate.calls_of(name) else {
        return Ok(Reply::Error(format!("prim-check: no function is called {name}")));
    };
    let known = isolate.names();
    let rows = calls.into_iter().map(|(callee, count)| {
        let exists = known.binary_search(&callee).is_ok();
        let fits = isolate
            .arity(&callee)
            .is_none_or(|(least, most)| count >= least && most.is_none_or(|most| count <= most));
        Value::Dict(vec![
            ("name".to_owned(), Value::String(callee)),
            ("args".to_owned(), Value::from(count)),
            ("exists".to_owned(), Value::from(exists)),
            ("fits".to_owned(), Value::from(exists && fits)),
        ])
    });
    Ok(Reply::Value(Value::List(rows.collect())))
}

fn deps_check(session: &mut Session<'_>, arguments: &[Value]) -> io::Result<Reply> {
    let source = Source::new("<deps>", text_of(&arguments[0]));
    let findings = match sx_tools::check(&source, false) {
        Ok(findings) => findings,
        Err(error) => return Ok(Reply::Error(error.message.clone())),
    };
    let known = session.isolate.names();
    let mut missing: Vec<Value> = Vec::new();
    for finding in findings.iter().filter(|finding| finding.rule.is_none()) {
        match finding.error.message.strip_prefix("Undefined symbol: ") {
            None => return Ok(Reply::Error(finding.error.message.clone())),
            Some(name) if known.binary_search_by(|known| known.as_str().cmp(name)).is_ok() => {}
            Some(name) if missing.iter().any(|known| known.as_str() == Some(name)) => {}
            Some(name) => missing.push(Value::from(name)),
        }
    }
    Ok(Reply::Value(Value::List(missing)))
}

/// The rows of the table, for `docs/host.md`.
pub fn reference() -> String {
    let mut text = String::from("| command | what it does |\n|---|---|\n");
    for command in COMMANDS {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "| `{}` | {} |", command.usage(), command.doc);
    }
    text
}
