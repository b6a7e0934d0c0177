//! The best fixed weights of the linear pool, known only once everything has happened.

use std::ops::Range;

use consilience::Engine;

use crate::Failure;
use crate::entrants::Entrant;
use crate::learner::Learner;
use crate::pass::Pass;
use crate::stream::Stream;

const MOST_ROUNDS: usize = 10_000;

/// Fixed weights that saw all truths beforehand: one set for the stream, and one for either side of the break. Nothing that
/// learns as it goes can know them.
pub fn entrants(engine: &Engine, stream: &Stream) -> Result<[Entrant; 2], Failure> {
    let [before, after, all] = stream.parts();
    let of = |items: Range<usize>| -> Result<(Learner, Pass), Failure> {
        let mut learner = Learner::Fixed(weights(stream, items.clone()));
        let pass = Pass::over(stream, items, &mut learner, engine)?;
        Ok((learner, pass))
    };
    let (once, pass) = of(all)?;
    let ((_, first), (last, second)) = (of(before)?, of(after)?);
    Ok([
        Entrant { name: "hindsight", learner: once, pass, drawn: false },
        Entrant { name: "hindsight, each half", learner: last, pass: first.then(second), drawn: false },
    ])
}

/// The weights w with the largest sum over these items of ln sum_n w_n p_n(y), by EM, which never lowers it; the maximum
/// is the only one, for the sum is concave in w.
fn weights(stream: &Stream, items: Range<usize>) -> Vec<f32> {
    let truths: Vec<Vec<f64>> = items
        .map(|item| stream.sources.iter().map(|s| f64::from(s.row(item)[stream.labels[item] as usize])).collect())
        .collect();
    let mut weights = vec![1.0 / stream.sources.len() as f64; stream.sources.len()];
    let mut best = f64::NEG_INFINITY;
    for _ in 0..MOST_ROUNDS {
        let mut credit = vec![0.0; weights.len()];
        let mut objective = 0.0;
        for p in &truths {
            let pool: f64 = weights.iter().zip(p).map(|(w, p)| w * p).sum();
            objective += pool.max(f64::MIN_POSITIVE).ln();
            credit.iter_mut().zip(&weights).zip(p).for_each(|((credit, w), p)| *credit += w * p / pool);
        }
        assert!(objective >= best - 1e-9 * objective.abs(), "EM went from {best} to {objective}");
        if objective - best < 1e-10 * objective.abs() {
            break;
        }
        best = objective;
        weights = credit.iter().map(|credit| credit / truths.len() as f64).collect();
    }
    weights.into_iter().map(|weight| weight as f32).collect()
}
