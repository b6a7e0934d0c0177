//! Fusion in parts: the laws of merging, by random parts, and posteriors by their formulas and by the engine's.

use std::time::Duration;

use consilience::partial::{Gathered, MOST_WEIGHT, Pool, Said, Sums};
use consilience::{BeliefFusion, ErrorKind, Evidence, Output, PartialError, Result};
use proptest::prelude::*;

use crate::support::cases::config;
use crate::support::oracle;
use crate::support::pools::{self, fusion_of, posterior_of};
use crate::support::problem::Random;

const CLASSES: usize = 3;

fn said(source: u32, generation: u64) -> Said {
    pools::said(source.into(), generation)
}

fn gathered(of: &[(u32, u64)]) -> Gathered<u32> {
    let mut gathered = Gathered::new(CLASSES).expect("three classes");
    for &(source, generation) in of {
        gathered.insert(source, said(source, generation)).expect("an opinion");
    }
    gathered
}

fn merged(a: &Gathered<u32>, b: &Gathered<u32>) -> Gathered<u32> {
    let mut merged = a.clone();
    merged.merge(b).expect("no contradiction");
    merged
}

fn part() -> impl Strategy<Value = Vec<(u32, u64)>> {
    prop::collection::vec((0_u32..8, 0_u64..4), 0..12)
}

fn kind(error: &consilience::Error) -> &PartialError {
    match error.kind() {
        ErrorKind::Partial(error) => error,
        other => panic!("{other}"),
    }
}

/// The posterior and the decision in naive f64, of sources with weights.
fn by_oracle(pool: Pool, all: &[(f32, Vec<f32>)], prior: &[f32]) -> (Vec<f64>, usize) {
    let weights: Vec<f32> = all.iter().map(|(weight, _)| *weight).collect();
    let rows: Vec<&[f32]> = all.iter().map(|(_, opinion)| &opinion[..]).collect();
    let evidence = Evidence::probabilities(CLASSES, &rows).expect("opinions");
    let answers = oracle::answers(&fusion_of(pool, &weights, Some(prior)), &evidence).expect("valid opinions");
    let item = &answers[0].item;
    (posterior_of(pool, &item.column(Output::Posterior), Some(prior)), item.decision())
}

