//! A connection as hyper sees it: only what has been checked, and never for longer than the limits
//! allow.
//!
//! The guard reads the socket and follows the framing of the requests in it. A head is held back
//! until it is complete and has passed [`head::check`]; one that does not pass is replaced by a
//! request of ours, which the server answers with the status, and nothing of the connection is
//! read after it. Times are watched here too, for the socket is here.
//!
//! Invariant: hyper and the guard agree where each request ends, because hyper sees no framing that
//! could be read in two ways.

use super::head::{self, Framing, Status};
use super::limits::Limits;
use hyper::rt::ReadBufCursor;
use std::cell::RefCell;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::OnceLock;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// The field of a request of ours; its value is a secret of the process.
pub const REFUSAL: &str = "x-sx-refusal";

/// What a client cannot know, so that it cannot make a request of ours.
pub fn secret() -> &'static str {
    static SECRET: OnceLock<String> = OnceLock::new();
    SECRET.get_or_init(|| {
        use std::hash::{BuildHasher, Hasher};
        let random = || std::collections::hash_map::RandomState::new().build_hasher().finish();
        format!("{:016x}{:016x}", random(), random())
    })
}

/// Bytes read at a time.
const READ_BYTES: usize = 16 << 10;

thread_local! {
    /// Where every connection of a thread reads to, so that one that waits holds no room.
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_BYTES].into_boxed_slice());
}

/// A longer line that begins a chunk is refused.
const CHUNK_LINE_MAX: usize = 1 << 10;
/// More fields behind the last chunk are refused, and so are larger ones.
const TRAILERS_MAX: usize = 64;
const TRAILER_BYTES_MAX: usize = 8 << 10;

/// Where in the stream of requests the guard is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// In or before a head.
    Head,
    /// So many bytes before the end of a body.
    Body(u64),
    /// Before the line of a chunk.
    ChunkLine,
    /// So many bytes before the end of a chunk, its line end included.
    Chunk(u64),
    /// In the fields behind the last chunk, of which there were so many, with so many bytes.
    Trailer(usize, usize),
    /// Behind a head that asked for another protocol.
    Other,
    /// Behind something that was refused: nothing more is read.
    Over,
}

/// What is waited for, each with a time of its own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Waiting {
    Idle,
    Head,
    Body,
    Nothing,
}

/// A guarded connection.
pub struct Guard<S> {
    socket: S,
    limits: Limits,
    place: Place,
    /// What was read and not looked at yet, or is held back.
    held: Vec<u8>,
    /// What was checked, from `given` on.
    checked: Vec<u8>,
    given: usize,
    waiting: Waiting,
    timer: Option<Pin<Box<Sleep>>>,
    /// Since when the server has been waiting for the body.
    body_began: Option<Instant>,
    body_bytes: u64,
    stalled: Option<Pin<Box<Sleep>>>,
    ended: bool,
}

impl<S> Guard<S> {
    /// Guards a socket.
    pub fn new(socket: S, limits: Limits) -> Guard<S> {
        Guard {
            socket,
            limits,
            place: Place::Head,
            held: Vec::new(),
            checked: Vec::new(),
            given: 0,
            waiting: Waiting::Nothing,
            timer: None,
            body_began: None,
            body_bytes: 0,
            stalled: None,
            ended: false,
        }
    }

    /// Moves what can be checked from `held` to `checked`.
    fn check_held(&mut self) {
        loop {
            let moved = match self.place {
                Place::Head => self.check_head(),
                Place::Body(left) => self.pass(left, Place::Body),
                Place::Chunk(left) => self.pass_chunk(left),
                Place::ChunkLine => self.check_chunk_line(),
                Place::Trailer(count, bytes) => self.check_trailer(count, bytes),
                Place::Other => {
                    self.checked.append(&mut self.held);
                    false
                }
                Place::Over => {
                    self.held.clear();
                    false
                }
            };
            if !moved {
                return;
            }
        }
    }

