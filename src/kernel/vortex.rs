//! The kernels over positions of the vortex ring.

pub mod coherence;
pub mod cycle;
pub mod digital_root;
pub mod orbit;
pub mod relax;
pub mod statistics;
