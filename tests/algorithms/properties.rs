//! What holds for every rule, whatever the evidence.

use consilience::{BeliefFusion, Encoding, Form, Fused, Fusion, Measure, Member, Output, Rule, Weighting};
use proptest::prelude::*;

use crate::support::cases::config;
use crate::support::compare::{against, agree};
use crate::support::problem::{Problem, Random, Values};
use crate::support::{engines, oracle, specs};

/// A problem in mixed forms, some opinions missing, some confidences given; with a rule and a weighting for it.
#[derive(Debug, Clone)]
struct Case {
    problem: Problem,
    rule: Rule,
    weighting: Weighting,
    seed: u64,
}

impl Case {
    fn fusion(&self) -> Fusion {
        Fusion::new(self.rule.clone()).weighting(self.weighting.clone())
    }

    /// The same with everything that can be said of each source and class.
    fn parametrised(&self) -> Fusion {
        let mut random = Random::new(self.seed);
        let (n, c) = (self.problem.planes.len(), self.problem.classes);
        self.fusion()
            .source_priors(random.list(n, 0.1, 1.0))
            .reliabilities(random.list(n, 0.0, 1.0))
            .source_temperatures(random.list(n, 0.5, 2.5))
            .class_prior(random.list(c, 0.1, 1.0))
    }
}

prop_compose! {
    fn problems()(n in 1..12_usize, b in 1..24_usize, c in 1..20_usize, seed: u64) -> Problem {
        Problem::mixed(n, b, c, seed).with_confidences(seed).with_holes(seed)
    }
}

prop_compose! {
    fn cases()(problem in problems(), rule in 0..1000_usize, weighting in 0..1000_usize, seed: u64) -> Case {
        let (n, c) = (problem.planes.len(), problem.classes);
        let mut rules = specs::rules(n, c, seed);
        rules.extend([Rule::default(), specs::everything(n, c, seed)]);
        let weightings = specs::weightings(n, c, seed);
        let (rule, weighting) = (rules[rule % rules.len()].clone(), weightings[weighting % weightings.len()].clone());
        Case { problem, rule, weighting, seed }
    }
}

/// The answers of the CPU's executors. A GPU compiles its kernel anew for almost every case; its tests are in `parity`.
fn fuse(fusion: &Fusion, problem: &Problem) -> Vec<(&'static str, Fused)> {
    let fused = |(name, engine): &'static (String, consilience::Engine)| {
        (name.as_str(), engine.fuse(fusion, &problem.evidence()).expect("valid evidence"))
    };
    engines::cpus().map(fused).collect()
}

/// Equal within the tolerance, twice: both sides round. What the contract allows beyond it is in `slack`.
fn same(a: &[f32], b: &[f32], slack: &[f64]) -> Result<(), String> {
    let apart = |i: &usize| {
        let (a, b, slack) = (f64::from(a[*i]), f64::from(b[*i]), slack.get(*i).copied().unwrap_or_default());
        !agree((a / 2.0) as f32, b / 2.0) && (a - b).abs() > 2.0 * slack + 6e-6
    };
    if a.len() != b.len() {
        return Err(format!("{} values and {}", a.len(), b.len()));
    }
    (0..a.len()).find(apart).map_or(Ok(()), |i| Err(format!("at {i}, {} and {}", a[i], b[i])))
}

/// By how much the contract lets each posterior be off beyond the usual.
fn slack(fusion: &Fusion, problem: &Problem) -> Vec<f64> {
    let answers = oracle::answers(fusion, &problem.evidence()).expect("valid evidence");
    answers.iter().flat_map(|answer| answer.slack(Output::Posterior)).collect()
}

/// Rows of `each` values, in the order of sources or classes given.
fn in_order(list: &[f32], order: &[usize], each: usize) -> Vec<f32> {
    order.iter().flat_map(|&i| &list[i * each..][..each]).copied().collect()
}

