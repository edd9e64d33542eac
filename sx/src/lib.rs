//! The engine: what a program that embeds SX uses.
