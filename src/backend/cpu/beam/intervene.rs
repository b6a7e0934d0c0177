//! The twin of `shaders/beam/intervene.wgsl`: sixteen items to a tile, one to a lane, each lane with its own operation.

use fearless_simd::prelude::*;
use fearless_simd::{f32x16, mask32x16};

use super::distribution::{load, planes};
use crate::backend::cpu::numbers::{exp, ln};
use crate::backend::cpu::tile::store;
use crate::backend::cpu::transpose::LANES;
use crate::kernel::beam::fuse::{CHANNELS, DIGITS};
use crate::kernel::beam::intervene::{ANCHORS, CONFIDENCE, ETHOS, Entry, PULL, Params, SHARPEN, STEPS};
use crate::plan::batch::Batch;

/// Changes the batch's items.
#[inline(always)]
pub(in crate::backend::cpu) fn run<S: Simd>(simd: S, mut batch: Batch<'_>) {
    let (items, steps) = (batch.items, (batch.params::<Params>().steps as usize).min(STEPS));
    let digits: [&[f32]; DIGITS] = planes(&batch.inputs[0]);
    let scalars: [&[f32]; CHANNELS + 1] = planes(&batch.inputs[1]);
    let positions: &[u32] = batch.inputs[2].plane(0);
    let table: &[Entry] = batch.inputs[3].plane(0);
    let [changed, changed_scalars] = &mut batch.outputs[..] else { return };
    let mut changed: Vec<&mut [f32]> = changed.planes_mut().collect();
    let mut changed_scalars: Vec<&mut [f32]> = changed_scalars.planes_mut().collect();
    for first in (0..items).step_by(LANES) {
        let (mut d, mut values) = (load(simd, &digits, first), load(simd, &scalars, first));
        let positions = &positions[first..items.min(first + LANES)];
        for step in 0..steps {
            Lanes::new(positions, table, step).apply(simd, &mut d, &mut values);
        }
        for (plane, d) in changed.iter_mut().zip(d) {
            store(plane, first, d);
        }
        for (plane, value) in changed_scalars.iter_mut().zip(values) {
            store(plane, first, value);
        }
    }
}

/// What one step does to each lane; what it does not do has a value that changes nothing.
struct Lanes {
    anchor: [f32; LANES],
    share: [f32; LANES],
    power: [f32; LANES],
    /// Of the three channels and the confidence.
    factors: [[f32; LANES]; CHANNELS + 1],
    pulls: bool,
    sharpens: bool,
}

impl Lanes {
    #[inline(always)]
    fn new(positions: &[u32], table: &[Entry], step: usize) -> Self {
        let (none, ones) = ([0.0; LANES], [1.0; LANES]);
        let factors = [ones; CHANNELS + 1];
        let mut lanes = Self { anchor: none, share: none, power: ones, factors, pulls: false, sharpens: false };
        for (lane, &position) in positions.iter().enumerate() {
            let position = (position as usize).min(ANCHORS.len() - 1);
            let [operation, bits] = table[position * STEPS + step];
            let value = f32::from_bits(bits);
            match operation {
                PULL => {
                    (lanes.anchor[lane], lanes.share[lane]) = (ANCHORS[position] as f32, value);
                    lanes.pulls = true;
                }
                SHARPEN => {
                    lanes.power[lane] = value;
                    lanes.sharpens = true;
                }
                CONFIDENCE => lanes.factors[CHANNELS][lane] = value,
                _ => {
                    if let Some(factors) = lanes.factors[..CHANNELS].get_mut(operation.wrapping_sub(ETHOS) as usize) {
                        factors[lane] = value;
                    }
                }
            }
        }
        lanes
    }

    #[inline(always)]
    fn apply<S: Simd>(self, simd: S, d: &mut [f32x16<S>; DIGITS], values: &mut [f32x16<S>; CHANNELS + 1]) {
        let (zero, one) = (f32x16::splat(simd, 0.0), f32x16::splat(simd, 1.0));
        if self.pulls {
            let (anchor, share) = (f32x16::simd_from(simd, self.anchor), f32x16::simd_from(simd, self.share));
            for (k, d) in (1_u8..).zip(&mut *d) {
                let towards = anchor.simd_eq(f32::from(k)).select(share, zero);
                *d = d.mul_add(one - share, towards);
            }
        }
        if self.sharpens {
            sharpen(simd, f32x16::simd_from(simd, self.power), d);
        }
        for (place, (value, factors)) in values.iter_mut().zip(self.factors).enumerate() {
            let most = if place == CHANNELS { 1.0 } else { 9.0 };
            *value = (*value * f32x16::simd_from(simd, factors)).min(most);
        }
    }
}

/// Powers of the digits, where the power is not 1.
#[inline(always)]
fn sharpen<S: Simd>(simd: S, power: f32x16<S>, digits: &mut [f32x16<S>; DIGITS]) {
    let (zero, one) = (f32x16::splat(simd, 0.0), f32x16::splat(simd, 1.0));
    let mut largest = zero;
    for d in &*digits {
        largest = largest.max(*d);
    }
    let ln_largest = ln(simd, largest.max(f32::MIN_POSITIVE));
    let (mut powers, mut sum) = ([zero; DIGITS], zero);
    for (p, d) in powers.iter_mut().zip(&*digits) {
        let is_some: mask32x16<S> = d.simd_ge(f32::MIN_POSITIVE);
        let exponent = power * (ln(simd, d.max(f32::MIN_POSITIVE)) - ln_largest);
        *p = is_some.select(exp(simd, exponent), zero);
        sum += *p;
    }
    let (scale, as_it_is) = (one / sum, power.simd_eq(1.0));
    for (d, p) in digits.iter_mut().zip(powers) {
        *d = as_it_is.select(*d, p * scale);
    }
}
