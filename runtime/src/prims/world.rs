//! What the host gives: time, randomness, files, the environment, warnings.
//!
//! Deliberately absent: any way around the host's access policy, and `perform`, whose ops belong
//! to the edge.

use super::cx::host_error;
use super::{Cx, prims};
use crate::error::{Code, Raise};
use crate::host::Stream;
use crate::print::Style;
use crate::value::{Value, Word};

prims! { WORLD {
    /// Milliseconds since 1970 by the calendar clock.
    "now-ms" | "current-time-ms" () -> Int, Any, |cx| { let ms = cx.host().now_ms(); cx.give_int(ms) }, ["(> (now-ms) 1600000000000) ; => true"];
    /// Seconds since 1970 by the calendar clock.
    "current-second" | "now" () -> Number, Any, |cx| { let ms = cx.host().now_ms(); cx.give_float(ms as f64 / 1000.0) }, ["(> (current-second) 1600000000) ; => true"];
    /// Nanoseconds since some fixed moment; never goes back.
    "monotonic-ns" | "current-jiffy" () -> Int, Any, |cx| { let ns = cx.host().monotonic_ns(); cx.give_int(ns as i64) }, ["(<= (monotonic-ns) (monotonic-ns)) ; => true"];
    /// How many jiffies make a second.
    "jiffies-per-second" () -> Int, Pure, |_| Ok(Word::fixnum(1_000_000_000)), ["(jiffies-per-second) ; => 1000000000"];
    /// n bytes nobody can guess.
    "random-bytes" (n: Index) -> Bytes, Any, random_bytes, ["(bytevector-length (random-bytes 16)) ; => 16"];
    /// The items in random order.
    "shuffle" (xs: List) -> List, Any, shuffle, ["(len (shuffle (list 1 2 3))) ; => 3"];
    /// The text of a file.
    "read-file" | "%read-text" (path: String) -> String, Any, read_file, ["(let () (write-file \"a.txt\" \"xy\") (read-file \"a.txt\")) ; => \"xy\"", "(read-file \"none.txt\") ; error: read-file: none.txt: no such file"];
    /// The bytes of a file, or at most count of them from byte start.
    "read-file-bytes" | "%open-binary-input-file" (path: String, start: Index optional, count: Index optional) -> Bytes, Any, read_file_bytes, ["(let () (write-file \"a.txt\" \"xyz\") (read-file-bytes \"a.txt\" 1 2)) ; => #u8(121 122)"];
    /// What there is to know of a file without reading it: a dict of `kind` (file or directory), `size`,
    /// `modified-ms` and `path`, from the root and without links. nil if there is none that may be read.
    "file-info" (path: String) -> Any, Any, file_info, ["(file-info \"/no/such/file\") ; => nil"];
    /// Replaces a file by a text or bytevector.
    "write-file" (path: String, content: Any) -> Nil, Any, write_file, ["(let () (write-file \"a.txt\" \"xy\") (file-exists? \"a.txt\")) ; => true"];
    /// Is there a file that may be read?
    "file-exists?" (path: String) -> Bool, Any, file_exists, ["(file-exists? \"/no/such/file\") ; => false"];
    /// Removes a file.
    "delete-file" (path: String) -> Nil, Any, delete_file, ["(let () (write-file \"a.txt\" \"xy\") (delete-file \"a.txt\") (file-exists? \"a.txt\")) ; => false"];
    /// A variable of the environment, or nil.
    "get-environment-variable" | "%get-environment-variable" (name: String) -> Any, Any, environment, ["(get-environment-variable \"SX_NO_SUCH_VARIABLE\") ; => nil"];
    /// A new list of the words the program was started with, its own name first.
    "command-line" () -> List, Any, |cx| { let arguments = cx.state().arguments.clone(); cx.give_strings(&arguments) }, ["(list? (command-line)) ; => true"];
    /// The variables of the environment: name, value, name, value and so on.
    "%environment-variables" () -> List, Any, variables, ["(list? (%environment-variables)) ; => true"];
    /// Writes a warning to the error stream.
    "host-warn" (message: Any) -> Nil, Any, host_warn, ["(host-warn \"careful\") ; => nil"];
    /// A dict of counters of the heap: collections, bytes in use, the limit, time spent collecting.
    "runtime-stats" () -> Dict, Any, runtime_stats, ["(> (get (runtime-stats) :bytes-used) 0) ; => true"];
    /// Collects all garbage.
    "gc" () -> Nil, Any, |cx| { cx.collect(); Ok(Word::NIL) }, ["(gc) ; => nil"];
} }

/// The most bytes one call gives.
const RANDOM_BYTES_MAX: usize = 1 << 20;

fn variables(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let texts: Vec<String> = cx
        .host()
        .variables()
        .into_iter()
        .flat_map(|(name, value)| [name, value])
        .collect();
    cx.give_strings(&texts)
}

