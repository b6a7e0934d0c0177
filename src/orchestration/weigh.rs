//! How much each source counts on one item: the engine's weights, in f64 on the host.

use crate::error::{Error, Result, SpecError};
use crate::spec::{Distance, Divergence, Fusion, Measure, Weighting};

/// What one source said of the item, as rules and weightings see it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Said<'a> {
    /// Its probabilities, under its temperature.
    pub p: &'a [f64],
    /// The class it votes for.
    pub vote: usize,
    /// The confidence it gave beside them.
    pub given: Option<f64>,
}

impl Said<'_> {
    /// c_n: the given confidence, or else the largest probability.
    pub(crate) fn confidence(&self) -> f64 {
        self.given.unwrap_or_else(|| self.p.iter().copied().fold(0.0, f64::max))
    }
}

/// The raw weights of a weighting.
#[derive(Debug, Clone)]
pub(crate) enum Weigh {
    /// offset_n + scale_n m^gamma, m being the given confidence or else the measure.
    Own { offset: Vec<f64>, scale: Vec<f64>, gamma: f64, measure: Measure },
    /// By distance to the linear pool of all under equal weights.
    Consensus { divergence: Divergence, steepness: f64 },
}

impl Weigh {
    /// The weights of `sources` sources. Of weights per class, each source's mean stands for it.
    ///
    /// # Errors
    ///
    /// A list of another length than there are sources.
    pub(crate) fn of(weighting: &Weighting, sources: usize) -> Result<Self> {
        let fixed = |offset: Vec<f64>| {
            let scale = vec![0.0; offset.len()];
            Self::Own { offset, scale, gamma: 1.0, measure: Measure::Max }
        };
        Ok(match weighting {
            Weighting::Fixed(weights) if weights.is_empty() => fixed(vec![1.0; sources]),
            Weighting::Fixed(weights) | Weighting::Performance(weights) => fixed(each(weights, sources)?),
            Weighting::PerClass(weights) if sources > 0 && weights.len().is_multiple_of(sources) => {
                let mean = |row: &[f32]| row.iter().map(|&w| f64::from(w)).sum::<f64>() / row.len() as f64;
                fixed(weights.chunks((weights.len() / sources).max(1)).map(mean).collect())
            }
            Weighting::PerClass(weights) => return Err(length(weights.len(), sources)),
            Weighting::Confidence { gamma, measure } => Self::Own {
                offset: vec![0.0; sources],
                scale: vec![1.0; sources],
                gamma: f64::from(*gamma),
                measure: *measure,
            },
            Weighting::Adaptive { beta, learned } => {
                let beta = f64::from(*beta);
                let offset = each(learned, sources)?.iter().map(|learned| (1.0 - beta) * learned).collect();
                Self::Own { offset, scale: vec![beta; sources], gamma: 1.0, measure: Measure::Max }
            }
            Weighting::Proximity { positions, target, distance } => {
                let of = |position: f64| {
                    let apart = (position - f64::from(*target)).abs();
                    let apart = if *distance == Distance::Cyclic { apart.min(9.0 - apart) } else { apart };
                    1.0 / (1.0 + 0.2 * apart)
                };
                fixed(each(positions, sources)?.into_iter().map(of).collect())
            }
            Weighting::Consensus { divergence, steepness } => {
                Self::Consensus { divergence: *divergence, steepness: f64::from(*steepness) }
            }
        })
    }

    /// The raw weight of a source by itself; `None` where it depends on what the others say.
    pub(crate) fn own(&self, source: usize, said: &Said<'_>) -> Option<f64> {
        match self {
            Self::Own { offset, scale, gamma, measure } => {
                let confidence = || said.given.unwrap_or_else(|| measured(*measure, said.p));
                let varying = if scale[source] > 0.0 { scale[source] * confidence().powf(*gamma) } else { 0.0 };
                Some(offset[source] + varying)
            }
            Self::Consensus { .. } => None,
        }
    }

    /// The largest raw weight that a source can come to, whatever it says.
    pub(crate) fn most(&self, source: usize) -> Option<f64> {
        match self {
            Self::Own { offset, scale, .. } => Some(offset[source] + scale[source]),
            Self::Consensus { .. } => None,
        }
    }

