//! The twins of the vortex shaders.

pub(super) mod coherence;
pub(super) mod cycle;
pub(super) mod digital_root;
pub(super) mod orbit;
pub(super) mod relax;
pub(super) mod statistics;