fn random_bytes(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let n = cx.index(0);
    if n > RANDOM_BYTES_MAX {
        return Err(Raise::new(Code::Range, "random-bytes: too many bytes"));
    }
    let mut bytes = vec![0; n];
    cx.host()
        .random_bytes(&mut bytes)
        .map_err(|e| host_error("random-bytes", &e))?;
    cx.give_bytes(&bytes)
}

fn shuffle(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let len = super::seq::list_len("shuffle", cx.arg(0))?;
    let mut order: Vec<usize> = (0..len).collect();
    for i in (1..len).rev() {
        let at = ((u128::from(cx.host().random_u64()) * (i as u128 + 1)) >> 64) as usize;
        order.swap(i, at);
    }
    cx.give_list(
        |_| Ok(len),
        |cx| {
            let items = super::seq::list_items("shuffle", cx.arg(0))?;
            Ok(order.iter().map(|i| items[*i]).collect::<Vec<Value<'_>>>())
        },
    )
}

/// The path in operand 0, copied so that the host can be asked.
fn path(cx: &Cx<'_>) -> String {
    cx.text(0).to_string()
}

fn read_file(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let path = path(cx);
    let text = cx.host().read_text(&path).map_err(|e| host_error("read-file", &e))?;
    cx.give_string(&text)
}

fn read_file_bytes(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let path = path(cx);
    let bytes = match (cx.given(1), cx.given(2)) {
        (None, None) => cx.host().read_file(&path),
        (_, most) => {
            let (start, most) = (cx.index(1), most.map_or(usize::MAX, |_| cx.index(2)));
            cx.host().read_part(&path, start as u64, most)
        }
    };
    let bytes = bytes.map_err(|e| host_error("read-file-bytes", &e))?;
    cx.give_bytes(&bytes)
}

fn file_info(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let path = path(cx);
    let Ok(info) = cx.host().file_info(&path) else {
        return Ok(Word::NIL);
    };
    let kind = if info.is_directory { "directory" } else { "file" };
    let texts = crate::string::size_of_string(kind.len()) + crate::string::size_of_string(info.real_path.len());
    cx.reserve(super::dicts::size_of_built(4) + texts)?;
    let heap = cx.heap();
    let entries = vec![
        (heap.intern("kind"), heap.string(kind)),
        (heap.intern("size"), Value::fixnum(info.size as i64)),
        (heap.intern("modified-ms"), Value::fixnum(info.modified_ms)),
        (heap.intern("path"), heap.string(&info.real_path)),
    ];
    Ok(super::dicts::build(heap, entries).word())
}

fn write_file(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let path = path(cx);
    let v = cx.arg(1);
    let bytes = v
        .as_str()
        .map(|text| text.as_bytes().to_vec())
        .or_else(|| v.bytes_to_vec());
    let Some(bytes) = bytes else {
        return Err(Raise::new(
            Code::Type,
            format!("write-file: expected string or bytevector, got {}", v.type_name()),
        ));
    };
    cx.host()
        .write_file(&path, &bytes)
        .map_err(|e| host_error("write-file", &e))?;
    Ok(Word::NIL)
}

fn file_exists(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let path = path(cx);
    Ok(Word::bool(cx.host().file_exists(&path)))
}

fn delete_file(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let path = path(cx);
    cx.host()
        .delete_file(&path)
        .map_err(|e| host_error("delete-file", &e))?;
    Ok(Word::NIL)
}

fn environment(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let name = path(cx);
    match cx.host().environment(&name) {
        Some(value) => cx.give_string(&value),
        None => Ok(Word::NIL),
    }
}

fn host_warn(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let mut text = String::from("[sx] ");
    cx.show_onto(&mut text, cx.arg(0), Style::Display)?;
    text.push('\n');
    cx.host()
        .write(Stream::Err, &text)
        .map_err(|e| host_error("host-warn", &e))?;
    Ok(Word::NIL)
}

fn runtime_stats(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let stats = cx.heap().stats();
    let rows = [
        ("minor-collections", stats.minor as i64),
        ("full-collections", stats.full as i64),
        ("bytes-promoted", stats.promoted as i64),
        ("bytes-used", stats.used as i64),
        ("bytes-live", stats.live as i64),
        ("bytes-limit", stats.limit as i64),
        ("pause-us", stats.pause_ns as i64 / 1000),
        ("pause-us-max", stats.pause_ns_max as i64 / 1000),
    ];
    cx.reserve(super::dicts::size_of_built(rows.len()))?;
    let heap = cx.heap();
    let entries = rows
        .iter()
        .map(|(name, n)| (heap.intern(name), Value::fixnum(*n)))
        .collect();
    Ok(super::dicts::build(heap, entries).word())
}
