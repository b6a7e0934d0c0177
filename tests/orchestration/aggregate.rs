//! One answer of what was heard by different ways: that it merges, counts each source once, ages it, and says where it came
//! from.

use std::sync::Arc;
use std::time::Duration;

use consilience::orchestration::aggregate::{Aggregator, Answer, Heard, Origin, Way};
use consilience::orchestration::fuse::Fuser;
use consilience::orchestration::{Batcher, Cost, FusionProcess};
use consilience::partial::{Pool, Said};
use consilience::{BeliefFusion, Conflict, Engine, Evidence, Fusion, Output, Result, Rule, Weighting};
use proptest::prelude::*;

use crate::support::cases::config;
use crate::support::oracle;
use crate::support::pools::{self, fusion_of};
use crate::support::problem::Random;

const CLASSES: usize = 3;
const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(future)
}

fn said(source: usize, generation: u64) -> Said {
    pools::said(source as u64, generation)
}

fn origin(way: usize) -> Origin {
    Origin { way: Way::ALL[way % 4], cost: Cost { micros: way as u64, ..Cost::CALL } }
}

/// Sources, generations and ways.
fn part() -> impl Strategy<Value = Vec<(usize, u64, usize)>> {
    prop::collection::vec((0..5_usize, 0..3_u64, 0..8_usize), 0..10)
}

fn heard(of: &[(usize, u64, usize)]) -> Heard {
    let mut heard = Heard::new(CLASSES).expect("three classes");
    for &(source, generation, way) in of {
        heard.insert(NAMES[source], said(source, generation), origin(way)).expect("an opinion");
    }
    heard
}

fn merged(a: &Heard, b: &Heard) -> Heard {
    let mut merged = a.clone();
    merged.merge(b).expect("no contradiction");
    merged
}

fn half_life(source: usize) -> Option<Duration> {
    source.is_multiple_of(2).then_some(Duration::from_secs(15 * (source as u64 + 1)))
}

fn sources() -> Vec<(&'static str, Option<Duration>)> {
    NAMES.iter().enumerate().map(|(source, name)| (*name, half_life(source))).collect()
}

/// What was heard last of each source, with what is left of it.
fn naive(of: &[(usize, u64, usize)], now: Duration) -> Vec<(usize, Said, f64)> {
    let mut all = Vec::new();
    for source in 0..NAMES.len() {
        if let Some(generation) = of.iter().filter(|entry| entry.0 == source).map(|entry| entry.1).max() {
            let said = said(source, generation);
            let age = now.as_secs_f64() - said.at.as_secs_f64();
            let left = half_life(source).map_or(1.0, |half| 0.5_f64.powf(age / half.as_secs_f64()));
            let weight = f64::from(said.weight) * left;
            all.push((source, said, weight));
        }
    }
    all
}

fn entropy(p: &[f64]) -> f64 {
    p.iter().map(|p| if *p > 0.0 { -p * p.ln() } else { 0.0 }).sum()
}

fn largest(row: &[f32]) -> usize {
    (0..row.len()).rev().max_by(|&a, &b| row[a].total_cmp(&row[b])).expect("a class")
}

/// Disagreement and top-1 agreement under weights.
fn naive_agreement(rows: &[(f64, &[f32])], decision: usize) -> (f64, f64) {
    let whole: f64 = rows.iter().map(|row| row.0).sum();
    let mean: Vec<f64> =
        (0..CLASSES).map(|k| rows.iter().map(|(w, row)| w / whole * f64::from(row[k])).sum()).collect();
    let each = |row: &[f32]| entropy(&row.iter().map(|p| f64::from(*p)).collect::<Vec<_>>());
    let within: f64 = rows.iter().map(|(w, row)| w / whole * each(row)).sum();
    let top: f64 = rows.iter().filter(|(_, row)| largest(row) == decision).map(|(w, _)| w / whole).sum();
    ((entropy(&mean) - within) / (CLASSES as f64).ln(), top)
}

fn fused_by_oracle(fusion: &Fusion, rows: &[&[f32]]) -> (Vec<f64>, usize) {
    let evidence = Evidence::probabilities(CLASSES, rows).expect("opinions");
    let answers = oracle::answers(fusion, &evidence).expect("valid opinions");
    (answers[0].item.column(Output::Posterior), answers[0].item.decision())
}

