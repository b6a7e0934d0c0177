//! Random evidence that owns its values.

use consilience::{Encoding, Evidence};

/// A block of evidence, owned.
#[derive(Debug, Clone)]
pub struct Problem {
    pub encoding: Encoding,
    pub classes: usize,
    pub planes: Vec<Vec<f32>>,
    pub presence: Vec<Option<Vec<bool>>>,
    pub confidence: Vec<Option<Vec<f32>>>,
}

/// A small generator (xorshift64*), so that a case is its seed and nothing else.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// Uniform in [0, 1).
    pub fn unit(&mut self) -> f32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 40) as f32 / (1 << 24) as f32
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.unit() * n as f32) as usize
    }
}

impl Problem {
    /// Rows from flat to certain, a few with exact zeros and ones.
    pub fn random(encoding: Encoding, sources: usize, items: usize, classes: usize, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let mut plane = || {
            let mut values = Vec::with_capacity(items * classes);
            for _ in 0..items {
                let sharpness = 12.0 * random.unit() * random.unit();
                let mut row: Vec<f32> = (0..classes).map(|_| (sharpness * random.unit()).exp()).collect();
                if random.unit() < 0.05 {
                    let certain = random.below(classes);
                    row.iter_mut().enumerate().for_each(|(k, x)| *x = if k == certain { 1.0 } else { 0.0 });
                }
                let sum: f64 = row.iter().map(|&x| f64::from(x)).sum();
                let p = row.iter().map(|&x| (f64::from(x) / sum) as f32);
                match encoding {
                    Encoding::Probabilities => values.extend(p),
                    Encoding::LogProbabilities => values.extend(p.map(f32::ln)),
                    Encoding::Logits => {
                        let shift = 40.0 * (random.unit() - 0.5);
                        values.extend(p.map(|p| p.ln() + shift));
                    }
                }
            }
            values
        };
        let planes = (0..sources).map(|_| plane()).collect();
        Self { encoding, classes, planes, presence: vec![None; sources], confidence: vec![None; sources] }
    }

    pub fn items(&self) -> usize {
        self.planes[0].len() / self.classes
    }

    /// Leaves out a third of the opinions of every source but the first, and every source of some items; what stands in
    /// their place is not a number.
    pub fn with_holes(mut self, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let nobody: Vec<bool> = (0..self.items()).map(|_| random.unit() < 0.1).collect();
        for source in 0..self.planes.len() {
            let share = if source == 0 { 0.0 } else { 0.33 };
            let present: Vec<bool> = nobody.iter().map(|nobody| !nobody && random.unit() >= share).collect();
            for (row, _) in self.planes[source].chunks_mut(self.classes).zip(&present).filter(|(_, present)| !**present)
            {
                row.fill(f32::NAN);
            }
            self.presence[source] = Some(present);
        }
        self
    }

    /// Gives every second source confidences of its own, some of them zero.
    pub fn with_confidences(mut self, seed: u64) -> Self {
        let mut random = Random::new(seed);
        for source in (0..self.planes.len()).step_by(2) {
            let items = self.items();
            let given = (0..items).map(|_| if random.unit() < 0.1 { 0.0 } else { random.unit() });
            self.confidence[source] = Some(given.collect());
        }
        self
    }

    pub fn evidence(&self) -> Evidence<'_> {
        let planes: Vec<&[f32]> = self.planes.iter().map(Vec::as_slice).collect();
        let mut evidence = Evidence::new(self.encoding, self.classes, &planes).expect("planes of one length");
        for source in 0..self.planes.len() {
            if let Some(presence) = &self.presence[source] {
                evidence = evidence.with_presence(source, presence).expect("one entry per item");
            }
            if let Some(confidence) = &self.confidence[source] {
                evidence = evidence.with_confidence(source, confidence).expect("one entry per item");
            }
        }
        evidence
    }

    /// The items given, in their order, as a problem of their own.
    pub fn select(&self, items: &[usize]) -> Self {
        let rows =
            |plane: &Vec<f32>| items.iter().flat_map(|i| plane[i * self.classes..][..self.classes].to_vec()).collect();
        Self {
            encoding: self.encoding,
            classes: self.classes,
            planes: self.planes.iter().map(rows).collect(),
            presence: self.presence.iter().map(|p| p.as_ref().map(|p| items.iter().map(|&i| p[i]).collect())).collect(),
            confidence: self
                .confidence
                .iter()
                .map(|c| c.as_ref().map(|c| items.iter().map(|&i| c[i]).collect()))
                .collect(),
        }
    }
}
