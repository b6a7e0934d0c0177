//! Every rule and every weighting there is, with random parameters where they take any.

use consilience::{BeliefFusion, Distance, Divergence, Measure, Member, Rule, STEEPNESS, Weighting};

use crate::support::problem::Random;

/// Every rule alone with every kind of parameter.
pub fn rules(sources: usize, classes: usize, seed: u64) -> Vec<Rule> {
    let mut random = Random::new(seed);
    let mut rules = Rule::SIMPLE.to_vec();
    rules.extend([
        Rule::Extremised { exponent: 0.5 },
        Rule::Evidence { exponents: random.list(sources, 0.0, 1.5) },
        Rule::PowerMean { exponent: -1.0 },
        Rule::PowerMean { exponent: 3.0 },
        Rule::Trimmed { share: 0.45 },
        Rule::Belief(BeliefFusion::Averaging),
        Rule::Belief(BeliefFusion::Weighted),
    ]);
    rules.extend(learned(sources, classes, seed));
    rules
}

/// The rules that are learned: confusion matrices, stacking and learned weights.
pub fn learned(sources: usize, classes: usize, seed: u64) -> [Rule; 3] {
    let mut random = Random::new(seed);
    let mut matrices = random.list(sources * classes * (classes + 1), 0.0, 1.0);
    matrices.iter_mut().step_by(7).for_each(|theta| *theta = 0.0);
    let stack = random.list(sources * classes * classes, -0.5, 0.5).into_iter();
    [
        Rule::Confusion { matrices },
        Rule::Stacked {
            weights: stack.map(|a| 4.0 * a / classes.max(2) as f32).collect(),
            bias: random.list(classes, -1.0, 1.0),
        },
        Rule::Adaptive { learned: with_zeros(&mut random, sources) },
    ]
}

/// One rule of every kind in unequal shares, as many as an ensemble can hold.
pub fn everything(sources: usize, classes: usize, seed: u64) -> Rule {
    let mut members = Vec::<Member>::new();
    for rule in rules(sources, classes, seed) {
        let is_there = |member: &Member| std::mem::discriminant(&member.rule) == std::mem::discriminant(&rule);
        if !members.iter().any(is_there) {
            members.push(Member { rule, weight: 1.0 + members.len() as f32 });
        }
    }
    Rule::Ensemble(members)
}

/// Every weighting, some with weights of zero.
pub fn weightings(sources: usize, classes: usize, seed: u64) -> Vec<Weighting> {
    let mut random = Random::new(seed);
    let confidence = |gamma, measure| Weighting::Confidence { gamma, measure };
    let consensus = |divergence, steepness| Weighting::Consensus { divergence, steepness };
    let positions: Vec<f32> = (0..sources).map(|_| random.below(10) as f32).collect();
    vec![
        Weighting::default(),
        Weighting::Fixed(with_zeros(&mut random, sources)),
        Weighting::PerClass(with_zeros(&mut random, sources * classes)),
        Weighting::Performance(random.list(sources, 0.0, 3.0)),
        Weighting::Proximity { positions: positions.clone(), target: 6.0, distance: Distance::Linear },
        Weighting::Proximity { positions, target: 1.0, distance: Distance::Cyclic },
        confidence(1.0, Measure::Max),
        confidence(2.5, Measure::Max),
        confidence(1.0, Measure::Margin),
        confidence(0.5, Measure::Entropy),
        consensus(Divergence::Hellinger, STEEPNESS),
        consensus(Divergence::JensenShannon, 20.0),
        Weighting::Adaptive { beta: 0.5, learned: random.list(sources, 0.0, 2.0) },
    ]
}

/// Whether contributions of the rule are defined.
pub fn has_contributions(rule: &Rule) -> bool {
    let is_arithmetic = |rule: &Rule| {
        matches!(
            rule,
            Rule::Linear | Rule::Vote | Rule::MaxVote | Rule::BayesianAverage | Rule::Belief(_) | Rule::Adaptive { .. }
        )
    };
    match rule {
        Rule::LogPool
        | Rule::Extremised { .. }
        | Rule::Evidence { .. }
        | Rule::Confusion { .. }
        | Rule::Stacked { .. } => true,
        Rule::Ensemble(members) => members.iter().all(|member| is_arithmetic(&member.rule)),
        rule => is_arithmetic(rule),
    }
}

fn with_zeros(random: &mut Random, n: usize) -> Vec<f32> {
    (0..n).map(|_| if random.unit() < 0.4 { 0.0 } else { random.unit() }).collect()
}
