//! Cases fused alone and in batches.

use std::sync::Arc;

use consilience::orchestration::fuse::{Case, Verdict};
use consilience::orchestration::{FusionProcess, Opinion, Process};
use consilience::{
    ABSTAINED_U16, Engine, Evidence, Flags, Fused, Fusion, Measure, OnInvalid, Opinions, Output, Rule, Weighting,
};
use proptest::prelude::*;

const SOURCES: usize = 4;

fn process() -> FusionProcess {
    FusionProcess::new(Arc::new(Engine::cpu().expect("the CPU")))
}

/// Three fusions that differ, and one that equals the first and is another.
fn fusions() -> [Arc<Fusion>; 4] {
    let plain = [
        Output::Posterior,
        Output::Decision,
        Output::Confidence,
        Output::Margin,
        Output::Entropy,
        Output::Disagreement,
        Output::EffectiveSources,
        Output::Flags,
        Output::Conflict,
    ];
    let ensemble =
        Fusion::default().weighting(Weighting::Confidence { gamma: 1.0, measure: Measure::default() }).outputs(&plain);
    let pool = Fusion::new(Rule::LogPool).outputs(&[Output::Decision, Output::Contributions]);
    [
        Arc::new(ensemble.clone()),
        Arc::new(pool),
        Arc::new(Fusion::new(Rule::Vote).outputs(&[Output::Posterior])),
        Arc::new(ensemble),
    ]
}

/// One item as an engine takes it, by the simplest way there is: a missing source is a masked row.
fn alone(engine: &Engine, case: &Case) -> Fused {
    let masked = vec![0.0; case.classes()];
    let label = |opinion: &Option<Opinion>| match opinion {
        Some(Opinion::Label { class, .. }) => [*class],
        _ => [ABSTAINED_U16],
    };
    let labels: Vec<[u16; 1]> = case.opinions().iter().map(label).collect();
    let plane = |(opinion, label)| match opinion {
        &Some(Opinion::Probabilities(ref v)) => Opinions::Probabilities(v),
        Some(Opinion::LogProbabilities(v)) => Opinions::LogProbabilities(v),
        Some(Opinion::Logits(v)) => Opinions::Logits(v),
        Some(Opinion::Binary(p)) => Opinions::Binary(std::slice::from_ref(p)),
        Some(_) => Opinions::LabelsU16(label),
        None => Opinions::Probabilities(&masked),
    };
    let planes: Vec<_> = case.opinions().iter().zip(labels.iter().map(|l| &l[..])).map(plane).collect();
    let mut evidence = Evidence::of(case.classes(), &planes).expect("planes");
    for (source, opinion) in case.opinions().iter().enumerate() {
        match opinion {
            None => evidence = evidence.with_presence(source, &[false]).expect("a source"),
            Some(Opinion::Label { confidence: Some(c), .. }) => {
                evidence = evidence.with_confidence(source, std::slice::from_ref(c)).expect("a source");
            }
            _ => {}
        }
    }
    engine.fuse(case.fusion(), &evidence).expect("a fusion")
}

/// All the numbers of a verdict, as bits.
fn bits(verdict: &Verdict) -> Vec<Vec<u32>> {
    let floats = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect();
    let one = |value: Option<f32>| value.into_iter().map(f32::to_bits).collect();
    vec![
        floats(&verdict.posterior),
        verdict.decision.into_iter().collect(),
        one(verdict.confidence),
        one(verdict.margin),
        one(verdict.entropy),
        one(verdict.disagreement),
        one(verdict.effective_sources),
        verdict.flags.into_iter().map(|Flags(flags)| flags).collect(),
        one(verdict.conflict),
        floats(&verdict.contributions),
    ]
}

