//! Multiplicative weights against weights that are multiplied, and what is proven of them against random streams.

use consilience::Evidence;
use consilience::learning::{Feedback, Hedge, HedgeOptions, Rate};
use proptest::prelude::*;

use super::*;

/// What a naive learner holds in the end.
struct Naive {
    weights: Vec<f64>,
    loss: f64,
    regrets: Vec<f64>,
    rounds: u64,
}

/// The definition with plain products, which only a short stream allows.
fn naive(stream: &Stream, options: HedgeOptions, eta: f64) -> Naive {
    let sources = stream.problem.planes.len();
    let mut naive =
        Naive { weights: vec![1.0 / sources as f64; sources], loss: 0.0, regrets: vec![0.0; sources], rounds: 0 };
    for (item, y) in stream.labelled() {
        let says: Vec<_> = (0..sources).filter_map(|n| Some((n, stream.says(n, item)?))).collect();
        if says.is_empty() {
            continue;
        }
        let judged = match options.feedback {
            Feedback::Loss(loss) => loss,
            _ => Loss::Brier,
        };
        let floor = if let Loss::Log { floor } = judged { floor } else { 0.0 };
        let mass: f64 = says.iter().map(|(n, _)| naive.weights[*n]).sum();
        let share = |n: usize, weights: &[f64]| weights[n] / mass;
        let mean = |of: &dyn Fn(&[f64]) -> f64, weights: &[f64]| -> f64 {
            says.iter().map(|(n, p)| share(*n, weights) * of(p)).sum()
        };
        let pool: Vec<f64> = (0..stream.problem.classes).map(|k| mean(&|p| p[k].max(floor), &naive.weights)).collect();
        let mixture = match judged {
            Loss::ZeroOne => mean(&|p| loss(judged, p, y), &naive.weights),
            _ => loss(judged, &pool, y),
        };
        let error = |p: &[f64]| (0..p.len()).map(|k| p[k] - f64::from(u8::from(k == y))).collect::<Vec<_>>();
        let falls = |p: &[f64]| match options.feedback {
            Feedback::Loss(judged) => loss(judged, p, y),
            _ => 0.5 * error(&pool).iter().zip(error(p)).map(|(a, b)| a * b).sum::<f64>(),
        };
        let z: f64 = mean(&|p| (-eta * falls(p)).exp(), &naive.weights);
        for (n, p) in &says {
            naive.weights[*n] *= (-eta * falls(p)).exp() / z;
            naive.regrets[*n] += mixture - loss(judged, p, y);
        }
        if says.len() > 1 {
            for (n, _) in &says {
                let given = (mass - naive.weights[*n]) / (says.len() - 1) as f64;
                naive.weights[*n] = (1.0 - options.share) * naive.weights[*n] + options.share * given;
            }
        }
        naive.loss += mixture;
        naive.rounds += 1;
    }
    naive
}

fn feedbacks() -> impl Strategy<Value = Feedback> {
    prop_oneof![losses().prop_map(Feedback::Loss), Just(Feedback::Gradient)]
}

fn learnt(stream: &Stream, options: HedgeOptions) -> Hedge {
    let mut learner = Hedge::new(stream.problem.planes.len(), options).expect("valid options");
    learner.update(&stream.evidence(), &stream.labels).expect("a valid stream");
    learner
}

proptest! {
    #![proptest_config(config(64))]

    #[test]
    fn the_products_written_out(
        stream in streams(), feedback in feedbacks(), eta in 0.01..3.0_f64, share in prop_oneof![Just(0.0), 0.0..0.9_f64],
    ) {
        let options = HedgeOptions { rate: Rate::Fixed(eta), feedback, share };
        let (got, want) = (learnt(&stream, options), naive(&stream, options, eta));
        prop_assert_eq!(got.rounds(), want.rounds);
        prop_assert!(near(got.loss(), want.loss, 1e-9), "{} is not {}", got.loss(), want.loss);
        for n in 0..got.sources() {
            prop_assert!(near(f64::from(got.weights()[n]), want.weights[n], 1e-6));
            prop_assert!(near(got.regrets()[n], want.regrets[n], 1e-9));
        }
    }

    /// Over the rounds in which it was awake no source does better than the bound allows, whoever sleeps when, and so do
    /// learners that were merged and went on.
    #[test]
    fn regret_lies_under_the_bound(
        stream in streams(), judged in losses(), eta in 0.01..20.0_f64, share in prop_oneof![Just(0.0), 0.0..0.5_f64],
        rounds in 1..100_u64, fixed: bool,
    ) {
        let rate = if fixed { Rate::Fixed(eta) } else { Rate::Horizon(rounds) };
        let options = HedgeOptions { rate, feedback: Feedback::Loss(judged), share };
        let mut learner = learnt(&stream, options);
        for _ in 0..2 {
            prop_assert!(learner.regret() <= learner.bound() + 1e-9, "{} > {}", learner.regret(), learner.bound());
            if let Some(bound) = learner.mixable_bound() {
                prop_assert!(learner.regret() <= bound + 1e-9, "{} > {}", learner.regret(), bound);
            }
            learner.merge(&learnt(&stream, options)).expect("the same options");
            learner.update(&stream.evidence(), &stream.labels).expect("a valid stream");
        }
    }

    /// The mixture's logarithmic loss is that of the mean of the sources' likelihoods.
    #[test]
    fn the_bayesian_mixture_is_one(n in 1..6_usize, b in 0..60_usize, c in 1..6_usize, seed: u64) {
        let (floor, stream) = (1e-4_f64, Stream::full(n, b, c, seed));
        let learner = learnt(&stream, HedgeOptions::bayesian(floor));
        let likelihood = |n: usize| -> f64 {
            stream.labelled().into_iter().map(|(item, y)| stream.says(n, item).expect("awake")[y].max(floor).ln()).sum()
        };
        let logs: Vec<f64> = (0..n).map(likelihood).collect();
        let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mean = most + (logs.iter().map(|log| (log - most).exp()).sum::<f64>() / n as f64).ln();
        prop_assert!(near(learner.loss() * -floor.ln(), -mean, 1e-9));
        let regret = learner.regret() * -floor.ln();
        prop_assert!(regret <= (n as f64).ln() + 1e-9, "{} nats for {} sources", regret, n);
        let bound = learner.mixable_bound().expect("mixable") * -floor.ln();
        let nats = if b > 0 { (n as f64).ln() } else { 0.0 };
        prop_assert!(near(bound, nats, 1e-9));
    }
}