proptest! {
    #![proptest_config(config(200))]

    #[test]
    fn merging_is_associative_commutative_and_idempotent((a, b, c) in (part(), part(), part())) {
        let (a, b, c) = (gathered(&a), gathered(&b), gathered(&c));
        prop_assert_eq!(merged(&merged(&a, &b), &c), merged(&a, &merged(&b, &c)));
        prop_assert_eq!(merged(&a, &b), merged(&b, &a));
        prop_assert_eq!(merged(&a, &a), a.clone());
        prop_assert_eq!(merged(&merged(&a, &b), &b), merged(&a, &b));
    }

    #[test]
    fn whatever_the_order_the_latest_counts(of in part(), seed in 0_u64..1000) {
        let order = Random::new(seed).shuffle(of.len());
        let other: Vec<(u32, u64)> = order.into_iter().map(|i| of[i]).collect();
        prop_assert_eq!(gathered(&of), gathered(&other));
        for (source, held) in gathered(&of).said() {
            let last = of.iter().filter(|entry| entry.0 == *source).map(|entry| entry.1).max();
            prop_assert_eq!(Some(held.generation), last);
        }
    }

    /// The same bits in however many parts, in whatever order.
    #[test]
    fn sums_do_not_depend_on_their_parts(of in part(), places in prop::collection::vec(0_usize..4, 8), last in 0_usize..4) {
        let all = gathered(&of);
        for pool in Pool::ALL {
            let mut parts: Vec<Gathered<u32>> = vec![gathered(&[]); 4];
            for (source, said) in all.said() {
                parts[places[*source as usize]].insert(*source, said.clone()).expect("an opinion");
            }
            parts.rotate_left(last);
            let mut sums: Option<Sums<u32>> = None;
            for part in &parts {
                let part = part.sums(pool).expect("sums");
                match &mut sums {
                    None => sums = Some(part),
                    Some(sums) => sums.merge(&part).expect("other sources"),
                }
            }
            prop_assert_eq!(sums, Some(all.sums(pool).expect("sums")));
        }
    }

    /// Through text, and merged there with what did not travel.
    #[test]
    fn what_travelled_merges_alike((a, b) in (part(), part())) {
        let (a, b) = (gathered(&a), gathered(&b));
        let travelled: Gathered<u32> = serde_json::from_str(&serde_json::to_string(&b).expect("text")).expect("what was written");
        prop_assert_eq!(&travelled, &b);
        prop_assert_eq!(merged(&a, &travelled), merged(&a, &b));
        for pool in Pool::ALL {
            let sums = merged(&a, &b).sums(pool).expect("sums");
            let travelled: Sums<u32> = serde_json::from_str(&serde_json::to_string(&sums).expect("text")).expect("what was written");
            prop_assert_eq!(&travelled, &sums);
            let other = Said { weight: 0.5, ..Said::now(&[0.25, 0.5, 0.25]) };
            let mut rest = Gathered::new(CLASSES).expect("three classes");
            rest.insert(99, other).expect("an opinion");
            let (mut there, mut here) = (travelled, sums);
            let rest = rest.sums(pool).expect("sums");
            there.merge(&rest).expect("another source");
            here.merge(&rest).expect("another source");
            prop_assert_eq!(there, here);
        }
    }

    #[test]
    fn posteriors_are_those_of_the_rules(of in part(), hours in 0_u32..3) {
        let all = gathered(&of);
        prop_assume!(all.said().len() > 0);
        let prior = [0.5, 0.3, 0.2];
        let now = Duration::from_secs(3600 * u64::from(hours));
        let half_life = |s: &u32| s.is_multiple_of(2).then_some(Duration::from_secs(900));
        for pool in Pool::ALL {
            let weighed: Vec<(f32, Vec<f32>)> = all
                .said()
                .map(|(s, said)| {
                    let age = (now.as_secs_f64() - said.at.as_secs_f64()).max(0.0);
                    let share = half_life(s).map_or(1.0, |half| 0.5_f64.powf(age / half.as_secs_f64()));
                    ((f64::from(said.weight) * share) as f32, said.opinion.clone())
                })
                .collect();
            let (want, decision) = by_oracle(pool, &weighed, &prior);
            let sums = all.sums_at(pool, now, half_life).expect("sums");
            let got = sums.posterior(Some(&prior)).expect("a posterior");
            for (got, want) in got.iter().zip(&want) {
                prop_assert!((f64::from(*got) - want).abs() < 1e-6, "{:?}: {} {}", pool, got, want);
            }
            if pool != Pool::Confusion {
                prop_assert_eq!(sums.decision(Some(&prior)).expect("a decision"), decision, "{:?}", pool);
            }
        }
    }
}