/// Everything that belongs to a source, moved with it.
fn with_sources(fusion: &Fusion, order: &[usize], classes: usize) -> Fusion {
    let list = |list: &Vec<f32>| if list.is_empty() { Vec::new() } else { in_order(list, order, 1) };
    let mut moved = fusion.clone();
    moved.source_priors = fusion.source_priors.as_ref().map(list);
    moved.reliabilities = fusion.reliabilities.as_ref().map(list);
    moved.source_temperatures = fusion.source_temperatures.as_ref().map(list);
    moved.weighting = match &fusion.weighting {
        Weighting::Fixed(weights) => Weighting::Fixed(list(weights)),
        Weighting::Performance(weights) => Weighting::Performance(list(weights)),
        Weighting::PerClass(weights) => Weighting::PerClass(in_order(weights, order, classes)),
        Weighting::Proximity { positions, target, distance } => {
            Weighting::Proximity { positions: list(positions), target: *target, distance: *distance }
        }
        Weighting::Adaptive { beta, learned } => Weighting::Adaptive { beta: *beta, learned: list(learned) },
        other => other.clone(),
    };
    moved.rule = each_rule(&fusion.rule, &|rule| match rule {
        Rule::Evidence { exponents } => Rule::Evidence { exponents: list(exponents) },
        Rule::Confusion { matrices } => {
            Rule::Confusion { matrices: in_order(matrices, order, classes * (classes + 1)) }
        }
        Rule::Stacked { weights, bias } => {
            Rule::Stacked { weights: in_order(weights, order, classes * classes), bias: bias.clone() }
        }
        Rule::Adaptive { learned } => Rule::Adaptive { learned: list(learned) },
        other => other.clone(),
    });
    moved
}

/// Everything that belongs to a class, moved with it.
fn with_classes(fusion: &Fusion, order: &[usize]) -> Fusion {
    let c = order.len();
    let row = |row: &[f32]| in_order(row, order, 1);
    let rows = |list: &[f32]| list.chunks(c).flat_map(row).collect::<Vec<_>>();
    // The last answer of a confusion matrix is that of who abstained, and stays.
    let answers: Vec<usize> = order.iter().copied().chain([c]).collect();
    let theta = |matrix: &[f32]| {
        let rows = in_order(matrix, order, c + 1);
        rows.chunks(c + 1).flat_map(|row| in_order(row, &answers, 1)).collect::<Vec<_>>()
    };
    let mut moved = fusion.clone();
    moved.class_prior = fusion.class_prior.as_ref().map(|prior| row(prior));
    if let Weighting::PerClass(weights) = &fusion.weighting {
        moved.weighting = Weighting::PerClass(rows(weights));
    }
    moved.rule = each_rule(&fusion.rule, &|rule| match rule {
        Rule::Confusion { matrices } => {
            Rule::Confusion { matrices: matrices.chunks(c * (c + 1)).flat_map(theta).collect() }
        }
        Rule::Stacked { weights, bias } => Rule::Stacked {
            weights: weights.chunks(c * c).flat_map(|matrix| rows(&in_order(matrix, order, c))).collect(),
            bias: row(bias),
        },
        other => other.clone(),
    });
    moved
}

fn each_rule(rule: &Rule, change: &dyn Fn(&Rule) -> Rule) -> Rule {
    let Rule::Ensemble(members) = rule else { return change(rule) };
    Rule::Ensemble(members.iter().map(|m| Member { rule: change(&m.rule), weight: m.weight }).collect())
}

/// Whether a source is torn between two classes: its vote goes to the lower one, so its classes have an order.
fn is_torn(problem: &Problem) -> bool {
    fn torn<T: PartialOrd + Copy>(values: &[T], classes: usize) -> bool {
        let is_most = |row: &[T], x: &T| row.iter().all(|other| other <= x);
        values.chunks(classes).any(|row| row.iter().filter(|x| is_most(row, x)).count() > 1)
    }
    let c = problem.classes;
    problem.planes.iter().any(|plane| match &plane.values {
        Values::F32(values) if plane.form == Form::Binary => values.contains(&0.5),
        Values::F32(values) => torn(values, c),
        Values::Bf16(values) => torn(values, c),
        Values::F16(values) => torn(values, c),
        Values::U8(values) => plane.form == Form::QuantisedU8 && torn(values, c),
        Values::U16(_) => false,
    })
}

