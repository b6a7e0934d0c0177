//! Thoughts and syntheses that fail, and time that runs out.

use std::time::Duration;

use consilience::orchestration::iteration::{Basis, Options, Order};
use consilience::orchestration::{Opinion, Source};
use consilience::{ErrorKind, RequestError, SourceError};
use tokio::time::Instant;

use super::{Say, Scripted, all, iteration, lines, options, question, think};

#[tokio::test(start_paused = true)]
async fn failed_thoughts_are_left_out() {
    let lines = vec![
        (1, Say::Fail),
        (1, Say::First(0.75)),
        (1, Say::Panic),
        (1, Say::Invalid),
        (99, Say::First(0.0)),
        (1, Say::Abstain),
    ];
    let thinker = Scripted::new("thinker", lines);
    let synthesiser = Scripted::new("synthesiser", all(1, 1, Say::First(0.5)));
    let options = Options { kept_for_synthesis: Duration::from_secs(2), ..options(6, Order::default()) };
    let outcome = iteration(&thinker, &synthesiser, options).think(question(10)).await.expect("an outcome");
    let fates: Vec<_> = outcome
        .thoughts
        .iter()
        .map(|thought| thought.reply.as_ref().map_or_else(ToString::to_string, |reply| format!("{:?}", reply.opinion)))
        .collect();
    assert_eq!(
        fates,
        [
            "no idea",
            "Probabilities([0.75, 0.25])",
            "it panicked: lost the thread",
            "its opinion is not valid: it has 3 values where there are 2 classes",
            "no answer within 8s",
            "Abstained",
        ]
    );
    assert_eq!((outcome.pool, outcome.posterior), (vec![0.75, 0.25], vec![0.5, 0.5]));
    assert_eq!((outcome.elapsed, outcome.cost.calls), (Duration::from_secs(9), 7));
    assert_eq!(
        synthesiser.asked()[0].peers.iter().map(|peer| &*peer.name).collect::<Vec<_>>(),
        ["thinker 2", "thinker 6"]
    );
}

