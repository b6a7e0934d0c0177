//! Random numbers that are the same on every machine.

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
#[derive(Debug)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    /// In [0, n); its bias of n / 2^64 is below what any sample shows.
    pub fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.next()) * n as u128) >> 64) as usize
    }
}

/// A number in [0, 1) that depends on the seed and on every bit of the row, and on nothing else.
pub fn unit_of(seed: u64, row: &[f32]) -> f64 {
    // Adding zero gives both zeros the same bits.
    let absorb = |state: u64, p: &f32| mix(state.wrapping_add(0x9E37_79B9_7F4A_7C15) ^ u64::from((p + 0.0).to_bits()));
    (row.iter().fold(mix(seed), absorb) >> 11) as f64 / (1_u64 << 53) as f64
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
