//! Dawid and Skene's method while annotations arrive: incremental expectation and maximisation (Neal and Hinton, Learning in
//! Graphical Models 1998; with forgetting, Cappé and Moulines, J. R. Statist. Soc. B 2009).

mod lists;
mod merge;
mod saved;
mod statistics;

use serde::{Deserialize, Serialize};

use self::lists::{Lists, NONE};
use self::statistics::{Room, Statistics};
use super::annotations::{ABSTAINED, Annotations, AnnotationsOptions, Duplicates, check_count};
use super::fit::{Confusions, Ending, Fit};
use crate::error::{LabelError, LengthError, Result, TruthError};

/// More classes would be more than 2^24 counts of a source.
const MOST_CLASSES: usize = 4094;

/// The least count that rounding of the others leaves alone, and the largest to which one can be added.
const COUNTS: [f64; 2] = [1e-6, (1_u64 << 53) as f64];

/// A confusion matrix of each source and a class prior, as [`DawidSkene`](super::DawidSkene) fits them by maximum a posteriori,
/// kept up to date while annotations arrive.
///
/// It holds for each source, answer and class the sum, over the items so answered, of the probability that the item is of that
/// class. A new annotation of an item changes what is believed of that item, by what was known of its sources until then,
/// and that changes the sums, which stay those of what is believed of each item now. That takes time in proportion to the
/// item's annotations and the classes, and to nothing else: an item's ten thousandth annotation takes two thousand times as long
/// as its fifth. What is believed of other items stays as it is until they are annotated again or revisited
/// ([`Online::refine`]), of which enough leads to a fixed point of the method fitted to all annotations, if that takes as much to
/// have been counted before.
///
/// Every source can abstain, whether one did or not: it is one more answer. Items and sources come into being when they are
/// named; an index may be past the last by what 2^24 counts (128 MiB) have room for, by more once [`Online::grow`] was asked.
///
/// With a half-life, what was put into the sums t annotations ago weighs 2^(-t / half-life) of what is put in now, the counts
/// known before of sources always the same. An item is put in again, and weighs anew, when it is annotated.
///
/// An item takes 8 C + 16 bytes, an annotation 8, a source 8 C (C + 2) + 4.
///
/// # Examples
///
/// *A source that contradicts two others loses their trust while it goes on.*
///
/// ```
/// use consilience::truth::Online;
///
/// let mut online = Online::new(2, Default::default())?;
/// assert_eq!(online.add(0, 2, 1)?.iter().map(|p| (p * 100.0).round()).collect::<Vec<_>>(), [14.0, 86.0]);
/// for item in 0..20 {
///     let class = item % 2;
///     online.add(item, 0, class)?;
///     online.add(item, 1, class)?;
///     online.add(item, 2, 1 - class)?;
/// }
/// assert!(online.skill()[0] > 0.9 && online.skill()[2] < 0.1);
/// // Alone, its word means the opposite.
/// online.add(20, 2, 0)?;
/// assert_eq!(online.decision(20), Some(1));
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Online {
    options: OnlineOptions,
    classes: usize,
    annotations: Lists,
    items: Vec<Item>,
    /// What is believed of each item and was put into the sums, [B, C]; of items of which nothing is known, zeros.
    posterior: Vec<f64>,
    statistics: Statistics,
}

/// How annotations are taken, and what is assumed of sources.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OnlineOptions {
    /// How often each source is taken to have been right on each class before anything was seen, at least 1e-6.
    pub diagonal: f32,
    /// The same of each wrong answer, and of none.
    pub off_diagonal: f32,
    /// How many items are taken to have been of each class before anything was seen. With none, as
    /// [`DawidSkene`](super::DawidSkene) takes it, a stream that begins with known items of some classes never believes in another.
    pub per_class: f32,
    /// What becomes of a source's second label for an item. But to keep all, an item's annotations are searched.
    pub duplicates: Duplicates,
    /// After how many annotations what was learnt weighs half; `None`: always the same.
    pub half_life: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    /// The place of the last annotation, or [`NONE`].
    last: u32,
    /// The class that is known, or [`NONE`].
    gold: u32,
    /// When it was put in.
    then: u64,
}

