//! Live sources.

mod bandit;
mod batcher;
mod complexity;
mod fuse;
mod gate;
mod router;
mod sources;
mod statistics;
