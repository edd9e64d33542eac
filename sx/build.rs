//! Compiles the libraries to the images that `src/image.rs` holds, and lists them.

#[path = "src/image/compile.rs"]
mod compile;

use std::fmt::Write as _;
use std::path::Path;

fn main() {
    let lib = Path::new(env!("CARGO_MANIFEST_DIR")).join("../lib");
    println!("cargo::rerun-if-changed={}", lib.display());
    let written = std::env::var_os("OUT_DIR")
        .ok_or_else(|| "OUT_DIR is not set".to_owned())
        .and_then(|out| write_images(&lib, Path::new(&out)));
    if let Err(message) = written {
        // A build script's way to fail: the message reaches the terminal as it is.
        eprintln!("{message}");
        std::process::exit(1);
    }
}

/// Writes the image of the core library and those of the bundle, and a table of the bundle's files:
/// name, text, image.
fn write_images(lib: &Path, out: &Path) -> Result<(), String> {
    let write = |name: &str, bytes: &[u8]| {
        std::fs::write(out.join(name), bytes).map_err(|error| format!("{}: {error}", out.join(name).display()))
    };
    let core = compile::compile_core(lib)?;
    write("core.image", &core.encode()?)?;
    let sources = compile::bundled(lib)?;
    let images = compile::compile_all(&core, &sources)?;
    let mut rows = String::new();
    for (row, (source, image)) in sources.iter().zip(images).enumerate() {
        write(&format!("{row}.text"), source.text.as_bytes())?;
        write(&format!("{row}.image"), &image.unwrap_or_default())?;
        let name = &source.name;
        let _ = writeln!(
            rows,
            "    ({name:?}, include_str!(\"{row}.text\"), include_bytes!(\"{row}.image\")),"
        );
    }
    write("bundle.rs", format!("&[\n{rows}]\n").as_bytes())
}
