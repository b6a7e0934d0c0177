//! The twins of the shaders over posteriors and labels.

pub(super) mod likelihood;
pub(super) mod outcome;