proptest! {
    // The same on every run: among others, confidences of logits that tie but for their rounding are decided either way by
    // `MaxVote`, and should not fail a change that has nothing to do with them.
    #![proptest_config(config(48))]

    #[test]
    fn every_answer_meets_the_oracle(case in cases(), is_plain: bool, heat in 0.5..3.0_f32) {
        let fusion = if is_plain { case.fusion() } else { case.parametrised().temperature(heat) };
        let outputs = Output::ALL.into_iter().filter(|o| *o != Output::Contributions || specs::has_contributions(&case.rule));
        let fusion = fusion.outputs(&outputs.collect::<Vec<_>>());
        let wanted = oracle::answers(&fusion, &case.problem.evidence()).expect("valid evidence");
        for (name, fused) in fuse(&fusion, &case.problem) {
            prop_assert_eq!(against(&wanted, &fusion, &fused), Ok(()), "{}", name);
        }
    }

    /// Also with parameters at the ends of their ranges.
    #[test]
    fn posteriors_are_distributions(case in cases(), extreme in 0..6_usize) {
        let n = case.problem.planes.len();
        let plain = case.parametrised();
        let mut fusion = match extreme {
            0 => plain.reliabilities(vec![0.0; n]),
            1 => plain.reliabilities(vec![1.0; n]),
            2 => plain.weighting(Weighting::Fixed(vec![0.0; n])),
            3 => plain.temperature(1e-3).source_temperatures(vec![1e3; n]),
            4 => plain.temperature(1e3).source_temperatures(vec![1e-3; n]),
            _ => plain.log_floor(f32::MIN_POSITIVE),
        };
        // A floor that low leaves little room for a power.
        fusion.rule = each_rule(&fusion.rule, &|rule| match rule {
            Rule::PowerMean { exponent } => Rule::PowerMean { exponent: exponent.clamp(-0.9, 0.9) },
            other => other.clone(),
        });
        for (name, fused) in fuse(&fusion.outputs(&Output::ALL[..9]), &case.problem) {
            for (item, row) in fused.posterior().chunks(case.problem.classes).enumerate() {
                let sum: f64 = row.iter().map(|&p| f64::from(p)).sum();
                prop_assert!((sum - 1.0).abs() < 3e-6 && row.iter().all(|p| (0.0..=1.000_001).contains(p)), "{} {:?}", name, row);
                prop_assert!((0.0..=1.000_002).contains(&fused.disagreement()[item]), "{}", name);
                prop_assert!((0.0..=1.0).contains(&fused.conflict()[item]), "{}", name);
                prop_assert!((0.0..=1.000_001).contains(&fused.margin()[item]), "{}", name);
                prop_assert!((0.0..=1.000_001).contains(&fused.confidence()[item]), "{}", name);
                prop_assert!((0.0..=(case.problem.classes as f32).ln() + 1e-5).contains(&fused.entropy()[item]), "{}", name);
                prop_assert!((0.0..=n as f32 * 1.000_01).contains(&fused.effective_sources()[item]), "{}", name);
                prop_assert!((fused.decision()[item] as usize) < case.problem.classes, "{}", name);
            }
        }
    }

    #[test]
    fn the_order_of_sources_is_irrelevant(case in cases(), seed: u64) {
        let order = Random::new(seed).shuffle(case.problem.planes.len());
        let fusion = case.parametrised().outputs(&[Output::Posterior]);
        let moved = with_sources(&fusion, &order, case.problem.classes);
        let slack = slack(&fusion, &case.problem);
        let two = fuse(&moved, &case.problem.sources(&order));
        for ((name, one), (_, two)) in fuse(&fusion, &case.problem).iter().zip(&two) {
            prop_assert_eq!(same(one.posterior(), two.posterior(), &slack), Ok(()), "{}", name);
        }
    }

    #[test]
    fn the_order_of_classes_is_irrelevant(case in cases(), seed: u64) {
        // Whose opinions are torn, has none of these.
        let mut case = case;
        if is_torn(&case.problem) {
            let (n, b) = (case.problem.planes.len(), case.problem.items());
            case.problem = Problem::random(Encoding::Probabilities, n, b, case.problem.classes, seed).with_holes(seed);
        }
        prop_assume!(!is_torn(&case.problem));
        let c = case.problem.classes;
        let order = Random::new(seed).shuffle(c);
        let fusion = case.parametrised().outputs(&[Output::Posterior]);
        let slack: Vec<f64> = slack(&fusion, &case.problem).chunks(c).flat_map(|row| order.iter().map(|&k| row[k])).collect();
        let two = fuse(&with_classes(&fusion, &order), &case.problem.permuted(&order));
        for ((name, one), (_, two)) in fuse(&fusion, &case.problem).iter().zip(&two) {
            let one: Vec<f32> = one.posterior().chunks(c).flat_map(|row| in_order(row, &order, 1)).collect();
            prop_assert_eq!(same(&one, two.posterior(), &slack), Ok(()), "{}", name);
        }
    }

    #[test]
    fn agreement_is_kept_by_the_pools(n in 1..9_usize, c in 1..24_usize, seed: u64) {
        let one = Problem::random(Encoding::Probabilities, 1, 20, c, seed);
        let problem = one.sources(&vec![0; n]);
        let learned = Random::new(seed).list(n, 0.1, 1.0);
        for rule in [
            Rule::Linear,
            Rule::BayesianAverage,
            Rule::MaxVote,
            Rule::LogPool,
            Rule::Extremised { exponent: 1.0 },
            Rule::PowerMean { exponent: 0.8 },
            Rule::PowerMean { exponent: -0.8 },
            Rule::Median,
            Rule::Trimmed { share: 0.3 },
            Rule::Adaptive { learned },
            Rule::Belief(BeliefFusion::Averaging),
        ] {
            // With all trust in each source no belief is left to the class prior.
            let fusion = Fusion::new(rule.clone()).log_floor(1e-30).reliabilities(vec![1.0; n]);
            for (name, fused) in fuse(&fusion.outputs(&[Output::Posterior, Output::Disagreement]), &problem) {
                let Values::F32(values) = &problem.planes[0].values else { panic!("f32 rows") };
                prop_assert_eq!(same(fused.posterior(), values, &[]), Ok(()), "{} {}", name, rule);
                prop_assert!(fused.disagreement().iter().all(|&d| d < 2e-6), "{} {}", name, rule);
            }
        }
    }

    #[test]
    fn the_linear_pools_stay_inside_the_hull(n in 1..9_usize, c in 1..24_usize, seed: u64) {
        let problem = Problem::random(Encoding::Probabilities, n, 20, c, seed);
        let rows: Vec<&[f32]> = problem.planes.iter().map(|plane| match &plane.values {
            Values::F32(values) => values.as_slice(),
            _ => &[],
        }).collect();
        let learned = Random::new(seed).list(n, 0.1, 1.0);
        for rule in [Rule::Linear, Rule::Adaptive { learned }] {
            for (name, fused) in fuse(&Fusion::new(rule).outputs(&[Output::Posterior]), &problem) {
                for (i, &p) in fused.posterior().iter().enumerate() {
                    let least = rows.iter().map(|row| row[i]).fold(f32::MAX, f32::min);
                    let most = rows.iter().map(|row| row[i]).fold(0.0, f32::max);
                    prop_assert!((least - 1e-6..=most + 1e-6).contains(&p), "{}", name);
                }
            }
        }
    }

    #[test]
    fn a_source_may_be_split_in_two(problem in problems(), rule in 0..10_usize, seed: u64) {
        let n = problem.planes.len();
        let order: Vec<usize> = (0..n).chain([0]).collect();
        let whole = Random::new(seed).list(n, 0.5, 1.0);
        let mut halves = in_order(&whole, &order, 1);
        halves[0] = 0.25 * whole[0];
        halves[n] = 0.75 * whole[0];
        let rule = |weights: &[f32]| match rule {
            0 => Rule::Linear,
            1 => Rule::Vote,
            2 => Rule::MaxVote,
            3 => Rule::BayesianAverage,
            4 => Rule::LogPool,
            5 => Rule::Extremised { exponent: 1.5 },
            6 => Rule::PowerMean { exponent: -1.0 },
            7 => Rule::Adaptive { learned: weights.to_vec() },
            8 => Rule::Evidence { exponents: weights.to_vec() },
            _ => Rule::default(),
        };
        let fusion = |weights: &[f32]| {
            let fusion = Fusion::new(rule(weights)).weighting(Weighting::Fixed(weights.to_vec()));
            fusion.class_prior(Random::new(seed).list(problem.classes, 0.1, 1.0)).outputs(&[Output::Posterior])
        };
        let slack = slack(&fusion(&whole), &problem);
        let split = fuse(&fusion(&halves), &problem.sources(&order));
        for ((name, one), (_, two)) in fuse(&fusion(&whole), &problem).iter().zip(&split) {
            prop_assert_eq!(same(one.posterior(), two.posterior(), &slack), Ok(()), "{}", name);
        }
    }

    #[test]
    fn an_item_has_its_bits_in_any_batch(case in cases(), seed: u64) {
        let fusion = case.parametrised().temperature(1.25).outputs(&Output::ALL[..9]);
        let order = Random::new(seed).shuffle(case.problem.items());
        let order = &order[..order.len().div_ceil(2)];
        let some = fuse(&fusion, &case.problem.select(order));
        for ((name, all), (_, some)) in fuse(&fusion, &case.problem).iter().zip(&some) {
            for (place, &item) in order.iter().enumerate() {
                prop_assert_eq!(
                    crate::support::compare::bits_of(all, item), crate::support::compare::bits_of(some, place), "{}", name
                );
            }
        }
    }

    /// Up to the part of the class prior, and of the bias of a stack.
    #[test]
    fn contributions_sum_to_the_log_odds(problem in problems(), rule in 0..9_usize, heat in 0.5..2.0_f32, seed: u64) {
        let (n, c) = (problem.planes.len(), problem.classes);
        let exponents = Random::new(seed).list(n, 0.1, 1.0);
        let [confusion, stacked, adaptive] = specs::learned(n, c, seed);
        let rule = [
            Rule::Linear, Rule::BayesianAverage, Rule::default(), Rule::LogPool, Rule::Extremised { exponent: 2.0 },
            Rule::Evidence { exponents }, confusion, stacked, adaptive,
        ][rule].clone();
        // A uniform prior has no part but in a stack's bias, which is taken away.
        let rule = match rule {
            Rule::Stacked { weights, .. } => Rule::Stacked { weights, bias: vec![0.0; c] },
            rule => rule,
        };
        let weighting = Weighting::Confidence { gamma: 1.0, measure: Measure::Max };
        let fusion = Fusion::new(rule).weighting(weighting).temperature(heat).log_floor(1e-20);
        let fusion = fusion.outputs(&[Output::Posterior, Output::Decision, Output::Contributions, Output::Flags]);
        for (name, fused) in fuse(&fusion, &problem) {
            for item in 0..fused.items() {
                let p = &fused.posterior()[item * c..][..c];
                let d = fused.decision()[item] as usize;
                let r = (0..c).filter(|&k| k != d).fold(d, |r, k| if r == d || p[k] > p[r] { k } else { r });
                let parts: f32 = fused.contributions()[item * n..][..n].iter().sum();
                prop_assert!(parts.is_finite(), "{}", name);
                if fused.flags_of(item).contains(consilience::Flags::NO_SOURCE) || p[r] < 1e-4 {
                    continue;
                }
                let odds = (p[d] / p[r]).ln();
                prop_assert!((parts - odds).abs() < 2e-3 * (1.0 + odds), "{} item {}: {} is not {}", name, item, parts, odds);
            }
        }
    }
}
