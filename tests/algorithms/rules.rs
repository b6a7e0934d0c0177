//! Each rule on a case small enough to work out by hand.

use consilience::{Evidence, Flags, Fusion, Measure, OnInvalid, Output, Rule, Weighting};

use crate::support::engines;

/// Fuses on every executor and compares posterior and decision with literals.
pub fn expect(fusion: &Fusion, evidence: &Evidence<'_>, posterior: &[f32], decision: &[u32], flags: &[u32]) {
    let fusion = fusion.clone().outputs(&[Output::Posterior, Output::Decision, Output::Flags]);
    for (name, engine) in engines::all() {
        let fused = engine.fuse(&fusion, evidence).expect("valid evidence");
        for (got, want) in fused.posterior().iter().zip(posterior) {
            assert!((got - want).abs() < 1e-6, "{name}: {:?} is not {posterior:?}", fused.posterior());
        }
        assert_eq!(fused.posterior().len(), posterior.len(), "{name}");
        assert_eq!(fused.decision(), decision, "{name}");
        assert_eq!(fused.flags(), flags, "{name}");
    }
}

#[test]
fn linear_is_the_weighted_mean() {
    let evidence = Evidence::probabilities(2, &[&[0.8, 0.2], &[0.2, 0.8]]).expect("one item");
    let fusion = Fusion::new(Rule::Linear).weighting(Weighting::Fixed(vec![3.0, 1.0]));
    expect(&fusion, &evidence, &[0.65, 0.35], &[0], &[0]);
}

#[test]
fn log_pool_is_the_geometric_mean_above_the_floor() {
    let evidence = Evidence::probabilities(2, &[&[0.8, 0.2], &[0.5, 0.5]]).expect("one item");
    // sqrt(.8 * .5) : sqrt(.2 * .5) = 2 : 1
    expect(&Fusion::new(Rule::LogPool), &evidence, &[2.0 / 3.0, 1.0 / 3.0], &[0], &[0]);
    let certain = Evidence::probabilities(2, &[&[0.0, 1.0], &[0.5, 0.5]]).expect("one item");
    // sqrt(.01 * .5) : sqrt(1 * .5) = 1 : 10
    let floor = Fusion::new(Rule::LogPool).log_floor(0.01);
    expect(&floor, &certain, &[1.0 / 11.0, 10.0 / 11.0], &[1], &[0]);
}

#[test]
fn tied_votes_fall_to_the_larger_linear_pool_then_to_the_lower_class() {
    let larger = Evidence::probabilities(3, &[&[0.4, 0.3, 0.3], &[0.0, 0.1, 0.9]]).expect("one item");
    expect(&Fusion::new(Rule::Vote), &larger, &[0.5, 0.0, 0.5], &[2], &[0]);
    let equal = Evidence::probabilities(3, &[&[0.25, 0.5, 0.25], &[0.25, 0.25, 0.5]]).expect("one item");
    expect(&Fusion::new(Rule::Vote), &equal, &[0.0, 0.5, 0.5], &[1], &[0]);
    let inside_a_source = Evidence::probabilities(3, &[&[0.1, 0.45, 0.45]]).expect("one item");
    expect(&Fusion::new(Rule::Vote), &inside_a_source, &[0.0, 1.0, 0.0], &[1], &[0]);
    // .1 + .2 and .3 differ in f32 and tie all the same.
    let rows: [&[f32]; 3] = [&[0.9, 0.1], &[0.9, 0.1], &[0.0, 1.0]];
    let sums = Evidence::probabilities(2, &rows).expect("one item");
    let fusion = Fusion::new(Rule::Vote).weighting(Weighting::Fixed(vec![0.1, 0.2, 0.3]));
    expect(&fusion, &sums, &[0.5, 0.5], &[1], &[0]);
}

#[test]
fn equally_confident_sources_share_the_maximum() {
    let evidence = Evidence::probabilities(2, &[&[0.9, 0.1], &[0.1, 0.9], &[0.6, 0.4]]).expect("one item");
    expect(&Fusion::new(Rule::MaxVote), &evidence, &[0.5, 0.5], &[0], &[0]);
    // A source of weight zero is not heard, however confident.
    let weights = Fusion::new(Rule::MaxVote).weighting(Weighting::Fixed(vec![0.0, 0.0, 1.0]));
    expect(&weights, &evidence, &[0.6, 0.4], &[0], &[0]);
}

