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
use std::path::{Path, PathBuf};
use std::sync::Arc;
use sx::{Access, Engine, Error, Isolate, Native, RealHost, Source, Value};
use sx_serve::app::Reread;
use sx_serve::edge::Texts;
use sx_serve::{Admin, App, Edge, Networks, Tls, Trusted, epoch, log, memory};
use sx_store::Store;

/// The variable that names the address to listen at.
const HOST: &str = "SX_HTTP_HOST";
/// The variables that name the port, the first that is set.
const PORT: [&str; 2] = ["SX_PORT", "PORT"];
/// The variable that names the proxies that are believed.
const TRUSTED: &str = "SX_TRUSTED_PROXIES";
/// The variable that names the addresses that programs may reach though they are not public.
const REACHABLE: &str = "SX_HTTP_REACHABLE";
/// The variables that name the server's certificates and their key.
const TLS: [&str; 2] = ["SX_TLS_CERT", "SX_TLS_KEY"];
/// The variable that names the place of the admin listener.
const ADMIN: &str = "SX_ADMIN_ADDR";
/// The variable that says how much memory all heaps together may take.
const MEMORY: &str = "SX_PROCESS_MEMORY";
/// The variable that says what is logged.
const LOG: &str = "SX_LOG";
/// The variable that says how.
const LOG_FORMAT: &str = "SX_LOG_FORMAT";

/// Is this the command line of a binary that was installed as `sx_server`?
pub fn is_server(arguments: &[OsString]) -> bool {
    let [program] = arguments else { return false };
    let name = Path::new(program).file_name().unwrap_or_default();
    name.to_string_lossy().starts_with("sx_server")
}

/// The variables that name the store: a directory or a PostgreSQL URL, and a directory.
const STORE: [&str; 2] = ["SX_STORE", "SX_PERSIST_DIR"];

/// The networks that a variable names.
fn networks(name: &str) -> Result<Networks, String> {
    let text = std::env::var(name).unwrap_or_default();
    text.parse().map_err(|wrong| format!("{name}: {wrong}"))
}

/// The directory of a store that nobody named.
pub const DIRECTORY: &str = "persist-data";

/// A variable of the environment, if there is something in it.
fn set(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.is_empty())
}

/// The store the environment names, else the one in the given directory.
fn open_store(otherwise: Option<&str>) -> Result<Option<Arc<dyn Store>>, String> {
    let named = STORE.into_iter().find_map(set);
    let Some(place) = named.as_deref().or(otherwise) else {
        return Ok(None);
    };
    sx_store::open(place).map(Some).map_err(|error| error.to_string())
}

/// Makes a store of what the older host has left in its directory, if there is no store yet.
fn import_old() -> Result<(), String> {
    let place = STORE.into_iter().find_map(set).unwrap_or_else(|| DIRECTORY.to_owned());
    if is_shared(&place) {
        return Ok(());
    }
    let imported = sx_store::import_beside(Path::new(&place), &mut Texts);
    if let Some(moved) = imported.map_err(|error| format!("import of {place}: {error}"))? {
        print::error_text(&format!(
            "imported {moved} from the files in {place}, which stay as they are\n"
        ));
    }
    Ok(())
}

