//! What is measured inside this process, without HTTP: two isolates beside one, and what it costs
//! that a handler is put aside to wait. For figures that mean something this has to be a release
//! build, unlike the rest, which only watches another process.

use crate::results::{Bound, Extra};
use std::time::{Duration, Instant};
use sx::{Engine, Event, Isolate, Object, Times, Value};
use sx_benches::report::median;

pub fn measure() -> Result<Vec<Extra>, String> {
    Ok(vec![
        Extra {
            key: "isolates",
            what: "two isolates on two threads, calls × those of one",
            figure: isolates()?,
            unit: "×",
            bound: Bound::AtLeast(1.6),
        },
        Extra {
            key: "suspend_us",
            what: "one suspend and resume",
            figure: suspension()?,
            unit: "µs",
            bound: Bound::AtMost(1.0),
        },
    ])
}

fn say(error: sx::Error) -> String {
    error.message.clone()
}

// --- isolates -----------------------------------------------------------------------------------

/// A call of it takes a millisecond of CPU or more.
const WORK: &str = "(define (down n) (if (= n 0) 0 (+ 1 (down (- n 1)))))
    (define (work) (reduce + 0 (map (fn (i) (down 2000)) (range 0 100))))";
const WORKED: i64 = 200_000;
const TURN: Duration = Duration::from_millis(500);
const TURNS: usize = 5;

/// The best turn of two over the best of one: neighbours only slow down.
fn isolates() -> Result<f64, String> {
    let mut best = [0f64; 2];
    for _ in 0..TURNS {
        for (best, threads) in best.iter_mut().zip(1..) {
            let workers: Vec<_> = (0..threads).map(|_| std::thread::spawn(calls_per_second)).collect();
            let rates = workers
                .into_iter()
                .map(|worker| worker.join().unwrap_or(Err("a panic".to_owned())));
            *best = best.max(rates.sum::<Result<f64, String>>()?);
        }
    }
    Ok(best[1] / best[0])
}

fn calls_per_second() -> Result<f64, String> {
    let mut isolate = Engine::new().isolate().map_err(say)?;
    isolate.eval(WORK).map_err(say)?;
    let mut work = || match isolate.call("work", ()).map_err(say)? {
        WORKED => Ok(()),
        value => Err(format!("the work came to {value}")),
    };
    for _ in 0..20 {
        work()?;
    }
    let (began, mut count) = (Instant::now(), 0u32);
    while began.elapsed() < TURN {
        work()?;
        count += 1;
    }
    Ok(f64::from(count) / began.elapsed().as_secs_f64())
}

// --- suspension ---------------------------------------------------------------------------------

const ASKS: &str = "(define (asks n) (if (= n 0) \"done\" (begin (perform (list \"ask\")) (asks (- n 1)))))";
const COUNT: i64 = 20_000;

/// Microseconds that a wait takes beyond an answer that is at hand.
fn suspension() -> Result<f64, String> {
    let mut isolate = Engine::new().isolate().map_err(say)?;
    isolate.eval(ASKS).map_err(say)?;
    let asks: Object = match isolate.get("asks").map_err(say)? {
        Value::Object(asks) => asks,
        other => return Err(format!("asks is {other}")),
    };
    let (mut at_hand, mut waiting) = (Vec::new(), Vec::new());
    for _ in 0..9 {
        at_hand.push(ask_all(&mut isolate, &asks, false)?);
        waiting.push(ask_all(&mut isolate, &asks, true)?);
    }
    let middle = |times: &[f64]| median(times).unwrap_or(0.0);
    Ok(middle(&waiting) - middle(&at_hand))
}

/// Microseconds an effect takes.
fn ask_all(isolate: &mut Isolate, asks: &Object, waits: bool) -> Result<f64, String> {
    let began = Instant::now();
    isolate.begin_call(asks, (COUNT,), Times::UNLIMITED).map_err(say)?;
    loop {
        match isolate.go_on() {
            Event::Performed { .. } => {
                if waits {
                    let fiber = isolate.park().map_err(say)?;
                    isolate.unpark(fiber).map_err(say)?;
                }
                isolate.answer(Value::Nil).map_err(say)?;
            }
            Event::Value(Value::String(text)) if text == "done" => break,
            Event::Failed(error) => return Err(say(error)),
            _ => return Err("asks came to something else".to_owned()),
        }
    }
    Ok(began.elapsed().as_secs_f64() * 1e6 / COUNT as f64)
}
