//! `serving`: measures servers that answer the same routes, SX beside axum and Node. `--help` says how.
//!
//! The server runs on one core and `wrk` on another; what counts is the CPU the server takes for a
//! request, from /proc. Wall time says nothing on a shared machine. Answers are checked first.

use std::fmt::Write as _;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};
use sx_benches::report::median;

const HELP: &str = "\
serving: measure servers on the same routes (Linux, needs wrk and taskset)

  --systems NAME[,NAME…] of sx,sx-interp,axum,node (default: those that can be had)
  --runs N               rounds, all systems taking turns (default 5)
  --seconds S            of load on each route in each round (default 3)
  --sx PATH              this binary (default target/release/sx)
  --no-extra             only the routes: no waiting handlers, no writes, no second isolate
  --out DIR              where serving.json goes (default benches/results); `-` writes none

axum is built by cargo on the first run; Node reads keys if `npm install better-sqlite3` was run in
benches/peers/serving/node. Exit code 1 when an answer is wrong.
";

/// A route: what it is called, its path, and how many times axum's CPU SX may take.
const ROUTES: [(&str, &str, f64); 3] = [("hello", "/", 2.0), ("page50", "/list", 3.5), ("kv", "/kv/k77", 2.2)];
const KV: &str = "value number 77 with some payload text";
const PORT: u16 = 9177;
/// Handlers that wait at once.
const WAITING: usize = 10_000;

struct Options {
    systems: Option<Vec<String>>,
    runs: usize,
    seconds: u32,
    sx: PathBuf,
    extra: bool,
    out: Option<PathBuf>,
}

/// A server: its name, its command, and the environment that goes with it.
struct System {
    name: &'static str,
    argv: Vec<String>,
    env: Vec<(&'static str, String)>,
}

/// What was measured of a system in all rounds.
#[derive(Default)]
struct Figures {
    micros: [Vec<f64>; ROUTES.len()],
    start_ms: Vec<f64>,
    idle_mb: Vec<f64>,
    loaded_mb: Vec<f64>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--help") {
        print!("{HELP}");
        return ExitCode::SUCCESS;
    }
    let outcome = parse(&arguments)
        .map_err(io::Error::other)
        .and_then(|options| run(&options));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("serving: {error}");
            ExitCode::FAILURE
        }
    }
}

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn parse(arguments: &[String]) -> Result<Options, String> {
    let mut options = Options {
        systems: None,
        runs: 5,
        seconds: 3,
        sx: here().join("../target/release/sx"),
        extra: true,
        out: Some(here().join("results")),
    };
    let mut rest = arguments.iter();
    while let Some(flag) = rest.next() {
        let mut value = || rest.next().cloned().ok_or_else(|| format!("{flag} wants a value"));
        let number = |text: String| text.parse::<u32>().map_err(|_| format!("{text} is no number"));
        match flag.as_str() {
            "--systems" => options.systems = Some(value()?.split(',').map(str::to_owned).collect()),
            "--runs" => options.runs = number(value()?)?.max(1) as usize,
            "--seconds" => options.seconds = number(value()?)?.max(1),
            "--sx" => options.sx = PathBuf::from(value()?),
            "--no-extra" => options.extra = false,
            "--out" => options.out = Some(value()?).filter(|out| out != "-").map(PathBuf::from),
            _ => return Err(format!("what is {flag}?")),
        }
    }
    Ok(options)
}

fn run(options: &Options) -> io::Result<()> {
    let scratch = here().join("../target/serving");
    std::fs::create_dir_all(&scratch)?;
    let systems = systems(options, &scratch)?;
    let mut figures: Vec<Figures> = systems.iter().map(|_| Figures::default()).collect();
    for round in 0..options.runs {
        for (system, figures) in systems.iter().zip(&mut figures) {
            eprintln!("round {} of {}: {}", round + 1, options.runs, system.name);
            measure(system, figures, options.seconds, &scratch)?;
        }
    }
    let table = table(&systems, &figures);
    println!("{table}");
    let mut extra = Vec::new();
    if options.extra
        && let Some(sx) = systems.iter().find(|system| system.name == "sx")
    {
        extra = vec![waiting(sx, &scratch)?, writes(sx, options.seconds, &scratch)?];
        extra.push(isolates()?);
        extra.iter().for_each(|(line, _)| println!("{line}"));
    }
    if let Some(out) = &options.out {
        std::fs::create_dir_all(out)?;
        std::fs::write(out.join("serving.json"), json(&systems, &figures, &extra, options.runs))?;
    }
    Ok(())
}