impl Default for OnlineOptions {
    /// The counts of [`DawidSkene`](super::DawidSkene)'s, and an item of each class; every label counts, always.
    fn default() -> Self {
        Self { diagonal: 0.6, off_diagonal: 0.1, per_class: 1.0, duplicates: Duplicates::KeepAll, half_life: None }
    }
}

impl Item {
    const NEW: Self = Self { last: NONE, gold: NONE, then: 0 };

    /// Whether anything is known of it.
    fn counts(&self) -> bool {
        self.last != NONE || self.gold != NONE
    }

    fn gold(&self) -> Option<usize> {
        (self.gold != NONE).then_some(self.gold as usize)
    }
}

impl Online {
    /// Nothing yet, of so many classes.
    ///
    /// # Errors
    ///
    /// No class, or more than 4094; an option out of its range.
    pub fn new(classes: usize, options: OnlineOptions) -> Result<Self> {
        options.check()?;
        let is_valid = (1..=MOST_CLASSES).contains(&classes);
        TruthError::check_option("the number of classes", classes as f64, is_valid, "between 1 and 4094")?;
        let statistics = Statistics::new(classes, &options);
        let (annotations, items, posterior) = (Lists::default(), Vec::new(), Vec::new());
        Ok(Self { options, classes, annotations, items, posterior, statistics })
    }

    /// Goes on from annotations and what a fit to them found of their items. What was known before that fit is to be said again
    /// ([`Online::set_gold`], [`Online::set_counts`]).
    ///
    /// # Errors
    ///
    /// As [`Online::new`]; a fit to another number of items or classes; duplicates where they are rejected.
    ///
    /// # Examples
    ///
    /// *Another label, after a fit.*
    ///
    /// ```
    /// use consilience::Engine;
    /// use consilience::truth::{Annotations, DawidSkene, Online};
    ///
    /// let (items, sources) = ([0, 0, 1, 1, 2, 2], [0, 1, 0, 1, 0, 1]);
    /// let annotations = Annotations::new(2, &items, &sources, &[0, 0, 1, 1, 0, 0])?;
    /// let fit = DawidSkene::default().fit(&Engine::cpu()?, &annotations)?;
    /// let mut online = Online::resume(&annotations, &fit, Default::default())?;
    /// assert!(online.add(3, 1, 1)?[1] > 0.8);
    /// assert_eq!(online.fit().decision(), [0, 1, 0, 1]);
    /// # Ok::<(), consilience::Error>(())
    /// ```
    pub fn resume(annotations: &Annotations, fit: &Fit, options: OnlineOptions) -> Result<Self> {
        let classes = annotations.classes();
        let mut new = Self::new(classes, options)?;
        LengthError::check("a posterior of the fit", classes, fit.classes)?;
        LengthError::check("the posterior of the fit", annotations.items() * classes, fit.posterior.len())?;
        new.grow(annotations.items(), annotations.sources())?;
        for item in 0..annotations.items() {
            for (source, label) in annotations.of_item(item) {
                let earlier = new.earlier(item as u32, source)?;
                let cell = new.cell(source, label);
                new.list(item, earlier, cell);
            }
            if new.items[item].counts() {
                let row = &fit.posterior[item * classes..][..classes];
                let sum: f64 = row.iter().copied().map(f64::from).sum();
                let posterior = new.posterior[item * classes..][..classes].iter_mut();
                posterior.zip(row).for_each(|(share, &found)| *share = f64::from(found) / sum);
            }
        }
        new.recount();
        Ok(new)
    }