fn assert_near(answer: &Answer, want: &[f64], what: impl std::fmt::Debug) {
    for (got, want) in answer.posterior.iter().zip(want) {
        assert!((f64::from(*got) - want).abs() < 2e-5, "{what:?}: {:?} {want:?}", answer.posterior);
    }
}

proptest! {
    #![proptest_config(config(100))]

    #[test]
    fn merging_is_associative_commutative_and_idempotent((a, b, c) in (part(), part(), part())) {
        let (a, b, c) = (heard(&a), heard(&b), heard(&c));
        prop_assert_eq!(merged(&merged(&a, &b), &c), merged(&a, &merged(&b, &c)));
        prop_assert_eq!(merged(&a, &b), merged(&b, &a));
        prop_assert_eq!(merged(&a, &a), a.clone());
        prop_assert_eq!(merged(&merged(&a, &b), &b), merged(&a, &b));
    }

    /// One by one or in parts, in any order, through text or not.
    #[test]
    fn what_travelled_merges_alike((a, b) in (part(), part()), seed in 0..100_u64) {
        let order = Random::new(seed).shuffle(a.len() + b.len());
        let both: Vec<_> = a.iter().chain(&b).copied().collect();
        let at_once = heard(&order.into_iter().map(|i| both[i]).collect::<Vec<_>>());
        prop_assert_eq!(&at_once, &merged(&heard(&a), &heard(&b)));
        let text = serde_json::to_string(&heard(&b)).expect("text");
        let travelled: Heard = serde_json::from_str(&text).expect("what was written");
        prop_assert_eq!(&at_once, &merged(&heard(&a), &travelled));
        for (name, _) in at_once.gathered().said() {
            let source = NAMES.iter().position(|other| other == name).expect("a name");
            let last = both.iter().filter(|e| e.0 == source).map(|e| e.1).max().expect("one");
            let ways = both.iter().filter(|e| e.0 == source && e.1 == last).map(|e| e.2);
            let simplest = ways.min_by_key(|way| (way % 4, *way)).expect("one");
            prop_assert_eq!(at_once.origin(name), Some(origin(simplest)));
        }
    }

    #[test]
    fn sums_answer_as_the_formulas_say(of in part(), later in 0..200_u64) {
        prop_assume!(!of.is_empty());
        let now = Duration::from_secs(20 + later);
        let all = naive(&of, now);
        for pool in [Pool::Linear, Pool::LogPool, Pool::Vote, Pool::Evidence] {
            let prior = Some(vec![0.5, 0.3, 0.2]);
            let aggregator = Aggregator::of_sums(pool, prior.clone(), CLASSES, sources()).expect("an aggregator");
            let answer = block_on(aggregator.answer(&heard(&of), now)).expect("an answer");
            let weights: Vec<f32> = all.iter().map(|entry| entry.2 as f32).collect();
            let rows: Vec<&[f32]> = all.iter().map(|entry| &entry.1.opinion[..]).collect();
            let (want, decision) = fused_by_oracle(&fusion_of(pool, &weights, prior.as_deref()), &rows);
            assert_near(&answer, &want, pool);
            prop_assert_eq!(answer.decision, decision);
            let weighed: Vec<_> = all.iter().map(|entry| (entry.2, &entry.1.opinion[..])).collect();
            let (apart, top) = naive_agreement(&weighed, answer.decision);
            prop_assert!((answer.agreement.disagreement - apart).abs() < 1e-6, "{:?} {apart}", answer.agreement);
            prop_assert!((answer.agreement.agreement() - (1.0 - apart)).abs() < 1e-6);
            prop_assert!((answer.agreement.top - top).abs() < 1e-9, "{:?} {top}", answer.agreement);
            let whole: f64 = all.iter().map(|entry| entry.2).sum();
            prop_assert_eq!(answer.provenance.len(), all.len());
            for (got, (source, said, weight)) in answer.provenance.iter().zip(&all) {
                prop_assert_eq!(&got.source[..], NAMES[*source]);
                prop_assert_eq!((got.generation, got.age), (said.generation, now - said.at));
                prop_assert!((got.weight - weight / whole).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn fusions_count_what_is_left_of_each(of in part(), later in 0..60_u64) {
        prop_assume!(!of.is_empty());
        let (now, engine) = (Duration::from_secs(20 + later), Arc::new(Engine::cpu().expect("the CPU")));
        let all = naive(&of, now);
        let rows: Vec<&[f32]> = all.iter().map(|entry| &entry.1.opinion[..]).collect();
        let of_all = |base: [f32; 5]| -> Vec<f32> { all.iter().map(|e| base[e.0] * e.2 as f32).collect() };
        let base = [0.9, 0.5, 0.7, 0.2, 0.4];
        let given = |fusion: Fusion, want: Fusion, weights: Vec<f32>| {
            let what = format!("{:?}", fusion.rule);
            let aggregator = Aggregator::of_fusion(Fuser::alone(Arc::clone(&engine)), fusion, CLASSES, sources());
            let answer = block_on(aggregator.expect("an aggregator").answer(&heard(&of), now)).expect("an answer");
            assert_near(&answer, &fused_by_oracle(&want, &rows).0, what);
            let weighed: Vec<_> = weights.iter().zip(&rows).map(|(w, row)| (f64::from(*w), *row)).collect();
            let (apart, top) = naive_agreement(&weighed, answer.decision);
            assert!((answer.agreement.disagreement - apart).abs() < 1e-5, "{:?} {apart}", answer.agreement);
            assert!((answer.agreement.top - top).abs() < 1e-5, "{:?} {top}", answer.agreement);
        };
        let fixed = |rule: Rule, weights: Vec<f32>| Fusion::new(rule).weighting(Weighting::Fixed(weights));
        for rule in [Rule::Linear, Rule::LogPool, Rule::default()] {
            given(fixed(rule.clone(), base.to_vec()), fixed(rule, of_all(base)), of_all(base));
        }
        // By each source's own confidence.
        let sure: Vec<f32> = all.iter().map(|e| e.1.opinion[largest(&e.1.opinion)] * e.2 as f32).collect();
        let confident = Weighting::Confidence { gamma: 1.0, measure: consilience::Measure::Max };
        given(Fusion::new(Rule::Linear).weighting(confident), fixed(Rule::Linear, sure.clone()), sure);
        // By exponents, and by reliabilities.
        let evidence = |exponents| Fusion::new(Rule::Evidence { exponents }).class_prior(vec![0.5, 0.3, 0.2]);
        given(evidence(vec![]), evidence(of_all([1.0; 5])), of_all([1.0; 5]));
        given(evidence(base.to_vec()), evidence(of_all(base)), of_all([1.0; 5]));
        for rule in [Rule::DempsterShafer { conflict: Conflict::Normalise }, Rule::Belief(BeliefFusion::Cumulative)] {
            let trusted = |reliabilities| Fusion::new(rule.clone()).reliabilities(reliabilities);
            given(trusted(base.to_vec()), trusted(of_all(base)), of_all([1.0; 5]));
        }
        let adaptive = |learned| Fusion::new(Rule::Adaptive { learned });
        given(adaptive(base.to_vec()), adaptive(of_all(base)), of_all([1.0; 5]));
    }
}

fn kept() -> Heard {
    let mut kept = Heard::new(2).expect("two classes");
    kept.insert("a", Said::now(&[0.75, 0.25]), Origin::CACHE).expect("an opinion");
    kept.insert("b", Said::now(&[0.25, 0.75]), origin(2)).expect("an opinion");
    kept
}

/// Alone and through a batcher, new opinions are fused by the fusion as it is, those not heard missing.
#[test]
fn new_opinions_share_the_fusion() -> Result<()> {
    let engine = Arc::new(Engine::cpu()?);
    let batcher = Batcher::builder(FusionProcess::new(Arc::clone(&engine))).build()?;
    for fuser in [Fuser::alone(engine), Fuser::together(batcher)] {
        let fusion = Fusion::new(Rule::Median).outputs(&[Output::EffectiveSources]);
        let life = Some(Duration::from_secs(1));
        let aggregator = Aggregator::of_fusion(fuser, fusion, 2, [("c", life), ("b", life), ("a", life)])?;
        let answer = block_on(aggregator.answer(&kept(), Duration::ZERO))?;
        assert_eq!((answer.posterior, answer.decision), (vec![0.5, 0.5], 0));
        assert_eq!(answer.verdict.and_then(|verdict| verdict.effective_sources), Some(2.0));
        assert_eq!((answer.agreement.top, answer.provenance[1].weight), (0.5, 0.5));
        // After so long nothing is left of either.
        let error = block_on(aggregator.answer(&kept(), Duration::from_secs(10_000))).expect_err("nothing");
        assert!(error.is_partial(), "{error}");
    }
    Ok(())
}

#[test]
fn an_opinion_that_is_over_leaves_its_provenance_alone() -> Result<()> {
    let sources = [("a", Some(Duration::ZERO)), ("b", None)];
    let aggregator = Aggregator::of_sums(Pool::Linear, None, 2, sources)?;
    let answer = block_on(aggregator.answer(&kept(), Duration::from_secs(1)))?;
    assert_eq!((answer.posterior, answer.decision, answer.agreement.top), (vec![0.25, 0.75], 1, 1.0));
    assert_eq!(answer.agreement.disagreement, 0.0);
    assert_eq!(answer.provenance.iter().map(|part| part.weight).collect::<Vec<_>>(), [0.0, 1.0]);
    assert_eq!(answer.provenance[0].origin, Origin::CACHE);
    assert_eq!((answer.provenance[1].origin, answer.provenance[1].age), (origin(2), Duration::from_secs(1)));
    Ok(())
}

#[test]
fn a_later_opinion_replaces_the_one_that_was_kept() -> Result<()> {
    let mut heard = kept();
    let later = Said { generation: 1, ..Said::now(&[0.0, 1.0]) };
    assert!(heard.insert("a", later, origin(3))?);
    assert_eq!(heard.origin("a"), Some(origin(3)));
    // What was kept comes again, too late, and changes nothing.
    assert!(!heard.insert("a", Said::now(&[0.75, 0.25]), Origin::CACHE)?);
    heard.merge(&kept())?;
    assert_eq!(heard.origin("a"), Some(origin(3)));
    assert!(heard.has("b") && !heard.has("c"));
    Ok(())
}

#[test]
fn what_does_not_fit_is_refused() -> Result<()> {
    let none: [(&str, Option<Duration>); 0] = [];
    let says = |built: Result<Aggregator>| built.expect_err("it does not fit").to_string();
    let sums = |sources: &[(&'static str, Option<Duration>)], prior| {
        Aggregator::of_sums(Pool::Linear, prior, 2, sources.iter().copied())
    };
    assert_eq!(says(sums(&none, None)), "there are no sources; add at least one");
    assert_eq!(says(sums(&[("a", None), ("a", None)], None)), "there are two sources named `a`; names must differ");
    assert!(sums(&[("a", None)], Some(vec![0.5, 0.6])).is_err());
    assert!(Aggregator::of_sums(Pool::Linear, None, 0, [("a", None)]).is_err() && Heard::new(0).is_err());
    let aggregator = sums(&[("a", None)], None)?;
    let answer = |heard: &Heard| block_on(aggregator.answer(heard, Duration::ZERO)).expect_err("it does not fit");
    assert_eq!(answer(&kept()).to_string(), "there is no source named `b`; there are a");
    assert!(answer(&Heard::new(3)?).is_shape());
    assert!(answer(&Heard::new(2)?).is_partial());
    let mut heard = kept();
    assert!(heard.insert("a", Said::now(&[0.5, 0.5]), Origin::CACHE).expect_err("two things").is_partial());
    assert_eq!(heard, kept());
    Ok(())
}

#[test]
fn damaged_text_is_refused() {
    let text = serde_json::to_string(&kept()).expect("text");
    assert_eq!(serde_json::from_str::<Heard>(&text).expect("what was written"), kept());
    let says = |from: &str, to: &str| {
        assert!(text.contains(from), "{text}");
        serde_json::from_str::<Heard>(&text.replacen(from, to, 1)).expect_err("it is damaged").to_string()
    };
    let lost = "of source b either an opinion or its origin is missing; both belong together";
    assert_eq!(says(r#""b":{"way""#, r#""a":{"way""#), lost);
    let lost = "of source c either an opinion or its origin is missing; both belong together";
    assert_eq!(
        says(
            r#""origins":{"#,
            r#""origins":{"c":{"way":"cache","cost":{"calls":0,"tokens_in":0,"tokens_out":0,"micros":0}},"#
        ),
        lost
    );
    assert!(says("parallel", "sideways").starts_with("unknown variant `sideways`"));
    assert!(says("0.75", "0.5").contains("0.75"), "a row that does not sum to one");
}
