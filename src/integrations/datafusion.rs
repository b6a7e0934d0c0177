//! Fusion in SQL and data frames, by [DataFusion](https://datafusion.apache.org): on one machine or, with the same functions
//! registered on its executors, on a cluster of [Ballista](https://datafusion.apache.org/ballista/).
//!
//! Opinions stand in a column of lists, one number a class: `FixedSizeList`, or `List` where the number of classes is not part
//! of the type; other numbers than `Float32` are cast. NULL is a missing opinion.
//!
//! # Functions of a group
//!
//! One row an opinion, as a long table has them:
//!
//! | function | answer |
//! |---|---|
//! | `fuse_linear(opinion [, weight])`, `fuse_vote`, `fuse_log_pool` | the posterior by the [`Rule`](crate::Rule) of that name |
//! | `fuse_bayes(opinion [, weight [, confidence]])`, `fuse_max_vote`, `fuse_ensemble` | the same; where a confidence is NULL or none is given, the largest probability is |
//! | `fuse_evidence(opinion [, exponent [, class prior]])` | the same |
//! | `fuse_dempster_shafer(opinion [, reliability [, class prior]])`, `fuse_yager`, `fuse_cumulative_belief`, `fuse_averaging_belief`, `fuse_weighted_belief` | the same; reliabilities are in \[0, 1\], [`RELIABILITY`](crate::RELIABILITY) where none is given |
//! | `fuse_confusion(likelihood [, class prior])` | the product of likelihoods and the prior: a join with the column of a confusion matrix for what was said gives each row its likelihood |
//! | `vote_decision(opinion [, weight])` | the class with most votes; of equals the one with the larger average, then the lower |
//! | `disagreement(opinion [, weight])` | generalised Jensen-Shannon divergence over ln C, in \[0, 1\] |
//! | `effective_sources(weight)` | (sum w)^2 / sum w^2 |
//! | `accuracy(posterior, label)`, `brier`, `nll`, `ece(posterior, label [, bins])` | scores over items; those without a label do not count |
//!
//! Weights are at least 0, and at most [`MOST_WEIGHT`](crate::partial::MOST_WEIGHT); where all are 0 all count alike. A group
//! without an opinion has NULL for its answer. A class prior is a constant list, uniform where none is given.
//!
//! What is summed up are integers of 2^32 to the unit ([`partial`](crate::partial)): whatever the partitions, the order of
//! merging and the tasks that were run again, the answer has the same bits. A number that is not valid is an error that says
//! where it stands.
//!
//! # Functions of a row
//!
//! | function | answer |
//! |---|---|
//! | `fuse(rule, opinion, opinion, ...)` | the posterior of opinions side by side, as a wide table has them: `rule` is a name, as in `'median'` or `'trimmed:0.2'`, or a [`Fusion`](crate::Fusion) as JSON |
//! | `decision(posterior)`, `confidence`, `margin`, `entropy` | the class, the largest probability, its lead, nats |
//! | `temper(posterior, temperature)` | P^(1/T), normalised |
//! | `softmax(logits)` | their distribution |
//! | `label_opinion(label, classes [, confidence])` | a label as an opinion |
//! | `bucket(key, buckets)` | which of so many parts of a job an item, an integer or a text, belongs to |
//!
//! # Truth inference
//!
//! [`SqlAnnotations`] finds classes and confusions from a table of labels by Dawid and Skene's method.
//!
//! # Examples
//!
//! *A log pool for each item.*
//!
//! ```
//! use consilience::datafusion::register;
//! use datafusion::arrow::util::pretty::pretty_format_batches;
//! use datafusion::prelude::SessionContext;
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let context = SessionContext::new();
//! register(&mut *context.state_ref().write())?;
//! let table = "VALUES (1, 'a', [0.5, 0.5]), (1, 'b', [0.2, 0.8]), (2, 'a', [0.9, 0.1]), (2, 'b', NULL)";
//! let query = format!(
//!     "SELECT item, fuse_log_pool(opinion) AS posterior, count(opinion) AS sources \
//!      FROM ({table}) AS said (item, source, opinion) GROUP BY item ORDER BY item"
//! );
//! let answer = context.sql(&query).await?.collect().await?;
//! let expected = "\
//! +------+-------------------------+---------+
//! | item | posterior               | sources |
//! +------+-------------------------+---------+
//! | 1    | [0.33333334, 0.6666667] | 2       |
//! | 2    | [0.9, 0.1]              | 1       |
//! +------+-------------------------+---------+";
//! assert_eq!(pretty_format_batches(&answer)?.to_string(), expected);
//! # Ok::<(), datafusion::error::DataFusionError>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod aggregate;
mod dawid_skene;
mod failure;
mod fuse;
mod groups;
mod list;
mod parameter;
mod scalar;
mod score;
mod spread;

use datafusion::common::Result;
use datafusion::execution::FunctionRegistry;

pub use self::aggregate::Aggregate;
pub use self::dawid_skene::{SqlAnnotations, SqlFit};
pub use self::scalar::Scalar;

/// Makes every function known to a session, or to whatever else runs plans by the names of functions.
///
/// # Errors
///
/// The registry takes no functions.
pub fn register(registry: &mut dyn FunctionRegistry) -> Result<()> {
    for aggregate in Aggregate::all() {
        registry.register_udaf(aggregate.function())?;
    }
    for scalar in Scalar::ALL {
        registry.register_udf(scalar.function())?;
    }
    Ok(())
}
