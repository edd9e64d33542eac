//! String buffers: text that grows in place.

use super::{Cx, prims};
use crate::error::Raise;
use crate::heap::Heap;
use crate::print::Style;
use crate::value::Word;

prims! { BUFFERS {
    /// An empty string buffer.
    "make-string-buffer" () -> StringBuffer, Allocates, make, ["(string-buffer->string (make-string-buffer)) ; => \"\""];
    /// Adds the arguments as display shows them, in place; the value is the buffer.
    "string-buffer-append!" (b: StringBuffer, xs: Any rest) -> StringBuffer, Writes, append, ["(let ((b (make-string-buffer))) (string-buffer-append! b \"a\" 1) (string-buffer->string b)) ; => \"a1\""];
    /// The text so far.
    "string-buffer->string" (b: StringBuffer) -> String, Reads, to_string, ["(string-buffer->string (string-buffer-append! (make-string-buffer) \"ab\")) ; => \"ab\""];
    /// How many code points the text has so far.
    "string-buffer-length" (b: StringBuffer) -> Index, Reads, length, ["(string-buffer-length (string-buffer-append! (make-string-buffer) \"zwölf\")) ; => 5"];
} }

fn make(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    cx.reserve(Heap::SIZE_OF_STRING_BUFFER)?;
    Ok(cx.heap().string_buffer().value().word())
}

fn append(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    let mut text = String::new();
    for i in 1..cx.argc() {
        cx.show_onto(&mut text, cx.arg(i), Style::Display)?;
    }
    let bytes = cx.arg(0).as_string_buffer().map_or(0, |b| b.size_of_push(text.len()));
    cx.reserve(bytes)?;
    if let Some(buffer) = cx.arg(0).as_string_buffer() {
        cx.heap().string_buffer_push(buffer, &text);
    }
    Ok(cx.arg(0).word())
}

fn text<'h>(cx: &'h Cx<'_>) -> &'h str {
    cx.arg(0).as_string_buffer().map(|b| b.text()).unwrap_or_default()
}

fn to_string(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    cx.reserve(crate::string::size_of_string(text(cx).len()))?;
    Ok(cx.heap().string(text(cx)).word())
}

fn length(cx: &mut Cx<'_>) -> Result<Word, Raise> {
    Ok(Word::fixnum(text(cx).chars().count() as i64))
}
