//! How many workgroups a step takes, and how many items fit a device at once.

use crate::error::{DeviceError, Result};
use crate::kernel::fusion::pool::{BINDINGS, Params, Slot, SourceTerms, WORKGROUP_LANES};
use crate::plan::Step;
use crate::tensor::{Form, Outline, Output};

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
pub fn grid(items: u32, classes: u32) -> Grid {
    let items_per_group = (WORKGROUP_LANES / classes).clamp(1, MAX_ITEMS_PER_GROUP);
    let groups = items.div_ceil(items_per_group);
    let groups_per_row = groups.min(MAX_GROUPS_PER_ROW);
    Grid { items_per_group, groups_per_row, rows: groups.div_ceil(groups_per_row.max(1)) }
}

/// Places in `pool::BINDINGS`.
pub const PARAMS: usize = 0;
/// See [`PARAMS`].
pub const EVIDENCE: usize = 1;
/// See [`PARAMS`].
pub const PRESENCE: usize = 2;
/// See [`PARAMS`].
pub const CONFIDENCE: usize = 3;
/// See [`PARAMS`].
pub const TABLES: usize = 4;
/// See [`PARAMS`].
pub const POSTERIOR: usize = 5;
/// See [`PARAMS`].
pub const COLUMNS: usize = 6;
/// See [`PARAMS`].
pub const STATUS: usize = 7;
/// See [`PARAMS`].
pub const VALUES: usize = 8;

/// Words of one source's opinions on so many items: each source begins at a whole one.
#[must_use]
pub fn plane_words(form: Form, items: u64, classes: u64) -> u64 {
    (items * form.bytes_per_item(classes as usize) as u64).div_ceil(4)
}

/// Words of each binding for a chunk of so many items: the one place that says what a chunk takes.
#[must_use]
pub fn words(step: &Step, items: u64) -> [u64; BINDINGS.len()] {
    let pool = &step.pool;
    let (n, c) = (pool.sources.len() as u64, pool.classes as u64);
    let per_class = pool.class_weights.len() + pool.confusion.len() + pool.stack.len() + pool.bias.len();
    let mut words = [0; BINDINGS.len()];
    words[PARAMS] = size_of::<Params>() as u64 / 4;
    words[EVIDENCE] = pool.forms.iter().map(|&form| plane_words(form, items, c)).sum();
    words[PRESENCE] = if step.presence { n * items.div_ceil(32) } else { 0 };
    words[CONFIDENCE] = if step.confidence { n * items } else { 0 };
    words[TABLES] = TERMS_WORDS * n + c + per_class as u64;
    words[POSTERIOR] = if pool.outputs.contains(Output::Posterior) { items * c } else { 0 };
    words[COLUMNS] = words_of_columns(step, items);
    words[STATUS] = 1;
    words[VALUES] = planes_aside(step) * items * c;
    words
}

/// Words of what is asked for beside the posterior.
#[must_use]
pub fn words_of_columns(step: &Step, items: u64) -> u64 {
    let columns = step.pool.outputs.iter().filter(|&output| output != Output::Posterior);
    columns.map(|output| step.words_per_item(output) as u64 * items).sum()
}

/// Words that so many items of evidence take on a device: opinions, presence, given confidences.
#[must_use]
pub fn held_words(outline: &Outline, items: u64) -> [u64; 3] {
    let (n, c) = (outline.sources() as u64, outline.classes as u64);
    [
        outline.forms.iter().map(|&form| plane_words(form, items, c)).sum(),
        if outline.presence { n * items.div_ceil(32) } else { 0 },
        if outline.confidence { n * items } else { 0 },
    ]
}

