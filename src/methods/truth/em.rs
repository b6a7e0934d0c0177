//! Expectation and maximisation where an engine computes: three kernels an iteration, nothing read back.

use bytemuck::{Zeroable, bytes_of};

use super::annotations::Annotations;
use crate::engine::{Engine, Operation, ResidentArray};
use crate::error::Result;
use crate::kernel::Kernel;
use crate::kernel::em::collect::{self, MEMBERS, OF_BLOCKS};
use crate::kernel::em::{expect, normalise};

/// Annotations held by an engine, and what is known of items and sources so far.
pub(super) struct Em<'a> {
    engine: &'a Engine,
    sizes: Sizes,
    runs: ResidentArray<u32>,
    gold: ResidentArray<u32>,
    cells: ResidentArray<u32>,
    segments: ResidentArray<u32>,
    members: ResidentArray<u32>,
    sources: ResidentArray<u32>,
    firsts: ResidentArray<u32>,
    counts: ResidentArray<f32>,
    posterior: ResidentArray<f32>,
    evidence: ResidentArray<f32>,
    masses: ResidentArray<f32>,
    parts: ResidentArray<f32>,
    logs: ResidentArray<f32>,
}

#[derive(Debug, Clone, Copy)]
struct Sizes {
    items: usize,
    /// Of the table, the one that stands for the class prior among them.
    sources: usize,
    symbols: usize,
    classes: usize,
    segments: usize,
    per_item: usize,
    per_source: usize,
}

impl<'a> Em<'a> {
    /// Holds the annotations; `gold` `[B]` are known classes or [`expect::UNKNOWN`], `counts` [N, L, C] what is counted
    /// beforehand, and behind them the same of the class prior, [L, C] of which the first C mean anything.
    pub(super) fn new(engine: &'a Engine, annotations: &Annotations, gold: &[u32], counts: &[f32]) -> Result<Self> {
        let (items, classes, symbols) = (annotations.items(), annotations.classes(), annotations.symbols());
        let sources = annotations.sources() + 1;
        let starts = annotations.starts();
        let by_cell = annotations.by_cell();
        let cut = Cut::of(&by_cell.starts, symbols, items.div_ceil(expect::BLOCK));
        let sizes = Sizes {
            items,
            sources,
            symbols,
            classes,
            segments: cut.segments[0].len(),
            per_item: annotations.len() / items.max(1),
            per_source: annotations.len() / sources,
        };
        let cells = engine.upload_array(annotations.cells())?;
        engine.check_steps(&cells, steps(annotations, &cut, symbols, classes) as u64)?;
        Ok(Self {
            engine,
            sizes,
            runs: engine.upload_planes(&[&starts[..items], &starts[1..]].concat(), 2)?,
            gold: engine.upload_array(gold)?,
            cells,
            segments: engine.upload_planes(&cut.segments.concat(), 2)?,
            members: engine.upload_array(&by_cell.items)?,
            sources: engine.upload_array(&(0..sources as u32).collect::<Vec<_>>())?,
            firsts: engine.upload_array(&cut.firsts)?,
            counts: engine.upload_array(counts)?,
            posterior: engine.new_blocks(classes, items)?,
            evidence: engine.new_array(1, items)?,
            masses: engine.new_blocks(classes, items.div_ceil(expect::BLOCK))?,
            parts: engine.new_blocks(classes, sizes.segments)?,
            logs: engine.new_blocks(symbols * classes, sources)?,
        })
    }

    /// Begins with a posterior, [B, C].
    pub(super) fn start_with_posterior(&mut self, posterior: &[f32]) -> Result<()> {
        let classes = self.sizes.classes;
        let mut masses = Vec::with_capacity(self.sizes.items.div_ceil(expect::BLOCK) * classes);
        for block in posterior.chunks(expect::BLOCK * classes) {
            let mut mass = vec![0.0_f32; classes];
            for row in block.chunks_exact(classes) {
                mass.iter_mut().zip(row).for_each(|(sum, p)| *sum += p);
            }
            masses.extend(mass);
        }
        self.posterior = self.engine.upload_rows(posterior, classes)?;
        self.masses = self.engine.upload_rows(&masses, classes)?;
        Ok(())
    }

    /// Begins with what is known of sources, [N, L, C], and of the class prior, `[C]`.
    pub(super) fn start_with_sources(&mut self, logs: &[f32], log_prior: &[f32]) -> Result<()> {
        let row = self.sizes.symbols * self.sizes.classes;
        let mut all = vec![0.0; self.sizes.sources * row];
        all[..logs.len()].copy_from_slice(logs);
        let last = all.len() - row;
        all[last..][..log_prior.len()].copy_from_slice(log_prior);
        self.logs = self.engine.upload_rows(&all, row)?;
        Ok(())
    }

