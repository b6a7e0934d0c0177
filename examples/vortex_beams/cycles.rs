//! Objects that go round the flow and carry payloads.

use std::time::Duration;

use consilience::Engine;
use consilience::beam::Beams;
use consilience::vortex::{Anchors, Bin, Cycles, Direction, Path, Ring, statistics};
use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::{RngCore, SeedableRng};

use crate::Failure;
use crate::beams::unit;

/// How long they go.
const SECONDS: f32 = 60.0;
/// Into how many ticks that is cut, one time after the other.
const TICKS: [u32; 3] = [300, 600, 1200];
/// One object in so many is computed again in f64.
const SAMPLED: usize = 97;
/// Ticks of relaxation and their strength.
const RELAXED: (u32, f32) = (10, 0.05);
/// Positions of a sequence whose coherence is measured, and how many sequences.
const SEQUENCE: (usize, usize) = (19, 10_000);

/// Where the objects ended, and what was measured on the way.
pub struct Moved {
    pub bins: Vec<Bin>,
    pub hops: u64,
    /// By how many hops ticks miss the closed form, on average, for each of [`TICKS`].
    pub errors: Vec<(u32, f64)>,
    /// How long a tick took.
    pub tick: Duration,
    /// Mean coherence of objects on the flow, and of positions at random.
    pub coherence: [f64; 2],
}

/// Sends so many objects round and measures them; they carry what the beams say.
pub fn go_round(engine: &Engine, objects: usize, seed: u64, beams: &Beams) -> Result<Moved, Failure> {
    let start = at_random(objects, seed)?;
    let mut end = start.clone();
    end.advance(engine, SECONDS)?;
    for object in (0..objects).step_by(SAMPLED) {
        check(&start, &end, object)?;
    }
    let (mut errors, mut tick) = (Vec::new(), Duration::ZERO);
    for ticks in TICKS {
        let mut ticked = start.clone();
        let timing = ticked.tick(engine, SECONDS / ticks as f32, ticks)?;
        tick = timing.total / ticks;
        let misses = (0..objects).map(|object| (progress(&ticked, object) - progress(&end, object)).abs());
        errors.push((ticks, misses.sum::<f64>() / objects as f64));
    }
    let halves = errors.windows(2).all(|pair| (1.6..2.4).contains(&(pair[0].1 / pair[1].1)));
    if !halves {
        return Err(format!("ticks do not come to the closed form at first order: {errors:?}").into());
    }
    let bins = what_meets(engine, &end, beams)?;
    let hops = end.hops().iter().map(|&n| u64::from(n)).sum();
    Ok(Moved { bins, hops, errors, tick, coherence: [on_the_flow(engine)?, off_the_flow(engine, seed)?] })
}

/// Objects at any place, either way round, from a quarter of a hop to eight hops a second.
fn at_random(objects: usize, seed: u64) -> Result<Cycles, Failure> {
    let mut random = SplitMix64::seed_from_u64(!seed);
    let mut draw = || unit(&mut random);
    let (mut places, mut directions, mut velocities) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..objects {
        places.push((6.0 * draw()) as u32);
        directions.push(if draw() < 0.6 { Direction::Forward } else { Direction::Backward });
        velocities.push((5.0 * draw() - 2.0).exp2());
    }
    Ok(Cycles::new(Path::flow(), places, directions, velocities)?)
}

/// Hops and phase together.
fn progress(cycles: &Cycles, object: usize) -> f64 {
    f64::from(cycles.hops()[object]) + f64::from(cycles.phases()[object])
}

/// That an object is where log_q(1 + (q - 1) v t) leads, q = sqrt 2, within and between hops.
fn check(start: &Cycles, end: &Cycles, object: usize) -> Result<(), Failure> {
    let q = 2_f64.sqrt();
    let y = 1.0 + (q - 1.0) * f64::from(start.velocities()[object]) * f64::from(SECONDS);
    let hops = (y.ln() / q.ln()).floor();
    let want = hops + (y / q.powf(hops) - 1.0) / (q - 1.0);
    let made = i64::from(end.hops()[object]);
    let on = if start.directions()[object] == Direction::Forward { made } else { -made };
    let place = (i64::from(start.places()[object]) + on).rem_euclid(6);
    let fine = (progress(end, object) - want).abs() < 5e-5 && place == i64::from(end.places()[object]);
    if fine { Ok(()) } else { Err(format!("object {object} is not where the closed form leads").into()) }
}