    /// Source `source` said of item `item` that its class is `label`, or abstained ([`ABSTAINED`]). Answers with the posterior of
    /// the item, `[C]`.
    ///
    /// # Errors
    ///
    /// A label that is no class; an index too far past the last; a duplicate where they are rejected; more than 2^32 - 2 annotations
    /// or cells (labels of sources). Nothing is changed then.
    pub fn add(&mut self, item: u32, source: u32, label: u32) -> Result<&[f64]> {
        let classes = self.classes;
        if label as usize >= classes && label != ABSTAINED {
            return Err(TruthError::Label { annotation: self.len(), label, classes }.into());
        }
        check_count("annotations", self.len() as u64 + 1)?;
        let sizes = self.sizes_with(Some(item), Some(source))?;
        let earlier = self.earlier(item, source)?;
        self.resize(sizes);
        let (item, cell) = (item as usize, self.cell(source, label));
        self.statistics.tick();
        let replaced = self.list(item, earlier, cell);
        let mut room = Room::new(classes);
        let of_item = self.items[item];
        self.statistics.expect(self.annotations.cells(of_item.last), of_item.gold(), &mut room);
        // It is as if it had been among the others before.
        let weight = self.statistics.weight(of_item.then);
        let old = self.posterior[item * classes..][..classes].iter();
        room.counts.iter_mut().zip(old).for_each(|(count, old)| *count = weight * old);
        self.statistics.put_answer(cell, &room.counts);
        if let Some(replaced) = replaced {
            room.counts.iter_mut().for_each(|count| *count = -*count);
            self.statistics.put_answer(replaced, &room.counts);
        }
        self.put(item, self.statistics.clock(), &mut room);
        Ok(&self.posterior[item * classes..][..classes])
    }

    /// Makes room for so many items and sources, if there are fewer.
    ///
    /// # Errors
    ///
    /// More than 2^32 - 2 items or cells (labels of sources).
    pub fn grow(&mut self, items: usize, sources: usize) -> Result<()> {
        let sizes = [items.max(self.items()), sources.max(self.sources())];
        self.check_sizes(sizes)?;
        self.resize(sizes);
        Ok(())
    }

    /// The class of an item is known.
    ///
    /// # Errors
    ///
    /// No class, or not the one that is known already; an index too far past the last.
    pub fn set_gold(&mut self, item: u32, class: u32) -> Result<()> {
        LabelError::check(self.classes, item as usize, class)?;
        let sizes = self.sizes_with(Some(item), None)?;
        self.resize(sizes);
        let of_item = &mut self.items[item as usize];
        if of_item.gold != NONE {
            let same = of_item.gold == class;
            let contradiction = TruthError::Contradiction { item, classes: [of_item.gold, class] };
            return if same { Ok(()) } else { Err(contradiction.into()) };
        }
        of_item.gold = class;
        let mut room = Room::new(self.classes);
        room.posterior[class as usize] = 1.0;
        self.put(item as usize, self.statistics.clock(), &mut room);
        Ok(())
    }

    /// What a source is taken to have answered before, in the place of the options' counts: of each true class and answer, the
    /// last being none, a count, [C, C + 1].
    ///
    /// # Errors
    ///
    /// Another number of counts, or one that is not between 1e-6 and 2^53; an index too far past the last.
    pub fn set_counts(&mut self, source: u32, counts: &[f32]) -> Result<()> {
        check_counts(self.classes, counts)?;
        let sizes = self.sizes_with(None, Some(source))?;
        self.resize(sizes);
        self.statistics.know(source, counts.to_vec());
        Ok(())
    }

