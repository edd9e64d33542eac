//! Durable writes beside what the disk can do.
//!
//! A commit is compared with writing as many pages and one `fdatasync`, in turns of a fraction of a
//! second, because disks change their mind; medians of single times are compared, not sums. Many
//! clients are compared with one over HTTP.

use crate::results::{Bound, Extra};
use crate::server::{self, Running};
use crate::systems::System;
use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::{Duration, Instant};
use sx_benches::report::median;
use sx_store::{Batch, Embedded, Options, Reply, Store};

/// How often the two take turns, and for how long each.
const TURNS: usize = 20;
const TURN: Duration = Duration::from_millis(100);
/// Pages that a commit of one key writes, besides 320 bytes of header.
const PAGES: u64 = 5;
const PAGE: u64 = 4096;
const CLIENTS: usize = 16;

pub fn measure(sx: &System, seconds: u32, scratch: &Path) -> io::Result<Vec<Extra>> {
    let (raw, commit) = syncs_and_commits(scratch)?;
    let running = Running::start(sx, scratch)?;
    let mut rates = [Vec::new(), Vec::new()];
    for _ in 0..3 {
        for (rates, clients) in rates.iter_mut().zip([1, CLIENTS]) {
            rates.push(server::load("/put/k", clients, seconds)? / f64::from(seconds));
        }
    }
    drop(running);
    let [one, many] = rates.map(|rates| median(&rates).unwrap_or(0.0));
    Ok(vec![
        Extra::figure("raw_sync_us", "writing five pages and one `fdatasync`", raw, "µs"),
        Extra {
            key: "commit_ratio",
            what: "a durable commit from one client, × that",
            figure: commit / raw,
            unit: "×",
            bound: Bound::AtMost(1.15),
        },
        Extra::figure("writes_one", "durable writes over HTTP, one client", one, "a second"),
        Extra {
            key: "writes_sixteen_ratio",
            what: "the same from sixteen clients, × one",
            figure: many / one,
            unit: "×",
            bound: Bound::AtLeast(8.0),
        },
    ])
}

/// Microseconds of a raw sync and of a commit.
fn syncs_and_commits(scratch: &Path) -> io::Result<(f64, f64)> {
    let directory = scratch.join("data-raw");
    // It may not be there.
    let _ = std::fs::remove_dir_all(&directory);
    let store = Embedded::open(&directory, Options::default()).map_err(io::Error::other)?;
    let raw_path = directory.join("raw");
    let mut raw = File::create(&raw_path)?;
    raw.write_all(&vec![0; (PAGES * 64 * PAGE) as usize])?;
    raw.sync_all()?;
    let (mut syncs, mut commits) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        let mut count = 0;
        timed(&mut syncs, || {
            count += 1;
            sync_pages(&mut raw, count)
        })?;
        timed(&mut commits, || commit(&store))?;
    }
    store.close();
    std::fs::remove_dir_all(directory)?;
    let middle = |times: &[f64]| median(times).ok_or_else(|| io::Error::other("nothing was timed"));
    Ok((middle(&syncs)?, middle(&commits)?))
}

fn timed(times: &mut Vec<f64>, mut work: impl FnMut() -> io::Result<()>) -> io::Result<()> {
    let until = Instant::now() + TURN;
    while Instant::now() < until {
        let began = Instant::now();
        work()?;
        times.push(began.elapsed().as_secs_f64() * 1e6);
    }
    Ok(())
}

fn sync_pages(file: &mut File, count: u64) -> io::Result<()> {
    for page in 0..PAGES {
        file.seek(SeekFrom::Start((page * 64 + count % 64) * PAGE))?;
        file.write_all(&[count as u8; PAGE as usize])?;
    }
    file.sync_data()
}

fn commit(store: &Embedded) -> io::Result<()> {
    let written = match store.write(Batch::new().put("k", "written value")) {
        Reply::Now(written) => written,
        Reply::Later(ticket) => ticket.wait(),
    };
    written.map(drop).map_err(io::Error::other)
}