/// How many items of evidence lie together on a device, so that whatever is asked of them, its outputs and what is put
/// aside fit the budget of a chunk, and every binding holds what it must: whole words of presence, from 32 on.
///
/// # Errors
///
/// Not even one item fits.
pub fn held_items(outline: &Outline, limits: Limits) -> Result<u32> {
    let (n, c) = (outline.sources() as u64, outline.classes as u64);
    let asked = |items: u64| [items * c, (Output::ALL.len() as u64 + n) * items, (n + 1) * items * c];
    let fits = |items: u64| {
        let words = asked(items);
        let bindings = held_words(outline, items).into_iter().chain(words);
        let binding_holds = bindings.into_iter().all(|words| 4 * words <= limits.binding_bytes);
        binding_holds && 4 * words.iter().sum::<u64>() <= limits.chunk_bytes
    };
    let most = (u64::from(u32::MAX) / (n * c)).min(MOST_ITEMS);
    match most_that(most, fits) {
        0 => {
            let needed = 4 * (held_words(outline, 1).into_iter().chain(asked(1)).sum::<u64>());
            Err(DeviceError::ItemTooLarge { needed, allowed: limits.binding_bytes.min(limits.chunk_bytes) }.into())
        }
        items => Ok(items as u32),
    }
}

/// Words of a [`SourceTerms`].
const TERMS_WORDS: u64 = size_of::<SourceTerms>() as u64 / 4;

/// Planes [chunk, C] of `values`.
fn planes_aside(step: &Step) -> u64 {
    let middle = if step.pool.rules() & MIDDLE == 0 { 0 } else { step.pool.sources.len() as u64 };
    // Where a workgroup cannot hold the consensus, it is put aside too.
    middle + u64::from(step.pool.is_wide() && step.pool.by.is_consensus())
}

/// Rules whose posterior for one class needs no other.
const SUMS_LAST: u32 = Slot::ARITHMETIC;

const MIDDLE: u32 = Slot::Median.bit() | Slot::Trimmed.bit();

/// The most loop steps one invocation of the kernel takes, from above.
#[must_use]
pub fn loop_steps(step: &Step) -> u64 {
    let pool = &step.pool;
    let (n, c) = (pool.sources.len() as u64, pool.classes as u64);
    let rules = pool.rules();
    let is_stacked = rules & Slot::Stacked.bit() != 0;
    let consensus = u64::from(pool.by.is_consensus());
    let contributions = u64::from(pool.outputs.contains(Output::Contributions));
    // Thirty bits of order statistics, then the mean between them, four sources at a time.
    let middle = if rules & MIDDLE == 0 { 0 } else { 31 * (n.div_ceil(4) + 1) };
    if pool.is_wide() {
        // One judgement of all sources, a fresh one per 256 classes where they are too many to hold; then the sweeps.
        let (tiles, quads, blocks) = (c.div_ceil(256), n.div_ceil(4), n.div_ceil(HELD));
        let judged = quads * (tiles + 5 + consensus * (tiles + 9));
        let again = if blocks > 1 { judged } else { 0 };
        let stacked = if is_stacked { quads * (c + 1) } else { 0 };
        let sweep = tiles * (quads + blocks + again + stacked + middle + 1) + 9;
        // The posterior; before it what rules sum first, and the consensus; after it the tempering or the ties.
        let sums_first = u64::from(rules & !SUMS_LAST != 0 || pool.outputs.contains(Output::Conflict));
        let after = u64::from(pool.inverse_temperature != 1.0) + u64::from(pool.is_vote_alone());
        let sweeps = 1 + sums_first + 2 * consensus + after;
        let sides = contributions * (2 * sweep + n.div_ceil(256) * if is_stacked { c + 1 } else { 1 } + again);
        judged + quads + blocks + sweeps * sweep + sides + tiles + 4
    } else {
        // Two passes over blocks of eight sources, in each of which a lane walks its part of its rows twice and merges
        // the parts; one more each for the consensus and the contributions; then the item's own reductions.
        let blocks = n.div_ceil(8);
        let pairs = 8 * u64::from(grid(1, pool.classes as u32).items_per_group);
        let parts = (256 / pairs).max(1);
        let walked = pairs.div_ceil(256) * ((2 + consensus) * c.div_ceil(parts) + 1) + (1 + consensus) * parts;
        let passes = (2 + consensus + contributions) * (blocks * (walked + 1) + 1);
        let stacked = if is_stacked { blocks * (3 * c + 1) } else { 0 };
        let turns = contributions * blocks * 8_u64.div_ceil(c) * if is_stacked { c + 1 } else { 1 };
        let sums = 2 * u64::from(rules.count_ones()) + 4;
        passes + stacked + turns + middle + sums * (16 + 16) + 4 * c
    }
}

