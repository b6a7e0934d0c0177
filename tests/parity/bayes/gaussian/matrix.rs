//! Small square matrices in f64.

/// Row by row.
#[derive(Debug, Clone)]
pub struct Matrix(Vec<Vec<f64>>);

impl Matrix {
    pub fn from(size: usize, mut at: impl FnMut(usize, usize) -> f64) -> Self {
        Self((0..size).map(|i| (0..size).map(|j| at(i, j)).collect()).collect())
    }

    pub fn size(&self) -> usize {
        self.0.len()
    }

    pub fn at(&self, row: usize, column: usize) -> f64 {
        self.0[row][column]
    }

    pub fn transposed(&self) -> Self {
        Self::from(self.size(), |i, j| self.at(j, i))
    }

    pub fn scaled(&self, by: f64) -> Self {
        Self::from(self.size(), |i, j| by * self.at(i, j))
    }

    pub fn plus(&self, other: &Self) -> Self {
        Self::from(self.size(), |i, j| self.at(i, j) + other.at(i, j))
    }

    pub fn times(&self, other: &Self) -> Self {
        Self::from(self.size(), |i, j| (0..self.size()).map(|k| self.at(i, k) * other.at(k, j)).sum())
    }

    pub fn apply(&self, vector: &[f64]) -> Vec<f64> {
        self.0.iter().map(|row| row.iter().zip(vector).map(|(a, x)| a * x).sum()).collect()
    }

    /// By Gauss and Jordan, the largest pivot first; the determinant beside it.
    fn solved(&self) -> (Self, f64) {
        let size = self.size();
        let (mut left, mut right) = (self.clone(), Self::from(size, |i, j| f64::from(u8::from(i == j))));
        let mut determinant = 1.0;
        for column in 0..size {
            let largest = (column..size).max_by(|&a, &b| left.at(a, column).abs().total_cmp(&left.at(b, column).abs()));
            let row = largest.expect("a row");
            if row != column {
                left.0.swap(row, column);
                right.0.swap(row, column);
                determinant = -determinant;
            }
            let pivot = left.at(column, column);
            determinant *= pivot;
            for matrix in [&mut left, &mut right] {
                matrix.0[column].iter_mut().for_each(|x| *x /= pivot);
            }
            for other in (0..size).filter(|other| *other != column) {
                let factor = left.at(other, column);
                for matrix in [&mut left, &mut right] {
                    for k in 0..size {
                        matrix.0[other][k] -= factor * matrix.0[column][k];
                    }
                }
            }
        }
        (right, determinant)
    }

    pub fn inverse(&self) -> Self {
        self.solved().0
    }

    pub fn determinant(&self) -> f64 {
        self.solved().1
    }

    /// Cholesky's, with what is not positive as NaN.
    pub fn factor(&self) -> Self {
        let mut l = Self::from(self.size(), |_, _| 0.0);
        for i in 0..self.size() {
            for j in 0..=i {
                let sum: f64 = (0..j).map(|k| l.at(i, k) * l.at(j, k)).sum();
                let rest = self.at(i, j) - sum;
                l.0[i][j] = if i == j { rest.sqrt() } else { rest / l.at(j, j) };
            }
        }
        l
    }

    pub fn is_positive(&self) -> bool {
        let l = self.factor();
        (0..self.size()).all(|i| l.at(i, i) > 0.0)
    }

    /// Its rows made orthogonal and of length one, by Gram and Schmidt.
    pub fn orthogonal(&self) -> Self {
        let mut rows: Vec<Vec<f64>> = Vec::new();
        for row in &self.0 {
            let mut row = row.clone();
            for before in &rows {
                let along: f64 = row.iter().zip(before).map(|(a, b)| a * b).sum();
                row.iter_mut().zip(before).for_each(|(a, b)| *a -= along * b);
            }
            let length = row.iter().map(|x| x * x).sum::<f64>().sqrt();
            rows.push(row.iter().map(|x| x / length).collect());
        }
        Self(rows)
    }
}
