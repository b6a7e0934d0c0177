//! The kernels over beams: distributions over nine digits with three channels.

pub mod eigen;
pub mod fuse;
pub mod intervene;
pub mod measure;
pub mod moments;
pub mod nearest;
pub mod relax;
pub mod similarity;
pub mod subspace;
