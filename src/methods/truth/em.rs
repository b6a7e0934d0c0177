//! Expectation and maximisation where an engine computes: three kernels an iteration, nothing read back.

use std::sync::Arc;

use bytemuck::allocation::cast_vec;
use bytemuck::{Zeroable, bytes_of};

use super::annotations::Annotations;
use crate::engine::{Engine, Operation, ResidentArray};
use crate::error::Result;
use crate::kernel::Kernel;
use crate::kernel::em::collect::{self, MEMBERS, OF_BLOCKS};
use crate::kernel::em::expect;
use crate::kernel::em::normalise::{self, Logarithms};

/// Annotations held by an engine, and what was counted beforehand: what every fit to them shares.
pub(super) struct Held<'a> {
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
}

/// What a fit knows of items and sources so far.
pub(super) struct State {
    posterior: ResidentArray<f32>,
    evidence: ResidentArray<f32>,
    masses: ResidentArray<f32>,
    parts: ResidentArray<f32>,
    logs: ResidentArray<f32>,
    sums: ResidentArray<f32>,
}

/// The columns of a posterior: each class, or the subtypes of each class side by side.
#[derive(Debug, Clone, Copy)]
pub(super) struct Columns {
    pub classes: usize,
    pub subtypes: usize,
}

impl Columns {
    pub(super) fn all(self) -> usize {
        self.classes * self.subtypes
    }
}

/// How a maximisation makes logarithms of what was counted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Maximising {
    pub logarithms: Logarithms,
    /// What each class is counted beforehand, where logarithms are expected ones.
    pub class_count: f32,
}

#[derive(Debug, Clone, Copy)]
struct Sizes {
    items: usize,
    /// Of the table, the one that stands for the class prior among them.
    sources: usize,
    symbols: usize,
    columns: Columns,
    segments: usize,
    per_item: usize,
    per_source: usize,
}

impl Sizes {
    fn blocks(self) -> usize {
        self.items.div_ceil(expect::BLOCK)
    }
}

impl<'a> Held<'a> {
    /// Holds the annotations; `gold` `[B]` are known classes or [`expect::UNKNOWN`], `counts` [N, L, columns] what is counted
    /// beforehand, and behind them the same of the class prior, of which the first row means anything.
    pub(super) fn new(
        engine: &'a Engine,
        annotations: &Annotations,
        columns: Columns,
        gold: &[u32],
        counts: &[f32],
    ) -> Result<Self> {
        let (items, symbols, sources) = (annotations.items(), annotations.symbols(), annotations.sources() + 1);
        let starts = annotations.starts();
        let by_cell = annotations.by_cell();
        let cut = Cut::of(&by_cell.starts, symbols, items.div_ceil(expect::BLOCK));
        let sizes = Sizes {
            items,
            sources,
            symbols,
            columns,
            segments: cut.segments[0].len(),
            per_item: annotations.len() / items.max(1),
            per_source: annotations.len() / sources,
        };
        let cells = engine.give_rows(annotations.cells(), 1)?;
        engine.check_steps(&cells, steps(annotations, &cut, symbols, columns.all()) as u64)?;
        Ok(Self {
            engine,
            sizes,
            runs: engine.upload_planes(&[&starts[..items], &starts[1..]].concat(), 2)?,
            gold: engine.upload_array(gold)?,
            cells,
            segments: engine.upload_planes(&cut.segments.concat(), 2)?,
            members: engine.give_rows(&by_cell.items, 1)?,
            sources: engine.upload_array(&(0..sources as u32).collect::<Vec<_>>())?,
            firsts: engine.upload_array(&cut.firsts)?,
            counts: engine.upload_array(counts)?,
        })
    }

    /// Begins with a posterior, [B, columns].
    pub(super) fn start_with_posterior(&self, posterior: Vec<f32>) -> Result<State> {
        let columns = self.sizes.columns.all();
        let mut masses = Vec::with_capacity(self.sizes.blocks() * columns);
        for block in posterior.chunks(expect::BLOCK * columns) {
            let mut mass = vec![0.0_f32; columns];
            for row in block.chunks_exact(columns) {
                mass.iter_mut().zip(row).for_each(|(sum, p)| *sum += p);
            }
            masses.extend(mass);
        }
        let masses = self.engine.upload_rows(&masses, columns)?;
        let posterior = self.engine.give_rows(&Arc::new(cast_vec(posterior)), columns)?;
        Ok(State { posterior, masses, ..self.new_state() })
    }

