//! Operations on the vortex ring: digital roots, orbits, objects that go round, payloads that relax towards anchors, and what
//! stands at each position.
//!
//! The ring's positions are the digital roots 1 to 9: 3, 6 and 9 are the anchors, 1, 2, 4, 8, 7, 5 the flow, which doubling
//! goes round; 0 is the source position, of 0 alone. What takes arrays runs on an [`Engine`], on whatever device that is.
//!
//! [`Engine`]: crate::Engine

mod anchors;
mod coherence;
mod cycles;
mod digital_root;
mod ring;
mod statistics;

pub use self::anchors::Anchors;
pub use self::cycles::{Cycles, Direction, Path, ResidentCycles};
pub use self::digital_root::{
    Natural, digital_root, digital_roots, digital_roots_into, digital_roots_resident, square_map, square_map_into,
    square_map_resident,
};
pub use self::ring::Ring;
pub use self::statistics::{Bin, statistics, statistics_resident};
