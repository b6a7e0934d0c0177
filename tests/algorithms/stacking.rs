//! What is fitted to labelled items.

mod bad_input;
mod fit;
mod meta_learner;
mod oracle;
mod out_of_fold;
mod selection;
mod weights;

use consilience::{Encoding, Evidence, Form};

use crate::support::problem::{Problem, Random};

/// Evidence that says something of its labels: every class is a label, if there are items enough.
#[derive(Debug, Clone)]
pub struct Labelled {
    pub problem: Problem,
    pub labels: Vec<u32>,
}

impl Labelled {
    pub fn random(encoding: Encoding, sources: usize, items: usize, classes: usize, seed: u64) -> Self {
        let mut problem = Problem::random(Encoding::Probabilities, sources, items, classes, seed);
        let mut random = Random::new(seed ^ 0x5151);
        let labels: Vec<u32> = (0..items).map(|i| if i < classes { i } else { random.below(classes) } as u32).collect();
        for (source, plane) in problem.planes.iter_mut().enumerate() {
            let share = 0.2 + 0.5 * (source as f32 + 1.0) / sources as f32 * random.unit();
            let plane = plane.f32s_mut();
            for (row, &label) in plane.chunks_mut(classes).zip(&labels) {
                row.iter_mut().for_each(|p| *p *= 1.0 - share);
                row[label as usize] += share * (1.0 - row.iter().sum::<f32>()).max(0.0) / share.max(0.1);
                let sum: f32 = row.iter().sum();
                row.iter_mut().for_each(|p| *p /= sum);
            }
            match encoding {
                Encoding::Probabilities => {}
                _ => plane.iter_mut().for_each(|p| *p = p.ln()),
            }
        }
        for plane in &mut problem.planes {
            plane.form = Form::F32(encoding);
        }
        Self { problem, labels }
    }

    pub fn with_holes(mut self, seed: u64) -> Self {
        self.problem = self.problem.with_holes(seed);
        self
    }

    pub fn evidence(&self) -> Evidence<'_> {
        self.problem.evidence()
    }
}
