//! Step 3 of the contract: how much each source counts.

use consilience::{Distance, Divergence, Fusion, Measure, Weighting};

use super::opinions::Opinion;
use super::outputs::entropy;

/// Fills in the raw weights; how far rounding may move each.
pub fn raw(fusion: &Fusion, classes: usize, opinions: &mut [Opinion]) -> Vec<f64> {
    let consensus = mean(opinions, classes);
    let weigh = |o: &Opinion| weigh(&fusion.weighting, o, &consensus);
    let (weights, rounding): (Vec<f64>, Vec<f64>) = opinions.iter().map(weigh).unzip();
    opinions.iter_mut().zip(weights).for_each(|(o, w)| o.w = w);
    rounding
}

/// The weights of `PerClass` by source and class, the largest of them 1: at least 1e-12 of the largest of the class, and the
/// same for all where a class has none.
pub fn per_class(weights: &[f32], classes: usize) -> Vec<Vec<f64>> {
    let largest = f64::from(weights.iter().copied().fold(0.0, f32::max));
    let scaled = |w: &f32| if largest > 0.0 { f64::from(*w) / largest } else { 0.0 };
    let mut rows: Vec<Vec<f64>> = weights.chunks(classes).map(|row| row.iter().map(scaled).collect()).collect();
    for k in 0..classes {
        let most = rows.iter().map(|row| row[k]).fold(0.0, f64::max);
        rows.iter_mut().for_each(|row| row[k] = row[k].max(1e-12 * if most > 0.0 { most } else { 1.0 }));
    }
    rows
}

fn weigh(weighting: &Weighting, o: &Opinion, consensus: &[f64]) -> (f64, f64) {
    let power = |(m, rounding): (f64, f64), gamma: f64| {
        let w = m.powf(gamma);
        (w, f64::max((m + rounding).powf(gamma) - w, w - (m - rounding).max(0.0).powf(gamma)))
    };
    let relative = |weights: &[f32], least: f64| {
        let most = weights.iter().map(|&w| f64::from(w)).fold(least, f64::max);
        if most > 0.0 { f64::from(weights[o.source]) / most } else { 0.0 }
    };
    match weighting {
        Weighting::Fixed(weights) if weights.is_empty() => (1.0, 0.0),
        Weighting::Fixed(weights) | Weighting::Performance(weights) => (relative(weights, 0.0), 0.0),
        Weighting::PerClass(weights) => {
            (per_class(weights, o.p.len())[o.source].iter().sum::<f64>() / o.p.len() as f64, 0.0)
        }
        Weighting::Confidence { gamma, measure } => {
            power(o.given.map_or_else(|| by(*measure, &o.p), |c| (c, 0.0)), f64::from(*gamma))
        }
        Weighting::Proximity { positions, target, distance } => {
            let d = f64::from((positions[o.source] - target).abs());
            (1.0 / (1.0 + 0.2 * if *distance == Distance::Cyclic { d.min(9.0 - d) } else { d }), 0.0)
        }
        Weighting::Consensus { divergence, steepness } => {
            let (d, rounding) = apart(*divergence, &o.p, consensus);
            let w = |d: f64| 1.0 / (1.0 + f64::from(*steepness) * d);
            (w(d), f64::max(w(d) - w(d + rounding), w((d - rounding).max(0.0)) - w(d)))
        }
        Weighting::Adaptive { beta, learned } => {
            let (beta, most) = (f64::from(*beta), learned.iter().map(|&w| f64::from(w)).fold(1.0, f64::max));
            (beta * o.c / most + (1.0 - beta) * relative(learned, 1.0), 0.0)
        }
        other => panic!("the oracle knows no {other:?}"),
    }
}

/// A measure of confidence, and its rounding.
fn by(measure: Measure, p: &[f64]) -> (f64, f64) {
    let mut sorted = p.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    match measure {
        Measure::Max => (sorted[0], 0.0),
        _ if p.len() == 1 => (1.0, 0.0),
        Measure::Margin => (sorted[0] - sorted[1], 2e-7),
        Measure::Entropy => {
            let ln_classes = (p.len() as f64).ln();
            ((1.0 - entropy(p) / ln_classes).max(0.0), 2e-6 / ln_classes)
        }
    }
}

/// A distance, and its rounding.
fn apart(divergence: Divergence, p: &[f64], q: &[f64]) -> (f64, f64) {
    match divergence {
        Divergence::Hellinger => {
            let squared = (1.0 - p.iter().zip(q).map(|(p, q)| (p * q).sqrt()).sum::<f64>()).max(0.0);
            let d = squared.sqrt();
            (d, (squared + 2.5e-7).sqrt() - d)
        }
        Divergence::JensenShannon => {
            let half: Vec<f64> = p.iter().zip(q).map(|(p, q)| f64::midpoint(*p, *q)).collect();
            let divergence = entropy(&half) - f64::midpoint(entropy(p), entropy(q));
            (divergence.max(0.0) / 2.0_f64.ln(), 3e-6)
        }
    }
}

/// The linear pool of all under equal weights.
fn mean(opinions: &[Opinion], classes: usize) -> Vec<f64> {
    let sum = |k: usize| opinions.iter().map(|o| o.p[k]).sum::<f64>();
    (0..classes).map(|k| sum(k) / opinions.len() as f64).collect()
}
