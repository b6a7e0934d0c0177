//! The ways to carry out requests that are compared.

use std::sync::Arc;

use consilience::Result;
use consilience::orchestration::Lane;
use consilience::orchestration::cache::Input;
use consilience::orchestration::hybrid::{Hybrid, Options, Traits};
use consilience::orchestration::router::Complexity;
use consilience::orchestration::selector::{self, Learning, Mode};

use crate::workload::canonical;
use crate::world::{Accelerator, CLASSES, Cluster, World, lifetimes};

/// How requests are carried out where the cache does not answer them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    OneAfterAnother,
    SideBySide,
    /// Batches on the accelerator, all else side by side.
    Accelerator,
    /// Batches on the cluster, all else side by side.
    Cluster,
    /// Whatever the fixed rule takes.
    Rule,
    /// Whatever the selector learned to be best.
    Learned,
}

/// So many tickets are a batch.
const BATCH: u64 = 8;

/// So many calls may wait to be made side by side: those of a burst, and not those of an export, behind which all others
/// would wait.
const QUEUE: usize = 256;

impl Strategy {
    pub const ALL: [Self; 6] =
        [Self::OneAfterAnother, Self::SideBySide, Self::Accelerator, Self::Cluster, Self::Rule, Self::Learned];

    pub const fn name(self) -> &'static str {
        match self {
            Self::OneAfterAnother => "one after another",
            Self::SideBySide => "side by side",
            Self::Accelerator => "batches on the accelerator",
            Self::Cluster => "batches on the cluster",
            Self::Rule => "the fixed rule",
            Self::Learned => "the selector",
        }
    }

    /// Settings with which the rule always takes the same arm, if it can be taken.
    fn selector(self, seed: u64) -> selector::Options {
        let rule = selector::Options { batch: BATCH, seed, ..selector::Options::default() };
        let never = f64::MAX;
        match self {
            Self::OneAfterAnother => {
                selector::Options { cached: 1.0, parallel_benefit: never, distributed_benefit: never, ..rule }
            }
            Self::SideBySide | Self::Accelerator | Self::Cluster => {
                selector::Options { cached: 1.0, parallel_benefit: 0.0, complexity: Complexity::MOST, ..rule }
            }
            Self::Rule => rule,
            Self::Learned => {
                let learning = Learning { discount: 0.998, ..Learning::default() };
                selector::Options { mode: Mode::Active, learning, ..rule }
            }
        }
    }

    /// An executor that goes about it in this way.
    pub fn executor(self, world: &Arc<World>, seed: u64) -> Result<Hybrid<str>> {
        let input = |ticket: &str| Ok(Input::bytes(canonical(ticket).as_bytes()));
        let traits = |ticket: &str| {
            let complexity = Complexity::of(ticket).score();
            Traits { class: Arc::from(if complexity < 0.5 { "plain" } else { "involved" }), complexity }
        };
        let options = Options { cache: lifetimes(), selector: self.selector(seed), ..Options::default() };
        let builder = Hybrid::builder_by(CLASSES, input, traits).options(options);
        let mut builder = builder.lane(Lane::io("sources").queue(QUEUE).build()?);
        for member in world.members() {
            builder = builder.member(member);
        }
        let (accelerator, cluster) = (Arc::new(Accelerator(Arc::clone(world))), Arc::new(Cluster(Arc::clone(world))));
        match self {
            Self::OneAfterAnother | Self::SideBySide => builder,
            Self::Accelerator => builder.accelerator(accelerator),
            // In the other's place, for which batches are meant first.
            Self::Cluster => builder.accelerator(cluster),
            Self::Rule | Self::Learned => builder.accelerator(accelerator).remote(cluster),
        }
        .build()
    }
}
