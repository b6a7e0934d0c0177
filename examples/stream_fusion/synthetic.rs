//! Made-up evidence: every number is a function of the seed, the source, the item and the class, so that any part of it can
//! be made again, and made as fast as memory takes it.

use std::ops::Range;

use consilience::{Encoding, Form, OwnedEvidence};

/// Evidence that is nowhere stored.
#[derive(Debug, Clone, Copy)]
pub struct Synthetic {
    pub sources: usize,
    pub classes: usize,
    pub seed: u64,
}

impl Synthetic {
    pub fn bytes_per_item(self) -> u64 {
        (4 * self.sources * self.classes) as u64
    }

    /// Writes some of the items. Classes come in pairs that share 2 / C at random, so that no row has to be summed; where
    /// they are odd in number, the last has 1 / C.
    pub fn fill(self, items: Range<u64>, evidence: &mut OwnedEvidence) -> consilience::Result<()> {
        let (classes, len) = (self.classes, (items.end - items.start) as usize);
        evidence.reshape(classes, len, &vec![Form::F32(Encoding::Probabilities); self.sources])?;
        let pairs = classes / 2;
        let share = 2.0 / classes as f32;
        for source in 0..self.sources {
            let key = key(self.seed, source as u64);
            // Numbers of pairs go round after 2^32 of them.
            let first = items.start.wrapping_mul(pairs as u64) as u32;
            let rows = evidence.f32s_mut(source).unwrap_or_default();
            if classes % 2 == 0 {
                fill_pairs(rows.as_chunks_mut().0, first, key, share);
                continue;
            }
            for (row, number) in rows.chunks_exact_mut(classes).zip(0_u32..) {
                let (pairs_of_row, last) = row.as_chunks_mut();
                fill_pairs(pairs_of_row, first.wrapping_add(number.wrapping_mul(pairs as u32)), key, share);
                last.fill(0.5 * share);
            }
        }
        Ok(())
    }
}

/// Consecutive pairs, in a loop that a compiler makes vectors of.
fn fill_pairs(pairs: &mut [[f32; 2]], first: u32, key: u32, share: f32) {
    for (pair, number) in pairs.iter_mut().zip(0_u32..) {
        let mut hash = first.wrapping_add(number).wrapping_mul(0x9E37_79B1) ^ key;
        hash ^= hash >> 15;
        hash = hash.wrapping_mul(0x85EB_CA6B);
        // 24 bits, which an f32 holds.
        let lean = (hash >> 8) as i32 as f32 * (share / (1 << 24) as f32);
        *pair = [lean, share - lean];
    }
}

/// One number of the seed and the source (SplitMix64's finaliser).
fn key(seed: u64, source: u64) -> u32 {
    let mut z = seed.wrapping_add((source + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (z >> 32) as u32
}
