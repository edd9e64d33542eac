//! Ten thousand handlers that wait at once, until they are told to go on: what memory do they take, and
//! does each answer? Memory is looked at when all have arrived, so that none has answered before the
//! last one came.

use crate::results::{Bound, Extra};
use crate::server::{self, Running};
use crate::systems::System;
use std::io::{self, Read};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

const HANDLERS: usize = 10_000;
/// How long all of them may take to arrive; a handler lasts a minute.
const ARRIVE: Duration = Duration::from_secs(40);

pub fn measure(sx: &System, scratch: &Path) -> io::Result<Vec<Extra>> {
    allow_descriptors();
    let running = Running::start(sx, scratch)?;
    let idle = running.resident_mb()?;
    let began = Instant::now();
    let mut streams = Vec::with_capacity(HANDLERS);
    for _ in 0..HANDLERS {
        streams.push(server::ask("/wait")?);
    }
    while waiting_now()? < HANDLERS {
        if began.elapsed() > ARRIVE {
            let text = format!("{} of {HANDLERS} handlers wait after {ARRIVE:?}", waiting_now()?);
            return Err(io::Error::other(text));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    let most = running.resident_mb()?;
    server::get("/release")?;
    let mut answered = 0;
    for mut stream in streams {
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        answered += usize::from(answer.starts_with("HTTP/1.1 200") && answer.ends_with("done"));
    }
    if answered != HANDLERS {
        let text = format!("{answered} of {HANDLERS} handlers that waited have answered");
        return Err(io::Error::other(text));
    }
    Ok(vec![Extra {
        key: "waiting_mb",
        what: "10,000 handlers waiting at once, all answered: memory beyond idle",
        figure: most - idle,
        unit: "MB",
        bound: Bound::AtMost(128.0),
    }])
}

/// How many have arrived, as the program counts.
fn waiting_now() -> io::Result<usize> {
    let text = server::get("/waiting")?;
    text.parse()
        .map_err(|_| io::Error::other(format!("/waiting answers {text:?}")))
}

/// Lets this process have a descriptor for each handler, if it may; connecting says so if it may not.
fn allow_descriptors() {
    let limit = format!("--nofile={}:", HANDLERS + 1000);
    let own = std::process::id().to_string();
    let _ = Command::new("prlimit").args(["--pid", &own, &limit]).status();
}
