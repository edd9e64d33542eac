//! The command line as one table: what clap parses, what `sx --help` prints and what
//! `docs/cli.md` says all come from here.
//!
//! Deliberately absent: anything that runs a command.

mod accounts;
mod store;

pub use accounts::{TokenCommand, UserCommand};
pub use store::{StoreArgs, StoreCommand};

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use std::fmt::Write as _;
use std::path::PathBuf;

/// Runs SX programs.
///
/// Exit code 0: it went well. 1: the program failed, could not be read, or a test failed. 2: the
/// command line was wrong. 130: interrupted by Ctrl-C.
#[derive(Debug, Parser)]
#[command(name = "sx", version = VERSION, args_conflicts_with_subcommands = true, after_help = ENVIRONMENT)]
pub struct Cli {
    /// Evaluate EXPR and print the value of its last form
    #[arg(short = 'e', long = "eval", value_name = "EXPR")]
    pub expression: Option<String>,
    /// What the program sees as its command line
    #[arg(
        value_name = "ARGS",
        requires = "expression",
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    pub arguments: Vec<String>,
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What `sx --version` prints behind the name.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

const ENVIRONMENT: &str = "Environment:\n  \
    SX_SERVING_JIT    1 or 0: native compilation on or off (default 1, for `server` 0)\n  \
    SX_JIT_DENY SX_JIT_ONLY  names of functions, with commas between and `*` for any text: these get no \
    native code; only these do\n  \
    SX_JIT_THRESHOLD  calls before a function is compiled (default 60)\n  \
    SX_JIT_LOG        1: a line on standard error for each function compiled, refused or given up\n  \
    SX_JIT_MEMORY     most bytes of native code, with K, M or G (default 64M)\n  \
    SX_JIT_PERF       map or dump: tells profilers of native code, in /tmp/perf-PID.map or ./jit-PID.dump\n  \
    SX_STORE          the store: a directory or a PostgreSQL URL; comes before SX_PERSIST_DIR\n  \
    SX_PROJECT_DIR    where a relative `load` looks after the working directory\n  \
    SX_MEMORY_LIMIT   most bytes a program's heap may take, with K, M or G (default 1G)\n  \
    SX_PROCESS_MEMORY  most bytes the heaps of all workers may take together, each an equal part (default 80 % of the memory there is)\n  \
    SX_PERSIST_DIR    the directory of the store: default persist-data for `serve`, none for other commands\n  \
    SX_HTTP_HOST      the address `http-listen` listens at (default 127.0.0.1)\n  \
    SX_PORT PORT      the port of `serve`, unless --port says (default 8000) and of `dream-run` (default 8080); the first counts\n  \
    SX_HTTP_REACHABLE  addresses and networks that programs may ask by HTTP though they are not public (default none)\n  \
    SX_TLS_CERT SX_TLS_KEY  files of certificates and their key, PEM: `http-listen` speaks https (feature tls)\n  \
    SX_TRUSTED_PROXIES  addresses and networks of proxies whose X-Forwarded-For and Forwarded count (default none)\n  \
    SX_ADMIN_ADDR     where `serve` tells how it is: host:port or the path of a socket (default admin.sock in the store's directory)\n  \
    SX_LOG            what is logged on standard error: error, warn, info, debug, trace (default warn)\n  \
    SX_LOG_FORMAT     text or json: how (default text)\n  \
    NO_COLOR          when set, no colour even on a terminal";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a program
    #[command(
        long_about = "Run a program: every form of FILE in order, output as it comes. An error is printed \
                      with its place and the calls that led there."
    )]
    Run(RunArgs),
    /// Read, evaluate, print, repeat
    #[command(
        long_about = "Read, evaluate, print, repeat. A form may span lines: it ends when its brackets close. \
                      Tab completes names and shows their documentation; `,help` lists the commands."
    )]
    Repl,
    /// Run tests: text cases, and suites of deftest and defsuite
    #[command(
        long_about = "Run tests. A file of text cases is code with its expectation in the same file (the format is \
                      in docs/testing.md); each case runs in a fresh isolate, once for every configuration. Any \
                      other file that holds a deftest or defsuite is a suite: it is evaluated, then its tests run \
                      in order, under the first configuration."
    )]
    Test(TestArgs),
    /// Lay programs out anew
    #[command(
        long_about = "Lay programs out anew, in place. Lines that were broken on purpose stay broken, comments and \
                      groups stay; what a program means never changes."
    )]
    Fmt(FmtArgs),
    /// Look for mistakes in programs without running them
    #[command(
        long_about = "Look for mistakes in programs without running them: names that nothing defines, wrong numbers of \
                      arguments, variables that nothing uses, clauses that are read another way than they look. Exit \
                      code 1 if anything was found."
    )]
    Check(CheckArgs),
    /// Show the documentation of a name
    Doc(DocArgs),
    /// Run a Datalog program
    #[command(
        long_about = "Run a Datalog program: facts, rules and questions. Nothing of SX need be known.",
        after_long_help = DATALOG
    )]
    Datalog(DatalogArgs),
    /// What native code a program got
    #[command(
        subcommand,
        long_about = "What native code a program got. The program runs first, as `sx run` would run it."
    )]
    Jit(JitCommand),
    /// Serve an application over HTTP
    #[command(
        long_about = "Serve an application over HTTP: the blog that comes with SX, or APP, a program that calls \
                      `http-listen` or defines `app`, a function from requests to responses. SIGTERM and Ctrl-C finish the requests under \
                      way, then end."
    )]
    Serve(ServeArgs),
    /// Obey commands on standard input (the epoch protocol)
    #[command(
        long_about = "Obey commands on standard input, a line each, and answer on standard output: the epoch \
                      protocol (docs/host.md). A binary whose name begins with sx_server does so without arguments."
    )]
    Server,
    /// Look after a durable store: count, verify, dump, restore, copy
    #[command(
        long_about = "Look after a durable store. STORE is a directory, or the URL of a PostgreSQL database \
                      (postgres://user:password@host:port/name); without one it is what SX_STORE says, then \
                      SX_PERSIST_DIR, then persist-data. A store that another process has open is not opened; the \
                      error names the process."
    )]
    Store(StoreArgs),
    /// Accounts of the blog: add, remove, list
    #[command(
        subcommand,
        long_about = "Accounts of the blog in a store, while nothing serves it: the store is what SX_STORE says, then \
                      SX_PERSIST_DIR, then persist-data."
    )]
    User(UserCommand),
    /// Tokens with which programs log in to the blog
    #[command(subcommand)]
    Token(TokenCommand),
}

