//! What compiling a file ahead gives: the chunks of its top-level forms and the types it declares.
//!
//! An image holds no text. Spans point into the texts of the bundle, which are put back when the
//! image is decoded, so that errors show their lines.
//!
//! Invariant: running the chunks in order does what evaluating the file's forms does.

use crate::expand::Adt;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use sx_runtime::chunk::Chunk;
use sx_runtime::syntax::Source;

/// A file, compiled.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Image {
    /// The chunks of its top-level forms, in order.
    pub chunks: Vec<Arc<Chunk>>,
    /// The algebraic types it declares, which only the compiler of other texts asks about.
    pub adts: Vec<Adt>,
}

impl Image {
    /// The image as bytes.
    pub fn encode(&self) -> Result<Vec<u8>, String> {
        postcard::to_stdvec(self).map_err(|error| error.to_string())
    }
    /// The image in these bytes; `text_of` finds a text by its name.
    pub fn decode(bytes: &[u8], text_of: &dyn Fn(&str) -> Option<Arc<Source>>) -> Result<Image, String> {
        let mut image: Image = postcard::from_bytes(bytes).map_err(|error| error.to_string())?;
        image.chunks.iter_mut().for_each(|chunk| give_texts(chunk, text_of));
        Ok(image)
    }
}

/// Gives a chunk that nobody else holds yet, and the functions in it, the texts its spans point into.
fn give_texts(chunk: &mut Arc<Chunk>, text_of: &dyn Fn(&str) -> Option<Arc<Source>>) {
    let Some(chunk) = Arc::get_mut(chunk) else { return };
    for source in &mut chunk.sources {
        if let Some(text) = text_of(&source.name) {
            *source = text;
        }
    }
    chunk.children.iter_mut().for_each(|child| give_texts(child, text_of));
}
