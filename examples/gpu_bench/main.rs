//! Measures this machine's GPU: its memory's speed by copies, then every kernel of this crate beside it, on the device's own
//! clock, from what the device holds and from the host's memory; and beside the CPU, one thread and all, and what a user
//! would compose of candle's or burn's tensor operations instead.
//!
//! Every kernel's answer is compared with the CPU's before it is timed: the program fails if one differs. Sizes are as large
//! as a time budget allows. Prints tables, and writes every figure as CSV and a roofline as SVG. On a software driver all of
//! them say that they are no GPU's.
//!
//! ```sh
//! cargo run --release --example gpu_bench
//! cargo run --release --example gpu_bench --features candle -- --kernels fusion --output measured
//! ```
//!
//! It takes some minutes; `--quick` measures one case or two of each kernel, in less than one. `build.sh` beside this file
//! makes a program of it that runs where there is neither Rust nor this repository.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program talks to its user")]

mod agreement;
mod cases;
mod csv;
mod labels;
mod machine;
mod measure;
mod quoted;
mod rivals;
mod roof;
mod roofline;
mod sizes;
mod statistics;
mod table;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use consilience::Device;

use self::cases::Case;
use self::machine::Machine;
use self::measure::{Bench, NOT_HELD, Outcome};
use self::roof::Roof;

/// What a program may fail with.
pub type Failure = Box<dyn Error>;

/// Measures every kernel on this machine's GPU.
#[derive(Debug, Parser)]
#[command(name = "gpu_bench")]
struct Args {
    /// auto (a GPU, or what stands for one), gpu, cpu, or part of a GPU's name
    #[arg(long, default_value = "auto")]
    device: Device,
    /// Only what has this in its name: `fusion`, `beam/fuse`, `log_pool`
    #[arg(long, default_value = "")]
    kernels: String,
    /// One case or two of each kernel, and smaller ones
    #[arg(long)]
    quick: bool,
    /// Folder of the table and the picture
    #[arg(long, default_value = "target/gpu_bench")]
    output: PathBuf,
    /// What `cargo bench` says to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

/// What the benchmark of the same name runs, too.
pub fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<(), Failure> {
    let start = Instant::now();
    fs::create_dir_all(&args.output).map_err(|error| format!("{}: {error}", args.output.display()))?;
    let cases = cases::all();
    let (cases, left_out): (Vec<_>, Vec<_>) = cases
        .into_iter()
        .filter(|case| case.title().contains(&args.kernels))
        .partition(|case| case.is_quick || !args.quick);
    if cases.is_empty() {
        return Err(format!("no kernel has `{}` in its name", args.kernels).into());
    }
    let bench = Bench::open(&args.device, args.quick)?;
    let machine = Machine::of(&bench.device, &bench.all_cores);
    println!("{machine}");

    let (copies, no_more) = bench.copies()?;
    println!("{}", table::copies(&copies));
    if let Some(reason) = no_more {
        println!("no larger copies: {reason}");
    }
    let moved = copies.iter().filter_map(|copy| Some((2 * copy.bytes, copy.by_kernel.median()?)));
    let roof = Roof::of(moved);

    let (mut rows, mut skipped, mut wrong) = (Vec::new(), Vec::new(), Vec::new());
    for (number, case) in cases.iter().enumerate() {
        eprintln!("{:4} s  {} of {}: {}", start.elapsed().as_secs(), number + 1, cases.len(), case.title());
        match bench.case(case, &roof).map_err(|error| format!("{}: {error}", case.title()))? {
            Outcome::Measured(row) => rows.push(*row),
            Outcome::Skipped(reason) => skipped.push(format!("{}: {reason}", case.title())),
            Outcome::Wrong(difference) => {
                eprintln!("        wrong: {difference}");
                wrong.push(format!("{}: {difference}", case.title()));
            }
        }
    }

    println!("\n{}\n", table::kernels(&rows));
    println!(
        "Times are medians; the spread is that of the middle half. `of copy`: bytes a second over those of a copy that moves as\n\
         many. Resident: from inputs that the device holds to answers in the host's memory. `{NOT_HELD}`: the operation takes\n\
         its inputs from the host's memory at every call. `not composed`: nobody did."
    );
    let (picture, without_place) = roofline::draw(&machine, roof.most(), &rows)?;
    say("the device cannot do", &skipped);
    say("not in the picture, for want of a clock or of a count of operations", &without_place);
    say("left out by --quick", &by_kernel(&left_out));
    write(&args.output.join("gpu_bench.csv"), &csv::report(&machine, &copies, &rows))?;
    write(&args.output.join("roofline.svg"), &picture)?;
    if let Some(mark) = machine.mark() {
        println!("NOTE: {mark}");
    }
    println!("took {} s", start.elapsed().as_secs());
    if wrong.is_empty() { Ok(()) } else { Err(format!("wrong answers:\n{}", wrong.join("\n")).into()) }
}

/// The names of cases, those of a kernel in a line.
fn by_kernel(cases: &[Case]) -> Vec<String> {
    let line = |of_one: &[Case]| {
        let names: Vec<&str> = of_one.iter().map(|case| case.name.as_str()).collect();
        format!("{}: {}", of_one[0].kernel, names.join(", "))
    };
    cases.chunk_by(|a, b| a.kernel == b.kernel).map(line).collect()
}

/// A list by its name, unless there is nothing in it.
fn say(what: &str, list: &[String]) {
    if !list.is_empty() {
        println!("{what}:\n  {}", list.join("\n  "));
    }
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    println!("{}", path.display());
    Ok(())
}
