//! Locks: never wrong, and no later than they must be.

use std::slice;

use consilience::orchestration::Opinion;
use consilience::orchestration::stop::Lock;
use consilience::{Evidence, Fusion, MISSING_U16, Measure, Opinions, Output, Rule, Weighting};
use proptest::prelude::*;

use super::engine::engine;

/// What the engine decides on one item, given all that is ever said, and by what margin.
fn decision(fusion: &Fusion, classes: usize, said: &[Option<Opinion>]) -> (usize, f32) {
    let plane = |opinion: &'_ Option<Opinion>| match opinion {
        Some(Opinion::Label { class, .. }) => vec![*class],
        _ => vec![MISSING_U16],
    };
    let labels: Vec<_> = said.iter().map(plane).collect();
    let planes: Vec<_> = said
        .iter()
        .zip(&labels)
        .map(|(opinion, label)| match opinion {
            Some(Opinion::Probabilities(p)) => Opinions::Probabilities(p),
            _ => Opinions::LabelsU16(label),
        })
        .collect();
    let mut evidence = Evidence::of(classes, &planes).expect("evidence");
    for (source, opinion) in said.iter().enumerate() {
        if let Some(Opinion::Label { confidence: Some(c), .. }) = opinion {
            evidence = evidence.with_confidence(source, slice::from_ref(c)).expect("a confidence");
        }
    }
    let fused = engine().fuse(&fusion.clone().outputs(&[Output::Decision, Output::Margin]), &evidence).expect("fused");
    (fused.decision()[0] as usize, fused.margin()[0])
}

/// Rules with a bound.
fn rule(sources: usize) -> impl Strategy<Value = Rule> {
    let weights = || prop::collection::vec(0.0_f32..2.0, sources);
    prop_oneof![
        Just(Rule::Linear),
        Just(Rule::Vote),
        Just(Rule::BayesianAverage),
        Just(Rule::LogPool),
        Just(Rule::Extremised { exponent: 1.7 }),
        Just(Rule::default()),
        weights().prop_map(|exponents| Rule::Evidence { exponents }),
        weights().prop_map(|learned| Rule::Adaptive { learned }),
        weights().prop_map(|learned| Rule::ensemble(&[Rule::Adaptive { learned }, Rule::Vote])),
    ]
}

fn weighting(sources: usize) -> impl Strategy<Value = Weighting> {
    let weights = || prop::collection::vec(0.0_f32..2.0, sources);
    let by = |measure| move |gamma| Weighting::Confidence { gamma, measure };
    prop_oneof![
        Just(Weighting::default()),
        weights().prop_map(Weighting::Fixed),
        (0.0_f32..4.0).prop_map(by(Measure::Max)),
        (0.0_f32..4.0).prop_map(by(Measure::Margin)),
        (0.1_f32..4.0).prop_map(by(Measure::Entropy)),
        ((0.0_f32..1.0), weights()).prop_map(|(beta, learned)| Weighting::Adaptive { beta, learned }),
    ]
}

/// Opinions of all sizes of certainty, labels among them, and sources that never answer.
fn opinion(classes: usize) -> impl Strategy<Value = Option<Opinion>> {
    let raw = (prop::collection::vec(0.01_f32..1.0, classes), 0.0_f32..40.0);
    let sharp = raw.prop_map(|(raw, power)| {
        let most = raw.iter().copied().fold(0.0, f32::max);
        let raised: Vec<f32> = raw.iter().map(|p| (p / most).powf(power)).collect();
        let sum: f32 = raised.iter().sum();
        Opinion::Probabilities(raised.iter().map(|p| p / sum).collect())
    });
    let one_hot = (0..classes).prop_map(move |class| one_hot(classes, class));
    let label = (0..classes as u16, prop::option::of(0.0_f32..=1.0))
        .prop_map(|(class, confidence)| Opinion::Label { class, confidence });
    prop_oneof![4 => sharp.prop_map(Some), 2 => one_hot.prop_map(Some), 2 => label.prop_map(Some), 1 => Just(None)]
}

fn one_hot(classes: usize, class: usize) -> Opinion {
    Opinion::Probabilities((0..classes).map(|k| f32::from(u8::from(k == class))).collect())
}

#[derive(Debug, Clone)]
struct Case {
    classes: usize,
    fusion: Fusion,
    said: Vec<Option<Opinion>>,
    order: Vec<usize>,
}

