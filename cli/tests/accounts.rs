//! `sx user` and `sx token` from outside: what they print, and that a served blog takes what they made.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// An empty directory of a test's own; the store is made in it.
fn directory(test: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).expect("a directory");
    path
}

/// Output, error output and exit code.
fn sx(directory: &Path, arguments: &[&str], input: &str) -> (String, String, Option<i32>) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sx"))
        .args(arguments)
        .current_dir(directory)
        .env_remove("SX_STORE")
        .env_remove("SX_PERSIST_DIR")
        .env_remove("SX_PROJECT_DIR")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut stdin = child.stdin.take().expect("piped");
    // The program may end without reading its input.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().expect("the binary ends");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (text(output.stdout), text(output.stderr), output.status.code())
}

fn done(out: &str) -> (String, String, Option<i32>) {
    (out.to_owned(), String::new(), Some(0))
}

fn refused(why: &str, code: i32) -> (String, String, Option<i32>) {
    (String::new(), format!("sx: {why}\n"), Some(code))
}

#[test]
fn accounts_are_made_listed_and_removed() {
    let here = directory("accounts");
    let add = ["user", "add", "ann", "--group", "editors"];
    assert_eq!(sx(&here, &add, "a long password\n"), done("ann is in editors\n"));
    let (out, _, code) = sx(&here, &["user", "add", "bob", "--generate"], "");
    assert!(out.starts_with("bob is in admins\npassword "), "{out}");
    assert_eq!(code, Some(0));
    assert_eq!(sx(&here, &["user", "list"], ""), done("ann: editors\nbob: admins\n"));
    assert_eq!(sx(&here, &["user", "remove", "bob"], ""), done("bob is removed\n"));
    assert_eq!(
        sx(&here, &["user", "remove", "bob"], ""),
        refused("there is no user bob", 1)
    );
    assert_eq!(sx(&here, &["user", "list"], ""), done("ann: editors\n"));
}

#[test]
fn what_is_wrong_with_an_account_is_said() {
    let here = directory("accounts-refused");
    let add = |name, input| sx(&here, &["user", "add", name], input);
    assert_eq!(
        add("ann", "short\n"),
        refused("a password has at least 10 characters", 1)
    );
    assert_eq!(
        add("Ann!", "a long password\n"),
        refused("a user name is 1 to 64 lower-case letters, digits, . - and _", 1)
    );
    assert_eq!(
        add("ann", ""),
        refused("a password is wanted on standard input, or --generate", 2)
    );
    assert_eq!(
        sx(&here, &["token", "add", "ann"], ""),
        refused("there is no user ann", 1)
    );
}

#[test]
fn tokens_are_listed_and_removed_and_end_with_their_account() {
    let here = directory("accounts-tokens");
    let add = |name| sx(&here, &["user", "add", name], "a long password\n");
    let token = |name, label| sx(&here, &["token", "add", name, "--label", label], "");
    let list = || sx(&here, &["token", "list"], "").0;
    add("ann");
    add("bob");
    token("bob", "backup");
    token("ann", "");
    let tokens = list();
    let ids: Vec<&str> = tokens.lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(tokens, format!("{} ann:\n{} bob: backup\n", ids[0], ids[1]));
    let remove = ["token", "remove", ids[0]];
    assert_eq!(sx(&here, &remove, ""), done(&format!("{} is removed\n", ids[0])));
    assert_eq!(
        sx(&here, &remove, ""),
        refused(&format!("there is no token {}", ids[0]), 1)
    );
    sx(&here, &["user", "remove", "bob"], "");
    add("bob");
    assert_eq!(list(), "");
}

#[test]
fn a_served_blog_knows_password_and_token() {
    let here = directory("accounts-served");
    sx(&here, &["user", "add", "ann"], "a long password\n");
    let (out, _, _) = sx(&here, &["token", "add", "ann", "--label", "test"], "");
    let token = out.lines().next().expect("a token").to_owned();
    let asked = format!(
        "(load \"lib/host/host.sx\")
         (host/blog-use-store! (persist/open \"durable\"))
         (define app (host/app {{:secret \"0123456789abcdef0123456789abcdef\"}}))
         (define (status &rest more) (dream-status (apply dream-test (cons app more))))
         (display (list (dream-password-matches? (get (host/user \"ann\") :hash) \"a long password\")
                        (status \"GET\" \"/new\" {{:authorization \"Bearer {token}\"}})
                        (status \"GET\" \"/new\" {{:authorization \"Bearer {token}x\"}})))"
    );
    std::fs::write(here.join("ask.sx"), asked).expect("written");
    let output = Command::new(env!("CARGO_BIN_EXE_sx"))
        .args(["run", "ask.sx"])
        .current_dir(&here)
        .env_remove("SX_PROJECT_DIR")
        .env("SX_STORE", "persist-data")
        .output()
        .expect("the binary runs");
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert_eq!(out, "(true 200 401)", "{err}");
}