/// What `sx jit` shows.
#[derive(Debug, Subcommand)]
pub enum JitCommand {
    /// What was compiled or refused and why, and where native code was left, how often
    Report {
        /// The program
        file: PathBuf,
        /// What the program sees as its command line
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Why one function is run as it is: what became of its code, what it met, where its code was left and why
    Explain {
        /// The name of the function
        function: String,
        /// The program
        file: PathBuf,
        /// What the program sees as its command line
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// The code of one function
    Dump {
        /// The name of the function
        function: String,
        /// The program that defines and uses it
        file: PathBuf,
        /// Which form of the code
        #[arg(long, value_enum, default_value_t = JitStage::Asm)]
        stage: JitStage,
    },
}

/// The forms code goes through.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum JitStage {
    /// The machine's instructions
    Bytecode,
    /// Its pieces: instructions, what is known of their operands, where they may be left
    Ir,
    /// What Cranelift gets
    Clif,
    /// What Cranelift makes of it
    Asm,
}

/// Arguments of `sx serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The program; without one the blog that comes with SX
    pub app: Option<PathBuf>,
    /// Where the blog, `app` and what calls `dream-run` are served, before SX_PORT, PORT and the program's own default; a
    /// program that calls `http-listen` names its port itself
    #[arg(long)]
    pub port: Option<u16>,
    /// Isolates, each on a thread of its own, whatever the program asks for; the blog has one for each core
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=256))]
    pub workers: Option<u64>,
    /// Run the program anew when a file of it changes, on the same socket
    #[arg(long, requires = "app")]
    pub watch: bool,
    /// Folder the program may read files from once it listens; may be given again
    #[arg(long, value_name = "DIR", default_value = "static")]
    pub assets: Vec<PathBuf>,
}

/// What a Datalog program looks like.
const DATALOG: &str = "A program:\n\n  \
    parent(tom, bob).  parent(bob, ann).             % facts\n  \
    ancestor(X, Y) :- parent(X, Y).                  % variables begin with an upper case letter\n  \
    ancestor(X, Z) :- parent(X, Y), ancestor(Y, Z).\n  \
    childless(X) :- parent(_, X), !parent(X, _).     % also not(parent(X, _))\n  \
    children(X, N) :- parent(X, _), count(N, Y, parent(X, Y)).\n  \
    ?- ancestor(tom, X).                             % prints bob and ann\n\n\
    `.decl edge(x:number, y:symbol)` declares columns, `.input edge` reads edge.facts (tabs) or edge.csv, \
    `.output path` writes a relation, `.printsize path` says how many tuples it has. `<` `<=` `>` `>=` `=` `!=` \
    compare, `Y is X + 1` computes; the aggregates are count, sum, min, max and findall.\n\n\
    In a column declared a symbol the atom tom, the string \"tom\" and the cell tom of a file are one value. In a \
    column that is not declared a cell is a number if programs write it so (-3, 1.5, 2e3), else a string, and tom \
    is another value. Cells of a csv file may stand in quotes (RFC 4180); there they are text.";

