//! The twins of the beam shaders.

pub(super) mod fuse;