    /// Revisits all items so many times, each by what is known of its sources when it is its turn. Answers with the
    /// largest change of a probability on the last pass; without any, it ends early.
    ///
    /// No pass lowers the bound of which [`Online::objective`] is the limit: sum over items of sum_k q_k ln (P(k) prod P(label | k) /
    /// q_k) and the log prior, with q what is believed of the item.
    pub fn refine(&mut self, passes: usize) -> f64 {
        // What rounding left is gone.
        self.recount();
        let mut room = Room::new(self.classes);
        let mut change = 0.0;
        for _ in 0..passes {
            change = 0.0_f64;
            for item in 0..self.items() {
                let of_item = self.items[item];
                // What is known stays.
                if of_item.gold != NONE || !of_item.counts() {
                    continue;
                }
                self.statistics.expect(self.annotations.cells(of_item.last), None, &mut room);
                let old = &self.posterior[item * self.classes..][..self.classes];
                change = room.posterior.iter().zip(old).map(|(new, old)| (new - old).abs()).fold(change, f64::max);
                self.put(item, of_item.then, &mut room);
            }
            if change == 0.0 {
                break;
            }
        }
        change
    }

    /// What is maximised, of what is known of sources now: sum over items of ln sum_k P(k) prod P(label | k), each weighing what it
    /// weighs, and sum over sources of `count` ln P(label | k), and over classes of `per_class` ln P(k). With no items of each class
    /// counted before and nothing forgotten it is what [`DawidSkene`](super::DawidSkene) maximises, if anybody abstains.
    #[must_use]
    pub fn objective(&self) -> f64 {
        let mut room = Room::new(self.classes);
        let now = self.statistics.weight_now();
        let of_item = |item: &Item| {
            let evidence = self.statistics.expect(self.annotations.cells(item.last), item.gold(), &mut room);
            self.statistics.weight(item.then) / now * evidence
        };
        self.items.iter().filter(|item| item.counts()).map(of_item).sum::<f64>() + self.statistics.log_prior()
    }

    /// Number of items, B.
    #[must_use]
    pub fn items(&self) -> usize {
        self.items.len()
    }

    /// Number of sources, N.
    #[must_use]
    pub fn sources(&self) -> usize {
        self.statistics.sources()
    }

    /// Number of classes, C.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Number of annotations that count.
    #[must_use]
    pub fn len(&self) -> usize {
        self.annotations.len()
    }

    /// Whether there is no annotation.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How annotations are taken.
    #[must_use]
    pub fn options(&self) -> &OnlineOptions {
        &self.options
    }

    /// The class prior, `[C]`: uniform before anything is known.
    #[must_use]
    pub fn prior(&self) -> &[f64] {
        self.statistics.prior()
    }

    /// The posterior of an item, `[C]`: the class prior if nothing is known of it. Of no item, nothing.
    #[must_use]
    pub fn posterior(&self, item: usize) -> &[f64] {
        match self.items.get(item) {
            None => &[],
            Some(of_item) if of_item.counts() => &self.posterior[item * self.classes..][..self.classes],
            Some(_) => self.prior(),
        }
    }

    /// The likeliest class of an item, the lowest of equals. Of no item, none.
    #[must_use]
    pub fn decision(&self, item: usize) -> Option<u32> {
        let row = self.posterior(item);
        (0..row.len()).reduce(|best, class| if row[class] > row[best] { class } else { best }).map(|class| class as u32)
    }

    /// How a source answers: for each true class the probability of each answer, the last that of none, [C, C + 1]. Of no source,
    /// nothing.
    #[must_use]
    pub fn confusion(&self, source: usize) -> Vec<f64> {
        if source >= self.sources() {
            return Vec::new();
        }
        let shares: Vec<f64> = self.statistics.shares(source).collect();
        (0..self.classes).flat_map(|k| shares.iter().skip(k).step_by(self.classes)).copied().collect()
    }

    /// The probability that a source names the class of an item, `[N]`.
    #[must_use]
    pub fn skill(&self) -> Vec<f64> {
        let of_source = |source| {
            let named = self.statistics.shares(source).step_by(self.classes + 1);
            named.zip(self.prior()).map(|(share, prior)| prior * share).sum()
        };
        (0..self.sources()).map(of_source).collect()
    }

