//! Live sources.

mod bandit;
mod batcher;
mod complexity;
mod fuse;
mod gate;
mod ledger;
mod router;
mod sources;
mod statistics;
