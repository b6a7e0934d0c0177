//! What should be looked into, with the numbers that say so.

use serde::{Deserialize, Serialize};

use super::{Against, Diagnostics, Share, Trend};
use crate::orchestration::Dependencies;
use crate::orchestration::dependency::Redundant;
use crate::orchestration::selector::{Arm, Estimate};

/// What should be looked into, with the numbers that say so: each holds at the end of its 95 % interval that speaks
/// against it, and is of at least [`Recommendation::LEAST`] records.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Recommendation {
    /// Keep opinions for longer: more than half of what the cache missed it had held.
    LongerLifetime {
        /// The requests.
        class: u32,
        /// Of their misses.
        expired: Share,
    },
    /// Take an arm no more: it is slower than one after another, in every class.
    NeverBetter {
        /// Which.
        arm: Arm,
        /// How much.
        against: Against,
    },
    /// See why an arm fails: it leads to an answer less than half of the time.
    Unreliable {
        /// Which.
        arm: Arm,
        /// How often it does.
        success: Share,
    },
    /// Multiply estimates: they are off by more than a tenth.
    BiasedEstimates {
        /// By this.
        factor: f64,
        /// 95 % of where that is.
        interval: [f64; 2],
    },
    /// Estimate wider intervals: too few latencies are in them.
    WiderIntervals {
        /// Those that are.
        coverage: Share,
    },
    /// Estimate narrower intervals: too many latencies are in them.
    NarrowerIntervals {
        /// Those that are.
        coverage: Share,
    },
    /// See what became slower: by chance latencies rise like this once in a hundred times.
    Slower {
        /// Over all classes.
        trend: Trend,
    },
    /// Ask one of two sources, not both: they err together, at a phi of [`Recommendation::REDUNDANT`] or more.
    Redundant {
        /// Which, and how far.
        pair: Redundant,
    },
}

impl Recommendation {
    /// Records without which nothing is recommended.
    pub const LEAST: u64 = 30;

    /// The phi at which one of two sources is enough.
    pub const REDUNDANT: f64 = 0.8;

    pub(super) fn of(found: &Diagnostics, sources: Option<&Dependencies>) -> Vec<Self> {
        let mut all = Vec::new();
        for insight in &found.classes {
            if let Some(expired) =
                insight.expired.filter(|expired| expired.of >= Self::LEAST && expired.interval[0] > 0.5)
            {
                all.push(Self::LongerLifetime { class: insight.class, expired });
            }
        }
        for effect in found.arms.iter().filter(|effect| effect.success.of >= Self::LEAST) {
            let arm = effect.arm;
            let slower = |against: &Against| against.quicker == 0 && against.interval[0] > 1.0;
            if let Some(against) = effect.against.filter(slower) {
                all.push(Self::NeverBetter { arm, against });
            }
            if effect.success.interval[1] < 0.5 {
                all.push(Self::Unreliable { arm, success: effect.success });
            }
        }
        if let Some(quality) = found.quality.filter(|quality| quality.records >= Self::LEAST) {
            let tenth = 1.1_f64.ln();
            if let Some([low, high]) = quality.interval.filter(|[low, high]| *low > tenth || *high < -tenth) {
                all.push(Self::BiasedEstimates { factor: quality.bias.exp(), interval: [low.exp(), high.exp()] });
            }
            if let Some(coverage) = quality.coverage.filter(|coverage| coverage.of >= Self::LEAST) {
                let [low, high] = coverage.interval;
                if high < Estimate::COVERAGE {
                    all.push(Self::WiderIntervals { coverage });
                } else if low > Estimate::COVERAGE {
                    all.push(Self::NarrowerIntervals { coverage });
                }
            }
        }
        let rising = |trend: &Trend| trend.records >= Self::LEAST && trend.z > 0.0 && trend.p < 0.01;
        all.extend(found.trend.filter(rising).map(|trend| Self::Slower { trend }));
        let redundant = sources.map(|sources| sources.redundant(Self::REDUNDANT)).unwrap_or_default();
        all.extend(redundant.into_iter().map(|pair| Self::Redundant { pair }));
        all
    }
}