    /// The annotations, those of an item in the order they came in.
    ///
    /// # Errors
    ///
    /// There are none.
    pub fn annotations(&self) -> Result<Annotations> {
        let (mut items, mut sources, mut labels) = (Vec::new(), Vec::new(), Vec::new());
        let symbols = self.statistics.symbols() as u32;
        for (item, of_item) in self.items.iter().enumerate() {
            for cell in self.annotations.cells(of_item.last) {
                items.push(item as u32);
                sources.push(cell / symbols);
                labels.push(if cell % symbols == symbols - 1 { ABSTAINED } else { cell % symbols });
            }
        }
        // Lists are walked from their ends.
        [&mut items, &mut sources, &mut labels].into_iter().for_each(|list| list.reverse());
        let sizes = (Some(self.items()), Some(self.sources()));
        let options = AnnotationsOptions { items: sizes.0, sources: sizes.1, ..AnnotationsOptions::default() };
        Annotations::with(self.classes, &items, &sources, &labels, &options)
    }

    /// What is found of items and sources, as after no iteration of [`DawidSkene`](super::DawidSkene): one can begin with it
    /// ([`Known::warm`](super::Known::warm)) on [`Online::annotations`]. If nobody ever abstained, its confusions are those of the
    /// answers.
    #[must_use]
    pub fn fit(&self) -> Fit {
        let classes = self.classes;
        let symbols = self.statistics.symbols();
        let abstained = |item: &Item| self.annotations.cells(item.last).any(|cell| cell as usize % symbols == classes);
        let answers = classes + usize::from(self.items.iter().any(abstained));
        let mut logs = Vec::with_capacity(self.sources() * answers * classes);
        for source in 0..self.sources() {
            let shares: Vec<f64> = self.statistics.shares(source).take(answers * classes).collect();
            let sum = |k| shares.iter().skip(k).step_by(classes).sum::<f64>();
            let sums: Vec<f64> = (0..classes).map(sum).collect();
            logs.extend(shares.iter().enumerate().map(|(place, share)| (share / sums[place % classes]).ln() as f32));
        }
        let log_prior = self.prior().iter().map(|share| share.ln() as f32).collect();
        Fit {
            classes,
            posterior: (0..self.items()).flat_map(|item| self.posterior(item)).map(|&share| share as f32).collect(),
            skill: self.skill(),
            objective: vec![self.objective()],
            iterations: 0,
            ending: Ending::Iterations,
            confusions: Some(Confusions { classes, symbols: answers, subtypes: 1, logs, log_prior }),
            easiness: None,
        }
    }

    fn cell(&self, source: u32, label: u32) -> u32 {
        source * self.statistics.symbols() as u32 + label.min(self.classes as u32)
    }

    /// The place of a source's earlier annotation of an item, where it matters.
    fn earlier(&self, item: u32, source: u32) -> Result<Option<u32>> {
        if self.options.duplicates == Duplicates::KeepAll {
            return Ok(None);
        }
        let symbols = self.statistics.symbols() as u32;
        let last = self.items.get(item as usize).map_or(NONE, |item| item.last);
        let earlier = self.annotations.walk(last).find(|(_, cell)| cell / symbols == source);
        let Some((place, _)) = earlier else { return Ok(None) };
        if self.options.duplicates == Duplicates::Reject {
            let (first, second) = (place as usize, self.len());
            return Err(TruthError::Duplicate { first, second, source_index: source, item }.into());
        }
        Ok(Some(place))
    }

    /// Lists an annotation, in the place of an earlier one if there is one, with which it answers.
    fn list(&mut self, item: usize, earlier: Option<u32>, cell: u32) -> Option<u32> {
        if let Some(place) = earlier {
            return Some(self.annotations.replace(place, cell));
        }
        self.annotations.push(&mut self.items[item].last, cell);
        None
    }

