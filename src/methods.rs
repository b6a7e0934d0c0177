//! Loops over evidence and answers that keep state: what is learned, fitted, calibrated and explained; and operations over
//! arrays that are no fusion.

pub mod bayes;
pub mod beam;
pub mod calibration;
pub(crate) mod checked;
pub mod decision;
pub mod learning;
pub mod partial;
pub mod provenance;
pub(crate) mod random;
pub mod stacking;
pub mod truth;
pub mod vortex;
pub(crate) mod whole_file;
