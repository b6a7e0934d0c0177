//! `bayes/conjugate`: every operation on every executor against the formulas in f64, with statrs' ln gamma and digamma.

mod coverage;
mod families;
mod oracle;
mod refused;

use consilience::bayes::Samples;

use self::oracle::Value;
use crate::support::problem::Random;

/// 10 to a power between the two.
fn decades(random: &mut Random, low: f32, high: f32) -> f32 {
    10_f32.powf(low + (high - low) * random.unit())
}

/// Numbers of observations: some none, some of one, some of many.
fn count(random: &mut Random) -> f32 {
    match random.below(4) {
        0 => 0.0,
        1 => 1.0,
        _ => decades(random, 0.0, 5.0).round(),
    }
}

/// What a test holds of samples.
#[derive(Debug, Clone)]
struct Drawn {
    count: Vec<f32>,
    mean: Vec<f32>,
    squares: Vec<f32>,
}

impl Drawn {
    fn random(random: &mut Random, items: usize) -> Self {
        let count: Vec<f32> = (0..items).map(|_| count(random)).collect();
        let mean = (0..items).map(|_| (random.unit() - 0.5) * decades(random, -2.0, 3.0)).collect();
        let squares = count.iter().map(|n| (n - 1.0).max(0.0) * decades(random, -2.0, 2.0)).collect();
        Self { count, mean, squares }
    }

    fn samples(&self) -> Samples<'_> {
        Samples { count: &self.count, mean: &self.mean, squares: &self.squares }
    }
}

/// Compares planes of results with the oracle's, item by item: `at` gives the plane's value in f64.
fn compare(name: &str, got: &[f32], items: usize, at: impl Fn(usize, usize) -> Value) {
    for (place, &got) in got.iter().enumerate() {
        let (plane, item) = (place / items, place % items);
        let want = at(plane, item);
        let error = if f64::from(got) == want.value { 0.0 } else { (f64::from(got) - want.value).abs() };
        assert!(
            error <= want.within,
            "{name}: plane {plane} of item {item} is {got:e}, not {:e}, within {:e}",
            want.value,
            want.within
        );
    }
}
