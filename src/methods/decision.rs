//! What to do on a posterior when mistakes differ in cost: decide, decline, or ask one more source first.
//!
//! A [`CostMatrix`] says what each decision costs under each true class, and what declining costs. A [`Candidate`] is a
//! source that could still be asked: how it answers under each true class, and its price.
//!
//! # Examples
//!
//! *An alarm: missing a fire costs 100, a needless one 1, and a second sensor may be asked for 0.2.*
//!
//! ```
//! use consilience::decision::{Candidate, CostMatrix};
//!
//! // True class by decision: calm or fire, keep still or ring.
//! let costs = CostMatrix::new(2, 2, &[0.0, 1.0, 100.0, 0.0])?;
//! let choice = costs.decide(&[0.98, 0.02])?;
//! assert_eq!(choice.decision, Some(1));
//!
//! let sensor = Candidate::new(2, 2, &[0.9, 0.1, 0.05, 0.95], 0.2)?;
//! let ask = costs.next_to_ask(&[0.98, 0.02], &[sensor])?[0].expect("worth its price");
//! assert!((ask.value - 0.782).abs() < 1e-6 && (ask.net - 0.582).abs() < 1e-6);
//! # Ok::<(), consilience::Error>(())
//! ```

mod asking;
mod candidate;
mod cost_matrix;

pub use self::asking::Ask;
pub use self::candidate::Candidate;
pub use self::cost_matrix::{Choice, CostMatrix};
