//! The twins of the vortex shaders.

pub(super) mod digital_root;
pub(super) mod orbit;
