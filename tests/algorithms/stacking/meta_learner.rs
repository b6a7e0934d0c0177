//! Rules of the caller's own.

use consilience::Encoding;
use consilience::stacking::{MetaLearner, Opinions, Stacking, fuse_with};

use super::Labelled;
use crate::support::engines;

/// Answers a constant.
struct Says(Vec<f32>);

impl MetaLearner for Says {
    fn fuse(&self, _: &Opinions<'_>, out: &mut [f32]) {
        out.copy_from_slice(&self.0);
    }
}

#[test]
fn a_stacked_model_is_one_and_says_what_the_kernel_says() {
    let labelled = Labelled::random(Encoding::Probabilities, 3, 100, 4, 1).with_holes(3);
    for (name, engine) in engines::all() {
        let model = Stacking::default().fit(engine, &labelled.evidence(), &labelled.labels).expect("labelled").model;
        let learner: &dyn MetaLearner = &model;
        let (here, there) = (fuse_with(learner, &labelled.evidence()), model.posterior(engine, &labelled.evidence()));
        for (a, b) in here.expect("distributions").iter().zip(there.expect("valid")) {
            assert!((a - b).abs() < 1e-5, "{name}");
        }
    }
}

#[test]
fn what_is_missing_is_not_shown() {
    struct Counts;
    impl MetaLearner for Counts {
        fn fuse(&self, opinions: &Opinions<'_>, out: &mut [f32]) {
            assert_eq!((opinions.sources(), opinions.classes(), opinions.get(2)), (2, 2, None));
            let given = (0..2).filter(|&n| opinions.get(n).is_some()).count();
            assert!((0..2).filter_map(|n| opinions.get(n)).all(|row| row == [0.75, 0.25]));
            out[given.min(1)] = 1.0;
        }
    }
    let (a, b) = ([0.75, 0.25, f32::NAN, f32::NAN], [f32::NAN; 4]);
    let evidence = consilience::Evidence::probabilities(2, &[&a, &b]).expect("planes");
    let evidence = evidence.with_presence(0, &[true, false]).and_then(|e| e.with_presence(1, &[false, false]));
    assert_eq!(fuse_with(&Counts, &evidence.expect("presence")).expect("distributions"), [0.0, 1.0, 1.0, 0.0]);
}

#[test]
fn an_answer_that_is_no_distribution_is_refused() {
    let plane = [0.5, 0.5];
    let evidence = consilience::Evidence::probabilities(2, &[&plane]).expect("a plane");
    for (answer, why) in [
        ([f32::NAN, 1.0], "item 0 is no distribution: class 0 has NaN"),
        ([1.5, -0.5], "class 0 has 1.5"),
        ([0.5, -0.5], "class 1 has -0.5"),
        ([0.7, 0.7], "it sums to 1.4"),
        ([0.0, 0.0], "it sums to 0"),
    ] {
        let error = fuse_with(&Says(answer.to_vec()), &evidence).expect_err("no distribution");
        assert!(error.is_fit() && error.to_string().contains(why), "{error}");
    }
    assert_eq!(fuse_with(&Says(vec![0.25, 0.75]), &evidence).expect("a distribution"), [0.25, 0.75]);
}
