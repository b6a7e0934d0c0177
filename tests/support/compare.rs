//! Comparison of an answer with the oracle, or of one device's answer with another's.

use consilience::kernel::fusion::pool::{ABSOLUTE, RELATIVE};
use consilience::{Evidence, Fused, Fusion, Output, Rule};

use crate::support::oracle::{self, Answer};

/// Whether two values agree within the contract of the kernel.
pub fn agree(got: f32, want: f64) -> bool {
    agree_but_for(got, want, 0.0)
}

/// The same, and as much beyond it as is given.
fn agree_but_for(got: f32, want: f64, slack: f64) -> bool {
    (f64::from(got) - want).abs() <= f64::from(ABSOLUTE) + f64::from(RELATIVE) * want.abs() + slack
}

/// The first difference between an answer and the oracle's; every output asked for is compared.
pub fn against_oracle(fusion: &Fusion, evidence: &Evidence<'_>, fused: &Fused) -> Result<(), String> {
    against(&oracle::answers(fusion, evidence)?, fusion, fused)
}

/// The same with the oracle's answers at hand.
pub fn against(wanted: &[Answer], fusion: &Fusion, fused: &Fused) -> Result<(), String> {
    if fused.items() != wanted.len() {
        return Err(format!("{} items of {}", fused.items(), wanted.len()));
    }
    for (item, want) in wanted.iter().enumerate() {
        for output in fusion.outputs.iter() {
            let difference = match output {
                Output::Decision => of_decision(want, fused.decision()[item] as usize),
                Output::Flags => of_flags(want, fused.flags()[item]),
                Output::Contributions => of_contributions(want, fused, item),
                _ => of_column(fusion, want, fused, output, item),
            };
            difference.map_err(|difference| format!("item {item}: {difference}"))?;
        }
    }
    Ok(())
}

fn of_column(fusion: &Fusion, want: &Answer, fused: &Fused, output: Output, item: usize) -> Result<(), String> {
    let (values, slack) = (want.item.column(output), want.slack(output));
    // The entropy of what logarithms were added up for: each class at the floor is off alike.
    let usual = if output == Output::Entropy && takes_logarithms(&fusion.rule) { 8e-6 } else { 0.0 };
    let got = &fused.values(output).unwrap_or_default()[item * values.len()..][..values.len()];
    for (k, (&got, (&want, &slack))) in got.iter().zip(values.iter().zip(&slack)).enumerate() {
        if !agree_but_for(got, want, usual + slack) {
            let of = if output == Output::Posterior { format!(" of class {k}") } else { String::new() };
            return Err(format!("{output}{of} is {got}, not {want} within {slack:e} beyond the usual"));
        }
    }
    Ok(())
}

/// Inside the tolerance the decision is free.
fn of_decision(want: &Answer, got: usize) -> Result<(), String> {
    let (item, decision) = (&want.item, want.item.decision());
    let slack = want.slack(Output::Posterior);
    let Some(score) = item.scores.get(got) else { return Err(format!("decision is {got}, which is no class")) };
    let short = item.scores[decision] - score;
    if got != decision && short > 2.0 * f64::from(ABSOLUTE + RELATIVE) + slack[got] + slack[decision] {
        return Err(format!("decision is {got}, not {decision}"));
    }
    Ok(())
}

fn of_flags(want: &Answer, got: u32) -> Result<(), String> {
    let wrong = (got ^ want.item.flags) & !want.free_flags();
    if wrong == 0 { Ok(()) } else { Err(format!("flags are {got}, not {}", want.item.flags)) }
}

/// For the decision taken; where several classes may come second, for any of them.
fn of_contributions(want: &Answer, fused: &Fused, item: usize) -> Result<(), String> {
    let p = &want.item.posterior;
    let d = fused.decision().get(item).map_or_else(|| want.item.decision(), |&d| d as usize);
    let n = fused.contributions().len() / fused.items();
    let got = &fused.contributions()[item * n..][..n];
    let slack = want.slack(Output::Posterior);
    let second = (0..p.len()).filter(|&k| k != d).map(|k| p[k] - slack[k]).fold(0.0, f64::max);
    let near = 2.0 * f64::from(ABSOLUTE + RELATIVE);
    let mut rivals: Vec<usize> = (0..p.len()).filter(|&k| k != d && p[k] + slack[k] + near >= second).collect();
    if rivals.is_empty() {
        rivals.push(d);
    }
    let mut difference = Ok(());
    for r in rivals {
        difference = of_contributions_over(want, got, d, r);
        if difference.is_ok() {
            break;
        }
    }
    difference
}

