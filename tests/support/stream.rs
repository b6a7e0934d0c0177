//! What `truth::Online` does, every sum taken anew whenever it is needed.

use std::collections::BTreeMap;

use consilience::truth::{ABSTAINED, Online};

/// Annotations in the order they came in, and what is believed of their items.
#[derive(Debug, Clone)]
pub struct Naive {
    pub classes: usize,
    /// Counted beforehand on the diagonal, and off it.
    pub counts: [f64; 2],
    /// Items of each class counted beforehand.
    pub per_class: f64,
    /// The same of some sources, [C, C + 1].
    pub known: BTreeMap<u32, Vec<f32>>,
    pub half_life: Option<f64>,
    /// Whether a source's label for an item replaces its earlier one.
    pub replaces: bool,
    pub sources: usize,
    pub clock: u64,
    pub items: BTreeMap<u32, Of>,
}

/// What is known of an item.
#[derive(Debug, Clone, Default)]
pub struct Of {
    /// Sources and answers.
    pub said: Vec<(u32, usize)>,
    pub gold: Option<usize>,
    pub posterior: Vec<f64>,
    pub then: u64,
}

impl Naive {
    pub fn new(classes: usize) -> Self {
        // The options are f32.
        let counts = [f64::from(0.6_f32), f64::from(0.1_f32)];
        let (known, items) = (BTreeMap::new(), BTreeMap::new());
        Self { classes, counts, per_class: 1.0, known, half_life: None, replaces: false, sources: 0, clock: 0, items }
    }

    pub fn add(&mut self, item: u32, source: u32, label: u32) -> &[f64] {
        let answer = if label == ABSTAINED { self.classes } else { label as usize };
        self.clock += 1;
        self.sources = self.sources.max(source as usize + 1);
        // By what is known of sources without it, or with what it replaces.
        let tables = self.tables();
        let replaces = self.replaces;
        let of = self.items.entry(item).or_default();
        match of.said.iter_mut().find(|said| replaces && said.0 == source) {
            Some(said) => said.1 = answer,
            None => of.said.push((source, answer)),
        }
        let (posterior, then) = (self.expect(&self.items[&item], &tables).0, self.clock);
        let of = self.items.get_mut(&item).expect("it is there");
        (of.posterior, of.then) = (posterior, then);
        &of.posterior
    }

    pub fn set_gold(&mut self, item: u32, class: usize) {
        let then = self.clock;
        let posterior = (0..self.classes).map(|k| f64::from(u8::from(k == class))).collect();
        let of = self.items.entry(item).or_default();
        (of.gold, of.posterior, of.then) = (Some(class), posterior, then);
    }

    /// Takes what `online` believes.
    pub fn believe(&mut self, online: &Online) {
        self.items.iter_mut().for_each(|(item, of)| of.posterior = online.posterior(*item as usize).to_vec());
    }

    fn before(&self, source: usize, k: usize, answer: usize) -> f64 {
        match self.known.get(&(source as u32)) {
            Some(counts) => counts[k * (self.classes + 1) + answer].into(),
            None => self.counts[usize::from(k != answer)],
        }
    }

    fn weight(&self, of: &Of) -> f64 {
        self.half_life.map_or(1.0, |half_life| 0.5_f64.powf((self.clock - of.then) as f64 / half_life))
    }

    /// P(class), and of each source P(answer | class), [C, C + 1].
    pub fn tables(&self) -> (Vec<f64>, Vec<Vec<f64>>) {
        let (c, answers) = (self.classes, self.classes + 1);
        let mut prior = vec![self.per_class; c];
        let mut tables = vec![vec![0.0; c * answers]; self.sources];
        for of in self.items.values() {
            let weight = self.weight(of);
            for k in 0..c {
                prior[k] += weight * of.posterior[k];
                of.said.iter().for_each(|&(source, answer)| {
                    tables[source as usize][k * answers + answer] += weight * of.posterior[k];
                });
            }
        }
        let whole: f64 = prior.iter().sum();
        prior.iter_mut().for_each(|p| *p = if whole > 0.0 { *p / whole } else { 1.0 / c as f64 });
        for (source, table) in tables.iter_mut().enumerate() {
            for (k, row) in table.chunks_exact_mut(answers).enumerate() {
                row.iter_mut().enumerate().for_each(|(answer, count)| *count += self.before(source, k, answer));
                let whole: f64 = row.iter().sum();
                row.iter_mut().for_each(|count| *count /= whole);
            }
        }
        (prior, tables)
    }

    /// ln P(class) prod P(answer | class).
    fn logs(&self, of: &Of, (prior, tables): &(Vec<f64>, Vec<Vec<f64>>)) -> Vec<f64> {
        let share = |k: usize, said: &(u32, usize)| tables[said.0 as usize][k * (self.classes + 1) + said.1];
        let log = |k: usize| prior[k].ln() + of.said.iter().map(|said| share(k, said).ln()).sum::<f64>();
        (0..self.classes).map(log).collect()
    }

    /// The posterior, and ln of the probability of what was said.
    pub fn expect(&self, of: &Of, tables: &(Vec<f64>, Vec<Vec<f64>>)) -> (Vec<f64>, f64) {
        let logs = self.logs(of, tables);
        if let Some(class) = of.gold {
            return ((0..self.classes).map(|k| f64::from(u8::from(k == class))).collect(), logs[class]);
        }
        let best = logs.iter().copied().fold(f64::MIN, f64::max);
        let sum: f64 = logs.iter().map(|log| (log - best).exp()).sum();
        (logs.iter().map(|log| (log - best).exp() / sum).collect(), best + sum.ln())
    }

    fn log_prior(&self, (prior, tables): &(Vec<f64>, Vec<Vec<f64>>)) -> f64 {
        let mut sum = self.per_class * prior.iter().map(|share| share.ln()).sum::<f64>();
        for (source, table) in tables.iter().enumerate() {
            for (place, share) in table.iter().enumerate() {
                sum += self.before(source, place / (self.classes + 1), place % (self.classes + 1)) * share.ln();
            }
        }
        sum
    }

    pub fn objective(&self) -> f64 {
        let tables = self.tables();
        let evidence: f64 = self.items.values().map(|of| self.weight(of) * self.expect(of, &tables).1).sum();
        evidence + self.log_prior(&tables)
    }

    /// What neither an expectation nor a maximisation lowers.
    pub fn bound(&self) -> f64 {
        let tables = self.tables();
        let of_item = |of: &Of| {
            let terms = of.posterior.iter().zip(self.logs(of, &tables)).filter(|(q, _)| **q > 0.0);
            self.weight(of) * terms.map(|(q, log)| q * (log - q.ln())).sum::<f64>()
        };
        self.items.values().map(of_item).sum::<f64>() + self.log_prior(&tables)
    }
}
