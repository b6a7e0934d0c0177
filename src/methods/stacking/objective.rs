//! The objective of a stacked model: mean loss of the labelled items plus the penalty.

use crate::backend::cpu::Cpu;
use crate::kernel::stacking::softmax_regression::{Features, Targets};

/// (1 / B) sum_i -ln P_i(y_i) + l2 / 2 ||A||^2.
#[derive(Debug)]
pub(super) struct PenalisedLoss<'a> {
    pub cpu: &'a Cpu,
    pub features: &'a Features,
    pub targets: &'a Targets,
    pub l2: f64,
}

impl PenalisedLoss<'_> {
    /// Its value at `parameters`, a in [C, F], then b in [C], taken in f32; `gradient` becomes its gradient.
    pub(super) fn at(&self, parameters: &[f64], gradient: &mut [f64]) -> f64 {
        let single: Vec<f32> = parameters.iter().map(|&x| x as f32).collect();
        let loss = self.cpu.evaluate(self.features, self.targets, &single, gradient);
        let scale = 1.0 / self.targets.labelled as f64;
        gradient.iter_mut().for_each(|g| *g *= scale);
        let weights = self.features.classes * self.features.len;
        let mut penalty = 0.0;
        for (g, a) in gradient.iter_mut().zip(&parameters[..weights]) {
            *g += self.l2 * a;
            penalty += a * a;
        }
        loss * scale + 0.5 * self.l2 * penalty
    }
}