/// Sources that `pool_wide` holds the opinions of.
const HELD: u64 = 512;

/// How many items a chunk may have: what the bindings and the budget hold; from 32 on, whole words of presence.
///
/// # Errors
///
/// Not even one item fits, or it is too much for the driver's loops.
pub fn chunk_items(step: &Step, limits: Limits) -> Result<u32> {
    let (n, c) = (step.pool.sources.len() as u64, step.pool.classes as u64);
    check_loops(step, limits)?;
    let fits = |items: u64| {
        let words = words(step, items);
        words.iter().all(|words| 4 * words <= limits.binding_bytes)
            && 4 * words.iter().sum::<u64>() <= limits.chunk_bytes
    };
    // Indices are 32 bits wide in the shaders.
    let items = most_that(dispatch_items(step, limits).min(u64::from(u32::MAX) / (n * c)).min(MOST_ITEMS), fits);
    if items == 0 {
        let words = words(step, 1);
        let (needed, allowed) = (4 * words.iter().sum::<u64>(), limits.binding_bytes.min(limits.chunk_bytes));
        return Err(DeviceError::ItemTooLarge { needed, allowed }.into());
    }
    Ok(items as u32)
}

/// Parts into which a job is cut that would fit the device at once: all but the last are read back while the next are
/// uploaded.
const PARTS: u64 = 4;

/// The least that such a part takes on the device, in bytes: what passes through one staging buffer. Below, what each
/// dispatch costs would outweigh what is gained.
const PART_BYTES: u64 = 8 << 20;

/// How a job is cut into chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// Items of a chunk; the last may have fewer.
    pub items: u32,
    /// Sets of buffers that the chunks take in turn: two, so that one chunk is uploaded while the one before it is read
    /// back; one for a single chunk, or where the budget holds no more than one.
    pub sets: usize,
}

/// Cuts a job of so many items.
///
/// # Errors
///
/// As [`chunk_items`].
pub fn cut(step: &Step, items: u64, limits: Limits) -> Result<Cut> {
    let alone = chunk_items(step, limits)?;
    let bytes = 4 * words(step, items).iter().sum::<u64>();
    let in_turn = chunk_items(step, Limits { chunk_bytes: limits.chunk_bytes / 2, ..limits });
    Ok(match in_turn {
        Ok(in_turn) if items > u64::from(alone) || bytes >= 2 * PART_BYTES => {
            let part = items.div_ceil(PARTS).max((items * PART_BYTES).div_ceil(bytes)).next_multiple_of(32);
            Cut { items: in_turn.min(u32::try_from(part).unwrap_or(u32::MAX)), sets: 2 }
        }
        _ => Cut { items: alone, sets: 1 },
    })
}

/// Whether the driver runs the kernel's loops to their end.
///
/// # Errors
///
/// It does not.
pub fn check_loops(step: &Step, limits: Limits) -> Result<()> {
    match limits.loop_steps.filter(|&allowed| loop_steps(step) > allowed) {
        Some(allowed) => Err(DeviceError::TooManySteps { needed: loop_steps(step), allowed }.into()),
        None => Ok(()),
    }
}

/// The most items, up to `most`, that fit; whole words of presence, from 32 on.
fn most_that(most: u64, fits: impl Fn(u64) -> bool) -> u64 {
    let (mut items, mut too_many) = (0, most + 1);
    while items + 1 < too_many {
        let middle = u64::midpoint(items, too_many);
        if fits(middle) { items = middle } else { too_many = middle }
    }
    if items < 32 { items } else { items / 32 * 32 }
}

/// How many items one dispatch may take before it is too long for the watchdogs; at least one.
#[must_use]
pub fn dispatch_items(step: &Step, limits: Limits) -> u64 {
    (limits.dispatch_values / work_per_item(step)).max(1)
}

