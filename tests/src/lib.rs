//! What the project's own tests share: cases made by combination.

pub mod examples;
pub mod matrix;
pub mod oracle;
