//! Rows of probabilities: their mean, and the class they speak for.

/// The mean of rows, each with its weight; of equal weights where these are all zero, and the same probability for each
/// class where there are no rows.
pub(super) fn mean<'a>(rows: impl Iterator<Item = (f64, &'a [f32])> + Clone, classes: usize) -> Vec<f32> {
    let is_weighed = rows.clone().any(|(weight, _)| weight > 0.0);
    let (mut sum, mut weights) = (vec![0.0_f64; classes], 0.0);
    for (weight, row) in rows {
        let weight = if is_weighed { weight } else { 1.0 };
        sum.iter_mut().zip(row).for_each(|(sum, p)| *sum += weight * f64::from(*p));
        weights += weight;
    }
    if weights == 0.0 {
        return vec![(1.0 / classes as f64) as f32; classes];
    }
    sum.iter().map(|sum| (sum / weights) as f32).collect()
}

/// The class with the largest value, the lowest of equals.
pub(super) fn likeliest(row: &[f32]) -> usize {
    (1..row.len()).fold(0, |best, k| if row[k] > row[best] { k } else { best })
}
