//! The twin of `shaders/bayes/information.wgsl`: sixteen items to a tile, one to a lane.

use fearless_simd::prelude::*;
use fearless_simd::{f32x16, mask32x16};

use crate::backend::cpu::numbers::ln;
use crate::backend::cpu::tile::{note, padded, store};
use crate::backend::cpu::transpose::LANES;
use crate::kernel::bayes::information::{BLOCK, Measure, Params, SUM_TOLERANCE, SUMMED};
use crate::plan::batch::Batch;

/// Measures the batch's items.
#[inline(always)]
pub(in crate::backend::cpu) fn run<S: Simd>(simd: S, mut batch: Batch<'_>) {
    let (items, params) = (batch.items, batch.params::<Params>());
    let Some(measure) = Measure::ALL.get(params.measure as usize).copied() else { return };
    let (sources, classes) = (params.sources as usize, params.classes as usize);
    let mut planes = Vec::new();
    for plane in 0..sources * classes {
        planes.push(batch.inputs[0].plane::<f32>(plane));
    }
    let weights = batch.inputs[1].plane::<f32>(0);
    let [results, status] = &mut batch.outputs[..] else { return };
    for (results, status) in results.planes_mut::<f32>().zip(status.planes_mut::<u32>()) {
        status.fill(u32::MAX);
        for first in (0..items).step_by(LANES) {
            let len = LANES.min(items - first);
            let fine = mask32x16::splat(simd, true);
            let mut tile = Tile { simd, planes: &planes, sources, classes, first, len, fine };
            let result = match measure {
                Measure::Entropy => tile.entropy(),
                Measure::CrossEntropy => tile.of_two(false),
                Measure::Divergence => tile.of_two(true),
                Measure::JensenShannon => tile.jensen_shannon(weights),
                Measure::MutualInformation => tile.mutual_information(),
            };
            store(results, first, result.max(0.0));
            note((!tile.fine).to_bitmask(), first, BLOCK, &mut status[first / BLOCK]);
        }
    }
}

/// Sixteen items' distributions.
struct Tile<'t, 'p, S: Simd> {
    simd: S,
    planes: &'t [&'p [f32]],
    sources: usize,
    classes: usize,
    first: usize,
    len: usize,
    fine: mask32x16<S>,
}

/// A sum in blocks.
struct Sum<S: Simd> {
    block: f32x16<S>,
    blocks: f32x16<S>,
    terms: u32,
}

impl<S: Simd> Sum<S> {
    #[inline(always)]
    fn new(simd: S) -> Self {
        let zero = f32x16::splat(simd, 0.0);
        Self { block: zero, blocks: zero, terms: 0 }
    }

    #[inline(always)]
    fn push(&mut self, term: f32x16<S>) {
        self.block += term;
        self.terms += 1;
        if self.terms == SUMMED {
            self.blocks += self.block;
            self.block -= self.block;
            self.terms = 0;
        }
    }

    #[inline(always)]
    fn total(&self) -> f32x16<S> {
        self.blocks + self.block
    }
}

impl<S: Simd> Tile<'_, '_, S> {
    /// A class's shares; lanes past the end repeat one that is there.
    #[inline(always)]
    fn share(&mut self, source: usize, class: usize) -> f32x16<S> {
        let values = &self.planes[source * self.classes + class][self.first..self.first + self.len];
        let x = f32x16::simd_from(self.simd, padded(values, values.last().copied().unwrap_or_default()));
        self.fine &= x.simd_ge(0.0) & x.simd_le(1.0);
        x
    }

    #[inline(always)]
    fn ln(&self, x: f32x16<S>) -> f32x16<S> {
        ln(self.simd, x.max(f32::MIN_POSITIVE))
    }

    #[inline(always)]
    fn x_ln_x(&self, x: f32x16<S>) -> f32x16<S> {
        x * self.ln(x)
    }

    /// Whether this sums to one; not a number counts as no.
    #[inline(always)]
    fn check(&mut self, sum: f32x16<S>) {
        self.fine &= (sum - 1.0).abs().simd_le(SUM_TOLERANCE);
    }

    #[inline(always)]
    fn check_sources(&mut self) {
        for n in 0..self.sources {
            let mut sum = Sum::new(self.simd);
            for k in 0..self.classes {
                sum.push(self.share(n, k));
            }
            self.check(sum.total());
        }
    }

    #[inline(always)]
    fn entropy(&mut self) -> f32x16<S> {
        let (mut sum, mut all) = (Sum::new(self.simd), Sum::new(self.simd));
        for k in 0..self.classes {
            let p = self.share(0, k);
            all.push(p);
            sum.push(-self.x_ln_x(p));
        }
        self.check(all.total());
        sum.total()
    }

    #[inline(always)]
    fn of_two(&mut self, divergence: bool) -> f32x16<S> {
        let zero = f32x16::splat(self.simd, 0.0);
        let (mut sum, mut infinite) = (Sum::new(self.simd), mask32x16::splat(self.simd, false));
        let (mut all_p, mut all_q) = (Sum::new(self.simd), Sum::new(self.simd));
        for k in 0..self.classes {
            let (p, q) = (self.share(0, k), self.share(1, k));
            all_p.push(p);
            all_q.push(q);
            let (there, other) = (p.simd_ge(f32::MIN_POSITIVE), q.simd_lt(f32::MIN_POSITIVE));
            infinite |= there & other;
            if divergence {
                sum.push(there.select(p * (self.ln(p) - self.ln(q)) - (p - q), q));
            } else {
                sum.push(there.select(-(p * self.ln(q)), zero));
            }
        }
        self.check(all_p.total());
        self.check(all_q.total());
        infinite.select(f32x16::splat(self.simd, f32::INFINITY), sum.total())
    }

    #[inline(always)]
    fn jensen_shannon(&mut self, weights: &[f32]) -> f32x16<S> {
        self.check_sources();
        let mut sum = Sum::new(self.simd);
        for k in 0..self.classes {
            let (mut mixture, mut terms) = (Sum::new(self.simd), Sum::new(self.simd));
            for (n, &weight) in weights.iter().enumerate() {
                let p = self.share(n, k);
                mixture.push(p * weight);
                terms.push(self.x_ln_x(p) * weight);
            }
            sum.push(terms.total() - self.x_ln_x(mixture.total()));
        }
        sum.total()
    }

    #[inline(always)]
    fn mutual_information(&mut self) -> f32x16<S> {
        let (mut sum, mut all) = (Sum::new(self.simd), Sum::new(self.simd));
        for i in 0..self.sources {
            let (mut row, mut terms) = (Sum::new(self.simd), Sum::new(self.simd));
            for j in 0..self.classes {
                let p = self.share(i, j);
                row.push(p);
                terms.push(self.x_ln_x(p));
            }
            sum.push(terms.total() - self.x_ln_x(row.total()));
            all.push(row.total());
        }
        for j in 0..self.classes {
            let mut column = Sum::new(self.simd);
            for i in 0..self.sources {
                column.push(self.share(i, j));
            }
            sum.push(-self.x_ln_x(column.total()));
        }
        self.check(all.total());
        sum.total() + self.x_ln_x(all.total())
    }
}
