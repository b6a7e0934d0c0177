//! One file-to-file job, watched and scored.

use std::path::Path;
use std::time::{Duration, Instant};

use consilience::arrow::{EvidenceReader, FuseJob, LabelOptions, Labels, Progress, Summary};
use consilience::calibration::Scores;
use consilience::{Encoding, Engine, OnInvalid, Output, Outputs};
use indicatif::{ProgressBar, ProgressStyle};

use crate::Failure;
use crate::learned::Learned;

/// A job, and what is known to be true of its items.
pub struct Task<'a> {
    pub job: FuseJob,
    pub labels: Option<&'a Path>,
    /// Labels that something was fitted to: their items are not scored.
    pub except: Option<&'a Labels>,
    /// Whether to draw a progress bar.
    pub progress: bool,
}

/// What a task did.
pub struct Done {
    pub summary: Summary,
    /// The score of the posterior, where there are labels.
    pub score: Option<Scores>,
    /// The scores of the sources, where there are labels and the evidence is valid probabilities.
    pub sources: Vec<Scores>,
    /// Time spent on labels and scores.
    pub scoring: Duration,
}

impl Task<'_> {
    /// Runs it; `learned` learns from the labelled items once they are fused.
    pub fn run(&self, engine: &Engine, mut learned: Option<&mut Learned>) -> Result<Done, Failure> {
        let opening = Instant::now();
        let reader = EvidenceReader::open(&self.job.input, &self.job.evidence)?;
        let (opening, scoring) = (opening.elapsed(), Instant::now());
        let options = LabelOptions { id: self.job.evidence.id.clone(), ..LabelOptions::default() };
        let labels = self.labels.map(|path| Labels::read(path, reader.classes(), &options)).transpose()?;
        let mut scoring = scoring.elapsed();
        let mut job = self.job.clone();
        if labels.is_some() {
            // Scores need the posterior, whether it is written or not.
            let written = job.write.unwrap_or(job.fusion.outputs);
            let computed: Vec<Output> = job.fusion.outputs.iter().chain([Output::Posterior]).collect();
            (job.write, job.fusion.outputs) = (Some(written), Outputs::of(&computed));
        }
        let bar = self.progress.then(|| bar(&reader));
        let classes = reader.classes();
        let mut score = Scores::new(classes)?;
        // Only what the engine would have refused otherwise is sure to be distributions.
        let valid = job.encoding == Encoding::Probabilities && job.fusion.on_invalid == OnInvalid::Error;
        let each = if valid && labels.is_some() { reader.sources().len() } else { 0 };
        let mut sources = vec![score.clone(); each];
        let mut failure = None;
        let mut summary = job.run_on(reader, engine, |progress| {
            if let Some(bar) = &bar {
                bar.set_position(if progress.total_items.is_some() { progress.items } else { progress.bytes });
            }
            if let Some(labels) = &labels {
                let start = Instant::now();
                let added = self.add(labels, progress, &mut score, &mut sources, learned.as_deref_mut());
                failure = failure.take().or(added.err());
                scoring += start.elapsed();
            }
        })?;
        if let Some(bar) = bar {
            bar.finish_and_clear();
        }
        if let Some(failure) = failure {
            return Err(failure);
        }
        summary.read += opening;
        summary.total += opening;
        Ok(Done { summary, score: labels.is_some().then_some(score), sources, scoring })
    }

    /// Scores a chunk, and learns from it.
    fn add(
        &self,
        labels: &Labels,
        progress: &Progress<'_>,
        score: &mut Scores,
        sources: &mut [Scores],
        learned: Option<&mut Learned>,
    ) -> Result<(), Failure> {
        let (chunk, classes) = (progress.chunk, progress.chunk.classes());
        let labels = labels.of(chunk.ids());
        if let Some(learned) = learned {
            learned.update(&chunk.evidence(self.job.encoding)?, &labels)?;
        }
        let fitted = self.except.map(|labels| labels.of(chunk.ids()));
        for (item, label) in labels.into_iter().enumerate() {
            let Some(label) = label else { continue };
            if fitted.as_ref().is_some_and(|fitted| fitted[item].is_some()) {
                continue;
            }
            let row = item * classes..(item + 1) * classes;
            score.add(&progress.fused.posterior()[row.clone()], label)?;
            for (source, score) in sources.iter_mut().enumerate() {
                if chunk.presence(source).is_none_or(|presence| presence[item]) {
                    score.add(&chunk.plane(source)[row.clone()], label)?;
                }
            }
        }
        Ok(())
    }
}

fn bar(reader: &EvidenceReader) -> ProgressBar {
    let (len, unit) = match reader.items() {
        Some(items) => (items, "{human_pos} of {human_len} items"),
        None => (reader.bytes(), "{bytes} of {total_bytes}"),
    };
    let template = format!("{{elapsed_precise}} {{wide_bar}} {unit} {{eta}} left");
    let style = ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(len).with_style(style)
}