    /// Begins with what is known of sources, [N, L, columns], and of the class prior, `[columns]`.
    pub(super) fn start_with_sources(&self, logs: &[f32], log_prior: &[f32], hard: bool) -> Result<State> {
        let row = self.row();
        let mut all = vec![0.0; self.sizes.sources * row];
        all[..logs.len()].copy_from_slice(logs);
        let last = all.len() - row;
        all[last..][..log_prior.len()].copy_from_slice(log_prior);
        let mut state = State { logs: self.engine.upload_rows(&all, row)?, ..self.new_state() };
        self.expect(&mut state, hard)?;
        Ok(state)
    }

    fn new_state(&self) -> State {
        let Sizes { items, sources, segments, .. } = self.sizes;
        let (columns, row) = (self.sizes.columns.all(), self.row());
        let rows = |count, values| self.engine.new_rows(1, count, values);
        State {
            posterior: rows(items, columns),
            evidence: rows(items, 1),
            masses: rows(self.sizes.blocks(), columns),
            parts: rows(segments, columns),
            logs: rows(sources, row),
            sums: rows(sources, row),
        }
    }

    /// Values of a source.
    fn row(&self) -> usize {
        self.sizes.symbols * self.sizes.columns.all()
    }

    /// What is likeliest of sources, or expected, by the posterior.
    pub(super) fn maximise(&self, state: &mut State, how: Maximising) -> Result<()> {
        let Self { engine, sizes, .. } = *self;
        let columns = sizes.columns.all();
        engine.operate(Operation {
            kernel: Kernel::Collect,
            items: sizes.segments,
            block: collect::BLOCK,
            operations: sizes.per_source.min(MEMBERS) * columns,
            params: bytes_of(&collect::Params { classes: columns as u32, ..Zeroable::zeroed() }),
            inputs: vec![
                self.segments.reading(engine)?,
                self.members.shared(engine)?,
                state.posterior.shared(engine)?,
                state.masses.shared(engine)?,
            ],
            outputs: vec![state.parts.written()],
            refuses: None,
        })?;
        let params = normalise::Params {
            classes: columns as u32,
            symbols: sizes.symbols as u32,
            prior: sizes.sources as u32 - 1,
            logarithms: how.logarithms as u32,
            subtypes: sizes.columns.subtypes as u32,
            class_count: how.class_count,
            ..Zeroable::zeroed()
        };
        engine.operate(Operation {
            kernel: Kernel::Normalise,
            items: sizes.sources,
            block: normalise::BLOCK,
            operations: 32 * self.row(),
            params: bytes_of(&params),
            inputs: vec![
                self.sources.reading(engine)?,
                self.firsts.shared(engine)?,
                state.parts.shared(engine)?,
                self.counts.shared(engine)?,
            ],
            outputs: vec![state.logs.written(), state.sums.written()],
            refuses: None,
        })?;
        Ok(())
    }

    /// The posterior, by what is known of sources.
    pub(super) fn expect(&self, state: &mut State, hard: bool) -> Result<()> {
        let Self { engine, sizes, .. } = *self;
        let columns = sizes.columns.all();
        let prior = (sizes.sources - 1) * sizes.symbols;
        let params = expect::Params {
            classes: columns as u32,
            prior: prior as u32,
            hard: hard.into(),
            subtypes: sizes.columns.subtypes as u32,
            ..Zeroable::zeroed()
        };
        engine.operate(Operation {
            kernel: Kernel::Expect,
            items: sizes.items,
            block: expect::BLOCK,
            operations: (sizes.per_item + 32) * columns,
            params: bytes_of(&params),
            inputs: vec![
                self.runs.reading(engine)?,
                self.gold.reading(engine)?,
                self.cells.shared(engine)?,
                state.logs.shared(engine)?,
            ],
            outputs: vec![state.posterior.written(), state.evidence.written(), state.masses.written_by_block()],
            refuses: None,
        })?;
        Ok(())
    }

    /// The log-likelihood of all annotations, as the last expectation found it.
    pub(super) fn log_likelihood(&self, state: &State) -> Result<f64> {
        Ok(state.evidence.read(self.engine)?.into_iter().map(f64::from).sum())
    }

    /// The posterior, [B, columns].
    pub(super) fn posterior(&self, state: State) -> Result<Vec<f32>> {
        state.posterior.into_values(self.engine)
    }

    /// Logarithms of each source's confusion, [N, L, columns], and of the class prior, `[columns]`.
    pub(super) fn logs(&self, state: &State) -> Result<[Vec<f32>; 2]> {
        Ok(self.split(state.logs.read(self.engine)?))
    }

    /// The sums that they were made of, alike.
    pub(super) fn sums(&self, state: &State) -> Result<[Vec<f32>; 2]> {
        Ok(self.split(state.sums.read(self.engine)?))
    }

    /// Apart what is of sources and of the class prior.
    fn split(&self, mut sources: Vec<f32>) -> [Vec<f32>; 2] {
        let mut prior = sources.split_off(sources.len() - self.row());
        prior.truncate(self.sizes.columns.all());
        [sources, prior]
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
