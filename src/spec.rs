//! What to fuse and how, as data: a [`Fusion`] is plain, comparable and serialisable, and knows no device.

mod boost;
mod invalid;
mod rule;
mod weighting;

use serde::{Deserialize, Serialize};

pub use self::boost::{Boost, penalised};
pub use self::invalid::OnInvalid;
pub use self::rule::{BeliefFusion, Conflict, Member, Rule};
pub use self::weighting::{Distance, Divergence, Measure, STEEPNESS, Weighting};
use crate::tensor::{Output, Outputs};

/// The smallest probability a logarithm is taken of, unless a [`Fusion`] says another.
pub const LOG_FLOOR: f32 = 1e-7;

/// How far a source is trusted by the rules that discount, unless a [`Fusion`] says otherwise.
pub const RELIABILITY: f32 = 0.9;

/// A fusion: the rule, the weighting, the priors, what becomes of invalid opinions, and which outputs are wanted.
///
/// # Examples
///
/// *A log pool that trusts the first of two sources twice as much, and says how sure it is.*
///
/// ```
/// use consilience::{Engine, Evidence, Fusion, Output, Rule, Weighting};
///
/// let fusion = Fusion::new(Rule::LogPool)
///     .weighting(Weighting::Fixed(vec![2.0, 1.0]))
///     .outputs(&[Output::Decision, Output::Entropy]);
/// let evidence = Evidence::probabilities(2, &[&[0.8, 0.2], &[0.2, 0.8]])?;
/// let fused = Engine::cpu()?.fuse(&fusion, &evidence)?;
/// assert_eq!(fused.decision(), [0]);
/// assert!(fused.posterior().is_empty());
/// # Ok::<(), consilience::Error>(())
/// ```
///
/// *As a file.*
///
/// ```
/// use consilience::{Fusion, Rule};
///
/// let fusion: Fusion = serde_json::from_str(r#"{ "rule": "vote", "outputs": ["decision"] }"#)?;
/// assert_eq!(fusion.rule, Rule::Vote);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Fusion {
    /// How opinions combine.
    pub rule: Rule,
    /// How much each source counts.
    pub weighting: Weighting,
    /// Prior of each source, pi: used by `BayesianAverage`, and in place of the weights where all are zero. Normalised
    /// over the sources present. `None`: uniform.
    pub source_priors: Option<Vec<f32>>,
    /// Prior of each class, rho: the posterior of an item that no source was asked about. Normalised. `None`: uniform.
    pub class_prior: Option<Vec<f32>>,
    /// How far each source can be trusted, a_n in [0, 1]: what `DempsterShafer` and `Belief` discount by, and the conflict
    /// goes by. `None`: [`RELIABILITY`] each.
    pub reliabilities: Option<Vec<f32>>,
    /// The smallest probability a logarithm is taken of, eps in [1.2e-38, 1): part of the definition of the rules that take
    /// one.
    pub log_floor: f32,
    /// T_n > 0 of each source: its opinions become p^(1/T), normalised, before anything else. `None`: 1 each. A confidence
    /// that was given stays as it is.
    pub source_temperatures: Option<Vec<f32>>,
    /// T > 0 of the pool: the posterior becomes P^(1/T), normalised, after everything else. The class prior of an item
    /// without a source stays as it is.
    pub temperature: f32,
    /// What becomes of an opinion that is not valid.
    pub on_invalid: OnInvalid,
    /// What is wanted of every item.
    pub outputs: Outputs,
}

impl Fusion {
    /// A fusion by the rule given; everything else as in [`Fusion::default`].
    #[must_use]
    pub fn new(rule: Rule) -> Self {
        Self { rule, ..Self::default() }
    }

    /// The scalar case of two sources, as the `parallel_fusion` preset has it: linear pool, most confident source and
    /// Bayesian average in equal parts, with weights and priors of 0.6 and 0.4.
    #[must_use]
    pub fn two_source() -> Self {
        Self {
            rule: Rule::ensemble(&[Rule::Linear, Rule::MaxVote, Rule::BayesianAverage]),
            weighting: Weighting::Fixed(vec![0.6, 0.4]),
            source_priors: Some(vec![0.6, 0.4]),
            ..Self::default()
        }
    }

    /// The same with another weighting.
    #[must_use]
    pub fn weighting(mut self, weighting: Weighting) -> Self {
        self.weighting = weighting;
        self
    }

    /// The same with these source priors.
    #[must_use]
    pub fn source_priors(mut self, priors: Vec<f32>) -> Self {
        self.source_priors = Some(priors);
        self
    }

    /// The same with this class prior.
    #[must_use]
    pub fn class_prior(mut self, prior: Vec<f32>) -> Self {
        self.class_prior = Some(prior);
        self
    }

    /// The same with another floor under the logarithms.
    #[must_use]
    pub fn log_floor(mut self, eps: f32) -> Self {
        self.log_floor = eps;
        self
    }

    /// The same with these reliabilities.
    #[must_use]
    pub fn reliabilities(mut self, reliabilities: Vec<f32>) -> Self {
        self.reliabilities = Some(reliabilities);
        self
    }

    /// The same with a temperature for each source.
    #[must_use]
    pub fn source_temperatures(mut self, temperatures: Vec<f32>) -> Self {
        self.source_temperatures = Some(temperatures);
        self
    }

    /// The same with another temperature of the pool.
    #[must_use]
    pub fn temperature(mut self, temperature: f32) -> Self {
        self.temperature = temperature;
        self
    }

    /// The same with another policy for invalid opinions.
    #[must_use]
    pub fn on_invalid(mut self, policy: OnInvalid) -> Self {
        self.on_invalid = policy;
        self
    }

    /// The same with these outputs and no others.
    #[must_use]
    pub fn outputs(mut self, outputs: &[Output]) -> Self {
        self.outputs = Outputs::of(outputs);
        self
    }
}

impl Default for Fusion {
    /// The default ensemble under equal weights, asking for posterior, decision and confidence.
    fn default() -> Self {
        Self {
            rule: Rule::default(),
            weighting: Weighting::default(),
            source_priors: None,
            class_prior: None,
            reliabilities: None,
            log_floor: LOG_FLOOR,
            source_temperatures: None,
            temperature: 1.0,
            on_invalid: OnInvalid::default(),
            outputs: Outputs::default(),
        }
    }
}
