//! When the rest is not waited for.

use std::time::Duration;

use consilience::orchestration::parallel_fusion::Fate;
use consilience::orchestration::{Stop, Stopped};
use consilience::{Fusion, Rule};
use tokio::time::Instant;

use super::super::scripted::{Act, fusion};
use super::{fates, options};

#[tokio::test(start_paused = true)]
async fn a_vote_waits_for_five_of_eight() {
    let acts: Vec<_> = (0..8).map(|n| Act::say_after(100 * n, &[0.1, 0.9])).collect();
    let voting = options().fusion(Fusion::new(Rule::Vote)).stop(Stop::LOCKED);
    let began = Instant::now();
    let outcome = fusion(2, &acts, voting).ask("?").await.expect("an answer");
    assert_eq!(began.elapsed(), Duration::from_millis(400));
    assert_eq!((outcome.decision, outcome.stopped), (1, Stopped::Locked));
    assert_eq!(fates(&outcome), [[Fate::Answered; 5].as_slice(), &[Fate::Censored; 3]].concat());
    // Nothing failed.
    assert_eq!((outcome.confidence, outcome.failures().count()), (1.0, 0));
    // Those that were cancelled had been asked.
    assert_eq!(outcome.cost.calls, 8);
}

#[tokio::test(start_paused = true)]
async fn the_cancelled_are_not_counted_as_failed() {
    let acts = [Act::say(&[0.1, 0.9]), Act::say(&[0.2, 0.8]), Act::Never];
    let asked = fusion(2, &acts, options().fusion(Fusion::new(Rule::Vote)).stop(Stop::LOCKED));
    assert_eq!(asked.ask("?").await.expect("an answer").reports[2].fate, Fate::Censored);
    let seen: Vec<_> = asked.tracks().iter().map(|track| (track.observations(), track.successes())).collect();
    assert_eq!(seen, [(1, 1), (1, 1), (0, 0)]);
}

#[tokio::test(start_paused = true)]
async fn sure_enough_is_enough_once_the_quorum_is_there() {
    let acts: Vec<_> = (0..5).map(|n| Act::say_after(10 * n, &[0.05, 0.95])).collect();
    for (quorum, millis) in [(0, 0), (1, 0), (3, 20), (5, 40)] {
        let stop = Stop { lock: false, confidence: Some(0.9), quorum };
        let began = Instant::now();
        let outcome = fusion(2, &acts, options().stop(stop)).ask("?").await.expect("an answer");
        assert_eq!(began.elapsed(), Duration::from_millis(millis));
        assert_eq!(outcome.stopped, if quorum == 5 { Stopped::Complete } else { Stopped::Confident });
    }
    // (.95 + 1 + .95) / 3 is .967.
    let never = Stop { lock: false, confidence: Some(0.97), quorum: 0 };
    let outcome = fusion(2, &acts, options().stop(never)).ask("?").await.expect("an answer");
    assert_eq!(outcome.stopped, Stopped::Complete);
}

/// Those that answer at the same moment are judged together.
#[tokio::test(start_paused = true)]
async fn an_answer_that_is_there_already_counts() {
    let acts = [Act::say(&[0.01, 0.99]), Act::say(&[0.99, 0.01]), Act::say_after(10, &[0.4, 0.6])];
    let stop = Stop { lock: false, confidence: Some(0.9), quorum: 1 };
    let outcome = fusion(2, &acts, options().stop(stop)).ask("?").await.expect("an answer");
    assert_eq!((outcome.stopped, outcome.decision), (Stopped::Complete, 1));
}

#[tokio::test(start_paused = true)]
async fn an_answer_at_the_deadline_counts_and_one_after_it_does_not() {
    let acts = [Act::say_after(5_000, &[0.9, 0.1]), Act::say_after(5_001, &[0.1, 0.9])];
    let outcome = fusion(2, &acts, options()).ask("?").await.expect("an answer");
    assert_eq!(fates(&outcome), [Fate::Answered, Fate::TimedOut]);
    let error = outcome.reports[1].error.as_ref().expect("an error");
    assert_eq!(error.to_string(), "no answer within 5s");
}
