//! Learns whom to trust while it goes, on handwritten digits.
//!
//! Five classifiers see 1,198 pictures that they did not learn from, each through noise of a size of its own. Picture by
//! picture, what they say is fused, and only then is the true digit told to the learners. Half way the classifier that sees
//! no noise, the best of them, breaks: from then on it says what it has to say of some other picture.
//!
//! Prints how each way of learning weights did beside equal weights and beside the best weights with hindsight, and what
//! Hedge and its relatives lost beside what they can lose at most; draws the weights over time; and asserts that a learner
//! saved and loaded half way ends as the one that never stopped.
//!
//! ```sh
//! cargo run --release --example learn_weights
//! ```
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program talks to its user")]

#[path = "../batch_fusion/digits.rs"]
mod digits;
mod entrants;
mod eyesight;
mod hindsight;
mod learner;
#[path = "../batch_fusion/models.rs"]
#[expect(dead_code, reason = "here nobody asks how a source was made, or what it says of the calibration third")]
mod models;
mod pass;
mod plot;
#[path = "../../src/methods/random.rs"]
#[expect(dead_code, reason = "not all of it is needed here")]
mod random;
mod regret;
mod report;
mod stream;
#[path = "../batch_fusion/whole_file.rs"]
mod whole_file;

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use consilience::Engine;

use self::entrants::Entrant;
use self::stream::Stream;

/// What a program may fail with.
type Failure = Box<dyn Error>;

const DIRECTORY: &str = "target/learn_weights";
const SEED: u64 = 20_260;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Failure> {
    let directory = Path::new(DIRECTORY);
    fs::create_dir_all(directory).map_err(|error| format!("{DIRECTORY}: {error}"))?;
    let engine = Engine::cpu()?;
    let stream = Stream::new(SEED)?;
    println!("{}", report::sources(&stream)?);

    let mut entrants = entrants::all(&stream)?;
    for entrant in &mut entrants {
        entrant.run(&engine, &stream, directory)?;
    }
    let learners = entrants.iter().filter(|entrant| entrant.learner.learns()).count();
    println!(
        "{learners} learners, saved and loaded after {} items, ended as those that never stopped.\n",
        stream.middle()
    );

    entrants.extend(hindsight::entrants(&engine, &stream)?);
    println!("{}", report::scores(&stream, &entrants)?);
    println!("{}", regret::table(&stream, &entrants)?);

    let picture = directory.join("weights.svg");
    let drawn: Vec<&Entrant> = entrants.iter().filter(|entrant| entrant.drawn).collect();
    plot::weights(&picture, &stream, &drawn)?;
    println!("{DIRECTORY}: weights.svg, and the state of every learner half way as *.json");
    Ok(())
}
