//! Live sources.

mod batcher;
mod sources;
mod statistics;
