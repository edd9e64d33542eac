//! Why a computation stops: the conditions a program can catch, and how a primitive reports one.
//!
//! A `Raise` holds plain data only. Irritants are named by argument position, so nothing in it
//! moves when the heap collects; the machine turns it into an error object at the pc that raised.
//! Host errors (a file that is not there) are `host::HostError`; bugs are assertions.

/// Declares the codes: variant, the text `error-code` answers, and when it is raised.
macro_rules! errors {
    ($($variant:ident $text:literal $because:literal;)*) => {
        /// What kind of condition an error object is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code {
            $(#[doc = $because] $variant,)*
        }
        impl Code {
            /// Every code, in the order of the table.
            pub const ALL: &'static [Code] = &[$(Code::$variant),*];
            /// The short name a program sees.
            pub const fn text(self) -> &'static str {
                match self { $(Code::$variant => $text,)* }
            }
            /// When it is raised: a clause that begins with "because".
            pub const fn because(self) -> &'static str {
                match self { $(Code::$variant => $because,)* }
            }
        }
    };
}

errors! {
    User "user" "because the program called `error` or raised a value of its own";
    Type "type" "because an argument has a type the operation does not take";
    Arity "arity" "because a procedure got too few or too many arguments";
    Range "range" "because an index or size lies outside what the value has";
    Value "value" "because an argument has the right type but a value without meaning here";
    Division "division" "because an exact number was divided by zero";
    Undefined "undefined" "because a symbol has no binding";
    Unassigned "unassigned" "because a variable was used before its definition gave it a value";
    NotCallable "not-callable" "because something that is no procedure was called";
    Match "match" "because no clause of a match takes the value";
    Read "read" "because text is not a well-formed datum";
    Syntax "syntax" "because a special form or macro call does not have its shape";
    Import "import" "because a library or a name in it does not exist";
    Effect "effect" "because nobody services the performed op";
    Control "control" "because a continuation, coroutine or prompt was used outside its life";
    Io "io" "because the host could not read or write";
    Closed "closed" "because a port was used after it was closed";
    Stack "stack" "because recursion used more than half of the memory limit";
    Memory "memory" "because the program reached its memory limit";
    Deadline "deadline" "because the computation ran past its deadline";
    Interrupt "interrupt" "because the host asked the program to stop";
    Assert "assert" "because an assertion of the program does not hold";
}

/// A condition on its way out of a primitive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// What kind.
    pub code: Code,
    /// What `error-message` answers.
    pub message: String,
    /// Which arguments of the primitive are the irritants.
    pub irritants: Vec<usize>,
}

/// Why a primitive gives no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Raise {
    /// An error the program may catch.
    Condition(Box<Condition>),
    /// The heap refused to grow; nothing has been changed.
    Memory,
}

impl Raise {
    /// A condition without irritants.
    #[cold]
    pub fn new(code: Code, message: impl Into<String>) -> Raise {
        Raise::Condition(Box::new(Condition {
            code,
            message: message.into(),
            irritants: Vec::new(),
        }))
    }
    /// The same, naming argument `index` as an irritant.
    #[cold]
    pub fn with_arg(mut self, index: usize) -> Raise {
        if let Raise::Condition(condition) = &mut self {
            condition.irritants.push(index);
        }
        self
    }
    /// The same of what is called `name`: the message begins with a colon, or with `known`, a name
    /// that it has too.
    #[cold]
    pub fn about(mut self, known: &str, name: &str) -> Raise {
        if let Raise::Condition(condition) = &mut self {
            let message = &condition.message;
            let rest = message.strip_prefix(known).unwrap_or(message);
            if rest.starts_with(':') {
                condition.message = format!("{name}{rest}");
            }
        }
        self
    }
    /// The code.
    pub fn code(&self) -> Code {
        match self {
            Raise::Condition(condition) => condition.code,
            Raise::Memory => Code::Memory,
        }
    }
    /// The message.
    pub fn message(&self) -> &str {
        match self {
            Raise::Condition(condition) => &condition.message,
            Raise::Memory => "memory limit",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_named_once_and_says_why() {
        for (i, code) in Code::ALL.iter().enumerate() {
            assert!(code.because().starts_with("because "), "{code:?}");
            assert!(
                Code::ALL[..i].iter().all(|other| other.text() != code.text()),
                "{code:?}"
            );
        }
    }
}
