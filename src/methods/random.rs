//! What is drawn with SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): the same for a seed on every machine. The draws
//! stand here because those of larger crates may change with their version or their features; the examples use them too.

use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::RngCore;

/// In [0, 1).
pub fn unit(random: &mut SplitMix64) -> f64 {
    (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

/// In [0, n); its bias of n / 2^64 is below what any sample shows.
pub fn below(random: &mut SplitMix64, n: usize) -> usize {
    ((u128::from(random.next_u64()) * n as u128) >> 64) as usize
}

/// Any order as likely as any other.
pub fn shuffle<T>(random: &mut SplitMix64, values: &mut [T]) {
    for i in (1..values.len()).rev() {
        values.swap(i, below(random, i + 1));
    }
}
