//! How good probabilities are, measured against labels: in `f64`, one item at a time.

/// Bins of the calibration error.
pub const BINS: usize = 15;

/// The smallest probability a logarithm is taken of.
const FLOOR: f64 = 1e-7;

/// The standard normal quantile of a 95 % interval.
const Z: f64 = 1.959_963_984_540_054;

/// Sums over the items scored so far.
#[derive(Debug, Clone, Default)]
pub struct Score {
    items: u64,
    right: u64,
    log_loss: f64,
    squares: f64,
    bins: [Bin; BINS],
}

/// Items whose confidence lies in one of [`BINS`] equal ranges.
#[derive(Debug, Clone, Copy, Default)]
pub struct Bin {
    pub items: u64,
    pub right: u64,
    confidence: f64,
}

impl Score {
    /// Adds an item: its probabilities and its true class.
    pub fn add(&mut self, row: &[f32], label: usize) {
        let mut decision = 0;
        for class in 1..row.len() {
            if row[class] > row[decision] {
                decision = class;
            }
        }
        let confidence = f64::from(row[decision]);
        let right = u64::from(decision == label);
        self.items += 1;
        self.right += right;
        self.log_loss -= f64::from(row[label]).max(FLOOR).ln();
        self.squares += row
            .iter()
            .enumerate()
            .map(|(class, &p)| (f64::from(p) - f64::from(u8::from(class == label))).powi(2))
            .sum::<f64>();
        let bin = &mut self.bins[((confidence * BINS as f64) as usize).min(BINS - 1)];
        bin.items += 1;
        bin.right += right;
        bin.confidence += confidence;
    }

    pub fn items(&self) -> u64 {
        self.items
    }

    /// The share of items decided right.
    pub fn accuracy(&self) -> f64 {
        self.right as f64 / self.items as f64
    }

    /// Wilson's 95 % interval of the accuracy.
    pub fn interval(&self) -> (f64, f64) {
        let (n, p) = (self.items as f64, self.accuracy());
        let (centre, scale) = (p + Z * Z / (2.0 * n), 1.0 + Z * Z / n);
        let half = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
        ((centre - half) / scale, (centre + half) / scale)
    }

    /// Mean negative log-likelihood in nats.
    pub fn nll(&self) -> f64 {
        self.log_loss / self.items as f64
    }

    /// Mean squared distance from the truth, summed over classes.
    pub fn brier(&self) -> f64 {
        self.squares / self.items as f64
    }

    /// Expected calibration error: the mean distance of confidence and accuracy over bins.
    pub fn ece(&self) -> f64 {
        let gap = |bin: &Bin| (bin.right as f64 - bin.confidence).abs();
        self.bins.iter().map(gap).sum::<f64>() / self.items as f64
    }

    /// The bins with anything in them.
    pub fn bins(&self) -> impl Iterator<Item = &Bin> {
        self.bins.iter().filter(|bin| bin.items > 0)
    }
}

impl Bin {
    pub fn confidence(&self) -> f64 {
        self.confidence / self.items as f64
    }

    pub fn accuracy(&self) -> f64 {
        self.right as f64 / self.items as f64
    }
}
