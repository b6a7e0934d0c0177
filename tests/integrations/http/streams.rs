//! Answers that come as they are written.

use consilience::SourceError;
use consilience::http::ChatOptions;
use consilience::orchestration::{Cost, Opinion, Reply};
use serde_json::json;

use super::server::{Server, Step, chunks, last_chunk, ok};
use super::{ask, completion};

fn streamed() -> ChatOptions {
    ChatOptions { streamed: true, ..ChatOptions::default() }
}

fn event(text: &str) -> String {
    format!("data: {}\n\n", json!({"choices": [{"delta": {"content": text}, "finish_reason": null}]}))
}

/// Sends these pieces, each as one chunk.
async fn stream(pieces: &[&str], end: Step) -> Result<Reply, SourceError> {
    let mut steps = chunks("text/event-stream; charset=utf-8", pieces.iter().map(|piece| piece.as_bytes()));
    steps.push(end);
    let server = Server::start([steps]).await;
    ask(&server, streamed()).await
}

#[tokio::test]
async fn a_stream_adds_up() {
    let usage = r#"data: {"choices": [], "usage": {"prompt_tokens": 12, "completion_tokens": 5}}"#;
    let all = format!("{}{}: still here\n\n{}{usage}\n\ndata: [DONE]\n\n", event("It is"), event(" a d"), event("og."));
    let want = Reply::from(Opinion::label(1)).content("It is a dog.").cost(Cost {
        calls: 1,
        tokens_in: 12,
        tokens_out: 5,
        micros: 0,
    });
    assert_eq!(stream(&[&all], last_chunk()).await.expect("an answer"), want);
    // However it is cut.
    let cut: Vec<&str> = all.as_bytes().chunks(7).map(|piece| std::str::from_utf8(piece).expect("ASCII")).collect();
    assert_eq!(stream(&cut, last_chunk()).await.expect("an answer"), want);
    // The end of the answer is enough; that of the connection may be long in coming.
    assert_eq!(stream(&[&all], Step::Hold).await.expect("an answer"), want);
}

#[tokio::test]
async fn a_stream_without_its_last_mark_is_whole_where_the_model_said_so() {
    let finish = r#"data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}"#;
    let reply = stream(&[&event("cat"), finish, "\n\n"], last_chunk()).await.expect("an answer");
    assert_eq!(reply.opinion, Opinion::label(0));

    let error = stream(&[&event("cat")], last_chunk()).await.expect_err("half an answer");
    assert_eq!(
        error.to_string(),
        "of its answer (text/event-stream; charset=utf-8) nothing can be made: the stream ended before the answer did; it \
         begins `cat`"
    );
}

#[tokio::test]
async fn a_stream_that_is_cut_or_wrong_fails() {
    let error = stream(&[&event("cat")], Step::Close).await.expect_err("cut");
    assert!(error.to_string().starts_with("its answer broke off: "), "{error}");

    let error = stream(&[&event("cat"), "data: {\"choices\n\n"], last_chunk()).await.expect_err("no JSON");
    assert!(error.to_string().ends_with("it begins `{\"choices`"), "{error}");

    let error = stream(&[&event("cat"), "data: {\"error\": {\"message\": \"overloaded\"}}\n\n"], last_chunk()).await;
    assert!(error.expect_err("an error").to_string().contains("the service reports an error: overloaded"));
}

#[tokio::test]
async fn a_service_that_does_not_stream_is_understood() {
    let server = Server::start([ok(&completion("dog"))]).await;
    assert_eq!(ask(&server, streamed()).await.expect("an answer").opinion, Opinion::label(1));
}
