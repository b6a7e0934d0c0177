//! What is counted of sources and classes, and what follows of an item from it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::OnlineOptions;

/// Factors that are multiplied before a logarithm is taken. A share of counts is 1e-6 at least of what there can be at most,
/// 2^53 for each of 4096 answers, a prior [`f64::from(f32::MIN_POSITIVE)`](f32::MIN_POSITIVE): so many are no smaller than
/// 1e-240.
const FACTORS: usize = 8;

/// Half-lives after which counts are scaled down; so many doublings are far from the largest f64, even of 2^32 annotations.
const DOUBLINGS: u64 = 512;

/// Expected counts: of each source how often it answered what where which class was true, and of each class how many items
/// are of it. Beside them, and never in them, what was counted before.
///
/// To forget, what is put in weighs twice as much each half-life, and what was counted before with it; where that nears the
/// range of an f64, all is scaled by a power of two, which changes no bit of any share.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Statistics {
    /// Annotations so far, which is the time that passes.
    clock: u64,
    /// When what is put in weighs one.
    base: u64,
    /// For each source, [L + 1, C]: of each answer, and in the last row of all.
    answers: Vec<f64>,
    /// `[C]`.
    classes: Vec<f64>,
    /// What is known of sources in the place of the default, each [C, L].
    known: BTreeMap<u32, Vec<f32>>,
    /// The shares of the classes, or [`f32::MIN_POSITIVE`].
    #[serde(skip)]
    prior: Vec<f64>,
    #[serde(skip)]
    half_life: Option<u32>,
    /// Items of each class counted before.
    #[serde(skip)]
    per_class: f64,
    /// Counted before, in rows like those of `answers`, the default one first.
    #[serde(skip)]
    before: Vec<f64>,
    /// The row of each source.
    #[serde(skip)]
    row_of: Vec<u32>,
}

impl Statistics {
    pub fn new(classes: usize, options: &OnlineOptions) -> Self {
        let mut new = Self { classes: vec![0.0; classes], ..Self::default() };
        new.derive(options);
        new
    }

    /// What is not saved, from what is.
    pub fn derive(&mut self, options: &OnlineOptions) {
        let (c, symbols) = (self.classes.len(), self.symbols());
        let count = |place: usize| if place / c == place % c { options.diagonal } else { options.off_diagonal };
        let default: Vec<f32> = (0..c).flat_map(|k| (0..symbols).map(move |l| l * c + k)).map(count).collect();
        (self.half_life, self.per_class) = (options.half_life, options.per_class.into());
        self.before.clear();
        self.push_before(&default);
        self.row_of = vec![0; self.answers.len() / self.width()];
        for (source, counts) in std::mem::take(&mut self.known) {
            self.know(source, counts);
        }
        self.prior = vec![0.0; c];
        self.share();
    }

    /// L: the classes, and no answer.
    pub fn symbols(&self) -> usize {
        self.classes.len() + 1
    }

    /// Numbers of a source.
    fn width(&self) -> usize {
        (self.symbols() + 1) * self.classes.len()
    }

    pub fn sources(&self) -> usize {
        self.row_of.len()
    }

    pub fn grow(&mut self, sources: usize) {
        self.answers.resize(sources * self.width(), 0.0);
        self.row_of.resize(sources, 0);
    }

    /// P(class), `[C]`.
    pub fn prior(&self) -> &[f64] {
        &self.prior
    }

    pub fn clock(&self) -> u64 {
        self.clock
    }

    pub fn known(&self) -> &BTreeMap<u32, Vec<f32>> {
        &self.known
    }

    /// Takes something else for what a source was counted to have answered before, [C, L].
    pub fn know(&mut self, source: u32, counts: Vec<f32>) {
        let row = self.row_of[source as usize];
        if row == 0 {
            self.row_of[source as usize] = (self.before.len() / self.width()) as u32;
            self.push_before(&counts);
        } else {
            let behind = self.before.split_off((row as usize + 1) * self.width());
            self.before.truncate(row as usize * self.width());
            self.push_before(&counts);
            self.before.extend(behind);
        }
        self.known.insert(source, counts);
    }

    /// A row from [C, L].
    fn push_before(&mut self, counts: &[f32]) {
        let (c, symbols) = (self.classes.len(), self.symbols());
        let at = |place: usize| f64::from(counts[place % c * symbols + place / c]);
        self.before.extend((0..symbols * c).map(at));
        self.before.extend((0..c).map(|k| (0..symbols).map(|l| at(l * c + k)).sum::<f64>()));
    }

