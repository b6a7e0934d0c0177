//! What is sent.

use std::sync::Arc;

use consilience::http::{ChatOptions, ChatSource, Prices};
use consilience::orchestration::{Cost, Opinion, Peer, Question, Reply, Source};
use serde_json::json;
use tokio::time::Instant;

use super::server::{Server, ok};
use super::{LONG, ask, changed, completion, question, source};

#[tokio::test]
async fn a_question_is_one_request_of_these_bytes() {
    let server = Server::start([ok(&completion("dog"))]).await;
    ask(&server, ChatOptions { system: "One of {classes}.".to_owned(), max_tokens: None, ..ChatOptions::default() })
        .await
        .expect("an answer");
    let received = &server.received()[..];
    let [request] = received else { panic!("{received:?}") };
    assert_eq!(request.head.lines().next(), Some("POST /v1/chat/completions HTTP/1.1"));
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(request.header("host").map(|host| format!("http://{host}/v1")), Some(server.base()));
    assert_eq!(request.header("user-agent"), Some(concat!("consilience/", env!("CARGO_PKG_VERSION"))));
    assert_eq!(request.header("authorization"), None);
    assert_eq!(
        String::from_utf8_lossy(&request.body),
        r#"{"model":"small","messages":[{"role":"system","content":"One of cat, dog."},{"role":"user","content":"a picture of a tail"}],"stream":false}"#
    );
}

#[tokio::test]
async fn options_and_attempt_are_in_the_request() {
    let server = Server::start([ok(&completion("dog"))]).await;
    let options = ChatOptions {
        temperature: Some(0.7),
        seed: Some(2_147_483_647),
        max_tokens: Some(9),
        top_logprobs: Some(5),
        streamed: true,
        extra: [("keep_alive".to_owned(), json!("5m"))].into_iter().collect(),
        ..ChatOptions::default()
    };
    let source = source(&server, options);
    for attempt in [0, 3] {
        source.ask(changed("x", |q| q.attempt = attempt)).await.expect("an answer");
    }
    let sent: Vec<_> = server.received().iter().map(|request| request.json()).collect();
    let mut want = json!({
        "model": "small", "messages": sent[0]["messages"], "temperature": 0.7, "seed": 2_147_483_647, "max_tokens": 9,
        "logprobs": true, "top_logprobs": 5, "stream": true, "stream_options": {"include_usage": true}, "keep_alive": "5m"
    });
    assert_eq!(sent[0], want);
    // Modulo 2^31.
    want["seed"] = json!(2);
    assert_eq!(sent[1], want);
}

#[tokio::test]
async fn what_others_said_follows_the_input() {
    let server = Server::start([ok(&completion("dog"))]).await;
    let peer = |name: &str, opinion, content: Option<&str>| Peer {
        name: Arc::from(name),
        opinion,
        content: content.map(str::to_owned),
    };
    let peers = Arc::new([
        peer("first", Opinion::Probabilities(vec![0.75, 0.25]), Some(" it has whiskers\n")),
        peer("second", Opinion::Label { class: 1, confidence: Some(0.6) }, None),
        peer("third", Opinion::Abstained, Some("")),
    ]);
    source(&server, ChatOptions::default()).ask(changed("a tail", |q| q.peers = peers)).await.expect("an answer");
    let sent = server.received()[0].json();
    assert_eq!(
        sent["messages"][1]["content"],
        "a tail\n\nWhat others said of it, for you to weigh:\n- first: cat (probability 0.75): it has whiskers\n- second: \
         dog (probability 0.60)\n- third: no opinion"
    );
}

#[tokio::test]
async fn one_connection_serves_questions_in_a_row() {
    let server = Server::start([ok(&completion("dog")), ok(&completion("cat"))]).await;
    let source = source(&server, ChatOptions::default());
    for want in [1, 0] {
        let reply = source.ask(question("x")).await.expect("an answer");
        assert_eq!(reply.opinion, Opinion::label(want));
    }
    let connections: Vec<_> = server.received().iter().map(|request| request.connection).collect();
    assert_eq!(connections, [0, 0]);
}

#[tokio::test]
async fn the_reply_has_the_words_and_the_cost() {
    let server = Server::start([ok(&completion("It is a dog."))]).await;
    // 40 tokens at 2.50 per million and 3 at 10 are 0.00013.
    let prices = Prices { input: 2_500_000, output: 10_000_000 };
    let reply = ask(&server, ChatOptions { prices, ..ChatOptions::default() }).await.expect("an answer");
    let cost = Cost { calls: 1, tokens_in: 40, tokens_out: 3, micros: 130 };
    assert_eq!(reply, Reply::from(Opinion::label(1)).content("It is a dog.").cost(cost));
}

#[tokio::test]
async fn anything_that_reads_as_text_can_be_asked_about() {
    let server = Server::start([ok(&completion("dog"))]).await;
    let chat: Arc<dyn Source<String>> = Arc::new(
        ChatSource::open("m", &format!("{}/", server.base()), "small", ["cat", "dog"], ChatOptions::default())
            .expect("one"),
    );
    let question = Question::new(Arc::new("a tail".to_owned()), 2, Instant::now() + LONG);
    assert_eq!(chat.ask(question).await.expect("an answer").opinion, Opinion::label(1));
    assert_eq!(server.received()[0].head.lines().next(), Some("POST /v1/chat/completions HTTP/1.1"));
}

#[test]
fn prices_round_to_the_nearest() {
    let prices = Prices { input: 150_000, output: u64::MAX };
    assert_eq!(prices.micros(3, 0), 0);
    assert_eq!(prices.micros(4, 0), 1);
    assert_eq!(prices.micros(1_000_000, 0), 150_000);
    assert_eq!(prices.micros(u64::MAX, u64::MAX), u64::MAX);
}
