//! Objects on a path, sixteen at a time.

use fearless_simd::{Simd, f32x16, i32x16, mask32x16, prelude::*, u32x16};

use crate::backend::cpu::numbers::{exp, exp2, ln};
use crate::backend::cpu::tile::{note, padded};
use crate::backend::cpu::transpose::LANES;
use crate::kernel::vortex::cycle::{
    ARTANH_SERIES, BLOCK, EXP_SERIES, EXP_SERIES_TO, LN_SERIES_TO, LOG2_LARGEST, MOST_HOPS, Params,
};
use crate::plan::batch::Batch;

/// The largest number below 1.
const BELOW_ONE: f32 = 1.0 - f32::EPSILON / 2.0;

/// Moves the batch's objects.
#[inline(always)]
pub(in crate::backend::cpu) fn run<S: Simd>(simd: S, batch: Batch<'_>) {
    let params: Params = batch.params();
    // Each of its own, so that none holds registers for the others.
    if params.growth == 0.0 {
        all::<Uniform, S>(simd, params, batch);
    } else if params.ticks == 0 {
        all::<Slowing, S>(simd, params, batch);
    } else {
        all::<SlowingTicks, S>(simd, params, batch);
    }
}

#[inline(always)]
fn all<M: Motion, S: Simd>(simd: S, params: Params, mut batch: Batch<'_>) {
    let (velocities, directions) = (batch.inputs[0].plane::<f32>(0), batch.inputs[1].plane::<u32>(0));
    let [places, hops, phases, refused] = &mut batch.outputs[..] else { return };
    let planes = places.planes_mut::<u32>().zip(hops.planes_mut::<u32>()).zip(phases.planes_mut::<f32>());
    for (((places, hops), phases), refused) in planes.zip(refused.planes_mut::<u32>()) {
        refused.fill(u32::MAX);
        let (velocities, velocities_rest) = velocities.as_chunks::<LANES>();
        let (directions, directions_rest) = directions.as_chunks::<LANES>();
        let (places, places_rest) = places.as_chunks_mut::<LANES>();
        let (hops, hops_rest) = hops.as_chunks_mut::<LANES>();
        let (phases, phases_rest) = phases.as_chunks_mut::<LANES>();
        let tiles = velocities.len();
        let inputs = velocities.iter().zip(directions);
        let states = places.iter_mut().zip(hops.iter_mut()).zip(phases.iter_mut());
        for (tile, ((velocity, direction), ((place, hop), phase))) in inputs.zip(states).enumerate() {
            let stayed = moved::<M, S>(simd, params, velocity, direction, place, hop, phase);
            note(stayed, LANES * tile, BLOCK, &mut refused[LANES * tile / BLOCK]);
        }
        let len = velocities_rest.len();
        if len > 0 {
            let (mut place, mut hop, mut phase) =
                (padded(places_rest, 0), padded(hops_rest, 0), padded(phases_rest, 0.0));
            let (velocity, direction) = (padded(velocities_rest, 0.0), padded(directions_rest, 0));
            let stayed = moved::<M, S>(simd, params, &velocity, &direction, &mut place, &mut hop, &mut phase);
            places_rest.copy_from_slice(&place[..len]);
            hops_rest.copy_from_slice(&hop[..len]);
            phases_rest.copy_from_slice(&phase[..len]);
            note(stayed, LANES * tiles, BLOCK, &mut refused[LANES * tiles / BLOCK]);
        }
    }
}

/// Moves sixteen objects; answers those that stayed.
#[inline(always)]
fn moved<M: Motion, S: Simd>(
    simd: S,
    params: Params,
    velocity: &[f32; LANES],
    direction: &[u32; LANES],
    place: &mut [u32; LANES],
    hop: &mut [u32; LANES],
    phase: &mut [f32; LANES],
) -> u64 {
    let velocity = f32x16::load_array_ref(simd, velocity);
    let mut n: f32x16<S> = u32x16::load_array_ref(simd, hop).bitcast::<i32x16<S>>().to_float();
    let mut p = f32x16::load_array_ref(simd, phase);
    let mut stayed = mask32x16::splat(simd, false);
    for _ in 0..params.ticks.max(1) {
        let (hops, next, allowed) = M::go(simd, params, velocity, n, p);
        // The difference is exact, the sum might be rounded down to the limit.
        let fits = allowed & hops.simd_le(f32x16::splat(simd, MOST_HOPS) - n);
        if fits.all_true() {
            p = next;
        } else {
            p = fits.select(next, p);
            stayed |= !fits;
        }
        let hops = fits.select(hops, f32x16::splat(simd, 0.0));
        if hops.simd_gt(0.0).any_true() {
            n += hops;
            let back = u32x16::load_array_ref(simd, direction).simd_ne(0);
            let from: i32x16<S> = u32x16::load_array_ref(simd, place).bitcast();
            let to: u32x16<S> = on_path(simd, params, from, hops, back).bitcast();
            to.store_array(place);
            n.to_int::<i32x16<S>>().bitcast::<u32x16<S>>().store_array(hop);
        }
    }
    p.store_array(phase);
    stayed.to_bitmask()
}

