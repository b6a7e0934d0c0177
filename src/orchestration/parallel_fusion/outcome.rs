//! What became of a request.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::SourceError;
use crate::orchestration::source::Reply;
use crate::orchestration::stop::Stopped;
use crate::orchestration::telemetry::Label;
use crate::orchestration::{Cost, Opinion};
use crate::spec::OnInvalid;
use crate::tensor::Flags;

/// A fused answer, and how it came about.
#[derive(Debug, Clone)]
#[must_use]
pub struct Outcome {
    /// The fused distribution, one value per class.
    pub posterior: Vec<f32>,
    /// The class with the largest posterior; the lower one where two are equal.
    pub decision: u32,
    /// The largest posterior, times the penalty for each source that failed or was late.
    pub confidence: f32,
    /// How far the opinions are apart, in [0, 1].
    pub disagreement: f32,
    /// The words of the source that says most for the decision, by weight times probability; the meta-learner's, where it
    /// judged and has any.
    pub content: Option<String>,
    /// Who made the posterior.
    pub judge: Judge,
    /// Why it waited no longer.
    pub stopped: Stopped,
    /// What was out of the ordinary about the fusion.
    pub flags: Flags,
    /// Every source, in the order they were given, then the meta-learner where there is one.
    pub reports: Vec<Report>,
    /// What was spent on all of them, whether they answered or not; see [`Cost`].
    pub cost: Cost,
    /// From the question to the answer.
    pub elapsed: Duration,
}

/// Who made a posterior.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Judge {
    /// The engine, by the rule of the fusion.
    Fusion,
    /// The meta-learner, who was shown what the sources said.
    MetaLearner,
    /// The engine, because the meta-learner failed; its report says how.
    Fallback,
}

/// One source's part in a request.
#[derive(Debug, Clone)]
pub struct Report {
    /// Its name.
    pub name: Arc<str>,
    /// What became of asking it.
    pub fate: Fate,
    /// The share its opinion had in the fusion; 0 where it gave none.
    pub weight: f32,
    /// Until it answered, failed or was given up.
    pub latency: Duration,
    /// What it said; divided by its sum where it did not sum to one and the fusion renormalises.
    pub opinion: Option<Opinion>,
    /// What it said in words.
    pub content: Option<String>,
    /// What asking it cost, whether it answered or not.
    pub cost: Cost,
    /// How often it was asked: 2 where it was slow and hedged.
    pub calls: u32,
    /// What kept it from giving an opinion.
    pub error: Option<SourceError>,
}

/// What became of asking one source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It gave an opinion.
    Answered,
    /// It declined to give one.
    Abstained,
    /// It failed, by its own account.
    Failed,
    /// It answered with what is no opinion over the classes asked for.
    Invalid,
    /// It panicked.
    Panicked,
    /// It had not answered when the deadline came.
    TimedOut,
    /// Its answer was no longer needed, and it was cancelled: nothing is known of how it would have done.
    Censored,
}

impl Outcome {
    /// The sources that failed or were late.
    pub fn failures(&self) -> impl Iterator<Item = &Report> {
        self.reports.iter().filter(|report| report.fate.is_failure())
    }
}

impl Report {
    /// Of a source that has been asked once and has not answered: censored, if it stays at that.
    pub(super) fn unanswered(name: Arc<str>) -> Self {
        Self {
            name,
            fate: Fate::Censored,
            weight: 0.0,
            latency: Duration::ZERO,
            opinion: None,
            content: None,
            cost: Cost::default(),
            calls: 1,
            error: None,
        }
    }

    /// Takes in how a call ended; a valid opinion leaves its probabilities in `row`, and so does one that the policy mends,
    /// which is answered.
    pub(super) fn take(&mut self, reply: Result<Reply, SourceError>, row: &mut [f32], on_invalid: OnInvalid) -> bool {
        let mut mended = false;
        let valid = reply.and_then(|mut reply| {
            let given = reply.opinion.write_probabilities(row).or_else(|error| {
                let renormalises = on_invalid == OnInvalid::Renormalise;
                let Some(opinion) = renormalises.then(|| reply.opinion.renormalised()).flatten() else {
                    return Err(error);
                };
                let given = opinion.write_probabilities(row).map_err(|_| error)?;
                (reply.opinion, mended) = (opinion, true);
                Ok(given)
            })?;
            Ok((reply, given))
        });
        match valid {
            Ok((reply, given)) => {
                self.fate = if given { Fate::Answered } else { Fate::Abstained };
                self.error = (!given).then_some(SourceError::Abstained);
                (self.opinion, self.content) = (Some(reply.opinion), reply.content);
            }
            Err(error) => (self.fate, self.error) = (Fate::of(&error), Some(error)),
        }
        mended
    }
}

impl Fate {
    /// Whether the source did not do its part: it lowers the confidence.
    #[must_use]
    pub const fn is_failure(self) -> bool {
        matches!(self, Self::Failed | Self::Invalid | Self::Panicked | Self::TimedOut)
    }

    fn of(error: &SourceError) -> Self {
        match error {
            SourceError::Invalid { .. } => Self::Invalid,
            SourceError::Panicked { .. } => Self::Panicked,
            SourceError::TimedOut { .. } => Self::TimedOut,
            SourceError::Abstained => Self::Abstained,
            _ => Self::Failed,
        }
    }
}

impl Label for Fate {
    const KEY: &'static str = "fate";
    const ALL: &'static [Self] =
        &[Self::Answered, Self::Abstained, Self::Failed, Self::Invalid, Self::Panicked, Self::TimedOut, Self::Censored];

    fn name(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Abstained => "abstained",
            Self::Failed => "failed",
            Self::Invalid => "invalid",
            Self::Panicked => "panicked",
            Self::TimedOut => "timed_out",
            Self::Censored => "censored",
        }
    }
}
