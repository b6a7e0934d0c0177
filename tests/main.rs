//! The one test binary: a list of modules.

#![expect(clippy::expect_used, clippy::print_stderr, reason = "a test fails by panicking, and says what it leaves out")]

mod algorithms;
mod architecture;
mod bad_input;
mod integrations;
mod parity;
mod plans;
mod support;
