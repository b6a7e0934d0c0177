//! Special functions of many lanes. What one f32 can hold is computed in f32; the incomplete functions and their inverses
//! in f64, where the shader has pairs of f32.

pub(in crate::backend::cpu) mod gamma;
mod quantile;
mod tail;
pub(super) mod wide;

use fearless_simd::{Simd, f32x16, f64x8, prelude::*};

use self::tail::Tail;
use crate::kernel::bayes::special::{Function, Params};
use crate::plan::batch::Batch;

const LANES: usize = 16;

/// The function of the batch's items.
#[inline(always)]
pub(in crate::backend::cpu) fn run<S: Simd>(simd: S, mut batch: Batch<'_>) {
    let Some(function) = Function::ALL.get(batch.params::<Params>().which as usize).copied() else { return };
    let argument = |place| if place < function.arguments() { batch.inputs[0].plane::<f32>(place) } else { &[] };
    let arguments = [argument(0), argument(1), argument(2)];
    for out in batch.outputs[0].planes_mut::<f32>() {
        all(simd, function, arguments, out);
    }
}

#[inline(always)]
fn all<S: Simd>(simd: S, function: Function, arguments: [&[f32]; 3], out: &mut [f32]) {
    for (tile, out) in out.chunks_mut(LANES).enumerate() {
        let load = |argument: &[f32]| {
            let mut lanes = [1.0; LANES];
            if let Some(values) = argument.get(tile * LANES..) {
                let len = values.len().min(LANES);
                lanes[..len].copy_from_slice(&values[..len]);
                // Lanes past the end repeat a value that is there, so that they converge as it does.
                if let Some(&last) = values[..len].last() {
                    lanes[len..].fill(last);
                }
            }
            f32x16::simd_from(simd, lanes)
        };
        let result = of(simd, function, arguments.map(load)).to_array();
        out.copy_from_slice(&result[..out.len()]);
    }
}

/// One tile.
#[inline(always)]
fn of<S: Simd>(simd: S, function: Function, [first, second, third]: [f32x16<S>; 3]) -> f32x16<S> {
    match function {
        Function::LnGamma => return gamma::ln_gamma(simd, first),
        Function::Digamma => return gamma::digamma(simd, first),
        _ => {}
    }
    let (first, second, third) = (first.widen(), second.widen(), third.widen());
    let mut halves = [first.0, first.1];
    // A loop, and in it one place for each distribution's mass and quantile: over several copies of what is long already the
    // compiler takes minutes.
    for (half_of, (b, c)) in halves.iter_mut().zip([(second.0, third.0), (second.1, third.1)]) {
        *half_of = half(simd, function, *half_of, b, c);
    }
    halves[0].narrow(halves[1])
}

/// Half a tile of what is computed in f64.
#[inline(always)]
fn half<S: Simd>(simd: S, function: Function, a: f64x8<S>, b: f64x8<S>, c: f64x8<S>) -> f64x8<S> {
    let (zero, one) = (f64x8::splat(simd, 0.0), f64x8::splat(simd, 1.0));
    let least = f64::from(f32::MIN_POSITIVE);
    match function {
        Function::Beta => {
            let mass = Tail::of_beta(simd, a, b, c, 1.0 - c).below(simd);
            c.simd_lt(least).select(zero, c.simd_ge(1.0).select(one, mass))
        }
        Function::BetaQuantile | Function::BetaQuantileOdds => {
            quantile::of_beta(simd, a, b, c, function == Function::BetaQuantileOdds)
        }
        Function::GammaQuantile | Function::GammaQuantileAbove => {
            quantile::of_gamma(simd, a, b, function == Function::GammaQuantileAbove)
        }
        _ => {
            let tail = Tail::of_gamma(simd, a, b);
            let is_above = function == Function::GammaAbove;
            let (at_zero, mass) = if is_above { (one, tail.above(simd)) } else { (zero, tail.below(simd)) };
            b.simd_lt(least).select(at_zero, mass)
        }
    }
}
