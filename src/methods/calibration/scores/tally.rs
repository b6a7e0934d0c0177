//! What is counted of the probabilities in one bin.

use serde::{Deserialize, Serialize};

use crate::tensor::SUM_TOLERANCE;

/// Sums over the probabilities p in a bin, each of which came true or did not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    items: u64,
    hits: u64,
    /// Of p.
    sum: f64,
    /// Of p^2.
    squares: f64,
    /// Of p where it came true.
    hit_sum: f64,
}

/// Items of similar confidence: how sure and how often right.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bin {
    /// The lowest confidence it holds or, with equal widths, could hold.
    pub low: f64,
    /// The highest confidence it holds or, with equal widths, could hold.
    pub high: f64,
    /// How many items are in it.
    pub items: u64,
    /// Their mean confidence.
    pub confidence: f64,
    /// The share of them that were decided right.
    pub accuracy: f64,
}

impl Tally {
    pub fn add(&mut self, p: f32, hit: bool) {
        let p = f64::from(p);
        self.items += 1;
        self.sum += p;
        self.squares += p * p;
        if hit {
            self.hits += 1;
            self.hit_sum += p;
        }
    }

    pub fn merge(&mut self, other: &Self) {
        self.items += other.items;
        self.hits += other.hits;
        self.sum += other.sum;
        self.squares += other.squares;
        self.hit_sum += other.hit_sum;
    }

    pub fn items(&self) -> u64 {
        self.items
    }

    pub fn hits(&self) -> u64 {
        self.hits
    }

    /// The mean of p; 0 where there is none.
    pub fn mean(&self) -> f64 {
        self.sum / self.items.max(1) as f64
    }

    /// How often p came true; 0 where there is none.
    pub fn frequency(&self) -> f64 {
        self.hits as f64 / self.items.max(1) as f64
    }

    /// How far expected and observed hits are apart.
    pub fn gap(&self) -> f64 {
        (self.hits as f64 - self.sum).abs()
    }

    /// The sum over the bin of (p - mean)^2 - 2 (p - mean)(o - frequency), with o = 1 where p came true, else 0.
    pub fn within(&self) -> f64 {
        self.squares - self.sum * self.mean() - 2.0 * (self.hit_sum - self.sum * self.frequency())
    }

    /// The bin between these bounds, if there is anything in it.
    pub fn bin(&self, low: f64, high: f64) -> Option<Bin> {
        let (items, confidence, accuracy) = (self.items, self.mean(), self.frequency());
        (items > 0).then_some(Bin { low, high, items, confidence, accuracy })
    }

    /// Whether items can add up to this.
    pub fn is_possible(&self) -> bool {
        let most = self.items as f64 * (1.0 + f64::from(SUM_TOLERANCE)).powi(2);
        let sums = [self.sum, self.squares, self.hit_sum];
        self.hits <= self.items && sums.iter().all(|sum| (0.0..=most).contains(sum))
    }
}
