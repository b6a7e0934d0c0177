//! The thoughts' mean.

/// The mean of distributions; the same probability for each class where there are none.
pub fn mean<'a>(rows: impl Iterator<Item = &'a [f32]>, classes: usize) -> Vec<f32> {
    let (mut sum, mut count) = (vec![0.0_f64; classes], 0.0);
    for row in rows {
        sum.iter_mut().zip(row).for_each(|(sum, p)| *sum += f64::from(*p));
        count += 1.0;
    }
    if count == 0.0 {
        return vec![(1.0 / classes as f64) as f32; classes];
    }
    sum.iter().map(|sum| (sum / count) as f32).collect()
}

/// The likeliest class, the first of equals.
pub fn decision(row: &[f32]) -> usize {
    (0..row.len()).rev().max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap_or_default()
}
