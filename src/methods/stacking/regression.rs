//! Fitting a stacked model.

use serde::{Deserialize, Serialize};

use crate::backend::Regression;
use crate::engine::{Engine, Evaluations};
use crate::error::Result;
use crate::kernel::stacking::softmax_regression::Targets;
use crate::methods::stacking::examples::{check_classes, check_labels, check_option, check_parameters};
use crate::methods::stacking::minimise::{Stop, minimise};
use crate::methods::stacking::objective::PenalisedLoss;
use crate::methods::stacking::stacked::by_source;
use crate::methods::stacking::whitening::Whitening;
use crate::methods::stacking::{Folds, OutOfFold, Stacked};
use crate::tensor::Evidence;

/// What the loss of one item is rounded by.
const ROUNDING: f64 = 3e-8;

/// Fits a [`Stacked`] model: multinomial logistic regression on clamped log-probabilities, with an L2 penalty.
///
/// Minimised is (1 / B) sum_i -ln P_i(y_i) + (l2 / 2) sum_n ||A_n||^2; b is not penalised. scikit-learn's
/// `LogisticRegression(C)` on the same features has the same minimum for C = 1 / (l2 B).
///
/// The features are ln p_n as they are, zero where source n says nothing. They are not centred over the classes: with
/// ln p_n = centred + m, A_n ln p_n = A_n centred + m A_n 1, so that centring would demand A_n 1 = 0 of the model rather
/// than rename its parameters, and take from it how sharp a source is. That what is missing adds nothing is known to the
/// fit, which sees the same zeros as the posterior will.
///
/// The optimiser is L-BFGS from zero, in coordinates whitened by the curvature there; loss and gradient are the kernel
/// `stacking/softmax_regression`, on the engine's device. There the features stay for the whole fit, as far as the engine's
/// memory budget goes; what is beyond it is uploaded for every evaluation. A GPU is waited for once per evaluation: [`Engine::auto`]
/// fits where that is expected to take less, as [`Engine::describe_fit_choice`] says, and [`Engine::gpu`] there however few
/// the items. The same input gives the same bits on any number of threads, and on the same GPU under any budget.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Stacking {
    /// The penalty, finite and not negative; 1e-4 unless given. With 0 and classes that can be told apart without error
    /// there is no minimum, and the fit ends at `max_iterations` or where the loss no longer falls.
    pub l2: f64,
    /// The fit is done once the norm of the whitened gradient, whose halved square is about what is left to gain, is
    /// below this, or a step gains less than a tenth of its square; above zero, 1e-4 unless given. A gain below the
    /// rounding of f32, 3e-8 / sqrt B, is none.
    pub tolerance: f64,
    /// The most L-BFGS steps, 500 unless given; 0 answers the model of all zeros.
    pub max_iterations: u64,
}

impl Default for Stacking {
    fn default() -> Self {
        Self { l2: 1e-4, tolerance: 1e-4, max_iterations: 500 }
    }
}

/// A fitted model and how the fit went.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// The model.
    pub model: Stacked,
    /// How the fit went.
    pub report: Report,
}

/// How a fit went.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// L-BFGS steps.
    pub iterations: u64,
    /// Evaluations of loss and gradient.
    pub evaluations: u64,
    /// The objective at the end: mean loss in nats plus penalty.
    pub objective: f64,
    /// The largest component of the objective's gradient at the end.
    pub gradient: f64,
    /// Whether the tolerance was met.
    pub converged: bool,
}

/// What a fit minimises, at one model: [`Stacking::objective`] or [`LabelledLoss`](super::LabelledLoss).
#[derive(Debug, Clone, PartialEq)]
pub struct Objective {
    /// Mean loss in nats plus penalty; of `LabelledLoss` the summed loss.
    pub value: f64,
    /// Its gradient in the weights, [N, C, C].
    pub weights: Vec<f64>,
    /// Its gradient in the biases, of length C.
    pub bias: Vec<f64>,
}

impl Objective {
    /// From a gradient in the kernel's layout.
    pub(super) fn of(sources: usize, classes: usize, value: f64, mut gradient: Vec<f64>) -> Self {
        let weights = by_source(sources, classes, &gradient).collect();
        Self { value, weights, bias: gradient.split_off(classes * sources * classes) }
    }
}

