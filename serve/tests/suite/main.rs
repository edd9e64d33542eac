//! The tests of the crate, in one binary: linking is what takes long.

mod epoch;
mod http;
mod malformed;
mod matrix;
mod memory;
mod operate;
mod ops;
mod request;
mod support;
mod tls;
mod websocket;
