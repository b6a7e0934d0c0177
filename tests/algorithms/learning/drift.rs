//! A stream on which the good sources become the bad ones: what the learner regrets, measured beside its bound.

use consilience::learning::{Feedback, Hedge, HedgeOptions, Rate};

use super::*;

const SOURCES: usize = 6;
const ITEMS: usize = 4000;
const CLASSES: usize = 4;

/// Half of the sources are mostly right before the item `turn`, the others from there on.
fn drifting(turn: usize, seed: u64) -> Stream {
    let mut random = Random::new(seed);
    let mut stream = Stream::full(SOURCES, ITEMS, CLASSES, seed);
    for (item, y) in stream.labelled() {
        for (source, plane) in stream.problem.planes.iter_mut().enumerate() {
            let good = (source < SOURCES / 2) == (item < turn);
            let right = random.unit() < if good { 0.75 + 0.05 * (source % 3) as f32 } else { 0.35 };
            let named = if right { y } else { (y + 1 + random.below(CLASSES - 1)) % CLASSES };
            let sure = 0.4 + 0.55 * random.unit();
            let row = &mut plane.f32s_mut()[item * CLASSES..][..CLASSES];
            row.fill((1.0 - sure) / (CLASSES - 1) as f32);
            row[named] = sure;
        }
    }
    stream
}

fn learnt(stream: &Stream, feedback: Feedback, share: f64) -> Hedge {
    let mut learner = Hedge::new(SOURCES, HedgeOptions { rate: Rate::Horizon(ITEMS as u64), feedback, share })
        .expect("valid options");
    learner.update(&stream.evidence(), &stream.labels).expect("a valid stream");
    learner
}

/// Half the Brier score of the pool under these weights, and its gradient: sums over the stream.
fn pooled(opinions: &[(usize, Vec<Vec<f64>>)], weights: &[f64]) -> (f64, Vec<f64>) {
    let (mut loss, mut gradient) = (0.0, vec![0.0; weights.len()]);
    for (y, rows) in opinions {
        for k in 0..CLASSES {
            let pool: f64 = rows.iter().zip(weights).map(|(p, w)| w * p[k]).sum();
            let error = pool - f64::from(u8::from(k == *y));
            loss += 0.5 * error * error;
            gradient.iter_mut().zip(rows).for_each(|(g, p)| *g += error * p[k]);
        }
    }
    (loss, gradient)
}

/// Half way, where a learner that adapts does better than any fixed weights; and early, where it has what it learned first
/// against it.
const TURNS: [usize; 2] = [ITEMS / 2, ITEMS / 20];

/// No more than the loss of the best fixed convex weights, and within 1e-6 of it: pairwise Frank-Wolfe steps with exact line
/// search on a quadratic, until the duality gap says so.
fn best_fixed_weights(opinions: &[(usize, Vec<Vec<f64>>)]) -> f64 {
    let mut weights = vec![1.0 / SOURCES as f64; SOURCES];
    for _ in 0..500 {
        let (loss, gradient) = pooled(opinions, &weights);
        let best = (0..SOURCES).fold(0, |b, n| if gradient[n] < gradient[b] { n } else { b });
        let gap: f64 = (0..SOURCES).map(|n| weights[n] * (gradient[n] - gradient[best])).sum();
        if gap < 1e-6 {
            return loss - gap;
        }
        let held = (0..SOURCES).filter(|&n| weights[n] > 0.0);
        let worst = held.fold(best, |w, n| if gradient[n] > gradient[w] { n } else { w });
        let square: f64 =
            opinions.iter().flat_map(|(_, rows)| (0..CLASSES).map(|k| (rows[best][k] - rows[worst][k]).powi(2))).sum();
        let step = ((gradient[worst] - gradient[best]) / square).min(weights[worst]);
        weights[best] += step;
        weights[worst] -= step;
    }
    panic!("no convergence")
}

