//! Labels, confusion matrices, stacking and temperatures, on cases small enough to work out by hand.

use consilience::{
    ABSTAINED_U8, ABSTAINED_U16, Evidence, Flags, Fusion, MISSING_U8, MISSING_U16, Opinions, Output, Rule, Weighting,
};

use super::rules::expect;
use crate::support::engines;

#[test]
fn a_label_is_a_certain_row() {
    let (labels, wide) = ([2, MISSING_U8, ABSTAINED_U8], [2, MISSING_U16, ABSTAINED_U16]);
    let flags = [0, Flags::NO_SOURCE.0, Flags::NO_SOURCE.0 | Flags::ABSTAINED.0];
    let third = 1.0 / 3.0;
    let want = [0.0, 0.0, 1.0, third, third, third, third, third, third];
    for opinions in [Opinions::LabelsU8(&labels), Opinions::LabelsU16(&wide)] {
        let evidence = Evidence::of(3, &[opinions]).expect("three items");
        expect(&Fusion::new(Rule::Linear), &evidence, &want, &[2, 0, 0], &flags);
        expect(&Fusion::new(Rule::Vote), &evidence, &want, &[2, 0, 0], &flags);
    }
}

#[test]
fn a_label_with_a_confidence_shares_out_the_rest() {
    let (labels, sure) = ([1], [0.7]);
    let evidence = Evidence::of(4, &[Opinions::LabelsU8(&labels)]).and_then(|e| e.with_confidence(0, &sure));
    expect(&Fusion::new(Rule::Linear), &evidence.expect("one item"), &[0.1, 0.7, 0.1, 0.1], &[1], &[0]);
    // A label that its own source doubts is voted for all the same.
    let doubted = [0.1];
    let evidence = Evidence::of(4, &[Opinions::LabelsU8(&labels)]).and_then(|e| e.with_confidence(0, &doubted));
    let evidence = evidence.expect("one item");
    expect(&Fusion::new(Rule::Linear), &evidence, &[0.3, 0.1, 0.3, 0.3], &[0], &[0]);
    expect(&Fusion::new(Rule::Vote), &evidence, &[0.0, 1.0, 0.0, 0.0], &[1], &[0]);
    // Of one class there is no rest.
    let only = [0];
    let evidence = Evidence::of(1, &[Opinions::LabelsU8(&only)]).and_then(|e| e.with_confidence(0, &doubted));
    expect(&Fusion::new(Rule::Linear), &evidence.expect("one item"), &[1.0], &[0], &[0]);
}

#[test]
fn binary_and_narrow_rows_are_the_rows_they_stand_for() {
    let (binary, quantised) = ([0.3], [60, 180]);
    let bits = [0.25, 0.75].map(half::bf16::from_f32);
    let logits = [0.0, 2.0].map(half::bf16::from_f32);
    let (half_bits, half_logits) = ([0.25, 0.75].map(half::f16::from_f32), [0.0, 2.0].map(half::f16::from_f32));
    let softmax = 1.0 / (1.0 + 2.0_f32.exp());
    for (opinions, p) in [
        (Opinions::Binary(&binary), 0.3),
        (Opinions::QuantisedU8(&quantised), 0.25),
        (Opinions::ProbabilitiesBf16(&bits), 0.25),
        (Opinions::LogitsBf16(&logits), softmax),
        (Opinions::ProbabilitiesF16(&half_bits), 0.25),
        (Opinions::LogitsF16(&half_logits), softmax),
    ] {
        let evidence = Evidence::of(2, &[opinions]).expect("one item");
        expect(&Fusion::new(Rule::Linear), &evidence, &[p, 1.0 - p], &[1], &[0]);
    }
}

/// Two annotators, of whom the first is right 9 times of 10 on class 0 and 6 of 10 on class 1, and the second abstains one
/// time in 10 on class 0, half of the time on class 1.
fn annotators() -> Fusion {
    let first = [0.9, 0.1, 0.0, 0.4, 0.6, 0.0];
    let second = [0.6, 0.3, 0.1, 0.2, 0.3, 0.5];
    Fusion::new(Rule::Confusion { matrices: [first, second].concat() }).class_prior(vec![0.25, 0.75])
}