impl Stacking {
    /// Fits a model to all items.
    ///
    /// # Errors
    ///
    /// No labels or not one per item, a label that is no class, a class without an item, an invalid opinion, more than
    /// 2^22 parameters, an option out of its range, or the device fails or cannot hold a part of the features.
    pub fn fit(&self, engine: &Engine, evidence: &Evidence<'_>, labels: &[u32]) -> Result<Fit> {
        self.check(evidence, labels)?;
        check_classes(evidence.classes(), labels, None, |_| true)?;
        let mut regression = engine.regression(engine.host()?.pack(evidence)?, Evaluations::Fits(1))?;
        self.fit_packed(&mut *regression, &Targets::of(labels, |_| true))
    }

    /// Fits one model per fold to the items outside it, which then answers the items in it, and one to all items.
    ///
    /// # Errors
    ///
    /// As [`Stacking::fit`]; folds of another number of items; a class that occurs in one fold only.
    pub fn out_of_fold(
        &self,
        engine: &Engine,
        evidence: &Evidence<'_>,
        labels: &[u32],
        folds: &Folds,
    ) -> Result<OutOfFold> {
        self.check(evidence, labels)?;
        OutOfFold::fit(self, engine, evidence, labels, folds)
    }

    /// The objective that [`Stacking::fit`] minimises and its gradient, at a given model: what training sees, no score.
    ///
    /// # Errors
    ///
    /// As [`Stacking::fit`], but classes may be without items; a model of another shape than the evidence.
    pub fn objective(
        &self,
        engine: &Engine,
        evidence: &Evidence<'_>,
        labels: &[u32],
        model: &Stacked,
    ) -> Result<Objective> {
        self.check(evidence, labels)?;
        model.check_shape(evidence.sources(), evidence.classes())?;
        let mut regression = engine.regression(engine.host()?.pack(evidence)?, Evaluations::Once)?;
        regression.label(&Targets::of(labels, |_| true))?;
        let mut loss = PenalisedLoss { regression: &mut *regression, labelled: labels.len(), l2: self.l2 };
        let parameters: Vec<f64> = model.parameters().into_iter().map(f64::from).collect();
        let mut gradient = vec![0.0; parameters.len()];
        let value = loss.at(&parameters, &mut gradient)?;
        Ok(Objective::of(evidence.sources(), evidence.classes(), value, gradient))
    }

    /// Fits to the items that have a target.
    pub(super) fn fit_packed(&self, regression: &mut dyn Regression, targets: &Targets) -> Result<Fit> {
        regression.label(targets)?;
        let features = regression.features();
        let (sources, classes) = (features.len / features.classes, features.classes);
        let whitening = Whitening::of(features, targets, self.l2);
        let mut parameters = vec![0.0; features.parameters()];
        let mut loss = PenalisedLoss { regression, labelled: targets.labelled, l2: self.l2 };
        // Each item's loss is rounded in f32, at random; so is their mean, the less the more there are.
        let rounding = ROUNDING / (targets.labelled as f64).sqrt();
        let stop = Stop { tolerance: self.tolerance, rounding, max_iterations: self.max_iterations };
        let minimum = minimise(vec![0.0; parameters.len()], stop, |round, gradient| {
            whitening.parameters(round, &mut parameters);
            let value = loss.at(&parameters, gradient)?;
            whitening.gradient(gradient);
            Ok(value)
        })?;
        whitening.parameters(&minimum.point, &mut parameters);
        let mut gradient = vec![0.0; parameters.len()];
        let objective = loss.at(&parameters, &mut gradient)?;
        let report = Report {
            iterations: minimum.iterations,
            evaluations: minimum.evaluations + 1,
            objective,
            gradient: gradient.iter().fold(0.0, |most, g| g.abs().max(most)),
            converged: minimum.converged,
        };
        let model = Stacked::from_parameters(sources, classes, &parameters)?;
        Ok(Fit { model, report })
    }

    fn check(&self, evidence: &Evidence<'_>, labels: &[u32]) -> Result<()> {
        let Self { l2, tolerance, .. } = *self;
        check_option("l2", l2, l2.is_finite() && l2 >= 0.0, "finite and not negative")?;
        check_option("tolerance", tolerance, tolerance.is_finite() && tolerance > 0.0, "finite and above zero")?;
        check_labels(evidence, labels)?;
        check_parameters(evidence)
    }
}