// --- systems ------------------------------------------------------------------------------------

fn systems(options: &Options, scratch: &Path) -> io::Result<Vec<System>> {
    let peers = here().join("peers/serving");
    let path = |path: PathBuf| path.display().to_string();
    let sx = path(std::fs::canonicalize(&options.sx)?);
    let app = path(peers.join("sx/app.sx"));
    let served = |name, jit: &str| System {
        name,
        argv: vec![sx.clone(), "serve".to_owned(), app.clone()],
        env: vec![("SX_SERVING_JIT", jit.to_owned())],
    };
    let wants = |name: &str| match &options.systems {
        Some(names) => names.iter().any(|known| known == name),
        None => true,
    };
    let mut systems = vec![served("sx", "1"), served("sx-interp", "0")];
    systems.retain(|system| wants(system.name));
    if wants("axum") {
        let target = scratch.join("axum");
        let built = Command::new("cargo")
            .args(["build", "-q", "--release", "--manifest-path"])
            .arg(peers.join("axum/Cargo.toml"))
            .env("CARGO_TARGET_DIR", &target)
            .status()?;
        if !built.success() {
            return Err(io::Error::other("axum does not build"));
        }
        systems.push(System {
            name: "axum",
            argv: vec![path(target.join("release/axum-peer"))],
            env: vec![],
        });
    }
    if wants("node") && Command::new("node").arg("--version").output().is_ok() {
        systems.push(System {
            name: "node",
            argv: vec!["node".to_owned(), path(peers.join("node/server.cjs"))],
            env: vec![],
        });
    }
    Ok(systems)
}

/// A server that runs, on the first core.
struct Running {
    child: Child,
    start_ms: f64,
}

