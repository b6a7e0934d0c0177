//! Handwritten digits: 1797 pictures of 8 x 8 pixels (Alpaydin and Kaynak, UCI), which smartcore carries.

use ndarray::Array2;
use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::SeedableRng;

use crate::random::shuffle;

pub const CLASSES: usize = 10;
/// Pixels along one side of a picture.
pub const SIDE: usize = 8;

/// Pictures, with what they show.
pub struct Part {
    /// Places in the data set.
    pub items: Vec<usize>,
    /// One row of 64 pixels in [0, 1] per picture.
    pub pixels: Array2<f64>,
    pub labels: Vec<u32>,
}

/// Three disjoint thirds.
pub struct Digits {
    /// What classifiers learn from.
    pub train: Part,
    /// What is learned about classifiers from.
    pub calibration: Part,
    /// What everything is scored on.
    pub test: Part,
}

impl Digits {
    pub fn split(seed: u64) -> Self {
        let data = smartcore::dataset::digits::load_dataset();
        let mut items: Vec<usize> = (0..data.num_samples).collect();
        shuffle(&mut SplitMix64::seed_from_u64(seed), &mut items);
        let part = |items: &[usize]| Part {
            items: items.to_vec(),
            pixels: Array2::from_shape_fn((items.len(), SIDE * SIDE), |(row, pixel)| {
                f64::from(data.data[items[row] * SIDE * SIDE + pixel]) / 16.0
            }),
            labels: items.iter().map(|&item| data.target[item] as u32).collect(),
        };
        let third = items.len() / 3;
        let (train, rest) = items.split_at(third);
        let (calibration, test) = rest.split_at(third);
        Self { train: part(train), calibration: part(calibration), test: part(test) }
    }
}
