//! Loss and gradient of a stacked model, for any optimiser.

use crate::backend::Regression;
use crate::engine::{Engine, Evaluations};
use crate::error::Result;
use crate::kernel::stacking::softmax_regression::Targets;
use crate::methods::stacking::examples::{check_given, check_parameters};
use crate::methods::stacking::{Objective, Stacked};
use crate::tensor::Evidence;

/// sum_i -ln P_i(y_i) over the labelled items and its gradient, for an optimiser of your own: what [`Stacking`] minimises,
/// but for mean and penalty.
///
/// The features lie on the engine's device for as long as this lives, within the engine's memory budget. A model whose
/// logits might pass 2^120 has the loss NaN on a GPU.
///
/// # Examples
///
/// *The loss of a model of zeros is ln 2 for each labelled item of two classes.*
///
/// ```
/// use consilience::stacking::{LabelledLoss, Stacked};
/// use consilience::{Engine, Evidence};
///
/// let says = [0.9, 0.1, 0.8, 0.2, 0.2, 0.8];
/// let evidence = Evidence::probabilities(2, &[&says])?;
/// let engine = Engine::cpu()?;
/// let mut loss = LabelledLoss::new(&engine, &evidence, &[Some(0), None, Some(1)])?;
/// let zeros = Stacked::new(1, 2, vec![0.0; 4], vec![0.0; 2])?;
/// assert!((loss.at(&zeros)?.value - 2.0 * 2.0_f64.ln()).abs() < 1e-6);
/// # Ok::<(), consilience::Error>(())
/// ```
///
/// [`Stacking`]: crate::stacking::Stacking
#[derive(Debug)]
pub struct LabelledLoss<'engine> {
    regression: Box<dyn Regression + 'engine>,
    sources: usize,
    classes: usize,
}

impl<'engine> LabelledLoss<'engine> {
    /// Takes on the evidence; items without a label add nothing.
    ///
    /// # Errors
    ///
    /// Not one entry per item, a label that is no class, an invalid opinion, more than 2^22 parameters, or the device fails
    /// or cannot hold a part of the features.
    pub fn new(engine: &'engine Engine, evidence: &Evidence<'_>, labels: &[Option<u32>]) -> Result<Self> {
        check_given(evidence, labels)?;
        check_parameters(evidence)?;
        let named: Vec<u32> = labels.iter().map(|label| label.unwrap_or_default()).collect();
        let mut regression = engine.regression(engine.host()?.pack(evidence)?, Evaluations::Asked)?;
        regression.label(&Targets::of(&named, |item| labels[item].is_some()))?;
        Ok(Self { regression, sources: evidence.sources(), classes: evidence.classes() })
    }

    /// The summed loss of a model, in nats, and its gradient.
    ///
    /// # Errors
    ///
    /// A model of other sources or classes, or the device fails.
    pub fn at(&mut self, model: &Stacked) -> Result<Objective> {
        model.check_shape(self.sources, self.classes)?;
        let mut gradient = vec![0.0; self.regression.features().parameters()];
        let value = self.regression.evaluate(&model.parameters(), &mut gradient)?;
        Ok(Objective::of(self.sources, self.classes, value, gradient))
    }
}
