//! Random beams, fused.

use std::time::Duration;

use consilience::Engine;
use consilience::beam::{Beams, Channels, Fuse, Map, fuse_into};
use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::{RngCore, SeedableRng};

use crate::Failure;

/// One beam in so many is computed again in f64.
const SAMPLED: usize = 97;

/// Beams by either map, and how long the second run took: the first compiles what it needs.
pub struct Fused {
    pub label_mean: Beams,
    pub gradient: Beams,
    pub took: Duration,
}

/// A number in [0, 1).
pub fn unit(random: &mut SplitMix64) -> f32 {
    (random.next_u64() >> 40) as f32 / (1 << 24) as f32
}

/// One channel of so many beams, [9, B]: certainty of one digit, mixed with ignorance. `power` says how rare certainty is.
fn channel(random: &mut SplitMix64, beams: usize, power: i32) -> Vec<f32> {
    let mut planes = vec![0.0; 9 * beams];
    for beam in 0..beams {
        let (certainty, peak) = (unit(random).powi(power), (random.next_u64() % 9) as usize);
        for digit in 0..9 {
            let sure = if digit == peak { certainty } else { 0.0 };
            planes[digit * beams + beam] = sure + (1.0 - certainty) * (0.5 + unit(random)) / 9.0;
        }
    }
    planes
}

/// Fuses so many random beams by both maps.
pub fn fuse(engine: &Engine, beams: usize, seed: u64) -> Result<Fused, Failure> {
    let mut random = SplitMix64::seed_from_u64(seed);
    let [ethos, logos, pathos] = [1, 2, 3].map(|power| channel(&mut random, beams, power));
    let channels = Channels::new(&ethos, &logos, &pathos)?;
    let how = Fuse::default().agreement(true);
    let (mut label_mean, mut gradient) = (Beams::default(), Beams::default());
    fuse_into(engine, &how.map(Map::Gradient), &channels, &mut gradient)?;
    fuse_into(engine, &how, &channels, &mut label_mean)?;
    let took = fuse_into(engine, &how, &channels, &mut label_mean)?.total;
    for beam in (0..beams).step_by(SAMPLED) {
        check(&label_mean, [&ethos, &logos, &pathos], beam)?;
    }
    Ok(Fused { label_mean, gradient, took })
}

fn entropy(p: &[f64]) -> f64 {
    p.iter().filter(|p| **p > 0.0).map(|p| -p * p.ln()).sum()
}

/// That a beam is what f64 makes of its channels.
fn check(beams: &Beams, channels: [&[f32]; 3], beam: usize) -> Result<(), Failure> {
    let items = beams.items();
    let row = |planes: &[f32]| planes.iter().skip(beam).step_by(items).map(|x| f64::from(*x)).collect::<Vec<f64>>();
    let (mut digits, mut masses) = (vec![0.0; 9], Vec::new());
    for channel in channels {
        let x = row(channel);
        let sum: f64 = x.iter().sum();
        let d: Vec<f64> = x.iter().map(|x| x / sum).collect();
        digits.iter_mut().zip(&d).for_each(|(digit, d)| *digit += d / 3.0);
        masses.push(1.0 - entropy(&d) / 9_f64.ln());
    }
    let total: f64 = masses.iter().sum();
    let label = (3.0 * masses[0] + 6.0 * masses[1] + 9.0 * masses[2]) / total;
    let near = |got: &[f64], want: &[f64], within: f64| {
        got.len() == want.len() && got.iter().zip(want).all(|(g, w)| (g - w).abs() <= within)
    };
    let values: Vec<f64> = masses.iter().map(|mass| 9.0 * mass).collect();
    let confidence = f64::from(beams.confidence()[beam]);
    let position = f64::from(beams.position()[beam]);
    let fine = near(&row(beams.digits()), &digits, 1e-6)
        && near(&row(beams.values()), &values, 2e-5)
        && near(&[confidence], &[total / 3.0], 3e-6)
        // The nearest whole number, but for rounding of shares.
        && (position - label).abs() <= 0.5 + 1e-5 / total;
    if fine { Ok(()) } else { Err(format!("beam {beam} is not what f64 makes of its channels").into()) }
}
