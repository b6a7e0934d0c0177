//! Fusions that differ in one thing.

use consilience::{
    BeliefFusion, Conflict, Distance, Divergence, Fusion, Measure, Member, OnInvalid, Output, Rule, Weighting,
};

/// Fusions that differ from the default in one thing each, by the name of the field it is in.
pub fn fusions() -> Vec<(&'static str, Fusion)> {
    let base = Fusion::default;
    let mut all = vec![
        ("source_priors", base().source_priors(vec![])),
        ("source_priors", base().source_priors(vec![0.5, 0.5])),
        ("source_priors", base().source_priors(vec![0.5, 0.25])),
        ("class_prior", base().class_prior(vec![0.5, 0.5])),
        ("class_prior", base().class_prior(vec![0.0, 0.5])),
        ("class_prior", base().class_prior(vec![-0.0, 0.5])),
        ("reliabilities", base().reliabilities(vec![0.5, 0.5])),
        ("reliabilities", base().reliabilities(vec![0.5, f32::NAN])),
        ("reliabilities", base().reliabilities(vec![0.5, f32::from_bits(f32::NAN.to_bits() + 1)])),
        ("log_floor", base().log_floor(1e-6)),
        ("source_temperatures", base().source_temperatures(vec![0.5, 0.5])),
        ("temperature", base().temperature(1.5)),
        ("temperature", base().temperature(1.0_f32.next_up())),
        ("on_invalid", base().on_invalid(OnInvalid::Missing)),
        ("on_invalid", base().on_invalid(OnInvalid::Renormalise)),
    ];
    all.extend(Output::ALL.map(|output| ("outputs", base().outputs(&[output]))));
    let by_confidence = |gamma, measure| Weighting::Confidence { gamma, measure };
    let near =
        |positions: &[f32], target, distance| Weighting::Proximity { positions: positions.to_vec(), target, distance };
    let weightings = [
        Weighting::Fixed(vec![0.6]),
        Weighting::Fixed(vec![0.6, 0.4]),
        Weighting::Fixed(vec![0.4, 0.6]),
        Weighting::PerClass(vec![]),
        Weighting::PerClass(vec![0.6, 0.4]),
        by_confidence(1.0, Measure::Max),
        by_confidence(2.0, Measure::Max),
        by_confidence(1.0, Measure::Margin),
        by_confidence(1.0, Measure::Entropy),
        Weighting::Performance(vec![0.6, 0.4]),
        near(&[0.6, 0.4], 6.0, Distance::Linear),
        near(&[0.6, 0.4], 5.0, Distance::Linear),
        near(&[0.6, 0.5], 6.0, Distance::Linear),
        near(&[0.6, 0.4], 6.0, Distance::Cyclic),
        Weighting::Consensus { divergence: Divergence::Hellinger, steepness: 1.8 },
        Weighting::Consensus { divergence: Divergence::Hellinger, steepness: 1.0 },
        Weighting::Consensus { divergence: Divergence::JensenShannon, steepness: 1.8 },
        Weighting::Adaptive { beta: 0.5, learned: vec![0.6, 0.4] },
        Weighting::Adaptive { beta: 0.25, learned: vec![0.6, 0.4] },
        Weighting::Adaptive { beta: 0.5, learned: vec![0.6, 0.5] },
    ];
    all.extend(weightings.map(|weighting| ("weighting", base().weighting(weighting))));
    let member = |rule, weight| Rule::Ensemble(vec![Member { rule, weight }]);
    let rules = [
        Rule::Extremised { exponent: 3.0 },
        Rule::Evidence { exponents: vec![1.0] },
        Rule::PowerMean { exponent: 3.0 },
        Rule::Trimmed { share: 0.1 },
        Rule::Belief(BeliefFusion::Averaging),
        Rule::Belief(BeliefFusion::Weighted),
        Rule::Confusion { matrices: vec![0.5; 12] },
        Rule::Confusion { matrices: vec![0.5; 13] },
        Rule::Stacked { weights: vec![0.5; 8], bias: vec![0.0; 2] },
        Rule::Stacked { weights: vec![0.5; 8], bias: vec![0.0, 1.0] },
        Rule::Stacked { weights: vec![0.5; 7], bias: vec![0.5, 0.0, 0.0] },
        Rule::Adaptive { learned: vec![0.5, 0.5] },
        Rule::Adaptive { learned: vec![0.5, 0.25] },
        member(Rule::Linear, 1.0),
        member(Rule::Linear, 2.0),
        member(Rule::Vote, 1.0),
        Rule::DempsterShafer { conflict: Conflict::Ignorance },
    ];
    let simple = Rule::SIMPLE.into_iter().filter(|rule| !rules.contains(rule));
    all.extend(simple.chain(rules.iter().cloned()).map(|rule| ("rule", Fusion::new(rule))));
    all
}