#[test]
fn bounds_are_their_formulas() {
    let rows = [0.9, 0.1].repeat(100);
    let evidence = Evidence::probabilities(2, &[&rows, &rows, &rows]).expect("three sources");
    let learner = |options| {
        let mut learner = Hedge::new(3, options).expect("valid options");
        learner.update(&evidence, &[Some(0); 100]).expect("a valid stream");
        learner
    };
    let plain = HedgeOptions { rate: Rate::Fixed(0.25), feedback: Feedback::Loss(Loss::ZeroOne), share: 0.0 };
    let ln3 = 3.0_f64.ln();
    assert!(near(learner(plain).bound(), ln3 / 0.25 + 0.25 * 100.0 / 8.0, 1e-12));
    assert_eq!(learner(plain).tracking_bound(1), f64::INFINITY);
    assert_eq!(learner(plain).mixable_bound(), None);
    let gradient = HedgeOptions { feedback: Feedback::Gradient, ..plain };
    assert!(near(learner(gradient).bound(), 2.0 * (ln3 / 0.25 + 0.25 * 100.0 / 8.0), 1e-12));
    assert_eq!(learner(gradient).mixable_bound(), None);
    let brier = HedgeOptions { feedback: Feedback::Loss(Loss::Brier), ..plain };
    assert!(near(learner(brier).mixable_bound().expect("mixable at 1/4"), ln3 / 0.25, 1e-12));
    assert_eq!(learner(HedgeOptions { rate: Rate::Fixed(0.51), ..brier }).mixable_bound(), None);
    let shared = HedgeOptions { share: 0.1, ..plain };
    let nats = ln3 + 2.0 * 20.0_f64.ln() + 97.0 * (1.0 / 0.9_f64).ln();
    assert!(near(learner(shared).tracking_bound(2), nats / 0.25 + 3.125, 1e-12));
    // At the rate for the horizon, and after as many rounds, the bound is sqrt(T ln N / 2).
    let horizon = learner(HedgeOptions { rate: Rate::Horizon(100), ..plain });
    assert!(near(horizon.eta(), (8.0 * ln3 / 100.0).sqrt(), 1e-12));
    assert!(near(horizon.bound(), (100.0 * ln3 / 2.0).sqrt(), 1e-12));
    // Nothing heard, nothing owed.
    assert_eq!(Hedge::new(3, plain).expect("valid options").bound(), 0.0);
}

#[test]
fn a_stream_without_end_leaves_weights() {
    let rows = [1.0, 0.0].repeat(5000);
    let wrong = [0.0, 1.0].repeat(5000);
    let present: Vec<bool> = (0..5000).map(|item| item < 4999).collect();
    let evidence = Evidence::probabilities(2, &[&rows, &wrong, &wrong]).and_then(|e| e.with_presence(0, &present));
    let options = HedgeOptions { rate: Rate::Fixed(1e6), feedback: Feedback::Loss(Loss::LOG), share: 0.0 };
    let mut learner = Hedge::new(3, options).expect("valid options");
    learner.update(&evidence.expect("three sources"), &[Some(0); 5000]).expect("a valid stream");
    assert_eq!(learner.weights(), [1.0, 0.0, 0.0]);
    // In the last round the good one sleeps, and the two others, of no weight by any measure, still share the rest.
    let floor = f64::from(1e-7_f32);
    let first = (1.0 / 3.0 + 2.0 / 3.0 * floor).ln() / floor.ln();
    assert!(near(learner.loss(), first + 1.0, 1e-12), "{}", learner.loss());
    assert_eq!(learner.source_losses(), [0.0, 5000.0, 5000.0]);
}

#[test]
fn one_source_has_nothing_to_regret() {
    let stream = Stream::full(1, 30, 3, 7);
    for share in [0.0, 0.5] {
        let learner = learnt(&stream, HedgeOptions { rate: Rate::Horizon(30), share, ..Default::default() });
        assert!(learner.regret().abs() < 1e-12 && learner.bound().is_finite() && learner.tracking_bound(3).is_finite());
        assert_eq!(learner.weights(), [1.0]);
    }
}
