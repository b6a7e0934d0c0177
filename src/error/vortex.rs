//! What can be wrong with what a vortex operation is given.

/// Something no vortex operation can be carried out on.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum VortexError {
    /// Arrays that belong together and differ in length.
    #[error("{what} has {right} entries where {left} are needed")]
    Length {
        /// What was given.
        what: &'static str,
        /// The length needed.
        left: usize,
        /// The length given.
        right: usize,
    },
}
