//! Requests that are fused together with others, by engines of every kind.

use std::sync::Arc;
use std::time::Duration;

use consilience::Fusion;
use consilience::orchestration::batcher::Shutdown;
use consilience::orchestration::fuse::Fuser;
use consilience::orchestration::parallel_fusion::Event;
use consilience::orchestration::{
    Batcher, FusionProcess, Opinion, ParallelFusion, Question, Source, Stop, Stopped, source,
};
use futures_util::StreamExt;
use futures_util::future::join_all;

use super::super::engine::engine;
use super::super::scripted::{Act, cast, fusion};
use super::{Options, options, refusal};
use crate::support::engines;

/// A source whose opinion is that of the question, a little more or less.
fn near(name: &str, by: f32) -> Arc<dyn Source<[f32]>> {
    Arc::new(source::of(name, move |question: Question<[f32]>| async move {
        let row: Vec<f32> = question.input.iter().map(|p| p + by).collect();
        let sum: f32 = row.iter().sum();
        Ok(Opinion::Probabilities(row.iter().map(|p| p / sum).collect()).into())
    }))
}

/// Without paused time, which would go on while the device is waited for.
#[tokio::test]
async fn many_requests_share_calls_of_a_gpu_and_each_gets_its_own_answer() {
    let Some(gpu) = engines::gpu(None) else { return };
    let sources = || vec![near("a", 0.0), near("b", 0.1), near("c", 0.3)];
    let fuser = Fuser::new(Arc::new(gpu)).unwrap();
    // The engine is asked only whether the fusion fits.
    let together = ParallelFusion::new(engine(), 4, sources(), options()).unwrap().with_fuser(fuser.clone());
    let alone = ParallelFusion::new(engine(), 4, sources(), options()).unwrap();
    let question =
        |n: usize| Arc::from(std::array::from_fn::<f32, 4, _>(|k| ((n * 7 + k * 5) % 11) as f32 * 0.1).as_slice());
    let questions: Vec<Arc<[f32]>> = (0..400).map(question).collect();
    let answers = join_all(questions.iter().map(|question| together.ask(Arc::clone(question)))).await;
    for (question, answer) in questions.iter().zip(answers) {
        let (answer, expected) = (answer.unwrap(), alone.ask(Arc::clone(question)).await.unwrap());
        assert_eq!(answer.decision, expected.decision);
        for (p, q) in answer.posterior.iter().zip(&expected.posterior) {
            assert!((p - q).abs() <= 2e-6 + 1e-6 * q, "{p} and {q}");
        }
    }
    let stats = fuser.stats().unwrap();
    assert_eq!((stats.answered, stats.failed), (400, 0));
    assert!(stats.batches < 400, "{stats:?}");
}

#[tokio::test]
async fn judging_on_the_way_stops_a_request_and_tells_of_it() {
    for engine in engines::gpu(None).map(Arc::new).into_iter().chain([engine()]) {
        let name = engine.describe();
        let fuser = Fuser::together(Batcher::builder(FusionProcess::new(engine)).build().unwrap());
        let stop = Stop::default().or_at(0.8, 2);
        let patient = Options { stop, deadline: Duration::from_secs(600), ..options().fusion(Fusion::default()) };
        let acts = [Act::say(&[0.9, 0.1]), Act::say_after(5, &[0.88, 0.12]), Act::Never];
        let asked = fusion(2, &acts, patient).with_fuser(fuser);
        let events: Vec<Event> = asked.follow("?").collect().await;
        let sure: Vec<bool> = events
            .iter()
            .filter_map(|event| match event {
                Event::Arrived { confidence, .. } => Some(*confidence > 0.8),
                _ => None,
            })
            .collect();
        assert_eq!(sure, [true, true], "{name}");
        let Some(Event::Answered(outcome)) = events.last() else { panic!("{name}: {events:?}") };
        assert_eq!(outcome.stopped, Stopped::Confident, "{name}");
        let alone = fusion(2, &acts[..2], options().fusion(Fusion::default())).ask("?").await.unwrap();
        assert!((outcome.posterior[0] - alone.posterior[0]).abs() <= 3e-6, "{name}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_batcher_that_was_shut_down_is_told_of() {
    let batcher = Batcher::builder(FusionProcess::new(engine())).name("shared").build().unwrap();
    let asked = ParallelFusion::new(engine(), 2, cast(&[Act::say(&[0.9, 0.1])]), options()).unwrap();
    let asked = asked.with_fuser(Fuser::together(batcher.clone()));
    assert_eq!(asked.ask("?").await.unwrap().decision, 0);
    batcher.shutdown(Shutdown::Drain).await;
    assert_eq!(refusal(asked.ask("?").await), "shared is shut down and takes no more requests");
}
