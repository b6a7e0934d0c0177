//! Coordinates in which the softmax regression is round: features centred and whitened by the curvature at zero
//! parameters, where every class is as likely as any other. The objective is the same; L-BFGS needs fewer steps, the more
//! so as log-probabilities of sources that agree are nearly collinear.

use crate::kernel::stacking::softmax_regression::{Features, LANES, Targets};

/// Items, at most, that the curvature is taken from.
const ITEMS: usize = 4096;

/// Up to so many features the whole matrix is taken, beyond it the diagonal.
const FEATURES: usize = 512;

/// Parameters a [C, F], b [C] as a_k = L^-T u_k, b = sqrt(C) v - a mean, with L L^T = covariance / C + l2.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Whitening {
    classes: usize,
    mean: Vec<f64>,
    factor: Factor,
}

/// L.
#[derive(Debug, Clone, PartialEq)]
enum Factor {
    /// Lower triangle, row by row: row i has i + 1 entries.
    Full(Vec<f64>),
    Diagonal(Vec<f64>),
}

impl Whitening {
    /// From the labelled items, evenly picked by tiles.
    pub(super) fn of(features: &Features, targets: &Targets, l2: f64) -> Self {
        let (len, classes) = (features.len, features.classes as f64);
        let step = features.tiles().div_ceil(ITEMS / LANES).max(1);
        let rows = |visit: &mut dyn FnMut(&[f64])| {
            let mut row = vec![0.0; len];
            for tile in (0..features.tiles()).step_by(step) {
                for lane in (0..LANES).filter(|&lane| targets.rows[tile].0[lane] >= 0.0) {
                    row.iter_mut().zip(features.tile(tile)).for_each(|(x, column)| *x = f64::from(column.0[lane]));
                    visit(&row);
                }
            }
        };
        let (mut mean, mut count) = (vec![0.0; len], 0.0_f64);
        rows(&mut |row| {
            count += 1.0;
            mean.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
        });
        mean.iter_mut().for_each(|sum| *sum /= count.max(1.0));
        let scale = 1.0 / (classes * count.max(1.0));
        let mut variance = vec![0.0; len];
        let mut triangle = vec![0.0; if len <= FEATURES { len * (len + 1) / 2 } else { 0 }];
        let mut centred = vec![0.0; len];
        rows(&mut |row| {
            centred.iter_mut().zip(row).zip(&mean).for_each(|((c, x), mean)| *c = x - mean);
            variance.iter_mut().zip(&centred).for_each(|(sum, c)| *sum += c * c);
            let mut rest = triangle.as_mut_slice();
            for i in 0..if rest.is_empty() { 0 } else { len } {
                let (line, below) = rest.split_at_mut(i + 1);
                let c = centred[i];
                line.iter_mut().zip(&centred).for_each(|(sum, other)| *sum += c * other);
                rest = below;
            }
        });
        // So much at least, that collinear features do not make the matrix singular.
        let trace = variance.iter().sum::<f64>() * scale;
        let ridge = l2 + 1e-6 * trace / len as f64 + f64::MIN_POSITIVE.sqrt();
        let diagonal =
            |variance: &[f64]| Factor::Diagonal(variance.iter().map(|v| (v * scale + ridge).sqrt()).collect());
        triangle.iter_mut().for_each(|sum| *sum *= scale);
        let full = if triangle.is_empty() { None } else { cholesky(triangle, len, ridge) };
        Self { classes: features.classes, factor: full.map_or_else(|| diagonal(&variance), Factor::Full), mean }
    }

    /// Round coordinates to parameters, laid out alike: [C, F], then [C].
    pub(super) fn parameters(&self, round: &[f64], parameters: &mut [f64]) {
        let len = self.mean.len();
        parameters.copy_from_slice(round);
        let (a, b) = parameters.split_at_mut(self.classes * len);
        for (a, b) in a.chunks_exact_mut(len).zip(b) {
            self.factor.solve_transposed(a);
            *b = *b * (self.classes as f64).sqrt() - dot(a, &self.mean);
        }
    }

    /// The gradient in parameters to that in round coordinates, in place.
    pub(super) fn gradient(&self, gradient: &mut [f64]) {
        let len = self.mean.len();
        let (a, b) = gradient.split_at_mut(self.classes * len);
        for (a, b) in a.chunks_exact_mut(len).zip(b) {
            a.iter_mut().zip(&self.mean).for_each(|(g, mean)| *g -= *b * mean);
            self.factor.solve(a);
            *b *= (self.classes as f64).sqrt();
        }
    }
}

impl Factor {
    /// x becomes L^-1 x.
    fn solve(&self, x: &mut [f64]) {
        match self {
            Self::Diagonal(l) => x.iter_mut().zip(l).for_each(|(x, l)| *x /= l),
            Self::Full(l) => {
                let mut rest = l.as_slice();
                for i in 0..x.len() {
                    let (row, below) = rest.split_at(i + 1);
                    x[i] = (x[i] - dot(&row[..i], &x[..i])) / row[i];
                    rest = below;
                }
            }
        }
    }

    /// x becomes L^-T x.
    fn solve_transposed(&self, x: &mut [f64]) {
        match self {
            Self::Diagonal(_) => self.solve(x),
            Self::Full(l) => {
                let mut rest = l.as_slice();
                for i in (0..x.len()).rev() {
                    let (above, row) = rest.split_at(rest.len() - i - 1);
                    x[i] /= row[i];
                    let xi = x[i];
                    x[..i].iter_mut().zip(row).for_each(|(x, l)| *x -= l * xi);
                    rest = above;
                }
            }
        }
    }
}

/// The factor of a matrix plus a ridge, given its lower triangle; `None` if it is not positive.
fn cholesky(mut triangle: Vec<f64>, len: usize, ridge: f64) -> Option<Vec<f64>> {
    let start = |i: usize| i * (i + 1) / 2;
    for i in 0..len {
        let (above, rest) = triangle.split_at_mut(start(i));
        let row = &mut rest[..=i];
        for j in 0..i {
            let other = &above[start(j)..=start(j) + j];
            row[j] = (row[j] - dot(&row[..j], &other[..j])) / other[j];
        }
        let square = row[i] + ridge - dot(&row[..i], &row[..i]);
        if square.is_nan() || square <= 0.0 {
            return None;
        }
        row[i] = square.sqrt();
    }
    Some(triangle)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_factor_is_undone_by_its_two_solves() {
        let matrix = [4.0, 2.0, 5.0, 1.0, 3.0, 6.0];
        let l = cholesky(matrix.to_vec(), 3, 0.5).expect("positive");
        let factor = Factor::Full(l);
        let mut x = vec![1.0, -2.0, 3.0];
        factor.solve(&mut x);
        factor.solve_transposed(&mut x);
        let full = [[4.5, 2.0, 1.0], [2.0, 5.5, 3.0], [1.0, 3.0, 6.5]];
        for (row, want) in full.iter().zip([1.0, -2.0, 3.0]) {
            assert!((dot(row, &x) - want).abs() < 1e-12);
        }
        assert_eq!(cholesky(vec![-1.0], 1, 0.5), None);
    }
}
