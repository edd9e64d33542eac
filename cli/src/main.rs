//! The binary `sx`; everything it does is in the library beside it.

fn main() -> std::process::ExitCode {
    sx_cli::main()
}