/// Opinions whose votes, confidences or weights are equal, or nothing.
#[test]
fn ties_and_what_weighs_nothing_are_decided_as_the_rules_say() -> Result<()> {
    let rows: [&[f32]; 4] = [&[0.5, 0.5, 0.0], &[0.2, 0.2, 0.6], &[0.2, 0.2, 0.6], &[0.0, 1.0, 0.0]];
    for weights in [[1.0; 4], [0.0; 4], [0.0, 0.5, 0.5, 0.0], [0.25, 0.0, 0.5, 0.25], [1.0, 0.0, 0.0, 0.0]] {
        let mut all = Gathered::new(CLASSES)?;
        for (source, (row, weight)) in rows.iter().zip(weights).enumerate() {
            all.insert(source, Said { weight, ..Said::now(row) })?;
        }
        let weighed: Vec<_> = rows.iter().zip(weights).map(|(row, weight)| (weight, row.to_vec())).collect();
        for pool in Pool::ALL {
            let sums = all.sums(pool)?;
            let (want, decision) = by_oracle(pool, &weighed, &[0.25, 0.25, 0.5]);
            let got = sums.posterior(Some(&[0.25, 0.25, 0.5]))?;
            let is_near = |(got, want): (&f32, &f64)| (f64::from(*got) - want).abs() < 1e-6;
            assert!(got.iter().zip(&want).all(is_near), "{pool:?} {weights:?}: {got:?} {want:?}");
            if pool != Pool::Confusion {
                assert_eq!(
                    sums.decision(Some(&[0.25, 0.25, 0.5]))?,
                    decision,
                    "{pool:?} {weights:?}: {got:?} {want:?}"
                );
            }
        }
    }
    Ok(())
}

#[test]
fn a_reliability_is_at_most_one() -> Result<()> {
    let mut all = Gathered::new(CLASSES)?;
    all.insert("a", Said { weight: 1.5, ..Said::now(&[1.0, 0.0, 0.0]) })?;
    let error = all.sums(Pool::Belief(BeliefFusion::Cumulative)).expect_err("a reliability of 1.5");
    assert_eq!(error.to_string(), "source \"a\" weighs 1.5; weights are at least 0 and at most 1");
    Ok(())
}

#[test]
fn a_source_counts_once() -> Result<()> {
    let (both, other) = (gathered(&[(1, 0), (2, 0)]), gathered(&[(2, 0), (3, 0)]));
    let mut sums = both.sums(Pool::Linear)?;
    let before = sums.clone();
    let error = sums.merge(&other.sums(Pool::Linear)?).expect_err("2 is in both");
    assert_eq!(*kind(&error), PartialError::Overlap { source_name: "2".to_owned() });
    let said = "source 2 is in both sums and would count twice; merge what was gathered, or sums of different sources";
    assert_eq!(error.to_string(), said);
    let error = sums.merge(&other.sums(Pool::LogPool)?).expect_err("another rule");
    assert_eq!(
        error.to_string(),
        "sums of the rule `log_pool` cannot be merged into those of `linear`; sum by one rule"
    );
    assert!(sums.merge(&Gathered::new(2)?.sums(Pool::Linear)?).expect_err("two classes").is_shape());
    assert_eq!(sums, before);
    assert_eq!(sums.sources().collect::<Vec<_>>(), [&1, &2]);
    Ok(())
}

#[test]
fn what_cannot_be_merged_changes_nothing() -> Result<()> {
    let mut all = gathered(&[(1, 3), (2, 0)]);
    let before = all.clone();
    assert!(!all.insert(1, said(1, 2))?, "said before");
    assert!(!all.insert(1, said(1, 3))?, "the same");
    let error = all.insert(1, Said { weight: 0.5, ..said(1, 3) }).expect_err("two things");
    assert_eq!(*kind(&error), PartialError::Contradiction { source_name: "1".to_owned(), generation: 3 });
    let mut other = gathered(&[(0, 9), (1, 9)]);
    other.insert(2, Said { opinion: vec![1.0, 0.0, 0.0], ..said(2, 0) })?;
    assert!(all.merge(&other).expect_err("two things of source 2").is_partial());
    assert!(all.merge(&Gathered::new(2)?).expect_err("two classes").is_shape());
    for opinion in [vec![0.5, 0.5], vec![0.5, 0.6, 0.1], vec![f32::NAN, 0.5, 0.5], vec![-0.5, 0.5, 1.0]] {
        assert!(all.insert(5, Said::now(&opinion)).is_err(), "{opinion:?}");
    }
    for weight in [-1.0, f32::NAN, f32::INFINITY, 2.0 * MOST_WEIGHT] {
        let error = all.insert(5, Said { weight, ..said(5, 0) }).expect_err("no weight");
        assert!(error.is_partial(), "{error}");
    }
    assert_eq!(all, before);
    assert!(Gathered::<u32>::new(0).is_err());
    Ok(())
}

