//! The kernels over beams.

mod eigen;
mod fuse;
mod intervene;
mod measure;
mod moments;
mod nearest;
mod relax;
mod similarity;
mod subspace;
