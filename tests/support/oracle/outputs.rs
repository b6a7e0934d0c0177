//! Steps 6 and 7 of the contract, and what is said of an item beside its posterior.

use consilience::{Flags, Output, Rule};

use super::opinions::{Opinion, Said, argmax, tempered};
use super::rules::{Setting, WEIGHT_FLOOR, shares, tie_break};

/// Everything that can be said of one item.
#[derive(Debug, Clone, Default)]
pub struct Item {
    pub posterior: Vec<f64>,
    /// What the decision goes by: the largest wins.
    pub scores: Vec<f64>,
    pub disagreement: f64,
    pub effective_sources: f64,
    pub conflict: f64,
    pub flags: u32,
    /// By how much the contract lets each class be off beyond the usual.
    pub slack: Vec<f64>,
    pub conflict_slack: f64,
    /// What contributions are made of: each source's terms, the posterior before tempering if the terms are of the
    /// posterior and not of its logarithm, eps, and the temperature.
    terms: Vec<Vec<f64>>,
    untempered: Option<Vec<f64>>,
    eps: f64,
    temperature: f64,
}

impl Setting<'_> {
    /// One item under the raw weights that its opinions bear.
    pub fn item(&self, said: &Said) -> Item {
        let (mut opinions, mut flags) = (said.opinions.clone(), said.flags);
        let rules = shares(&self.fusion.rule);
        let confusion = rules.iter().find_map(|(rule, share)| match rule {
            Rule::Confusion { matrices } if !said.abstained.is_empty() => Some((matrices, *share)),
            _ => None,
        });
        let eps = f64::from(self.fusion.log_floor);
        let temperature = f64::from(self.fusion.temperature);
        if opinions.is_empty() {
            let mut item = Item {
                posterior: self.rho.clone(),
                flags: flags | Flags::NO_SOURCE.0,
                slack: vec![0.0; self.classes],
                terms: vec![vec![0.0; self.classes]; self.sources],
                eps,
                temperature,
                ..Item::default()
            };
            if let Some((matrices, share)) = confusion {
                let pooled = self.confusion(matrices, &[], &said.abstained);
                let mixed = |k: usize| (1.0 - share) * self.rho[k] + share * pooled.posterior[k];
                item.posterior = (0..self.classes).map(mixed).collect();
                item.slack = pooled.slack.iter().map(|slack| share * slack).collect();
                item.temper(temperature);
            }
            item.scores = item.posterior.clone();
            return item;
        }
        if opinions.iter().map(|o| o.w).sum::<f64>() < WEIGHT_FLOOR {
            flags |= Flags::ZERO_WEIGHTS.0;
            let is_any = opinions.iter().map(|o| self.pi(o.source)).sum::<f64>() >= WEIGHT_FLOOR;
            opinions.iter_mut().for_each(|o| o.w = if is_any { self.pi(o.source) } else { 1.0 });
        }
        let c = self.classes;
        let (mut posterior, mut slack) = (vec![0.0; c], vec![0.0; c]);
        let mut terms = vec![vec![0.0; c]; self.sources];
        for (rule, share) in &rules {
            let pooled = self.pool(rule, &opinions, &said.abstained);
            flags |= pooled.flags;
            posterior.iter_mut().zip(&pooled.posterior).for_each(|(sum, p)| *sum += share * p);
            slack.iter_mut().zip(&pooled.slack).for_each(|(sum, slack)| *sum += share * slack);
            for (sum, row) in terms.iter_mut().zip(&pooled.terms) {
                sum.iter_mut().zip(row).for_each(|(sum, term)| *sum += share * term);
            }
        }
        let total: f64 = posterior.iter().sum();
        posterior.iter_mut().for_each(|p| *p /= total);
        let is_logarithm = matches!(
            self.fusion.rule,
            Rule::LogPool
                | Rule::Extremised { .. }
                | Rule::Evidence { .. }
                | Rule::Confusion { .. }
                | Rule::Stacked { .. }
        );
        if !is_logarithm {
            terms.iter_mut().flatten().for_each(|term| *term /= total);
        }
        let untempered = (!is_logarithm).then(|| posterior.clone());
        let linear = self.linear(&opinions).posterior;
        let (masses, frame, size) = self.masses(&opinions);
        let mut item = Item {
            posterior,
            disagreement: disagreement(&opinions),
            effective_sources: opinions.iter().map(|o| o.w).sum::<f64>().powi(2)
                / opinions.iter().map(|o| o.w * o.w).sum::<f64>(),
            conflict: (1.0 - masses.iter().sum::<f64>() - frame).clamp(0.0, 1.0),
            // Of C differences of masses, each rounded to the frame's.
            conflict_slack: 2e-7 * (1.0 + size) * (1.0 + c as f64 * frame),
            flags,
            slack,
            terms,
            untempered,
            eps,
            temperature,
            ..Item::default()
        };
        item.temper(temperature);
        item.scores = match rules[..] {
            [(Rule::Vote, _)] => tie_break(&item.posterior, &linear),
            _ => item.posterior.clone(),
        };
        item
    }
}