    fn check_head(&mut self) -> bool {
        // Empty lines before a request are forgiven, a few of them.
        let empty = self.held.chunks(2).take(4).take_while(|two| *two == b"\r\n").count();
        self.held.drain(..2 * empty);
        if self.held.is_empty() {
            return false;
        }
        let found = head::find_end(&self.held, &self.limits);
        let checked = found.and_then(|end| match end {
            Some(end) => head::check(&self.held[..end], &self.limits).map(|head| Some((end, head))),
            None => Ok(None),
        });
        match checked {
            Ok(None) => false,
            Ok(Some((end, head))) => {
                self.checked.extend(self.held.drain(..end));
                self.place = match head.framing {
                    _ if head.is_upgrade => Place::Other,
                    Framing::Length(0) => Place::Head,
                    Framing::Length(length) => Place::Body(length),
                    Framing::Chunked => Place::ChunkLine,
                };
                if self.place != Place::Head {
                    self.body_began = None;
                    self.body_bytes = 0;
                }
                true
            }
            Err(status) => {
                self.refuse(status);
                false
            }
        }
    }

    /// Puts a request of ours in the place of what was refused.
    fn refuse(&mut self, status: Status) {
        let request = format!(
            "GET / HTTP/1.1\r\nhost: sx\r\nconnection: close\r\n{REFUSAL}: {} {status}\r\n\r\n",
            secret()
        );
        self.checked.extend_from_slice(request.as_bytes());
        self.held.clear();
        self.place = Place::Over;
    }

    fn pass(&mut self, left: u64, place: fn(u64) -> Place) -> bool {
        let count = self.held.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        self.body_bytes += count as u64;
        self.checked.extend(self.held.drain(..count));
        let left = left - count as u64;
        self.place = if left == 0 { Place::Head } else { place(left) };
        left == 0
    }

    /// Passes the data of a chunk; the line end behind it is looked at.
    fn pass_chunk(&mut self, left: u64) -> bool {
        if left > 2 {
            let count = self.held.len().min(usize::try_from(left - 2).unwrap_or(usize::MAX));
            self.body_bytes += count as u64;
            self.checked.extend(self.held.drain(..count));
            self.place = Place::Chunk(left - count as u64);
            return left - count as u64 == 2;
        }
        if self.held.len() < 2 {
            return false;
        }
        if !self.held.starts_with(b"\r\n") {
            return self.break_off();
        }
        self.checked.extend(self.held.drain(..2));
        self.place = Place::ChunkLine;
        true
    }

    /// Ends the connection for hyper inside the body, which it takes for broken. Anything else put
    /// there would be left over when the response is due, and hyper would end without sending it.
    fn break_off(&mut self) -> bool {
        self.held.clear();
        self.place = Place::Over;
        false
    }

    fn check_chunk_line(&mut self) -> bool {
        let Some(end) = self.held.iter().position(|byte| *byte == b'\n') else {
            return if self.held.len() > CHUNK_LINE_MAX {
                self.break_off()
            } else {
                false
            };
        };
        let line = &self.held[..end];
        let size = line.strip_suffix(b"\r").and_then(chunk_size);
        match size {
            Some(size) if end <= CHUNK_LINE_MAX => {
                self.checked.extend(self.held.drain(..=end));
                self.place = if size == 0 {
                    Place::Trailer(0, 0)
                } else {
                    Place::Chunk(size + 2)
                };
                true
            }
            _ => self.break_off(),
        }
    }

    /// Fewer and smaller than hyper allows: what hyper refuses itself, it refuses without a response.
    fn check_trailer(&mut self, count: usize, bytes: usize) -> bool {
        let Some(end) = self.held.iter().position(|byte| *byte == b'\n') else {
            return if bytes + self.held.len() > TRAILER_BYTES_MAX {
                self.break_off()
            } else {
                false
            };
        };
        let total = bytes + end + 1;
        let line = self.held[..end].strip_suffix(b"\r");
        let is_field =
            |line: &[u8]| line.is_empty() || line.iter().position(|byte| *byte == b':').is_some_and(|at| at > 0);
        match line {
            Some(line) if total <= TRAILER_BYTES_MAX && count <= TRAILERS_MAX && is_field(line) => {
                self.place = if line.is_empty() {
                    Place::Head
                } else {
                    Place::Trailer(count + 1, total)
                };
                self.checked.extend(self.held.drain(..=end));
                true
            }
            _ => self.break_off(),
        }
    }

    /// What is waited for now.
    fn waits_for(&self) -> Waiting {
        match self.place {
            Place::Head if self.held.is_empty() => Waiting::Idle,
            Place::Head => Waiting::Head,
            Place::Body(_) | Place::ChunkLine | Place::Chunk(_) | Place::Trailer(..) => Waiting::Body,
            Place::Other | Place::Over => Waiting::Nothing,
        }
    }

