//! The kernels over positions of the vortex ring.

mod coherence;
mod cycle;
mod digital_root;
mod orbit;
mod relax;
mod statistics;
