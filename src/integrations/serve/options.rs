//! What a server lets in, and how long it waits.

use std::num::NonZeroU32;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::{Result, SpecError};

/// What a server lets in, and how long it waits: plain data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Connections that may be open at a time; further ones wait to be accepted.
    pub most_connections: usize,
    /// How long a client may take to send the head of a request, from when it has connected or was answered: it is also how
    /// long a connection may be idle.
    pub head_time: Duration,
    /// How long a client may take to send a body.
    pub body_time: Duration,
    /// Bytes of a body that is no batch.
    pub most_request_bytes: usize,
    /// Bytes of a batch of evidence.
    pub most_batch_bytes: usize,
    /// Bytes of batches that may be in memory at a time, on their way in or being fused; further ones are refused. As much
    /// memory as the largest batch takes is kept for those to come.
    pub most_batches_bytes: usize,
    /// Requests for answers and for fusions in a second; more are refused. `None`: as many as come.
    pub most_a_second: Option<NonZeroU32>,
    /// The longest time that a request may ask for.
    pub longest_deadline: Duration,
    /// Answers that are kept for somebody to say what would have been right.
    pub kept_answers: usize,
    /// Requests in a second whose events are told; of the others only their number is.
    pub most_told_a_second: u32,
    /// How long what is measured is gathered before it is looked at.
    pub interval: Duration,
    /// How soon what was learned is saved.
    pub save_every: Duration,
    /// How long requests under way may take when the server is told to stop.
    pub drain: Duration,
}

impl Default for Options {
    /// 10,000 connections; 10 s for a head and 30 for a body; 64 KiB a request, 64 MiB a batch, 256 MiB of them at a time;
    /// no limit of rate; 60 s for an answer; 10,000 answers kept; 20 requests told a second; measured over 10 s, saved each
    /// second; 30 s to end.
    fn default() -> Self {
        Self {
            most_connections: 10_000,
            head_time: Duration::from_secs(10),
            body_time: Duration::from_secs(30),
            most_request_bytes: 64 << 10,
            most_batch_bytes: 64 << 20,
            most_batches_bytes: 256 << 20,
            most_a_second: None,
            longest_deadline: Duration::from_secs(60),
            kept_answers: 10_000,
            most_told_a_second: 20,
            interval: Duration::from_secs(10),
            save_every: Duration::from_secs(1),
            drain: Duration::from_secs(30),
        }
    }
}

impl Options {
    pub(super) fn check(&self) -> Result<()> {
        let counts = [
            ("the number of connections", self.most_connections),
            ("the bytes of a request", self.most_request_bytes),
            ("the bytes of a batch", self.most_batch_bytes),
        ];
        for (what, count) in counts {
            SpecError::check(what, count as f64, "at least 1", count >= 1)?;
        }
        let all = self.most_batches_bytes;
        let fits = (self.most_batch_bytes..=u32::MAX as usize).contains(&all);
        SpecError::check("the bytes of all batches", all as f64, "from those of one batch to 4 GiB", fits)?;
        let times = [
            ("the time for a head", self.head_time),
            ("the time for a body", self.body_time),
            ("the longest deadline", self.longest_deadline),
            ("the interval of measurements", self.interval),
            ("the time between saves", self.save_every),
        ];
        for (what, time) in times {
            let holds = time >= Duration::from_millis(1) && time <= Duration::from_secs(86_400);
            SpecError::check(what, time.as_secs_f64(), "from a millisecond to a day", holds)?;
        }
        Ok(())
    }
}