fn of_contributions_over(want: &Answer, got: &[f32], d: usize, r: usize) -> Result<(), String> {
    let p = &want.item.posterior;
    let (parts, spread) = (want.item.contributions(d, r), want.spread(|item| item.contributions(d, r)));
    let odds = (p[d].max(1e-30) / p[r].max(1e-30)).ln().abs();
    // Of classes near eps the posterior's own slack counts for more.
    let relative = |k: usize| want.item.slack[k] / p[k].max(1e-7);
    let usual = 1e-5 * (odds + 1.0) + relative(d) + relative(r);
    for (source, (&got, (&want, &spread))) in got.iter().zip(parts.iter().zip(&spread)).enumerate() {
        if !agree_but_for(got, want, usual + spread + 1e-5 * want.abs()) {
            return Err(format!(
                "contribution of source {source} to {d} over {r} is {got}, not {want} within {usual:e}"
            ));
        }
    }
    Ok(())
}

fn takes_logarithms(rule: &Rule) -> bool {
    match rule {
        Rule::Ensemble(members) => members.iter().any(|member| takes_logarithms(&member.rule)),
        Rule::Linear | Rule::Vote | Rule::MaxVote | Rule::BayesianAverage | Rule::Adaptive { .. } => false,
        Rule::Median | Rule::Trimmed { .. } | Rule::Belief(_) => false,
        _ => true,
    }
}

/// The first difference between two devices' answers to the same fusion, beyond the contract of the kernel.
pub fn between_devices(one: &Fused, other: &Fused) -> Result<(), String> {
    if (one.items(), one.classes()) != (other.items(), other.classes()) {
        return Err("the shapes differ".to_owned());
    }
    for output in Output::ALL.into_iter().filter(|&output| output != Output::Contributions) {
        if let (Some(a), Some(b)) = (one.values(output), other.values(output)) {
            let differs = |(a, b): (&f32, &f32)| !agree(*a, f64::from(*b));
            if let Some(i) = a.iter().zip(b).position(differs) {
                return Err(format!("{output} at {i} is {}, not {}", b[i], a[i]));
            }
        }
    }
    let clear = |item: usize| one.margin()[item] > 2.0 * (ABSOLUTE + RELATIVE);
    if let Some(item) = (0..one.items()).find(|&i| one.decision()[i] != other.decision()[i] && clear(i)) {
        return Err(format!("decision of item {item} is {}, not {}", other.decision()[item], one.decision()[item]));
    }
    if let Some(item) = (0..one.items()).find(|&item| one.flags()[item] != other.flags()[item]) {
        return Err(format!("flags of item {item} are {}, not {}", other.flags()[item], one.flags()[item]));
    }
    contributions_between(one, other)
}

/// Contributions are compared where both devices are of one mind about the best two classes.
fn contributions_between(one: &Fused, other: &Fused) -> Result<(), String> {
    let n = one.contributions().len() / one.items().max(1);
    for item in 0..one.items() {
        let places = |fused: &Fused| (fused.decision()[item], runner_up(fused, item));
        if places(one) != places(other) {
            continue;
        }
        for i in item * n..(item + 1) * n {
            let (a, b) = (one.contributions()[i], other.contributions()[i]);
            if !agree_but_for(a, b.into(), 2e-5 * (10.0 + f64::from(b.abs()))) {
                return Err(format!("contribution {i} of item {item} is {b}, not {a}"));
            }
        }
    }
    Ok(())
}

/// The lowest class of largest posterior beside the decision.
fn runner_up(fused: &Fused, item: usize) -> usize {
    let (c, d) = (fused.classes(), fused.decision()[item] as usize);
    let p = &fused.posterior()[item * c..][..c];
    (0..c).filter(|&k| k != d).fold(d, |best, k| if best == d || p[k] > p[best] { k } else { best })
}

/// All outputs as bits, for equality of every one of them.
pub fn bits(fused: &Fused) -> Vec<Vec<u32>> {
    let column = |output| match (fused.values(output), fused.integers(output)) {
        (Some(values), _) => values.iter().map(|x| x.to_bits()).collect(),
        (_, integers) => integers.unwrap_or_default().to_vec(),
    };
    Output::ALL.map(column).to_vec()
}

/// The columns of one item as bits.
pub fn bits_of(fused: &Fused, item: usize) -> Vec<Vec<u32>> {
    let per = |column: &[u32]| column.len() / fused.items();
    bits(fused).iter().map(|column| column[item * per(column)..][..per(column)].to_vec()).collect()
}

mod tests {
    use consilience::{Conflict, Encoding, Engine, Weighting};

