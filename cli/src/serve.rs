//! `sx serve APP`, `sx server`, and programs that `sx run` runs: what of the environment and the
//! command line becomes an `App` or a session.
//!
//! Deliberately absent: serving itself; that is the crate `serve`.

use crate::args::ServeArgs;
use crate::files::read_source;
use crate::run::complain;
use crate::session::{self, exit_code};
use crate::{FAILED, SUCCESS, USAGE, print};
use std::ffi::OsString;
use std::io::{BufReader, stderr, stdin, stdout};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use sx::{Access, Engine, Isolate, Native, RealHost, Source};
use sx_serve::{App, Edge, Limits, epoch, log};
use sx_store::Store;

/// The variable that names the address to listen at.
const HOST: &str = "SX_HTTP_HOST";
/// The variable that says what is logged.
const LOG: &str = "SX_LOG";

/// Is this the command line of a binary that was installed as `sx_server`?
pub fn is_server(arguments: &[OsString]) -> bool {
    let [program] = arguments else { return false };
    let name = Path::new(program).file_name().unwrap_or_default();
    name.to_string_lossy().starts_with("sx_server")
}

/// The variables that name the store: a directory or a PostgreSQL URL, and a directory.
const STORE: [&str; 2] = ["SX_STORE", "SX_PERSIST_DIR"];

/// The store the environment names, else the one in the given directory.
fn open_store(otherwise: Option<&str>) -> Result<Option<Arc<dyn Store>>, String> {
    let set = |name: &str| std::env::var(name).ok().filter(|place| !place.is_empty());
    let named = STORE.into_iter().find_map(set);
    let Some(place) = named.as_deref().or(otherwise) else {
        return Ok(None);
    };
    sx_store::open(place).map(Some).map_err(|error| error.to_string())
}

/// Talks to a parent process.
pub fn server() -> u8 {
    let options = match log_and_options(Native::Off) {
        Ok(options) => options,
        Err(message) => return complain(&message, USAGE),
    };
    let store = match open_store(None) {
        Ok(store) => store,
        Err(message) => return complain(&message, FAILED),
    };
    let engine = Engine::with(options);
    let new_isolate = move || {
        // Replies alone go to standard output.
        let host = RealHost::with_output(Access::Unrestricted, Box::new(stderr()));
        let mut isolate = engine.isolate_on(Box::new(host)).map_err(|error| error.to_string())?;
        session::equip(&mut isolate, &[]);
        Ok(isolate)
    };
    let (mut input, mut output) = (BufReader::new(stdin()), stdout());
    match epoch::serve(&mut input, &mut output, Box::new(new_isolate), Edge::with_store(store)) {
        Ok(()) => SUCCESS,
        Err(message) => complain(&message, FAILED),
    }
}

/// Serves an application.
pub fn serve(args: &ServeArgs) -> u8 {
    let read = args.app.as_ref().map_or_else(|| Ok(blog()), |path| read_source(path));
    let source = match read {
        Ok(source) => source,
        Err(message) => return complain(&message, FAILED),
    };
    let options = match log_and_options(Native::Hot) {
        Ok(options) => options,
        Err(message) => return complain(&message, USAGE),
    };
    let store = match open_store(Some("persist-data")) {
        Ok(store) => store,
        Err(message) => return complain(&message, FAILED),
    };
    let command_line = vec![source.name.clone()];
    let app = App {
        port: Some(args.port),
        workers: args.workers.map(|workers| workers as usize),
        access: Some(Access::ReadBelow(args.assets.clone())),
        store,
        bound: Box::new(|address| print::error_text(&format!("listening on {}\n", url(address)))),
        ..app(Engine::with(options), source, move |isolate, _| {
            session::equip(isolate, &command_line);
        })
    };
    exit_code(app.prepare().and_then(sx_serve::Prepared::run))
}

/// The program of the bundled blog: all of it is a library.
fn blog() -> Arc<Source> {
    Source::new("<blog>", "(load \"lib/host/host.sx\")\n(host/start!)\n")
}

/// Runs a program that may listen.
pub fn run(source: Arc<Source>, command_line: Vec<String>) -> u8 {
    let options = match log_and_options(Native::Hot) {
        Ok(options) => options,
        Err(message) => return complain(&message, USAGE),
    };
    let store = match open_store(None) {
        Ok(store) => store,
        Err(message) => return complain(&message, FAILED),
    };
    let interrupts = session::Interrupts::default();
    let app = App {
        store,
        bound: Box::new(|address| print::error_text(&format!("listening on {}\n", url(address)))),
        ..app(Engine::with(options), source, move |isolate, is_first| {
            session::equip(isolate, &command_line);
            if is_first {
                interrupts.watch(isolate.interrupt_handle());
            }
        })
    };
    exit_code(app.prepare().and_then(sx_serve::Prepared::run))
}

/// A program as the environment says it shall be run.
fn app(engine: Engine, source: Arc<Source>, equip: impl Fn(&mut Isolate, bool) + Send + Sync + 'static) -> App {
    App {
        engine,
        equip: Box::new(equip),
        access: None,
        store: None,
        source,
        port: None,
        host: std::env::var(HOST).unwrap_or_else(|_| "127.0.0.1".to_owned()),
        limits: Limits::default(),
        workers: None,
        bound: Box::new(|_| {}),
    }
}

fn url(address: SocketAddr) -> String {
    format!("http://{address}")
}

fn log_and_options(native_default: Native) -> Result<sx::Options, String> {
    let level = std::env::var(LOG).unwrap_or_else(|_| "warn".to_owned());
    if !log::start(&level) {
        return Err(format!(
            "{LOG}: expected error, warn, info, debug or trace, got `{level}`"
        ));
    }
    session::options_with(native_default)
}
