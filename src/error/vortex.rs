//! What can be wrong with what a vortex operation is given.

/// Something no vortex operation can be carried out on.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum VortexError {
    /// A modulus that no ring has.
    #[error("a ring of {modulus} positions; a ring has 1 to 65,535")]
    Modulus {
        /// The modulus given.
        modulus: u32,
    },
    /// A factor that cannot be undone.
    #[error("gcd({factor}, {modulus}) is {gcd}; steps can be undone only where it is 1")]
    Factor {
        /// The factor given.
        factor: u32,
        /// The ring's modulus.
        modulus: u32,
        /// Their greatest common divisor.
        gcd: u32,
    },
    /// A position that is not on the ring.
    #[error("item {item} is at position {position}; positions of the ring are 0 to {most}")]
    Position {
        /// Which item.
        item: usize,
        /// Where it is.
        position: u32,
        /// The ring's last position.
        most: u32,
    },
}
