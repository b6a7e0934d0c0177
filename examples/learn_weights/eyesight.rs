//! Classifiers of unequal quality: each sees the pictures through noise of its own size.

use std::f64::consts::TAU;

use ndarray::{Array2, Axis, concatenate, s};
use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::{RngCore, SeedableRng};

use crate::digits::{CLASSES, Digits, Part};
use crate::random::shuffle;
use crate::{Failure, models};

/// The classifiers, and the standard deviation of the Gaussian noise on each pixel they look at, whose range is [0, 1]. The
/// first is the one that breaks. The second has the least noise of the others because it computes in densities, which
/// overflow on pictures far from all it learned.
const NOISE: [(&str, f64); 5] = [("knn", 0.0), ("bayes", 0.1), ("logistic", 0.2), ("forest", 0.3), ("tree", 0.4)];

/// Pictures of each digit that all of them learn from, without any noise. What this leaves of the training third is where
/// `models` counts what its tree is worth.
const LESSON: usize = 40;

/// A classifier and what it says of the pictures that nobody learned from.
pub struct Viewer {
    pub name: &'static str,
    pub noise: f64,
    /// [B, C].
    pub says: Array2<f64>,
}

/// The viewers, and the true classes of the pictures in the order in which they are shown.
pub fn viewers(seed: u64) -> Result<(Vec<Viewer>, Vec<u32>), Failure> {
    let Digits { train, calibration, test } = Digits::split(seed);
    let (lesson, left) = first_of_each(&train);
    let unseen = Part {
        items: [calibration.items, test.items].concat(),
        pixels: concatenate(Axis(0), &[calibration.pixels.view(), test.pixels.view()])?,
        labels: [calibration.labels, test.labels].concat(),
    };
    let mut order: Vec<usize> = (0..unseen.items.len()).collect();
    let mut random = SplitMix64::seed_from_u64(seed + 1);
    shuffle(&mut random, &mut order);
    let shown = select(&unseen, &order);
    let views: Vec<Array2<f64>> = NOISE.iter().map(|&(_, noise)| view(&shown.pixels, noise, &mut random)).collect();
    let views: Vec<_> = views.iter().map(Array2::view).collect();
    // Every classifier says something of every view, one view after another; its own is what counts.
    let all = Part {
        items: shown.items.repeat(NOISE.len()),
        pixels: concatenate(Axis(0), &views)?,
        labels: shown.labels.repeat(NOISE.len()),
    };
    let digits = Digits { train: select(&train, &lesson), calibration: select(&train, &left), test: all };
    let sources = models::train(&digits, seed)?;
    let viewer = |(place, &(name, noise)): (usize, &(&'static str, f64))| {
        let source = sources.iter().find(|source| source.name == name);
        let says = &source.ok_or_else(|| format!("there is no classifier `{name}`"))?.test;
        let items = order.len();
        Ok(Viewer { name, noise, says: says.slice(s![place * items..(place + 1) * items, ..]).to_owned() })
    };
    let viewers = NOISE.iter().enumerate().map(viewer).collect::<Result<_, Failure>>()?;
    Ok((viewers, shown.labels))
}

/// The places of the first pictures of each digit, and those of the rest.
fn first_of_each(part: &Part) -> (Vec<usize>, Vec<usize>) {
    let mut seen = [0; CLASSES];
    (0..part.labels.len()).partition(|&place| {
        let seen = &mut seen[part.labels[place] as usize];
        *seen += 1;
        *seen <= LESSON
    })
}

/// The pictures with noise of this size on every pixel, which stays in its range.
fn view(pixels: &Array2<f64>, noise: f64, random: &mut SplitMix64) -> Array2<f64> {
    // In (0, 1], so that it has a logarithm.
    let mut unit = || ((random.next_u64() >> 11) + 1) as f64 / (1_u64 << 53) as f64;
    // Box and Muller 1958.
    let mut normal = || (-2.0 * unit().ln()).sqrt() * (TAU * unit()).cos();
    pixels.mapv(|pixel| (pixel + noise * normal()).clamp(0.0, 1.0))
}

fn select(part: &Part, places: &[usize]) -> Part {
    Part {
        items: places.iter().map(|&place| part.items[place]).collect(),
        pixels: part.pixels.select(Axis(0), places),
        labels: places.iter().map(|&place| part.labels[place]).collect(),
    }
}
