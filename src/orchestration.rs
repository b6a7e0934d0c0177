//! Live sources: models and services that are asked when a request comes, each in its own time.
//!
//! | part | what it does |
//! |---|---|
//! | [`Source`] | answers a [`Question`] with an [`Opinion`], some time before its deadline; made [of a closure](source::of), [of blocking code](source::blocking), [of a model](source::batched) that answers many at once or [of a channel](source::channel) |
//! | [`Service`] | routes a request to groups of sources, asks and fuses them, records the answer |
//! | [`ParallelFusion`] | asks all its sources at once, fuses what arrived in time, learns whom to trust |
//! | [`Stop`] | when the rest need not be waited for; [`stop::Lock`] has the bounds |
//! | [`Iteration`] | asks one source for several [thoughts](iteration), and another, or the same, for their synthesis |
//! | [`Router`] | chooses [`router::Group`]s of sources for a request, and learns from how it turned out |
//! | [`Selector`] | chooses how a request is carried out: from a cache, one source after another, side by side, on other machines |
//! | [`Dependencies`] | which sources are needed together, err together, gain by being asked together, and are worth keeping |
//! | [`History`] | how requests were carried out of late: how good estimates were, what each way is worth, what to look into |
//! | [`Gate`] | chooses the few [`gate::Expert`]s that are likeliest to know, out of those that have room; a [`gate::Mixture`] is the gate and its experts as one source |
//! | [`Batcher`] | makes batches of the requests that come while others are being processed, for what a [`Process`] does best with many at once |
//! | [`Lane`] | does jobs with a bounded number of workers, the urgent first, as many as the load asks for |
//! | [`Aggregator`] | makes one answer of what was heard of sources by different ways and at different times, each counted once |
//! | [`FusionProcess`] | fuses one item's opinions on an [`Engine`](crate::Engine), alone or in a batch with those of others |
//! | [`Hybrid`] | answers from the cache, one call after another, side by side or on other machines, and learns which is the fastest: it puts together the [`Selector`], the [`Lane`], the [`Cache`], the [`Aggregator`], [`Dependencies`] and the [`History`] |
//! | [`Cache`] | keeps opinions and fused answers as long as they are good, and has what is missing made once |
//! | [`Controller`] | reads what was measured, finds what keeps requests from being answered well, and [acts](control) within bounds |
//! | [`Track`] | how often a source or a group answered, how fast, at what cost |
//! | [`ledger`] | keeps results and learned state in a file that survives crashes, and finds them again |
//! | [`telemetry`] | counts, times and traces requests and calls, and exports that to Prometheus |

pub mod aggregate;
mod bandit;
pub mod batcher;
pub mod cache;
pub mod control;
mod cost;
pub mod dependency;
mod distribution;
pub mod fuse;
pub mod gate;
pub mod history;
pub mod hybrid;
pub mod iteration;
pub mod lane;
pub mod ledger;
pub(crate) mod lock;
mod opinion;
pub mod parallel_fusion;
pub mod router;
pub mod selector;
pub mod service;
pub mod source;
mod statistics;
pub mod stop;
mod tasks;
pub mod telemetry;
mod weigh;

pub use self::aggregate::Aggregator;
pub use self::batcher::{Batcher, Process};
pub use self::cache::Cache;
pub use self::control::Controller;
pub use self::cost::Cost;
pub(crate) use self::cost::Meter;
pub use self::dependency::Dependencies;
pub use self::fuse::FusionProcess;
pub use self::gate::Gate;
pub use self::history::History;
pub use self::hybrid::Hybrid;
pub use self::iteration::Iteration;
pub use self::lane::Lane;
pub use self::opinion::Opinion;
pub use self::parallel_fusion::ParallelFusion;
pub use self::router::Router;
pub use self::selector::Selector;
pub use self::service::Service;
pub use self::source::{Peer, Question, Reply, Source};
pub use self::statistics::Track;
pub use self::stop::{Stop, Stopped};
