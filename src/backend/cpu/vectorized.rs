//! Plain loops, compiled for what the machine has.

use fearless_simd::{Level, Simd, dispatch};

/// Runs plain code that was inlined here with the machine's best instructions. Nothing is fused or reordered by that: the bits
/// are those of any other machine.
#[inline]
pub(crate) fn vectorized<T>(code: impl FnOnce() -> T) -> T {
    dispatch!(Level::new(), simd => simd.vectorize(code))
}
