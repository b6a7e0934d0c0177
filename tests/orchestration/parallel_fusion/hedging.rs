//! Slow sources, asked twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use consilience::orchestration::parallel_fusion::{Fate, Hedge, Options};
use consilience::orchestration::{ParallelFusion, Question, Source, Stop, source};
use tokio::time::Instant;

use super::super::engine::engine;
use super::super::scripted::{self, Act, in_turn};
use super::{fates, options};

fn hedging(budget: f64) -> Options {
    let hedge = Hedge { quantile: 0.9, before_known: Duration::from_millis(50), budget };
    Options { hedge: Some(hedge), ..options() }
}

fn asked(sources: Vec<Arc<dyn Source<str>>>, options: Options) -> ParallelFusion<str> {
    ParallelFusion::new(engine(), 2, sources, options).expect("a fusion")
}

fn quick_and_slow() -> Vec<Arc<dyn Source<str>>> {
    let slow = in_turn("slow", vec![Act::Never, Act::say_after(10, &[0.2, 0.8])]);
    vec![scripted::source("quick", Act::say(&[0.4, 0.6])), slow]
}

#[tokio::test(start_paused = true)]
async fn the_first_of_two_answers_counts() {
    let began = Instant::now();
    let outcome = asked(quick_and_slow(), hedging(1.0)).ask("?").await.expect("an answer");
    assert_eq!(began.elapsed(), Duration::from_millis(60));
    assert_eq!(fates(&outcome), [Fate::Answered; 2]);
    let calls: Vec<_> = outcome.reports.iter().map(|report| report.calls).collect();
    assert_eq!(calls, [1, 2]);
}

#[tokio::test(start_paused = true)]
async fn nobody_is_asked_twice_once_the_quorum_is_there() {
    let quorum = Options { stop: Stop { quorum: 1, ..Stop::default() }, ..hedging(1.0) };
    let outcome = asked(quick_and_slow(), quorum).ask("?").await.expect("an answer");
    assert_eq!((outcome.reports[1].calls, outcome.reports[1].fate), (1, Fate::TimedOut));
}

#[tokio::test(start_paused = true)]
async fn one_failure_of_two_calls_is_none() {
    let sources = vec![in_turn("slow", vec![Act::say_after(60, &[0.2, 0.8]), Act::Fail])];
    let outcome = asked(sources, hedging(1.0)).ask("?").await.expect("an answer");
    assert_eq!((fates(&outcome), outcome.elapsed), (vec![Fate::Answered], Duration::from_millis(60)));
    assert!(outcome.reports[0].error.is_none());
}

#[tokio::test(start_paused = true)]
async fn second_calls_stay_within_their_budget() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let slow: Arc<dyn Source<str>> = Arc::new(source::of("slow", move |_: Question<str>| {
        counted.fetch_add(1, Ordering::Relaxed);
        Act::say_after(100, &[0.2, 0.8]).perform()
    }));
    let asked = asked(vec![slow], hedging(0.125));
    // Until its latencies are known, after which nothing is slow: an eighth of 20 calls, and the one there is at first.
    for calls_before in [0, 23] {
        assert_eq!(calls.load(Ordering::Relaxed), calls_before);
        for _ in 0..20 {
            assert_eq!(asked.ask("?").await.expect("an answer").decision, 1);
        }
    }
    assert_eq!(calls.load(Ordering::Relaxed), 43);
}
