//! Services that misbehave.

use std::error::Error as _;
use std::time::{Duration, Instant as Clock};

use consilience::SourceError;
use consilience::http::ChatOptions;
use consilience::orchestration::{Opinion, Reply, Source};
use tokio::time::Instant;

use super::server::{Server, Step, answer, chunks, last_chunk, ok};
use super::{ask, changed, completion, question, source};

async fn refused(steps: Vec<Step>) -> SourceError {
    let server = Server::start([steps]).await;
    ask(&server, ChatOptions::default()).await.expect_err("a fault")
}

/// Whatever does not answer in 50 ms has not answered.
async fn asked_for_50_ms(steps: Vec<Step>) -> Result<Reply, SourceError> {
    let mut server = Server::start([steps]).await;
    let source = source(&server, ChatOptions::default());
    let began = Clock::now();
    let reply = source.ask(changed("x", |q| q.deadline = Instant::now() + Duration::from_millis(50))).await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    if reply.is_err() {
        // The request is not left to run.
        server.until_hung_up(1).await;
    }
    reply
}

#[track_caller]
fn assert_timed_out(reply: Result<Reply, SourceError>) {
    match reply {
        Err(SourceError::TimedOut { after }) => assert!(after >= Duration::from_millis(50), "{after:?}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn no_headers_before_the_deadline() {
    assert_timed_out(asked_for_50_ms(vec![Step::Hold]).await);
}

#[tokio::test]
async fn a_body_that_drips_past_the_deadline() {
    let body = completion("dog");
    let mut steps = chunks("application/json", []);
    for byte in body.as_bytes().chunks(1) {
        steps.extend(chunks("", [byte]).into_iter().skip(1));
        steps.push(Step::Pause(Duration::from_millis(3)));
    }
    assert_timed_out(asked_for_50_ms(steps).await);
}

#[tokio::test]
async fn a_body_that_stops_and_stays_open() {
    let part = completion("dog");
    let steps = [chunks("application/json", [&part.as_bytes()[..20]]), vec![Step::Hold]].concat();
    assert_timed_out(asked_for_50_ms(steps).await);
}

#[tokio::test]
async fn a_slow_answer_that_comes_in_time() {
    let body = completion("dog");
    let (first, second) = body.as_bytes().split_at(30);
    let mut steps = vec![Step::Pause(Duration::from_millis(5))];
    steps.extend(chunks("application/json", [first]));
    steps.push(Step::Pause(Duration::from_millis(5)));
    steps.extend(chunks("", [second]).into_iter().skip(1));
    steps.push(last_chunk());
    let server = Server::start([steps]).await;
    let reply = ask(&server, ChatOptions::default()).await.expect("an answer");
    assert_eq!(reply.opinion, Opinion::label(1));
}

#[tokio::test]
async fn a_deadline_that_has_passed_sends_nothing() {
    let server = Server::start([ok(&completion("dog"))]).await;
    let source = source(&server, ChatOptions::default());
    let error = source.ask(changed("x", |q| q.deadline = Instant::now())).await.expect_err("no time");
    assert!(matches!(error, SourceError::TimedOut { .. }), "{error:?}");
    assert_eq!(server.received().len(), 0);
}

#[tokio::test]
async fn dropping_the_future_hangs_up() {
    let mut server = Server::start([vec![Step::Hold]]).await;
    let source = source(&server, ChatOptions::default());
    let asking = source.ask(question("x"));
    tokio::select! {
        reply = asking => panic!("{reply:?}"),
        () = server.until_received(1) => {}
    }
    server.until_hung_up(1).await;
}

#[tokio::test]
async fn a_connection_cut_before_the_headers() {
    let error = refused(vec![Step::Close]).await;
    assert!(matches!(&error, SourceError::Failed { cause: Some(_), .. }), "{error:?}");
    assert!(error.to_string().starts_with("the request failed: "), "{error}");
    assert!(error.source().is_some());
}

#[tokio::test]
async fn a_connection_cut_in_the_body() {
    let body = completion("dog");
    let length = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{}", body.len(), &body[..25]);
    for cut in [vec![Step::Send(length.into_bytes())], chunks("application/json", [&body.as_bytes()[..25]])] {
        let error = refused([cut, vec![Step::Close]].concat()).await;
        assert!(matches!(&error, SourceError::Failed { cause: Some(_), .. }), "{error:?}");
        assert!(error.to_string().starts_with("its answer broke off: "), "{error}");
    }
}

#[tokio::test]
async fn nobody_listens() {
    let server = Server::start([vec![Step::Close]]).await;
    let source = source(&server, ChatOptions::default());
    drop(server);
    let error = source.ask(question("x")).await.expect_err("nobody");
    assert!(matches!(&error, SourceError::Failed { cause: Some(_), .. }), "{error:?}");
    assert!(!error.to_string().contains("http"), "the address is left out: {error}");
}

#[tokio::test]
async fn it_is_busy() {
    for status in ["429 Too Many Requests", "503 Service Unavailable"] {
        let error = refused(answer(status, "retry-after: 7\r\n", "slow down")).await;
        assert!(
            matches!(error, SourceError::Busy { retry_after: Some(wait) } if wait == Duration::from_secs(7)),
            "{error:?}"
        );
        let error = refused(answer(status, "", "slow down")).await;
        assert!(matches!(error, SourceError::Busy { retry_after: None }), "{error:?}");
    }
}

#[tokio::test]
async fn another_status_says_what_the_service_says() {
    let long = "é".repeat(300);
    for (status, code, body, want) in [
        ("500 Internal Server Error", 500, " out of memory\n", "out of memory".to_owned()),
        ("401 Unauthorized", 401, "", String::new()),
        ("404 Not Found", 404, &*long, "é".repeat(200)),
        // The key goes where it was meant to go, and nowhere else.
        ("307 Temporary Redirect", 307, "elsewhere", "elsewhere".to_owned()),
    ] {
        match refused(answer(status, "location: http://127.0.0.1:1/\r\n", body)).await {
            SourceError::Status { status, body } => assert_eq!((status, body), (code, want)),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn an_answer_that_is_no_completion_says_where() {
    let html = answer("200 OK", "content-type: text/html\r\n", "<html>Welcome</html>");
    let untyped = answer("200 OK", "", "{}");
    for (steps, want) in [
        (
            ok(r#"{"choices": [}"#),
            "of its answer (application/json) nothing can be made: it is no chat completion: expected value at line 1 column \
             14; it begins `{\"choices\": [}`",
        ),
        (
            html,
            "of its answer (text/html) nothing can be made: it is no chat completion: expected value at line 1 column 1; it \
             begins `<html>Welcome</html>`",
        ),
        (
            ok(r#"{"choices": []}"#),
            "of its answer (application/json) nothing can be made: there is no choice in it; it begins `{\"choices\": []}`",
        ),
        (untyped, "of its answer (of no stated type) nothing can be made: there is no choice in it; it begins `{}`"),
        (
            ok(r#"{"error": {"message": "no such model"}}"#),
            "of its answer (application/json) nothing can be made: the service reports an error: no such model; it begins \
             `{\"error\": {\"message\": \"no such model\"}}`",
        ),
        (
            ok(r#"{"choices": [{"message": {"content": 7}}]}"#),
            "of its answer (application/json) nothing can be made: it is no chat completion: invalid type: integer `7`, \
             expected a string at line 1 column 38; it begins `{\"choices\": [{\"message\": {\"content\": 7}}]}`",
        ),
    ] {
        let error = refused(steps).await;
        assert!(matches!(error, SourceError::Failed { .. }), "{error:?}");
        assert_eq!(error.to_string(), want);
    }
}

#[tokio::test]
async fn a_completion_of_another_stated_type_is_read_all_the_same() {
    let server = Server::start([answer("200 OK", "content-type: text/plain\r\n", &completion("cat"))]).await;
    assert_eq!(ask(&server, ChatOptions::default()).await.expect("an answer").opinion, Opinion::label(0));
}
