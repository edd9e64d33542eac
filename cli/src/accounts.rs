//! `sx user` and `sx token`: accounts of the blog.
//!
//! Deliberately absent: what an account is; `lib/host/accounts.sx` does everything but parse the
//! command line and ask for the password.

use crate::args::{TokenCommand, UserCommand};
use crate::run::complain;
use crate::session::exit_code;
use crate::{FAILED, SUCCESS, USAGE, print, serve};
use std::io::{IsTerminal, stdin};
use sx::{Source, Value};

/// What is evaluated; the program's command line says the rest.
const PROGRAM: &str = "(load \"lib/host/host.sx\")\n(host/accounts-main (rest (command-line)))";

/// Does what `sx user` says.
pub fn user(command: &UserCommand) -> u8 {
    match command {
        UserCommand::Add { name, groups, generate } => {
            let password = match generate {
                true => Ok(String::new()),
                false => password(name),
            };
            match password {
                Ok(password) => account(&[&["user", "add", name, &password], &texts(groups)[..]].concat()),
                Err(message) => complain(&message, USAGE),
            }
        }
        UserCommand::Remove { name } => account(&["user", "remove", name]),
        UserCommand::List => account(&["user", "list"]),
    }
}

/// Does what `sx token` says.
pub fn token(command: &TokenCommand) -> u8 {
    match command {
        TokenCommand::Add { name, label } => account(&["token", "add", name, label]),
        TokenCommand::Remove { id } => account(&["token", "remove", id]),
        TokenCommand::List => account(&["token", "list"]),
    }
}

fn account(line: &[&str]) -> u8 {
    let line = [&["sx"], line].concat().iter().map(|part| (*part).to_owned()).collect();
    match serve::with_store(Source::new("<accounts>", PROGRAM), line) {
        Ok(Ok(Value::Nil)) => SUCCESS,
        Ok(Ok(why)) => complain(why.as_str().unwrap_or("it was not done"), FAILED),
        Ok(failed) => exit_code(failed),
        Err(message) => complain(&message, FAILED),
    }
}

fn texts(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

/// The password for an account, asked for on a terminal.
fn password(name: &str) -> Result<String, String> {
    let cannot = |error: std::io::Error| format!("the password cannot be read: {error}");
    if stdin().is_terminal() {
        let ask = |text: &str| {
            print::error_text(text);
            rpassword::read_password().map_err(cannot)
        };
        let password = ask(&format!("Password for {name}: "))?;
        if ask("The same again: ")? != password {
            return Err("these are two passwords".to_owned());
        }
        return checked(password);
    }
    let mut line = String::new();
    stdin().read_line(&mut line).map_err(cannot)?;
    checked(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// An empty password would be one that is made up.
fn checked(password: String) -> Result<String, String> {
    match password.is_empty() {
        true => Err("a password is wanted on standard input, or --generate".to_owned()),
        false => Ok(password),
    }
}