#[test]
fn nothing_is_no_posterior() -> Result<()> {
    for pool in Pool::ALL {
        let error = gathered(&[]).sums(pool)?.posterior(None).expect_err("nothing");
        assert_eq!(*kind(&error), PartialError::Nothing);
    }
    assert!(gathered(&[(1, 1)]).sums(Pool::Evidence)?.posterior(Some(&[0.5, 0.6, 0.0])).is_err());
    // Of no duration: over at once, but not before.
    let one = gathered(&[(1, 1)]);
    let at_once = |seconds| one.sums_at(Pool::Linear, Duration::from_secs(seconds), |_| Some(Duration::ZERO));
    assert_eq!(at_once(10)?, one.sums(Pool::Linear)?);
    assert_eq!(at_once(11)?.sources().len(), 0);
    Ok(())
}

#[test]
fn more_weight_than_sums_hold_is_refused() -> Result<()> {
    let mut heavy = Gathered::new(2)?;
    for source in 0..4000_u32 {
        heavy.insert(source, Said { weight: MOST_WEIGHT, ..Said::now(&[1.0, 0.0]) })?;
    }
    let error = heavy.sums(Pool::LogPool).expect_err("4e9 times ln of the floor");
    assert_eq!(*kind(&error), PartialError::TooMuch);
    assert_eq!(kind(&heavy.sums(Pool::Linear).expect_err("4e9 units")), &PartialError::TooMuch);
    Ok(())
}

#[test]
fn damaged_text_is_refused() -> Result<()> {
    let all = gathered(&[(1, 3), (2, 0)]);
    let text = serde_json::to_string(&all).expect("text");
    let says = |from: &str, to: &str| {
        assert!(text.contains(from), "{text}");
        serde_json::from_str::<Gathered<u32>>(&text.replacen(from, to, 1)).expect_err("it is damaged").to_string()
    };
    assert_eq!(
        says("[2,{", "[1,{"),
        "source 1 is in both sums and would count twice; merge what was gathered, or sums of different sources"
    );
    assert!(says(r#""weight":0."#, r#""weight":-0."#).contains("weights are at least 0"), "a weight");
    assert!(says(r#""opinion":[0."#, r#""opinion":[7."#).contains("sum"), "no distribution");
    assert!(says(r#""classes":3"#, r#""classes":2"#).contains('3'), "other classes");
    assert!(says(r#""classes":3"#, r#""classes":0"#).contains("at least one"), "no class");
    assert!(says(r#""generation""#, r#""born""#).contains("born"), "another field");

    let text = serde_json::to_string(&all.sums(Pool::Linear)?).expect("text");
    let says = |from: &str, to: &str| {
        assert!(text.contains(from), "{text}");
        serde_json::from_str::<Sums<u32>>(&text.replacen(from, to, 1)).expect_err("it is damaged").to_string()
    };
    assert_eq!(says(r#""classes":3"#, r#""classes":4"#), "the sums has 6 entries where 7 are needed");
    assert_eq!(
        says(r#""classes":3"#, r#""classes":18446744073709551615"#),
        "the sums has 6 entries where 18446744073709551615 are needed"
    );
    assert!(says("[1,2]", "[1,1]").contains("source 1 is in both"), "a source twice");
    assert!(says("[1,2]", "[]").contains("nothing was said"), "nobody's sums");
    assert!(says(r#""sums":["#, r#""sums":[1,"#).contains("7 entries"), "one too many");
    let sums = text.split(r#""sums":["#).nth(1).expect("sums");
    assert!(says(sums, "0,0,0,0,0,0]}").contains("NaN"), "sums of nothing");
    assert!(says("linear", "stacked").contains("unknown variant"), "another rule");
    Ok(())
}
