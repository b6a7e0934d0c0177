//! The Beta posterior: its sums written out, its intervals against binomial sums.

use consilience::Evidence;
use consilience::learning::{Reliability, ReliabilityOptions};
use proptest::prelude::*;

use super::*;

/// What a confidence is: given, or the largest probability.
fn confidence(stream: &Stream, source: usize, item: usize) -> f32 {
    let evidence = stream.evidence();
    let mut row = vec![0.0; stream.problem.classes];
    evidence.opinion(source, item, &mut row).expect("a valid opinion");
    evidence.confidence(source).map_or(row.iter().copied().fold(0.0, f32::max), |given| given[item])
}

proptest! {
    #![proptest_config(config(64))]

    #[test]
    fn the_sums_written_out(stream in streams(), judged in losses(), discount in 0.1..=1.0_f64, a in 0.0..3.0_f64) {
        let options = ReliabilityOptions { discount, a, b: 0.5, loss: judged, ..Default::default() };
        let mut learner = Reliability::new(stream.problem.planes.len(), options).expect("valid options");
        learner.update(&stream.evidence(), &stream.labels).expect("a valid stream");
        for source in 0..learner.sources() {
            let heard = stream.labelled().into_iter().filter_map(|(item, y)| Some((stream.says(source, item)?, y)));
            let scores: Vec<f64> = heard.map(|(p, truth)| 1.0 - loss(judged, &p, truth)).collect();
            let aged = |k: usize| discount.powi((scores.len() - 1 - k) as i32);
            let s: f64 = (0..scores.len()).map(|k| aged(k) * scores[k]).sum();
            let n: f64 = (0..scores.len()).map(aged).sum();
            let want = (s + a) / (n + a + 0.5);
            prop_assert!(near(learner.observations()[source], n, 1e-12));
            prop_assert!(near(f64::from(learner.reliabilities()[source]), want, 1e-7));
        }
    }

    #[test]
    fn what_sources_say_of_themselves(stream in streams(), threshold in 0.0..=1.0_f32) {
        let options = ReliabilityOptions { threshold, ..Default::default() };
        let mut learner = Reliability::new(stream.problem.planes.len(), options).expect("valid options");
        learner.update_self_reported(&stream.evidence()).expect("a valid stream");
        for source in 0..learner.sources() {
            let heard: Vec<usize> =
                (0..stream.labels.len()).filter(|&item| stream.says(source, item).is_some()).collect();
            let sure = heard.iter().filter(|&&item| confidence(&stream, source, item) > threshold).count();
            let want = (sure as f64 + 1.0) / (heard.len() as f64 + 2.0);
            prop_assert!(near(f64::from(learner.reliabilities()[source]), want, 1e-7));
        }
    }

    /// The mass of Beta(a, b) below x, for integers, is that of at least a heads in a + b - 1 throws.
    #[test]
    fn intervals_hold_their_level(right in 0..40_usize, wrong in 0..40_usize, level in 0.5..0.99_f64) {
        let mut learner = Reliability::new(1, ReliabilityOptions::default()).expect("valid options");
        let rows = [1.0, 0.0].repeat(right + wrong);
        let labels: Vec<Option<u32>> = (0..right + wrong).map(|i| Some(u32::from(i >= right))).collect();
        let evidence = Evidence::probabilities(2, &[&rows]).expect("rows of two");
        learner.update(&evidence, &labels).expect("a valid stream");
        let (a, b) = (right + 1, wrong + 1);
        let below = |x: f64| -> f64 {
            let throws = a + b - 1;
            let ways = |k: usize| (1..=k).map(|i| (throws - k + i) as f64 / i as f64).product::<f64>();
            (a..=throws).map(|k| ways(k) * x.powi(k as i32) * (1.0 - x).powi((throws - k) as i32)).sum()
        };
        let [low, high] = learner.intervals(level).expect("a level")[0];
        prop_assert!(near(below(low), 0.5 - level / 2.0, 1e-7), "{} of {}", below(low), level);
        prop_assert!(near(below(high), 0.5 + level / 2.0, 1e-7), "{} of {}", below(high), level);
    }
}

#[test]
fn a_confidence_at_the_threshold_does_not_exceed_it() {
    let evidence = Evidence::probabilities(2, &[&[0.6, 0.4], &[0.61, 0.39], &[0.1, 0.9]]).expect("one item");
    let given = [0.5];
    let evidence = evidence.with_confidence(2, &given).expect("one item");
    let options = ReliabilityOptions { a: 0.0, b: 0.0, ..Default::default() };
    let mut learner = Reliability::new(3, options).expect("valid options");
    learner.update_self_reported(&evidence).expect("a valid item");
    assert_eq!(learner.reliabilities(), [0.0, 1.0, 0.0]);
}

#[test]
fn what_is_not_known_is_one_half() {
    let options = ReliabilityOptions { a: 0.0, b: 0.0, ..Default::default() };
    let mut learner = Reliability::new(2, options).expect("valid options");
    assert_eq!(learner.reliabilities(), [0.5, 0.5]);
    assert_eq!(learner.intervals(0.9).expect("a level"), [[0.0, 1.0]; 2]);
    let nobody = [false];
    let evidence = Evidence::probabilities(2, &[&[0.9, 0.1], &[0.9, 0.1]]).and_then(|e| e.with_presence(1, &nobody));
    learner.update(&evidence.expect("one item"), &[Some(0)]).expect("a valid item");
    assert_eq!(learner.reliabilities(), [1.0, 0.5]);
    assert_eq!(learner.intervals(0.9).expect("a level"), [[1.0, 1.0], [0.0, 1.0]]);
}

#[test]
fn intervals_of_few_and_of_many() {
    let options = |a, b| ReliabilityOptions { a, b, ..Default::default() };
    let interval = |a, b, level| {
        let learner = Reliability::new(1, options(a, b)).expect("valid options");
        learner.intervals(level).expect("a level")[0]
    };
    let close = |got: [f64; 2], want: [f64; 2], by: f64| {
        assert!((got[0] - want[0]).abs() < by && (got[1] - want[1]).abs() < by, "{got:?} is not {want:?}");
    };
    close(interval(1.0, 1.0, 0.9), [0.05, 0.95], 1e-9);
    close(interval(2.0, 1.0, 0.5), [0.5, 0.75_f64.sqrt()], 1e-9);
    // The arcsine distribution: its quantile is sin^2(pi p / 2).
    let arcsine = |p: f64| (std::f64::consts::FRAC_PI_2 * p).sin().powi(2);
    close(interval(0.5, 0.5, 0.8), [arcsine(0.1), arcsine(0.9)], 1e-9);
    // Of many observations the posterior is normal: mean 0.75, 1.959964 deviations of sqrt(0.75 x 0.25 / n).
    for n in [1e6_f64, 1e8] {
        let deviation = 1.959_964 * (0.75 * 0.25 / n).sqrt();
        close(interval(0.75 * n, 0.25 * n, 0.95), [0.75 - deviation, 0.75 + deviation], 2e-3 * deviation);
    }
    // Beyond 1e8 they count as 1e8.
    close(interval(7.5e11, 2.5e11, 0.95), interval(7.5e7, 2.5e7, 0.95), 1e-9);
}
