//! The contract of the pool in naive f64: as short as can be, so that it is obviously right. It shares no code with the
//! crate but the types of its input.

use consilience::{Distance, Encoding, Evidence, Flags, Fusion, OnInvalid, Rule, Weighting};

/// Everything that can be said of one item.
#[derive(Debug, Clone, Default)]
pub struct Item {
    pub posterior: Vec<f64>,
    pub decision: usize,
    pub confidence: f64,
    pub margin: f64,
    pub entropy: f64,
    pub disagreement: f64,
    pub effective_sources: f64,
    pub flags: u32,
}

/// One present opinion: probabilities, confidence, weight, prior.
struct Opinion {
    p: Vec<f64>,
    vote: usize,
    c: f64,
    w: f64,
    pi: f64,
    r: f64,
}

/// Fuses one item; the source at fault if an opinion is invalid and not to be mended.
pub fn fuse(fusion: &Fusion, evidence: &Evidence<'_>, item: usize) -> Result<Item, usize> {
    let (n, c) = (evidence.sources(), evidence.classes());
    let mut flags = 0;
    let mut opinions = Vec::new();
    for source in 0..n {
        if evidence.presence(source).is_some_and(|present| !present[item]) {
            continue;
        }
        let row: Vec<f64> = evidence.plane(source)[item * c..][..c].iter().map(|&x| f64::from(x)).collect();
        let given = evidence.confidence(source).map(|given| f64::from(given[item]));
        let mut p = probabilities(evidence.encoding(), &row);
        let sum = p.as_ref().map_or(f64::NAN, |p| p.iter().sum());
        let mut valid = (sum - 1.0).abs() <= 1e-3;
        if fusion.on_invalid == OnInvalid::Renormalise && !valid && sum > 0.0 && sum < f64::from(f32::MAX) {
            p = p.map(|p| p.iter().map(|p| p / sum).collect());
            (valid, flags) = (true, flags | Flags::RENORMALISED.0);
        }
        valid &= given.is_none_or(|given| (0.0..=1.0).contains(&given));
        match p {
            Some(p) if valid => {
                let largest = p.iter().copied().fold(0.0, f64::max);
                let w = weight(&fusion.weighting, source, given.unwrap_or(largest));
                let pi = share(fusion.source_priors.as_deref(), source, n);
                let c = given.unwrap_or(largest);
                opinions.push(Opinion { vote: argmax(&row), p, c, w, pi, r: pi * w * c });
            }
            _ if fusion.on_invalid == OnInvalid::Missing => flags |= Flags::INVALID_LEFT_OUT.0,
            _ => return Err(source),
        }
    }
    if opinions.is_empty() {
        let prior = (0..c).map(|k| share(fusion.class_prior.as_deref(), k, c)).collect();
        return Ok(Item { flags: flags | Flags::NO_SOURCE.0, ..describe(prior, None) });
    }
    let total = |f: fn(&Opinion) -> f64, opinions: &[Opinion]| opinions.iter().map(f).sum::<f64>();
    if total(|o| o.w, &opinions) < 1e-30 {
        flags |= Flags::ZERO_WEIGHTS.0;
        let no_prior = total(|o| o.pi, &opinions) < 1e-30;
        opinions.iter_mut().for_each(|o| o.w = if no_prior { 1.0 } else { o.pi });
        opinions.iter_mut().for_each(|o| o.r = o.pi * o.w * o.c);
    }
    let uses_r = shares(&fusion.rule).iter().any(|(rule, share)| *rule == Rule::BayesianAverage && *share > 0.0);
    if uses_r && total(|o| o.r, &opinions) < 1e-30 {
        flags |= Flags::ZERO_WEIGHTS.0;
        opinions.iter_mut().for_each(|o| o.r = o.w);
    }
    let linear = pool(&opinions, |o| o.w);
    let mut posterior = vec![0.0; c];
    for (rule, share) in shares(&fusion.rule) {
        let of_rule = match rule {
            Rule::Linear => linear.clone(),
            Rule::Vote => votes(&opinions, c),
            Rule::MaxVote => {
                let counts = |o: &&Opinion| o.w > 0.0;
                let most = opinions.iter().filter(counts).map(|o| o.c).fold(0.0, f64::max);
                pool(&opinions, |o| if o.c == most { o.w } else { 0.0 })
            }
            Rule::BayesianAverage => pool(&opinions, |o| o.r),
            Rule::LogPool => log_pool(&opinions, f64::from(fusion.log_floor)),
            other => panic!("the oracle knows no {other}"),
        };
        posterior.iter_mut().zip(of_rule).for_each(|(p, q)| *p += share * q);
    }
    let sum: f64 = posterior.iter().sum();
    posterior.iter_mut().for_each(|p| *p /= sum);
    let tie_break = (fusion.rule == Rule::Vote).then_some(linear.as_slice());
    let w = total(|o| o.w, &opinions);
    let mean_entropy = opinions.iter().map(|o| o.w / w * entropy(&o.p)).sum::<f64>();
    let apart = entropy(&linear) - mean_entropy;
    let disagreement = if c > 1 { (apart / (c as f64).ln()).max(0.0) } else { 0.0 };
    let effective_sources = w * w / total(|o| o.w * o.w, &opinions);
    Ok(Item { flags, disagreement, effective_sources, ..describe(posterior, tie_break) })
}