    /// Looks at the clock; `true` if what is waited for has taken too long.
    fn is_late(&mut self, cx: &mut Context<'_>) -> bool {
        let waiting = self.waits_for();
        let deadline = match waiting {
            Waiting::Nothing => {
                self.timer = None;
                self.waiting = waiting;
                return false;
            }
            Waiting::Body => {
                let bought = Duration::from_millis(self.body_bytes * 1000 / 1024);
                // While an earlier request is answered nobody asks for the body.
                let began = *self.body_began.get_or_insert_with(Instant::now);
                Some(began + self.limits.body_time + bought)
            }
            Waiting::Idle if self.waiting != waiting => Some(Instant::now() + self.limits.idle_time),
            Waiting::Head if self.waiting != waiting => Some(Instant::now() + self.limits.head_time),
            Waiting::Idle | Waiting::Head => None,
        };
        self.waiting = waiting;
        if let Some(deadline) = deadline {
            let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
            timer.as_mut().reset(deadline);
        }
        let timer = self.timer.as_mut();
        timer.is_some_and(|timer| timer.as_mut().poll(cx).is_ready())
    }

    fn give(&mut self, mut out: ReadBufCursor<'_>) {
        let count = out.remaining().min(self.checked.len() - self.given);
        out.put_slice(&self.checked[self.given..self.given + count]);
        self.given += count;
        if self.given == self.checked.len() {
            self.checked.clear();
            self.given = 0;
        }
    }
}

fn chunk_size(line: &[u8]) -> Option<u64> {
    let digits = line
        .iter()
        .position(|byte| !byte.is_ascii_hexdigit())
        .unwrap_or(line.len());
    let rest = line[digits..].trim_ascii_start();
    let is_extension = rest.is_empty() && digits == line.len() || rest.starts_with(b";");
    let is_clean = !rest.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t');
    if digits == 0 || digits > 15 || !is_extension || !is_clean {
        return None;
    }
    u64::from_str_radix(std::str::from_utf8(&line[..digits]).ok()?, 16).ok()
}

impl<S: AsyncRead + Unpin> hyper::rt::Read for Guard<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        let guard = self.get_mut();
        loop {
            if guard.given < guard.checked.len() {
                guard.waiting = Waiting::Nothing;
                guard.give(out);
                return Poll::Ready(Ok(()));
            }
            if guard.ended || guard.place == Place::Over {
                return Poll::Ready(Ok(()));
            }
            let polled = SCRATCH.with_borrow_mut(|scratch| {
                let mut buffer = ReadBuf::new(scratch);
                let polled = Pin::new(&mut guard.socket).poll_read(cx, &mut buffer);
                guard.held.extend_from_slice(buffer.filled());
                polled.map_ok(|()| buffer.filled().len())
            });
            match polled {
                Poll::Ready(count) => {
                    if count? == 0 {
                        guard.end();
                    }
                    guard.check_held();
                }
                Poll::Pending if guard.is_late(cx) => guard.be_late()?,
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

impl<S> Guard<S> {
    /// The client sends no more.
    fn end(&mut self) {
        self.ended = true;
        if self.place == Place::Head && !self.held.is_empty() {
            self.refuse(400);
        }
    }

    /// The client was too slow.
    fn be_late(&mut self) -> io::Result<()> {
        self.timer = None;
        match self.waits_for() {
            Waiting::Head => self.refuse(408),
            Waiting::Body => {
                self.place = Place::Over;
                return Err(io::ErrorKind::TimedOut.into());
            }
            Waiting::Idle | Waiting::Nothing => self.ended = true,
        }
        Ok(())
    }

    fn stalls(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let limit = self.limits.write_time;
        let timer = self
            .stalled
            .get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + limit)));
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(io::ErrorKind::TimedOut.into())
    }
}

impl<S: AsyncWrite + Unpin> hyper::rt::Write for Guard<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let guard = self.get_mut();
        match Pin::new(&mut guard.socket).poll_write(cx, bytes) {
            Poll::Pending => guard.stalls(cx).map(Err),
            done => {
                guard.stalled = None;
                done
            }
        }
    }
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let guard = self.get_mut();
        match Pin::new(&mut guard.socket).poll_write_vectored(cx, parts) {
            Poll::Pending => guard.stalls(cx).map(Err),
            done => {
                guard.stalled = None;
                done
            }
        }
    }
    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_flush(cx)
    }
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_shutdown(cx)
    }
}