/// What one item costs, in values read: those that are looked at more than a few times count as often.
#[must_use]
pub fn work_per_item(step: &Step) -> u64 {
    let (n, c) = (step.pool.sources.len() as u64, step.pool.classes as u64);
    let rules = step.pool.rules();
    let stacked = if rules & Slot::Stacked.bit() == 0 { 0 } else { c };
    let middle = if rules & MIDDLE == 0 { 0 } else { 32 };
    n * c * (1 + stacked + middle)
}

/// More items than any device holds.
const MOST_ITEMS: u64 = 1 << 31;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::lower;
    use crate::spec::{Divergence, Fusion, Rule, STEEPNESS, Weighting};
    use crate::tensor::{Encoding, Evidence, Opinions};

    /// A fusion of logits, with presence masks and given confidences.
    fn lowered(fusion: &Fusion, sources: usize, classes: usize) -> Step {
        let logits = vec![0.0; classes];
        let evidence = Evidence::of(classes, &vec![Opinions::Logits(&logits); sources]).unwrap();
        let evidence = evidence.with_presence(0, &[true]).unwrap().with_confidence(0, &[0.5]).unwrap();
        lower(fusion, &evidence.outline()).unwrap().steps.remove(0)
    }

    /// The simplest rules, with every output that they have.
    fn step(sources: usize, classes: usize) -> Step {
        let five = [Rule::Linear, Rule::Vote, Rule::MaxVote, Rule::BayesianAverage, Rule::LogPool];
        let outputs = Output::ALL.into_iter().filter(|&output| output != Output::Contributions).collect::<Vec<_>>();
        lowered(&Fusion::new(Rule::ensemble(&five)).outputs(&outputs), sources, classes)
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
        // Beside an item's 424 bytes and 8 words of presence: the parameters, the sources' terms, the class prior, the status.
        let one = 424 + 32 + 160 + 8 * 48 + 40 + 4;
        let tight = |chunk_bytes| chunk_items(&step(8, 10), Limits { chunk_bytes, ..LIMITS });
        assert_eq!(tight(one).unwrap(), 1);
        assert_eq!(tight(one + 63 * 424 + 32).unwrap(), 64);
        assert_eq!(tight(one + 63 * 424 + 31).unwrap(), 32);
        let error = tight(one - 1).unwrap_err().to_string();
        let want = format!("one item needs {one} bytes on the device, which allows {}; use `Engine::cpu()`", one - 1);
        assert_eq!(error, want);
    }

    #[test]
    fn a_large_job_is_cut_in_four_and_a_small_one_not_at_all() {
        // 424 bytes of evidence and answers an item, and 8 words of presence for 32.
        let cut = |items, limits| cut(&step(8, 10), items, limits).unwrap();
        let alone = chunk_items(&step(8, 10), LIMITS).unwrap();
        assert_eq!(cut(1_000, LIMITS), Cut { items: alone, sets: 1 });
        assert_eq!(cut(39_000, LIMITS), Cut { items: alone, sets: 1 });
        // Two parts of 8 MiB, three, then four that grow.
        assert_eq!(cut(40_000, LIMITS), Cut { items: 19_744, sets: 2 });
        assert_eq!(cut(60_000, LIMITS), Cut { items: 19_744, sets: 2 });
        assert_eq!(cut(100_000, LIMITS), Cut { items: 25_024, sets: 2 });
        // More than fits at once: as much as half the budget holds.
        let half = chunk_items(&step(8, 10), Limits { chunk_bytes: 128 << 20, ..LIMITS }).unwrap();
        assert_eq!(cut(10_000_000, LIMITS), Cut { items: half, sets: 2 });
        let two = 4 * words(&step(8, 10), half.into()).iter().sum::<u64>() * 2;
        assert!(two <= LIMITS.chunk_bytes, "{two}");
        // A budget for one item, and for two.
        let one = 4 * words(&step(8, 10), 1).iter().sum::<u64>();
        let tight = |chunk_bytes| cut(10, Limits { chunk_bytes, ..LIMITS });
        assert_eq!(tight(one), Cut { items: 1, sets: 1 });
        assert_eq!(tight(2 * one - 1), Cut { items: 3, sets: 1 });
        assert_eq!(tight(2 * one), Cut { items: 1, sets: 2 });
    }

    #[test]
    fn narrow_forms_take_whole_words_a_source() {
        for (form, items, words) in [
            (Form::F32(Encoding::Logits), 3, 30),
            (Form::ProbabilitiesBf16, 3, 15),
            (Form::LogitsF16, 5, 25),
            (Form::QuantisedU8, 3, 8),
            (Form::LabelsU8, 5, 2),
            (Form::LabelsU16, 5, 3),
            (Form::Binary, 5, 5),
        ] {
            assert_eq!(plane_words(form, items, 10), words, "{form}");
        }
    }

    #[test]
    fn what_is_put_aside_counts() {
        let aside = |fusion: Fusion, classes| words(&lowered(&fusion, 8, classes), 7)[VALUES];
        assert_eq!(aside(Fusion::new(Rule::Linear), 300), 0);
        assert_eq!(aside(Fusion::new(Rule::Median), 10), 8 * 7 * 10);
        let consensus = Weighting::Consensus { divergence: Divergence::Hellinger, steepness: STEEPNESS };
        let by_consensus = |rule| Fusion::new(rule).weighting(consensus.clone());
        assert_eq!(aside(by_consensus(Rule::Linear), 10), 0);
        assert_eq!(aside(by_consensus(Rule::Linear), 300), 7 * 300);
        assert_eq!(aside(by_consensus(Rule::Trimmed { share: 0.2 }), 300), 9 * 7 * 300);
        let columns =
            |outputs: &[Output]| words(&lowered(&Fusion::new(Rule::Linear).outputs(outputs), 8, 10), 7)[COLUMNS];
        assert_eq!(columns(&[Output::Posterior, Output::Margin, Output::Contributions]), 7 + 8 * 7);
    }

    #[test]
    fn thousands_of_sources_stay_below_a_software_drivers_loop_steps() {
        let software = Limits { loop_steps: Some(65_535), ..LIMITS };
        for classes in [1, 10, 100, 256, 300] {
            let steps = loop_steps(&step(4096, classes));
            // The steps take nothing from a chunk.
            let most = chunk_items(&step(4096, classes), LIMITS).unwrap();
            assert_eq!(chunk_items(&step(4096, classes), software).unwrap(), most, "{classes}: {steps}");
        }
        let needed = loop_steps(&step(4096, 1000));
        let error = chunk_items(&step(4096, 1000), software).unwrap_err().to_string();
        assert!(needed > 65_535 && error.contains(&needed.to_string()), "{error}");
        // A median takes thirty looks at every source.
        assert!(loop_steps(&lowered(&Fusion::new(Rule::Median), 4096, 10)) > 30 * 4096 / 4);
        assert!(loop_steps(&lowered(&Fusion::new(Rule::Median), 2048, 10)) < 65_535);
    }

    #[test]
    fn a_grid_covers_every_item_once() {
        for classes in [1, 10, 256, 1000] {
            for items in [0, 1, 24, 25, 26, 70_000, 3_000_000] {
                let grid = grid(items, classes);
                let groups = u64::from(grid.groups_per_row) * u64::from(grid.rows);
                assert!(groups * u64::from(grid.items_per_group) >= u64::from(items));
                assert!(grid.groups_per_row <= MAX_GROUPS_PER_ROW && grid.rows <= MAX_GROUPS_PER_ROW);
                assert!(grid.items_per_group * classes <= 256 || grid.items_per_group == 1);
            }
        }
        assert_eq!(grid(26, 10), Grid { items_per_group: 25, groups_per_row: 2, rows: 1 });
        assert_eq!(grid(65_536, 1000), Grid { items_per_group: 1, groups_per_row: 65_535, rows: 2 });
    }
}
