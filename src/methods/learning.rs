//! Learned trust: whom to believe, from how the sources did so far.
//!
//! | learner | what it keeps of each source | what it offers |
//! |---|---|---|
//! | [`Reliability`] | a discounted Beta posterior of being right | reliabilities, credible intervals |
//! | [`Weights`] | weights that follow the reliabilities slowly | weights |
//! | [`Confusion`] | Dirichlet counts of its answers per true class | confusion matrices, recalls per class |
//! | [`Hedge`] | an exponential weight, with a proven bound on regret | weights, losses, regret and its bound |
//!
//! What they share:
//!
//! - They learn from [`Evidence`](crate::tensor::Evidence) and the true classes of some of its items, in the order of the
//!   items: a block at once or item by item leaves the same bits.
//! - An update happens whole or not at all: an error leaves the learner as it was.
//! - A source that is missing on an item sleeps: nothing is learned of it.
//! - Evidence that an engine holds stays there (`update_resident`): the votes or losses are found where it is, and a few bytes
//!   an opinion come to the host.
//! - [`State`] saves and loads them; `merge` adds up what two of them learned apart.
//!
//! # Examples
//!
//! *Of two sources one is right twice, the other once; the fusion weighs them so.*
//!
//! ```
//! use consilience::learning::Reliability;
//! use consilience::{Engine, Evidence, Fusion, Rule, Weighting};
//!
//! let (a, b) = ([0.9, 0.1, 0.2, 0.8], [0.6, 0.4, 0.7, 0.3]);
//! let evidence = Evidence::probabilities(2, &[&a, &b])?;
//! let mut learner = Reliability::new(2, Default::default())?;
//! learner.update(&evidence, &[Some(0), Some(1)])?;
//! assert_eq!(learner.reliabilities(), [0.75, 0.5]);
//!
//! let fusion = Fusion::new(Rule::Vote).weighting(Weighting::Fixed(learner.reliabilities()));
//! let fused = Engine::cpu()?.fuse(&fusion, &evidence)?;
//! assert_eq!(fused.decision(), [0, 1]);
//! # Ok::<(), consilience::Error>(())
//! ```

pub(crate) mod beta;
mod check;
mod confusion;
mod hedge;
mod lesson;
mod loss;
mod reliability;
mod resident;
mod state;
mod weights;

pub use self::confusion::{Confusion, ConfusionOptions};
pub use self::hedge::{Feedback, Hedge, HedgeOptions, Rate};
pub use self::loss::Loss;
pub use self::reliability::{Reliability, ReliabilityOptions};
pub use self::state::State;
pub use self::weights::{Weights, WeightsOptions};