fn is_shared(place: &str) -> bool {
    place.starts_with("postgres://") || place.starts_with("postgresql://")
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
    let reachable = match networks(REACHABLE) {
        Ok(reachable) => reachable,
        Err(message) => return complain(&message, USAGE),
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
    let edge = Edge::with_store(store).reaching(reachable);
    match epoch::serve(&mut input, &mut output, Box::new(new_isolate), edge) {
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
    let store = match import_old().and_then(|()| open_store(Some(DIRECTORY))) {
        Ok(store) => store,
        Err(message) => return complain(&message, FAILED),
    };
    let mut command_line = vec![source.name.clone()];
    if let Some(port) = args.port {
        command_line.extend(["--port".to_owned(), port.to_string()]);
    }
    let equip = move |isolate: &mut Isolate, _| session::equip(isolate, &command_line);
    let app = app(Engine::with(options), source, equip).and_then(|app| Ok((app, admin()?, port(args)?)));
    let (app, admin, port) = match app {
        Ok(all) => all,
        Err(message) => return complain(&message, USAGE),
    };
    let told = app.bound;
    let asked = args.port.filter(|port| *port != 0);
    let app = App {
        port: Some(port),
        bound: Box::new(move |address| {
            told(address);
            if let Some(port) = asked.filter(|port| *port != address.port()) {
                print::error_text(&format!(
                    "the program names its port itself, not the {port} of --port\n"
                ));
            }
        }),
        workers: workers(args),
        admin,
        reread: args.app.clone().filter(|_| args.watch).map(|path| {
            let reread: Reread = Box::new(move || read_source(&path));
            reread
        }),
        access: Some(Access::ReadBelow(args.assets.clone())),
        store,
        ..app
    };
    exit_code(app.prepare().and_then(sx_serve::Prepared::run))
}

/// The port of a program that does not listen itself. Libraries that listen for a program decide likewise.
fn port(args: &ServeArgs) -> Result<u16, String> {
    if let Some(port) = args.port {
        return Ok(port);
    }
    match PORT.into_iter().find_map(|name| Some((name, set(name)?))) {
        None => Ok(8000),
        Some((name, text)) => {
            let wrong = |_| format!("{name}: a port is a number from 0 to 65535, got `{text}`");
            text.parse().map_err(wrong)
        }
    }
}

/// Where the server tells how it is: beside an embedded store if nothing else was said.
fn admin() -> Result<Option<Admin>, String> {
    if let Some(place) = set(ADMIN) {
        return place.parse().map(Some).map_err(|wrong| format!("{ADMIN}: {wrong}"));
    }
    let store = STORE.into_iter().find_map(set).unwrap_or_else(|| DIRECTORY.to_owned());
    let own = !is_shared(&store);
    Ok(own.then(|| Admin::In(PathBuf::from(store))))
}

/// The blog keeps everything in the store, so that it can have a worker for each core; a program may
/// keep things in its memory and gets what it asks for.
fn workers(args: &ServeArgs) -> Option<usize> {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    match (args.workers, &args.app) {
        (Some(workers), _) => usize::try_from(workers).ok(),
        (None, None) => Some(cores()),
        (None, Some(_)) => None,
    }
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
    let equip = move |isolate: &mut Isolate, is_first| {
        session::equip(isolate, &command_line);
        if is_first {
            interrupts.watch(isolate.interrupt_handle());
        }
    };
    let app = match app(Engine::with(options), source, equip) {
        Ok(app) => App { store, ..app },
        Err(message) => return complain(&message, USAGE),
    };
    exit_code(app.prepare().and_then(sx_serve::Prepared::run))
}

/// Runs a program of ours over the store the environment names, else the one `serve` would open.
pub fn with_store(source: Arc<Source>, command_line: Vec<String>) -> Result<Result<Value, Error>, String> {
    let options = log_and_options(Native::Off)?;
    let store = open_store(Some(DIRECTORY))?;
    let interrupts = session::Interrupts::default();
    let equip = move |isolate: &mut Isolate, _| {
        session::equip(isolate, &command_line);
        interrupts.watch(isolate.interrupt_handle());
    };
    let app = App {
        store,
        ..app(Engine::with(options), source, equip)?
    };
    Ok(app.prepare().and_then(sx_serve::Prepared::run))
}

/// A program as the environment says it shall be run.
fn app(
    engine: Engine,
    source: Arc<Source>,
    equip: impl Fn(&mut Isolate, bool) + Send + Sync + 'static,
) -> Result<App, String> {
    let tls = tls()?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    Ok(App {
        equip: Box::new(equip),
        host: std::env::var(HOST).unwrap_or_else(|_| "127.0.0.1".to_owned()),
        trusted: Trusted(networks(TRUSTED)?),
        reachable: networks(REACHABLE)?,
        memory_cap: memory_cap()?,
        bound: Box::new(move |address| print::error_text(&format!("listening on {scheme}://{address}\n"))),
        tls,
        ..App::new(engine, source)
    })
}

/// What the environment says all heaps together may take, else most of the memory there is.
fn memory_cap() -> Result<Option<usize>, String> {
    match set(MEMORY) {
        Some(_) => session::bytes(MEMORY),
        None => Ok(memory::usual_cap()),
    }
}

/// The certificates that the environment names.
fn tls() -> Result<Option<Tls>, String> {
    match TLS.map(set) {
        [None, None] => Ok(None),
        [Some(certificates), Some(key)] => Tls::read(Path::new(&certificates), Path::new(&key)).map(Some),
        _ => Err(format!("{} and {} go together", TLS[0], TLS[1])),
    }
}

fn log_and_options(native_default: Native) -> Result<sx::Options, String> {
    let level = std::env::var(LOG).unwrap_or_else(|_| "warn".to_owned());
    let format = std::env::var(LOG_FORMAT).unwrap_or_else(|_| "text".to_owned());
    let as_json = match format.as_str() {
        "text" => false,
        "json" => true,
        other => return Err(format!("{LOG_FORMAT}: expected text or json, got `{other}`")),
    };
    if !log::start(&level, as_json) {
        return Err(format!(
            "{LOG}: expected error, warn, info, debug or trace, got `{level}`"
        ));
    }
    session::options_with(native_default)
}
