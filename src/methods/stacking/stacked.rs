//! The fitted model.

use serde::{Deserialize, Serialize};

use crate::engine::Engine;
use crate::error::{EvidenceError, FitError, Result};
use crate::methods::checked::checked;
use crate::methods::stacking::{MetaLearner, Opinions};
use crate::spec::LOG_FLOOR;
use crate::tensor::Evidence;

/// A stacked model: P = softmax(sum_n A_n ln p_n + b), the logarithms of probabilities clamped to [1e-7, 1] (Wolpert 1992;
/// with A_n free, multinomial logistic regression on log-probabilities).
///
/// A source that says nothing adds nothing; if all say nothing P = softmax b. It is loaded only if its numbers are as many
/// as its shape asks for and lie within 1e30 of zero.
///
/// # Examples
///
/// *Saved and loaded, bit for bit.*
///
/// ```
/// use consilience::stacking::Stacked;
///
/// let model = Stacked::new(1, 2, vec![1.0, 0.0, 0.0, 1.0], vec![0.0, -0.1])?;
/// let saved = serde_json::to_string(&model).unwrap();
/// assert_eq!(serde_json::from_str::<Stacked>(&saved).unwrap(), model);
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Stacked {
    sources: usize,
    classes: usize,
    weights: Vec<f32>,
    bias: Vec<f32>,
}

impl Stacked {
    /// A model from its numbers: `weights` [N, C, C], where row k of A_n is what ln p_n adds to the logit of class k, and
    /// `bias` of length C.
    ///
    /// # Errors
    ///
    /// No sources, no classes, other lengths, or a number that is not within 1e30 of zero.
    pub fn new(sources: usize, classes: usize, weights: Vec<f32>, bias: Vec<f32>) -> Result<Self> {
        let model = Self { sources, classes, weights, bias };
        model.check()?;
        Ok(model)
    }

    fn check(&self) -> Result<()> {
        let Self { sources, classes, weights, bias } = self;
        let needed = classes.checked_mul(*classes).and_then(|square| square.checked_mul(*sources));
        let why = if *sources == 0 || *classes == 0 {
            format!("it has {sources} sources and {classes} classes; it needs at least one of each")
        } else if needed != Some(weights.len()) {
            format!("{sources} sources x {classes} x {classes} classes do not make {} weights", weights.len())
        } else if bias.len() != *classes {
            format!("it has {classes} classes and {} biases", bias.len())
        } else if let Some(i) = weights.iter().position(|w| !is_sound(*w)) {
            format!("weight {i} is {}; weights lie within 1e30 of zero", weights[i])
        } else if let Some(i) = bias.iter().position(|b| !is_sound(*b)) {
            format!("bias {i} is {}; biases lie within 1e30 of zero", bias[i])
        } else {
            return Ok(());
        };
        Err(FitError::Model { why }.into())
    }

    /// Number of sources, N.
    #[must_use]
    pub fn sources(&self) -> usize {
        self.sources
    }

    /// Number of classes, C.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The A_n, [N, C, C]: row k is what ln p_n adds to the logit of class k.
    #[must_use]
    pub fn weights(&self) -> &[f32] {
        &self.weights
    }

    /// b, of length C.
    #[must_use]
    pub fn bias(&self) -> &[f32] {
        &self.bias
    }

    /// The posteriors of all items, row-major [B, C]; on the host's cores, whatever the engine.
    ///
    /// # Errors
    ///
    /// The evidence has other sources or classes than the model, or an opinion is invalid.
    pub fn posterior(&self, engine: &Engine, evidence: &Evidence<'_>) -> Result<Vec<f32>> {
        self.check_shape(evidence.sources(), evidence.classes())?;
        let cpu = engine.host()?;
        let mut posterior = vec![0.0; evidence.items() * self.classes];
        cpu.predict(&cpu.pack(evidence)?, &self.parameters(), &mut posterior);
        Ok(posterior)
    }

    /// Checks that the evidence, of so many sources and classes, has the model's.
    pub(super) fn check_shape(&self, sources: usize, classes: usize) -> Result<()> {
        for (what, given, needed) in [("sources", sources, self.sources), ("classes", classes, self.classes)] {
            EvidenceError::check_len(format_args!("the list of {what}, for the stacked model,"), needed, given)?;
        }
        Ok(())
    }

    /// From the kernel's layout: a in [C, N C], then b in [C].
    pub(super) fn from_parameters(sources: usize, classes: usize, parameters: &[f64]) -> Result<Self> {
        let weights = by_source(sources, classes, parameters).map(|w| w as f32).collect();
        let bias = parameters[classes * sources * classes..].iter().map(|&b| b as f32).collect();
        Self::new(sources, classes, weights, bias)
    }

    /// In the kernel's layout.
    pub(super) fn parameters(&self) -> Vec<f32> {
        let (n, c) = (self.sources, self.classes);
        let weight = |k: usize, f: usize| self.weights[(f / c * c + k) * c + f % c];
        let a = (0..c).flat_map(|k| (0..n * c).map(move |f| weight(k, f)));
        a.chain(self.bias.iter().copied()).collect()
    }
}

/// Whether sums of products with it stay finite; not a NaN.
fn is_sound(x: f32) -> bool {
    x.abs() <= 1e30
}

/// The kernel's a, [C, N C], in the order [N, C, C].
pub(super) fn by_source(sources: usize, classes: usize, a: &[f64]) -> impl Iterator<Item = f64> {
    let row = move |n: usize, k: usize| a[(k * sources + n) * classes..][..classes].iter().copied();
    (0..sources).flat_map(move |n| (0..classes).flat_map(move |k| row(n, k)))
}

impl MetaLearner for Stacked {
    /// In f64. Sources beyond the model's say nothing to it.
    fn fuse(&self, opinions: &Opinions<'_>, out: &mut [f32]) {
        let c = self.classes;
        let mut z: Vec<f64> = self.bias.iter().map(|&b| f64::from(b)).collect();
        for source in 0..self.sources {
            let Some(p) = opinions.get(source) else { continue };
            for (k, z) in z.iter_mut().enumerate() {
                let row = &self.weights[(source * c + k) * c..][..c];
                let terms = row.iter().zip(p).map(|(&w, &p)| f64::from(w) * f64::from(p.clamp(LOG_FLOOR, 1.0)).ln());
                *z += terms.sum::<f64>();
            }
        }
        let most = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = z.iter().map(|z| (z - most).exp()).sum();
        out.iter_mut().zip(&z).for_each(|(p, z)| *p = ((z - most).exp() / sum) as f32);
    }
}

checked!(Stacked);