#[test]
fn dawid_and_skenes_posterior() {
    let evidence = |first: &'static [u8], second: &'static [u8]| {
        Evidence::of(2, &[Opinions::LabelsU8(first), Opinions::LabelsU8(second)]).expect("one item")
    };
    // .25 x .9 x .6 : .75 x .4 x .2 = .135 : .06
    expect(&annotators(), &evidence(&[0], &[0]), &[0.135 / 0.195, 0.06 / 0.195], &[0], &[0]);
    // Missing says nothing: .25 x .9 : .75 x .4
    expect(&annotators(), &evidence(&[0], &[MISSING_U8]), &[0.225 / 0.525, 0.3 / 0.525], &[1], &[0]);
    // To abstain says something: .25 x .9 x .1 : .75 x .4 x .5
    let abstained = Flags::ABSTAINED.0;
    let p = [0.0225 / 0.1725, 0.15 / 0.1725];
    expect(&annotators(), &evidence(&[0], &[ABSTAINED_U8]), &p, &[1], &[abstained]);
    // Even where nobody says anything else: .25 x .1 : .75 x .5
    let nobody = [abstained | Flags::NO_SOURCE.0];
    let alone = evidence(&[MISSING_U8], &[ABSTAINED_U8]);
    expect(&annotators(), &alone, &[0.025 / 0.4, 0.375 / 0.4], &[1], &nobody);
    // ... and to no other rule.
    let linear = Fusion::new(Rule::Linear).class_prior(vec![0.25, 0.75]);
    expect(&linear, &alone, &[0.25, 0.75], &[1], &nobody);
    let mut half = annotators();
    half.rule = Rule::ensemble(&[half.rule, Rule::Linear]);
    expect(&half, &alone, &[(0.0625 + 0.25) / 2.0, (0.9375 + 0.75) / 2.0], &[1], &nobody);
    // Not asked at all, the prior.
    let flag = [Flags::NO_SOURCE.0];
    expect(&annotators(), &evidence(&[MISSING_U8], &[MISSING_U8]), &[0.25, 0.75], &[1], &flag);
}

#[test]
fn a_row_is_read_through_its_vote() {
    let (row, label) = ([0.6, 0.4], [0]);
    let evidence = Evidence::of(2, &[Opinions::Probabilities(&row), Opinions::LabelsU8(&label)]).expect("one item");
    expect(&annotators(), &evidence, &[0.135 / 0.195, 0.06 / 0.195], &[0], &[0]);
}

