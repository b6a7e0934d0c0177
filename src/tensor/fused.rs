//! What comes out of a fusion: one owned column per output asked for.

use crate::tensor::{Flags, Outline, Output, Outputs};

/// The answer of a fusion: the outputs that were asked for, each over all items; the others are empty.
///
/// Give it back to `Engine::fuse_into` and its memory is used again.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fused {
    items: usize,
    sources: usize,
    classes: usize,
    outputs: Outputs,
    posterior: Vec<f32>,
    decision: Vec<u32>,
    confidence: Vec<f32>,
    margin: Vec<f32>,
    entropy: Vec<f32>,
    disagreement: Vec<f32>,
    effective_sources: Vec<f32>,
    flags: Vec<u32>,
    conflict: Vec<f32>,
    contributions: Vec<f32>,
}

impl Fused {
    /// Posteriors found elsewhere, [B, C], with the class decided for and its posterior, of so many sources.
    #[cfg(feature = "arrow")]
    pub(crate) fn of_posterior(sources: usize, classes: usize, posterior: Vec<f32>, decision: Vec<u32>) -> Self {
        let of_row = |(row, &class): (&[f32], &u32)| row.get(class as usize).copied().unwrap_or_default();
        let confidence = posterior.chunks_exact(classes.max(1)).zip(&decision).map(of_row).collect();
        let outputs = Outputs::of(&[Output::Posterior, Output::Decision, Output::Confidence]);
        Self { items: decision.len(), sources, classes, outputs, posterior, decision, confidence, ..Self::default() }
    }

