//! Live sources.

mod statistics;
