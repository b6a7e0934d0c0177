//! `stacking/softmax_regression`: loss and gradient over features that the engine holds.

use consilience::kernel::Kernel;
use consilience::stacking::{LabelledLoss, Objective, Stacked};
use consilience::{Engine, Evidence};

use super::{Case, Column, Held, Job, STEPS, integers, spread};
use crate::Failure;

const SOURCES: usize = 8;

pub fn cases() -> Vec<Case> {
    // Up to 32 classes are taken whole; more are staged.
    [10, 48].map(case).into_iter().collect()
}

/// One evaluation of a model.
struct Evaluate {
    classes: usize,
    planes: Vec<Vec<f32>>,
    labels: Vec<Option<u32>>,
    model: Stacked,
    found: Vec<f64>,
}

fn case(classes: usize) -> Case {
    let make = move |items: usize| {
        let plane = |source: usize| {
            let mut rows: Vec<f32> = spread(items * classes, STEPS[source % 4] + 0.01 * source as f64)
                .iter()
                .map(|&x| 0.01 + x as f32)
                .collect();
            for row in rows.chunks_mut(classes) {
                let sum: f32 = row.iter().sum();
                row.iter_mut().for_each(|p| *p /= sum);
            }
            rows
        };
        let weights = spread(SOURCES * classes * classes, STEPS[0]).iter().map(|&x| 0.02 * (x as f32 - 0.5)).collect();
        Ok(Evaluate {
            classes,
            planes: (0..SOURCES).map(plane).collect(),
            labels: integers(items).map(|n| Some((n >> 40) as u32 % classes as u32)).collect(),
            model: Stacked::new(SOURCES, classes, weights, vec![0.0; classes])?,
            found: Vec::new(),
        })
    };
    Case::new(Kernel::SoftmaxRegression, format!("{SOURCES} x {classes} features"), make)
        .start(1024)
        .quick_if(classes == 10)
}

impl Evaluate {
    /// Packs and uploads.
    fn loss<'a>(&self, engine: &'a Engine) -> Result<LabelledLoss<'a>, Failure> {
        let planes: Vec<&[f32]> = self.planes.iter().map(Vec::as_slice).collect();
        Ok(LabelledLoss::new(engine, &Evidence::probabilities(self.classes, &planes)?, &self.labels)?)
    }
}

impl Job for Evaluate {
    /// What the first evaluation of a fit takes.
    fn run(&mut self, engine: &Engine) -> Result<(), Failure> {
        self.found = flat(self.loss(engine)?.at(&self.model)?);
        Ok(())
    }

    /// Of sums over all items devices are off by little beside the terms' sizes: of the loss, itself; of the gradient, at
    /// most 16.2 an item.
    fn answer(&self) -> Vec<Column> {
        let items = self.labels.len() as f64;
        let Some((value, gradient)) = self.found.split_first() else { return Vec::new() };
        let within = 2e-6 * 16.2 * items.sqrt() + 2e-7 * 16.2 * items;
        vec![Column::close("loss", &[*value], 1e-5, 1e-6), Column::close("gradient", gradient, within, 1e-6)]
    }

    /// What every further one takes.
    fn held<'a>(&'a mut self, engine: &'a Engine) -> Result<Option<Held<'a>>, Failure> {
        let mut loss = self.loss(engine)?;
        Ok(Some(Box::new(move || {
            self.found = flat(loss.at(&self.model)?);
            Ok(())
        })))
    }
}

fn flat(objective: Objective) -> Vec<f64> {
    [vec![objective.value], objective.weights, objective.bias].concat()
}
