//! Evidence larger than memory, streamed through an engine.
//!
//! A source makes evidence up as fast as memory takes it, chunk by chunk; the engine fuses it; a sink takes a checksum of the
//! posteriors and decisions. Nothing is stored: however long the stream, what is in memory is a ring of a few chunks.
//!
//! Prints the throughput, how long each stage worked and waited, how fast each is alone (before and after the stream, in the
//! same process) and the most memory the process had. Fails if a slice from the middle of the stream, made again and fused
//! in one piece, has another checksum.
//!
//! ```sh
//! cargo run --release --example stream_fusion -- --gigabytes 64
//! ```
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program talks to its user")]

mod alone;
mod args;
mod checksum;
mod machine;
mod report;
mod synthetic;

use std::error::Error;
use std::ops::ControlFlow;
use std::process::ExitCode;

use clap::Parser;
use consilience::{Engine, EngineOptions, Fused, Fusion, OwnedEvidence, stream};

use self::args::Args;
use self::checksum::Checksum;

/// What a program may fail with.
type Failure = Box<dyn Error + Send + Sync>;

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<(), Failure> {
    let engine = Engine::open(&EngineOptions { device: args.device.clone(), ..EngineOptions::default() })?;
    let (fusion, synthetic, options) = (Fusion::new(args.rule.clone()), args.synthetic(), args.options());
    let (items, chunk_items, slice) = (args.items(), args.chunk_items(), args.slice());
    println!("{}", engine.describe());
    println!(
        "{items} items of {} sources and {} classes, {chunk_items} at a time; a ring of {} chunks, {:.1} MiB at most",
        synthetic.sources,
        synthetic.classes,
        options.depth,
        mebibytes(options.memory_bytes())
    );

    let mut paces = alone::measure(args, &engine, &fusion)?;
    let mut next = 0;
    let source = |evidence: &mut OwnedEvidence| {
        let range = next..items.min(next + chunk_items);
        next = range.end;
        synthetic.fill(range.clone(), evidence)?;
        Ok::<_, Failure>(!range.is_empty())
    };
    let (mut first, mut all, mut part) = (0, Checksum::default(), Checksum::default());
    let sink = |_: &OwnedEvidence, fused: &Fused| {
        all.add(first, fused, &(0..items));
        part.add(first, fused, &slice);
        first += fused.items() as u64;
        Ok(ControlFlow::Continue(()))
    };
    let before = machine::cpu_time();
    let summary = engine.stream(&fusion, &options, source, sink).map_err(stream::Failure::into_boxed)?;
    let (cpu, peak) = (machine::cpu_time().zip(before).map(|(now, before)| now - before), machine::peak_bytes());
    paces.iter_mut().zip(alone::measure(args, &engine, &fusion)?).for_each(|(pace, again)| *pace += again);

    println!("\n{}\n\n{}", report::stages(&summary, &paces), report::pace(&summary, cpu, &paces));
    match peak {
        Some(bytes) => println!("Most memory the process ever had resident: {:.1} MiB", mebibytes(bytes)),
        None => println!("Most memory the process ever had resident: unknown on this system"),
    }
    let mut evidence = OwnedEvidence::default();
    synthetic.fill(slice.clone(), &mut evidence)?;
    let mut at_once = Checksum::default();
    at_once.add(slice.start, &engine.fuse(&fusion, &evidence.evidence()?)?, &slice);
    println!("Checksum of {} items: {all}; of items {slice:?}: {part} in the stream, {at_once} at once", summary.items);
    if summary.items != items || part != at_once {
        return Err("the stream did not give what its evidence gives in one piece".into());
    }
    Ok(())
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
