//! The twins of the beam shaders.

mod distribution;
pub(super) mod eigen;
pub(super) mod fuse;
pub(super) mod intervene;
pub(super) mod measure;
pub(super) mod moments;
pub(super) mod nearest;
pub(super) mod relax;
pub(super) mod similarity;
pub(super) mod subspace;
