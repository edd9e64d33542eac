//! Dream on a real disk: the examples of the repository, and links that lead out of a folder of
//! static files. All else of Dream is tested by its own suites, in a simulated world.

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
