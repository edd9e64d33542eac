//! Dream on a real disk: the examples of the repository, and links that lead out of a folder of
//! static files. All else of Dream is tested by its own suites, in a simulated world.

#[path = "support/server.rs"]
mod server;

use server::Server;
use std::path::Path;
use std::process::{Command, Output};

fn sx(directory: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sx"))
        .args(arguments)
        .current_dir(directory)
        .env_remove("SX_SECRET")
        .env_remove("SX_ENV")
        .env("SX_PROJECT_DIR", root())
        .output()
        .expect("the binary starts")
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

#[test]
fn every_example_has_a_test_and_passes_it() {
    let mut programs = 0;
    for entry in std::fs::read_dir(root().join("examples")).expect("examples") {
        let folder = entry.expect("a folder").path();
        assert!(folder.join("test.sx").is_file(), "{} has no test", folder.display());
        programs += 1;
    }
    assert!(programs >= 30, "{programs} examples");
    let run = sx(root(), &["test", "examples"]);
    let out = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{out}{}", String::from_utf8_lossy(&run.stderr));
    assert!(out.contains(" 0 failed"), "{out}");
}

#[cfg(unix)]
#[test]
fn static_files_follow_links_inside_their_folder_only() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("dream-links");
    let _ = std::fs::remove_dir_all(&folder);
    let files = folder.join("files");
    std::fs::create_dir_all(files.join("sub")).expect("a directory");
    std::fs::write(folder.join("outside.txt"), "secret").expect("written");
    std::fs::write(files.join("a.txt"), "a").expect("written");
    std::fs::write(files.join(".hidden"), "secret").expect("written");
    for (link, target) in [
        ("inside.txt", "a.txt"),
        ("sub/up.txt", "../a.txt"),
        ("out.txt", "../outside.txt"),
        ("up", ".."),
        ("hidden.txt", ".hidden"),
        ("passwd", "/etc/passwd"),
        ("nowhere", "none"),
    ] {
        std::os::unix::fs::symlink(target, files.join(link)).expect("a link");
    }
    let program = "(load \"lib/dream/dream.sx\")
         (define app (dream-router (list (dream-get \"/**\" (dream-static \"files\")))))
         (for-each (fn (path) (display (dream-status (dream-test app \"GET\" path))) (newline))
           (list \"/a.txt\" \"/inside.txt\" \"/sub/up.txt\" \"/out.txt\" \"/up/outside.txt\"
             \"/hidden.txt\" \"/passwd\" \"/nowhere\" \"/sub\"))";
    std::fs::write(folder.join("a.sx"), program).expect("written");
    let run = sx(&folder, &["run", "a.sx"]);
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    assert_eq!(
        String::from_utf8_lossy(&run.stdout),
        "200\n200\n200\n404\n404\n404\n404\n404\n404\n"
    );
}

/// A program is served at the port the command line says, before the environment, before its own.
#[test]
fn the_port_is_that_of_the_command_line_then_of_the_environment() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("dream-port");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a directory");
    let run = "(load \"lib/dream/dream.sx\")
         (dream-run (list (dream-get \"/\" (fn (req) (dream-text \"hi\")))) {:port 1})";
    std::fs::write(folder.join("run.sx"), run).expect("written");
    std::fs::write(folder.join("app.sx"), "(define (app req) {:body \"hi\"})").expect("written");
    let serve = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sx"));
        command.arg("serve").args(arguments).current_dir(&folder);
        command
            .env("SX_PROJECT_DIR", root())
            .env_remove("SX_STORE")
            .env_remove("SX_PERSIST_DIR");
        command
            .env_remove("SX_PORT")
            .env_remove("PORT")
            .envs(variables.iter().copied());
        command
    };
    let free = || {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        socket.local_addr().expect("an address").port().to_string()
    };
    for program in [&["run.sx"][..], &["app.sx"], &[]] {
        let (one, two) = (free(), free());
        let flag = Server::start(&mut serve(&[program, &["--port", &one]].concat(), &[("SX_PORT", &two)]));
        assert_eq!(flag.address, format!("127.0.0.1:{one}"), "{program:?}");
        drop(flag);
        let variable = Server::start(&mut serve(program, &[("SX_PORT", &two), ("PORT", "x")]));
        assert_eq!(variable.address, format!("127.0.0.1:{two}"), "{program:?}");
        drop(variable);
        for wrong in ["99999", "abc"] {
            let output = serve(program, &[("PORT", wrong)]).output().expect("the binary starts");
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(!output.status.success(), "{program:?} {wrong}");
            assert!(said.contains("PORT: a port is a number from 0 to 65535"), "{said}");
            assert!(!said.contains("localhost"), "{said}");
        }
    }
}
