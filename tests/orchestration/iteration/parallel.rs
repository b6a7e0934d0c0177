//! Thoughts side by side.

use std::sync::Arc;
use std::time::Duration;

use consilience::orchestration::iteration::{Basis, Options, Order, Thoughts};
use consilience::orchestration::{Cost, Opinion, Question, Source};
use futures_util::StreamExt;
use tokio::time::Instant;

use super::{Say, Scripted, all, iteration, lines, options, question, think};

#[tokio::test(start_paused = true)]
async fn eight_and_one_take_as_long_as_the_slowest_thought_and_the_synthesis() {
    let thinker = Scripted::new("thinker", (1..=8).map(|seconds| (seconds, Say::First(0.75))).collect());
    let synthesiser = Scripted::new("synthesiser", all(1, 3, Say::Words(0.875, "a cat")));
    let outcome = think(&thinker, &synthesiser, Options::default()).await.expect("an outcome");
    assert_eq!(outcome.elapsed, Duration::from_secs(8 + 3));
    assert_eq!((outcome.posterior, outcome.decision, outcome.confidence), (vec![0.875, 0.125], 0, 0.875));
    assert_eq!((outcome.pool, outcome.content.as_deref()), (vec![0.75, 0.25], Some("a cat")));
    assert!(matches!(outcome.basis, Basis::Synthesis));
    assert_eq!((outcome.thoughts.len(), outcome.planned, outcome.stopped_alike), (8, 8, false));
    assert_eq!(outcome.cost, Cost { calls: 9, ..Cost::default() });
    let latencies: Vec<_> = outcome.thoughts.iter().map(|thought| thought.latency.as_secs()).collect();
    assert_eq!(latencies, [1, 2, 3, 4, 5, 6, 7, 8]);
    let [synthesis] = &outcome.syntheses[..] else { panic!("{:?}", outcome.syntheses) };
    assert_eq!((synthesis.latency, synthesis.is_kept, synthesis.is_speculative), (Duration::from_secs(3), true, false));

    // Each thought is its own, and knows of no other.
    let asked = thinker.asked();
    assert_eq!(asked.iter().map(|asked| asked.attempt).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5, 6, 7]);
    assert!(asked.iter().all(|asked| asked.peers.is_empty() && asked.at == 0));
}

