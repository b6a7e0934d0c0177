//! Two scalar confidences: the table that must come out exactly.

use consilience::{Distance, Evidence, Fusion, Measure, Output, Rule, Weighting};

use crate::support::engines;

/// Confidences, weighting, and the expected first weight, linear pool, vote (max), first Bayesian weight, Bayesian
/// average and ensemble.
type Row = ([f32; 2], Weighting, [f64; 6]);

fn table() -> [Row; 7] {
    let fixed = || Weighting::Fixed(vec![0.6, 0.4]);
    let confidence = || Weighting::Confidence { gamma: 1.0, measure: Measure::Max };
    let adaptive = Weighting::Adaptive { beta: 0.5, learned: vec![0.6, 0.4] };
    let proximity = Weighting::Proximity { positions: vec![6.0, 4.0], target: 6.0, distance: Distance::Linear };
    [
        ([0.85, 0.5], fixed(), [0.600000, 0.710000, 0.85, 0.792746, 0.777461, 0.779154]),
        ([0.85, 0.5], confidence(), [0.629630, 0.720370, 0.85, 0.812559, 0.784396, 0.784922]),
        ([0.85, 0.5], adaptive, [0.617021, 0.715957, 0.85, 0.804241, 0.781485, 0.782481]),
        ([0.85, 0.5], proximity, [0.583333, 0.704167, 0.85, 0.781182, 0.773414, 0.775860]),
        ([0.9, 0.6], fixed(), [0.600000, 0.780000, 0.9, 0.771429, 0.831429, 0.837143]),
        ([0.4, 0.7], fixed(), [0.600000, 0.520000, 0.7, 0.562500, 0.531250, 0.583750]),
        ([0.4, 0.7], confidence(), [0.363636, 0.590909, 0.7, 0.328767, 0.601370, 0.630760]),
    ]
}

#[test]
fn the_table_holds_to_six_digits() {
    for (name, engine) in engines::all() {
        for (given, weighting, [w, linear, vote, r, bayes, ensemble]) in table() {
            // A scalar confidence c is the opinion (c, 1 - c), with c as the confidence given.
            let fused = |rule: Rule, opinions: [[f32; 2]; 2]| {
                let (a, b) = ([given[0]], [given[1]]);
                let evidence = Evidence::probabilities(2, &[&opinions[0], &opinions[1]])
                    .and_then(|e| e.with_confidence(0, &a))
                    .and_then(|e| e.with_confidence(1, &b))
                    .expect("one item");
                let mut fusion = Fusion::two_source().weighting(weighting.clone());
                fusion.rule = rule;
                let fused = engine.fuse(&fusion.outputs(&[Output::Posterior]), &evidence).expect("valid evidence");
                f64::from(fused.posterior()[0])
            };
            let scalar = given.map(|c| [c, 1.0 - c]);
            // Where only the first source is for the first class, the pool is that source's weight.
            let apart = [[1.0, 0.0], [0.0, 1.0]];
            let got = [
                fused(Rule::Linear, apart),
                fused(Rule::Linear, scalar),
                fused(Rule::MaxVote, scalar),
                fused(Rule::BayesianAverage, apart),
                fused(Rule::BayesianAverage, scalar),
                fused(Fusion::two_source().rule, scalar),
            ];
            for (got, want) in got.into_iter().zip([w, linear, vote, r, bayes, ensemble]) {
                assert!((got - want).abs() < 6e-7, "{name}, {given:?}, {weighting:?}: {got} is not {want}");
            }
        }
    }
}
