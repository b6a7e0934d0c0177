//! A synthesis that does not wait for the last thoughts.

use std::time::Duration;

use consilience::orchestration::Cost;
use consilience::orchestration::iteration::{Options, Order};

use super::{Say, Scripted, all, iteration, lines, options, question, think};

fn at(quorum: u32, count: u32) -> Options<str> {
    options(count, Order::Parallel { at_once: 12, speculate_at: Some(quorum) })
}

#[tokio::test(start_paused = true)]
async fn it_is_kept_where_the_decision_stands() {
    let yes = |seconds| (seconds, Say::First(1.0));
    let thinker = Scripted::new("thinker", vec![yes(1), (2, Say::First(0.0)), yes(3), yes(9)]);
    let synthesiser = Scripted::new("synthesiser", vec![(2, Say::First(0.75)), (2, Say::First(0.25))]);
    let iteration = iteration(&thinker, &synthesiser, at(2, 4));
    assert_eq!(
        lines(&iteration, question(60)).await,
        [
            "1 s: thought 0 -> [1.0, 0.0]",
            "2 s: thought 1 -> [0.5, 0.5]",
            "3 s: thought 2 -> [0.6666667, 0.33333334]",
            "3 s: speculation of [0, 1, 2]",
            "9 s: thought 3 -> [0.75, 0.25]",
            "9 s: synthesis of [0, 1, 2] kept",
            "9 s: done: [0.75, 0.25]",
        ]
    );
    assert_eq!(synthesiser.asked().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn one_that_is_not_done_yet_is_waited_for() {
    let thinker = Scripted::new("thinker", vec![(1, Say::First(1.0)), (3, Say::First(1.0))]);
    let synthesiser = Scripted::new("synthesiser", all(1, 5, Say::First(0.75)));
    let outcome = think(&thinker, &synthesiser, at(1, 2)).await.expect("an outcome");
    // Begun after the first second, not after the third.
    assert_eq!((outcome.elapsed, outcome.posterior), (Duration::from_secs(6), vec![0.75, 0.25]));
    assert_eq!(outcome.syntheses[0].latency, Duration::from_secs(5));
    assert_eq!(outcome.cost, Cost { calls: 3, ..Cost::default() });
}

#[tokio::test(start_paused = true)]
async fn it_is_done_again_where_the_decision_does_not_stand() {
    for (speculation, ended) in [(1, true), (30, false)] {
        let no = (6, Say::First(0.0));
        let thinker = Scripted::new("thinker", vec![(1, Say::First(0.75)), no.clone(), no]);
        let synthesiser = Scripted::new("synthesiser", vec![(speculation, Say::First(0.75)), (2, Say::First(0.25))]);
        let outcome = think(&thinker, &synthesiser, at(1, 3)).await.expect("an outcome");
        assert_eq!((outcome.elapsed, outcome.posterior), (Duration::from_secs(6 + 2), vec![0.25, 0.75]));
        let record: Vec<_> = outcome
            .syntheses
            .iter()
            .map(|s| (s.thoughts.clone(), s.is_speculative, s.reply.is_some(), s.is_kept, s.latency.as_secs()))
            .collect();
        // One that has not ended is stopped, and counts as a call.
        let first = (vec![0], true, ended, false, speculation.min(5));
        assert_eq!(record, [first, (vec![0, 1, 2], false, true, true, 2)]);
        assert_eq!(outcome.cost, Cost { calls: 5, ..Cost::default() });
        assert_eq!(synthesiser.running(), 0);
        assert_eq!(synthesiser.asked().iter().map(|asked| asked.attempt).collect::<Vec<_>>(), [0, 1]);
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_failed_is_done_again() {
    let thinker = Scripted::new("thinker", vec![(1, Say::First(1.0)), (4, Say::First(1.0))]);
    let synthesiser = Scripted::new("synthesiser", vec![(1, Say::Fail), (2, Say::First(0.75))]);
    let outcome = think(&thinker, &synthesiser, at(1, 2)).await.expect("an outcome");
    assert_eq!((outcome.elapsed, outcome.posterior), (Duration::from_secs(4 + 2), vec![0.75, 0.25]));
    assert_eq!(outcome.syntheses.iter().map(|s| s.is_kept).collect::<Vec<_>>(), [false, true]);
    assert_eq!(outcome.cost, Cost { calls: 4, ..Cost::default() });
}

#[tokio::test(start_paused = true)]
async fn it_does_not_begin_with_the_last_thought_nor_without_its_quorum() {
    let thinker = Scripted::new("thinker", vec![(1, Say::First(1.0)), (2, Say::First(0.25)), (3, Say::First(1.0))]);
    let synthesiser = Scripted::new("synthesiser", all(1, 1, Say::First(1.0)));
    let outcome = think(&thinker, &synthesiser, at(2, 3)).await.expect("an outcome");
    assert_eq!(outcome.syntheses.len(), 1);
    assert!(!outcome.syntheses[0].is_speculative);
    assert_eq!(outcome.elapsed, Duration::from_secs(4));
}
