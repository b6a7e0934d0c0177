//! What is too large.

use std::sync::Arc;

use consilience::SourceError;
use consilience::http::ChatOptions;
use consilience::orchestration::{Opinion, Peer, Source};

use super::server::{Server, Step, chunks, ok};
use super::{ask, changed, completion, question, source};

fn too_large(error: &SourceError) -> (&'static str, usize, usize) {
    match *error {
        SourceError::TooLarge { what, bytes, limit } => (what, bytes, limit),
        ref other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_question_over_its_limit_is_never_sent() {
    let server = Server::start([ok(&completion("dog"))]).await;
    let limited = source(&server, ChatOptions::default());
    let error = limited.ask(question(&"x".repeat(10_000_000))).await.expect_err("too large");
    assert_eq!(too_large(&error), ("the question", 10_000_000, 1_000_000));
    assert_eq!(error.to_string(), "the question has 10000000 bytes, more than the 1000000 allowed");

    // What others said counts: 3 of the input, 4 of the name, 5 of the words.
    let peer = Peer { name: Arc::from("peer"), opinion: Opinion::label(0), content: Some("words".to_owned()) };
    let asked = || changed("abc", |q| q.peers = Arc::new([peer.clone()]));
    for (question_bytes, want) in [(11, false), (12, true)] {
        let limited = source(&server, ChatOptions { question_bytes, ..ChatOptions::default() });
        assert_eq!(limited.ask(asked()).await.is_ok(), want, "{question_bytes}");
    }
    assert_eq!(server.received().len(), 1);
}

#[tokio::test]
async fn an_answer_may_have_as_many_bytes_as_allowed() {
    let body = completion("dog");
    let server = Server::start([ok(&body)]).await;
    for (answer_bytes, want) in [(body.len() - 1, false), (body.len(), true)] {
        let reply = ask(&server, ChatOptions { answer_bytes, ..ChatOptions::default() }).await;
        assert_eq!(reply.is_ok(), want, "{answer_bytes}: {reply:?}");
    }
}

#[tokio::test]
async fn an_answer_announced_as_too_large_is_not_read() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9000000000\r\n\r\n";
    let mut server = Server::start([vec![Step::Send(head.into()), Step::Hold]]).await;
    let error = ask(&server, ChatOptions::default()).await.expect_err("too large");
    assert_eq!(too_large(&error), ("the answer", 9_000_000_000, 4_000_000));
    server.until_hung_up(1).await;
}

#[tokio::test]
async fn an_answer_that_never_ends_is_read_up_to_its_limit() {
    let part = chunks("", [&[b' '; 1000][..]]).pop().expect("a chunk");
    let Step::Send(part) = part else { panic!("a chunk is sent") };
    for kind in ["application/json", "text/event-stream"] {
        let steps = [chunks(kind, []), vec![Step::Endlessly(part.clone())]].concat();
        let mut server = Server::start([steps]).await;
        let error = ask(&server, ChatOptions { answer_bytes: 50_000, ..ChatOptions::default() }).await;
        let (what, bytes, limit) = too_large(&error.expect_err("too large"));
        assert_eq!((what, limit), ("the answer", 50_000));
        // No more than one read of the socket over it.
        assert!(bytes > 50_000 && bytes < 2_000_000, "{kind}: {bytes}");
        server.until_hung_up(1).await;
    }
}

#[tokio::test]
async fn an_endless_error_is_cut() {
    let head = "HTTP/1.1 500 Oh\r\ntransfer-encoding: chunked\r\n\r\n";
    let steps = vec![Step::Send(head.into()), Step::Endlessly(b"5\r\nagain\r\n".to_vec())];
    let mut server = Server::start([steps]).await;
    let error = ask(&server, ChatOptions::default()).await.expect_err("an error");
    assert!(matches!(&error, SourceError::Status { status: 500, body } if *body == "again".repeat(40)), "{error:?}");
    server.until_hung_up(1).await;
}

#[tokio::test]
async fn other_numbers_of_classes_are_refused() {
    let server = Server::start([ok(&completion("dog"))]).await;
    let error = source(&server, ChatOptions::default()).ask(changed("x", |q| q.classes = 3)).await;
    let error = error.expect_err("three classes");
    assert_eq!(error.to_string(), "its opinion is not valid: it knows the names of 2 classes and is asked for 3");
    assert_eq!(server.received().len(), 0);
}
