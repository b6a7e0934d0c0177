//! Clusters of processes: what they answer, whom they trust, and what becomes of a job when a part of them fails.

#![expect(clippy::expect_used, reason = "a test that cannot run fails")]

mod answers;
mod failures;
mod hosts;
mod support;
mod trust;
