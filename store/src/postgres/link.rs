//! A connection that is made again whenever it is lost, with growing pauses, by a task of its
//! own; and how long others wait for it.
//!
//! Invariant: whoever holds a [`Live`] can send on it at any time, also many at once: the
//! queries are pipelined. What was sent when the connection went is an error that [`lost`] tells
//! from others.

use super::query::Statements;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_postgres::{AsyncMessage, Client, Config, Error, NoTls};

/// The first pause before connecting again, and the longest.
const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// The most that connecting may take.
const CONNECT_MAX: Duration = Duration::from_secs(5);

/// A connection and its prepared statements.
pub struct Live {
    /// The connection.
    pub client: Client,
    /// The statements prepared on it.
    pub statements: Statements,
    broken: Arc<Notify>,
}

impl Live {
    /// Gives the connection up: it does not answer in time.
    pub fn give_up(&self) {
        self.broken.notify_one();
    }
}

/// The state of a connection: up, or why not.
type State = Result<Arc<Live>, String>;

/// A connection that comes back.
#[derive(Clone)]
pub struct Link(watch::Receiver<State>);

impl Link {
    /// Starts the task that keeps the connection. `notices` is told of every notification, and
    /// of every new connection, since what came between was missed.
    pub fn start(config: Config, notices: Option<mpsc::Sender<()>>) -> Link {
        let (state, receiver) = watch::channel(Err("not connected yet".to_owned()));
        tokio::spawn(keep(config, notices, state));
        Link(receiver)
    }

    /// The connection, when it is there; why not, if it is not by the deadline.
    pub async fn live(&self, deadline: Instant) -> Result<Arc<Live>, String> {
        let mut receiver = self.0.clone();
        match timeout_at(deadline, receiver.wait_for(Result::is_ok)).await {
            Ok(Ok(state)) => state.clone(),
            Ok(Err(_)) => Err("the store is closed".to_owned()),
            Err(_) => self.0.borrow().clone(),
        }
    }
}

async fn keep(config: Config, notices: Option<mpsc::Sender<()>>, state: watch::Sender<State>) {
    let mut pause = PAUSE_MIN;
    // Nobody left who could use it: the store is closed.
    while !state.is_closed() {
        let why = match timeout(CONNECT_MAX, connect(&config, notices.clone())).await {
            Ok(Ok((live, ended))) => {
                let broken = Arc::clone(&live.broken);
                pause = PAUSE_MIN;
                let _ = state.send_replace(Ok(Arc::new(live)));
                if let Some(notices) = &notices {
                    let _ = notices.try_send(());
                }
                tokio::select! {
                    why = ended => why.unwrap_or_default(),
                    () = broken.notified() => "no answer came in time".to_owned(),
                    () = state.closed() => return,
                }
            }
            Ok(Err(error)) => text(&error),
            Err(_) => "no answer to the attempt to connect".to_owned(),
        };
        let _ = state.send_replace(Err(why));
        tokio::select! {
            () = sleep(jittered(pause)) => {}
            () = state.closed() => return,
        }
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

/// Connects and prepares; also gives what tells when and why the connection ended.
async fn connect(
    config: &Config,
    notices: Option<mpsc::Sender<()>>,
) -> Result<(Live, tokio::sync::oneshot::Receiver<String>), Error> {
    let (client, mut connection) = config.connect(NoTls).await?;
    let (sender, ended) = tokio::sync::oneshot::channel();
    let listens = notices.is_some();
    tokio::spawn(async move {
        let why = loop {
            match std::future::poll_fn(|cx| connection.poll_message(cx)).await {
                Some(Ok(AsyncMessage::Notification(_))) => {
                    if let Some(notices) = &notices {
                        // A full channel holds a notice already, and one is enough.
                        let _ = notices.try_send(());
                    }
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => break text(&error),
                None => break "the connection was closed".to_owned(),
            }
        };
        let _ = sender.send(why);
    });
    if listens {
        client.batch_execute("LISTEN sx_changes").await?;
    }
    let statements = Statements::prepare(&client).await?;
    let broken = Arc::new(Notify::new());
    let live = Live {
        client,
        statements,
        broken,
    };
    Ok((live, ended))
}

/// A connection that is not made again.
pub async fn connect_once(config: &Config) -> Result<Live, Error> {
    Ok(connect(config, None).await?.0)
}

/// Between half of a pause and all of it, so that machines do not come back in step.
fn jittered(pause: Duration) -> Duration {
    use std::hash::{BuildHasher, RandomState};
    let dice = RandomState::new().hash_one(0) % 512;
    pause / 2 + pause * dice as u32 / 1024
}

/// Was it the connection that failed, or the server on its way down, not the query?
pub fn lost(error: &Error) -> bool {
    match error.code() {
        Some(code) => code.code().starts_with("08") || code.code().starts_with("57P"),
        None => {
            error.is_closed() || std::error::Error::source(error).is_some_and(|source| source.is::<std::io::Error>())
        }
    }
}

/// An error with its causes.
pub fn text(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
