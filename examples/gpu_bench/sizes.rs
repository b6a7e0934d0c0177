//! How many items are measured: as many as a time and a memory budget allow, found by trying.

use std::time::Duration;

/// Growth at a time, at most: what a small run says of one much larger is little.
const GROWTH: f64 = 8.0;

/// Below this a size is not worth another try.
const WORTH_IT: f64 = 1.5;

/// What one run over all items may take.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Budget {
    pub time: Duration,
    pub bytes: u64,
}

impl Budget {
    /// The number of items to try after `items` took so long and moved so many bytes, a multiple of 16; `None` where that
    /// number will do.
    pub fn next(&self, items: usize, took: Duration, bytes: u64) -> Option<usize> {
        let by_time = self.time.as_secs_f64() / took.as_secs_f64().max(1e-9);
        let by_bytes = self.bytes as f64 / bytes.max(1) as f64;
        let growth = by_time.min(by_bytes).min(GROWTH);
        (growth >= WORTH_IT).then(|| (items as f64 * growth) as usize / 16 * 16)
    }
}

/// The sizes of copies, in bytes: from 1 MiB, each four times the one before, and the largest that is allowed.
pub fn copies(largest: u64) -> Vec<u64> {
    let largest = largest / 16 * 16;
    let mut sizes: Vec<u64> = (0..).map(|step| 1 << (20 + 2 * step)).take_while(|&bytes| bytes < largest).collect();
    sizes.push(largest);
    sizes
}
