//! A fusion of opinions of which some are old.

use std::sync::Arc;

use crate::error::Result;
use crate::orchestration::distribution::likeliest;
use crate::orchestration::weigh::{Said, Weigh, tempered};
use crate::spec::{Fusion, Member, RELIABILITY, Rule, Weighting};

/// One opinion: what is left of its weight, and the row.
pub(super) type Left<'a> = Option<(f64, &'a [f32])>;

/// The weights of the fusion's own weighting times what is left of each, normalised.
pub(super) fn weights(fusion: &Fusion, opinions: &[Left<'_>]) -> Result<Vec<f64>> {
    let weigh = Weigh::of(&fusion.weighting, opinions.len())?;
    let row = |(source, left): (usize, &Left<'_>)| left.map(|(_, row)| (tempered(fusion, source, row), likeliest(row)));
    let rows: Vec<_> = opinions.iter().enumerate().map(row).collect();
    let said: Vec<_> =
        rows.iter().map(|row| row.as_ref().map(|(p, vote)| Said { p, vote: *vote, given: None })).collect();
    let own = weigh.normalised(&said, fusion.source_priors.as_deref());
    let weights = own.iter().zip(opinions).map(|(&own, left)| f64::from(own) * part(left));
    let whole: f64 = weights.clone().sum();
    Ok(weights.map(|weight| if whole > 0.0 { weight / whole } else { 0.0 }).collect())
}

/// The fusion in which each opinion counts for what is left of it: of its weight, its reliability or its exponent, whichever
/// the rule goes by. Where as much is left of each, that is the fusion itself, so that its cases share batches.
pub(super) fn aged(fusion: &Arc<Fusion>, opinions: &[Left<'_>], weights: &[f64]) -> Arc<Fusion> {
    let left: Vec<f32> = opinions.iter().map(|left| part(left) as f32).collect();
    if opinions.iter().flatten().all(|(left, _)| *left == 1.0) {
        return Arc::clone(fusion);
    }
    let reliabilities = fusion.reliabilities.clone().unwrap_or_else(|| vec![RELIABILITY; left.len()]);
    let reliabilities =
        reliabilities.iter().zip(&left).map(|(reliability, left)| reliability * left.min(1.0)).collect();
    Arc::new(Fusion {
        rule: aged_rule(&fusion.rule, &left),
        weighting: Weighting::Fixed(weights.iter().map(|&weight| weight as f32).collect()),
        reliabilities: Some(reliabilities),
        ..Fusion::clone(fusion)
    })
}

fn aged_rule(rule: &Rule, left: &[f32]) -> Rule {
    let times = |each: &[f32]| each.iter().zip(left).map(|(each, left)| each * left).collect();
    match rule {
        Rule::Evidence { exponents } if exponents.is_empty() => Rule::Evidence { exponents: left.to_vec() },
        Rule::Evidence { exponents } => Rule::Evidence { exponents: times(exponents) },
        Rule::Adaptive { learned } => Rule::Adaptive { learned: times(learned) },
        Rule::Ensemble(members) => {
            let aged = |member: &Member| Member { rule: aged_rule(&member.rule, left), ..member.clone() };
            Rule::Ensemble(members.iter().map(aged).collect())
        }
        other => other.clone(),
    }
}

/// What is left of an opinion's weight.
fn part(left: &Left<'_>) -> f64 {
    left.map_or(0.0, |(left, _)| left)
}
