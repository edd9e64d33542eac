//! The standard input of the process, line by line, for everyone who reads it: what is read ahead is
//! kept in one place, and nobody holds a lock while a program runs that may read too.
//!
//! A wait for input ends when the program is to stop, so it is a wait for the descriptor, with looks
//! at the clock between.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{Error, ErrorKind, Read, Result, stdin};
use std::sync::{Mutex, PoisonError};

/// How long to wait before asking again whether to stop.
const LOOK: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 100_000_000,
};
/// Bytes read at a time. As many as this are read past the standard library's own buffer.
const CHUNK: usize = 64 << 10;

/// What was read and not handed out yet, from the index on.
static AHEAD: Mutex<(Vec<u8>, usize)> = Mutex::new((Vec::new(), 0));

/// The next line, its line end included; `None` at the end of the input. Fails with `Interrupted` as
/// soon as `stops` says so.
pub fn next_line(stops: impl Fn() -> bool) -> Result<Option<String>> {
    let mut ahead = AHEAD.lock().unwrap_or_else(PoisonError::into_inner);
    let mut looked = ahead.1;
    loop {
        let (bytes, from) = &mut *ahead;
        if let Some(at) = memchr::memchr(b'\n', &bytes[looked..]) {
            let end = looked + at + 1;
            let line = text(&bytes[*from..end]);
            *from = end;
            return line.map(Some);
        }
        bytes.drain(..*from);
        *from = 0;
        looked = bytes.len();
        wait(&stops)?;
        bytes.resize(looked + CHUNK, 0);
        let read = stdin().lock().read(&mut bytes[looked..]);
        bytes.truncate(looked + *read.as_ref().unwrap_or(&0));
        if matches!(&read, Err(error) if error.kind() == ErrorKind::Interrupted) {
            // By a signal that has nothing to do with this.
            continue;
        }
        if read? == 0 {
            let rest = std::mem::take(bytes);
            return match rest.is_empty() {
                true => Ok(None),
                false => text(&rest).map(Some),
            };
        }
    }
}

/// Waits until there is something to read, or the end.
fn wait(stops: &impl Fn() -> bool) -> Result<()> {
    loop {
        if stops() {
            return Err(Error::new(ErrorKind::Interrupted, "interrupted"));
        }
        let input = stdin();
        let mut watched = [PollFd::new(&input, PollFlags::IN)];
        match poll(&mut watched, Some(&LOOK)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => {}
            Ok(_) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

fn text(bytes: &[u8]) -> Result<String> {
    let text = std::str::from_utf8(bytes).map(str::to_owned);
    text.map_err(|_| Error::new(ErrorKind::InvalidData, "stream did not contain valid UTF-8"))
}
