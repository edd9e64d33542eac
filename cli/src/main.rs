//! The binary `sx`; everything it does is in the library beside it.

/// Reading, expanding, compiling and answering requests take and give back many small pieces
/// (`docs/decisions/0032-an-allocator-of-its-own.md`).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    sx_cli::main()
}
