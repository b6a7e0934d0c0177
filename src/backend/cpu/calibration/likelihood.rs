//! The twin of `shaders/calibration/likelihood.wgsl`: sixteen items to a tile, one to a lane, whose terms are added up in f64.

use fearless_simd::f32x16;
use fearless_simd::prelude::*;

use crate::backend::cpu::numbers::{exp, ln};
use crate::backend::cpu::tile::{note, padded};
use crate::backend::cpu::transpose::{LANES, Lanes, to_columns};
use crate::kernel::calibration::likelihood::{BLOCK, Params, WORDS};
use crate::plan::batch::Batch;
use crate::spec::LOG_FLOOR;
use crate::tensor::SUM_TOLERANCE;

/// The three sums of the batch's blocks.
#[inline(always)]
pub(in crate::backend::cpu) fn run<S: Simd>(simd: S, mut batch: Batch<'_>) {
    let Params { classes, sharpness, .. } = batch.params();
    let (items, classes) = (batch.items, classes as usize);
    let rows: &[f32] = batch.inputs[0].plane(0);
    let labels: &[u32] = batch.inputs[1].plane(0);
    let [found] = &mut batch.outputs[..] else { return };
    let mut tile = Tile { classes, columns: vec![Lanes::ZERO; classes], last: Vec::new() };
    for found in found.planes_mut::<u32>() {
        for (block, found) in found.as_chunks_mut::<WORDS>().0.iter_mut().enumerate() {
            let (mut sums, mut refused) = ([0.0_f64; 3], u32::MAX);
            for first in (BLOCK * block..items.min(BLOCK * (block + 1))).step_by(LANES) {
                let there = LANES.min(items - first);
                let bad = tile.load(simd, &rows[classes * first..], &labels[first..][..there]);
                note(bad, first, BLOCK, &mut refused);
                let labels: [u32; LANES] = padded(&labels[first..], 0);
                for (sum, terms) in sums.iter_mut().zip(tile.terms(simd, sharpness, labels)) {
                    let counts = |(lane, _): &(usize, f32)| *lane < there && bad >> lane & 1 == 0;
                    *sum += terms.into_iter().enumerate().filter(counts).map(|(_, x)| f64::from(x)).sum::<f64>();
                }
            }
            for (words, sum) in found.chunks_exact_mut(2).zip(sums) {
                let nearest = sum as f32;
                words.copy_from_slice(&[nearest.to_bits(), ((sum - f64::from(nearest)) as f32).to_bits()]);
            }
            found[WORDS - 1] = refused;
        }
    }
}

/// Sixteen rows, class by class.
struct Tile {
    classes: usize,
    columns: Vec<Lanes>,
    /// Rows of a tile that is not full.
    last: Vec<f32>,
}

impl Tile {
    /// Takes the first rows on, one for each label; a bit for each that is refused.
    #[inline(always)]
    fn load<S: Simd>(&mut self, simd: S, rows: &[f32], labels: &[u32]) -> u64 {
        let len = LANES * self.classes;
        if labels.len() == LANES {
            to_columns(simd, rows, &mut self.columns);
        } else {
            self.last.clear();
            self.last.extend_from_slice(&rows[..labels.len() * self.classes]);
            self.last.resize(len, 1.0);
            to_columns(simd, &self.last, &mut self.columns);
        }
        let (mut fine, mut sum) = (u64::MAX, f32x16::splat(simd, 0.0));
        for column in &self.columns {
            let p = f32x16::load_array_ref(simd, &column.0);
            fine &= p.simd_ge(0.0).to_bitmask() & p.simd_le(f32::MAX).to_bitmask();
            sum += p;
        }
        let off = (sum - 1.0).abs();
        fine &= off.simd_le(SUM_TOLERANCE).to_bitmask();
        for (lane, &label) in labels.iter().enumerate() {
            fine &= !(u64::from(label as usize >= self.classes) << lane);
        }
        !fine & ((1 << labels.len()) - 1)
    }

    /// What each lane adds to the three sums.
    #[inline(always)]
    fn terms<S: Simd>(&self, simd: S, sharpness: f32, labels: [u32; LANES]) -> [[f32; LANES]; 3] {
        let log = |p: f32x16<S>| ln(simd, p.max(LOG_FLOOR).min(1.0));
        let zero = f32x16::splat(simd, 0.0);
        let column = |column: &Lanes| f32x16::load_array_ref(simd, &column.0);
        let most = self.columns.iter().fold(zero, |most, p| most.max(column(p)));
        let top = log(most);
        let (mut weights, mut values, mut squares) = (zero, zero, zero);
        for p in &self.columns {
            let z = log(column(p)) - top;
            let w = exp(simd, z * sharpness);
            weights += w;
            values = w.mul_add(z, values);
            squares = (w * z).mul_add(z, squares);
        }
        let mean = values / weights;
        let mut truth = Lanes::ZERO;
        for (lane, (truth, label)) in truth.0.iter_mut().zip(labels).enumerate() {
            *truth = self.columns.get(label as usize).map_or(1.0, |column| column.0[lane]);
        }
        let truth = log(column(&truth)) - top;
        let likelihood = ln(simd, weights) - truth * sharpness;
        let curvature = (squares / weights - mean * mean).max(0.0);
        [likelihood, mean - truth, curvature].map(|terms| terms.to_array())
    }
}
