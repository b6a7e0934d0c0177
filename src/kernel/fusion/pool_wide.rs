//! The pool for many classes: the contract of [`pool`], one workgroup to an item.
//!
//! Where C > 256 a workgroup cannot hold a row of every source, so each lane walks its share of the classes and the rows
//! are read again, out of the device's cache, for each of: the rows' maxima and sums; the consensus and the distances to it;
//! what rules sum over all classes first; the posterior and its reductions; the tempered posterior; the contributions.
//! Device memory is read once as long as N rows fit the cache.
//!
//! What the sources say for all classes together is judged once and held in workgroup memory for up to 512 sources; of
//! more, it is judged again for every 256 classes of every sweep: right for any number, slow for thousands. `values` has,
//! behind what `Median` and `Trimmed` put aside, the consensus [chunk, C] of weights by distance to it.
//!
//! Sums over classes are those of 256 lanes, by a tree or, where the device has them, by subgroups, so they round otherwise
//! than the CPU's: within the pool's tolerance. A device sums in the same way each time.

use super::pool;
use crate::kernel::Contract;

/// The WGSL text.
const SOURCE: &str = source!("pool_wide.wgsl", "tree.wgsl");

/// The same by subgroups.
const BY_SUBGROUPS: &str = source!("pool_wide.wgsl", "subgroups.wgsl");

/// What every executor keeps to.
pub const CONTRACT: Contract =
    Contract::of::<pool::Params>("fusion/pool_wide", SOURCE, &pool::BINDINGS, pool::WORKGROUP_LANES)
        .or_by_subgroups(BY_SUBGROUPS);