impl Item {
    /// P^(1/T), normalised; a low temperature magnifies the relative error of every class.
    fn temper(&mut self, temperature: f64) {
        if temperature == 1.0 {
            return;
        }
        let relative = |(p, slack): (&f64, &f64)| if *p > 0.0 { (slack / p).min(1.0) } else { 0.0 };
        let error: Vec<f64> = self.posterior.iter().zip(&self.slack).map(relative).collect();
        self.posterior = tempered(&self.posterior, temperature);
        let mean: f64 = self.posterior.iter().zip(&error).map(|(p, error)| p * error).sum();
        let usual = (1.0 / temperature - 1.0).max(0.0) * 2e-6;
        let slack = |(p, error): (&f64, &f64)| p * (error + mean) / temperature + usual;
        self.slack = self.posterior.iter().zip(&error).map(slack).collect();
    }

    pub fn decision(&self) -> usize {
        argmax(&self.scores)
    }

    /// One column of numbers; nothing of those that are integers or that depend on the decision taken.
    pub fn column(&self, output: Output) -> Vec<f64> {
        let mut sorted = self.posterior.clone();
        sorted.sort_by(|a, b| b.total_cmp(a));
        match output {
            Output::Posterior => self.posterior.clone(),
            Output::Confidence => vec![sorted[0]],
            Output::Margin => vec![if sorted.len() == 1 { 1.0 } else { sorted[0] - sorted[1] }],
            Output::Entropy => vec![entropy(&self.posterior)],
            Output::Disagreement => vec![self.disagreement],
            Output::EffectiveSources => vec![self.effective_sources],
            Output::Conflict => vec![self.conflict],
            _ => Vec::new(),
        }
    }

    /// Each source's part of ln P_d / P_r.
    pub fn contributions(&self, d: usize, r: usize) -> Vec<f64> {
        let divisor =
            self.untempered.as_ref().map_or(1.0, |p| logarithmic_mean(p[d].max(self.eps), p[r].max(self.eps)));
        self.terms.iter().map(|row| (row[d] - row[r]) / divisor / self.temperature).collect()
    }
}

/// The generalised Jensen-Shannon divergence over ln C.
fn disagreement(opinions: &[Opinion]) -> f64 {
    let classes = opinions[0].p.len();
    if classes == 1 {
        return 0.0;
    }
    let w: f64 = opinions.iter().map(|o| o.w).sum();
    let pool: Vec<f64> = (0..classes).map(|k| opinions.iter().map(|o| o.w / w * o.p[k]).sum()).collect();
    let within: f64 = opinions.iter().map(|o| o.w / w * entropy(&o.p)).sum();
    ((entropy(&pool) - within) / (classes as f64).ln()).max(0.0)
}

pub fn entropy(p: &[f64]) -> f64 {
    -p.iter().filter(|p| **p > 0.0).map(|p| p * p.ln()).sum::<f64>()
}

fn logarithmic_mean(a: f64, b: f64) -> f64 {
    if (a - b).abs() < 1e-9 * a { a } else { (a - b) / (a.ln() - b.ln()) }
}