    /// The weights of those who said something, normalised over them, as the engine has them; 0 for the others.
    pub(crate) fn normalised(&self, said: &[Option<Said<'_>>], priors: Option<&[f32]>) -> Vec<f32> {
        let raw = |(source, said): (usize, &Option<Said<'_>>)| -> f64 {
            said.as_ref().and_then(|said| self.own(source, said)).unwrap_or_default()
        };
        let mut weights: Vec<f64> = match self {
            Self::Own { .. } => said.iter().enumerate().map(raw).collect(),
            Self::Consensus { divergence, steepness } => by_consensus(said, *divergence, *steepness),
        };
        if weights.iter().sum::<f64>() <= 0.0 {
            let prior = |source: usize| priors.and_then(|priors| priors.get(source)).map_or(1.0, |&p| f64::from(p));
            weights = said.iter().enumerate().map(|(n, said)| said.map_or(0.0, |_| prior(n))).collect();
        }
        let sum: f64 = weights.iter().sum();
        weights.iter().map(|weight| if sum > 0.0 { (weight / sum) as f32 } else { 0.0 }).collect()
    }
}

/// A source's probabilities p^(1/T), normalised.
pub(crate) fn tempered(fusion: &Fusion, source: usize, p: &[f32]) -> Vec<f64> {
    let temperature = fusion.source_temperatures.as_ref().and_then(|all| all.get(source)).copied().unwrap_or(1.0);
    let mut row: Vec<f64> = p.iter().map(|&p| f64::from(p)).collect();
    if temperature != 1.0 {
        row.iter_mut().for_each(|p| *p = p.powf(1.0 / f64::from(temperature)));
        let sum: f64 = row.iter().sum();
        row.iter_mut().for_each(|p| *p /= sum);
    }
    row
}

fn by_consensus(said: &[Option<Said<'_>>], divergence: Divergence, steepness: f64) -> Vec<f64> {
    let given: Vec<_> = said.iter().flatten().collect();
    let classes = given.first().map_or(0, |said| said.p.len());
    let mean = |k: usize| given.iter().map(|said| said.p[k]).sum::<f64>() / given.len() as f64;
    let mean: Vec<f64> = (0..classes).map(mean).collect();
    let weight = |said: &Said<'_>| 1.0 / (1.0 + steepness * apart(divergence, said.p, &mean));
    said.iter().map(|said| said.as_ref().map_or(0.0, weight)).collect()
}

fn measured(measure: Measure, p: &[f64]) -> f64 {
    let (mut first, mut second) = (0.0_f64, 0.0_f64);
    for &p in p {
        (first, second) = if p > first { (p, first) } else { (first, second.max(p)) };
    }
    match measure {
        Measure::Max => first,
        Measure::Margin if p.len() > 1 => first - second,
        Measure::Entropy if p.len() > 1 => {
            let entropy: f64 = p.iter().filter(|&&p| p > 0.0).map(|p| -p * p.ln()).sum();
            (1.0 - entropy / (p.len() as f64).ln()).max(0.0)
        }
        Measure::Margin | Measure::Entropy => 1.0,
    }
}

/// The distance of an opinion p to the consensus q, in [0, 1].
fn apart(divergence: Divergence, p: &[f64], q: &[f64]) -> f64 {
    let pairs = || p.iter().zip(q);
    match divergence {
        Divergence::Hellinger => (1.0 - pairs().map(|(p, q)| (p * q).sqrt()).sum::<f64>()).max(0.0).sqrt(),
        Divergence::JensenShannon => {
            let part = |a: f64, b: f64| if a > 0.0 { a * (2.0 * a / (a + b)).ln() } else { 0.0 };
            (pairs().map(|(&p, &q)| part(p, q) + part(q, p)).sum::<f64>() / 2.0 / std::f64::consts::LN_2).max(0.0)
        }
    }
}

fn each(weights: &[f32], sources: usize) -> Result<Vec<f64>> {
    if weights.len() != sources {
        return Err(length(weights.len(), sources));
    }
    Ok(weights.iter().map(|&w| f64::from(w)).collect())
}

fn length(given: usize, needed: usize) -> Error {
    SpecError::Length { what: "weighting", given, needed, unit: "sources" }.into()
}
