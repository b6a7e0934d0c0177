//! The twins of the beam shaders.

mod distribution;
pub(super) mod fuse;
pub(super) mod intervene;
pub(super) mod measure;
pub(super) mod nearest;
pub(super) mod relax;
pub(super) mod similarity;