    /// Number of items, B.
    #[must_use]
    pub fn items(&self) -> usize {
        self.items
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

    /// What was asked for.
    #[must_use]
    pub fn outputs(&self) -> Outputs {
        self.outputs
    }

    /// The fused distributions, row-major [B, C].
    #[must_use]
    pub fn posterior(&self) -> &[f32] {
        &self.posterior
    }

    /// The class decided for, per item.
    #[must_use]
    pub fn decision(&self) -> &[u32] {
        &self.decision
    }

    /// The largest posterior, per item.
    #[must_use]
    pub fn confidence(&self) -> &[f32] {
        &self.confidence
    }

    /// The largest posterior less the second largest, per item.
    #[must_use]
    pub fn margin(&self) -> &[f32] {
        &self.margin
    }

    /// The posterior's entropy in nats, per item.
    #[must_use]
    pub fn entropy(&self) -> &[f32] {
        &self.entropy
    }

    /// How far the opinions are apart, in [0, 1], per item.
    #[must_use]
    pub fn disagreement(&self) -> &[f32] {
        &self.disagreement
    }

    /// The effective number of sources, per item.
    #[must_use]
    pub fn effective_sources(&self) -> &[f32] {
        &self.effective_sources
    }

    /// What was out of the ordinary, per item, as bits of [`Flags`].
    #[must_use]
    pub fn flags(&self) -> &[u32] {
        &self.flags
    }

    /// How far the opinions contradict each other under Dempster's rule, in [0, 1], per item.
    #[must_use]
    pub fn conflict(&self) -> &[f32] {
        &self.conflict
    }

    /// Each source's signed part of the log-odds of the decision over the runner-up, in nats, row-major [B, N].
    #[must_use]
    pub fn contributions(&self) -> &[f32] {
        &self.contributions
    }

    /// The `k` sources that did most for one item's decision, or against it: index and contribution, by size, the lower
    /// index first where two are equal. Empty where contributions were not asked for.
    #[must_use]
    pub fn strongest(&self, item: usize, k: usize) -> Vec<(usize, f32)> {
        let row = self.contributions.get(item * self.sources..(item + 1) * self.sources).unwrap_or_default();
        let mut ranked: Vec<_> = row.iter().copied().enumerate().collect();
        ranked.sort_by(|(_, a), (_, b)| b.abs().total_cmp(&a.abs()));
        ranked.truncate(k);
        ranked
    }

    /// What was out of the ordinary about one item; nothing where flags were not asked for.
    #[must_use]
    pub fn flags_of(&self, item: usize) -> Flags {
        Flags(self.flags.get(item).copied().unwrap_or_default())
    }

    /// One `f32` column by its output: `None` for the decision and the flags, which are integers.
    #[must_use]
    pub fn values(&self, output: Output) -> Option<&[f32]> {
        match output {
            Output::Posterior => Some(&self.posterior),
            Output::Confidence => Some(&self.confidence),
            Output::Margin => Some(&self.margin),
            Output::Entropy => Some(&self.entropy),
            Output::Disagreement => Some(&self.disagreement),
            Output::EffectiveSources => Some(&self.effective_sources),
            Output::Conflict => Some(&self.conflict),
            Output::Contributions => Some(&self.contributions),
            Output::Decision | Output::Flags => None,
        }
    }

    /// One integer column by its output: `None` for the others.
    #[must_use]
    pub fn integers(&self, output: Output) -> Option<&[u32]> {
        match output {
            Output::Decision => Some(&self.decision),
            Output::Flags => Some(&self.flags),
            _ => None,
        }
    }

    /// The memory it holds once there is room for the outputs asked for, in bytes.
    pub(crate) fn bytes_with(&self, evidence: &Outline, outputs: Outputs) -> usize {
        let capacity = |output| match output {
            Output::Posterior => self.posterior.capacity(),
            Output::Decision => self.decision.capacity(),
            Output::Confidence => self.confidence.capacity(),
            Output::Margin => self.margin.capacity(),
            Output::Entropy => self.entropy.capacity(),
            Output::Disagreement => self.disagreement.capacity(),
            Output::EffectiveSources => self.effective_sources.capacity(),
            Output::Flags => self.flags.capacity(),
            Output::Conflict => self.conflict.capacity(),
            Output::Contributions => self.contributions.capacity(),
        };
        let held = |output| capacity(output).max(len(evidence, outputs, output));
        4 * Output::ALL.into_iter().map(held).sum::<usize>()
    }

    /// Takes one `f32` column out with the memory it is in, as if it had not been asked for. `None` as in [`Fused::values`].
    ///
    /// # Examples
    ///
    /// *The posterior leaves, the decision stays.*
    ///
    /// ```
    /// use consilience::{Engine, Evidence, Fusion, Output, Rule};
    ///
    /// let average = Fusion::new(Rule::Linear).outputs(&[Output::Posterior, Output::Decision]);
    /// let (a, b) = ([0.75, 0.25], [0.5, 0.5]);
    /// let mut fused = Engine::cpu()?.fuse(&average, &Evidence::probabilities(2, &[&a, &b])?)?;
    /// assert_eq!(fused.take_values(Output::Posterior), Some(vec![0.625, 0.375]));
    /// assert!(fused.posterior().is_empty() && !fused.outputs().contains(Output::Posterior));
    /// assert_eq!(fused.take_integers(Output::Decision), Some(vec![0]));
    /// # Ok::<(), consilience::Error>(())
    /// ```
    pub fn take_values(&mut self, output: Output) -> Option<Vec<f32>> {
        let column = match output {
            Output::Posterior => &mut self.posterior,
            Output::Confidence => &mut self.confidence,
            Output::Margin => &mut self.margin,
            Output::Entropy => &mut self.entropy,
            Output::Disagreement => &mut self.disagreement,
            Output::EffectiveSources => &mut self.effective_sources,
            Output::Conflict => &mut self.conflict,
            Output::Contributions => &mut self.contributions,
            Output::Decision | Output::Flags => return None,
        };
        self.outputs = self.outputs.without(output);
        Some(std::mem::take(column))
    }

    /// Takes one integer column out, likewise. `None` as in [`Fused::integers`].
    pub fn take_integers(&mut self, output: Output) -> Option<Vec<u32>> {
        let column = match output {
            Output::Decision => &mut self.decision,
            Output::Flags => &mut self.flags,
            _ => return None,
        };
        self.outputs = self.outputs.without(output);
        Some(std::mem::take(column))
    }

    /// Makes room for the outputs asked for, and lends it.
    pub(crate) fn prepare(&mut self, evidence: &Outline, outputs: Outputs) -> FusedMut<'_> {
        let (items, sources, classes) = (evidence.items, evidence.sources(), evidence.classes);
        let len = |output| len(evidence, outputs, output);
        (self.items, self.sources, self.classes, self.outputs) = (items, sources, classes, outputs);
        fit(&mut self.posterior, len(Output::Posterior));
        fit(&mut self.decision, len(Output::Decision));
        fit(&mut self.confidence, len(Output::Confidence));
        fit(&mut self.margin, len(Output::Margin));
        fit(&mut self.entropy, len(Output::Entropy));
        fit(&mut self.disagreement, len(Output::Disagreement));
        fit(&mut self.effective_sources, len(Output::EffectiveSources));
        fit(&mut self.flags, len(Output::Flags));
        fit(&mut self.conflict, len(Output::Conflict));
        fit(&mut self.contributions, len(Output::Contributions));
        FusedMut {
            items,
            sources,
            classes,
            posterior: &mut self.posterior,
            decision: &mut self.decision,
            confidence: &mut self.confidence,
            margin: &mut self.margin,
            entropy: &mut self.entropy,
            disagreement: &mut self.disagreement,
            effective_sources: &mut self.effective_sources,
            flags: &mut self.flags,
            conflict: &mut self.conflict,
            contributions: &mut self.contributions,
        }
    }
}

