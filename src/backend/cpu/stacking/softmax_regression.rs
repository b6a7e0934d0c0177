//! Loss, gradient and posterior of a softmax regression over packed features.

use std::sync::Arc;
use std::time::{Duration, Instant};

use fearless_simd::{Level, Simd, dispatch, f32x16, prelude::*};
use rayon::prelude::*;

use super::forward::{Parameters, logits};
use super::gradient;
use crate::backend::Regression;
use crate::backend::cpu::Cpu;
use crate::backend::cpu::numbers::{exp, ln};
use crate::error::Result;
use crate::kernel::stacking::softmax_regression::{FLUSH, Features, GROUP, LANES, Row, Targets};
use crate::plan::cost::Executor;

/// Features in the host's memory.
#[derive(Debug)]
pub(in crate::backend::cpu) struct Held {
    cpu: Arc<Cpu>,
    features: Arc<Features>,
    targets: Targets,
    took: Option<Duration>,
}

impl Held {
    /// No item is labelled yet.
    pub(in crate::backend::cpu) fn new(cpu: Arc<Cpu>, features: Arc<Features>) -> Self {
        Self { cpu, targets: Targets::none(features.tiles()), features, took: None }
    }
}

impl Regression for Held {
    fn features(&self) -> &Features {
        &self.features
    }

    fn label(&mut self, targets: &Targets) -> Result<()> {
        self.targets.clone_from(targets);
        Ok(())
    }

    fn evaluate(&mut self, parameters: &[f32], gradient: &mut [f64]) -> Result<f64> {
        let start = Instant::now();
        let loss = self.cpu.evaluate(&self.features, &self.targets, parameters, gradient);
        self.took = Some(start.elapsed());
        Ok(loss)
    }

    fn executor(&self) -> Executor {
        Executor::Cpu
    }

    fn kernels(&self) -> Option<Duration> {
        self.took
    }
}

impl Cpu {
    /// The summed loss of the labelled items; `gradient`, laid out as the parameters, becomes its gradient.
    fn evaluate(&self, features: &Features, targets: &Targets, parameters: &[f32], gradient: &mut [f64]) -> f64 {
        let tiles = features.block_tiles();
        let block = |(x, targets): (&[Row], &[Row])| evaluate(self.level, x, targets, parameters, features.classes);
        let x = features.rows.par_chunks(tiles * features.len).zip(targets.rows.par_chunks(tiles));
        let blocks: Vec<(f64, Vec<f64>)> = match &self.pool {
            Some(pool) => pool.install(|| x.map(block).collect()),
            None => features.rows.chunks(tiles * features.len).zip(targets.rows.chunks(tiles)).map(block).collect(),
        };
        gradient.fill(0.0);
        let mut loss = 0.0;
        for (block_loss, block) in &blocks {
            loss += block_loss;
            gradient.iter_mut().zip(block).for_each(|(sum, part)| *sum += part);
        }
        loss
    }

    /// The posterior of all items, row-major [B, C].
    pub(crate) fn predict(&self, features: &Features, parameters: &[f32], posterior: &mut [f32]) {
        let tiles = features.block_tiles();
        let classes = features.classes;
        let block = |(x, out): (&[Row], &mut [f32])| predict(self.level, x, parameters, classes, out);
        match &self.pool {
            Some(pool) => pool.install(|| {
                let out = posterior.par_chunks_mut(tiles * LANES * classes);
                features.rows.par_chunks(tiles * features.len).zip(out).for_each(block);
            }),
            None => {
                let out = posterior.chunks_mut(tiles * LANES * classes);
                features.rows.chunks(tiles * features.len).zip(out).for_each(block);
            }
        }
    }
}

/// The loss and its gradient over a block.
fn evaluate(level: Level, x: &[Row], targets: &[Row], parameters: &[f32], classes: usize) -> (f64, Vec<f64>) {
    let parameters = Parameters::of(parameters, classes);
    dispatch!(level, simd => Block::run(simd, parameters, x, targets))
}

