//! Each stage by itself, on the same chunks as in the stream.

use std::ops::AddAssign;
use std::time::{Duration, Instant};

use consilience::{Engine, Fused, Fusion, OwnedEvidence};

use crate::args::Args;
use crate::checksum::Checksum;
use crate::{Failure, machine};

/// How long a stage is measured.
const MEASURED: Duration = Duration::from_millis(1500);

/// Bytes of evidence that passed through a stage, and what it took.
#[derive(Debug, Clone, Copy, Default)]
pub struct Pace {
    pub bytes: u64,
    pub wall: Duration,
    /// Time of all cores; `None` where the system does not tell.
    pub cpu: Option<Duration>,
}

/// Source, engine, sink.
pub type Paces = [Pace; 3];

impl Pace {
    pub fn bytes_per_second(&self) -> f64 {
        self.bytes as f64 / self.wall.as_secs_f64()
    }

    pub fn cpu_seconds_per_byte(&self) -> Option<f64> {
        Some(self.cpu?.as_secs_f64() / self.bytes as f64)
    }

    /// Repeats what one chunk of so many bytes takes, until it took long enough.
    fn of(bytes: u64, mut chunk: impl FnMut(usize) -> Result<(), Failure>) -> Result<Self, Failure> {
        chunk(0)?;
        let (begin, cpu) = (Instant::now(), machine::cpu_time());
        let mut pace = Self::default();
        for turn in 1.. {
            chunk(turn)?;
            pace.bytes += bytes;
            if begin.elapsed() >= MEASURED {
                break;
            }
        }
        pace.wall = begin.elapsed();
        pace.cpu = machine::cpu_time().zip(cpu).map(|(now, before)| now - before);
        Ok(pace)
    }
}

impl AddAssign for Pace {
    fn add_assign(&mut self, other: Self) {
        self.bytes += other.bytes;
        self.wall += other.wall;
        self.cpu = self.cpu.zip(other.cpu).map(|(one, other)| one + other);
    }
}

/// The pace of each stage while the others do nothing.
pub fn measure(args: &Args, engine: &Engine, fusion: &Fusion) -> Result<Paces, Failure> {
    let (synthetic, depth) = (args.synthetic(), args.options().depth.max(1));
    let items = args.chunk_items().min(args.items().max(1));
    let bytes = items * synthetic.bytes_per_item();
    let mut ring: Vec<(OwnedEvidence, Fused)> = Vec::new();
    ring.resize_with(depth, Default::default);
    let source = Pace::of(bytes, |turn| {
        let first = turn as u64 * items;
        Ok(synthetic.fill(first..first + items, &mut ring[turn % depth].0)?)
    })?;
    for (evidence, fused) in &mut ring {
        synthetic.fill(0..items, evidence)?;
        engine.fuse_into(fusion, &evidence.evidence()?, fused)?;
    }
    let fusing = Pace::of(bytes, |turn| {
        let (evidence, fused) = &mut ring[turn % depth];
        engine.fuse_into(fusion, &evidence.evidence()?, fused)?;
        Ok(())
    })?;
    let mut checksum = Checksum::default();
    let sink = Pace::of(bytes, |turn| {
        checksum.add(0, &ring[turn % depth].1, &(0..items));
        Ok(())
    })?;
    // Nothing that is looked at is left out by a compiler.
    std::hint::black_box(checksum);
    Ok([source, fusing, sink])
}
