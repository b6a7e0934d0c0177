//! Functions of groups.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Expr, GroupsAccumulator, Signature, Volatility,
};

use super::dawid_skene::Pass;
use super::fuse::{Fuse, Told};
use super::groups::{Groups, OneGroup, Tally};
use super::list::ListType;
use super::parameter::{Parameter, coerced, constant, constant_list};
use super::score::{Score, Scored};
use super::spread::{Disagreement, EffectiveSources};
use crate::methods::calibration::{BINS, Loss};
use crate::methods::partial::Pool;
use crate::spec::{BeliefFusion, Conflict};

/// A function of the rows of a group.
///
/// # Examples
///
/// *A data frame.*
///
/// ```
/// use consilience::datafusion::{Aggregate, register};
/// use consilience::partial::Pool;
/// use datafusion::prelude::*;
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let context = SessionContext::new();
/// register(&mut *context.state_ref().write())?;
/// let said = context.sql("SELECT * FROM (VALUES (1, [0.5, 0.5]), (1, [0.25, 0.75])) AS t (item, opinion)").await?;
/// let fused = said.aggregate(vec![col("item")], vec![Aggregate::Fuse(Pool::Linear).call(vec![col("opinion")])])?;
/// assert_eq!(fused.count().await?, 1);
/// # Ok::<(), datafusion::error::DataFusionError>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Aggregate {
    /// The posterior by a rule: of opinions, weights or reliabilities, and confidences or the class prior.
    Fuse(Pool),
    /// The class that a majority votes for; of equal votes the one with the larger average.
    VoteDecision,
    /// How far opinions are apart.
    Disagreement,
    /// The effective number of sources, by their weights.
    EffectiveSources,
    /// The share of posteriors that decide right.
    Accuracy,
    /// The mean squared distance of posteriors from the truth.
    Brier,
    /// The mean negative log-likelihood in nats.
    NegativeLogLikelihood,
    /// The expected calibration error.
    CalibrationError,
    /// The sums of a pass of [`SqlAnnotations::fit`](super::SqlAnnotations::fit).
    DawidSkenePass,
}