    /// What is likeliest of sources, by the posterior.
    pub(super) fn maximise(&mut self, one_coin: bool) -> Result<()> {
        let Self { engine, sizes, .. } = *self;
        let classes = sizes.classes as u32;
        engine.operate(Operation {
            kernel: Kernel::Collect,
            items: sizes.segments,
            block: collect::BLOCK,
            operations: sizes.per_source.min(MEMBERS) * sizes.classes,
            params: bytes_of(&collect::Params { classes, ..Zeroable::zeroed() }),
            inputs: vec![
                self.segments.reading(engine)?,
                self.members.shared(engine)?,
                self.posterior.shared(engine)?,
                self.masses.shared(engine)?,
            ],
            outputs: vec![self.parts.written()],
            refuses: None,
        })?;
        let params = normalise::Params {
            classes,
            symbols: sizes.symbols as u32,
            prior: sizes.sources as u32 - 1,
            one_coin: one_coin.into(),
            ..Zeroable::zeroed()
        };
        engine.operate(Operation {
            kernel: Kernel::Normalise,
            items: sizes.sources,
            block: normalise::BLOCK,
            operations: 32 * sizes.symbols * sizes.classes,
            params: bytes_of(&params),
            inputs: vec![
                self.sources.reading(engine)?,
                self.firsts.shared(engine)?,
                self.parts.shared(engine)?,
                self.counts.shared(engine)?,
            ],
            outputs: vec![self.logs.written()],
            refuses: None,
        })?;
        Ok(())
    }

    /// The posterior, by what is known of sources.
    pub(super) fn expect(&mut self, hard: bool) -> Result<()> {
        let Self { engine, sizes, .. } = *self;
        let prior = (sizes.sources - 1) * sizes.symbols;
        let params = expect::Params {
            classes: sizes.classes as u32,
            prior: prior as u32,
            hard: hard.into(),
            ..Zeroable::zeroed()
        };
        engine.operate(Operation {
            kernel: Kernel::Expect,
            items: sizes.items,
            block: expect::BLOCK,
            operations: (sizes.per_item + 32) * sizes.classes,
            params: bytes_of(&params),
            inputs: vec![
                self.runs.reading(engine)?,
                self.gold.reading(engine)?,
                self.cells.shared(engine)?,
                self.logs.shared(engine)?,
            ],
            outputs: vec![self.posterior.written(), self.evidence.written(), self.masses.written_by_block()],
            refuses: None,
        })?;
        Ok(())
    }

    /// The log-likelihood of all annotations, as the last expectation found it.
    pub(super) fn log_likelihood(&self) -> Result<f64> {
        Ok(self.evidence.read(self.engine)?.into_iter().map(f64::from).sum())
    }

    /// The posterior, [B, C].
    pub(super) fn posterior(&self) -> Result<Vec<f32>> {
        self.posterior.read(self.engine)
    }

    /// Logarithms of each source's confusion, [N, L, C], and of the class prior, `[C]`.
    pub(super) fn sources(&self) -> Result<(Vec<f32>, Vec<f32>)> {
        let mut logs = self.logs.read(self.engine)?;
        let row = self.sizes.symbols * self.sizes.classes;
        let mut prior = logs.split_off(logs.len() - row);
        prior.truncate(self.sizes.classes);
        Ok((logs, prior))
    }
}

/// Steps of the longest loop of a lane.
fn steps(annotations: &Annotations, cut: &Cut, symbols: usize, classes: usize) -> usize {
    let fours = classes.div_ceil(4);
    let of_item = annotations.starts().windows(2).map(|ends| ends[1] - ends[0]).max().unwrap_or_default() as usize;
    let of_source =
        (0..cut.firsts.len() - symbols).step_by(symbols).map(|cell| cut.firsts[cell + symbols] - cut.firsts[cell]);
    let of_source = of_source.max().unwrap_or_default() as usize + symbols;
    (of_item * fours).max(MEMBERS * fours).max(of_source * classes)
}

/// The members of cells, and the blocks of items for the class prior, in segments.
struct Cut {
    /// Beginnings and ends.
    segments: [Vec<u32>; 2],
    /// The first segment of each cell, and behind the last one's end.
    firsts: Vec<u32>,
}

impl Cut {
    fn of(starts: &[u32], symbols: usize, blocks: usize) -> Self {
        let (mut begins, mut ends, mut firsts) = (Vec::new(), Vec::new(), Vec::with_capacity(starts.len() + symbols));
        let mut cut = |begin: u32, end: u32, of: u32| {
            firsts.push(begins.len() as u32);
            for first in (begin..end).step_by(MEMBERS) {
                begins.push(first | of);
                ends.push(end.min(first + MEMBERS as u32));
            }
        };
        starts.windows(2).for_each(|ends| cut(ends[0], ends[1], 0));
        cut(0, blocks as u32, OF_BLOCKS);
        // The class prior has one cell; the others' places stay empty.
        (0..symbols).for_each(|_| cut(0, 0, 0));
        Self { segments: [begins, ends], firsts }
    }
}
