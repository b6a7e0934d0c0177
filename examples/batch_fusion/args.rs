//! The command line.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Parser;
use consilience::arrow::{EvidenceOptions, FuseJob};
use consilience::{Device, Encoding, EngineOptions, Fusion, OnInvalid, Output, Outputs, Weighting};

use crate::Failure;
use crate::learned::Learned;

/// Fuses what several sources say about many items, from file to file.
///
/// Without arguments: trains classifiers on handwritten digits and fuses what they say.
#[derive(Debug, Parser)]
#[command(name = "batch_fusion")]
pub struct Args {
    /// Evidence: a .parquet or .csv file, wide or long
    #[arg(long, requires = "output", value_name = "EVIDENCE")]
    input: Option<PathBuf>,
    /// Answers: a .parquet or .csv file; it appears when it is complete
    #[arg(long, value_name = "FUSED")]
    output: Option<PathBuf>,
    /// True classes, to score the answers: a file with an item id and a column `label`
    #[arg(long, requires = "input")]
    pub labels: Option<PathBuf>,
    /// linear, vote, max_vote, bayesian_average, log_pool, extremised[:A], evidence, power_mean[:R], median,
    /// trimmed[:SHARE], dempster_shafer, yager, cumulative_belief, averaging_belief, weighted_belief or ensemble; with
    /// --learn also confusion and adaptive
    #[arg(long, default_value = "ensemble")]
    rule: String,
    /// fixed, fixed:W,W,..., performance:R,R,..., proximity:P,P,..., confidence, margin or entropy (each also with
    /// :GAMMA), hellinger or jensen_shannon (each also with :STEEPNESS) [default: fixed; with --learn what was learned]
    #[arg(long)]
    weighting: Option<Weighting>,
    /// Of posterior, decision, confidence, margin, entropy, disagreement, effective_sources, flags, conflict,
    /// contributions
    #[arg(long, value_delimiter = ',', default_value = "posterior,decision,confidence")]
    outputs: Vec<Output>,
    /// auto, cpu, gpu, or part of a GPU's name
    #[arg(long, default_value = "auto")]
    device: Device,
    /// probabilities, log_probabilities or logits
    #[arg(long, default_value = "probabilities")]
    encoding: Encoding,
    /// error, missing or renormalise
    #[arg(long, default_value = "error")]
    on_invalid: OnInvalid,
    /// Threads of the CPU engine [default: one per core]
    #[arg(long)]
    threads: Option<usize>,
    /// What was learned of the sources: weighs them where the file is there; with --labels it learns from this job's
    /// labelled items, after they were fused, and is written back
    #[arg(long, requires = "input", value_name = "STATE")]
    pub learn: Option<PathBuf>,
    /// Fit a temperature of each source and of the pool to the items labelled in this file, and fuse with them; these items
    /// are not scored
    #[arg(long, requires = "input", value_name = "LABELS")]
    pub calibrate: Option<PathBuf>,
    /// Name the K sources that did most for, or against, each decision
    #[arg(long, requires = "input", value_name = "K", default_value_t = 0)]
    explain: usize,
    /// Write a machine-readable summary here
    #[arg(long, requires = "input", value_name = "SUMMARY")]
    pub json: Option<PathBuf>,
    /// The column of item ids [default: item, item_id or id]
    #[arg(long, value_name = "COLUMN")]
    id: Option<String>,
    /// The sources to fuse, in this order [default: all]
    #[arg(long, value_delimiter = ',', value_name = "LIST")]
    sources: Option<Vec<String>>,
    /// Items in memory at a time [default: 32 MiB of floats]
    #[arg(long, value_name = "ITEMS")]
    rows_per_chunk: Option<usize>,
    /// Write made-up evidence of this shape to --output instead
    #[arg(long, requires = "output", conflicts_with = "input", value_name = "ITEMS,SOURCES,CLASSES")]
    synthesise: Option<Shape>,
    /// Seed of what is made up
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// What the program is to do.
pub enum Mode<'a> {
    Digits,
    File { input: &'a Path, output: &'a Path },
    Synthesise { shape: Shape, output: &'a Path },
}

/// How large made-up evidence is.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    pub items: u64,
    pub sources: usize,
    pub classes: usize,
}

impl Args {
    pub fn mode(&self) -> Result<Mode<'_>, Failure> {
        match (&self.input, &self.output, self.synthesise) {
            (Some(input), Some(output), _) => Ok(Mode::File { input, output }),
            (None, Some(output), Some(shape)) => Ok(Mode::Synthesise { shape, output }),
            (None, Some(_), None) => Err("--output needs --input, the evidence to be fused, or --synthesise".into()),
            _ => Ok(Mode::Digits),
        }
    }

    pub fn engine_options(&self) -> EngineOptions {
        EngineOptions { device: self.device.clone(), threads: self.threads, ..EngineOptions::default() }
    }

    /// How the evidence is read.
    pub fn evidence(&self) -> EvidenceOptions {
        let mut options = EvidenceOptions::default();
        options.id.clone_from(&self.id);
        options.sources.clone_from(&self.sources);
        options.rows_per_chunk = self.rows_per_chunk;
        options
    }

    /// The job; what was learned of the sources stands in for what was not given.
    pub fn job(&self, input: &Path, output: &Path, learned: Option<&Learned>) -> Result<FuseJob, Failure> {
        let mut job = FuseJob::new(input, output);
        let rule = match (self.rule.as_str(), learned) {
            ("confusion", Some(learned)) => learned.confusion(),
            ("adaptive", Some(learned)) => learned.adaptive(),
            ("confusion" | "adaptive", None) => {
                return Err(format!("--rule {} needs --learn STATE, written by an earlier job", self.rule).into());
            }
            (name, _) => name.parse()?,
        };
        let weighting = self.weighting.clone().or_else(|| learned.map(Learned::weighting)).unwrap_or_default();
        job.fusion = Fusion::new(rule).weighting(weighting).on_invalid(self.on_invalid).outputs(&self.outputs);
        job.write = Some(Outputs::of(&self.outputs));
        job.explain = self.explain;
        job.encoding = self.encoding;
        job.evidence = self.evidence();
        Ok(job)
    }
}

impl FromStr for Shape {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let numbers: Vec<u64> = text.split([',', 'x']).map(str::parse).collect::<Result<_, _>>().unwrap_or_default();
        match numbers[..] {
            [items, sources @ 1..=1000, classes @ 1..=100_000] => {
                Ok(Self { items, sources: sources as usize, classes: classes as usize })
            }
            _ => Err("three numbers are needed: ITEMS,SOURCES,CLASSES".to_owned()),
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} items x {} sources x {} classes", self.items, self.sources, self.classes)
    }
}
