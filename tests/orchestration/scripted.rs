//! Sources that do what a test tells them.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use consilience::SourceError;
use consilience::orchestration::parallel_fusion::Options;
use consilience::orchestration::{Opinion, ParallelFusion, Question, Reply, Source, source};
use tokio::time::sleep;

use super::engine::engine;

/// What a source does when it is asked.
#[derive(Debug, Clone)]
pub enum Act {
    Say(Opinion),
    SayAfter(Duration, Opinion),
    Fail,
    Panic,
    Never,
}

impl Act {
    pub fn say(p: &[f32]) -> Self {
        Self::Say(Opinion::Probabilities(p.to_vec()))
    }

    pub fn say_after(millis: u64, p: &[f32]) -> Self {
        Self::SayAfter(Duration::from_millis(millis), Opinion::Probabilities(p.to_vec()))
    }

    pub async fn perform(self) -> Result<Reply, SourceError> {
        match self {
            Self::Say(opinion) => Ok(opinion.into()),
            Self::SayAfter(after, opinion) => {
                sleep(after).await;
                Ok(opinion.into())
            }
            Self::Fail => Err(SourceError::failed("out of order")),
            Self::Panic => panic!("a test asked for this panic"),
            Self::Never => pending().await,
        }
    }
}

/// A source that always does the same.
pub fn source(name: &str, act: Act) -> Arc<dyn Source<str>> {
    Arc::new(source::of(name, move |_: Question<str>| act.clone().perform()))
}

/// A source that does one thing after another, one for each call, and the last for ever.
pub fn in_turn(name: &str, acts: Vec<Act>) -> Arc<dyn Source<str>> {
    let calls = AtomicU32::new(0);
    Arc::new(source::of(name, move |_: Question<str>| {
        let call = calls.fetch_add(1, Ordering::Relaxed) as usize;
        acts[call.min(acts.len() - 1)].clone().perform()
    }))
}

/// Sources a, b, c, ... that do one thing each.
pub fn cast(acts: &[Act]) -> Vec<Arc<dyn Source<str>>> {
    let name = |n: usize| char::from(b'a' + n as u8).to_string();
    acts.iter().enumerate().map(|(n, act)| source(&name(n), act.clone())).collect()
}

/// The same, fused on the CPU.
pub fn fusion(classes: usize, acts: &[Act], options: Options) -> ParallelFusion<str> {
    ParallelFusion::new(engine(), classes, cast(acts), options).expect("a fusion")
}
