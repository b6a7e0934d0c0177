//! Thoughts one after the other.

use std::time::Duration;

use consilience::orchestration::iteration::{Alike, Order};

use super::{Say, Scripted, all, iteration, lines, options, question, think};

#[tokio::test(start_paused = true)]
async fn it_takes_the_sum_and_each_thought_is_shown_those_before() {
    let thinker = Scripted::new(
        "thinker",
        vec![(1, Say::First(1.0)), (2, Say::First(0.5)), (3, Say::Fail), (4, Say::First(0.0))],
    );
    let synthesiser = Scripted::new("synthesiser", all(1, 5, Say::First(0.5)));
    let outcome = think(&thinker, &synthesiser, options(4, Order::sequential())).await.expect("an outcome");
    assert_eq!(outcome.elapsed, Duration::from_secs(1 + 2 + 3 + 4 + 5));
    assert!(!outcome.stopped_alike);
    let shown: Vec<Vec<_>> =
        thinker.asked().iter().map(|asked| asked.peers.iter().map(|peer| peer.name.to_string()).collect()).collect();
    assert_eq!(shown, [vec![], vec!["thinker 1"], vec!["thinker 1", "thinker 2"], vec!["thinker 1", "thinker 2"]]);
    assert_eq!(synthesiser.asked()[0].peers.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn it_stops_when_two_in_a_row_are_alike() {
    let thinker = Scripted::new("thinker", vec![(1, Say::First(0.875)), (1, Say::First(0.25)), (1, Say::First(0.25))]);
    let synthesiser = Scripted::new("synthesiser", all(1, 1, Say::First(0.25)));
    let iteration = iteration(&thinker, &synthesiser, options(8, Order::sequential()));
    assert_eq!(
        lines(&iteration, question(60)).await,
        [
            "1 s: thought 0 -> [0.875, 0.125]",
            "2 s: thought 1 -> [0.5625, 0.4375]",
            "3 s: thought 2 -> [0.45833334, 0.5416667]",
            "3 s: synthesis of [0, 1, 2]",
            "4 s: synthesis of [0, 1, 2] kept",
            "4 s: done: [0.25, 0.75]",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn how_alike_is_enough_is_said() {
    // 1 less the divergence of (.8, .2) and (.6, .4) in bits is .96512.
    let measured = Alike { opinions: 0.96, words: 0.5 };
    let half_the_words = |opinions| Some(Alike { opinions, words: 0.5 });
    let said = |a, b| vec![(1, Say::Words(0.8, a)), (1, Say::Words(0.6, b)), (1, Say::Words(0.0, "else"))];
    for (alike, lines, want) in [
        (half_the_words(0.96), said("a cat", "A cat!"), 2),
        (half_the_words(0.97), said("a cat", "A cat!"), 3),
        // One of two words is half of them, one of three less.
        (half_the_words(0.96), said("cat", "a cat"), 2),
        (half_the_words(0.96), said("a cat", "the cat"), 3),
        // Where one has no words, opinions alone decide.
        (half_the_words(0.96), vec![(1, Say::Words(0.8, "a cat")), (1, Say::First(0.6)), (1, Say::First(0.0))], 2),
        // Two that abstain are alike, one that does is unlike the rest.
        (Some(measured), vec![(1, Say::Abstain), (1, Say::Abstain), (1, Say::First(0.0))], 2),
        (Some(measured), vec![(1, Say::Abstain), (1, Say::First(0.0)), (1, Say::Abstain)], 3),
        // A failure stands between no two.
        (Some(measured), vec![(1, Say::First(0.8)), (1, Say::Fail), (1, Say::First(0.6)), (1, Say::First(0.8))], 3),
        (None, all(3, 1, Say::First(0.5)), 3),
    ] {
        let thinker = Scripted::new("thinker", lines);
        let synthesiser = Scripted::new("synthesiser", all(1, 1, Say::First(0.5)));
        let planned = if want == 2 { 8 } else { 3 };
        let outcome = think(&thinker, &synthesiser, options(planned, Order::Sequential { alike })).await.expect("one");
        assert_eq!((outcome.thoughts.len(), outcome.planned), (want, planned), "{alike:?}");
    }
}
