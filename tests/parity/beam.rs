//! The kernels over beams.

mod fuse;
mod measure;
mod nearest;
mod similarity;