fn predict(level: Level, x: &[Row], parameters: &[f32], classes: usize, out: &mut [f32]) {
    let parameters = Parameters::of(parameters, classes);
    let mut z = vec![Row::ZERO; classes];
    for (x, out) in x.chunks_exact(parameters.features).zip(out.chunks_mut(LANES * classes)) {
        dispatch!(level, simd => {
            logits(simd, parameters, x, &mut z);
            softmax(simd, &mut z);
        });
        for (lane, row) in out.chunks_exact_mut(classes).enumerate() {
            row.iter_mut().zip(&z).for_each(|(p, column)| *p = column.0[lane]);
        }
    }
}

/// Logits to probabilities, in place; answers the largest logit, and the logarithm of the sum of their powers less it.
#[inline(always)]
fn softmax<S: Simd>(simd: S, z: &mut [Row]) -> (f32x16<S>, f32x16<S>) {
    let mut most = f32x16::splat(simd, f32::NEG_INFINITY);
    for z in z.iter() {
        most = most.max(f32x16::load_array_ref(simd, &z.0));
    }
    let mut sum = f32x16::splat(simd, 0.0);
    for z in z.iter_mut() {
        let power = exp(simd, f32x16::load_array_ref(simd, &z.0) - most);
        power.store_array(&mut z.0);
        sum += power;
    }
    let scale = f32x16::splat(simd, 1.0) / sum;
    for z in z.iter_mut() {
        (f32x16::load_array_ref(simd, &z.0) * scale).store_array(&mut z.0);
    }
    (most, ln(simd, sum))
}

/// Working memory of one block.
struct Block {
    /// Logits, then residuals: [GROUP, C].
    z: Vec<Row>,
    /// [C, F].
    a: Vec<Row>,
    /// [C].
    b: Vec<Row>,
    /// Of a, then of b.
    gradient: Vec<f64>,
}

impl Block {
    /// The loss and its gradient over the tiles given.
    #[inline(always)]
    fn run<S: Simd>(simd: S, parameters: Parameters<'_>, x: &[Row], targets: &[Row]) -> (f64, Vec<f64>) {
        let (features, classes) = (parameters.features, parameters.b.len());
        let mut block = Self {
            z: vec![Row::ZERO; GROUP * classes],
            a: vec![Row::ZERO; parameters.a.len()],
            b: vec![Row::ZERO; classes],
            gradient: vec![0.0; parameters.a.len() + classes],
        };
        let mut loss = 0.0;
        for (x, targets) in x.chunks(FLUSH * features).zip(targets.chunks(FLUSH)) {
            for (x, targets) in x.chunks(GROUP * features).zip(targets.chunks(GROUP)) {
                let z = &mut block.z[..targets.len() * classes];
                logits(simd, parameters, x, z);
                for (z, target) in z.chunks_exact_mut(classes).zip(targets) {
                    loss += residuals(simd, target, z, &mut block.b);
                }
                gradient::add(simd, features, x, z, &mut block.a);
            }
            block.flush();
        }
        (loss, block.gradient)
    }

    /// The lanes added up in f64.
    fn flush(&mut self) {
        for (sum, row) in self.gradient.iter_mut().zip(self.a.iter_mut().chain(&mut self.b)) {
            *sum += row.0.iter().map(|&x| f64::from(x)).sum::<f64>();
            *row = Row::ZERO;
        }
    }
}

/// Logits of a tile to residuals, in place, added to `sums` too; answers the loss.
#[inline(always)]
fn residuals<S: Simd>(simd: S, target: &Row, z: &mut [Row], sums: &mut [Row]) -> f64 {
    let (zero, one) = (f32x16::splat(simd, 0.0), f32x16::splat(simd, 1.0));
    let target = f32x16::load_array_ref(simd, &target.0);
    let labelled = target.simd_ge(zero);
    let mut named = zero;
    let mut class = zero;
    for z in z.iter() {
        named = target.simd_eq(class).select(f32x16::load_array_ref(simd, &z.0), named);
        class += one;
    }
    let (most, log_sum) = softmax(simd, z);
    let mut class = zero;
    for (z, sum) in z.iter_mut().zip(sums) {
        let p = f32x16::load_array_ref(simd, &z.0);
        let hit = target.simd_eq(class).select(one, zero);
        let residual = labelled.select(p - hit, zero);
        residual.store_array(&mut z.0);
        (f32x16::load_array_ref(simd, &sum.0) + residual).store_array(&mut sum.0);
        class += one;
    }
    let loss = labelled.select(log_sum + (most - named), zero).to_array();
    loss.iter().map(|&x| f64::from(x)).sum()
}
