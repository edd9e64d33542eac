//! A PostgreSQL cluster of the tests' own: on loopback, a port and a data directory of its own,
//! as an ordinary user, ended by its own process number.
//!
//! The server is the child of a shell that waits for its standard input to end, so it stops
//! however the tests end. Invariant: nothing outside the scratch directory is touched.

use super::Scratch;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use sx_store::{Postgres, PostgresOptions};

/// Starts the server; goes on when it is asked to stop or the tests are gone.
const KEEPER: &str = r#"
"$1" -D "$2" -h 127.0.0.1 -p "$3" -k "$2" -c fsync=off -c shared_buffers=16MB -c max_connections=200 \
    -c log_min_messages=panic </dev/null &
server=$!
word=
read -r word
case $word in
    kill)
        # Its processes with it: one of them would answer once more.
        kill -STOP $server
        kill -KILL $server $(cat /proc/$server/task/*/children) ;;
    *) kill -INT $server ;;
esac
wait $server
case $word in
    kill|stop) ;;
    *) rm -rf "$4" ;;
esac
"#;

/// A running server.
pub struct Cluster {
    bin: PathBuf,
    data: PathBuf,
    port: u16,
    keeper: Option<Child>,
    scratch: Scratch,
}

/// The one that the tests of a program share.
pub fn shared() -> &'static Cluster {
    static SHARED: OnceLock<Cluster> = OnceLock::new();
    SHARED.get_or_init(Cluster::start)
}

impl Cluster {
    /// Makes a cluster and starts it; says so loudly if that cannot be.
    pub fn start() -> Cluster {
        let bin = binaries().unwrap_or_else(|| {
            panic!(
                "PostgreSQL is not installed: no `postgres` in SX_POSTGRES_BIN, PATH or /usr/lib/postgresql/*/bin \
                 (Debian: apt-get install postgresql)"
            )
        });
        let scratch = Scratch::new();
        let data = scratch.path().join("data");
        std::fs::create_dir(&data).expect("a directory can be made");
        if is_root() {
            run(Command::new("chown").arg(user()).arg(scratch.path()).arg(&data));
        }
        let mut initdb = as_user(bin.join("initdb"));
        run(initdb
            .arg("-D")
            .arg(&data)
            .args(["-U", "sx", "--auth=trust", "-E", "UTF8", "--locale=C", "-N"]));
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|socket| socket.local_addr())
            .expect("a free port")
            .port();
        let mut cluster = Cluster {
            bin,
            data,
            port,
            keeper: None,
            scratch,
        };
        cluster.resume();
        cluster
    }

    /// Starts the server on the data it had.
    pub fn resume(&mut self) {
        let mut keeper = as_user("sh");
        keeper
            .args(["-c", KEEPER, "keeper"])
            .arg(self.bin.join("postgres"))
            .arg(&self.data)
            .arg(self.port.to_string())
            .arg(self.scratch.path());
        let keeper = keeper
            .current_dir("/")
            .stdin(Stdio::piped())
            .spawn()
            .expect("a shell starts");
        self.keeper = Some(keeper);
        let deadline = Instant::now() + Duration::from_secs(60);
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(Instant::now() < deadline, "PostgreSQL does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Stops the server: `stop` in good order, `kill` without.
    pub fn halt(&mut self, how: &str) {
        if let Some(mut keeper) = self.keeper.take() {
            if let Some(mut stdin) = keeper.stdin.take() {
                let _ = writeln!(stdin, "{how}");
            }
            keeper.wait().expect("the server ends");
        }
    }

    /// The URL of a database of this cluster.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://sx@127.0.0.1:{}/{database}", self.port)
    }

    /// Runs SQL in a database.
    pub fn sql(&self, database: &str, text: &str) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let url = self.url(database);
        runtime.block_on(async {
            let deadline = Instant::now() + Duration::from_secs(30);
            let (client, connection) = loop {
                match tokio_postgres::connect(&url, tokio_postgres::NoTls).await {
                    Ok(connected) => break connected,
                    Err(error) => assert!(Instant::now() < deadline, "{url}: {error}"),
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            };
            tokio::spawn(connection);
            client
                .batch_execute(text)
                .await
                .unwrap_or_else(|error| panic!("{text}: {error}"));
        });
    }

    /// The URL of a new database.
    pub fn new_database(&self) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("store{}", NEXT.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        self.url(&name)
    }

    /// A store in a new database.
    pub fn new_store(&self) -> Postgres {
        Postgres::open(&self.new_database(), PostgresOptions::default()).expect("opens")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.halt("end");
    }
}

fn binaries() -> Option<PathBuf> {
    let given = std::env::var_os("SX_POSTGRES_BIN").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut debian: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .collect();
    debian.sort();
    let places = given
        .into_iter()
        .chain(debian.into_iter().rev())
        .chain(std::env::split_paths(&path));
    let mut usable = places.filter(|place| place.join("postgres").exists() && place.join("initdb").exists());
    usable.next()
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

/// Whom the server runs as when the tests run as root, whom it refuses.
fn user() -> &'static str {
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    if users.lines().any(|line| line.starts_with("postgres:")) {
        "postgres"
    } else {
        "nobody"
    }
}

fn as_user(program: impl AsRef<Path>) -> Command {
    if is_root() {
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid", user(), "--clear-groups"])
            .arg("--")
            .arg(program.as_ref());
        command
    } else {
        Command::new(program.as_ref())
    }
}

fn run(command: &mut Command) {
    let output = command
        .current_dir("/")
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
