//! Simulated annotations, and Dawid and Skene's method by its formula in f64.

use consilience::truth::{ABSTAINED, Annotations, AnnotationsOptions};

use crate::support::problem::Random;

/// Triples in no order, and what they are of.
#[derive(Debug, Clone)]
pub struct Annotated {
    pub classes: usize,
    pub items: Vec<u32>,
    pub sources: Vec<u32>,
    pub labels: Vec<u32>,
    pub truth: Vec<u32>,
    pub of_sources: usize,
}

impl Annotated {
    /// So many different sources on each item, most of them right more often than not, of whom some abstain.
    pub fn random(items: usize, sources: usize, per_item: usize, classes: usize, abstains: f32, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let accuracy: Vec<f32> = random.list(sources, 0.35, 0.95);
        let (mut triples, mut truth) = (Vec::new(), Vec::new());
        for item in 0..items {
            // The lower the class the more frequent.
            let class = random.below(classes).min(random.below(classes));
            truth.push(class as u32);
            for source in random.shuffle(sources).into_iter().take(per_item) {
                let label =
                    if random.unit() < accuracy[source] { class } else { (class + random.below(classes)) % classes };
                let label = if random.unit() < abstains { ABSTAINED } else { label as u32 };
                triples.push((item as u32, source as u32, label));
            }
        }
        let order = random.shuffle(triples.len());
        let column = |of: fn(&(u32, u32, u32)) -> u32| order.iter().map(|&i| of(&triples[i])).collect();
        let (items, labels) = (column(|t| t.0), column(|t| t.2));
        Self { classes, items, sources: column(|t| t.1), labels, truth, of_sources: sources }
    }

    /// So many labels, five of different sources on an item; a twentieth of them abstain. A source is right by Beta(6, 3),
    /// and the rest of each row of its confusion is Dirichlet(1).
    pub fn crowd(labels: usize, sources: usize, classes: usize, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let mut unit = || f64::from(random.unit());
        // The sixth of eight uniform numbers in their order is Beta(6, 3).
        let accuracies: Vec<f64> = (0..sources)
            .map(|_| {
                let mut uniform: Vec<f64> = (0..8).map(|_| unit()).collect();
                uniform.sort_by(f64::total_cmp);
                uniform[5]
            })
            .collect();
        let rows: Vec<Vec<f64>> = (0..sources * classes)
            .map(|row| {
                let (right, right_share) = (row % classes, accuracies[row / classes]);
                let mut rest: Vec<f64> = (0..classes).map(|_| -(1.0 - unit()).ln()).collect();
                rest[right] = 0.0;
                let sum: f64 = rest.iter().sum::<f64>().max(f64::MIN_POSITIVE);
                rest.iter_mut().for_each(|p| *p *= (1.0 - right_share) / sum);
                rest[right] = right_share;
                rest
            })
            .collect();
        let prior = match classes {
            4 => vec![0.4, 0.3, 0.2, 0.1],
            _ => vec![1.0 / classes as f64; classes],
        };
        let (mut truth, mut told) = (Vec::new(), Vec::new());
        for item in 0..labels.div_ceil(5) {
            let class = draw(&prior, unit());
            truth.push(class as u32);
            let mut asked = Vec::new();
            while asked.len() < 5.min(sources) {
                let source = ((unit() * sources as f64) as usize).min(sources - 1);
                if !asked.contains(&source) {
                    asked.push(source);
                    let abstains = unit() < 0.05;
                    let label = draw(&rows[source * classes + class], unit());
                    told.push([item as u32, source as u32, if abstains { ABSTAINED } else { label as u32 }]);
                }
            }
        }
        let order = random.shuffle(told.len());
        let column = |k: usize| order.iter().map(|&i| told[i][k]).collect();
        let sources: Vec<u32> = column(1);
        let of_sources = sources.iter().max().map_or(0, |&last| last as usize + 1);
        Self { classes, items: column(0), sources, labels: column(2), truth, of_sources }
    }

    pub fn annotations(&self) -> Annotations {
        let (items, sources) = (Some(self.truth.len()), Some(self.of_sources));
        let options = AnnotationsOptions { items, sources, ..AnnotationsOptions::default() };
        Annotations::with(self.classes, &self.items, &self.sources, &self.labels, &options).expect("valid annotations")
    }

    /// The same in another order.
    pub fn shuffled(&self, seed: u64) -> Self {
        let order = Random::new(seed).shuffle(self.items.len());
        let of = |list: &[u32]| order.iter().map(|&i| list[i]).collect();
        Self { items: of(&self.items), sources: of(&self.sources), labels: of(&self.labels), ..self.clone() }
    }

    /// The same with every class under another name, the next one's.
    pub fn relabelled(&self) -> Self {
        let next = |&label: &u32| if label == ABSTAINED { label } else { (label + 1) % self.classes as u32 };
        Self {
            labels: self.labels.iter().map(next).collect(),
            truth: self.truth.iter().map(next).collect(),
            ..self.clone()
        }
    }

    /// What each item's sources voted, for an oracle that asks often.
    pub fn table(&self) -> Vec<Vec<(usize, usize)>> {
        let mut table = vec![Vec::new(); self.truth.len()];
        for ((&item, &source), &label) in self.items.iter().zip(&self.sources).zip(&self.labels) {
            if label != ABSTAINED {
                table[item as usize].push((source as usize, label as usize));
            }
        }
        table
    }

    /// What can be said: the classes, and nothing if anybody abstained.
    pub fn symbols(&self) -> usize {
        self.classes + usize::from(self.labels.contains(&ABSTAINED))
    }

