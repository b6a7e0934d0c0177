//! The kernels over positions of the vortex ring.

mod digital_root;
mod orbit;
