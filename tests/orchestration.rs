//! Live sources.

mod bandit;
mod batcher;
mod complexity;
mod engine;
mod fuse;
mod gate;
mod ledger;
mod locks;
mod router;
mod sources;
mod statistics;
