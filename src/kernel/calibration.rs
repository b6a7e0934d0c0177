//! Kernels over posteriors beside the classes that turned out true.

pub mod likelihood;
pub mod outcome;
