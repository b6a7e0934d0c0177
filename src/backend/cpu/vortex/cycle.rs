//! Objects on a path, sixteen at a time.

use fearless_simd::{Simd, f32x16, i32x16, mask32x16, prelude::*, u32x16};

use crate::backend::cpu::numbers::{exp, ln};
use crate::backend::cpu::transpose::LANES;
use crate::kernel::vortex::cycle::{
    ARTANH_SERIES, BLOCK, EXP_SERIES, EXP_SERIES_TO, LN_LARGEST, LN_SERIES_TO, MOST_HOPS, Params,
};
use crate::plan::batch::Batch;

/// The largest number below 1.
const BELOW_ONE: f32 = 1.0 - f32::EPSILON / 2.0;

/// Moves the batch's objects.
#[inline(always)]
pub(in crate::backend::cpu) fn run<S: Simd>(simd: S, mut batch: Batch<'_>) {
    let (params, items) = (batch.params::<Params>(), batch.items);
    let (velocities, directions) = (batch.inputs[0].plane::<f32>(0), batch.inputs[1].plane::<u32>(0));
    let [places, hops, phases, refused] = &mut batch.outputs[..] else { return };
    let planes = places.planes_mut::<u32>().zip(hops.planes_mut::<u32>()).zip(phases.planes_mut::<f32>());
    for (((places, hops), phases), refused) in planes.zip(refused.planes_mut::<u32>()) {
        refused.fill(u32::MAX);
        for first in (0..items).step_by(LANES) {
            let all = first..items.min(first + LANES);
            let velocity = f32x16::load_array(simd, tile(&velocities[all.clone()]));
            let back = u32x16::load_array(simd, tile(&directions[all.clone()])).simd_ne(0);
            let mut objects = Objects {
                place: u32x16::load_array(simd, tile(&places[all.clone()])).bitcast(),
                hops: u32x16::load_array(simd, tile(&hops[all.clone()])).bitcast::<i32x16<S>>().to_float(),
                phase: f32x16::load_array(simd, tile(&phases[all.clone()])),
                refused: mask32x16::splat(simd, false),
            };
            if params.ticks == 0 {
                objects = objects.in_closed_form(simd, params, velocity, back);
            }
            for _ in 0..params.ticks {
                let s = objects.reached(simd, params, velocity);
                let whole = s.floor();
                objects = objects.moved(simd, params, whole, s - whole, back, s.simd_le(MOST_HOPS));
            }
            let place: u32x16<S> = objects.place.bitcast();
            let hop: u32x16<S> = objects.hops.to_int::<i32x16<S>>().bitcast();
            put(&mut places[all.clone()], place.to_array());
            put(&mut hops[all.clone()], hop.to_array());
            put(&mut phases[all.clone()], objects.phase.to_array());
            let stayed = objects.refused.to_bitmask() & ((1 << all.len()) - 1);
            if stayed != 0 {
                let lowest = (first % BLOCK) as u32 + stayed.trailing_zeros();
                refused[first / BLOCK] = refused[first / BLOCK].min(lowest);
            }
        }
    }
}

/// Sixteen items, those that are not there of zeros.
#[inline(always)]
fn tile<T: Copy + Default>(values: &[T]) -> [T; LANES] {
    match values.first_chunk() {
        Some(whole) => *whole,
        None => {
            let mut tile = [T::default(); LANES];
            tile[..values.len()].copy_from_slice(values);
            tile
        }
    }
}

/// Writes as many items as are there.
#[inline(always)]
fn put<T: Copy>(to: &mut [T], tile: [T; LANES]) {
    match to.first_chunk_mut() {
        Some(whole) => *whole = tile,
        None => to.copy_from_slice(&tile[..to.len()]),
    }
}

/// Sixteen objects.
#[derive(Clone, Copy)]
struct Objects<S: Simd> {
    place: i32x16<S>,
    hops: f32x16<S>,
    phase: f32x16<S>,
    refused: mask32x16<S>,
}

impl<S: Simd> Objects<S> {
    /// p + v rho^n times the time.
    #[inline(always)]
    fn reached(self, simd: S, params: Params, velocity: f32x16<S>) -> f32x16<S> {
        let rate = if params.ln_q == 0.0 {
            velocity
        } else {
            velocity * exp(simd, (self.hops * -params.ln_q).min(LN_LARGEST))
        };
        rate.mul_add(params.elapsed, self.phase)
    }

    /// So many hops further on or back, with the phase given; where that is too far, as they were.
    #[inline(always)]
    fn moved(
        self,
        simd: S,
        params: Params,
        hops: f32x16<S>,
        phase: f32x16<S>,
        back: mask32x16<S>,
        allowed: mask32x16<S>,
    ) -> Self {
        let length = params.length.cast_signed();
        let zero = i32x16::splat(simd, 0);
        // The difference is exact, the sum might be rounded down to the limit.
        let fits = allowed & hops.simd_le(f32x16::splat(simd, MOST_HOPS) - self.hops);
        let rounds: i32x16<S> = (hops * params.per_length).floor().to_int();
        let mut rest = hops.to_int::<i32x16<S>>() - rounds * length;
        rest = rest.simd_lt(0).select(rest + length, rest);
        rest = rest.simd_ge(length).select(rest - length, rest);
        let mut place = self.place + back.select(zero - rest, rest);
        place = place.simd_lt(0).select(place + length, place);
        place = place.simd_ge(length).select(place - length, place);
        Self {
            place: fits.select(place, self.place),
            hops: fits.select(self.hops + hops, self.hops),
            phase: fits.select(phase, self.phase),
            refused: self.refused | !fits,
        }
    }

    #[inline(always)]
    fn in_closed_form(self, simd: S, params: Params, velocity: f32x16<S>, back: mask32x16<S>) -> Self {
        let s = self.reached(simd, params, velocity);
        if params.growth == 0.0 {
            let whole = s.floor();
            return self.moved(simd, params, whole, s - whole, back, s.simd_le(MOST_HOPS));
        }
        let x = s * params.growth;
        let h = (ln_1p(simd, x.max(-BELOW_ONE)) * params.per_ln_q).max(0.0);
        let whole = h.floor();
        let phase = (exp_m1(simd, (h - whole) * params.ln_q) * params.per_growth).max(0.0).min(BELOW_ONE);
        self.moved(simd, params, whole, phase, back, x.simd_gt(-1.0) & h.simd_le(MOST_HOPS))
    }
}

/// ln(1 + x), x > -1.
#[inline(always)]
fn ln_1p<S: Simd>(simd: S, x: f32x16<S>) -> f32x16<S> {
    let z = x / (x + 2.0);
    let z2 = z * z;
    let mut p = f32x16::splat(simd, ARTANH_SERIES[0]);
    for c in &ARTANH_SERIES[1..] {
        p = p.mul_add(z2, *c);
    }
    x.abs().simd_le(LN_SERIES_TO).select(z * 2.0 * p, ln(simd, x + 1.0))
}

/// e^x - 1.
#[inline(always)]
fn exp_m1<S: Simd>(simd: S, x: f32x16<S>) -> f32x16<S> {
    let mut p = f32x16::splat(simd, EXP_SERIES[0]);
    for c in &EXP_SERIES[1..] {
        p = p.mul_add(x, *c);
    }
    x.abs().simd_le(EXP_SERIES_TO).select(x * p, exp(simd, x) - 1.0)
}
