//! Why a decision is what it is, and how far sources repeat each other.
//!
//! Each source's signed part of the log-odds comes with a fusion itself:
//! [`Output::Contributions`](crate::Output::Contributions), [`Fused::strongest`](crate::Fused::strongest). Here is what takes more than
//! one look: the smallest set of sources whose removal turns a decision, and which sources agree more than their skill
//! explains.

mod dependence;
mod flip;
mod terms;

pub use self::dependence::{Dependence, Pair};
pub use self::flip::{Flip, flip_set};
