//! The twins of the beam shaders.

mod distribution;
pub(super) mod fuse;
pub(super) mod measure;
pub(super) mod nearest;
pub(super) mod similarity;
