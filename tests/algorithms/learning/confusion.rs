//! Confusion matrices against counts written out.

use consilience::Evidence;
use consilience::learning::{Confusion, ConfusionOptions};
use proptest::prelude::*;

use super::*;

/// theta by its definition: every answer of a source on an item, with the share that each class has in the truth.
fn theta(stream: &Stream, truths: &[(usize, Vec<f64>)], options: ConfusionOptions) -> Vec<f64> {
    let (sources, classes) = (stream.problem.planes.len(), stream.problem.classes);
    let mut theta = Vec::new();
    for source in 0..sources {
        for truth in 0..classes {
            let mut row: Vec<f64> = vec![0.0; classes + 1];
            for (item, q) in truths {
                let Some(p) = stream.says(source, *item) else { continue };
                row.iter_mut().for_each(|count| *count *= options.discount.powf(q[truth]));
                row[argmax(&p)] += q[truth];
            }
            let prior = |k: usize| if k == truth { options.diagonal } else { options.off_diagonal };
            let sum: f64 = (0..=classes).map(|k| row[k] + prior(k)).sum();
            theta.extend((0..=classes).map(|k| (row[k] + prior(k)) / sum));
        }
    }
    theta
}

fn all_near(got: &[f32], want: &[f64]) -> bool {
    got.len() == want.len() && got.iter().zip(want).all(|(&got, &want)| near(f64::from(got), want, 1e-7))
}

proptest! {
    #![proptest_config(config(64))]

    #[test]
    fn the_counts_written_out(stream in streams(), discount in 0.1..=1.0_f64, diagonal in 0.1..3.0_f64) {
        let options = ConfusionOptions { diagonal, off_diagonal: 0.25, discount };
        let (sources, classes) = (stream.problem.planes.len(), stream.problem.classes);
        let mut learner = Confusion::new(sources, classes, options).expect("valid options");
        learner.update(&stream.evidence(), &stream.labels).expect("a valid stream");
        let one_hot = |y: usize| (0..classes).map(|k| f64::from(u8::from(k == y))).collect::<Vec<_>>();
        let truths: Vec<_> = stream.labelled().into_iter().map(|(item, y)| (item, one_hot(y))).collect();
        let want = theta(&stream, &truths, options);
        prop_assert!(all_near(&learner.matrices(), &want));
        let logs: Vec<f64> = want.iter().map(|theta| theta.ln()).collect();
        prop_assert!(all_near(&learner.log_matrices(), &logs));
        let diagonal: Vec<f64> =
            want.chunks(classes + 1).enumerate().map(|(row, theta)| theta[row % classes]).collect();
        prop_assert!(all_near(&learner.recalls(), &diagonal));
        for row in learner.matrices().chunks(classes + 1) {
            prop_assert!((row.iter().map(|&p| f64::from(p)).sum::<f64>() - 1.0).abs() < 1e-6);
        }
    }

    #[test]
    fn truths_that_are_distributions(stream in streams(), discount in 0.1..=1.0_f64, seed: u64) {
        let options = ConfusionOptions { discount, ..Default::default() };
        let (sources, classes) = (stream.problem.planes.len(), stream.problem.classes);
        let soft = Problem::random(Encoding::Probabilities, 1, stream.labels.len(), classes, seed);
        let known: Vec<bool> = stream.labels.iter().map(Option::is_some).collect();
        let soft = Stream { problem: Problem { presence: vec![Some(known)], ..soft }, labels: stream.labels.clone() };
        let mut learner = Confusion::new(sources, classes, options).expect("valid options");
        learner.update_soft(&stream.evidence(), &soft.evidence()).expect("valid truths");
        let truths: Vec<_> =
            (0..stream.labels.len()).filter_map(|item| Some((item, soft.says(0, item)?))).collect();
        prop_assert!(all_near(&learner.matrices(), &theta(&stream, &truths, options)));
    }

    #[test]
    fn a_certain_truth_is_a_label(stream in streams(), discount in 0.1..=1.0_f64) {
        let options = ConfusionOptions { discount, ..Default::default() };
        let (sources, classes) = (stream.problem.planes.len(), stream.problem.classes);
        let mut certain = vec![0.0; stream.labels.len() * classes];
        stream.labelled().into_iter().for_each(|(item, y)| certain[item * classes + y] = 1.0);
        let known: Vec<bool> = stream.labels.iter().map(Option::is_some).collect();
        let truths = Evidence::probabilities(classes, &[&certain]).and_then(|e| e.with_presence(0, &known));
        let mut hard = Confusion::new(sources, classes, options).expect("valid options");
        let mut soft = hard.clone();
        hard.update(&stream.evidence(), &stream.labels).expect("a valid stream");
        soft.update_soft(&stream.evidence(), &truths.expect("one truth per item")).expect("valid truths");
        prop_assert_eq!(hard, soft);
    }
}

#[test]
fn a_row_that_nothing_is_known_of_is_uniform() {
    let options = ConfusionOptions { diagonal: 0.0, off_diagonal: 0.0, discount: 1.0 };
    let mut learner = Confusion::new(1, 3, options).expect("valid options");
    assert_eq!(learner.matrices(), [0.25; 12]);
    let evidence = Evidence::probabilities(3, &[&[0.2, 0.5, 0.3]]).expect("one item");
    learner.update(&evidence, &[Some(2)]).expect("a valid item");
    assert_eq!(learner.matrices()[8..], [0.0, 1.0, 0.0, 0.0]);
    assert_eq!(learner.recalls(), [0.25, 0.25, 0.0]);
    // What was never seen is as unlikely as the floor says, not impossible.
    let floor = (1e-7_f32).ln();
    assert_eq!(learner.log_matrices()[8..], [floor, 0.0, floor, floor]);
}

#[test]
fn a_rare_class_is_not_forgotten() {
    let options = ConfusionOptions { diagonal: 1.0, off_diagonal: 1.0, discount: 0.5 };
    let mut learner = Confusion::new(1, 2, options).expect("valid options");
    let evidence = Evidence::probabilities(2, &[&[0.1, 0.9, 0.9, 0.1, 0.9, 0.1]]).expect("three items");
    learner.update(&evidence, &[Some(1), Some(0), Some(0)]).expect("a valid stream");
    assert_eq!(learner.counts(), [1.5, 0.0, 0.0, 0.0, 1.0, 0.0]);
}
