//! Who said what of which item.

use std::iter::repeat_n;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

use crate::error::{LengthError, Result, TruthError};

/// The label of a source that was asked and gave no answer, which is told apart from one that was not asked: sources may
/// abstain more on some classes than on others.
pub const ABSTAINED: u32 = u32::MAX - 1;

/// As many items or sources need not be declared, 64 MiB of them.
const FEW: usize = 1 << 24;
/// Nor so many for each annotation.
const EACH: usize = 256;

/// How annotations are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AnnotationsOptions {
    /// Number of items; `None`: one more than the largest index, which may be 2^24 or, if that is more, 256 times the number of
    /// annotations. Items without annotations get the class prior.
    pub items: Option<usize>,
    /// Number of sources; `None`: alike.
    pub sources: Option<usize>,
    /// What becomes of a source's second label for an item.
    pub duplicates: Duplicates,
}

/// What becomes of a source's second label for an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Duplicates {
    /// Each counts: the source was asked again.
    #[default]
    KeepAll,
    /// The last counts: the source changed its mind.
    Last,
    /// It is an error.
    Reject,
}

/// Annotations: sparse labels of sources on items, sorted by item and by what was said by whom.
///
/// They take four bytes an annotation, twice that once something is fitted to them, and four for each item and each label of
/// each source.
///
/// # Examples
///
/// *Three sources, of whom the last was not asked of item 1.*
///
/// ```
/// use consilience::truth::{ABSTAINED, Annotations};
///
/// let items = [0, 0, 0, 1, 1];
/// let sources = [0, 1, 2, 0, 1];
/// let annotations = Annotations::new(2, &items, &sources, &[1, 1, 0, 0, ABSTAINED])?;
/// assert_eq!((annotations.items(), annotations.sources(), annotations.classes(), annotations.len()), (2, 3, 2, 5));
/// assert_eq!(annotations.of_item(1).collect::<Vec<_>>(), [(0, 0), (1, ABSTAINED)]);
/// # Ok::<(), consilience::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Annotations {
    classes: usize,
    sources: usize,
    /// The classes, and one more if anybody abstained.
    symbols: usize,
    /// Where each item's annotations begin, and where the last one's end.
    starts: Vec<u32>,
    /// Of each annotation, in the order of items, the cell: `symbols` x source + symbol.
    cells: Arc<Vec<u32>>,
    by_cell: OnceLock<ByCell>,
}

/// The items of each cell.
#[derive(Debug, Clone)]
pub(super) struct ByCell {
    /// Where each cell's items begin, and where the last one's end.
    pub starts: Vec<u32>,
    /// In their order within a cell.
    pub items: Arc<Vec<u32>>,
}

impl Annotations {
    /// Of annotation i: source `sources[i]` said of item `items[i]` that its class is `labels[i]`, below `classes`, or
    /// abstained ([`ABSTAINED`]). In any order; every label counts.
    ///
    /// # Errors
    ///
    /// As [`Annotations::with`].
    pub fn new(classes: usize, items: &[u32], sources: &[u32], labels: &[u32]) -> Result<Self> {
        Self::with(classes, items, sources, labels, &AnnotationsOptions::default())
    }

    /// The same with the number of items and sources, and what becomes of duplicates.
    ///
    /// # Errors
    ///
    /// Lists of different lengths; no class; no annotation; a label that is no class; an index that is not below the number given, or
    /// where none is given far past what so many annotations number; a duplicate where they are rejected: the first. More than 2^32 - 2 annotations or cells (labels of sources).
    pub fn with(
        classes: usize,
        items: &[u32],
        sources: &[u32],
        labels: &[u32],
        options: &AnnotationsOptions,
    ) -> Result<Self> {
        LengthError::check("the list of sources", items.len(), sources.len())?;
        LengthError::check("the list of labels", items.len(), labels.len())?;
        TruthError::check_option("the number of classes", classes as f64, classes > 0, "at least 1")?;
        if items.is_empty() {
            return Err(TruthError::NoAnnotations.into());
        }
        check_count("annotations", items.len() as u64)?;
        let abstains = check_labels(classes, labels)?;
        let of_items = count("item", items, options.items)?;
        let of_sources = count("source", sources, options.sources)?;
        let symbols = classes + usize::from(abstains);
        check_count("labels of sources", of_sources as u64 * symbols as u64)?;
        let cell = |i: usize| {
            let symbol = if labels[i] == ABSTAINED { classes as u32 } else { labels[i] };
            sources[i] * symbols as u32 + symbol
        };
        let (starts, cells) = sorted(of_items, items.iter().copied(), (0..items.len()).map(cell));
        let by_cell = OnceLock::new();
        let mut annotations = Self { classes, sources: of_sources, symbols, starts, cells, by_cell };
        match options.duplicates {
            Duplicates::KeepAll => {}
            Duplicates::Last => annotations.keep_last(),
            Duplicates::Reject => annotations.reject(items, sources)?,
        }
        Ok(annotations)
    }

    /// Number of items, B.
    #[must_use]
    pub fn items(&self) -> usize {
        self.starts.len() - 1
    }

    /// Number of sources, N.
    #[must_use]
    pub fn sources(&self) -> usize {
        self.sources
    }

    /// Number of classes, C.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Number of annotations.
    #[must_use]
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// Never: at least one annotation is needed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// Who said what of an item, in the order they were given in; of no item, nothing.
    pub fn of_item(&self, item: usize) -> impl ExactSizeIterator<Item = (u32, u32)> {
        let symbols = self.symbols as u32;
        let cells = if item < self.items() { &self.cells[self.run(item)] } else { &[] };
        cells.iter().map(move |&cell| (cell / symbols, self.label(cell % symbols)))
    }