fn fused_bits(fused: &Fused) -> Vec<Vec<u32>> {
    let floats = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect();
    vec![
        floats(fused.posterior()),
        fused.decision().to_vec(),
        floats(fused.confidence()),
        floats(fused.margin()),
        floats(fused.entropy()),
        floats(fused.disagreement()),
        floats(fused.effective_sources()),
        fused.flags().to_vec(),
        floats(fused.conflict()),
        floats(fused.contributions()),
    ]
}

fn opinion(classes: usize) -> impl Strategy<Value = Option<Opinion>> {
    let scores = || prop::collection::vec(-4.0..4.0_f32, classes);
    let probabilities = |scores: Vec<f32>| {
        let total: f32 = scores.iter().map(|s| s.exp()).sum();
        scores.into_iter().map(|s| s.exp() / total).collect::<Vec<_>>()
    };
    let class = 0..classes as u16;
    let last =
        if classes == 2 { (0.0..=1.0_f32).prop_map(Opinion::Binary).boxed() } else { Just(Opinion::Abstained).boxed() };
    let given = prop_oneof![
        scores().prop_map(move |scores| Opinion::Probabilities(probabilities(scores))),
        scores().prop_map(move |scores| Opinion::LogProbabilities(
            probabilities(scores).into_iter().map(f32::ln).collect()
        )),
        scores().prop_map(Opinion::Logits),
        class.clone().prop_map(Opinion::label),
        (class, 0.0..=1.0_f32).prop_map(|(class, c)| Opinion::Label { class, confidence: Some(c) }),
        Just(Opinion::Abstained),
        last,
    ];
    prop::option::weighted(0.8, given)
}