impl Running {
    fn start(system: &System, scratch: &Path) -> io::Result<Running> {
        let data = scratch.join(format!("data-{}", system.name));
        let _ = std::fs::remove_dir_all(&data);
        std::fs::create_dir_all(&data)?;
        let log = std::fs::File::create(scratch.join(format!("{}.log", system.name)))?;
        let began = Instant::now();
        let child = Command::new("sh")
            .args(["-c", r#"ulimit -n 65536 2>/dev/null; exec taskset -c 0 "$0" "$@""#])
            .args(&system.argv)
            .envs(system.env.iter().map(|(name, value)| (name, value)))
            .env("PORT", PORT.to_string())
            .env("DB", &data)
            .env("SX_PERSIST_DIR", &data)
            .env_remove("SX_STORE")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let mut running = Running { child, start_ms: 0.0 };
        while get("/").is_err() {
            if let Some(status) = running.child.try_wait()? {
                let log = scratch.join(format!("{}.log", system.name));
                return Err(io::Error::other(format!(
                    "{} ended: {status}, see {}",
                    system.name,
                    log.display()
                )));
            }
            if began.elapsed() > Duration::from_secs(30) {
                return Err(io::Error::other(format!("{} does not answer", system.name)));
            }
            std::thread::sleep(Duration::from_micros(500));
        }
        running.start_ms = began.elapsed().as_secs_f64() * 1000.0;
        Ok(running)
    }

    /// CPU seconds so far, all threads.
    fn cpu_s(&self) -> io::Result<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
        let ticks = |index: usize| {
            fields
                .get(index)
                .and_then(|text| text.parse::<f64>().ok())
                .unwrap_or(0.0)
        };
        // Fields 14 and 15 of the line, of which two stand before the bracket; a tick is 10 ms.
        Ok((ticks(11) + ticks(12)) / 100.0)
    }

    fn resident_mb(&self) -> io::Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .unwrap_or("0");
        let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse().unwrap_or(0.0);
        Ok(kilobytes / 1024.0)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The body of an answer with status 200.
fn get(path: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", PORT))?;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    match head.starts_with("HTTP/1.1 200") {
        true => Ok(body.to_owned()),
        false => Err(io::Error::other(format!("{path}: {head}"))),
    }
}

/// Loads a route; requests answered.
fn load(path: &str, connections: usize, seconds: u32) -> io::Result<f64> {
    let url = format!("http://127.0.0.1:{PORT}{path}");
    let output = Command::new("taskset")
        .args([
            "-c",
            "1",
            "wrk",
            "-t1",
            &format!("-c{connections}"),
            &format!("-d{seconds}s"),
            &url,
        ])
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if text.contains("Non-2xx") || text.contains("Socket errors") {
        return Err(io::Error::other(format!("{path}: {text}")));
    }
    let line = text.lines().find(|line| line.contains("requests in"));
    let count = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    count.ok_or_else(|| io::Error::other(format!("wrk: {text}{}", String::from_utf8_lossy(&output.stderr))))
}

fn check(system: &System) -> io::Result<()> {
    let wrong = |route: &str, body: &str| io::Error::other(format!("{} answers {route} with {body:?}", system.name));
    let hello = get("/")?;
    if hello != "Hello, World!" {
        return Err(wrong("/", &hello));
    }
    let page = get("/list")?;
    let items = page.matches("<li><a href=\"/post/").count();
    if items != 50 || !page.contains("Post &lt;49&gt; &amp; friends</a> by <em>author0</em>") {
        return Err(wrong("/list", &page));
    }
    match get("/kv/k77") {
        Ok(value) if value != KV => Err(wrong("/kv/k77", &value)),
        _ => Ok(()),
    }
}

/// One round of a system.
fn measure(system: &System, figures: &mut Figures, seconds: u32, scratch: &Path) -> io::Result<()> {
    let running = Running::start(system, scratch)?;
    check(system)?;
    figures.start_ms.push(running.start_ms);
    figures.idle_mb.push(running.resident_mb()?);
    for (index, (_, path, _)) in ROUTES.iter().enumerate() {
        if get(path).is_err() {
            continue;
        }
        load(path, 64, 1)?;
        let before = running.cpu_s()?;
        let count = load(path, 64, seconds)?;
        figures.micros[index].push((running.cpu_s()? - before) * 1e6 / count);
    }
    figures.loaded_mb.push(running.resident_mb()?);
    Ok(())
}

// --- what only SX is asked ----------------------------------------------------------------------

/// A line for people, and the same for programs.
type Extra = (String, String);

/// Ten thousand handlers that wait at once.
fn waiting(sx: &System, scratch: &Path) -> io::Result<Extra> {
    let running = Running::start(sx, scratch)?;
    let idle = running.resident_mb()?;
    let mut streams = Vec::with_capacity(WAITING);
    for _ in 0..WAITING {
        let mut stream = TcpStream::connect(("127.0.0.1", PORT))?;
        stream.write_all(b"GET /wait HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")?;
        streams.push(stream);
    }
    let mut most = running.resident_mb()?;
    let mut answered = 0;
    for mut stream in streams {
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        answered += usize::from(answer.ends_with("done"));
        if answered % 500 == 0 {
            most = most.max(running.resident_mb()?);
        }
    }
    let more = most - idle;
    if answered != WAITING {
        return Err(io::Error::other(format!(
            "{answered} of {WAITING} handlers that waited have answered"
        )));
    }
    Ok((
        format!("{WAITING} handlers waiting at once: all answered, {more:.0} MB more than idle (at most 128)"),
        format!("\"waiting\": {{\"handlers\": {WAITING}, \"more_mb\": {more:.1}}}"),
    ))
}

/// Durable writes beside what the disk does.
fn writes(sx: &System, seconds: u32, scratch: &Path) -> io::Result<Extra> {
    let raw = syncs_per_second(scratch)?;
    let running = Running::start(sx, scratch)?;
    let rate = |clients| load("/put/k", clients, seconds).map(|count| count / f64::from(seconds));
    let (one, sixteen) = (rate(1)?, rate(16)?);
    drop(running);
    let raw = (raw + syncs_per_second(scratch)?) / 2.0;
    Ok((
        format!(
            "durable writes: {raw:.0} raw syncs a second, {one:.0} commits from one client ({:.2} × their time; at most 1.15), \
             {sixteen:.0} from sixteen ({:.1} × one; at least 8)",
            raw / one,
            sixteen / one
        ),
        format!("\"writes\": {{\"raw\": {raw:.1}, \"one\": {one:.1}, \"sixteen\": {sixteen:.1}}}"),
    ))
}

/// How often the disk can be told to keep a page, in a second.
fn syncs_per_second(scratch: &Path) -> io::Result<f64> {
    let path = scratch.join("raw");
    let mut file = std::fs::File::create(&path)?;
    file.write_all(&[0; 1 << 20])?;
    file.sync_all()?;
    let (began, mut count) = (Instant::now(), 0u32);
    while began.elapsed() < Duration::from_secs(2) {
        file.seek(SeekFrom::Start(u64::from(count % 256) * 4096))?;
        file.write_all(&[count as u8; 4096])?;
        file.sync_data()?;
        count += 1;
    }
    std::fs::remove_file(path)?;
    Ok(f64::from(count) / began.elapsed().as_secs_f64())
}

/// Two isolates on two threads beside one, each call a millisecond of CPU or more.
fn isolates() -> io::Result<Extra> {
    let rates = [1, 2].map(|threads| {
        let workers: Vec<_> = (0..threads).map(|_| std::thread::spawn(calls_per_second)).collect();
        let rates = workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or(Err("a panic".to_owned())));
        rates.sum::<Result<f64, String>>()
    });
    let [one, two] = rates;
    let (one, two) = (one.map_err(io::Error::other)?, two.map_err(io::Error::other)?);
    Ok((
        format!("two isolates: {:.2} × the calls of one (at least 1.6)", two / one),
        format!("\"isolates\": {{\"one\": {one:.1}, \"two\": {two:.1}}}"),
    ))
}

