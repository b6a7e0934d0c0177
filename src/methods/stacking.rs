//! Fusion that is fitted to labelled items: what to believe when these sources say this.
//!
//! | what | answers |
//! |---|---|
//! | [`Stacking`] | a [`Stacked`] model, P = softmax(sum_n A_n ln p_n + b), and out-of-fold posteriors |
//! | [`LinearWeights`], [`LogWeights`] | weights for `Rule::Linear` and `Rule::LogPool`, ready for `Weighting::Fixed` |
//! | [`Selection`] | a greedy ensemble: how often each source was picked |
//! | [`LabelledLoss`] | loss and gradient of a stacked model on the engine's device, for an optimiser of your own |
//! | [`MetaLearner`] | a rule of your own, checked to answer with distributions |
//!
//! A model that is judged on the items it was fitted to is judged too well. Therefore no model here scores itself: the one
//! score comes with [`OutOfFold`], in which every item is answered by a model that did not see its label.
//!
//! # Examples
//!
//! *A source that always names the wrong one of two classes is turned around.*
//!
//! ```
//! use consilience::stacking::Stacking;
//! use consilience::{Engine, Evidence};
//!
//! let says = [0.9, 0.1, 0.8, 0.2, 0.2, 0.8, 0.1, 0.9];
//! let evidence = Evidence::probabilities(2, &[&says])?;
//! let engine = Engine::cpu()?;
//! let fit = Stacking::default().fit(&engine, &evidence, &[1, 1, 0, 0])?;
//! let posterior = fit.model.posterior(&engine, &evidence)?;
//! assert!(posterior[1] > 0.9 && posterior[6] > 0.9);
//! # Ok::<(), consilience::Error>(())
//! ```

mod examples;
mod folds;
mod labelled_loss;
mod linear_weights;
mod log_weights;
mod meta_learner;
mod minimise;
mod objective;
mod out_of_fold;
mod regression;
mod selection;
mod stacked;
mod table;
mod whitening;

pub use self::folds::Folds;
pub use self::labelled_loss::LabelledLoss;
pub use self::linear_weights::{LinearWeights, Weights};
pub use self::log_weights::LogWeights;
pub use self::meta_learner::{MetaLearner, Opinions, fuse_with};
pub use self::out_of_fold::OutOfFold;
pub use self::regression::{Fit, Objective, Report, Stacking};
pub use self::selection::{Metric, Selected, Selection};
pub use self::stacked::Stacked;
