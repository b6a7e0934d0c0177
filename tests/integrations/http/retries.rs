//! Requests sent again.

use std::time::{Duration, Instant as Clock};

use consilience::SourceError;
use consilience::http::ChatOptions;
use consilience::orchestration::{Cost, Opinion, Source};
use tokio::time::Instant;

use super::server::{Server, Step, answer, ok};
use super::{ask, changed, completion, source};

fn busy(after: &str) -> Vec<Step> {
    answer("429 Too Many Requests", &format!("retry-after: {after}\r\n"), "")
}

fn with(retries: u32) -> ChatOptions {
    ChatOptions { retries, ..ChatOptions::default() }
}

#[tokio::test]
async fn nothing_is_sent_again_unless_asked_for() {
    let server = Server::start([busy("0"), ok(&completion("dog"))]).await;
    assert!(matches!(ask(&server, with(0)).await, Err(SourceError::Busy { .. })));
    assert_eq!(server.received().len(), 1);
}

#[tokio::test]
async fn what_passes_is_tried_again_as_often_as_allowed() {
    let broken = || answer("502 Bad Gateway", "", "");
    let server = Server::start([busy("0"), broken(), ok(&completion("dog"))]).await;
    let began = Clock::now();
    let reply = ask(&server, with(2)).await.expect("an answer");
    // The second wait is the service's none, the third the doubled 0.2 s less at most a half.
    assert!(began.elapsed() >= Duration::from_millis(200), "{:?}", began.elapsed());
    assert_eq!(reply.opinion, Opinion::label(1));
    assert_eq!(reply.cost, Cost { calls: 3, tokens_in: 40, tokens_out: 3, micros: 0 });
    let bodies: Vec<_> = server.received().into_iter().map(|request| request.body).collect();
    assert_eq!(bodies[0], bodies[2]);

    let server = Server::start([busy("0"), broken(), ok(&completion("dog"))]).await;
    assert!(matches!(ask(&server, with(1)).await, Err(SourceError::Status { status: 502, .. })));
    assert_eq!(server.received().len(), 2);
}

#[tokio::test]
async fn what_does_not_pass_is_not_tried_again() {
    for steps in [answer("400 Bad Request", "", "no such model"), ok("{"), ok(&completion("neither"))] {
        let server = Server::start([steps]).await;
        assert!(ask(&server, with(3)).await.is_err());
        assert_eq!(server.received().len(), 1);
    }
}

#[tokio::test]
async fn a_wait_beyond_the_deadline_is_not_begun() {
    let server = Server::start([busy("20"), ok(&completion("dog"))]).await;
    let source = source(&server, with(1));
    let began = Clock::now();
    let deadline = Instant::now() + Duration::from_secs(20);
    let error = source.ask(changed("x", |q| q.deadline = deadline)).await.expect_err("busy");
    assert!(matches!(error, SourceError::Busy { retry_after: Some(w) } if w == Duration::from_secs(20)), "{error:?}");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert_eq!(server.received().len(), 1);
}
