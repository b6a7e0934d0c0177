//! The posterior where each source has one accuracy and errs towards every other class alike.

use super::votes::Votes;

/// ln((C - 1) p / (1 - p)): what a vote of a source that is right with probability p, in (0, 1), says for its class.
pub(super) fn log_odds(classes: usize, p: f64) -> f64 {
    // Of one class nothing can be said against.
    if classes < 2 { 0.0 } else { ((classes - 1) as f64 * p / (1.0 - p)).ln() }
}

/// The posterior by the accuracies, [B, C], all classes alike beforehand, and the log-likelihood of the votes.
pub(super) fn posterior(votes: &Votes, accuracies: &[f64]) -> (Vec<f64>, f64) {
    let classes = votes.classes;
    let weights: Vec<f64> = accuracies.iter().map(|&p| log_odds(classes, p)).collect();
    // A vote is as likely under every class but its own.
    let wrong = |p: f64| if classes < 2 { 0.0 } else { ((1.0 - p) / (classes - 1) as f64).ln() };
    let mut likelihood: f64 = accuracies.iter().zip(&votes.counts).map(|(&p, count)| count * wrong(p)).sum();
    let mut posterior = votes.sums(&weights);
    for row in posterior.chunks_exact_mut(classes.max(1)) {
        likelihood += softmax(row) - (classes as f64).ln();
    }
    (posterior, likelihood)
}

/// The softmax of a row in its place; returns the logarithm of what it was divided by.
pub(super) fn softmax(row: &mut [f64]) -> f64 {
    let most = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    row.iter_mut().for_each(|x| *x = (*x - most).exp());
    let sum: f64 = row.iter().sum();
    row.iter_mut().for_each(|x| *x /= sum);
    most + sum.ln()
}