/// Probabilities of a row, or `None` if a value cannot stand in it.
fn probabilities(encoding: Encoding, row: &[f64]) -> Option<Vec<f64>> {
    if row.iter().any(|x| x.is_nan() || *x == f64::INFINITY) {
        return None;
    }
    match encoding {
        Encoding::Probabilities => row.iter().all(|x| *x >= 0.0).then(|| row.to_vec()),
        Encoding::LogProbabilities => Some(row.iter().map(|x| x.exp()).collect()),
        Encoding::Logits => {
            let most = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let powers: Vec<f64> = row.iter().map(|x| (x - most).exp()).collect();
            let sum: f64 = powers.iter().sum();
            most.is_finite().then(|| powers.iter().map(|p| p / sum).collect())
        }
    }
}

fn weight(weighting: &Weighting, source: usize, c: f64) -> f64 {
    match weighting {
        Weighting::Fixed(weights) if weights.is_empty() => 1.0,
        Weighting::Fixed(weights) => f64::from(weights[source]),
        Weighting::Confidence { gamma } => c.powf(f64::from(*gamma)),
        Weighting::Proximity { positions, target, distance } => {
            let d = f64::from((positions[source] - target).abs());
            1.0 / (1.0 + 0.2 * if *distance == Distance::Cyclic { d.min(9.0 - d) } else { d })
        }
        Weighting::Adaptive { beta, learned } => {
            f64::from(*beta) * c + (1.0 - f64::from(*beta)) * f64::from(learned[source])
        }
        other => panic!("the oracle knows no {other:?}"),
    }
}

fn shares(rule: &Rule) -> Vec<(Rule, f64)> {
    match rule {
        Rule::Ensemble(members) => {
            let total: f64 = members.iter().map(|m| f64::from(m.weight)).sum();
            members.iter().map(|m| (m.rule.clone(), f64::from(m.weight) / total)).collect()
        }
        rule => vec![(rule.clone(), 1.0)],
    }
}

/// An entry of a list that is normalised, or uniform.
fn share(list: Option<&[f32]>, index: usize, n: usize) -> f64 {
    list.map_or(1.0 / n as f64, |list| f64::from(list[index]) / list.iter().map(|&x| f64::from(x)).sum::<f64>())
}

fn pool(opinions: &[Opinion], weight: impl Fn(&Opinion) -> f64) -> Vec<f64> {
    let total: f64 = opinions.iter().map(&weight).sum();
    let column = |k: usize| opinions.iter().map(|o| weight(o) * o.p[k]).sum::<f64>() / total;
    (0..opinions[0].p.len()).map(column).collect()
}

fn votes(opinions: &[Opinion], c: usize) -> Vec<f64> {
    let total: f64 = opinions.iter().map(|o| o.w).sum();
    (0..c).map(|k| opinions.iter().filter(|o| o.vote == k).map(|o| o.w).sum::<f64>() / total).collect()
}

fn log_pool(opinions: &[Opinion], floor: f64) -> Vec<f64> {
    let total: f64 = opinions.iter().map(|o| o.w).sum();
    let log = |k: usize| opinions.iter().map(|o| o.w / total * o.p[k].clamp(floor, 1.0).ln()).sum::<f64>();
    let logs: Vec<f64> = (0..opinions[0].p.len()).map(log).collect();
    let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = logs.iter().map(|l| (l - most).exp()).sum();
    logs.iter().map(|l| (l - most).exp() / sum).collect()
}

fn entropy(p: &[f64]) -> f64 {
    -p.iter().filter(|p| **p > 0.0).map(|p| p * p.ln()).sum::<f64>()
}

fn argmax(p: &[f64]) -> usize {
    (0..p.len()).fold(0, |best, k| if p[k] > p[best] { k } else { best })
}

fn describe(posterior: Vec<f64>, tie_break: Option<&[f64]>) -> Item {
    let largest = posterior.iter().copied().fold(0.0, f64::max);
    let decision = match tie_break {
        None => argmax(&posterior),
        Some(linear) => {
            let tied = |k: usize| if posterior[k] >= largest - 1e-6 { linear[k] } else { -1.0 };
            argmax(&(0..posterior.len()).map(tied).collect::<Vec<_>>())
        }
    };
    let others = posterior.iter().enumerate().filter(|(k, _)| *k != decision);
    let second = others.map(|(_, p)| *p).fold(0.0, f64::max);
    Item {
        decision,
        confidence: largest,
        margin: largest - second,
        entropy: entropy(&posterior),
        posterior,
        ..Item::default()
    }
}
