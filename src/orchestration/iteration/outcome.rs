//! What happens while an iteration thinks, and what it comes to.

use std::time::Duration;

use crate::error::SourceError;
use crate::orchestration::{Cost, Reply};

/// Something that happened while an iteration was thinking.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Event {
    /// A thought ended, well or not.
    Thought {
        /// The thought.
        thought: Thought,
        /// The mean of the thoughts so far; the same probability for each class while there are none.
        posterior: Vec<f32>,
    },
    /// The synthesis began.
    SynthesisBegan {
        /// The thoughts it is shown, by index.
        thoughts: Vec<u32>,
        /// Whether others are still outstanding.
        is_speculative: bool,
    },
    /// A synthesis ended, well or not, or is no longer wanted. A speculative one is told of when it is known whether it is
    /// kept.
    Synthesis(Synthesis),
    /// The end.
    Done(Box<Outcome>),
}

/// One thought.
#[derive(Debug, Clone)]
pub struct Thought {
    /// Which one, from 0, in the order they began.
    pub index: u32,
    /// What it says, or why it says nothing.
    pub reply: Result<Reply, SourceError>,
    /// How long it took.
    pub latency: Duration,
    /// What it cost, whether it says anything or not.
    pub cost: Cost,
}

/// One synthesis.
#[derive(Debug, Clone)]
pub struct Synthesis {
    /// The thoughts it was shown, by index.
    pub thoughts: Vec<u32>,
    /// Whether others were still outstanding when it began.
    pub is_speculative: bool,
    /// What it says, or why it says nothing; `None` where it was stopped, because the decision it began with did not
    /// stand.
    pub reply: Option<Result<Reply, SourceError>>,
    /// Whether the outcome is what it says.
    pub is_kept: bool,
    /// How long it took.
    pub latency: Duration,
    /// What it cost, whether it says anything or not.
    pub cost: Cost,
}

/// What an outcome is based on.
#[derive(Debug, Clone)]
pub enum Basis {
    /// The synthesiser's answer.
    Synthesis,
    /// The mean of the thoughts, since the synthesis failed.
    Thoughts(SourceError),
    /// The mean of the thoughts, since the synthesiser abstained.
    Abstained,
}

/// What an iteration comes to.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The answer.
    pub posterior: Vec<f32>,
    /// Its likeliest class, the first of equals.
    pub decision: usize,
    /// The probability of that.
    pub confidence: f32,
    /// The synthesiser's words, where it gave any.
    pub content: Option<String>,
    /// What the answer is based on.
    pub basis: Basis,
    /// The mean of the thoughts; the same probability for each class where all of them abstained.
    pub pool: Vec<f32>,
    /// The thoughts that began, by index.
    pub thoughts: Vec<Thought>,
    /// How many were planned: more than began where thinking stopped early or time ran out.
    pub planned: u32,
    /// Whether thinking stopped because two thoughts in a row were alike.
    pub stopped_alike: bool,
    /// Each synthesis that began, in that order.
    pub syntheses: Vec<Synthesis>,
    /// What all of it cost, thoughts and syntheses that failed or were stopped among it; see [`Cost`].
    pub cost: Cost,
    /// How long it took.
    pub elapsed: Duration,
}
