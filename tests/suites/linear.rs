//! Text of 5 MB is built and read in time that grows as the text does: four times the text takes
//! about four times as long, where copying all of it again and again would take sixteen times.
//!
//! What is compared is processor time of this thread, the least of some runs, so that a busy
//! machine changes both sides of the ratio or neither.

use std::time::Instant;
use sx::{Engine, Isolate, Value};

/// A way to build or read text: its name, and a function of how many megabytes by quarters.
const WAYS: &[(&str, &str)] = &[
    (
        "string buffer",
        "(let ((b (make-string-buffer))) (times (* n 125000) (fn (i) (string-buffer-append! b \"0123456789\"))) \
         (string-length (string-buffer->string b)))",
    ),
    (
        "display to a port",
        "(let ((p (open-output-string))) (times (* n 125000) (fn (i) (display \"0123456789\" p))) \
         (string-length (get-output-string p)))",
    ),
    (
        "characters to a port",
        "(let ((p (open-output-string))) (times (* n 250000) (fn (i) (write-char #\\é p))) \
         (string-length (get-output-string p)))",
    ),
    (
        "bytes to a port",
        "(let ((p (open-output-bytevector))) (times (* n 250000) (fn (i) (write-u8 7 p))) \
         (bytevector-length (get-output-bytevector p)))",
    ),
    (
        "characters from a port",
        "(let ((p (open-input-string (repeat \"0é\" (* n 125000))))) \
         (let loop ((count 0)) (if (eof-object? (read-char p)) count (loop (+ count 1)))))",
    ),
    (
        "lines from a port",
        "(let ((p (open-input-string (repeat \"0123456789\\n\" (* n 110000))))) \
         (let loop ((count 0)) (if (eof-object? (read-line p)) count (loop (+ count 1)))))",
    ),
    (
        "data from a port",
        "(let ((p (open-input-string (repeat \"(a \\\"b\\\" 1) ; and a comment\\n\" (* n 10000))))) \
         (let loop ((count 0)) (if (eof-object? (read p)) count (loop (+ count 1)))))",
    ),
    (
        "one datum from a port",
        "(len (read (open-input-string (str \"(\" (repeat \"abc \" (* n 80000)) \")\"))))",
    ),
    (
        "characters of other widths into a string",
        "(let ((s (s:make-string (* n 20000) #\\a))) \
         (times (* n 20000) (fn (i) (s:string-set! s i (if (even? i) #\\é #\\漢)) (s:string-set! s (- (* n 20000) i 1) (string-ref s i)))) \
         (string-length s))",
    ),
    (
        "parts of a string into another",
        "(let ((s (s:make-string (* n 20000) #\\a))) \
         (times (* n 10000) (fn (i) (s:string-copy! s (* i 2) \"xλ\") (s:string-fill! s #\\b i (+ i 1)) (s:string-copy s i (+ i 2)))) \
         (string-length s))",
    ),
    (
        "JSON",
        "(len (json-decode (json-encode (map (fn (i) {:name \"x\" :at i}) (range (* n 30000))))))",
    ),
    (
        "a page",
        "(string-length (render-to-html (ul (map (fn (i) (li :id i \"text <\")) (range (* n 20000))))))",
    ),
];

/// Processor time of this thread in nanoseconds; where the system does not say, time.
fn now_ns(start: Instant) -> u64 {
    let on_cpu = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let first = on_cpu.and_then(|text| text.split_whitespace().next()?.parse().ok());
    first.unwrap_or_else(|| start.elapsed().as_nanos() as u64)
}

fn least_ns(isolate: &mut Isolate, way: usize, n: i64) -> Result<u64, sx::Error> {
    let start = Instant::now();
    let mut least = u64::MAX;
    for _ in 0..3 {
        let before = now_ns(start);
        isolate.call::<Value>(&format!("way-{way}"), (n,))?;
        least = least.min(now_ns(start) - before);
    }
    Ok(least)
}

#[test]
fn time_grows_as_the_text_does() -> Result<(), String> {
    const MOST: f64 = 9.0;
    let run = || -> Result<Vec<(&str, f64)>, sx::Error> {
        let mut isolate = Engine::new().isolate()?;
        isolate.eval("(define (times n f) (let loop ((i 0)) (when (< i n) (f i) (loop (+ i 1)))))")?;
        isolate.eval(
            "(import (prefix (only (scheme base) make-string string-set! string-copy string-copy! string-fill!) s:))",
        )?;
        let mut ratios = Vec::new();
        for (way, (name, code)) in WAYS.iter().enumerate() {
            isolate.eval(&format!("(define (way-{way} n) {code})"))?;
            let (small, large) = (least_ns(&mut isolate, way, 1)?, least_ns(&mut isolate, way, 4)?);
            ratios.push((*name, large as f64 / small as f64));
        }
        Ok(ratios)
    };
    let ratios = run().map_err(|error| error.message.clone())?;
    let slow: Vec<_> = ratios.iter().filter(|(_, ratio)| *ratio > MOST).collect();
    if slow.is_empty() {
        Ok(())
    } else {
        Err(format!("{slow:?}"))
    }
}
