//! The report of `examples/gpu_bench` as a benchmark: the same program with the same arguments, after `--`.

#[path = "../examples/gpu_bench/main.rs"]
mod gpu_bench;

use std::process::ExitCode;

use self::gpu_bench::Failure;

fn main() -> ExitCode {
    gpu_bench::main()
}
