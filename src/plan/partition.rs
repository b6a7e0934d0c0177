//! How many workgroups a step takes, and how many items fit a device at once.

use crate::error::{DeviceError, Result};
use crate::kernel::Kernel;
use crate::plan::Step;
use crate::tensor::Output;

/// The most workgroups in one dimension of a grid, on any device.
pub const MAX_GROUPS_PER_ROW: u32 = 65_535;

/// The most whole items of a workgroup: what its memory holds of their opinions.
pub const MAX_ITEMS_PER_GROUP: u32 = 128;

/// The grid of one dispatch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    /// Whole items a workgroup holds.
    pub items_per_group: u32,
    /// Workgroups in a row.
    pub groups_per_row: u32,
    /// Rows.
    pub rows: u32,
}

/// What a device allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest storage binding, in bytes.
    pub binding_bytes: u64,
    /// Memory a chunk's buffers may take together, in bytes.
    pub chunk_bytes: u64,
    /// Values of evidence that one dispatch may read: keeps it short of the watchdogs' patience on slow devices.
    pub dispatch_values: u64,
    /// Loop steps of one invocation after which the driver ends every loop silently, if it is one that does.
    pub loop_steps: Option<u64>,
}

/// The grid for a chunk of `items` items.
#[must_use]
pub fn grid(kernel: Kernel, items: u32, classes: u32) -> Grid {
    let items_per_group = match kernel {
        Kernel::Pool => (kernel.workgroup_lanes() / classes).clamp(1, MAX_ITEMS_PER_GROUP),
        Kernel::PoolWide => 1,
    };
    let groups = items.div_ceil(items_per_group);
    let groups_per_row = groups.min(MAX_GROUPS_PER_ROW);
    Grid { items_per_group, groups_per_row, rows: groups.div_ceil(groups_per_row.max(1)) }
}

/// The most loop steps one invocation of the kernel takes, from above.
#[must_use]
pub fn loop_steps(step: &Step) -> u64 {
    let (n, c) = (step.pool.sources.len() as u64, step.pool.classes as u64);
    match step.kernel {
        // Two passes over blocks of eight sources, in each of which a lane walks its part of its rows twice and merges
        // the parts; then the item's own reductions.
        Kernel::Pool => {
            let pairs = 8 * u64::from(grid(step.kernel, 1, step.pool.classes as u32).items_per_group);
            let parts = (256 / pairs).max(1);
            let walked = pairs.div_ceil(256) * (2 * c.div_ceil(parts) + 1) + parts;
            2 * (n.div_ceil(8) * (walked + 1) + 1) + 2 * (16 + 16) + 2 * c
        }
        // One judgement of all sources, a fresh one per 256 classes where they are too many to hold; up to four sweeps.
        Kernel::PoolWide => {
            let (tiles, quads, blocks) = (c.div_ceil(256), n.div_ceil(4), n.div_ceil(1024));
            let judged = quads * (tiles + 5);
            let again = if blocks > 1 { judged } else { 0 };
            let sweeps = if step.pool.is_vote_alone() || step.pool.rules() & 1 << 4 != 0 { 2 } else { 1 };
            judged + quads + blocks + sweeps * (tiles * (quads + blocks + again + 1) + 5) + tiles + 4
        }
    }
}

