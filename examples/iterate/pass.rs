//! Every picture asked about, thinking in one order.

use std::sync::Arc;
use std::time::Duration;

use consilience::calibration::Scores;
use consilience::orchestration::iteration::{Basis, Event, Options, Order, Outcome, Thoughts};
use consilience::orchestration::{Cost, Iteration, Opinion, Question, Source};
use futures_util::StreamExt;
use tokio::time::Instant;

use crate::Failure;
use crate::args::Args;
use crate::digits::{CLASSES, Part};
use crate::{drawing, view};

/// What came of asking about every picture.
pub struct Pass {
    pub name: &'static str,
    pub elapsed: Duration,
    pub cost: Cost,
    /// Thoughts that failed.
    pub failed: usize,
    /// Syntheses that began early, and those of them that were kept.
    pub early: usize,
    pub kept: usize,
    /// Syntheses that were stopped: their requests may not have been sent.
    pub stopped: u64,
    /// Of the first thought of each picture, of most thoughts, and of the answer.
    pub single: Scores,
    pub majority: Scores,
    pub answer: Scores,
    /// What was thought of each picture, and what most thoughts say.
    pub thoughts: Vec<Vec<Option<Opinion>>>,
    pub majorities: Vec<usize>,
}

impl Pass {
    /// Asks about one picture after the other.
    pub async fn run(
        name: &'static str,
        order: Order,
        source: &Arc<dyn Source<str>>,
        part: &Part,
        args: &Args,
    ) -> Result<Self, Failure> {
        let options = Options { thoughts: Thoughts::Fixed(args.thoughts), order, ..Options::default() };
        let iteration = Iteration::new(name, Arc::clone(source), Arc::clone(source), options);
        let scores = Scores::new(CLASSES)?;
        let mut pass = Self {
            name,
            elapsed: Duration::ZERO,
            cost: Cost::default(),
            failed: 0,
            early: 0,
            kept: 0,
            stopped: 0,
            single: scores.clone(),
            majority: scores.clone(),
            answer: scores,
            thoughts: Vec::new(),
            majorities: Vec::new(),
        };
        for (item, &truth) in part.labels.iter().take(usize::from(args.items)).enumerate() {
            let text = drawing::question(part.pixels.row(item).iter().copied());
            let shown = item < usize::from(args.show);
            if shown {
                println!("Picture {item}, a {truth}, {name}:");
            }
            let began = Instant::now();
            let mut question = Question::<str>::new(text.into(), CLASSES, began + args.deadline());
            question.attempt = item as u32;
            let mut events = iteration.stream(question)?;
            while let Some(event) = events.next().await {
                let event = event?;
                if shown {
                    view::show(&event, began.elapsed());
                }
                if let Event::Done(outcome) = event {
                    pass.add(&outcome, truth)?;
                }
            }
            pass.elapsed += began.elapsed();
            if shown {
                println!();
            }
        }
        Ok(pass)
    }

    fn add(&mut self, outcome: &Outcome, truth: u32) -> Result<(), Failure> {
        let opinions: Vec<Option<Opinion>> =
            outcome.thoughts.iter().map(|thought| Some(thought.reply.as_ref().ok()?.opinion.clone())).collect();
        let row = |opinion: &Option<Opinion>| match opinion {
            Some(opinion) => opinion.probabilities(CLASSES),
            None => Ok(None),
        };
        let rows: Vec<Option<Vec<f32>>> = opinions.iter().map(row).collect::<Result<_, _>>()?;
        if let Some(Some(row)) = rows.first() {
            self.single.add(row, truth)?;
        }
        let mut votes = vec![0.0_f32; CLASSES];
        for row in rows.iter().flatten() {
            votes[view::best(row)] += 1.0;
        }
        let sum: f32 = votes.iter().sum();
        if sum > 0.0 {
            let shares: Vec<f32> = votes.iter().map(|count| count / sum).collect();
            self.majority.add(&shares, truth)?;
        }
        self.answer.add(&outcome.posterior, truth)?;
        self.failed += outcome.thoughts.iter().filter(|thought| thought.reply.is_err()).count();
        self.early += outcome.syntheses.iter().filter(|synthesis| synthesis.is_speculative).count();
        self.kept += outcome.syntheses.iter().filter(|synthesis| synthesis.is_speculative && synthesis.is_kept).count();
        self.stopped += outcome.syntheses.iter().filter(|synthesis| synthesis.reply.is_none()).count() as u64;
        self.cost += outcome.cost;
        // The answer is a synthesis that was kept, or it says that it is none.
        let is_synthesis = outcome.syntheses.iter().any(|synthesis| synthesis.is_kept);
        assert_eq!(is_synthesis, matches!(outcome.basis, Basis::Synthesis));
        self.majorities.push(view::best(&votes));
        self.thoughts.push(opinions);
        Ok(())
    }
}
