//! The kernels over positions of the vortex ring.

pub mod digital_root;
pub mod orbit;
