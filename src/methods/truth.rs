//! Truth inference: who is right when sources disagree and nobody knows the answer.
//!
//! [`Annotations`] are sparse labels of many sources: crowd workers, judges, labelling functions. From how they agree, a fit
//! finds both what the items are and how good each source is.
//!
//! | method | what it knows of a source |
//! |---|---|
//! | [`majority`], [`Majority`] | nothing |
//! | [`Wawa`], [`ZeroBasedSkill`], [`LogOdds`] | how often it agrees with the votes |
//! | [`Kos`] | how far others confirm it |
//! | [`Mace`] | how often it knows, and what it says otherwise |
//! | [`Triplets`] | one accuracy, in closed form |
//! | [`Glad`] | one skill, and of each item how easy it is |
//! | [`DawidSkene`] | a confusion matrix, or one accuracy |
//! | [`Bcc`] | a distribution of its confusion matrix |
//! | [`Averaged`], the default [`Method`] | the mean of three, to be believed more |
//! | [`Online`] | a confusion matrix, while annotations arrive |
//!
//! How good a source is ([`Fit::skill`]) is of Dawid and Skene's method the probability that it names an item's class; each
//! other says what it is of its own. [`DawidSkene`] and [`Bcc`] run on an [`Engine`](crate::Engine), all others on the host, in
//! f64, on one core.
//!
//! # Examples
//!
//! *Two sources that are always right and one that never is.*
//!
//! ```
//! use consilience::Engine;
//! use consilience::truth::{Annotations, DawidSkene};
//!
//! let items = [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3];
//! let sources = [0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2];
//! let labels = [0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1, 0];
//! let annotations = Annotations::new(2, &items, &sources, &labels)?;
//! let fit = DawidSkene::default().fit(&Engine::cpu()?, &annotations)?;
//! assert_eq!(fit.decision(), [0, 1, 0, 1]);
//! assert!(fit.skill()[0] > 0.7 && fit.skill()[2] < 0.3);
//! # Ok::<(), consilience::Error>(())
//! ```

mod annotations;
mod averaged;
mod bcc;
mod climb;
mod dawid_skene;
mod em;
mod fit;
mod gamma;
mod glad;
mod known;
mod kos;
mod log_odds;
mod mace;
mod majority;
mod method;
mod one_coin;
mod online;
#[cfg(feature = "datafusion")]
pub(crate) mod passes;
mod triplets;
mod votes;
mod wawa;
mod zero_based_skill;

pub use self::annotations::{ABSTAINED, Annotations, AnnotationsOptions, Duplicates};
pub use self::averaged::Averaged;
pub use self::bcc::Bcc;
pub use self::dawid_skene::{DawidSkene, Estimate};
pub use self::fit::{Confusions, Ending, Fit};
pub use self::glad::Glad;
pub use self::known::Known;
pub use self::kos::Kos;
pub use self::log_odds::LogOdds;
pub use self::mace::Mace;
pub use self::majority::{Majority, Ties, majority};
pub use self::method::Method;
pub use self::online::{Online, OnlineOptions};
pub use self::triplets::Triplets;
pub use self::wawa::Wawa;
pub use self::zero_based_skill::ZeroBasedSkill;