/// How many items a chunk may have: what the bindings and the budget hold; from 32 on, whole words of presence.
///
/// # Errors
///
/// Not even one item fits, or it is too much for the driver's loops.
pub fn chunk_items(step: &Step, limits: Limits) -> Result<u32> {
    let (n, c) = (step.pool.sources.len() as u64, step.pool.classes as u64);
    let columns = step.pool.outputs.iter().filter(|&output| output != Output::Posterior).count() as u64;
    if let Some(allowed) = limits.loop_steps.filter(|&allowed| loop_steps(step) > allowed) {
        return Err(DeviceError::TooManySteps { needed: loop_steps(step), allowed }.into());
    }
    let largest = 4 * [n * c, columns, n].into_iter().max().unwrap_or(1);
    let all = 4 * (n * c + c + columns + if step.confidence { n } else { 0 }) + n.div_ceil(8);
    let items = (limits.binding_bytes / largest).min(limits.chunk_bytes / all);
    let items = items.min((limits.dispatch_values / (n * c)).max(1));
    // Indices are 32 bits wide in the shaders.
    let items = items.min(u64::from(u32::MAX) / (n * c));
    let items = if items < 32 { items } else { items / 32 * 32 };
    if items == 0 {
        let allowed = limits.binding_bytes.min(limits.chunk_bytes);
        return Err(DeviceError::ItemTooLarge { needed: all, allowed }.into());
    }
    Ok(u32::try_from(items).unwrap_or(u32::MAX / 32 * 32))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::fusion::pool::{Pool, SourceTerms};
    use crate::spec::{LOG_FLOOR, OnInvalid};
    use crate::tensor::{Encoding, Outputs};

    fn step(sources: usize, classes: usize) -> Step {
        let kernel = if classes <= 256 { Kernel::Pool } else { Kernel::PoolWide };
        let terms = SourceTerms { offset: 1.0, scale: 0.0, prior: 1.0 / sources as f32, reserved: 0.0 };
        let pool = Pool {
            classes,
            sources: vec![terms; sources],
            class_prior: vec![1.0 / classes as f32; classes],
            mix: [0.2; 5],
            gamma: 1.0,
            log_floor: LOG_FLOOR,
            encoding: Encoding::Logits,
            on_invalid: OnInvalid::Error,
            outputs: Outputs::ALL,
        };
        Step { kernel, presence: true, confidence: true, pool }
    }

    const LIMITS: Limits =
        Limits { binding_bytes: 128 << 20, chunk_bytes: 256 << 20, dispatch_values: 1 << 28, loop_steps: None };

    #[test]
    fn a_chunk_is_what_the_tightest_limit_holds() {
        // 320 bytes of evidence an item.
        assert_eq!(chunk_items(&step(8, 10), LIMITS).unwrap(), (128 << 20) / 320 / 32 * 32);
        let short = Limits { dispatch_values: 80 * 1000, ..LIMITS };
        assert_eq!(chunk_items(&step(8, 10), short).unwrap(), 992);
        let short = Limits { dispatch_values: 1, ..LIMITS };
        assert_eq!(chunk_items(&step(8, 10), short).unwrap(), 1);
        let tight = Limits { chunk_bytes: 420, ..LIMITS };
        let error = chunk_items(&step(8, 10), tight).unwrap_err().to_string();
        assert_eq!(error, "one item needs 421 bytes on the device, which allows 420; use `Engine::cpu()`");
    }

    #[test]
    fn thousands_of_sources_stay_below_a_software_drivers_loop_steps() {
        let software = Limits { loop_steps: Some(65_535), ..LIMITS };
        for classes in [1, 10, 100, 256, 300] {
            assert!(
                chunk_items(&step(4096, classes), software).is_ok(),
                "{classes}: {}",
                loop_steps(&step(4096, classes))
            );
        }
        let needed = loop_steps(&step(4096, 1000));
        let error = chunk_items(&step(4096, 1000), software).unwrap_err().to_string();
        assert!(needed > 65_535 && error.contains(&needed.to_string()), "{error}");
    }

    #[test]
    fn a_grid_covers_every_item_once() {
        for (kernel, classes) in [(Kernel::Pool, 1), (Kernel::Pool, 10), (Kernel::Pool, 256), (Kernel::PoolWide, 1000)]
        {
            for items in [0, 1, 24, 25, 26, 70_000, 3_000_000] {
                let grid = grid(kernel, items, classes);
                let groups = u64::from(grid.groups_per_row) * u64::from(grid.rows);
                assert!(groups * u64::from(grid.items_per_group) >= u64::from(items));
                assert!(grid.groups_per_row <= MAX_GROUPS_PER_ROW && grid.rows <= MAX_GROUPS_PER_ROW);
                assert!(grid.items_per_group * classes <= 256 || kernel == Kernel::PoolWide);
            }
        }
        assert_eq!(grid(Kernel::Pool, 26, 10), Grid { items_per_group: 25, groups_per_row: 2, rows: 1 });
        assert_eq!(grid(Kernel::PoolWide, 65_536, 1000), Grid { items_per_group: 1, groups_per_row: 65_535, rows: 2 });
    }
}
