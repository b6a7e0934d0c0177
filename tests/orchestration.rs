//! Live sources.

mod batcher;
mod fuse;
mod sources;
mod statistics;