/// Relaxes what the objects carry, and measures it by position.
fn what_meets(engine: &Engine, cycles: &Cycles, beams: &Beams) -> Result<Vec<Bin>, Failure> {
    let (objects, items) = (cycles.items(), beams.items());
    let positions: Vec<u32> = cycles.positions().collect();
    let carried =
        |channel: usize| (0..objects).map(move |object| beams.values()[channel * items + object % items] / 9.0);
    let before: Vec<f32> = (0..3).flat_map(carried).collect();
    let mut payload = before.clone();
    Anchors::default().relax(engine, &positions, &mut payload, RELAXED.1, RELAXED.0)?;
    let (bins, _) = statistics(engine, 10, &positions, cycles.directions(), &payload)?;
    // The nearest anchor of 1, 2 and 4 is 3 = (1, 0, 0), of 5 and 7 it is 6 = (0, 0, 1), of 8 it is 9 = (0, 1, 0).
    let mut sums = [[0.0; 4]; 10];
    for (object, &position) in positions.iter().enumerate() {
        let (anchor, blend) = match position {
            1 => (0, 0.6),
            2 | 4 => (0, 0.8),
            8 => (1, 0.8),
            _ => (2, 0.8),
        };
        let left = f64::powi(1.0 - f64::from(RELAXED.1) * blend, RELAXED.0 as i32);
        let sums = &mut sums[position as usize];
        sums[3] += 1.0;
        for channel in 0..3 {
            let target = if channel == anchor { 1.0 } else { 0.0 };
            sums[channel] += target + (f64::from(before[channel * objects + object]) - target) * left;
        }
    }
    for (position, (bin, sums)) in bins.iter().zip(sums).enumerate() {
        let near = |(mean, sum): (&f64, &f64)| (mean - sum / sums[3].max(1.0)).abs() < 1e-5;
        if bin.count as f64 != sums[3] || !bin.mean.iter().zip(&sums[..3]).all(near) {
            return Err(format!("position {position} does not hold what the objects there carry").into());
        }
    }
    Ok(bins)
}

/// The coherence of objects that make a hop each second: they follow the flow, one way or the other.
fn on_the_flow(engine: &Engine) -> Result<f64, Failure> {
    let (length, count) = SEQUENCE;
    let places = (0..count as u32).map(|object| object % 6).collect();
    let directions =
        (0..count).map(|object| if object % 3 == 0 { Direction::Backward } else { Direction::Forward }).collect();
    let uniform = Path::new(Path::flow().positions().to_vec(), 1.0)?;
    let mut cycles = Cycles::new(uniform, places, directions, vec![1.0; count])?;
    let mut sequences: Vec<u32> = cycles.positions().collect();
    for _ in 1..length {
        cycles.tick(engine, 1.0, 1)?;
        sequences.extend(cycles.positions());
    }
    let scores = Ring::new(9, 2)?.coherence(engine, length, &sequences)?;
    match scores.iter().position(|&score| score != 1.0) {
        Some(object) => Err(format!("object {object} leaves the flow").into()),
        None => Ok(1.0),
    }
}

/// The coherence of positions at random.
fn off_the_flow(engine: &Engine, seed: u64) -> Result<f64, Failure> {
    let (length, count) = SEQUENCE;
    let mut random = SplitMix64::seed_from_u64(seed ^ 9);
    let sequences: Vec<u32> = (0..length * count).map(|_| 1 + (random.next_u64() % 9) as u32).collect();
    let scores = Ring::new(9, 2)?.coherence(engine, length, &sequences)?;
    Ok(scores.iter().map(|&score| f64::from(score)).sum::<f64>() / count as f64)
}
