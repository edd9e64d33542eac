//! Compiles the core library to the image that `src/image.rs` holds.

#[path = "src/image/compile.rs"]
mod compile;

use std::path::Path;

fn main() {
    let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("../lib/core");
    println!("cargo::rerun-if-changed={}", library.display());
    let image = match compile::compile(&library) {
        Ok(image) => image,
        Err(message) => {
            // A build script's way to fail: the message reaches the terminal as it is.
            eprintln!("{message}");
            std::process::exit(1);
        }
    };
    let out = std::env::var_os("OUT_DIR").map(|dir| Path::new(&dir).join("core.image"));
    let written = out.map(|path| std::fs::write(path, image));
    if !matches!(written, Some(Ok(()))) {
        eprintln!("cannot write the image of the core library");
        std::process::exit(1);
    }
}
