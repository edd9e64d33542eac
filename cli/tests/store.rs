//! `sx store` from outside: what the commands print, and what they refuse.

use std::path::{Path, PathBuf};
use std::process::Command;
use sx_store::{Batch, Embedded, Options, Store};

/// Runs the binary in a directory: output, errors, exit code.
fn sx(directory: &Path, arguments: &[&str]) -> (String, String, Option<i32>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sx"));
    command.args(arguments).current_dir(directory);
    command.env_remove("SX_STORE").env_remove("SX_PERSIST_DIR");
    let output = command.output().expect("the binary runs");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (text(output.stdout), text(output.stderr), output.status.code())
}

/// A directory of a test's own with a store in `persist-data`.
fn with_store(test: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = std::fs::remove_dir_all(&path);
    let store = Embedded::open(&path.join("persist-data"), Options::default()).expect("opens");
    let batch = Batch::new()
        .put("a", "1")
        .put("b", "2")
        .append("log", "x")
        .append("log", "y")
        .put_blob("hello");
    store.write(batch).wait().expect("writes");
    path
}

#[test]
fn a_store_is_counted_and_verified() {
    let directory = with_store("store-counted");
    let (out, err, code) = sx(&directory, &["store", "stats"]);
    assert!(
        out.starts_with("keys           2\nlogs           1\nevents         2\nblobs          1\n"),
        "{out}{err}"
    );
    assert_eq!(code, Some(0));
    let (out, err, code) = sx(&directory, &["store", "verify", "persist-data"]);
    assert_eq!((out.as_str(), err.as_str(), code), ("nothing is wrong\n", "", Some(0)));
}

#[test]
fn a_spoilt_store_is_found() {
    let directory = with_store("store-spoilt");
    let path = directory.join("persist-data/store.redb");
    let mut bytes = std::fs::read(&path).expect("reads");
    let at = bytes
        .windows(5)
        .rposition(|window| window == b"hello")
        .expect("the blob is there");
    bytes[at] ^= 1;
    std::fs::write(&path, bytes).expect("writes");
    let (out, err, code) = sx(&directory, &["store", "verify"]);
    assert_eq!(code, Some(1), "{out}{err}");
    assert!((out + &err).contains("damaged"), "{err}");
}

#[test]
fn a_dump_is_restored_and_a_copy_is_the_same() {
    let directory = with_store("store-dumped");
    let (dump, err, code) = sx(&directory, &["store", "dump"]);
    assert_eq!(
        (err.as_str(), code),
        ("dumped: 2 keys, 1 logs with 2 events, 1 blobs\n", Some(0))
    );
    std::fs::write(directory.join("dump"), &dump).expect("writes");
    let (_, err, code) = sx(&directory, &["store", "restore", "dump", "restored"]);
    assert_eq!(
        (err.as_str(), code),
        ("restored: 2 keys, 1 logs with 2 events, 1 blobs\n", Some(0))
    );
    let piped = std::process::Command::new("sh")
        .args(["-c", "cat dump | \"$0\" store restore - piped"])
        .arg(env!("CARGO_BIN_EXE_sx"))
        .current_dir(&directory)
        .status();
    assert!(piped.is_ok_and(|status| status.success()));
    assert_eq!(sx(&directory, &["store", "dump", "piped"]).0, dump);
    let (_, err, code) = sx(&directory, &["store", "copy", "restored", "copied"]);
    assert_eq!(
        (err.as_str(), code),
        ("copied: 2 keys, 1 logs with 2 events, 1 blobs\n", Some(0))
    );
    assert_eq!(sx(&directory, &["store", "dump", "copied"]).0, dump);
    let (_, err, code) = sx(&directory, &["store", "restore", "dump", "copied"]);
    assert_eq!(
        (err.as_str(), code),
        (
            "sx: copied: the store is not empty; only an empty one is filled\n",
            Some(1)
        )
    );
}

