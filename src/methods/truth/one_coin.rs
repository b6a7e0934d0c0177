//! The posterior where each source has one accuracy and errs towards every other class alike.

use super::votes::Votes;

/// What an accuracy is at least, and falls short of certainty.
const DOUBT: f64 = 1e-9;

/// The posterior by the accuracies, [B, C], all classes alike beforehand, and the log-likelihood of the votes.
pub(super) fn posterior(votes: &Votes, accuracies: &[f64]) -> (Vec<f64>, f64) {
    let even = -(votes.classes as f64).ln();
    posterior_with(votes, accuracies, &vec![even; votes.classes])
}

/// The same with ln of how frequent the classes are.
pub(super) fn posterior_with(votes: &Votes, accuracies: &[f64], log_prior: &[f64]) -> (Vec<f64>, f64) {
    let classes = votes.classes;
    if classes < 2 {
        return (vec![1.0; votes.items()], 0.0);
    }
    let within = accuracies.iter().map(|p| p.clamp(DOUBT, 1.0 - DOUBT));
    // A vote is as likely under every class but its own.
    let logs: Vec<[f64; 2]> = within.map(|p| [p.ln(), ((1.0 - p) / (classes - 1) as f64).ln()]).collect();
    let weights: Vec<f64> = logs.iter().map(|[right, wrong]| right - wrong).collect();
    let mut likelihood: f64 = logs.iter().zip(&votes.counts).map(|([_, wrong], count)| count * wrong).sum();
    let mut posterior = votes.sums(&weights);
    for (item, row) in posterior.chunks_exact_mut(classes).enumerate() {
        row.iter_mut().zip(log_prior).for_each(|(sum, log)| *sum += log);
        likelihood += match votes.known(item) {
            Some(class) => row[class],
            None => softmax(row),
        };
    }
    votes.settle(&mut posterior);
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