    /// An annotation later.
    pub fn tick(&mut self) {
        self.clock += 1;
        let Some(half_life) = self.half_life else { return };
        let most = DOUBLINGS * u64::from(half_life);
        if self.clock - self.base >= most {
            self.base += most;
            let scale = power_of_two(-(DOUBLINGS as i64));
            self.answers.iter_mut().chain(&mut self.classes).for_each(|count| *count *= scale);
        }
        self.share();
    }

    /// How much weighs what was put in at a time.
    pub fn weight(&self, then: u64) -> f64 {
        let Some(half_life) = self.half_life.map(i64::from) else { return 1.0 };
        let past = then as i64 - self.base as i64;
        // The whole half-lives apart, so that another base changes the exponent alone.
        power_of_two(past.div_euclid(half_life)) * (past.rem_euclid(half_life) as f64 / half_life as f64).exp2()
    }

    /// How much weighs what is put in now.
    pub fn weight_now(&self) -> f64 {
        self.weight(self.clock)
    }

    /// Adds to what is counted of a cell, `[C]`. Where what was put is taken out again, rounding may leave less than nothing.
    pub fn put_answer(&mut self, cell: u32, counts: &[f64]) {
        let (c, symbols, width) = (self.classes.len(), self.symbols(), self.width());
        let (source, symbol) = (cell as usize / symbols, cell as usize % symbols);
        let (answers, sums) = self.answers[source * width..][..width].split_at_mut(symbols * c);
        for ((answer, sum), count) in answers[symbol * c..][..c].iter_mut().zip(sums).zip(counts) {
            *answer = (*answer + count).max(0.0);
            *sum = (*sum + count).max(0.0);
        }
    }

    /// Adds to what is counted of classes.
    pub fn put_item(&mut self, counts: &[f64]) {
        self.classes.iter_mut().zip(counts).for_each(|(class, count)| *class += count);
    }

    /// The shares of the classes, once items have been put.
    pub fn share(&mut self) {
        let before = self.weight_now() * self.per_class;
        let whole: f64 = self.classes.iter().map(|class| class + before).sum();
        let uniform = 1.0 / self.classes.len() as f64;
        for (share, class) in self.prior.iter_mut().zip(&self.classes) {
            let part = class + before;
            *share = if whole > 0.0 { (part / whole).max(f64::from(f32::MIN_POSITIVE)) } else { uniform };
        }
    }

    /// Nothing is counted.
    pub fn clear(&mut self) {
        self.answers.fill(0.0);
        self.classes.fill(0.0);
    }

    /// P(answer | class) of a source, [L, C].
    pub fn shares(&self, source: usize) -> impl Iterator<Item = f64> {
        let (c, now) = (self.classes.len(), self.weight_now());
        let [answers, before] = self.rows(source);
        let at = move |place: usize| answers[place] + now * before[place];
        let sums = self.width() - c;
        (0..sums).map(move |place| at(place) / at(sums + place % c))
    }

    /// What is counted of a source, and was before, [L + 1, C].
    fn rows(&self, source: usize) -> [&[f64]; 2] {
        let width = self.width();
        [&self.answers[source * width..][..width], &self.before[self.row_of[source] as usize * width..][..width]]
    }

    /// The posterior of an item with such annotations, and ln of their probability; `known` may be its class.
    pub fn expect(&self, cells: impl Iterator<Item = u32>, known: Option<usize>, room: &mut Room) -> f64 {
        let (c, symbols, now) = (self.classes.len(), self.symbols(), self.weight_now());
        let Room { posterior, product, .. } = room;
        posterior.fill(0.0);
        product.copy_from_slice(&self.prior);
        for (i, cell) in cells.enumerate() {
            if i % FACTORS == FACTORS - 1 {
                take_logs(posterior, product);
            }
            let (source, symbol) = (cell as usize / symbols, cell as usize % symbols);
            let [answers, before] = self.rows(source).map(|row| (&row[symbol * c..][..c], &row[symbols * c..][..c]));
            for (k, product) in product.iter_mut().enumerate() {
                *product *= (answers.0[k] + now * before.0[k]) / (answers.1[k] + now * before.1[k]);
            }
        }
        take_logs(posterior, product);
        if let Some(class) = known {
            let log = posterior[class];
            posterior.fill(0.0);
            posterior[class] = 1.0;
            return log;
        }
        let best = posterior.iter().copied().fold(f64::MIN, f64::max);
        posterior.iter_mut().for_each(|log| *log = (*log - best).exp());
        let sum: f64 = posterior.iter().sum();
        posterior.iter_mut().for_each(|share| *share /= sum);
        best + sum.ln()
    }