#[test]
fn nobody_present_is_the_class_prior_with_a_flag() {
    let nobody = [false, true];
    let evidence = Evidence::probabilities(2, &[&[f32::NAN, -1.0, 0.3, 0.7]])
        .and_then(|e| e.with_presence(0, &nobody))
        .expect("two items");
    let fusion = Fusion::default().class_prior(vec![3.0, 1.0]);
    // The ensemble of one opinion: linear .7, vote 1, Bayesian average .7.
    expect(&fusion, &evidence, &[0.75, 0.25, 0.2, 0.8], &[0, 1], &[Flags::NO_SOURCE.0, 0]);
}

#[test]
fn weights_of_zero_fall_back_to_the_priors_then_to_equal_weights() {
    let evidence = Evidence::probabilities(2, &[&[1.0, 0.0], &[0.0, 1.0]]).expect("one item");
    let zero = Fusion::new(Rule::Linear).weighting(Weighting::Fixed(vec![0.0, 0.0]));
    let flag = [Flags::ZERO_WEIGHTS.0];
    expect(&zero.clone().source_priors(vec![1.0, 3.0]), &evidence, &[0.25, 0.75], &[1], &flag);
    let absent = [false];
    let second_only = evidence.with_presence(0, &absent).expect("one item");
    expect(&zero.source_priors(vec![1.0, 0.0]), &second_only, &[0.0, 1.0], &[1], &flag);
}

#[test]
fn confidences_of_zero_leave_the_bayesian_average_its_weights() {
    let zeros = [0.0];
    let evidence = Evidence::probabilities(2, &[&[1.0, 0.0], &[0.0, 1.0]])
        .and_then(|e| e.with_confidence(0, &zeros)?.with_confidence(1, &zeros))
        .expect("one item");
    let fusion = Fusion::new(Rule::BayesianAverage).weighting(Weighting::Fixed(vec![1.0, 3.0]));
    expect(&fusion, &evidence, &[0.25, 0.75], &[1], &[Flags::ZERO_WEIGHTS.0]);
}

#[test]
fn an_invalid_row_can_be_left_out_or_mended() {
    let evidence = Evidence::probabilities(2, &[&[1.0, 3.0], &[0.5, 0.5]]).expect("one item");
    let linear = Fusion::new(Rule::Linear);
    let left_out = linear.clone().on_invalid(OnInvalid::Missing);
    expect(&left_out, &evidence, &[0.5, 0.5], &[0], &[Flags::INVALID_LEFT_OUT.0]);
    let mended = linear.on_invalid(OnInvalid::Renormalise);
    expect(&mended, &evidence, &[0.375, 0.625], &[1], &[Flags::RENORMALISED.0]);
}

#[test]
fn scalars_of_an_item_are_what_they_are_called() {
    let evidence = Evidence::probabilities(2, &[&[1.0, 0.0], &[0.5, 0.5]]).expect("one item");
    let fusion = Fusion::new(Rule::Linear).weighting(Weighting::Fixed(vec![1.0, 1.0])).outputs(&Output::ALL);
    for (name, engine) in engines::all() {
        let fused = engine.fuse(&fusion, &evidence).expect("valid evidence");
        let entropy = -(0.75_f32 * 0.75_f32.ln() + 0.25 * 0.25_f32.ln());
        let ln_2 = std::f32::consts::LN_2;
        let got = [fused.confidence()[0], fused.margin()[0], fused.entropy()[0], fused.disagreement()[0]];
        let want = [0.75, 0.5, entropy, (entropy - 0.5 * ln_2) / ln_2];
        assert!(got.iter().zip(want).all(|(g, w)| (g - w).abs() < 2e-6), "{name}: {got:?} is not {want:?}");
        assert!((fused.effective_sources()[0] - 2.0).abs() < 1e-5, "{name}");
    }
}

#[test]
fn effective_sources_survive_tiny_weights() {
    let evidence = Evidence::probabilities(10, &[&[0.1; 10], &[0.1; 10]]).expect("one item");
    let fusion = Fusion::new(Rule::Linear)
        .weighting(Weighting::Confidence { gamma: 28.0, measure: Measure::Max })
        .outputs(&Output::ALL);
    for (name, engine) in engines::all() {
        let fused = engine.fuse(&fusion, &evidence).expect("valid evidence");
        assert!((fused.effective_sources()[0] - 2.0).abs() < 1e-5, "{name}: {:?}", fused.effective_sources());
        assert_eq!(fused.flags(), [0], "{name}");
    }
}
