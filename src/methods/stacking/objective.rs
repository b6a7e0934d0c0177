//! The objective of a stacked model: mean loss of the labelled items plus the penalty.

use crate::backend::Regression;
use crate::error::Result;

/// (1 / B) sum_i -ln P_i(y_i) + l2 / 2 ||A||^2.
#[derive(Debug)]
pub(super) struct PenalisedLoss<'a, 'engine> {
    pub regression: &'a mut (dyn Regression + 'engine),
    /// Number of labelled items.
    pub labelled: usize,
    pub l2: f64,
}

impl PenalisedLoss<'_, '_> {
    /// Its value at `parameters`, a in [C, F], then b in [C], taken in f32; `gradient` becomes its gradient.
    pub(super) fn at(&mut self, parameters: &[f64], gradient: &mut [f64]) -> Result<f64> {
        let single: Vec<f32> = parameters.iter().map(|&x| x as f32).collect();
        let loss = self.regression.evaluate(&single, gradient)?;
        let scale = 1.0 / self.labelled as f64;
        gradient.iter_mut().for_each(|g| *g *= scale);
        let features = self.regression.features();
        let weights = features.classes * features.len;
        let mut penalty = 0.0;
        for (g, a) in gradient.iter_mut().zip(&parameters[..weights]) {
            *g += self.l2 * a;
            penalty += a * a;
        }
        Ok(loss * scale + 0.5 * self.l2 * penalty)
    }
}
