//! Posteriors from the literature's formulas in f64, and their central differences.

use consilience::{Encoding, Fusion, OnInvalid, Rule, Weighting};

/// What is fused, but the numbers.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    pub fusion: &'a Fusion,
    pub encoding: Encoding,
    pub classes: usize,
    /// Of the second source.
    pub presence: Option<&'a [bool]>,
}

/// How sum G P of its item changes with value `i` of [N, B, C], and how much larger than G that may be.
pub fn difference(case: &Case<'_>, values: &[f32], upstream: &[f32], i: usize) -> (f64, f64) {
    central(case, values, upstream, i, 1e-3)
}

/// The same where every row of probabilities is divided by its sum.
pub fn difference_of_shares(case: &Case<'_>, values: &[f32], upstream: &[f32], i: usize) -> (f64, f64) {
    central(case, values, upstream, i, f64::NEG_INFINITY)
}

fn central(case: &Case<'_>, values: &[f32], upstream: &[f32], i: usize, tolerance: f64) -> (f64, f64) {
    let plane = values.len() / 3;
    let (classes, item) = (case.classes, i % plane / case.classes);
    let rows: Vec<Vec<f64>> = (0..3)
        .map(|n| values[n * plane + item * classes..][..classes].iter().map(|&x| f64::from(x)).collect())
        .collect();
    let (source, k) = (i / plane, i % classes);
    let is_probability = case.encoding == Encoding::Probabilities;
    let step = if is_probability { 1e-5 * rows[source][k] } else { 1e-5 };
    let moved = |step: f64| {
        let mut rows = rows.clone();
        rows[source][k] += step;
        let posterior = posterior(case, &rows, item, tolerance);
        posterior.iter().zip(&upstream[item * classes..]).map(|(p, &g)| p * f64::from(g)).sum::<f64>()
    };
    let slack = if is_probability { 1.0 / rows[source][k] } else { 0.0 };
    ((moved(step) - moved(-step)) / (2.0 * step), slack)
}

fn posterior(case: &Case<'_>, rows: &[Vec<f64>], item: usize, tolerance: f64) -> Vec<f64> {
    let Fusion { rule, weighting, log_floor, source_temperatures, .. } = case.fusion;
    let mut said = Vec::new();
    for (n, row) in rows.iter().enumerate() {
        if n == 1 && case.presence.is_some_and(|presence| !presence[item]) {
            continue;
        }
        let mut p: Vec<f64> = match case.encoding {
            Encoding::Probabilities => row.clone(),
            Encoding::LogProbabilities => row.iter().map(|x| x.exp()).collect(),
            Encoding::Logits => normalised(row.iter().map(|x| x.exp()).collect()),
        };
        if (p.iter().sum::<f64>() - 1.0).abs() > tolerance {
            if case.fusion.on_invalid == OnInvalid::Missing {
                continue;
            }
            p = normalised(p);
        }
        let temperature = source_temperatures.as_ref().map_or(1.0, |list| f64::from(list[n]));
        if temperature != 1.0 {
            p = normalised(p.iter().map(|p| p.powf(1.0 / temperature)).collect());
        }
        said.push((n, p));
    }
    let rho = normalised(floats(case.fusion.class_prior.as_ref().expect("a prior")));
    if said.is_empty() {
        return rho;
    }
    let Weighting::Fixed(weights) = weighting else { panic!("the oracle knows fixed weights only") };
    let total = |w: &[f64]| said.iter().map(|(n, _)| w[*n]).sum::<f64>();
    let mut w = floats(weights);
    if total(&w) == 0.0 {
        w = floats(case.fusion.source_priors.as_ref().expect("priors"));
    }
    let total = total(&w);
    let ln = |p: f64| p.clamp(f64::from(*log_floor), 1.0).ln();
    let of = |k: usize| match rule {
        Rule::Linear => said.iter().map(|(n, p)| w[*n] / total * p[k]).sum::<f64>(),
        Rule::LogPool => said.iter().map(|(n, p)| w[*n] / total * ln(p[k])).sum::<f64>().exp(),
        Rule::Evidence { exponents } => {
            let terms = said.iter().map(|(n, p)| f64::from(exponents[*n]) * (ln(p[k]) - rho[k].ln()));
            (rho[k].ln() + terms.sum::<f64>()).exp()
        }
        other => panic!("the oracle knows no {other}"),
    };
    let mixed = normalised((0..case.classes).map(of).collect());
    let inverse = 1.0 / f64::from(case.fusion.temperature);
    normalised(mixed.iter().map(|p| p.powf(inverse)).collect())
}

fn floats(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&x| f64::from(x)).collect()
}

fn normalised(values: Vec<f64>) -> Vec<f64> {
    let sum: f64 = values.iter().sum();
    values.iter().map(|x| x / sum).collect()
}
