//! What holds for every learner: a block is its items, and an error changes nothing.

use consilience::learning::{
    Confusion, ConfusionOptions, Feedback, Hedge, HedgeOptions, Rate, Reliability, ReliabilityOptions, Weights,
    WeightsOptions,
};
use consilience::{Error, ErrorKind, Evidence, EvidenceError, StateError};
use proptest::prelude::*;

use super::*;

/// One of each learner, for so many sources and classes, with every option away from its default.
#[derive(Debug, Clone, PartialEq)]
pub struct Learners(pub Reliability, pub Weights, pub Confusion, pub Hedge);

impl Learners {
    pub fn new(sources: usize, classes: usize, forgetful: bool) -> Self {
        let discount = if forgetful { 0.9 } else { 1.0 };
        let reliability = ReliabilityOptions { discount, a: 0.5, b: 0.75, loss: Loss::Brier, threshold: 0.5 };
        let start = (0..sources).map(|n| 1.0 + n as f64).collect();
        let weights = WeightsOptions { start, warm_up: 4, alpha: 0.2, reliability };
        let confusion = ConfusionOptions { diagonal: 1.5, off_diagonal: 0.5, discount };
        let share = if forgetful { 0.05 } else { 0.0 };
        let hedge = HedgeOptions { rate: Rate::Fixed(0.75), feedback: Feedback::Loss(Loss::LOG), share };
        Self(
            Reliability::new(sources, reliability).expect("valid options"),
            Weights::new(weights).expect("valid options"),
            Confusion::new(sources, classes, confusion).expect("valid options"),
            Hedge::new(sources, hedge).expect("valid options"),
        )
    }

    /// All four, and whether each of them took the block.
    pub fn update(&mut self, evidence: &Evidence<'_>, labels: &[Option<u32>]) -> [Result<(), Error>; 4] {
        [
            self.0.update(evidence, labels),
            self.1.update(evidence, labels),
            self.2.update(evidence, labels),
            self.3.update(evidence, labels),
        ]
    }

    pub fn learn(&mut self, stream: &Stream) {
        for learnt in self.update(&stream.evidence(), &stream.labels) {
            learnt.expect("a valid stream");
        }
    }
}

/// Of a stream's shape.
pub fn learners(stream: &Stream, forgetful: bool) -> Learners {
    Learners::new(stream.problem.planes.len(), stream.problem.classes, forgetful)
}

proptest! {
    #![proptest_config(config(64))]

    #[test]
    fn a_block_is_its_items(stream in streams(), forgetful: bool, cut in 0.0..1.0_f64) {
        let mut whole = learners(&stream, forgetful);
        let (mut halves, mut items) = (whole.clone(), whole.clone());
        whole.learn(&stream);
        let all: Vec<usize> = (0..stream.labels.len()).collect();
        let (one, two) = all.split_at((cut * all.len() as f64) as usize);
        halves.learn(&stream.select(one));
        halves.learn(&stream.select(two));
        all.iter().for_each(|&item| items.learn(&stream.select(&[item])));
        // Equality of f64: nothing in them is NaN, and a zero has one sign.
        prop_assert_eq!(&whole, &halves);
        prop_assert_eq!(&whole, &items);
        prop_assert_eq!(format!("{whole:?}"), format!("{items:?}"));
    }

    #[test]
    fn a_block_of_self_reports_is_its_items(stream in streams(), forgetful: bool) {
        let Learners(mut whole, mut weights, ..) = learners(&stream, forgetful);
        let (mut items, mut each) = (whole.clone(), weights.clone());
        whole.update_self_reported(&stream.evidence()).expect("a valid stream");
        weights.update_self_reported(&stream.evidence()).expect("a valid stream");
        for item in 0..stream.labels.len() {
            let one = stream.select(&[item]);
            items.update_self_reported(&one.evidence()).expect("a valid item");
            each.update_self_reported(&one.evidence()).expect("a valid item");
        }
        prop_assert_eq!(whole, items);
        prop_assert_eq!(weights, each);
    }
}

/// What each learner says of a block it cannot take, once it is seen to have learned nothing from it.
fn refused(learners: &Learners, evidence: &Evidence<'_>, labels: &[Option<u32>]) -> Vec<Error> {
    let mut tried = learners.clone();
    let errors = tried.update(evidence, labels).into_iter().filter_map(Result::err).collect();
    assert_eq!(&tried, learners);
    errors
}

