//! The classifier behind the built-in server: densities around the pictures it knows.

use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::{RngCore, SeedableRng};

use crate::digits::{CLASSES, Part};

/// Variances of a pixel to choose from.
const VARIANCES: [f64; 6] = [0.02, 0.05, 0.1, 0.2, 0.4, 0.8];

/// What part of a picture a look at temperature 1 misses.
const MISSED: f64 = 0.85;

/// Knows pictures; a picture is as likely of a class as it is near to those of that class.
pub struct Model {
    known: Vec<(Vec<f64>, usize)>,
    variance: f64,
    /// How it came about.
    pub made: String,
}

/// What is seen of a picture, pixel by pixel.
type Look = Vec<Option<f64>>;

impl Model {
    /// Learns the pictures of one part, and on another how far to trust nearness, looking at this temperature.
    pub fn train(train: &Part, calibration: &Part, temperature: f32, seed: u64) -> Self {
        let rows = |part: &Part| -> Vec<(Vec<f64>, usize)> {
            part.pixels
                .rows()
                .into_iter()
                .map(|row| row.to_vec())
                .zip(part.labels.iter().map(|&l| l as usize))
                .collect()
        };
        let mut model = Self { known: rows(train), variance: VARIANCES[0], made: String::new() };
        let mut random = SplitMix64::seed_from_u64(seed);
        let looks: Vec<(Look, usize)> =
            rows(calibration).iter().map(|(pixels, label)| (look(pixels, temperature, &mut random), *label)).collect();
        let likelihoods = VARIANCES.map(|variance| {
            model.variance = variance;
            looks.iter().map(|(look, label)| model.judge(look)[*label].max(1e-12).ln()).sum::<f64>()
        });
        let best = (0..VARIANCES.len()).max_by(|&a, &b| likelihoods[a].total_cmp(&likelihoods[b])).unwrap_or_default();
        model.variance = VARIANCES[best];
        model.made = format!(
            "The model knows {} pictures; that a pixel varies by {:.2} was chosen on {} others.",
            model.known.len(),
            model.variance.sqrt(),
            looks.len()
        );
        model
    }

    /// Probabilities of the classes after one look.
    pub fn think(&self, pixels: &[f64], temperature: f32, seed: u64) -> Vec<f64> {
        self.judge(&look(pixels, temperature, &mut SplitMix64::seed_from_u64(seed)))
    }

    fn judge(&self, look: &Look) -> Vec<f64> {
        let log_density = |(pixels, _): &(Vec<f64>, usize)| {
            let squares = look.iter().zip(pixels).filter_map(|(seen, known)| Some((seen.as_ref()? - known).powi(2)));
            -squares.sum::<f64>() / (2.0 * self.variance)
        };
        let logs: Vec<f64> = self.known.iter().map(log_density).collect();
        let top = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut row = vec![0.0; CLASSES];
        for (log, (_, label)) in logs.iter().zip(&self.known) {
            row[*label] += (log - top).exp();
        }
        normalised(row)
    }
}

/// A look misses more of the pixels the higher the temperature.
fn look(pixels: &[f64], temperature: f32, random: &mut SplitMix64) -> Look {
    let missed = (MISSED * f64::from(temperature)).min(0.95);
    let uniform = |random: &mut SplitMix64| (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
    pixels.iter().map(|&ink| (uniform(random) >= missed).then_some(ink)).collect()
}

/// The same with a sum of one.
pub fn normalised(mut row: Vec<f64>) -> Vec<f64> {
    let sum: f64 = row.iter().sum();
    row.iter_mut().for_each(|p| *p /= sum);
    row
}
