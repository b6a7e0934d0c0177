//! Random annotations whose truth is known.

use consilience::truth::{ABSTAINED, Annotations};

use super::problem::Random;

/// Labels of sources of different accuracy, in any order.
#[derive(Debug, Clone)]
pub struct Crowd {
    pub classes: usize,
    pub items: Vec<u32>,
    pub sources: Vec<u32>,
    pub labels: Vec<u32>,
    pub truth: Vec<u32>,
}

impl Crowd {
    /// So many labels, five of different sources on an item; a twentieth of them abstain. A source is right by Beta(6, 3),
    /// and the rest of each row of its confusion is Dirichlet(1).
    pub fn random(labels: usize, sources: usize, classes: usize, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let mut unit = || f64::from(random.unit());
        // The sixth of eight uniform numbers in their order is Beta(6, 3).
        let accuracies: Vec<f64> = (0..sources)
            .map(|_| {
                let mut uniform: Vec<f64> = (0..8).map(|_| unit()).collect();
                uniform.sort_by(f64::total_cmp);
                uniform[5]
            })
            .collect();
        let rows: Vec<Vec<f64>> = (0..sources * classes)
            .map(|row| {
                let (right, right_share) = (row % classes, accuracies[row / classes]);
                let mut rest: Vec<f64> = (0..classes).map(|_| -(1.0 - unit()).ln()).collect();
                rest[right] = 0.0;
                let sum: f64 = rest.iter().sum::<f64>().max(f64::MIN_POSITIVE);
                rest.iter_mut().for_each(|p| *p *= (1.0 - right_share) / sum);
                rest[right] = right_share;
                rest
            })
            .collect();
        let prior = match classes {
            4 => vec![0.4, 0.3, 0.2, 0.1],
            _ => vec![1.0 / classes as f64; classes],
        };
        let (mut truth, mut told) = (Vec::new(), Vec::new());
        for item in 0..labels.div_ceil(5) {
            let class = draw(&prior, unit());
            truth.push(class as u32);
            let mut asked = Vec::new();
            while asked.len() < 5.min(sources) {
                let source = ((unit() * sources as f64) as usize).min(sources - 1);
                if !asked.contains(&source) {
                    asked.push(source);
                    let abstains = unit() < 0.05;
                    let label = draw(&rows[source * classes + class], unit());
                    told.push([item as u32, source as u32, if abstains { ABSTAINED } else { label as u32 }]);
                }
            }
        }
        let order = random.shuffle(told.len());
        let column = |k: usize| order.iter().map(|&i| told[i][k]).collect();
        Self { classes, items: column(0), sources: column(1), labels: column(2), truth }
    }

    pub fn annotations(&self) -> Annotations {
        Annotations::new(self.classes, &self.items, &self.sources, &self.labels).expect("labels that are classes")
    }

    /// The same in another order.
    pub fn shuffled(&self, seed: u64) -> Self {
        let order = Random::new(seed).shuffle(self.items.len());
        let of = |list: &[u32]| order.iter().map(|&i| list[i]).collect();
        Self { items: of(&self.items), sources: of(&self.sources), labels: of(&self.labels), ..self.clone() }
    }

    /// The same with every class under another name, the next one's.
    pub fn relabelled(&self) -> Self {
        let next = |&label: &u32| if label == ABSTAINED { label } else { (label + 1) % self.classes as u32 };
        Self {
            labels: self.labels.iter().map(next).collect(),
            truth: self.truth.iter().map(next).collect(),
            ..self.clone()
        }
    }

    /// What each item's sources voted, for an oracle that asks often.
    pub fn table(&self) -> Vec<Vec<(usize, usize)>> {
        let mut table = vec![Vec::new(); self.truth.len()];
        for ((&item, &source), &label) in self.items.iter().zip(&self.sources).zip(&self.labels) {
            if label != ABSTAINED {
                table[item as usize].push((source as usize, label as usize));
            }
        }
        table
    }

    pub fn number_of_sources(&self) -> usize {
        self.sources.iter().max().map_or(0, |&last| last as usize + 1)
    }
}

fn draw(row: &[f64], uniform: f64) -> usize {
    let mut sum = 0.0;
    row.iter()
        .position(|p| {
            sum += p;
            uniform < sum
        })
        .unwrap_or(row.len() - 1)
}
