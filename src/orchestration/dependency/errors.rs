//! How the errors of two sources go together.

use serde::{Deserialize, Serialize};

/// How far two sources err on the same requests.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Correlation {
    /// The phi coefficient, in [-1, 1]: of observed errors and those of [`Options::shrinkage`](super::Options::shrinkage)
    /// requests on which they were independent.
    pub phi: f64,
    /// Its standard error, by the delta method on that table, and no less than that of independent errors: where they are
    /// rare, few tables of those that could be drawn show how far it could be.
    pub deviation: f64,
    /// 95 % of it: 1.96 standard errors to either side, within [-1, 1].
    pub interval: [f64; 2],
    /// The requests it is learned from.
    pub observations: u64,
}

/// Requests of which two sources' errors were learned: sums that decay.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ErrorTable {
    weight: f64,
    /// Those on which the first, the second, and both erred.
    first: f64,
    second: f64,
    both: f64,
    observations: u64,
}

impl ErrorTable {
    pub(super) fn observe(&mut self, first: bool, second: bool, discount: f64) {
        let one = |yes: bool| f64::from(u8::from(yes));
        self.weight = self.weight * discount + 1.0;
        self.first = self.first * discount + one(first);
        self.second = self.second * discount + one(second);
        self.both = self.both * discount + one(first && second);
        self.observations = self.observations.saturating_add(1);
    }

    pub(super) fn correlation(&self, shrinkage: f64, least: u64) -> Option<Correlation> {
        if self.observations < least {
            return None;
        }
        let n = self.weight;
        let (a, b) = (smoothed(self.first, n), smoothed(self.second, n));
        let spread = (a * (1.0 - a) * b * (1.0 - b)).sqrt();
        let covariance = self.both / n - self.first / n * (self.second / n);
        let phi = (covariance / spread * n / (n + shrinkage)).clamp(-1.0, 1.0);
        let joint = Joint::new(a, b, phi);
        let deviation = (joint.variance().max(1.0) / (n + shrinkage)).sqrt();
        let interval = [phi - 1.96 * deviation, phi + 1.96 * deviation].map(|end| end.clamp(-1.0, 1.0));
        Some(Correlation { phi, deviation, interval, observations: self.observations })
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.weight += other.weight;
        self.first += other.first;
        self.second += other.second;
        self.both += other.both;
        self.observations = self.observations.saturating_add(other.observations);
    }

    /// With first and second exchanged.
    pub(super) fn turned(self) -> Self {
        Self { first: self.second, second: self.first, ..self }
    }

    pub(super) fn check(&self) -> Result<(), String> {
        let Self { weight, first, second, both, observations } = *self;
        // Decayed apart, they are rounded apart.
        let within = |part: f64, whole: f64| (0.0..=whole * (1.0 + 1e-9)).contains(&part);
        let holds = within(weight, observations as f64)
            && within(first, weight)
            && within(second, weight)
            && within(both, first.min(second))
            && within(first + second - both, weight);
        if holds { Ok(()) } else { Err(format!("no requests have these errors: {self:?}")) }
    }
}

/// A share of errors, that of none of n requests a little above zero (Krichevsky and Trofimov 1981).
pub(super) fn smoothed(errors: f64, n: f64) -> f64 {
    ((errors + 0.5) / (n + 1.0)).clamp(f64::EPSILON, 1.0 - f64::EPSILON)
}

/// The probabilities that both err, the first alone, the second alone, and neither.
#[derive(Debug, Clone, Copy)]
pub(super) struct Joint {
    a: f64,
    b: f64,
    both: f64,
}

impl Joint {
    /// Of two that err with probabilities a and b, in (0, 1), and with that phi as far as these allow it.
    pub(super) fn new(a: f64, b: f64, phi: f64) -> Self {
        let both = a * b + phi * (a * (1.0 - a) * b * (1.0 - b)).sqrt();
        Self { a, b, both: both.clamp((a + b - 1.0).max(0.0), a.min(b)) }
    }

    /// The variance of phi over one request, by the delta method on the four multinomial probabilities.
    fn variance(self) -> f64 {
        let Self { a, b, both } = self;
        let spread = (a * (1.0 - a) * b * (1.0 - b)).sqrt();
        let phi = (both - a * b) / spread;
        // The derivatives of the logarithm of a (1 - a) and b (1 - b).
        let (of_a, of_b) = ((1.0 - 2.0 * a) / (a * (1.0 - a)), (1.0 - 2.0 * b) / (b * (1.0 - b)));
        let slopes = [
            (both, (1.0 - a - b) / spread - phi / 2.0 * (of_a + of_b)),
            (a - both, -b / spread - phi / 2.0 * of_a),
            (b - both, -a / spread - phi / 2.0 * of_b),
        ];
        let mean: f64 = slopes.iter().map(|(p, slope)| p * slope).sum();
        let square: f64 = slopes.iter().map(|(p, slope)| p * slope * slope).sum();
        (square - mean * mean).max(0.0)
    }

    /// What the first tells of the truth beyond what the second told, in nats: see
    /// [`Dependencies::select`](super::Dependencies::select).
    pub(super) fn information_beyond(self) -> f64 {
        let Self { a, b, both } = self;
        let (only_a, only_b) = ((a - both).max(0.0), (b - both).max(0.0));
        let neither = (1.0 - both - only_a - only_b).max(0.0);
        let apart = only_a + only_b;
        let given = [both, only_a, only_b, neither].map(surprise).into_iter().sum::<f64>() - entropy(b);
        (entropy(apart) - given).max(0.0)
    }
}

/// The entropy of a yes or no, in nats.
pub(super) fn entropy(p: f64) -> f64 {
    surprise(p) + surprise(1.0 - p)
}

fn surprise(p: f64) -> f64 {
    if p > 0.0 { -p * p.ln() } else { 0.0 }
}