impl Aggregate {
    /// All of them.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let others = [
            Self::VoteDecision,
            Self::Disagreement,
            Self::EffectiveSources,
            Self::Accuracy,
            Self::Brier,
            Self::NegativeLogLikelihood,
            Self::CalibrationError,
            Self::DawidSkenePass,
        ];
        Pool::ALL.into_iter().map(Self::Fuse).chain(others).collect()
    }

    /// Its name in SQL.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fuse(Pool::Linear) => "fuse_linear",
            Self::Fuse(Pool::Vote) => "fuse_vote",
            Self::Fuse(Pool::MaxVote) => "fuse_max_vote",
            Self::Fuse(Pool::BayesianAverage) => "fuse_bayes",
            Self::Fuse(Pool::LogPool) => "fuse_log_pool",
            Self::Fuse(Pool::Evidence) => "fuse_evidence",
            Self::Fuse(Pool::Confusion) => "fuse_confusion",
            Self::Fuse(Pool::DempsterShafer(Conflict::Normalise)) => "fuse_dempster_shafer",
            Self::Fuse(Pool::DempsterShafer(Conflict::Ignorance)) => "fuse_yager",
            Self::Fuse(Pool::Belief(BeliefFusion::Cumulative)) => "fuse_cumulative_belief",
            Self::Fuse(Pool::Belief(BeliefFusion::Averaging)) => "fuse_averaging_belief",
            Self::Fuse(Pool::Belief(BeliefFusion::Weighted)) => "fuse_weighted_belief",
            Self::Fuse(Pool::Ensemble) => "fuse_ensemble",
            Self::VoteDecision => "vote_decision",
            Self::Disagreement => "disagreement",
            Self::EffectiveSources => "effective_sources",
            Self::Accuracy => "accuracy",
            Self::Brier => "brier",
            Self::NegativeLogLikelihood => "nll",
            Self::CalibrationError => "ece",
            Self::DawidSkenePass => "dawid_skene_pass",
        }
    }

    /// The function, for a plan or a registry.
    #[must_use]
    pub fn function(self) -> Arc<AggregateUDF> {
        Arc::new(AggregateUDF::from(Function::of(self)))
    }

    /// A call of it, for a data frame.
    #[must_use]
    pub fn call(self, arguments: Vec<Expr>) -> Expr {
        self.function().call(arguments)
    }

    /// What it takes, and how much of that must be given.
    fn parameters(self) -> (Vec<Parameter>, usize) {
        let opinion = Parameter::per_class("the opinion");
        let weight = Parameter::number("the weight");
        match self {
            Self::Fuse(Pool::Confusion) => {
                (vec![Parameter::per_class("the likelihood"), Parameter::per_class("the class prior")], 1)
            }
            Self::Fuse(pool) if pool.takes_prior() => {
                let weight = if pool.takes_reliability() { Parameter::number("the reliability") } else { weight };
                (vec![opinion, weight, Parameter::per_class("the class prior")], 1)
            }
            Self::Fuse(pool) if pool.takes_confidence() => {
                (vec![opinion, weight, Parameter::number("the confidence")], 1)
            }
            Self::Fuse(_) | Self::VoteDecision | Self::Disagreement => (vec![opinion, weight], 1),
            Self::EffectiveSources => (vec![weight], 1),
            Self::Accuracy | Self::Brier | Self::NegativeLogLikelihood => {
                (vec![Parameter::per_class("the posterior"), Parameter::integer("the label")], 2)
            }
            Self::CalibrationError => {
                let bins = Parameter::integer("the number of bins");
                (vec![Parameter::per_class("the posterior"), Parameter::integer("the label"), bins], 2)
            }
            Self::DawidSkenePass => (super::dawid_skene::PARAMETERS.to_vec(), 3),
        }
    }

    /// The arguments that are constants, by their places.
    fn is_constant(self, place: usize) -> bool {
        match self {
            Self::Fuse(Pool::Confusion) => place == 1,
            Self::Fuse(pool) => pool.takes_prior() && place == 2,
            Self::CalibrationError | Self::DawidSkenePass => place == 2,
            _ => false,
        }
    }

    /// Does something with the tally that the function is, and with the type of lists that its states go by.
    fn with<V: Visit>(self, arguments: &[FieldRef], constants: &[Option<ScalarValue>], visit: V) -> Result<V::Answer> {
        let name = self.name();
        let list = || ListType::of(arguments[0].data_type(), "an opinion");
        let scored = |score| Scored { name, score };
        let constant = |place: usize| constants.get(place).and_then(Option::as_ref);
        match self {
            Self::Fuse(pool) => {
                let place = if pool == Pool::Confusion { 1 } else { 2 };
                let prior = constant(place).map(|prior| constant_list(name, "the class prior", prior)).transpose()?;
                let list = list()?;
                visit.visit(Fuse { name, pool, told: Told::Posterior, list, class_prior: prior }, list)
            }
            Self::VoteDecision => {
                let list = list()?;
                visit.visit(Fuse { name, pool: Pool::Vote, told: Told::Decision, list, class_prior: None }, list)
            }
            Self::Disagreement => visit.visit(Disagreement, list()?),
            Self::EffectiveSources => visit.visit(EffectiveSources, ListType(None)),
            Self::Accuracy => visit.visit(scored(Score::Accuracy), ListType(None)),
            Self::Brier => visit.visit(scored(Score::Loss(Loss::Brier)), ListType(None)),
            Self::NegativeLogLikelihood => visit.visit(scored(Score::Loss(Loss::Nll)), ListType(None)),
            Self::CalibrationError => {
                let bins = match constant(2) {
                    None => BINS,
                    Some(ScalarValue::Int64(Some(bins @ 1..=MOST_BINS))) => *bins as usize,
                    Some(other) => {
                        return exec_err!("the number of bins of {name} is {other}; it must be from 1 to {MOST_BINS}");
                    }
                };
                visit.visit(scored(Score::CalibrationError { bins }), ListType(None))
            }
            Self::DawidSkenePass => visit.visit(Pass::with(constant(2))?, ListType(None)),
        }
    }
}