/// Arguments of `sx run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// The program is Scheme (R7RS), as that in a file whose name ends in .scm .sld .ss .sch is
    #[arg(long)]
    pub r7rs: bool,
    /// The program; `-` reads it from standard input
    pub file: PathBuf,
    /// What the program sees as its command line
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub arguments: Vec<String>,
}

/// Arguments of `sx test`.
#[derive(Debug, Args)]
pub struct TestArgs {
    /// A file of cases or tests, or a directory of them
    #[arg(default_value = "tests")]
    pub path: PathBuf,
    /// Write what happened into the files as what is expected
    #[arg(long)]
    pub bless: bool,
    /// Run only the tests whose name contains TEXT
    #[arg(long, value_name = "TEXT")]
    pub filter: Option<String>,
    /// Run only this configuration
    #[arg(long, value_name = "NAME")]
    pub config: Option<String>,
    /// Write the results to FILE, in the XML that build servers read
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
}

/// Arguments of `sx fmt`.
#[derive(Debug, Args)]
pub struct FmtArgs {
    /// Files, or directories of them; from standard input to standard output when there are none
    pub paths: Vec<PathBuf>,
    /// Change nothing: print the files that would change, exit code 1 if there are any
    #[arg(long)]
    pub check: bool,
}

/// Arguments of `sx check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Files, or directories of them; `-` reads standard input
    #[arg(required = true)]
    pub paths: Vec<PathBuf>,
    /// Also tell where the existing host does something else (docs/compat.md)
    #[arg(long)]
    pub compat: bool,
}

/// Arguments of `sx doc`.
#[derive(Debug, Args)]
pub struct DocArgs {
    /// The name of a function, macro or special form
    #[arg(allow_hyphen_values = true)]
    pub name: String,
}

/// Arguments of `sx datalog`.
#[derive(Debug, Args)]
pub struct DatalogArgs {
    /// The program
    pub file: PathBuf,
    /// Read REL.facts or REL.csv of DIR for every relation that has one; without it `.input` looks here
    #[arg(short = 'F', value_name = "DIR")]
    pub facts: Option<PathBuf>,
    /// Write each `.output` relation, sorted, to DIR/REL.csv, which `-F` reads; `-`, the default, is
    /// standard output, with tabs
    #[arg(short = 'D', value_name = "DIR|-")]
    pub output: Option<PathBuf>,
    /// Show why a fact holds, such as 'ancestor(tom, ann)'; may be given several times
    #[arg(long, value_name = "FACT")]
    pub explain: Vec<String>,
    /// Tell what each rule has cost, on standard error
    #[arg(long)]
    pub profile: bool,
}

/// The page `docs/cli.md`.
pub fn reference() -> String {
    let mut cli = Cli::command().term_width(96);
    cli.build();
    let mut page = String::from(
        "# Command line\n\nMade from the table the program parses its command line with \
         (`cargo run -p xtask -- docs`).\n",
    );
    section(&mut page, &mut cli);
    let names: Vec<String> = cli
        .get_subcommands()
        .map(|command| command.get_name().to_owned())
        .filter(|name| name != "help")
        .collect();
    for name in names {
        if let Some(command) = cli.find_subcommand_mut(&name) {
            section(&mut page, command);
            let inner = command.get_subcommands_mut().filter(|inner| inner.get_name() != "help");
            inner.for_each(|inner| section(&mut page, inner));
        }
    }
    page
}

fn section(page: &mut String, command: &mut clap::Command) {
    let title = command.get_bin_name().unwrap_or(command.get_name()).to_owned();
    let help = command.render_long_help().to_string();
    let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
    // Writing to a string cannot fail.
    let _ = write!(page, "\n## {title}\n\n```text\n{}\n```\n", lines.join("\n").trim_end());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn arguments_of_the_program_are_not_ours() {
        let cli = Cli::try_parse_from(["sx", "run", "a.sx", "--bless", "-e"]).expect("parses");
        let Some(Command::Run(run)) = cli.command else {
            panic!("not a run: {cli:?}");
        };
        assert_eq!(run.arguments, ["--bless", "-e"]);
    }

    #[test]
    fn the_page_has_a_section_for_each_command() {
        let page = reference();
        for name in [
            "sx run",
            "sx repl",
            "sx test",
            "sx fmt",
            "sx check",
            "sx doc",
            "sx datalog",
            "sx serve",
            "sx server",
            "sx user add",
            "sx token add",
        ] {
            assert!(page.contains(&format!("## {name}\n")), "{name}");
        }
    }
}