    use super::*;
    use crate::support::problem::Problem;

    /// The comparison itself is tested with a poisoned answer: one that was altered must be found.
    #[test]
    fn an_altered_value_is_found() {
        let problem = Problem::random(Encoding::Probabilities, 3, 40, 5, 1);
        let evidence = problem.evidence();
        let engine = Engine::cpu().expect("a CPU engine");
        let linear = Fusion::new(Rule::Linear).outputs(&Output::ALL);
        let fused = engine.fuse(&linear, &evidence).expect("valid evidence");
        assert_eq!(against_oracle(&linear, &evidence, &fused), Ok(()));
        let mut altered = problem.clone();
        altered.planes[1].f32s_mut()[17 * 5] += 2e-5;
        altered.planes[1].f32s_mut()[17 * 5 + 1] -= 2e-5;
        let fused = engine.fuse(&linear, &altered.evidence()).expect("valid evidence");
        let found = against_oracle(&linear, &evidence, &fused).expect_err("a value was altered");
        assert!(found.starts_with("item 17: posterior of class 0"), "{found}");
    }

    /// Each output alone tells a fusion from another one that it depends on.
    #[test]
    fn every_output_tells_fusions_apart() {
        let problem = Problem::mixed(4, 40, 5, 1).with_holes(1);
        let evidence = problem.evidence();
        let engine = Engine::cpu().expect("a CPU engine");
        let linear = Fusion::new(Rule::Linear);
        let weighted = linear.clone().weighting(Weighting::Fixed(vec![1.0, 2.0, 3.0, 4.0]));
        let vote = Fusion::new(Rule::Vote);
        let reliable = linear.clone().reliabilities(vec![0.5; 4]);
        let zero = linear.clone().weighting(Weighting::Fixed(vec![0.0; 4]));
        for output in Output::ALL {
            let others: &[&Fusion] = match output {
                Output::Disagreement | Output::EffectiveSources => &[&weighted],
                Output::Conflict => &[&reliable],
                Output::Flags => &[&zero],
                _ => &[&vote, &weighted],
            };
            let only = |fusion: &Fusion| fusion.clone().outputs(&[output]);
            let same = engine.fuse(&only(&linear), &evidence).expect("valid evidence");
            assert_eq!(against_oracle(&only(&linear), &evidence, &same), Ok(()), "{output}");
            for other in others {
                let fused = engine.fuse(&only(other), &evidence).expect("valid evidence");
                let found = against_oracle(&only(&linear), &evidence, &fused).expect_err("another fusion");
                assert!(found.contains(output.name().trim_end_matches('s')), "{output} of {other:?}: {found}");
            }
        }
    }

    /// What the contract lets rules be off beyond the usual does not hide another parameter.
    #[test]
    fn slack_hides_no_other_parameter() {
        let problem = Problem::mixed(9, 40, 5, 1).with_holes(1);
        let evidence = problem.evidence();
        let engine = Engine::cpu().expect("a CPU engine");
        let pairs = [
            (Rule::Evidence { exponents: vec![] }, Rule::Evidence { exponents: vec![0.999; 9] }),
            (Rule::Extremised { exponent: 2.0 }, Rule::Extremised { exponent: 2.001 }),
            (Rule::PowerMean { exponent: -1.0 }, Rule::PowerMean { exponent: -1.001 }),
            (
                Rule::DempsterShafer { conflict: Conflict::Normalise },
                Rule::DempsterShafer { conflict: Conflict::Ignorance },
            ),
        ];
        for (rule, other) in pairs {
            let (fusion, other) = (Fusion::new(rule), Fusion::new(other));
            for other in [other, fusion.clone().temperature(1.001)] {
                let fused = engine.fuse(&other, &evidence).expect("valid evidence");
                let found = against_oracle(&fusion, &evidence, &fused).expect_err("another parameter");
                assert!(found.contains("posterior of class"), "{other:?}: {found}");
            }
        }
    }

    #[test]
    fn one_altered_bit_is_found() {
        let problem = Problem::random(Encoding::Probabilities, 3, 40, 5, 1);
        let engine = Engine::cpu().expect("a CPU engine");
        let fuse = |problem: &Problem| engine.fuse(&Fusion::default(), &problem.evidence()).expect("valid evidence");
        let (one, two) = (fuse(&problem), fuse(&problem));
        assert_eq!(bits(&one), bits(&two));
        let mut altered = problem.clone();
        let value = &mut altered.planes[0].f32s_mut()[0];
        *value = f32::from_bits(value.to_bits() + 4);
        assert_ne!(bits(&fuse(&altered)), bits(&one));
    }
}
