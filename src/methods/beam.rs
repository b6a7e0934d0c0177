//! Beams: distributions over the digits 1 to 9 with three channels (ethos, logos, pathos) and a confidence.
//!
//! A batch of beams is a structure of arrays: nine planes, one per digit, each with one entry per item. What takes batches
//! runs on an [`Engine`], on whatever device that is.
//!
//! [`Engine`]: crate::Engine

mod fuse;

pub use self::fuse::{Beams, Channels, Fuse, fuse, fuse_into};
pub use crate::kernel::beam::fuse::{GRADIENT, Map};