fn opinions(stream: &Stream) -> Vec<(usize, Vec<Vec<f64>>)> {
    let rows = |item| (0..SOURCES).map(|n| stream.says(n, item).expect("awake")).collect();
    stream.labelled().into_iter().map(|(item, y)| (y, rows(item))).collect()
}

#[test]
fn regret_against_the_best_fixed_source() {
    for (turn, seed) in TURNS.into_iter().flat_map(|turn| (0..3).map(move |seed| (turn, seed))) {
        let stream = drifting(turn, seed);
        for judged in [Loss::ZeroOne, Loss::Brier, Loss::LOG] {
            let learner = learnt(&stream, Feedback::Loss(judged), 0.0);
            let best = (0..SOURCES).map(|n| -> f64 {
                stream
                    .labelled()
                    .into_iter()
                    .map(|(item, y)| loss(judged, &stream.says(n, item).expect("awake"), y))
                    .sum()
            });
            let best = best.fold(f64::INFINITY, f64::min);
            let regret = learner.loss() - best;
            assert!(near(learner.regret(), regret, 1e-9), "{} is not {regret}", learner.regret());
            // sqrt(T ln N / 2), where the stream is as long as the horizon says.
            let bound = (ITEMS as f64 * (SOURCES as f64).ln() / 2.0).sqrt();
            assert!(near(learner.bound(), bound, 1e-12));
            assert!(regret <= bound, "{judged:?}, turn {turn}, seed {seed}: {regret} is above {bound}");
        }
    }
}

#[test]
fn regret_against_the_best_fixed_weights() {
    for (turn, seed) in TURNS.into_iter().flat_map(|turn| (0..3).map(move |seed| (turn, seed))) {
        let stream = drifting(turn, seed);
        let opinions = opinions(&stream);
        let learner = learnt(&stream, Feedback::Gradient, 0.0);
        let best = best_fixed_weights(&opinions);
        let alone = learner.source_losses().into_iter().fold(f64::INFINITY, f64::min);
        assert!(best < alone - 1.0, "no convex combination beats a source, so that nothing is tested");
        let regret = learner.loss() - best;
        let bound = 2.0 * (ITEMS as f64 * (SOURCES as f64).ln() / 2.0).sqrt();
        assert!(near(learner.bound(), bound, 1e-12));
        assert!(regret <= bound, "seed {seed}: {regret} is above {bound}");
        // The bound is met on both sides of zero: half way the regret is a gain, early it is a loss.
        assert_eq!(regret > 0.0, turn != ITEMS / 2, "turn {turn}, seed {seed}: {regret} of {bound}");
    }
}

#[test]
fn regret_against_the_best_sequence_of_two_sources() {
    for seed in 0..4 {
        let stream = drifting(ITEMS / 2, seed);
        let opinions = opinions(&stream);
        let judged = Loss::Brier;
        // The best source up to each item, and from there on.
        let mut sums = vec![vec![0.0; SOURCES]];
        for (y, rows) in &opinions {
            let last = &sums[sums.len() - 1];
            let next = (0..SOURCES).map(|n| last[n] + loss(judged, &rows[n], *y)).collect();
            sums.push(next);
        }
        let least = |values: &mut dyn Iterator<Item = f64>| values.fold(f64::INFINITY, f64::min);
        let best = least(&mut (1..ITEMS).map(|t| {
            let before = least(&mut (0..SOURCES).map(|n| sums[t][n]));
            before + least(&mut (0..SOURCES).map(|n| sums[ITEMS][n] - sums[t][n]))
        }));
        let shared = learnt(&stream, Feedback::Loss(judged), 1.0 / ITEMS as f64);
        let (regret, bound) = (shared.loss() - best, shared.tracking_bound(1));
        assert!(regret <= bound, "seed {seed}: {regret} is above {bound}");
        let plain = learnt(&stream, Feedback::Loss(judged), 0.0);
        assert!(shared.loss() < plain.loss() - 10.0, "{} is not below {}", shared.loss(), plain.loss());
    }
}