#[tokio::test(start_paused = true)]
async fn events_come_in_the_order_in_which_things_happen() {
    let thinker = Scripted::new("thinker", vec![(3, Say::First(1.0)), (1, Say::First(0.5)), (2, Say::Fail)]);
    let synthesiser = Scripted::new("synthesiser", all(1, 4, Say::First(0.25)));
    let iteration = iteration(&thinker, &synthesiser, options(3, Order::default()));
    assert_eq!(
        lines(&iteration, question(60)).await,
        [
            "1 s: thought 1 -> [0.5, 0.5]",
            "2 s: thought 2 failed: no idea",
            "3 s: thought 0 -> [0.75, 0.25]",
            "3 s: synthesis of [0, 1]",
            "7 s: synthesis of [0, 1] kept",
            "7 s: done: [0.25, 0.75]",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn the_synthesiser_is_shown_the_thoughts_by_index_behind_what_the_question_shows() {
    let thinker = Scripted::new("thinker", vec![(2, Say::Words(0.75, "whiskers")), (1, Say::Abstain), (1, Say::Fail)]);
    let synthesiser = Scripted::new("synthesiser", all(1, 1, Say::First(0.5)));
    let mut question = question(60);
    let before = consilience::orchestration::Peer { name: Arc::from("x"), opinion: Opinion::label(1), content: None };
    question.peers = Arc::new([before.clone()]);
    question.attempt = 2;
    iteration(&thinker, &synthesiser, options(3, Order::default())).think(question).await.expect("an outcome");
    let [asked] = &synthesiser.asked()[..] else { panic!("one question") };
    assert_eq!((asked.at, asked.attempt), (2, 2048));
    let said: Vec<_> =
        asked.peers.iter().map(|peer| (&*peer.name, peer.opinion.clone(), peer.content.as_deref())).collect();
    assert_eq!(
        said,
        [
            ("x", Opinion::label(1), None),
            ("thinker 1", Opinion::Probabilities(vec![0.75, 0.25]), Some("whiskers")),
            ("thinker 2", Opinion::Abstained, None),
        ]
    );
    // Asked again, the thoughts are others.
    assert_eq!(thinker.asked().iter().map(|asked| asked.attempt).collect::<Vec<_>>(), [2048, 2049, 2050]);
    assert_eq!(thinker.asked()[0].peers, [before]);
}

#[tokio::test(start_paused = true)]
async fn no_more_think_at_once_than_allowed() {
    let thinker = Scripted::new("thinker", vec![(4, Say::First(1.0)), (1, Say::First(1.0))]);
    let synthesiser = Scripted::new("synthesiser", all(1, 1, Say::First(1.0)));
    let order = Order::Parallel { at_once: 2, speculate_at: None };
    let outcome = think(&thinker, &synthesiser, options(6, order)).await.expect("an outcome");
    // The first takes one place for four seconds, the other five take turns in the other.
    let at: Vec<_> = thinker.asked().iter().map(|asked| asked.at).collect();
    assert_eq!((at, outcome.elapsed), (vec![0, 0, 1, 2, 3, 4], Duration::from_secs(6)));
    // Those that begin late know no more than the first.
    assert!(thinker.asked().iter().all(|asked| asked.peers.is_empty()));
}

#[tokio::test(start_paused = true)]
async fn complexity_says_how_many_thoughts_there_are() {
    for (score, want) in
        [(0.0, 4), (0.06, 4), (0.07, 5), (0.5, 8), (1.0, 12), (7.0, 12), (-1.0, 4), (f64::NAN, 4), (f64::INFINITY, 12)]
    {
        let thinker = Scripted::new("thinker", all(1, 1, Say::First(1.0)));
        let options = Options { thoughts: Thoughts::ByComplexity(Arc::new(move |_| score)), ..Options::default() };
        let outcome = think(&thinker, &thinker, options).await.expect("an outcome");
        assert_eq!((outcome.planned, outcome.thoughts.len()), (want, want as usize), "{score}");
    }
}

#[tokio::test(start_paused = true)]
async fn there_is_at_least_one_thought_and_one_at_a_time() {
    let thinker = Scripted::new("thinker", all(1, 1, Say::First(1.0)));
    let order = Order::Parallel { at_once: 0, speculate_at: Some(0) };
    let outcome = think(&thinker, &thinker, options(0, order)).await.expect("an outcome");
    assert_eq!((outcome.thoughts.len(), outcome.elapsed), (1, Duration::from_secs(2)));
}

#[tokio::test(start_paused = true)]
async fn dropping_the_stream_stops_every_call() {
    let thinker = Scripted::new("thinker", all(8, 5, Say::First(1.0)));
    let synthesiser = Scripted::new("synthesiser", all(1, 5, Say::First(1.0)));
    let iteration =
        iteration(&thinker, &synthesiser, options(8, Order::Parallel { at_once: 4, speculate_at: Some(4) }));
    let mut events = iteration.stream(question(60)).expect("time");
    assert_eq!(thinker.running(), 0, "nothing begins before it is polled");
    for _ in 0..5 {
        events.next().await.expect("an event").expect("no error");
    }
    // Four thoughts and the beginning of a speculation were seen; the others are running with it.
    tokio::select! {
        biased;
        event = events.next() => panic!("{event:?}"),
        () = tokio::time::sleep(Duration::from_secs(1)) => {}
    }
    assert_eq!((thinker.running(), synthesiser.running(), thinker.asked().len()), (4, 1, 8));
    drop(events);
    assert_eq!((thinker.running(), synthesiser.running(), thinker.asked().len()), (0, 0, 8));
}

#[tokio::test(start_paused = true)]
async fn an_iteration_is_a_source() {
    let thinker = Scripted::new("thinker", vec![(1, Say::First(0.5)), (2, Say::First(1.0))]);
    let synthesiser = Scripted::new("synthesiser", all(1, 1, Say::Words(0.875, "a cat")));
    let source: Arc<dyn Source<str>> = Arc::new(iteration(&thinker, &synthesiser, options(2, Order::default())));
    assert_eq!((source.name(), source.expected_cost().calls), ("iteration", 3));
    let question = Question::new(Arc::from("cat or dog?"), 2, Instant::now() + Duration::from_secs(9));
    let reply = source.ask(question).await.expect("a reply");
    assert_eq!(reply.opinion, Opinion::Probabilities(vec![0.875, 0.125]));
    assert_eq!((reply.content.as_deref(), reply.cost.calls), (Some("a cat"), 3));
}
