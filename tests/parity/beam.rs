//! The kernels over beams.

mod fuse;
