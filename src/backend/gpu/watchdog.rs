//! No dispatch of a job, however large, is long enough for a watchdog to end it: tests of how everything is cut.

use proptest::prelude::*;

use super::enabled::{HARDWARE_DISPATCH_VALUES, SOFTWARE_DISPATCH_VALUES};
use crate::kernel::bayes::{conjugate, gaussian, special};
use crate::kernel::beam::{eigen, nearest, relax};
use crate::kernel::vortex::{cycle, statistics};
use crate::kernel::{Kernel, stacking};
use crate::plan::batch::{Batch, Slot};
use crate::plan::partition::{Limits, chunk_items, dispatch_items};
use crate::plan::regression::{Cut, Shape};
use crate::plan::{Step, lower};
use crate::spec::{Fusion, Rule};
use crate::tensor::{Evidence, Opinions};

/// Everything fits, so that only the length of a dispatch cuts.
const fn limits(dispatch_values: u64) -> Limits {
    Limits { binding_bytes: 1 << 40, chunk_bytes: 1 << 44, dispatch_values, loop_steps: None }
}

fn step(rule: Rule, sources: usize, classes: usize) -> Step {
    let row = vec![0.0; classes];
    let evidence = Evidence::of(classes, &vec![Opinions::Logits(&row); sources]).unwrap();
    lower(&Fusion::new(rule), &evidence.outline()).unwrap().steps.remove(0)
}

/// Items of a chunk of a batch of so many, read and written as one word each.
fn batch_chunk(items: usize, block: usize, operations: usize, has_blocks: bool, limits: Limits) -> usize {
    // Sizes look at the slots' shapes, not at what is in them.
    let word = [0_u32];
    let mut sum = [0_u32];
    let mut outputs = Vec::new();
    if has_blocks {
        outputs.push(Slot::blocks(&mut sum));
    }
    let inputs = vec![Slot::<&[u8]>::items(&[&word[..]])];
    let batch = Batch { kernel: Kernel::DigitalRoot, items, block, operations, params: &[0; 16], inputs, outputs };
    batch.sizes(limits).unwrap().chunk
}

proptest! {
    #[test]
    fn a_fusion_is_cut(sources in 1..300_usize, classes in 1..400_usize, shift in 8..29_u32, middle: bool) {
        let limits = limits(1 << shift);
        // A median looks at each value some thirty times.
        let (rule, looks) = if middle { (Rule::Median, 32) } else { (Rule::default(), 1) };
        let step = step(rule, sources, classes);
        for items in [dispatch_items(&step, limits), chunk_items(&step, limits).unwrap().into()] {
            prop_assert!(items == 1 || items * (looks * sources * classes) as u64 <= limits.dispatch_values, "{}", items);
        }
    }

    #[test]
    fn a_batch_is_cut(operations in 0..4_000_000_usize, blocks: bool, shift in 8..29_u32, tall in 0..3_u32) {
        let (limits, block) = (limits(1 << shift), 256 << (2 * tall));
        let chunk = batch_chunk(1 << 30, block, operations, blocks, limits);
        // Four operations take as long as a byte.
        let values = (operations / 16).max(1) as u64;
        let least = if blocks { block } else { 1 };
        prop_assert!(chunk == least || chunk as u64 * values <= limits.dispatch_values, "{} items", chunk);
    }

    #[test]
    fn a_fit_is_cut(tiles in 1..10_000_000_u64, classes in 1..2047_u64, sources in 1..64_u64, shift in 8..29_u32) {
        let shape = Shape { tiles, classes, features: (sources * classes).min((1 << 22) / classes - 1).max(1) };
        let (limits, values) = (limits(1 << shift), shape.features.max(classes * shape.features / 8));
        let run = u64::from(stacking::softmax_regression::RUN_TILES);
        for piece in Cut::of(shape, limits).unwrap().pieces() {
            prop_assert!(piece.tiles <= run || piece.tiles * 16 * values <= limits.dispatch_values, "{:?}", piece);
        }
    }
}

/// What is never cut further, a block or a run, is short itself.
#[test]
fn the_least_that_is_dispatched_is_short() {
    let heaviest = [
        (cycle::BLOCK, cycle::OPERATIONS * cycle::MOST_TICKS as usize),
        (relax::BLOCK, relax::OPERATIONS * relax::MOST_STEPS as usize * 9),
        (eigen::BLOCK, eigen::OPERATIONS),
        (nearest::BLOCK, nearest::OPERATIONS * nearest::STEPS),
        (statistics::BLOCK, statistics::MOST_BINS * statistics::sums(statistics::MOST_CHANNELS)),
        (conjugate::BLOCK, conjugate::Operation::DirichletDivergence.operations(conjugate::MOST_CLASSES)),
        (
            gaussian::BLOCK,
            gaussian::operations(gaussian::Mode::Trace, gaussian::MOST_DIMENSIONS, gaussian::MOST_SOURCES),
        ),
        (special::BLOCK, special::Function::GammaQuantile.operations()),
    ];
    for (block, operations) in heaviest {
        let values = (block * operations / 16) as u64;
        assert!(values <= HARDWARE_DISPATCH_VALUES, "a block of {block} of {operations} operations is {values} values");
        let chunk = batch_chunk(1 << 30, block, operations, false, limits(HARDWARE_DISPATCH_VALUES));
        assert!((chunk * operations / 16) as u64 <= HARDWARE_DISPATCH_VALUES && chunk >= 1);
    }
    // Runs of a fit are decided by its shape alone; the largest of the largest fit is twice what is wanted.
    let (run, parameters) = (16 * u64::from(stacking::softmax_regression::RUN_TILES), 1 << 22);
    assert!(run * (parameters / 8) <= 2 * HARDWARE_DISPATCH_VALUES);
    const { assert!(SOFTWARE_DISPATCH_VALUES < HARDWARE_DISPATCH_VALUES) };
}
