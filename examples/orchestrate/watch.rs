//! Requests watched in a terminal while they run, on the real clock.

use std::sync::Arc;
use std::time::Duration;

use consilience::Engine;
use consilience::orchestration::ParallelFusion;
use consilience::orchestration::parallel_fusion::{Event, Options};
use consilience::orchestration::telemetry::Label;
use futures_util::StreamExt;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::Failure;
use crate::digits::CLASSES;
use crate::live::Live;

/// The fused confidence is drawn in so many steps.
const STEPS: u64 = 1000;

/// One board for each of the first requests: a line for each classifier, and what all of them say so far.
pub async fn watch(engine: &Arc<Engine>, live: &Arc<Live>, requests: usize) -> Result<(), Failure> {
    let fusion = ParallelFusion::new(Arc::clone(engine), CLASSES, live.sources(), Options::low_latency())?;
    for item in 0..requests.min(live.items()) {
        println!("picture {item}, a {}:", live.truths[item]);
        let board = Board::new(&live.names)?;
        let mut events = Box::pin(fusion.follow(item));
        while let Some(event) = events.next().await {
            board.show(&event)?;
        }
    }
    println!();
    Ok(())
}

struct Board {
    sources: Vec<ProgressBar>,
    fused: ProgressBar,
}

impl Board {
    fn new(names: &[String]) -> Result<Self, Failure> {
        let lines = MultiProgress::with_draw_target(ProgressDrawTarget::stdout());
        let milliseconds = |state: &ProgressState, text: &mut dyn std::fmt::Write| {
            // Writing to a string does not fail.
            let _ = write!(text, "{:6.1} ms", state.elapsed().as_secs_f64() * 1e3);
        };
        let style = ProgressStyle::with_template("  {spinner} {prefix:10} {ms} {msg}")?.with_key("ms", milliseconds);
        let line = |name: &String| {
            let line = ProgressBar::new_spinner().with_style(style.clone()).with_prefix(name.clone());
            let line = lines.add(line.with_message("is asked"));
            line.enable_steady_tick(Duration::from_millis(30));
            line
        };
        let sources = names.iter().map(line).collect();
        let style = ProgressStyle::with_template("  = {prefix:10} {ms} [{bar:30}] {msg}")?.with_key("ms", milliseconds);
        let fused = lines.add(ProgressBar::new(STEPS).with_style(style).with_prefix("fused"));
        Ok(Self { sources, fused })
    }

    fn show(&self, event: &Event) -> Result<(), Failure> {
        match event {
            Event::Arrived { source, opinion, decision, confidence, .. } => {
                let own = opinion.probabilities(CLASSES)?.unwrap_or_default();
                let says = (0..own.len()).max_by(|&a, &b| own[a].total_cmp(&own[b])).unwrap_or_default();
                self.sources[*source].finish_with_message(format!("says {says} ({:.2})", own[says]));
                self.fuse(*decision, *confidence);
            }
            Event::Failed { source, fate, error } => {
                self.sources[*source].finish_with_message(format!("{}: {error}", fate.name()));
            }
            Event::Hedged { source } => self.sources[*source].set_message("is slow and asked again"),
            Event::Stopped(why) => {
                for line in self.sources.iter().filter(|line| !line.is_finished()) {
                    line.finish_with_message(format!("is not waited for: {}", why.name()));
                }
            }
            Event::Answered(outcome) => {
                self.fuse(outcome.decision, outcome.confidence);
                self.fused.abandon();
            }
            Event::Refused(error) => self.fused.abandon_with_message(error.to_string()),
            _ => {}
        }
        Ok(())
    }

    fn fuse(&self, decision: u32, confidence: f32) {
        self.fused.set_position((f64::from(confidence) * STEPS as f64) as u64);
        self.fused.set_message(format!("{decision} ({confidence:.2})"));
    }
}