fn case() -> impl Strategy<Value = Case> {
    let classes = prop_oneof![Just(2_usize), Just(3)];
    let rest =
        classes.prop_flat_map(|classes| (Just(classes), prop::collection::vec(opinion(classes), SOURCES), 0..4_usize));
    rest.prop_map(|(classes, opinions, fusion)| {
        Case::new(Arc::clone(&fusions()[fusion]), classes, opinions).expect("a case")
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_verdict_has_the_same_bits_alone_and_in_any_batch(kinds in prop::collection::vec(case(), 1..5), picks in prop::collection::vec(any::<prop::sample::Index>(), 1..60)) {
        let (process, engine) = (process(), Engine::cpu().unwrap());
        let cases: Vec<Case> = picks.iter().map(|pick| pick.get(&kinds).clone()).collect();
        let verdicts = process.process(cases.clone());
        prop_assert_eq!(verdicts.len(), cases.len());
        for (case, verdict) in cases.iter().zip(verdicts) {
            let expected = fused_bits(&alone(&engine, case));
            prop_assert_eq!(&bits(&verdict.unwrap()), &expected);
            prop_assert_eq!(&bits(&process.fuse(case).unwrap()), &expected);
        }
    }

    #[test]
    fn many_cases_of_mixed_forms_have_the_bits_of_each_alone(cases in prop::collection::vec(case(), 1..80)) {
        let (process, engine) = (process(), Engine::cpu().unwrap());
        for (case, verdict) in cases.iter().zip(process.process(cases.clone())) {
            prop_assert_eq!(bits(&verdict.unwrap()), fused_bits(&alone(&engine, case)));
        }
    }
}

fn refused(classes: usize, opinions: Vec<Option<Opinion>>) -> String {
    Case::new(Arc::default(), classes, opinions).expect_err("a fault").to_string()
}

#[test]
fn what_is_no_opinion_never_becomes_a_case() {
    let sure = Some(Opinion::Probabilities(vec![0.9, 0.1]));
    let beside = |opinion| refused(2, vec![sure.clone(), Some(opinion)]);
    let probabilities = |values: &[f32]| beside(Opinion::Probabilities(values.to_vec()));
    assert_eq!(probabilities(&[0.5, 0.25, 0.25]), "the opinion of source 1 has 3 entries where the evidence needs 2");
    assert_eq!(
        probabilities(&[0.5, 0.5, 0.5, 0.5]),
        "the opinion of source 1 has 4 entries where the evidence needs 2"
    );
    assert_eq!(probabilities(&[f32::NAN, 0.5]), "source 1, item 0, class 0: NaN is not a number");
    let negative = "source 1, item 0, class 1: -0.5 is negative; probabilities and confidences lie in [0, 1]";
    assert_eq!(probabilities(&[1.5, -0.5]), negative);
    let sum = "source 1, item 0: the probabilities sum to 1.25, not to 1 within 0.001; normalise them";
    assert!(probabilities(&[0.75, 0.5]).starts_with(sum));
    assert_eq!(beside(Opinion::Logits(vec![0.0, f32::INFINITY])), "source 1, item 0, class 1: inf is not finite");
    assert!(
        beside(Opinion::LogProbabilities(vec![0.0, 0.0])).starts_with("source 1, item 0: the probabilities sum to 2")
    );
    let sure = |c| Opinion::Label { class: 0, confidence: Some(c) };
    assert_eq!(beside(sure(-0.5)), "source 1, item 0: -0.5 is negative; probabilities and confidences lie in [0, 1]");
    assert_eq!(beside(Opinion::label(2)), "source 1, item 0: label 2 is no class; classes are 0 to 1");
    assert_eq!(beside(Opinion::label(u16::MAX)), "source 1, item 0: label 65535 is no class; classes are 0 to 1");
    assert_eq!(beside(Opinion::Binary(1.5)), "source 1, item 0, class 0: 1.5 is above one; confidences lie in [0, 1]");
    assert_eq!(refused(2, Vec::new()), "evidence has no sources; give at least one plane of opinions");
    assert_eq!(refused(0, vec![None]), "evidence has no classes; an opinion needs at least one class");
}

fn two(fusion: &Arc<Fusion>, second: Vec<f32>) -> Case {
    let first = Some(Opinion::Probabilities(vec![0.9, 0.1]));
    Case::new(Arc::clone(fusion), 2, vec![first, Some(Opinion::Probabilities(second))]).expect("a case")
}

#[test]
fn what_the_fusion_mends_is_let_through() {
    let outputs = [Output::Decision, Output::Flags];
    let fusion = Arc::new(Fusion::default().on_invalid(OnInvalid::Missing).outputs(&outputs));
    let verdict = process().fuse(&two(&fusion, vec![f32::NAN, 0.5])).unwrap();
    assert_eq!((verdict.decision, verdict.flags), (Some(0), Some(Flags::INVALID_LEFT_OUT)));
    // What was not asked for is not there.
    assert_eq!((verdict.posterior, verdict.confidence, verdict.margin), (Vec::new(), None, None));
}

#[test]
fn a_case_that_the_engine_refuses_fails_alone() {
    let fusion = Arc::new(Fusion::new(Rule::Linear).on_invalid(OnInvalid::Renormalise));
    let unfit = Arc::new(Fusion::new(Rule::Linear).weighting(Weighting::Fixed(vec![1.0, 1.0, 1.0])));
    let cases = vec![
        two(&fusion, vec![0.5, 0.5]),
        // No division mends it.
        two(&fusion, vec![f32::NAN, 0.5]),
        two(&unfit, vec![0.5, 0.5]),
        two(&fusion, vec![1.0, 1.0]),
        two(&unfit, vec![0.1, 0.9]),
    ];
    let verdicts = process().process(cases);
    let [Ok(first), Err(invalid), Err(unfit), Ok(last), Err(unfit_too)] = &verdicts[..] else { panic!("{verdicts:?}") };
    assert_eq!((first.decision, first.posterior[0].to_bits()), (Some(0), 0.7_f32.to_bits()));
    assert_eq!(last.posterior, first.posterior);
    assert_eq!(invalid.to_string(), "source 1, item 0, class 0: NaN is not a number");
    assert!(unfit.is_spec() && unfit_too.is_spec());
}
