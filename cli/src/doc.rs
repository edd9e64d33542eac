//! `sx doc NAME`: the documentation of one name, or the names near to it.

use crate::run::complain;
use crate::session::Session;
use crate::{FAILED, SUCCESS, USAGE, print};

/// Prints the documentation of a name.
pub fn doc(name: &str) -> u8 {
    let mut session = match Session::start(&[]) {
        Ok(session) => session,
        Err(message) => return complain(&message, USAGE),
    };
    match session.isolate.doc(name) {
        Some(text) => {
            print::text(&format!("{}\n", text.trim_end()));
            SUCCESS
        }
        None => complain(&unknown(name, &session.isolate.names()), FAILED),
    }
}

/// The message for a name that has no documentation.
pub fn unknown(name: &str, names: &[String]) -> String {
    let known = names.iter().any(|n| n == name);
    match sx::suggest::advice(name, names.iter().map(String::as_str)) {
        _ if known => format!("`{name}` has no documentation"),
        Some(advice) => format!("nothing is named `{name}`; {advice}"),
        None => format!("nothing is named `{name}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_gets_advice() {
        let names = ["filter".to_owned(), "mine".to_owned()];
        assert_eq!(
            unknown("fitler", &names),
            "nothing is named `fitler`; did you mean `filter`?"
        );
        assert_eq!(unknown("mine", &names), "`mine` has no documentation");
        assert_eq!(unknown("zzzzzz", &names), "nothing is named `zzzzzz`");
    }
}
