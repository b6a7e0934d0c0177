//! Calibration and scores against naive oracles in f64, and what they promise.

mod bootstrap;
mod conformal;
mod isotonic;
mod refused;
mod scores;
mod temperature;

use consilience::Encoding;
use consilience::calibration::Labelled;
use proptest::prelude::*;

use crate::support::problem::{Problem, Random};

/// Posteriors and the classes that turned out true.
#[derive(Debug, Clone)]
pub struct World {
    pub classes: usize,
    pub posterior: Vec<f32>,
    pub labels: Vec<u32>,
}

impl World {
    /// Labels are drawn from random rows q; the posterior is q to the power of `sharpness`, normalised: calibrated at 1, too
    /// sure above.
    pub fn drawn(items: usize, classes: usize, sharpness: f64, seed: u64) -> Self {
        let problem = Problem::random(Encoding::Probabilities, 1, items, classes, seed);
        let mut random = Random::new(seed ^ 0xABCD);
        let (mut posterior, mut labels) = (Vec::new(), Vec::new());
        for q in problem.planes[0].f32s().chunks(classes) {
            let mut u = f64::from(random.unit());
            let drawn = q.iter().position(|&p| {
                u -= f64::from(p);
                u < 0.0
            });
            labels.push(drawn.unwrap_or(classes - 1) as u32);
            let powers: Vec<f64> = q.iter().map(|&p| f64::from(p).powf(sharpness)).collect();
            let sum: f64 = powers.iter().sum();
            posterior.extend(powers.iter().map(|p| (p / sum) as f32));
        }
        Self { classes, posterior, labels }
    }

    pub fn labelled(&self) -> Labelled<'_> {
        Labelled::new(self.classes, &self.posterior, &self.labels).expect("distributions and labels")
    }

    pub fn rows(&self) -> impl Iterator<Item = (&[f32], usize)> {
        self.posterior.chunks(self.classes).zip(self.labels.iter().map(|&label| label as usize))
    }

    /// The items from `start` to `end`.
    pub fn part(&self, start: usize, end: usize) -> Self {
        let posterior = self.posterior[start * self.classes..end * self.classes].to_vec();
        Self { classes: self.classes, posterior, labels: self.labels[start..end].to_vec() }
    }
}

prop_compose! {
    pub fn worlds()(items in 1..200_usize, classes in 1..9_usize, sharpness in 0.2..5.0_f64, seed: u64) -> World {
        World::drawn(items, classes, sharpness, seed)
    }
}

/// The first largest entry.
pub fn argmax(row: &[f32]) -> usize {
    (1..row.len()).fold(0, |best, k| if row[k] > row[best] { k } else { best })
}

/// Saved and loaded again.
pub fn saved<T: serde::Serialize + serde::de::DeserializeOwned>(fitted: &T) -> T {
    serde_json::from_str(&serde_json::to_string(fitted).expect("JSON")).expect("what was saved")
}

/// Its JSON with one value replaced by another is refused for this reason, in each case (from, to, reason).
pub fn refuses<T: serde::Serialize + serde::de::DeserializeOwned>(fitted: &T, cases: &[(&str, &str, &str)]) {
    let json = serde_json::to_string(fitted).expect("JSON");
    for (from, to, reason) in cases {
        let altered = json.replacen(from, to, 1);
        assert_ne!(json, altered, "{from} is not in {json}");
        let Err(error) = serde_json::from_str::<T>(&altered) else { panic!("{altered} was accepted") };
        assert!(error.to_string().contains(reason), "{from} {to}: {error}");
    }
}

#[test]
fn a_drawn_world_is_calibrated_at_one() {
    let world = World::drawn(50_000, 4, 1.0, 3);
    let (right, sure) = world.rows().fold((0.0, 0.0), |(right, sure), (row, label)| {
        (right + f64::from(u8::from(argmax(row) == label)), sure + f64::from(row[argmax(row)]))
    });
    assert!((right - sure).abs() / 50_000.0 < 0.01, "{right} right of {sure} expected");
}
