//! Several thoughts of one service, and their synthesis.

use std::sync::Arc;

use consilience::http::ChatOptions;
use consilience::orchestration::iteration::{Basis, Options};
use consilience::orchestration::{Iteration, Source};
use futures_util::StreamExt;

use super::server::{Server, Step, answer, ok};
use super::{completion, question, source};

fn iteration(server: &Server) -> Iteration<str> {
    let options = ChatOptions { seed: Some(100), ..ChatOptions::default() };
    let service: Arc<dyn Source<str>> = Arc::new(source(server, options));
    Iteration::new("8 + 1", Arc::clone(&service), service, Options::default())
}

#[tokio::test]
async fn eight_thoughts_differ_and_the_synthesis_is_shown_those_that_came() {
    let server = Server::start([
        answer("500 Internal Server Error", "", "out of memory"),
        ok(&completion(r#"{"class": "cat", "confidence": 0.75}"#)),
    ])
    .await;
    let outcome = iteration(&server).think(question("a tail")).await.expect("an outcome");
    assert_eq!((outcome.posterior, outcome.pool), (vec![0.75, 0.25], vec![0.75, 0.25]));
    assert!(matches!(outcome.basis, Basis::Synthesis));
    assert_eq!(outcome.thoughts.iter().filter(|thought| thought.reply.is_err()).count(), 1);
    // The failed call was made, and used nothing that is known of.
    assert_eq!((outcome.cost.calls, outcome.cost.tokens_in), (9, 8 * 40));

    let sent: Vec<_> = server.received().iter().map(|request| request.json()).collect();
    let mut seeds: Vec<_> = sent[..8].iter().filter_map(|request| request["seed"].as_u64()).collect();
    seeds.sort_unstable();
    assert_eq!(seeds, [100, 101, 102, 103, 104, 105, 106, 107]);
    assert!(sent[..8].iter().all(|request| request["messages"][1]["content"] == "a tail"));
    let shown = sent[8]["messages"][1]["content"].as_str().expect("words");
    assert_eq!(
        shown.matches(": cat (probability 0.75): {\"class\": \"cat\", \"confidence\": 0.75}").count(),
        7,
        "{shown}"
    );
}

#[tokio::test]
async fn dropping_the_stream_hangs_up_on_every_thought() {
    let mut server = Server::start([vec![Step::Hold]]).await;
    let mut events = iteration(&server).stream(question("a tail")).expect("time");
    tokio::select! {
        event = events.next() => panic!("{event:?}"),
        () = server.until_received(8) => {}
    }
    drop(events);
    server.until_hung_up(8).await;
}
