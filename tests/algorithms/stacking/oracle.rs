//! The objective of stacking in naive f64, item by item, and its minimum by Newton's method.

use consilience::{Answer, Evidence};

/// A_n and b as [N, C, C], then [C].
pub type Parameters = Vec<f64>;

/// ln p clamped, [B][N]; `None` where a source says nothing.
type Rows = Vec<Vec<Option<Vec<f64>>>>;

pub struct Oracle {
    classes: usize,
    sources: usize,
    rows: Rows,
    labels: Vec<usize>,
    l2: f64,
}

impl Oracle {
    pub fn new(evidence: &Evidence<'_>, labels: &[u32], l2: f64) -> Self {
        let (sources, classes) = (evidence.sources(), evidence.classes());
        let row = |item: usize, source: usize| {
            let mut p = vec![0.0; classes];
            let answer = evidence.opinion(source, item, &mut p).expect("valid");
            (answer == Answer::Given).then(|| p.iter().map(|&p| f64::from(p).clamp(1e-7, 1.0).ln()).collect())
        };
        let rows = (0..evidence.items()).map(|item| (0..sources).map(|source| row(item, source)).collect()).collect();
        Self { classes, sources, rows, labels: labels.iter().map(|&l| l as usize).collect(), l2 }
    }

    pub fn len(&self) -> usize {
        self.sources * self.classes * self.classes + self.classes
    }

    pub fn posterior(&self, parameters: &Parameters, item: usize) -> Vec<f64> {
        let c = self.classes;
        let mut z = parameters[self.sources * c * c..].to_vec();
        for (n, row) in self.rows[item].iter().enumerate() {
            for k in 0..c {
                for j in 0..c {
                    z[k] += row.as_ref().map_or(0.0, |row| parameters[(n * c + k) * c + j] * row[j]);
                }
            }
        }
        let most = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = z.iter().map(|z| (z - most).exp()).sum();
        z.iter().map(|z| (z - most).exp() / sum).collect()
    }

    pub fn value(&self, parameters: &Parameters) -> f64 {
        let loss: f64 = (0..self.rows.len()).map(|i| -self.posterior(parameters, i)[self.labels[i]].ln()).sum();
        let weights = &parameters[..self.len() - self.classes];
        loss / self.rows.len() as f64 + 0.5 * self.l2 * weights.iter().map(|w| w * w).sum::<f64>()
    }

    pub fn gradient(&self, parameters: &Parameters) -> Vec<f64> {
        let c = self.classes;
        let weights = self.len() - c;
        let mut gradient = vec![0.0; self.len()];
        for (item, sources) in self.rows.iter().enumerate() {
            let mut r = self.posterior(parameters, item);
            r[self.labels[item]] -= 1.0;
            for k in 0..c {
                gradient[weights + k] += r[k] / self.rows.len() as f64;
                for (n, row) in sources.iter().enumerate() {
                    for j in 0..c {
                        let x = row.as_ref().map_or(0.0, |row| row[j]);
                        gradient[(n * c + k) * c + j] += r[k] * x / self.rows.len() as f64;
                    }
                }
            }
        }
        (0..weights).for_each(|i| gradient[i] += self.l2 * parameters[i]);
        gradient
    }

    /// Damped Newton steps with a Hessian of differences; a small ridge holds the biases' common shift.
    pub fn minimum(&self) -> Parameters {
        let n = self.len();
        let mut x = vec![0.0; n];
        for _ in 0..60 {
            let gradient = self.gradient(&x);
            let mut system: Vec<Vec<f64>> = Vec::new();
            for i in 0..n {
                let (mut up, mut down) = (x.clone(), x.clone());
                up[i] += 1e-5;
                down[i] -= 1e-5;
                let (up, down) = (self.gradient(&up), self.gradient(&down));
                let mut row: Vec<f64> = up.iter().zip(&down).map(|(u, d)| (u - d) / 2e-5).collect();
                row[i] += 1e-9;
                row.push(gradient[i]);
                system.push(row);
            }
            let step = solve(system);
            let before = self.value(&x);
            let mut scale = 1.0;
            let at = |scale: f64| x.iter().zip(&step).map(|(x, s)| x - scale * s).collect::<Vec<_>>();
            while self.value(&at(scale)) > before && scale > 1e-6 {
                scale *= 0.5;
            }
            x = at(scale);
        }
        x
    }
}

/// Gauss with pivots: rows of [matrix | right side].
fn solve(mut rows: Vec<Vec<f64>>) -> Vec<f64> {
    let n = rows.len();
    for i in 0..n {
        let pivot = (i..n).max_by(|&a, &b| rows[a][i].abs().total_cmp(&rows[b][i].abs())).expect("a row");
        rows.swap(i, pivot);
        let pivot = rows[i].clone();
        for (_, row) in rows.iter_mut().enumerate().filter(|(other, _)| *other != i) {
            let factor = row[i] / pivot[i];
            row.iter_mut().zip(&pivot).for_each(|(x, p)| *x -= factor * p);
        }
    }
    (0..n).map(|i| rows[i][n] / rows[i][i]).collect()
}

mod tests {
    use consilience::Encoding;

    use super::*;
    use crate::algorithms::stacking::Labelled;
    use crate::support::problem::Random;

    #[test]
    fn the_oracles_gradient_is_that_of_its_value() {
        let labelled = Labelled::random(Encoding::Probabilities, 2, 30, 3, 5).with_holes(1);
        let oracle = Oracle::new(&labelled.evidence(), &labelled.labels, 0.3);
        let mut random = Random::new(8);
        let x: Vec<f64> = (0..oracle.len()).map(|_| f64::from(random.unit()) - 0.5).collect();
        for (i, g) in oracle.gradient(&x).into_iter().enumerate() {
            let at =
                |h: f64| oracle.value(&x.iter().enumerate().map(|(j, x)| x + if i == j { h } else { 0.0 }).collect());
            let difference = (at(1e-5) - at(-1e-5)) / 2e-5;
            assert!((g - difference).abs() < 1e-8, "{i}: {g} is not {difference}");
        }
        let there = oracle.gradient(&oracle.minimum());
        assert!(there.iter().all(|g| g.abs() < 1e-9), "{there:?}");
    }
}