/// So many places further on or back.
#[inline(always)]
fn on_path<S: Simd>(simd: S, params: Params, from: i32x16<S>, hops: f32x16<S>, back: mask32x16<S>) -> i32x16<S> {
    let length = params.length.cast_signed();
    let mut rest: i32x16<S> = hops.to_int();
    if rest.simd_ge(length).any_true() {
        let rounds: i32x16<S> = (hops * params.per_length).floor().to_int();
        rest -= rounds * length;
        rest = rest.simd_lt(0).select(rest + length, rest);
        rest = rest.simd_ge(length).select(rest - length, rest);
    }
    let to = from + back.select(i32x16::splat(simd, 0) - rest, rest);
    let to = to.simd_lt(0).select(to + length, to);
    to.simd_ge(length).select(to - length, to)
}

/// How objects pass the time: the hops they make, the phase of the next, and whether the time is not too long for them.
trait Motion {
    fn go<S: Simd>(
        simd: S,
        params: Params,
        velocity: f32x16<S>,
        hops: f32x16<S>,
        phase: f32x16<S>,
    ) -> (f32x16<S>, f32x16<S>, mask32x16<S>);
}

/// Where every hop takes as long: a tick is the closed form.
struct Uniform;

/// A tick where hops take longer, or less, from one to the next.
struct SlowingTicks;

/// In closed form.
struct Slowing;

impl Motion for Uniform {
    #[inline(always)]
    fn go<S: Simd>(
        _: S,
        params: Params,
        velocity: f32x16<S>,
        _: f32x16<S>,
        phase: f32x16<S>,
    ) -> (f32x16<S>, f32x16<S>, mask32x16<S>) {
        let s = velocity.mul_add(params.elapsed, phase);
        let hops = s.floor();
        (hops, s - hops, s.simd_le(MOST_HOPS))
    }
}

/// p + v rho^n times the time.
#[inline(always)]
fn reached<S: Simd>(simd: S, params: Params, velocity: f32x16<S>, hops: f32x16<S>, phase: f32x16<S>) -> f32x16<S> {
    (velocity * exp2(simd, (hops * -params.log2_q).min(LOG2_LARGEST))).mul_add(params.elapsed, phase)
}

impl Motion for SlowingTicks {
    #[inline(always)]
    fn go<S: Simd>(
        simd: S,
        params: Params,
        velocity: f32x16<S>,
        hops: f32x16<S>,
        phase: f32x16<S>,
    ) -> (f32x16<S>, f32x16<S>, mask32x16<S>) {
        let s = reached(simd, params, velocity, hops, phase);
        let hops = s.floor();
        (hops, s - hops, s.simd_le(MOST_HOPS))
    }
}

impl Motion for Slowing {
    #[inline(always)]
    fn go<S: Simd>(
        simd: S,
        params: Params,
        velocity: f32x16<S>,
        hops: f32x16<S>,
        phase: f32x16<S>,
    ) -> (f32x16<S>, f32x16<S>, mask32x16<S>) {
        let x = reached(simd, params, velocity, hops, phase) * params.growth;
        let h = (ln_1p(simd, x.max(-BELOW_ONE)) * params.per_ln_q).max(0.0);
        let whole = h.floor();
        let phase = (exp_m1(simd, (h - whole) * params.ln_q) * params.per_growth).max(0.0).min(BELOW_ONE);
        (whole, phase, x.simd_gt(-1.0) & h.simd_le(MOST_HOPS))
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