#[tokio::test(start_paused = true)]
async fn where_all_fail_each_cause_is_named() {
    let thinker = Scripted::new("thinker", vec![(2, Say::Fail), (1, Say::Panic), (99, Say::Fail)]);
    let synthesiser = Scripted::new("synthesiser", all(1, 1, Say::First(1.0)));
    let iteration = iteration(&thinker, &synthesiser, options(3, Order::default()));
    let error = iteration.think(question(10)).await.expect_err("nothing");
    assert!(error.is_request() && !error.is_deadline());
    assert_eq!(
        error.to_string(),
        "no source answered: `thinker 1`: no idea; `thinker 2`: it panicked: lost the thread; `thinker 3`: no answer \
         within 10s"
    );
    assert_eq!(synthesiser.asked().len(), 0);
    // The stream ends there.
    assert_eq!(lines(&iteration, question(10)).await.len(), 4);
    // As a source, it failed with that.
    match iteration.ask(question(10)).await {
        Err(SourceError::Failed { message, .. }) => assert!(message.starts_with("no source answered: "), "{message}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_synthesis_that_fails_is_not_passed_off_as_one() {
    for (say, want) in [
        (Say::Fail, "no idea"),
        (Say::Panic, "it panicked: lost the thread"),
        (Say::Invalid, "its opinion is not valid: it has 3 values where there are 2 classes"),
    ] {
        let thinker = Scripted::new("thinker", vec![(1, Say::First(0.25)), (1, Say::First(0.5))]);
        let synthesiser = Scripted::new("synthesiser", all(1, 1, say));
        let outcome = think(&thinker, &synthesiser, options(2, Order::default())).await.expect("an outcome");
        assert_eq!((outcome.posterior, outcome.decision, outcome.confidence), (vec![0.375, 0.625], 1, 0.625));
        match outcome.basis {
            Basis::Thoughts(cause) => assert_eq!(cause.to_string(), want),
            other => panic!("{other:?}"),
        }
        assert!(!outcome.syntheses[0].is_kept);
        assert_eq!(outcome.cost.calls, 3);
    }
}

#[tokio::test(start_paused = true)]
async fn a_synthesiser_that_abstains_leaves_the_answer_to_the_thoughts() {
    let thinker = Scripted::new("thinker", all(2, 1, Say::First(0.25)));
    let synthesiser = Scripted::new("synthesiser", all(1, 1, Say::Abstain));
    let outcome = think(&thinker, &synthesiser, options(2, Order::default())).await.expect("an outcome");
    assert!(matches!(outcome.basis, Basis::Abstained));
    assert_eq!((outcome.posterior, outcome.decision), (vec![0.25, 0.75], 1));
}

#[tokio::test(start_paused = true)]
async fn thoughts_that_all_abstain_know_nothing() {
    let thinker = Scripted::new("thinker", all(2, 1, Say::Abstain));
    let synthesiser = Scripted::new("synthesiser", all(1, 1, Say::Fail));
    let outcome = think(&thinker, &synthesiser, options(2, Order::default())).await.expect("an outcome");
    assert_eq!((outcome.posterior, outcome.decision, outcome.pool), (vec![0.5, 0.5], 0, vec![0.5, 0.5]));
    assert!(synthesiser.asked()[0].peers.iter().all(|peer| peer.opinion == Opinion::Abstained));
}

#[tokio::test(start_paused = true)]
async fn the_deadline_ends_thoughts_that_are_running_and_begins_no_more() {
    let thinker = Scripted::new("thinker", vec![(2, Say::First(0.75)), (9, Say::First(0.0)), (99, Say::First(0.0))]);
    let synthesiser = Scripted::new("synthesiser", all(1, 1, Say::First(0.5)));
    let order = Order::Parallel { at_once: 2, speculate_at: None };
    let outcome = iteration(&thinker, &synthesiser, options(8, order)).think(question(5)).await.expect("an outcome");
    assert_eq!((outcome.elapsed, outcome.planned, outcome.thoughts.len()), (Duration::from_secs(5), 8, 3));
    assert_eq!(thinker.running(), 0);
    // No time was left for the synthesis, so nobody was asked for it.
    assert_eq!((outcome.posterior, synthesiser.asked().len()), (vec![0.75, 0.25], 0));
    assert!(matches!(outcome.basis, Basis::Thoughts(SourceError::TimedOut { after }) if after.as_secs() == 5));
    assert_eq!((outcome.syntheses.len(), outcome.cost.calls), (0, 3));
}

#[tokio::test(start_paused = true)]
async fn a_synthesis_ends_at_the_deadline() {
    let thinker = Scripted::new("thinker", all(2, 2, Say::First(0.75)));
    let synthesiser = Scripted::new("synthesiser", all(1, 99, Say::First(0.5)));
    let outcome =
        iteration(&thinker, &synthesiser, options(2, Order::default())).think(question(5)).await.expect("one");
    assert_eq!((outcome.elapsed, synthesiser.running()), (Duration::from_secs(5), 0));
    assert!(matches!(outcome.basis, Basis::Thoughts(SourceError::TimedOut { after }) if after.as_secs() == 3));
}

#[tokio::test(start_paused = true)]
async fn at_most_half_of_the_time_is_kept_for_the_synthesis() {
    let thinker = Scripted::new("thinker", vec![(1, Say::First(0.75)), (99, Say::First(0.0))]);
    let synthesiser = Scripted::new("synthesiser", all(1, 1, Say::First(0.5)));
    let options = Options { kept_for_synthesis: Duration::MAX, ..options(2, Order::default()) };
    let outcome = iteration(&thinker, &synthesiser, options).think(question(10)).await.expect("an outcome");
    assert_eq!(outcome.elapsed, Duration::from_secs(5 + 1));
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_has_passed_is_an_error_and_asks_nobody() {
    let thinker = Scripted::new("thinker", all(1, 1, Say::First(1.0)));
    let mut late = question(0);
    late.deadline = Instant::now();
    let error = iteration(&thinker, &thinker, Options::default()).think(late).await.expect_err("no time");
    assert!(matches!(error.kind(), ErrorKind::Request(RequestError::NoTime)), "{error}");
    assert!(error.is_deadline());
    assert_eq!(thinker.asked().len(), 0);
}