/// The most bins of a calibration error.
const MOST_BINS: i64 = 1 << 16;

/// Something that is done with a tally of whatever type.
trait Visit {
    type Answer;

    fn visit<T: Tally>(self, tally: T, list: ListType) -> Result<Self::Answer>;
}

struct StateType;

impl Visit for StateType {
    type Answer = DataType;

    fn visit<T: Tally>(self, tally: T, list: ListType) -> Result<DataType> {
        Ok(Groups::state_type(&tally, list))
    }
}

struct OfGroups;

impl Visit for OfGroups {
    type Answer = Box<dyn GroupsAccumulator>;

    fn visit<T: Tally>(self, tally: T, list: ListType) -> Result<Self::Answer> {
        Ok(Box::new(Groups::new(tally, list)))
    }
}

struct OfOne;

impl Visit for OfOne {
    type Answer = Box<dyn Accumulator>;

    fn visit<T: Tally>(self, tally: T, list: ListType) -> Result<Self::Answer> {
        Ok(Box::new(OneGroup(Groups::new(tally, list))))
    }
}

/// An aggregate as DataFusion knows it.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Function {
    aggregate: Aggregate,
    signature: Signature,
    aliases: Vec<String>,
}

impl Function {
    fn of(aggregate: Aggregate) -> Self {
        let aliases = match aggregate {
            Aggregate::Fuse(Pool::BayesianAverage) => vec!["fuse_bayesian_average".to_owned()],
            _ => Vec::new(),
        };
        Self { aggregate, signature: Signature::user_defined(Volatility::Immutable), aliases }
    }

    fn refuse_distinct(&self, is_distinct: bool) -> Result<()> {
        if is_distinct {
            return plan_err!(
                "{} takes no DISTINCT beside other functions; say it in a subquery",
                self.aggregate.name()
            );
        }
        Ok(())
    }

    fn accumulate<V: Visit>(&self, arguments: &AccumulatorArgs<'_>, visit: V) -> Result<V::Answer> {
        self.refuse_distinct(arguments.is_distinct)?;
        let (parameters, _) = self.aggregate.parameters();
        let constants = (parameters.iter().zip(arguments.exprs).enumerate())
            .map(|(place, (parameter, argument))| {
                let is_constant = self.aggregate.is_constant(place);
                is_constant.then(|| constant(self.aggregate.name(), parameter.name, argument)).transpose()
            })
            .collect::<Result<Vec<_>>>()?;
        self.aggregate.with(arguments.expr_fields, &constants, visit)
    }
}

impl AggregateUDFImpl for Function {
    fn name(&self) -> &str {
        self.aggregate.name()
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let (parameters, needed) = self.aggregate.parameters();
        coerced(self.name(), &parameters, needed, given)
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        Ok(match self.aggregate {
            Aggregate::Fuse(_) => ListType::of(&arguments[0], "an opinion")?.with(DataType::Float32),
            Aggregate::VoteDecision => DataType::UInt32,
            Aggregate::Disagreement | Aggregate::EffectiveSources => DataType::Float32,
            Aggregate::DawidSkenePass => ListType(None).with(DataType::Int64),
            _ => DataType::Float64,
        })
    }

    fn state_fields(&self, arguments: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        self.refuse_distinct(arguments.is_distinct)?;
        // Constants are not at hand; no type depends on them.
        let state = self.aggregate.with(arguments.input_fields, &[], StateType)?;
        Ok(vec![Arc::new(Field::new(format_state_name(arguments.name, "sums"), state, true))])
    }

    fn accumulator(&self, arguments: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        self.accumulate(&arguments, OfOne)
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(&self, arguments: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        self.accumulate(&arguments, OfGroups)
    }
}
