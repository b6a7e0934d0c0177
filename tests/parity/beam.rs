//! The kernels over beams.

mod fuse;
mod measure;
