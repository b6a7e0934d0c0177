//! Bayesian combination of classifiers by its formula, in f64.

use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::{RngCore, SeedableRng};

use crate::support::annotated::{Annotated, Found};

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Asked {
    pub subtypes: usize,
    pub restarts: usize,
    pub seed: u64,
    /// Dirichlet parameters: on the diagonal, off it, of a class, of the subtypes of a class together.
    pub parameters: [f64; 4],
    pub gold: Vec<(u32, u32)>,
    pub iterations: usize,
}

/// The best of all restarts.
pub fn bcc(of: &Annotated, asked: &Asked) -> Found {
    let mut random = SplitMix64::seed_from_u64(asked.seed);
    let shares = of.shares(&asked.gold);
    let fits = (0..asked.restarts).map(|_| {
        let start = shares.iter().flat_map(|&share| {
            if asked.subtypes == 1 {
                return vec![share];
            }
            let parts: Vec<f64> = (0..asked.subtypes)
                .map(|_| -(1.0 - (random.next_u64() >> 11) as f64 / 9_007_199_254_740_992.0).ln())
                .collect();
            let whole: f64 = parts.iter().sum();
            parts.iter().map(|part| share * part / whole).collect()
        });
        fit(of, asked, start.collect())
    });
    let higher = |a: Found, b: Found| if b.objective.last() > a.objective.last() { b } else { a };
    fits.reduce(higher).unwrap_or_default()
}

fn fit(of: &Annotated, asked: &Asked, mut q: Vec<f64>) -> Found {
    let (c, m, symbols, items) = (of.classes, asked.subtypes, of.symbols(), of.truth.len());
    let [diagonal, off_diagonal, class, subtype] = asked.parameters;
    let before = |l: usize, k: usize| if l == k { diagonal } else { off_diagonal };
    let mut found = Found::default();
    for _ in 0..asked.iterations {
        // Of each source, class and subtype the parameters of its answers.
        let mut answers = vec![vec![vec![0.0; symbols]; c * m]; of.of_sources];
        for row in &mut answers {
            for (column, row) in row.iter_mut().enumerate() {
                (0..symbols).for_each(|l| row[l] = before(l, column / m));
            }
        }
        for i in 0..of.items.len() {
            for column in 0..c * m {
                answers[of.sources[i] as usize][column][of.symbol(i)] += q[of.items[i] as usize * c * m + column];
            }
        }
        let mut classes = vec![class; c];
        let mut subtypes = vec![vec![subtype / m as f64; m]; c];
        for row in q.chunks_exact(c * m) {
            for (column, p) in row.iter().enumerate() {
                classes[column / m] += p;
                subtypes[column / m][column % m] += p;
            }
        }
        let mut bound = -divergence(&classes, &vec![class; c]);
        for row in &subtypes {
            bound -= divergence(row, &vec![subtype / m as f64; m]);
        }
        for source in &answers {
            for (column, row) in source.iter().enumerate() {
                bound -= divergence(row, &(0..symbols).map(|l| before(l, column / m)).collect::<Vec<_>>());
            }
        }
        let (ln_classes, ln_subtypes) = (expected(&classes), subtypes.iter().map(|row| expected(row)));
        let ln_subtypes: Vec<Vec<f64>> = ln_subtypes.collect();
        let ln_answers: Vec<Vec<Vec<f64>>> =
            answers.iter().map(|source| source.iter().map(|row| expected(row)).collect()).collect();
        for (item, row) in q.chunks_exact_mut(c * m).enumerate() {
            for (column, z) in row.iter_mut().enumerate() {
                *z = ln_classes[column / m] + ln_subtypes[column / m][column % m];
                let known = asked.gold.iter().find(|gold| gold.0 as usize == item);
                if known.is_some_and(|gold| gold.1 as usize != column / m) {
                    *z = f64::NEG_INFINITY;
                }
            }
        }
        for i in 0..of.items.len() {
            for column in 0..c * m {
                q[of.items[i] as usize * c * m + column] += ln_answers[of.sources[i] as usize][column][of.symbol(i)];
            }
        }
        for row in q.chunks_exact_mut(c * m) {
            let best = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let sum: f64 = row.iter().map(|z| (z - best).exp()).sum();
            row.iter_mut().for_each(|z| *z = (*z - best).exp() / sum);
            bound += best + sum.ln();
        }
        found.objective.push(bound);
        let mean = |row: &[f64], l: usize| row[l] / row.iter().sum::<f64>();
        found.confusions = Vec::new();
        found.prior = (0..c).map(|k| mean(&classes, k)).collect();
        for source in &answers {
            for k in 0..c {
                for l in 0..symbols {
                    let of_subtype = |j: usize| mean(&subtypes[k], j) * mean(&source[k * m + j], l);
                    found.confusions.push((0..m).map(of_subtype).sum());
                }
            }
        }
    }
    found.posterior = (0..items * c).map(|place| q[place * m..(place + 1) * m].iter().sum()).collect();
    found
}

fn expected(parameters: &[f64]) -> Vec<f64> {
    let whole = digamma(parameters.iter().sum());
    parameters.iter().map(|&a| digamma(a) - whole).collect()
}

/// Of two Dirichlet distributions.
fn divergence(a: &[f64], b: &[f64]) -> f64 {
    let whole = |x: &[f64]| ln_gamma(x.iter().sum()) - x.iter().map(|&x| ln_gamma(x)).sum::<f64>();
    let logs = expected(a);
    whole(a) - whole(b) + a.iter().zip(b).zip(logs).map(|((a, b), log)| (a - b) * log).sum::<f64>()
}

/// By products up to 30, and three terms of Stirling's series.
fn ln_gamma(x: f64) -> f64 {
    if x < 30.0 {
        return ln_gamma(x + 1.0) - x.ln();
    }
    (x - 0.5) * x.ln() - x + 0.918_938_533_204_672_7 + 1.0 / (12.0 * x) - 1.0 / (360.0 * x.powi(3))
        + 1.0 / (1260.0 * x.powi(5))
}

/// By sums up to 30, and three terms of its series.
fn digamma(x: f64) -> f64 {
    if x < 30.0 {
        return digamma(x + 1.0) - 1.0 / x;
    }
    x.ln() - 1.0 / (2.0 * x) - 1.0 / (12.0 * x * x) + 1.0 / (120.0 * x.powi(4)) - 1.0 / (252.0 * x.powi(6))
}
