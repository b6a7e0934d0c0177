//! The twin of `shaders/bayes/conjugate.wgsl`: eight items to a tile, one to a lane, in f64.

mod dirichlet;
mod intervals;
mod normal;
mod normal_gamma;

use fearless_simd::f64x8;
use fearless_simd::prelude::*;

use super::{LANES, narrow, widened};
use crate::kernel::bayes::conjugate::{Operation, Params};
use crate::plan::batch::Batch;

/// The operation on the batch's items.
#[inline(always)]
pub(in crate::backend::cpu) fn run<S: Simd>(simd: S, mut batch: Batch<'_>) {
    let (items, params) = (batch.items, batch.params::<Params>());
    let Some(operation) = Operation::ALL.get(params.operation as usize).copied() else { return };
    let classes = params.classes as usize;
    let known = f64::from(params.known);
    let mut arguments = Vec::new();
    for plane in 0..operation.arguments(classes) {
        arguments.push(batch.inputs[0].plane::<f32>(plane));
    }
    let mut results: Vec<&mut [f32]> = batch.outputs[0].planes_mut().collect();
    for first in (0..items).step_by(LANES) {
        let len = LANES.min(items - first);
        let mut tile = Tile { simd, arguments: &arguments, results: &mut results, first, len };
        // What takes many logarithms is a function of its own until it is optimised: all in one take the compiler far longer.
        match operation {
            Operation::DirichletUpdate => dirichlet::update(&mut tile, classes),
            Operation::DirichletMerge => dirichlet::merge(&mut tile, classes),
            Operation::DirichletMoments => dirichlet::moments(&mut tile, classes),
            Operation::DirichletEvidence => simd.vectorize(
                #[inline(always)]
                || dirichlet::evidence(&mut tile, classes),
            ),
            Operation::DirichletDivergence => simd.vectorize(
                #[inline(always)]
                || dirichlet::divergence(&mut tile, classes),
            ),
            Operation::NormalUpdate => normal::update(&mut tile, known),
            Operation::NormalMerge => normal::merge(&mut tile),
            Operation::NormalEvidence => normal::evidence(&mut tile, known),
            Operation::NormalDivergence => normal::divergence(&mut tile),
            Operation::NormalGammaUpdate => normal_gamma::update(&mut tile),
            Operation::NormalGammaMerge => normal_gamma::merge(&mut tile),
            Operation::NormalGammaMoments => normal_gamma::moments(&mut tile),
            Operation::NormalGammaEvidence => simd.vectorize(
                #[inline(always)]
                || normal_gamma::evidence(&mut tile),
            ),
            Operation::NormalGammaDivergence => simd.vectorize(
                #[inline(always)]
                || normal_gamma::divergence(&mut tile),
            ),
            Operation::NormalIntervals => intervals::normal(&mut tile, known),
            Operation::DirichletTails => intervals::of_share(&mut tile, classes, known, params.plane as usize),
            Operation::DirichletEnds => intervals::share(&mut tile, classes, params.plane as usize),
            Operation::NormalGammaTails => intervals::of_normal_gamma(&mut tile, known),
            Operation::NormalGammaEnds => intervals::normal_gamma(&mut tile),
        }
    }
}

/// Eight items' arguments and results.
struct Tile<'t, 'p, S: Simd> {
    simd: S,
    arguments: &'t [&'p [f32]],
    results: &'t mut [&'p mut [f32]],
    first: usize,
    len: usize,
}

impl<S: Simd> Tile<'_, '_, S> {
    #[inline(always)]
    fn splat(&self, x: f64) -> f64x8<S> {
        f64x8::splat(self.simd, x)
    }

    /// An argument; lanes past the end repeat one that is there.
    #[inline(always)]
    fn at(&self, plane: usize) -> f64x8<S> {
        f64x8::simd_from(self.simd, widened(&self.arguments[plane][self.first..self.first + self.len]))
    }

    /// The sum of so many planes.
    #[inline(always)]
    fn sum(&self, first: usize, planes: usize) -> f64x8<S> {
        let mut sum = self.splat(0.0);
        for plane in first..first + planes {
            sum += self.at(plane);
        }
        sum
    }

    #[inline(always)]
    fn answer(&mut self, plane: usize, value: f64x8<S>) {
        narrow(value.to_array(), &mut self.results[plane][self.first..self.first + self.len]);
    }
}
