//! Beams: distributions over the digits 1 to 9 with three channels (ethos, logos, pathos) and a confidence.
//!
//! A batch of beams is a structure of arrays: nine planes, one per digit, each with one entry per item. What takes batches
//! runs on an [`Engine`], on whatever device that is.
//!
//! [`Engine`]: crate::Engine

mod beams;
mod channels;
mod depth;
mod digits;
mod eigen;
mod fuse;
mod intervene;
mod measure;
mod nearest;
mod noise;
mod relax;
mod resident;
mod similarity;
mod subspace;

pub use self::beams::Beams;
pub use self::channels::Channels;
pub use self::depth::{DepthCounter, DepthLevel};
pub use self::digits::Digits;
pub use self::eigen::{Eigen, ResidentEigen, eigen, eigen_into, eigen_resident};
pub use self::fuse::{Fuse, fuse, fuse_into, fuse_resident};
pub use self::intervene::{Interventions, Operation};
pub use self::measure::{Measure, Measured, ResidentMeasured, measure, measure_into, measure_resident};
pub use self::nearest::{Corpus, Neighbours, ResidentCorpus, ResidentNeighbours};
pub use self::relax::{Relax, Relaxed, ResidentRelaxed};
pub use self::resident::ResidentBeams;
pub use self::similarity::{similarity, similarity_into, similarity_resident};
pub use self::subspace::Subspace;
pub use crate::kernel::beam::fuse::{GRADIENT, Map, Pooling};
pub use crate::kernel::beam::intervene::ANCHORS;
