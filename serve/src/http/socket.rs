//! The socket of a process: bound once, accepted from by every worker, closed when the process stops.
//!
//! The system takes connections before anyone accepts them, and closing a socket resets those. So
//! at the end it is told to take no new ones; those it has taken are accepted, and then each worker
//! lets go of the socket. Where the system cannot be told, what comes in that very moment is reset.

use std::io;
use std::net::{SocketAddr, TcpListener as StdListener, ToSocketAddrs};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// Connections that may wait to be accepted; the system has a limit of its own.
const BACKLOG: u32 = 4096;

/// How long to wait when no connection can be accepted, for lack of descriptors for instance.
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How long clients have to finish a handshake that had begun when no new ones were taken any more.
const SETTLING: Duration = Duration::from_millis(50);

/// The socket, once a program has bound it, until the process stops.
#[derive(Default)]
pub(crate) struct Socket(Mutex<Option<StdListener>>);

impl Socket {
    fn lock(&self) -> MutexGuard<'_, Option<StdListener>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Binds it; where, or nothing if it is bound already.
    pub fn bind(&self, host: &str, port: u16) -> io::Result<Option<SocketAddr>> {
        let mut socket = self.lock();
        if socket.is_some() {
            return Ok(None);
        }
        let mut bound = Err(io::ErrorKind::AddrNotAvailable.into());
        for address in (host, port).to_socket_addrs()? {
            bound = bind_at(address);
            if bound.is_ok() {
                break;
            }
        }
        let bound = bound?;
        let address = bound.local_addr()?;
        *socket = Some(bound);
        Ok(Some(address))
    }

    /// The same socket for a worker to accept from.
    pub fn share(&self) -> io::Result<TcpListener> {
        let socket = self.lock();
        let socket = socket.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        socket.try_clone().and_then(TcpListener::from_std)
    }

    /// No new connections are taken; it is closed once every worker has dropped its own.
    pub fn close(&self) {
        if let Some(socket) = self.lock().take() {
            take_no_more(&socket);
        }
    }
}

fn bind_at(address: SocketAddr) -> io::Result<StdListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // The connections of a server that ended a moment ago are no reason to wait.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}

/// Accepts what a socket that takes no more has taken, and closes it.
pub(super) async fn accept_rest(socket: TcpListener, mut serve: impl FnMut(TcpStream, SocketAddr)) {
    let settled = tokio::time::Instant::now() + SETTLING;
    while let Ok(accepted) = tokio::time::timeout_at(settled, socket.accept()).await {
        match accepted {
            Ok((stream, address)) => serve(stream, address),
            Err(_) => tokio::time::sleep(SETTLING / 10).await,
        }
    }
    let Ok(socket) = socket.into_std() else { return };
    // Nothing comes between the last look and the end.
    while let Ok((stream, address)) = socket.accept() {
        let stream = stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream));
        if let Ok(stream) = stream {
            serve(stream, address);
        }
    }
}

/// A filter lets segments pass but for those that ask for a connection: whoever sends one asks again
/// later, when the socket is closed, and is refused.
#[cfg(target_os = "linux")]
fn take_no_more(socket: &StdListener) {
    use socket2::{SockFilter, SockRef};
    const LOAD_BYTE: u16 = 0x30;
    const SKIP_UNLESS_SET: u16 = 0x45;
    const RETURN: u16 = 0x06;
    /// Where a TCP header has its flags, and the flag of a segment that asks for a connection.
    const FLAGS: u32 = 13;
    const SYN: u32 = 2;
    let filter = [
        SockFilter::new(LOAD_BYTE, 0, 0, FLAGS),
        SockFilter::new(SKIP_UNLESS_SET, 0, 1, SYN),
        SockFilter::new(RETURN, 0, 0, 0),
        SockFilter::new(RETURN, 0, 0, u32::MAX),
    ];
    if let Err(error) = SockRef::from(socket).attach_filter(&filter) {
        tracing::debug!(target: "sx::http", "new connections are taken to the end: {error}");
    }
}

#[cfg(not(target_os = "linux"))]
fn take_no_more(_: &StdListener) {}
