//! How ill a class fits a row of probabilities.

use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::{RngCore, SeedableRng};
use serde::{Deserialize, Serialize};

/// How ill class k fits the probabilities p: the more, the worse.
///
/// | kind | nonconformity of k |
/// |---|---|
/// | `Lac` | 1 - p_k (Sadinle, Lei and Wasserman 2019): the smallest sets on average |
/// | `Aps` | the mass of the classes before k and of k itself, the likeliest first, equal ones by their index |
/// | `RandomisedAps` | the mass before k and u p_k, u uniform in [0, 1) (Romano, Sesia and Candès 2020) |
///
/// `Aps` follows how hard an item is more closely than `Lac`, with larger sets; `RandomisedAps` takes back what `Aps` covers
/// beyond the level. u is a hash of the seed and of the row, so that an item's set does not depend on the batch it is in and
/// is the same each time; the coverage holds for any fixed function of the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Nonconformity {
    /// Least ambiguous sets.
    Lac,
    /// Adaptive prediction sets, without randomisation.
    Aps,
    /// Adaptive prediction sets, randomised.
    RandomisedAps {
        /// What the random numbers start from.
        seed: u64,
    },
}

impl Nonconformity {
    /// That of every class, in `of_classes`.
    pub(super) fn of_row(self, row: &[f32], of_classes: &mut [f64]) {
        let own_share = match self {
            Self::Lac => {
                of_classes.iter_mut().zip(row).for_each(|(score, &p)| *score = (1.0 - f64::from(p)).max(0.0));
                return;
            }
            Self::Aps => 1.0,
            Self::RandomisedAps { seed } => unit_of(seed, row),
        };
        let mut order: Vec<usize> = (0..row.len()).collect();
        order.sort_by(|&a, &b| row[b].total_cmp(&row[a]));
        let mut before = 0.0;
        for class in order {
            let p = f64::from(row[class]);
            of_classes[class] = before + own_share * p;
            before += p;
        }
    }
}

/// A number in [0, 1) that depends on the seed and on every bit of the row, and on nothing else.
fn unit_of(seed: u64, row: &[f32]) -> f64 {
    let next = |state: u64| SplitMix64::seed_from_u64(state).next_u64();
    // Adding zero gives both zeros the same bits.
    let hash = row.iter().fold(next(seed), |hash, p| next(hash ^ u64::from((p + 0.0).to_bits())));
    (hash >> 11) as f64 / (1_u64 << 53) as f64
}