#[test]
fn a_stack_is_a_regression_on_logarithms() {
    let evidence = Evidence::probabilities(2, &[&[0.8, 0.2], &[0.5, 0.5]]).expect("one item");
    // Class 0: ln .8 - ln .5 + ln 3; class 1: 2 ln .2 + ln .5 + 0.
    let weights = vec![1.0, 0.0, 0.0, 2.0, -1.0, 0.0, 0.0, 1.0];
    let fusion = Fusion::new(Rule::Stacked { weights, bias: vec![3.0_f32.ln(), 0.0] });
    let (a, b) = (0.8 / 0.5 * 3.0, 0.04 * 0.5);
    expect(&fusion, &evidence, &[a / (a + b), b / (a + b)], &[0], &[0]);
    let absent = [false];
    let first_only = evidence.with_presence(1, &absent).expect("one item");
    let (a, b) = (0.8 * 3.0, 0.04);
    expect(&fusion, &first_only, &[a / (a + b), b / (a + b)], &[0], &[0]);
    // Off the diagonal: class 0 hears what is said of class 1, and class 1 nothing.
    let crossed = vec![0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
    let fusion = Fusion::new(Rule::Stacked { weights: crossed, bias: vec![0.0, 0.0] });
    expect(&fusion, &first_only, &[0.2 / 1.2, 1.0 / 1.2], &[1], &[0]);
}

#[test]
fn a_temperature_of_two_takes_the_root() {
    let evidence = Evidence::probabilities(2, &[&[0.9, 0.1], &[0.5, 0.5]]).expect("one item");
    // sqrt .9 : sqrt .1 = 3 : 1
    let source = Fusion::new(Rule::Linear).source_temperatures(vec![2.0, 1.0]);
    expect(&source, &evidence, &[0.625, 0.375], &[0], &[0]);
    // sqrt .7 : sqrt .3
    let (a, b) = (0.7_f32.sqrt(), 0.3_f32.sqrt());
    expect(&Fusion::new(Rule::Linear).temperature(2.0), &evidence, &[a / (a + b), b / (a + b)], &[0], &[0]);
    // .49 : .09
    expect(&Fusion::new(Rule::Linear).temperature(0.5), &evidence, &[0.49 / 0.58, 0.09 / 0.58], &[0], &[0]);
    // Nobody present: the prior, as it is.
    let absent = [false];
    let nobody = evidence.with_presence(0, &absent).and_then(|e| e.with_presence(1, &absent)).expect("one item");
    let prior = Fusion::new(Rule::Linear).temperature(2.0).class_prior(vec![0.9, 0.1]);
    expect(&prior, &nobody, &[0.9, 0.1], &[0], &[Flags::NO_SOURCE.0]);
}

#[test]
fn weights_per_class_are_heard_class_by_class() {
    let evidence = Evidence::probabilities(2, &[&[0.8, 0.2], &[0.4, 0.6]]).expect("one item");
    // Class 0: (3 x .8 + .4) / 4 = .7; class 1: (.2 + .6) / 2 = .4; their sum 1.1.
    let fusion = Fusion::new(Rule::Linear).weighting(Weighting::PerClass(vec![3.0, 1.0, 1.0, 1.0]));
    expect(&fusion, &evidence, &[7.0 / 11.0, 4.0 / 11.0], &[0], &[0]);
    // Heard on one class alone, and on the other too where nobody else is.
    let apart = Fusion::new(Rule::Linear).weighting(Weighting::PerClass(vec![1.0, 0.0, 0.0, 1.0]));
    expect(&apart, &evidence, &[0.8 / 1.4, 0.6 / 1.4], &[0], &[0]);
    let absent = [false];
    let first_only = evidence.with_presence(1, &absent).expect("one item");
    expect(&apart, &first_only, &[0.8, 0.2], &[0], &[0]);
}

/// Sources (.9, .1) and (.5, .5): the consensus is (.7, .3).
#[test]
fn weightings_by_what_an_opinion_is_worth() {
    use consilience::{Divergence, Measure};
    let evidence = Evidence::probabilities(2, &[&[0.9, 0.1], &[0.5, 0.5]]).expect("one item");
    let linear = |weighting| Fusion::new(Rule::Linear).weighting(weighting);
    // Margins .8 and 0; entropies .325083 and ln 2, so 1 - .468996 and 0.
    for measure in [Measure::Margin, Measure::Entropy] {
        expect(&linear(Weighting::Confidence { gamma: 1.0, measure }), &evidence, &[0.9, 0.1], &[0], &[0]);
    }
    let pooled = |a: f64, b: f64| ((0.9 * a + 0.5 * b) / (a + b)) as f32;
    let bc = |p: f64| 1.0 - (p * 0.7).sqrt() - ((1.0 - p) * 0.3).sqrt();
    let w = |d: f64| 1.0 / (1.0 + 1.8 * d);
    let p = pooled(w(bc(0.9).sqrt()), w(bc(0.5).sqrt()));
    let consensus = |divergence| linear(Weighting::Consensus { divergence, steepness: 1.8 });
    expect(&consensus(Divergence::Hellinger), &evidence, &[p, 1.0 - p], &[0], &[0]);
    let h = |p: f64| -(p * p.ln() + (1.0 - p) * (1.0 - p).ln());
    let jsd = |p: f64| (h((p + 0.7) / 2.0) - (h(p) + h(0.7)) / 2.0) / 2.0_f64.ln();
    let p = pooled(w(jsd(0.9)), w(jsd(0.5)));
    expect(&consensus(Divergence::JensenShannon), &evidence, &[p, 1.0 - p], &[0], &[0]);
}

/// Contributions by hand: of the log pool the sources' halves of ln (2 : 1); of the linear pool their shares of .3.
#[test]
fn contributions_say_who_did_what() {
    let evidence = Evidence::probabilities(2, &[&[0.8, 0.2], &[0.5, 0.5]]).expect("one item");
    let ln = f32::ln;
    let tempered = |rule| Fusion::new(rule).temperature(2.0);
    let confusion = Rule::Confusion { matrices: vec![0.9, 0.1, 0.0, 0.4, 0.6, 0.0, 0.5, 0.2, 0.3, 0.5, 0.2, 0.3] };
    for (fusion, want) in [
        (Fusion::new(Rule::LogPool), [ln(4.0) / 2.0, 0.0]),
        (Fusion::new(Rule::Extremised { exponent: 3.0 }), [1.5 * ln(4.0), 0.0]),
        (Fusion::new(Rule::Evidence { exponents: vec![] }), [ln(4.0), 0.0]),
        (Fusion::new(confusion), [ln(0.9 / 0.4), 0.0]),
        (Fusion::new(Rule::Linear), [ln(0.65 / 0.35), 0.0]),
        (tempered(Rule::Linear), [ln(0.65 / 0.35) / 2.0, 0.0]),
        (tempered(Rule::LogPool), [ln(4.0) / 4.0, 0.0]),
        // A vote of (.8, .2) and of (.5, .5) are both for class 0; classes are held at eps.
        (Fusion::new(Rule::Vote), [ln(1e7) / 2.0, ln(1e7) / 2.0]),
    ] {
        for (name, engine) in engines::all() {
            let fused = engine.fuse(&fusion.clone().outputs(&[Output::Contributions]), &evidence);
            let fused = fused.expect("valid evidence");
            let got = fused.contributions();
            let agrees = got.iter().zip(want).all(|(got, want)| (got - want).abs() < 2e-5);
            assert!(agrees && got.len() == 2, "{name}, {fusion:?}: {got:?} is not {want:?}");
            assert_eq!(fused.strongest(0, 1)[0].0, 0, "{name}");
        }
    }
    // Against the decision: -.3 of .1, in nats of ln (.55 : .45).
    let against = Evidence::probabilities(2, &[&[0.8, 0.2], &[0.3, 0.7]]).expect("one item");
    let lm = 0.1 / ln(0.55 / 0.45);
    for (name, engine) in engines::all() {
        let fusion = Fusion::new(Rule::Linear).outputs(&[Output::Contributions]);
        let fused = engine.fuse(&fusion, &against).expect("valid evidence");
        let want = [0.3 / lm, -0.2 / lm];
        let agrees = fused.contributions().iter().zip(want).all(|(got, want)| (got - want).abs() < 2e-5);
        assert!(agrees, "{name}: {:?} is not {want:?}", fused.contributions());
        assert_eq!(fused.strongest(0, 2).iter().map(|(n, _)| *n).collect::<Vec<_>>(), [0, 1], "{name}");
    }
}