const WORK: &str = "(define (down n) (if (= n 0) 0 (+ 1 (down (- n 1)))))
    (define (work) (reduce + 0 (map (fn (i) (down 200)) (range 0 200))))";

fn calls_per_second() -> Result<f64, String> {
    let say = |error: sx::Error| error.message.clone();
    let mut isolate = sx::Engine::new().isolate().map_err(say)?;
    isolate.eval(WORK).map_err(say)?;
    let (began, mut count) = (Instant::now(), 0u32);
    while began.elapsed() < Duration::from_secs(3) {
        let value: i64 = isolate.call("work", ()).map_err(say)?;
        if value != 40_000 {
            return Err(format!("the work came to {value}"));
        }
        count += 1;
    }
    Ok(f64::from(count) / began.elapsed().as_secs_f64())
}

// --- results ------------------------------------------------------------------------------------

fn table(systems: &[System], figures: &[Figures]) -> String {
    let axum = systems.iter().position(|system| system.name == "axum");
    let limit = |index: usize| axum.and_then(|axum| median(&figures[axum].micros[index]));
    let mut text = String::from("| |");
    for (name, _, _) in ROUTES {
        let _ = write!(text, " {name} µs |");
    }
    text.push_str(" cold start ms | MB idle | MB loaded |\n|---|");
    text.push_str(&"---:|".repeat(ROUTES.len() + 3));
    for (system, figures) in systems.iter().zip(figures) {
        let _ = write!(text, "\n| {} |", system.name);
        for index in 0..ROUTES.len() {
            let _ = match (median(&figures.micros[index]), limit(index)) {
                (Some(micros), Some(limit)) => write!(text, " {micros:.1} ({:.2} ×) |", micros / limit),
                (Some(micros), None) => write!(text, " {micros:.1} |"),
                (None, _) => write!(text, " – |"),
            };
        }
        for values in [&figures.start_ms, &figures.idle_mb, &figures.loaded_mb] {
            let _ = write!(text, " {:.0} |", median(values).unwrap_or(0.0));
        }
    }
    text.push('\n');
    if let (Some(sx), Some(_)) = (systems.iter().position(|system| system.name == "sx"), axum) {
        for (index, (name, _, most)) in ROUTES.iter().enumerate() {
            if let (Some(micros), Some(limit)) = (median(&figures[sx].micros[index]), limit(index)) {
                let met = if micros <= most * limit { "  met " } else { "  MISSED" };
                let _ = write!(text, "\n{met} {name}: at most {most} × axum ({:.2} ×)", micros / limit);
            }
        }
        text.push('\n');
    }
    text
}

fn json(systems: &[System], figures: &[Figures], extra: &[Extra], runs: usize) -> String {
    let list = |values: &[f64]| {
        let shown: Vec<String> = values.iter().map(|value| format!("{value:.2}")).collect();
        format!("[{}]", shown.join(", "))
    };
    let rows = systems.iter().zip(figures).map(|(system, figures)| {
        let routes = ROUTES.iter().zip(&figures.micros);
        let routes: Vec<String> = routes
            .map(|((name, _, _), values)| format!("\"{name}\": {}", list(values)))
            .collect();
        format!(
            "    {{\"name\": \"{}\", \"cpu_us\": {{{}}}, \"start_ms\": {}, \"idle_mb\": {}, \"loaded_mb\": {}}}",
            system.name,
            routes.join(", "),
            list(&figures.start_ms),
            list(&figures.idle_mb),
            list(&figures.loaded_mb)
        )
    });
    let rows: Vec<String> = rows.collect();
    let extra: String = extra.iter().map(|(_, json)| format!(",\n  {json}")).collect();
    format!(
        "{{\n  \"runs\": {runs},\n  \"systems\": [\n{}\n  ]{extra}\n}}\n",
        rows.join(",\n")
    )
}