#[test]
fn bad_input_is_said_and_makes_no_store() {
    let directory = with_store("store-refused");
    let (_, err, code) = sx(&directory, &["store", "stats", "nowhere"]);
    assert_eq!((err.as_str(), code), ("sx: nowhere: there is no store\n", Some(2)));
    std::fs::write(directory.join("cut"), "sx-store-dump 1\nkv \"a\" \"b\"\n").expect("writes");
    let (_, err, code) = sx(&directory, &["store", "restore", "cut", "nowhere"]);
    assert_eq!(
        (err.as_str(), code),
        ("sx: cut: line 3: the dump is cut off: it has no `end` line\n", Some(1))
    );
    let cut = std::process::Command::new("sh")
        .args(["-c", "head -c 24 cut | \"$0\" store restore - nowhere"])
        .arg(env!("CARGO_BIN_EXE_sx"))
        .current_dir(&directory)
        .output()
        .expect("a shell");
    assert_eq!(
        (String::from_utf8_lossy(&cut.stderr).as_ref(), cut.status.code()),
        (
            "sx: standard input: line 2: the dump is cut off: the line is not whole, and there is no `end` line\n",
            Some(1)
        )
    );
    assert!(!directory.join("nowhere").exists());
    let (_, err, code) = sx(
        &directory,
        &[
            "store",
            "stats",
            "postgres://nobody:secret@127.0.0.1:1/x?sslmode=require",
        ],
    );
    assert_eq!(code, Some(1));
    assert!(!err.contains("secret") && err.contains("no connection"), "{err}");
}

#[test]
fn a_store_in_use_names_its_process() {
    let directory = with_store("store-held");
    let _held = Embedded::open(&directory.join("persist-data"), Options::default()).expect("opens");
    let (_, err, code) = sx(&directory, &["store", "stats"]);
    let named = format!(
        "sx: persist-data/store.lock: the store is open in another process: process {}: ",
        std::process::id()
    );
    assert!(err.starts_with(&named), "{err}");
    assert_eq!(code, Some(1));
}

/// A directory as the older host left it.
fn old_directory(test: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = std::fs::remove_dir_all(&path);
    // The names are a, b and s in hexadecimal.
    for (name, text) in [
        ("kv/61", "{:title \"one\" :tags (\"x\" 1/2)}"),
        ("kv/62", "(1 2.5 nil)"),
        (
            "streams/73.log",
            "{:seq 4 :type \"made\" :ts 5 :data 1}\n{:seq 5 :type \"made\" :ts 6 :data 2}\n",
        ),
        ("streams/73.seq", "7"),
    ] {
        let path = path.join("old").join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a directory can be made");
        std::fs::write(path, text).expect("writes");
    }
    path
}

const READ: &str = "(begin (display (inspect (list (perform (list \"persist/kv-get\" \"a\")) \
    (perform (list \"persist/kv-get\" \"b\")) (map (fn (e) (list (get e :seq) (get e :type) (get e :data))) \
    (perform (list \"persist/read\" \"s\"))) (perform (list \"persist/last-seq\" \"s\"))))) nil)";

/// What a program finds in a store.
fn found(directory: &Path, store: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sx"));
    std::fs::write(directory.join("read.sx"), READ).expect("writes");
    command
        .args(["run", "read.sx"])
        .current_dir(directory)
        .env("SX_PERSIST_DIR", store);
    let output = command.output().expect("the binary runs");
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

const FOUND: &str = r#"({:title "one" :tags ("x" 1/2)} (1 2.5 nil) ((4 "made" 1) (5 "made" 2)) 7)"#;

#[test]
fn a_directory_of_the_older_host_is_imported() {
    let directory = old_directory("store-imported");
    let (out, err, code) = sx(&directory, &["store", "import", "old", "new"]);
    let said = "imported: 2 keys, 1 logs with 2 events, 0 blobs\n";
    assert_eq!((out.as_str(), err.as_str(), code), ("", said, Some(0)));
    assert_eq!(found(&directory, "new"), FOUND);
    let (_, err, code) = sx(&directory, &["store", "import", "old", "new"]);
    assert_eq!(code, Some(1), "{err}");
    let (_, err, code) = sx(&directory, &["store", "import", "new"]);
    assert_eq!(code, Some(2), "{err}");
}

#[test]
fn what_serves_imports_once_and_not_in_part() {
    let directory = old_directory("store-served");
    std::fs::write(directory.join("app.sx"), "(display \"ran\") (define app 5)").expect("writes");
    let serve = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sx"));
        command.args(["serve", "--port", "0", "app.sx"]).current_dir(&directory);
        let output = command.env("SX_PERSIST_DIR", "old").output().expect("the binary runs");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    std::fs::write(directory.join("old/kv/63"), "(never closed").expect("writes");
    let said = serve();
    assert!(said.contains("old/kv/63"), "{said}");
    assert!(!directory.join("old/store.redb").exists() && !directory.join("old/importing").exists());
    std::fs::remove_file(directory.join("old/kv/63")).expect("removes");
    let said = serve();
    assert!(
        said.contains("imported 2 keys, 1 logs with 2 events, 0 blobs"),
        "{said}"
    );
    assert!(!serve().contains("imported"));
    assert_eq!(found(&directory, "old"), FOUND);
    assert!(directory.join("old/kv/61").exists());
}