    /// Puts the posterior that was thought of into the sums, in the place of what was believed.
    fn put(&mut self, item: usize, then: u64, room: &mut Room) {
        let of_item = &mut self.items[item];
        let [old, new] = [of_item.then, then].map(|then| self.statistics.weight(then));
        let believed = &mut self.posterior[item * self.classes..][..self.classes];
        for ((count, believed), &thought) in room.counts.iter_mut().zip(&mut *believed).zip(&room.posterior) {
            *count = new * thought - old * *believed;
            *believed = thought;
        }
        of_item.then = then;
        for cell in self.annotations.cells(of_item.last) {
            self.statistics.put_answer(cell, &room.counts);
        }
        self.statistics.put_item(&room.counts);
        self.statistics.share();
    }

    /// The sums anew.
    fn recount(&mut self) {
        let mut statistics = std::mem::take(&mut self.statistics);
        self.count_into(&mut statistics);
        self.statistics = statistics;
    }

    /// The sums of what is believed, in the place of others.
    fn count_into(&self, statistics: &mut Statistics) {
        statistics.clear();
        let mut counts = vec![0.0; self.classes];
        for (of_item, posterior) in self.items.iter().zip(self.posterior.chunks_exact(self.classes)) {
            let weight = statistics.weight(of_item.then);
            counts.iter_mut().zip(posterior).for_each(|(count, share)| *count = weight * share);
            self.annotations.cells(of_item.last).for_each(|cell| statistics.put_answer(cell, &counts));
            statistics.put_item(&counts);
        }
        statistics.share();
    }

    /// The numbers of items and sources with these among them.
    fn sizes_with(&self, item: Option<u32>, source: Option<u32>) -> Result<[usize; 2]> {
        let most = 1 << 24;
        let of_source = self.classes * (self.classes + 2);
        let size = |what, index: Option<u32>, count: usize, reach: usize| {
            let Some(index) = index else { return Ok(count) };
            if index as usize - count.min(index as usize) >= reach {
                return Err(TruthError::TooFar { what, index, count, reach });
            }
            Ok(count.max(index as usize + 1))
        };
        let items = size("item", item, self.items(), most / self.classes)?;
        let sources = size("source", source, self.sources(), most / of_source)?;
        self.check_sizes([items, sources])?;
        Ok([items, sources])
    }

    fn check_sizes(&self, [items, sources]: [usize; 2]) -> Result<()> {
        check_count("items", items as u64)?;
        check_count("labels of sources", sources as u64 * self.statistics.symbols() as u64)
    }

    fn resize(&mut self, [items, sources]: [usize; 2]) {
        if items > self.items() {
            self.items.resize(items, Item::NEW);
            self.posterior.resize(items * self.classes, 0.0);
        }
        if sources > self.sources() {
            self.statistics.grow(sources);
        }
    }
}

impl OnlineOptions {
    fn check(&self) -> Result<()> {
        check_count_before("the diagonal count", self.diagonal)?;
        check_count_before("the off-diagonal count", self.off_diagonal)?;
        if self.per_class != 0.0 {
            check_count_before("the count of items of each class", self.per_class)?;
        }
        Ok(TruthError::check_option("the half-life", 0.0, self.half_life != Some(0), "at least 1")?)
    }
}

/// Refuses what cannot have been counted before of a source.
fn check_counts(classes: usize, counts: &[f32]) -> Result<()> {
    LengthError::check("the list of counts of a source", classes * (classes + 1), counts.len())?;
    counts.iter().try_for_each(|&count| check_count_before("a count of a source", count))
}

fn check_count_before(what: &'static str, count: f32) -> Result<()> {
    let [least, most] = COUNTS;
    // The nearest f32 of 1e-6 is a little less.
    let is_valid = (least as f32..=most as f32).contains(&count);
    Ok(TruthError::check_option(what, count, is_valid, "between 1e-6 and 2^53")?)
}
