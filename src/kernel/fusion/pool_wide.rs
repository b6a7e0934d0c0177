//! The pool for many classes: the contract of [`pool`](super::pool), one workgroup to an item.
//!
//! Where C > 256 a workgroup cannot hold a row of every source, so each lane walks its share of the classes and the rows
//! are read again, out of the device's cache, for each of: the rows' maxima and sums, the log pool's normaliser, the
//! posterior and its reductions. Device memory is read once as long as N rows fit the cache.
//!
//! What the sources say for all classes together is judged once and held in workgroup memory for up to 1024 sources; of
//! more, it is judged again for every 256 classes of every sweep: right for any number, slow for thousands.
//!
//! Sums over classes are trees of 256 lanes, so they round otherwise than the CPU's: within the pool's tolerance.

/// The WGSL text.
pub const SOURCE: &str = concat!(
    include_str!("../../../shaders/shared/numbers.wgsl"),
    include_str!("../../../shaders/shared/fusion.wgsl"),
    include_str!("../../../shaders/fusion/pool_wide.wgsl"),
);
