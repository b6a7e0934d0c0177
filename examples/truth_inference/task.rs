//! Annotations, and what is known to be true of them.

use std::time::{Duration, Instant};

use consilience::arrow::{LabelOptions, Labels, NamedAnnotations, NamedAnnotationsOptions};
use consilience::truth::Annotations;
use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::SeedableRng;

use crate::args::Args;
use crate::random::shuffle;
use crate::simulation::{PRIOR, Simulation};
use crate::{Failure, files};

/// What is to be found out.
pub struct Task {
    pub data: Data,
    /// Items and their classes that the methods are told.
    pub gold: Vec<(u32, u32)>,
    /// Items and their classes that answers are scored by.
    pub truth: Vec<(u32, u32)>,
    /// Labelled items that nobody annotated.
    pub unknown: usize,
    /// To read or simulate, and sort.
    pub prepared: Duration,
    /// Of that, to sort what was simulated.
    pub sorted: Option<Duration>,
}

pub enum Data {
    Named(Box<NamedAnnotations>),
    Simulated(Annotations),
}

impl Task {
    /// What the command line asks for.
    pub fn of(args: &Args) -> Result<Self, Failure> {
        if !(0.0..1.0).contains(&args.gold) {
            return Err(format!("--gold is {}; it must be in [0, 1)", args.gold).into());
        }
        let mut task = if args.labels.is_some() { Self::of_files(args)? } else { Self::simulated(args)? };
        if args.gold > 0.0 {
            shuffle(&mut SplitMix64::seed_from_u64(args.seed), &mut task.truth);
            let told = (args.gold * task.truth.len() as f64).round() as usize;
            task.gold = task.truth.drain(..told).collect();
            task.truth.sort_unstable();
        }
        Ok(task)
    }

    fn of_files(args: &Args) -> Result<Self, Failure> {
        let start = Instant::now();
        let labels = args.labels.as_ref().ok_or("--labels is needed")?;
        let (classes, abstained) = (args.classes.clone(), args.abstained.clone());
        let options = NamedAnnotationsOptions { classes, abstained, ..NamedAnnotationsOptions::default() };
        let named = NamedAnnotations::read(labels, &options)?;
        let known = match &args.truth {
            Some(path) => named.gold(&Labels::read_named(path, named.classes(), &LabelOptions::default())?),
            None => Default::default(),
        };
        if args.truth.is_some() && known.pairs.is_empty() {
            return Err("--truth: it says nothing of the items in --labels".into());
        }
        let (truth, unknown, prepared) = (known.pairs, known.unknown, start.elapsed());
        Ok(Self { data: Data::Named(Box::new(named)), gold: Vec::new(), truth, unknown, prepared, sorted: None })
    }

    fn simulated(args: &Args) -> Result<Self, Failure> {
        let start = Instant::now();
        let annotations = args.annotations as usize;
        let Simulation { items, sources, labels, truth } = match args.sources {
            Some(sources) => Simulation::with_sources(annotations, sources as usize, args.seed),
            None => Simulation::new(annotations, args.seed),
        };
        if let Some(path) = &args.write {
            files::write(path, &items, &sources, &labels, &truth)?;
        }
        let sorting = Instant::now();
        let annotations = Annotations::new(PRIOR.len(), &items, &sources, &labels)?;
        let sorted = sorting.elapsed();
        // Before anything is fitted, so that nothing is held twice.
        drop((items, sources, labels));
        let truth = (0..).zip(truth).collect();
        let (prepared, sorted) = (start.elapsed(), Some(sorted));
        Ok(Self { data: Data::Simulated(annotations), gold: Vec::new(), truth, unknown: 0, prepared, sorted })
    }

    pub fn annotations(&self) -> &Annotations {
        match &self.data {
            Data::Named(named) => named.annotations(),
            Data::Simulated(annotations) => annotations,
        }
    }
}
