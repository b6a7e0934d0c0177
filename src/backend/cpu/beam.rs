//! The twins of the beam shaders.

mod distribution;
pub(super) mod fuse;
pub(super) mod measure;
