//! Live sources.

mod bandit;
mod batched;
mod batcher;
mod cache;
mod complexity;
mod costs;
mod dependency;
mod engine;
mod faults;
mod fuse;
mod gate;
mod history;
mod iteration;
mod lane;
mod learning;
mod ledger;
mod locks;
mod parallel_fusion;
mod router;
mod scripted;
mod selector;
mod service;
mod soak;
mod sources;
mod statistics;
mod telemetry;
