//! The twin of `shaders/calibration/outcome.wgsl`: item by item, each row while it is in the cache.

use crate::backend::cpu::tile::note;
use crate::kernel::calibration::outcome::{BLOCK, DECISION, ERROR, PRODUCTS, Params, TOP, TRUTH};
use crate::plan::batch::Batch;
use crate::tensor::SUM_TOLERANCE;

/// What the batch's rows said.
#[inline(always)]
pub(in crate::backend::cpu) fn run(mut batch: Batch<'_>) {
    let Params { classes, sources, outputs: asked, .. } = batch.params();
    let (items, classes) = (batch.items, classes as usize);
    let rows: Vec<&[f32]> = (0..sources as usize).map(|source| batch.inputs[0].plane(source)).collect();
    let labels: &[u32] = batch.inputs[1].plane(0);
    let [found, refused] = &mut batch.outputs[..] else { return };
    let mut found: Vec<&mut [f32]> = found.planes_mut().collect();
    for refused in refused.planes_mut::<u32>() {
        refused.fill(u32::MAX);
        for item in 0..items {
            let label = labels[item] as usize;
            let here = item * classes..(item + 1) * classes;
            let mut fine = label < classes;
            let mut planes = found.iter_mut();
            let mut put = |bit: u32, value: f32| {
                if asked & bit != 0
                    && let Some(plane) = planes.next()
                {
                    plane[item] = value;
                }
            };
            for source in &rows {
                let said = Said::of(&source[here.clone()], label);
                fine &= said.is_fine;
                put(TRUTH, said.truth);
                put(TOP, said.top);
                put(DECISION, said.decision as f32);
                put(ERROR, said.error);
            }
            if asked & PRODUCTS != 0 {
                for (number, one) in rows.iter().enumerate() {
                    for other in &rows[number..] {
                        put(PRODUCTS, product(&one[here.clone()], &other[here.clone()], label));
                    }
                }
            }
            note(u64::from(!fine), item, BLOCK, &mut refused[item / BLOCK]);
        }
    }
}

/// What one row says of its label.
struct Said {
    is_fine: bool,
    truth: f32,
    top: f32,
    decision: usize,
    error: f32,
}

impl Said {
    #[inline(always)]
    fn of(row: &[f32], label: usize) -> Self {
        let mut said = Self { is_fine: true, truth: 0.0, top: -1.0, decision: 0, error: 0.0 };
        let mut sum = 0.0_f32;
        for (class, &p) in row.iter().enumerate() {
            said.is_fine &= (0.0..=f32::MAX).contains(&p);
            sum += p;
            if p > said.top {
                (said.top, said.decision) = (p, class);
            }
            let is = if class == label { 1.0 } else { 0.0 };
            said.error += (p - is) * (p - is);
        }
        said.truth = row.get(label).copied().unwrap_or_default();
        said.is_fine &= (sum - 1.0).abs() <= SUM_TOLERANCE;
        said
    }
}

/// The product of two rows' errors.
#[inline(always)]
fn product(one: &[f32], other: &[f32], label: usize) -> f32 {
    let mut sum = 0.0;
    for (class, (p, q)) in one.iter().zip(other).enumerate() {
        let is = if class == label { 1.0 } else { 0.0 };
        sum += (p - is) * (q - is);
    }
    sum
}