impl Fused {
    /// Copies every column to where there is room for it.
    pub(crate) fn copy_to(&self, out: FusedMut<'_>) {
        fn copy<T: Copy>(from: &[T], to: &mut [T]) {
            let len = to.len().min(from.len());
            to[..len].copy_from_slice(&from[..len]);
        }
        copy(&self.posterior, out.posterior);
        copy(&self.decision, out.decision);
        copy(&self.confidence, out.confidence);
        copy(&self.margin, out.margin);
        copy(&self.entropy, out.entropy);
        copy(&self.disagreement, out.disagreement);
        copy(&self.effective_sources, out.effective_sources);
        copy(&self.flags, out.flags);
        copy(&self.conflict, out.conflict);
        copy(&self.contributions, out.contributions);
    }
}

/// Words of one output, over all items.
fn len(evidence: &Outline, outputs: Outputs, output: Output) -> usize {
    let each = match output {
        _ if !outputs.contains(output) => 0,
        Output::Posterior => evidence.classes,
        Output::Contributions => evidence.sources(),
        _ => 1,
    };
    evidence.items * each
}

/// Takes no more memory than the length needs.
fn fit<T: Clone + Default>(column: &mut Vec<T>, len: usize) {
    column.reserve_exact(len.saturating_sub(column.len()));
    column.resize(len, T::default());
}

/// A contiguous range of items of a [`Fused`], lent to an executor; columns not asked for are empty.
#[derive(Debug)]
pub(crate) struct FusedMut<'a> {
    pub items: usize,
    pub sources: usize,
    pub classes: usize,
    pub posterior: &'a mut [f32],
    pub decision: &'a mut [u32],
    pub confidence: &'a mut [f32],
    pub margin: &'a mut [f32],
    pub entropy: &'a mut [f32],
    pub disagreement: &'a mut [f32],
    pub effective_sources: &'a mut [f32],
    pub flags: &'a mut [u32],
    pub conflict: &'a mut [f32],
    pub contributions: &'a mut [f32],
}

impl FusedMut<'_> {
    /// The same range, lent on.
    pub fn reborrow(&mut self) -> FusedMut<'_> {
        FusedMut {
            items: self.items,
            sources: self.sources,
            classes: self.classes,
            posterior: self.posterior,
            decision: self.decision,
            confidence: self.confidence,
            margin: self.margin,
            entropy: self.entropy,
            disagreement: self.disagreement,
            effective_sources: self.effective_sources,
            flags: self.flags,
            conflict: self.conflict,
            contributions: self.contributions,
        }
    }

    /// The first `items` items, and the rest.
    pub fn split_at(self, items: usize) -> (Self, Self) {
        fn cut<T>(column: &mut [T], at: usize) -> (&mut [T], &mut [T]) {
            column.split_at_mut(at.min(column.len()))
        }
        let (sources, classes) = (self.sources, self.classes);
        let (posterior, posterior_rest) = cut(self.posterior, items * classes);
        let (decision, decision_rest) = cut(self.decision, items);
        let (confidence, confidence_rest) = cut(self.confidence, items);
        let (margin, margin_rest) = cut(self.margin, items);
        let (entropy, entropy_rest) = cut(self.entropy, items);
        let (disagreement, disagreement_rest) = cut(self.disagreement, items);
        let (effective_sources, effective_sources_rest) = cut(self.effective_sources, items);
        let (flags, flags_rest) = cut(self.flags, items);
        let (conflict, conflict_rest) = cut(self.conflict, items);
        let (contributions, contributions_rest) = cut(self.contributions, items * sources);
        let first = Self {
            items,
            sources,
            classes,
            posterior,
            decision,
            confidence,
            margin,
            entropy,
            disagreement,
            effective_sources,
            flags,
            conflict,
            contributions,
        };
        let rest = FusedMut {
            items: self.items - items,
            sources,
            classes,
            posterior: posterior_rest,
            decision: decision_rest,
            confidence: confidence_rest,
            margin: margin_rest,
            entropy: entropy_rest,
            disagreement: disagreement_rest,
            effective_sources: effective_sources_rest,
            flags: flags_rest,
            conflict: conflict_rest,
            contributions: contributions_rest,
        };
        (first, rest)
    }
}