    pub fn symbol(&self, i: usize) -> usize {
        if self.labels[i] == ABSTAINED { self.classes } else { self.labels[i] as usize }
    }

    /// The shares of votes, or the class that is known, [B, C].
    pub fn shares(&self, gold: &[(u32, u32)]) -> Vec<f64> {
        let c = self.classes;
        let mut shares = vec![0.0; self.truth.len() * c];
        for i in 0..self.items.len() {
            if self.symbol(i) < c {
                shares[self.items[i] as usize * c + self.symbol(i)] += 1.0;
            }
        }
        for row in shares.chunks_exact_mut(c) {
            let votes: f64 = row.iter().sum();
            row.iter_mut().for_each(|p| *p = if votes > 0.0 { *p / votes } else { 1.0 / c as f64 });
        }
        for &(item, class) in gold {
            let row = &mut shares[item as usize * c..][..c];
            (0..c).for_each(|k| row[k] = f64::from(u8::from(k == class as usize)));
        }
        shares
    }
}

fn draw(row: &[f64], uniform: f64) -> usize {
    let mut sum = 0.0;
    row.iter()
        .position(|p| {
            sum += p;
            uniform < sum
        })
        .unwrap_or(row.len() - 1)
}

/// What Dawid and Skene's method is asked for.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// Counted beforehand on the diagonal, and off it.
    pub counts: [f64; 2],
    pub hard: bool,
    pub one_coin: bool,
    pub gold: Vec<(u32, u32)>,
    pub iterations: usize,
}

/// What comes of it.
#[derive(Debug, Clone, Default)]
pub struct Found {
    pub posterior: Vec<f64>,
    /// P(answer | class), [N, C, L].
    pub confusions: Vec<f64>,
    pub prior: Vec<f64>,
    /// After each iteration.
    pub objective: Vec<f64>,
}

/// The method, annotation by annotation.
pub fn dawid_skene(of: &Annotated, asked: &Asked) -> Found {
    let (c, symbols, sources, items) = (of.classes, of.symbols(), of.of_sources, of.truth.len());
    let mut posterior = of.shares(&asked.gold);
    let one = |row: &mut [f64], class: usize| (0..c).for_each(|k| row[k] = f64::from(u8::from(k == class)));
    let floor = f64::from(f32::MIN_POSITIVE);
    let mut found = Found::default();
    for _ in 0..asked.iterations {
        // [N, L, C]
        let [diagonal, off] = asked.counts;
        let before = |place: usize| if place / c % symbols == place % c { diagonal } else { off };
        let counts: Vec<f64> = (0..sources * symbols * c).map(before).collect();
        let mut n = counts.clone();
        for i in 0..of.items.len() {
            let (item, cell) = (of.items[i] as usize, of.sources[i] as usize * symbols + of.symbol(i));
            (0..c).for_each(|k| n[cell * c + k] += posterior[item * c + k]);
        }
        for n in n.chunks_exact_mut(symbols * c) {
            if asked.one_coin {
                let right: f64 = (0..c).map(|k| n[k * c + k]).sum();
                let whole: f64 = n[..c * c].iter().sum();
                let wrong = (whole - right) / (c - 1).max(1) as f64;
                for (place, n) in n.iter_mut().enumerate() {
                    let part = if place / c == place % c { right } else { wrong };
                    let share = if whole > 0.0 { (part / whole).max(floor) } else { 1.0 / c as f64 };
                    *n = if place / c == c { 1.0 } else { share };
                }
                continue;
            }
            for k in 0..c {
                let whole: f64 = (0..symbols).map(|l| n[l * c + k]).sum();
                for l in 0..symbols {
                    n[l * c + k] = if whole > 0.0 { (n[l * c + k] / whole).max(floor) } else { 1.0 / symbols as f64 };
                }
            }
        }
        let prior: Vec<f64> =
            (0..c).map(|k| (posterior[k..].iter().step_by(c).sum::<f64>() / items as f64).max(floor)).collect();
        let mut z: Vec<f64> = (0..items * c).map(|place| prior[place % c].ln()).collect();
        for i in 0..of.items.len() {
            let (item, cell) = (of.items[i] as usize, of.sources[i] as usize * symbols + of.symbol(i));
            (0..c).for_each(|k| z[item * c + k] += n[cell * c + k].ln());
        }
        let mut objective: f64 = n.iter().zip(&counts).map(|(share, count)| share.ln() * count).sum();
        for (item, (row, z)) in posterior.chunks_exact_mut(c).zip(z.chunks_exact(c)).enumerate() {
            let best = z.iter().copied().fold(f64::MIN, f64::max);
            let known = asked.gold.iter().find(|gold| gold.0 as usize == item).map(|gold| gold.1 as usize);
            let decided = asked.hard.then(|| z.iter().position(|&z| z == best).unwrap_or_default());
            if let Some(class) = known.or(decided) {
                one(row, class);
                objective += z[class];
            } else {
                let sum: f64 = z.iter().map(|z| (z - best).exp()).sum();
                (0..c).for_each(|k| row[k] = (z[k] - best).exp() / sum);
                objective += best + sum.ln();
            }
        }
        let at = |source: usize, k: usize, l: usize| n[(source * symbols + l) * c + k];
        let triples = (0..sources).flat_map(|s| (0..c).flat_map(move |k| (0..symbols).map(move |l| (s, k, l))));
        found.confusions = triples.map(|(s, k, l)| at(s, k, l)).collect();
        found.prior = prior;
        found.objective.push(objective);
    }
    found.posterior = posterior;
    found
}
