//! Live sources.

mod sources;
mod statistics;