fn case() -> impl Strategy<Value = Case> {
    (1_usize..9, 2_usize..5).prop_flat_map(|(sources, classes)| {
        let shares = |len| prop::option::of(prop::collection::vec(0.05_f32..1.0, len));
        let temperatures = prop::option::of(prop::collection::vec(0.3_f32..3.0, sources));
        let said = prop::collection::vec(opinion(classes), sources);
        let order = Just((0..sources).collect::<Vec<_>>()).prop_shuffle();
        let how = (rule(sources), weighting(sources), shares(classes), shares(sources), temperatures);
        (how, said, order).prop_map(move |(how, said, order)| {
            let (rule, weighting, class_prior, source_priors, source_temperatures) = how;
            let mut fusion = Fusion::new(rule).weighting(weighting);
            (fusion.class_prior, fusion.source_priors) = (class_prior, source_priors);
            fusion.source_temperatures = source_temperatures;
            Case { classes, fusion, said, order }
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4_000) })]

    /// Whatever the outstanding sources go on to say, and whoever of them says nothing.
    #[test]
    fn a_lock_never_changes_the_decision(case in case()) {
        let Case { classes, fusion, said, order } = case;
        let lock = Lock::new(&fusion, said.len(), classes).expect("a bound");
        let mut race = lock.race();
        let mut heard = vec![None; said.len()];
        let mut settled = None;
        for source in order {
            match &said[source] {
                Some(opinion) => race.heard(source, opinion).expect("valid"),
                None => race.out(source),
            }
            heard[source].clone_from(&said[source]);
            settled = settled.or(race.settled());
            if let Some(class) = settled {
                prop_assert_eq!(decision(&fusion, classes, &heard).0, class);
            }
        }
    }

    /// As long as a race under fixed weights is open, there is something the outstanding sources could say to turn the
    /// decision, or to bring it within a hair.
    #[test]
    fn no_lock_comes_late(case in case(), pick in 0_usize..4) {
        let Case { classes, mut fusion, said, order } = case;
        fusion.rule = [Rule::Linear, Rule::Vote, Rule::LogPool, Rule::Evidence { exponents: Vec::new() }][pick].clone();
        fusion.weighting = Weighting::Fixed((0..said.len()).map(|n| 0.5 + 0.25 * n as f32).collect());
        let lock = Lock::new(&fusion, said.len(), classes).expect("a bound");
        let mut race = lock.race();
        let mut heard = vec![None; said.len()];
        for source in order {
            match &said[source] {
                Some(opinion) => race.heard(source, opinion).expect("valid"),
                None => race.out(source),
            }
            heard[source].clone_from(&said[source]);
            if heard.iter().flatten().next().is_none() || race.settled().is_some() {
                continue;
            }
            let (leader, margin) = decision(&fusion, classes, &heard);
            let turned = |j: usize| {
                let mut all = heard.clone();
                for (n, slot) in all.iter_mut().enumerate().filter(|(n, _)| race.is_outstanding(*n)) {
                    *slot = Some(one_hot(classes, j));
                    assert!(race.is_outstanding(n));
                }
                let (class, margin) = decision(&fusion, classes, &all);
                class != leader || margin < 1e-3
            };
            prop_assert!(margin < 1e-3 || (0..classes).any(turned));
        }
    }
}

#[test]
fn five_of_eight_settle_a_vote() {
    let lock = Lock::new(&Fusion::new(Rule::Vote), 8, 10).expect("a bound");
    let mut race = lock.race();
    for source in 0..4 {
        race.heard(source, &Opinion::label(3)).expect("valid");
        assert_eq!(race.settled(), None);
    }
    race.heard(4, &Opinion::label(3)).expect("valid");
    assert_eq!(race.settled(), Some(3));
}

#[test]
fn failures_settle_too() {
    let lock = Lock::new(&Fusion::new(Rule::Vote), 3, 2).expect("a bound");
    let mut race = lock.race();
    race.out(0);
    assert_eq!(race.settled(), None);
    race.heard(1, &Opinion::label(0)).expect("valid");
    assert_eq!(race.settled(), None);
    race.out(2);
    assert_eq!(race.settled(), Some(0));
}

#[test]
fn what_has_no_bound_is_refused_by_name() {
    let refusal = |fusion: Fusion| Lock::new(&fusion, 3, 2).expect_err("no bound").to_string();
    assert!(refusal(Fusion::new(Rule::Median)).contains("under `median`"));
    let most_confident = Rule::ensemble(&[Rule::Linear, Rule::MaxVote]);
    assert!(refusal(Fusion::new(most_confident)).contains("under `ensemble`"));
    let consensus = "hellinger".parse().expect("a weighting");
    assert!(refusal(Fusion::new(Rule::Vote).weighting(consensus)).contains("under `consensus`"));
    assert!(refusal(Fusion::new(Rule::Vote).weighting(Weighting::PerClass(vec![1.0; 6]))).contains("`per_class`"));
    let short = refusal(Fusion::new(Rule::Vote).weighting(Weighting::Fixed(vec![1.0])));
    assert_eq!(short, "weighting has 1 entries, the evidence has 3 sources");
}
