//! A request followed while it runs.

use std::sync::Arc;
use std::time::Duration;

use consilience::orchestration::parallel_fusion::Event;
use consilience::orchestration::telemetry::Label;
use consilience::orchestration::{Opinion, ParallelFusion, Question, Source, source};
use consilience::{Fusion, Rule};
use futures_util::StreamExt;
use tokio::time::sleep;

use super::super::engine::engine;
use super::super::scripted::{self, Act, fusion};
use super::options;

#[tokio::test(start_paused = true)]
async fn events_come_in_their_order() {
    let thinking: Arc<dyn Source<str>> = Arc::new(source::of("thinking", async |question: Question<str>| {
        question.report(Opinion::Binary(0.5));
        sleep(Duration::from_millis(5)).await;
        question.report(Opinion::Binary(0.6));
        sleep(Duration::from_millis(5)).await;
        Ok(Opinion::Binary(0.7).into())
    }));
    let sources = vec![thinking, scripted::source("quick", Act::say(&[0.1, 0.9])), scripted::source("bad", Act::Fail)];
    let asked = ParallelFusion::new(engine(), 2, sources, options().fusion(Fusion::new(Rule::Linear)));
    let asked = asked.expect("a fusion");
    let told = |event: &Event| match event {
        Event::Partial { source, opinion } => format!("partial {source} {opinion:?}"),
        Event::Arrived { source, posterior, decision, .. } => {
            format!("arrived {source} {decision} {:.2}", posterior[0])
        }
        Event::Failed { source, fate, .. } => format!("failed {source} {}", fate.name()),
        Event::Stopped(why) => format!("stopped {}", why.name()),
        Event::Answered(outcome) => format!("answered {}", outcome.decision),
        other => format!("{other:?}"),
    };
    let events: Vec<_> = asked.follow("?").map(|event| told(&event)).collect().await;
    assert_eq!(
        events,
        [
            "partial 0 Binary(0.5)",
            "arrived 1 1 0.10",
            "failed 2 failed",
            "partial 0 Binary(0.6)",
            "arrived 0 1 0.40",
            "stopped complete",
            "answered 1",
        ]
    );
    let refused: Vec<_> = fusion(2, &[Act::Fail], options()).follow("?").collect().await;
    assert!(matches!(refused.last(), Some(Event::Refused(error)) if error.is_request()), "{refused:?}");
}
