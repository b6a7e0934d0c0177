//! Streams of chunks: what comes out, in which order, in how much memory, and every way to end before the end.

mod faults;
mod memory;
mod values;

use std::ops::ControlFlow;

use consilience::stream::{Failure, Options, Summary};
use consilience::{Engine, Fused, Fusion, Output, OwnedEvidence};

use crate::support::problem::Problem;

/// A chunk with the place of its first item.
pub type Placed = (OwnedEvidence, Vec<usize>);

/// What a source or a sink of these tests fails with; it is neither text nor an error.
#[derive(Debug, PartialEq)]
pub struct Broken(pub u32);

/// The problem in chunks of so many items, the last one shorter; a source of a chunk has a mask only if it needs one there.
pub fn chunks(problem: &Problem, items: usize) -> Vec<Problem> {
    let all: Vec<usize> = (0..problem.items()).collect();
    let mut chunks: Vec<Problem> = all.chunks(items).map(|items| problem.select(items)).collect();
    for mask in chunks.iter_mut().flat_map(|chunk| &mut chunk.presence) {
        *mask = mask.take().filter(|mask| mask.contains(&false));
    }
    chunks
}

/// A source that fills these in one after the other.
pub fn source<'a>(chunks: &'a [Problem]) -> impl FnMut(&mut Placed) -> Result<bool, Broken> + 'a {
    let (mut rest, mut first) = (chunks.iter(), 0);
    move |(evidence, place)| {
        let Some(chunk) = rest.next() else { return Ok(false) };
        evidence.copy_from(&chunk.evidence()).expect("a small chunk");
        place.push(first);
        first += chunk.items();
        Ok(true)
    }
}

/// All that was delivered, put together again.
#[derive(Debug, Default, PartialEq)]
pub struct Delivered {
    pub places: Vec<usize>,
    pub items: usize,
    /// In the order of `Output::ALL`, as bits.
    pub columns: Vec<Vec<u32>>,
}

impl Delivered {
    pub fn take(&mut self, place: usize, fused: &Fused) {
        self.places.push(place);
        self.items += fused.items();
        self.columns.resize(Output::ALL.len(), Vec::new());
        for (column, output) in self.columns.iter_mut().zip(Output::ALL) {
            column.extend(fused.values(output).unwrap_or_default().iter().map(|value| value.to_bits()));
            column.extend(fused.integers(output).unwrap_or_default());
        }
    }
}

/// Streams and keeps what is delivered.
pub fn deliver(
    engine: &Engine,
    fusion: &Fusion,
    options: &Options,
    source: impl FnMut(&mut Placed) -> Result<bool, Broken> + Send,
) -> (Delivered, Result<Summary, Failure<Broken>>) {
    let mut delivered = Delivered::default();
    let result = engine.stream(fusion, options, source, |(_, place), fused| {
        delivered.take(place[0], fused);
        Ok(ControlFlow::Continue(()))
    });
    (delivered, result)
}
