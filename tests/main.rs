//! The one test binary: a list of modules.

#![expect(clippy::expect_used, clippy::print_stderr, reason = "a test fails by panicking, and says what it leaves out")]

mod algorithms;
mod architecture;
mod bad_input;
mod engine;
mod integrations;
mod measuring;
#[cfg(feature = "orchestration")]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod orchestration;
mod parity;
mod plans;
mod stream;
mod support;
