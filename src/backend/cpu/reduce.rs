//! The twins of the reducing shaders.

pub(super) mod domain;
