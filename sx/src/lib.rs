//! sx