#[test]
fn what_does_not_fit_changes_nothing() {
    let stream = Stream::full(2, 3, 3, 5);
    let mut learners = learners(&stream, true);
    learners.learn(&stream);
    let evidence = stream.evidence();

    for error in refused(&learners, &evidence, &[Some(0), Some(1)]) {
        assert!(error.is_shape() && matches!(error.kind(), ErrorKind::Evidence(EvidenceError::ShapeMismatch { .. })));
        assert_eq!(error.to_string(), "the list of labels has 2 entries where the evidence needs 3");
    }
    let errors = refused(&learners, &evidence, &[Some(0), None, Some(3)]);
    assert_eq!(errors.len(), 4);
    for error in errors {
        assert!(error.is_label() && !error.is_shape());
        assert_eq!(error.to_string(), "the label of item 2 is 3, which is no class; classes are 0 to 2");
    }
    // The items before the invalid one are not learned either.
    let mut rows = stream.problem.planes[1].f32s().to_vec();
    rows[7] = f32::NAN;
    let invalid = Evidence::probabilities(3, &[stream.problem.planes[0].f32s(), &rows]).expect("planes of one length");
    let errors = refused(&learners, &invalid, &[Some(0), Some(1), Some(2)]);
    assert_eq!(errors.len(), 4);
    for error in errors {
        assert_eq!(error.invalid_opinion().map(|o| (o.source, o.item, o.class)), Some((1, 2, Some(1))));
    }
    let mut tried = learners.clone();
    for result in [tried.0.update_self_reported(&invalid), tried.1.update_self_reported(&invalid)] {
        let error = result.expect_err("an invalid opinion");
        assert_eq!(error.invalid_opinion().map(|o| (o.source, o.item, o.class)), Some((1, 2, Some(1))));
    }
    assert_eq!(tried, learners);

    let other = Stream::full(4, 3, 3, 5);
    let errors = refused(&learners, &other.evidence(), &other.labels);
    assert_eq!(errors.len(), 4);
    for error in errors {
        assert!(error.is_shape() && error.is_state());
        assert!(matches!(
            error.kind(),
            ErrorKind::State(StateError::Shape { unit: "sources", learner: 2, evidence: 4 })
        ));
    }
    let other = Stream::full(2, 3, 5, 5);
    let mut tried = learners.clone();
    let error = tried.2.update(&other.evidence(), &other.labels).expect_err("five classes");
    assert_eq!(error.to_string(), "the learner is for 3 classes, the evidence has 5; begin a learner for 5 classes");
    assert_eq!(tried, learners);
}

#[test]
fn soft_truths_that_do_not_fit_change_nothing() {
    let stream = Stream::full(2, 3, 3, 5);
    let Learners(.., before, _) = learners(&stream, true);
    let mut learner = before.clone();
    let mut says = |truths: &Stream| {
        let error = learner.update_soft(&stream.evidence(), &truths.evidence()).expect_err("truths that do not fit");
        error.to_string()
    };
    assert_eq!(
        says(&Stream::full(1, 2, 3, 1)),
        "the evidence of the truths, in items, has 2 entries where the evidence needs 3"
    );
    assert!(says(&Stream::full(2, 3, 3, 1)).contains("for 1 sources, the evidence has 2"));
    assert!(says(&Stream::full(1, 3, 2, 1)).contains("for 3 classes, the evidence has 2"));
    let mut invalid = Stream::full(1, 3, 3, 1);
    invalid.problem.planes[0].f32s_mut()[8] = -1.0;
    assert!(says(&invalid).starts_with("source 0, item 2, class 2: -1 is negative"));
    assert_eq!(learner, before);
}

#[test]
fn options_outside_their_range() {
    let says = |error: Option<Error>, text: &str| {
        let error = error.expect("an option outside its range");
        assert!(error.is_spec() && error.to_string() == text, "{error}");
    };
    let reliability = |change: fn(&mut ReliabilityOptions)| {
        let mut options = ReliabilityOptions::default();
        change(&mut options);
        Reliability::new(1, options).err()
    };
    says(
        Reliability::new(0, Default::default()).err(),
        "the number of sources is 0, it must be between 1 and 16777216",
    );
    says(reliability(|o| o.discount = 0.0), "discount is 0, it must be in (0, 1]");
    says(reliability(|o| o.discount = 1.5), "discount is 1.5, it must be in (0, 1]");
    says(reliability(|o| o.discount = f64::NAN), "discount is NaN, it must be in (0, 1]");
    says(reliability(|o| o.a = -1.0), "a is -1, it must be in [0, 2^53]");
    says(reliability(|o| o.b = f64::INFINITY), "b is inf, it must be in [0, 2^53]");
    says(reliability(|o| o.threshold = 1.5), "threshold is 1.5, it must be in [0, 1]");
    says(reliability(|o| o.loss = Loss::Log { floor: 0.0 }), "floor is 0, it must be in (0, 1)");
    let level = Reliability::new(1, Default::default()).expect("valid options").intervals(1.0);
    says(level.err(), "level is 1, it must be in (0, 1)");

    let weights = |change: fn(&mut WeightsOptions)| {
        let mut options = WeightsOptions::parallel_fusion();
        change(&mut options);
        Weights::new(options).err()
    };
    says(weights(|o| o.start.clear()), "the number of sources is 0, it must be between 1 and 16777216");
    says(weights(|o| o.start[1] = -0.5), "the start weight of source 1 is -0.5, it must be in [0, 2^53]");
    says(weights(|o| o.start.fill(0.0)), "the sum of the start weights is 0, it must be at least 1e-100");
    says(weights(|o| o.alpha = 1.5), "alpha is 1.5, it must be in [0, 1]");

    let confusion = |sources, classes, discount| {
        Confusion::new(sources, classes, ConfusionOptions { discount, ..Default::default() }).err()
    };
    says(confusion(1, 2, 1.5), "discount is 1.5, it must be in (0, 1]");
    says(confusion(2, 1 << 14, 1.0), "sources x classes x (classes + 1) is 536903680, it must be at most 2^28");
    assert!(confusion(1, usize::MAX, 1.0).expect("no such number of classes").is_spec());
    assert!(confusion(1, 0, 1.0).expect("no classes").is_shape());

    let hedge = |rate, share| Hedge::new(2, HedgeOptions { rate, share, ..Default::default() }).err();
    says(hedge(Rate::Fixed(0.0), 0.0), "rate is 0, it must be in (0, 10^6]");
    says(hedge(Rate::Horizon(0), 0.0), "horizon is 0, it must be at least 1");
    says(hedge(Rate::Fixed(1.0), 1.0), "share is 1, it must be in [0, 1)");
    says(Hedge::new(2, HedgeOptions::bayesian(2.0)).err(), "floor is 2, it must be in (0, 1)");
}
