//! The fusion kernels.

/// The WGSL text of a kernel: what all of them share, then its own, which lies in `shaders/fusion`, then what it is told
/// apart by, which is shared again.
macro_rules! source {
    ($own:literal $(, $variant:literal)?) => {
        concat!(
            include_str!("../../../shaders/shared/numbers.wgsl"),
            include_str!("../../../shaders/shared/fusion/layout.wgsl"),
            include_str!("../../../shaders/shared/fusion/opinion.wgsl"),
            include_str!("../../../shaders/shared/fusion/rules.wgsl"),
            include_str!("../../../shaders/shared/fusion/outputs.wgsl"),
            include_str!(concat!("../../../shaders/fusion/", $own)),
            $(include_str!(concat!("../../../shaders/shared/fusion/", $variant)),)?
        )
    };
}

pub mod gradient;
pub mod pool;
pub mod pool_wide;
