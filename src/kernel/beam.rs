//! The kernels over beams: distributions over nine digits with three channels.

pub mod fuse;
pub mod intervene;
pub mod measure;
pub mod nearest;
pub mod relax;
pub mod similarity;