    /// The log prior of the shares of all sources, sum `count` ln P(answer | class), and of those of the classes.
    pub fn log_prior(&self) -> f64 {
        let of_source = |source| -> f64 {
            let [_, before] = self.rows(source);
            self.shares(source).zip(before).map(|(share, count)| count * share.ln()).sum()
        };
        let of_classes = self.per_class * self.prior.iter().map(|share| share.ln()).sum::<f64>();
        (0..self.sources()).map(of_source).sum::<f64>() + of_classes
    }

    /// Adds what another counted, each forgetting by its own clock, and goes on by the later one.
    pub fn join(&mut self, other: &Self) {
        self.grow(self.sources().max(other.sources()));
        let scales = [self.weight_now().recip(), other.weight_now().recip()];
        let add = |mine: &mut [f64], theirs: &[f64]| {
            mine.iter_mut().for_each(|count| *count *= scales[0]);
            mine.iter_mut().zip(theirs).for_each(|(mine, theirs)| *mine += scales[1] * theirs);
        };
        add(&mut self.answers, &other.answers);
        add(&mut self.classes, &other.classes);
        self.clock = self.clock.max(other.clock);
        self.base = if self.half_life.is_some() { self.clock } else { 0 };
        self.share();
    }

    /// Refuses numbers that do not fit together; before [`Statistics::derive`].
    pub fn check(&self, classes: usize, half_life: Option<u32>) -> Result<(), String> {
        if self.classes.len() != classes {
            return Err(format!("classes has {} entries, it must have {classes}", self.classes.len()));
        }
        let width = self.width();
        if !self.answers.len().is_multiple_of(width) {
            return Err(format!("answers has {} entries, it must have a multiple of {width}", self.answers.len()));
        }
        let span = half_life.map_or(0, |half_life| DOUBLINGS * u64::from(half_life) - 1);
        // The counts that are met say whether it is less.
        if self.clock > 1 << 53 || self.base > self.clock || (half_life.is_some() && self.clock - self.base > span) {
            let (clock, base) = (self.clock, self.base);
            return Err(format!("clock is {clock}, it must be in [base, base + {span}] with base {base}"));
        }
        if half_life.is_none() && self.base != 0 {
            return Err(format!("base is {}, it must be 0 where nothing is forgotten", self.base));
        }
        let sources = self.answers.len() / width;
        for (source, counts) in &self.known {
            if *source as usize >= sources {
                return Err(format!("the counts of source {source} are known, there are {sources} sources"));
            }
            super::check_counts(classes, counts).map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// Refuses other counts than these, but for rounding.
    pub fn check_counted(&self, counted: &Self) -> Result<(), String> {
        if let Some(less) = self.answers.iter().find(|answer| **answer < 0.0) {
            return Err(format!("a count of answers is {less}, it must be at least 0"));
        }
        let now = self.weight_now();
        let far = |(mine, counted): &(&f64, &f64)| (*mine - *counted).abs() > 1e-6 * (now + **counted);
        for (what, mine, counted) in
            [("answers", &self.answers, &counted.answers), ("classes", &self.classes, &counted.classes)]
        {
            if let Some((mine, counted)) = mine.iter().zip(counted).find(far) {
                return Err(format!("a count of {what} is {mine}, the annotations make it {counted}"));
            }
        }
        Ok(())
    }
}

/// Where an item is thought about.
#[derive(Debug)]
pub(super) struct Room {
    /// `[C]`, what [`Statistics::expect`] finds.
    pub posterior: Vec<f64>,
    product: Vec<f64>,
    /// `[C]`, for whoever puts counts.
    pub counts: Vec<f64>,
}

impl Room {
    pub fn new(classes: usize) -> Self {
        Self { posterior: vec![0.0; classes], product: vec![0.0; classes], counts: vec![0.0; classes] }
    }
}

/// Adds the logarithms of what was multiplied, and begins anew.
fn take_logs(logs: &mut [f64], product: &mut [f64]) {
    for (log, product) in logs.iter_mut().zip(product) {
        *log += std::mem::replace(product, 1.0).ln();
    }
}

/// 2^exponent, of an exponent that is below 1024; 0 below the normal numbers.
fn power_of_two(exponent: i64) -> f64 {
    if exponent < -1022 { 0.0 } else { f64::from_bits(((exponent + 1023) as u64) << 52) }
}
