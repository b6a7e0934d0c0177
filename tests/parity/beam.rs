//! The kernels over beams.

mod fuse;
mod intervene;
mod measure;
mod nearest;
mod relax;
mod similarity;