    /// The label of a symbol.
    fn label(&self, symbol: u32) -> u32 {
        if symbol as usize == self.classes { ABSTAINED } else { symbol }
    }

    /// What a source can say: the classes, and nothing if anybody abstained.
    pub(super) fn symbols(&self) -> usize {
        self.symbols
    }

    /// Where an item's annotations are.
    pub(super) fn run(&self, item: usize) -> Range<usize> {
        self.starts[item] as usize..self.starts[item + 1] as usize
    }

    /// Where each item's annotations begin, and where the last one's end.
    pub(super) fn starts(&self) -> &[u32] {
        &self.starts
    }

    /// Of each annotation, in the order of items, the cell.
    pub(super) fn cells(&self) -> &Arc<Vec<u32>> {
        &self.cells
    }

    /// The items of each cell, sorted when first asked for.
    pub(super) fn by_cell(&self) -> &ByCell {
        self.by_cell.get_or_init(|| {
            let of_item = |item| repeat_n(item as u32, self.run(item).len());
            let items = (0..self.items()).flat_map(of_item);
            let (starts, items) = sorted(self.sources * self.symbols, self.cells.iter().copied(), items);
            ByCell { starts, items }
        })
    }

    /// Leaves out what a source said of an item before it said something else, which keeps the place.
    fn keep_last(&mut self) {
        // The item each source was seen on last, and where.
        let mut seen = vec![(u32::MAX, 0_u32); self.sources];
        let (mut kept, symbols) = (0, self.symbols as u32);
        let cells = Arc::make_mut(&mut self.cells);
        let mut begin = 0;
        for item in 0..self.starts.len() - 1 {
            let end = self.starts[item + 1] as usize;
            for i in begin..end {
                let cell = cells[i];
                let (on, place) = &mut seen[(cell / symbols) as usize];
                if *on == item as u32 {
                    cells[*place as usize] = cell;
                } else {
                    (*on, *place) = (item as u32, kept as u32);
                    cells[kept] = cell;
                    kept += 1;
                }
            }
            begin = end;
            self.starts[item + 1] = kept as u32;
        }
        cells.truncate(kept);
    }

    /// Fails if a source labelled an item twice; with the places in the lists given.
    fn reject(&self, items: &[u32], sources: &[u32]) -> Result<()> {
        let mut seen = vec![u32::MAX; self.sources];
        let symbols = self.symbols as u32;
        for item in 0..self.items() {
            for &cell in &self.cells[self.run(item)] {
                let source = cell / symbols;
                if std::mem::replace(&mut seen[source as usize], item as u32) == item as u32 {
                    let mut places = (0..items.len()).filter(|&i| (items[i], sources[i]) == (item as u32, source));
                    let first = places.next().unwrap_or_default();
                    let second = places.next().unwrap_or_default();
                    return Err(TruthError::Duplicate { first, second, source_index: source, item: item as u32 }.into());
                }
            }
        }
        Ok(())
    }
}

/// Fails if something cannot be counted in 32 bits.
pub(super) fn check_count(what: &'static str, given: u64) -> Result<()> {
    let at_most = u64::from(u32::MAX - 1);
    if given <= at_most { Ok(()) } else { Err(TruthError::TooMany { what, given, at_most }.into()) }
}

/// Whether anybody abstained.
fn check_labels(classes: usize, labels: &[u32]) -> Result<bool> {
    let mut abstains = false;
    for (annotation, &label) in labels.iter().enumerate() {
        if label as usize >= classes {
            if label != ABSTAINED {
                return Err(TruthError::Label { annotation, label, classes }.into());
            }
            abstains = true;
        }
    }
    Ok(abstains)
}

/// How many items or sources there are.
fn count(what: &'static str, indices: &[u32], given: Option<usize>) -> Result<usize> {
    let largest = indices.iter().copied().max().unwrap_or_default();
    let count = given.unwrap_or(largest as usize + 1);
    let place = |past: usize| indices.iter().position(|&index| index as usize >= past).unwrap_or_default();
    if largest as usize >= count {
        let annotation = place(count);
        return Err(TruthError::Index { annotation, what, index: indices[annotation], count }.into());
    }
    let (annotations, reach) = (indices.len(), FEW.max(EACH * indices.len()));
    if given.is_none() && count > reach {
        let annotation = place(reach);
        return Err(TruthError::FarIndex { annotation, what, index: indices[annotation], annotations }.into());
    }
    check_count(if what == "item" { "items" } else { "sources" }, count as u64)?;
    Ok(count)
}

/// Values sorted by their keys, those of equal keys in their order, and where each key's values begin, and the last one's end.
fn sorted(
    count: usize,
    keys: impl Iterator<Item = u32> + Clone,
    values: impl Iterator<Item = u32>,
) -> (Vec<u32>, Arc<Vec<u32>>) {
    let mut starts = vec![0_u32; count + 1];
    keys.clone().for_each(|key| starts[key as usize + 1] += 1);
    (0..count).for_each(|key| starts[key + 1] += starts[key]);
    let mut sorted = vec![0_u32; starts[count] as usize];
    // Each key's beginning moves to its end, which is the next one's beginning.
    values.zip(keys).for_each(|(value, key)| {
        let place = &mut starts[key as usize];
        sorted[*place as usize] = value;
        *place += 1;
    });
    starts.rotate_right(1);
    starts[0] = 0;
    (starts, Arc::new(sorted))
}
