//! The key goes to the service and nowhere else.

use consilience::http::{ApiKey, ChatOptions};
use consilience::orchestration::Source;

use super::server::{Server, Step, answer, ok};
use super::{ask, completion, question, source};

const SECRET: &str = "sk-3e1f9b";

fn with(key: ApiKey) -> ChatOptions {
    ChatOptions { key: Some(key), ..ChatOptions::default() }
}

#[tokio::test]
async fn a_key_is_sent_as_the_service_wants_it() {
    for (key, header, want) in [
        (ApiKey::bearer(SECRET), "authorization", "Bearer sk-3e1f9b"),
        (ApiKey::header("api-key", SECRET), "api-key", SECRET),
    ] {
        let server = Server::start([ok(&completion("dog"))]).await;
        ask(&server, with(key)).await.expect("an answer");
        assert_eq!(server.received()[0].header(header), Some(want));
    }
}

#[tokio::test]
async fn no_debug_output_and_no_error_has_the_key() {
    let answers = [
        // Cut off at 200 characters, the key would begin at the 197th.
        answer("401 Unauthorized", "", &format!("{}{SECRET} is wrong", "x".repeat(196))),
        answer("200 OK", &format!("content-type: {SECRET}\r\n"), &format!("{{\"{SECRET}\": [")),
        ok(&format!("{{\"error\": {{\"message\": \"{SECRET}\"}}}}")),
        ok(&completion(&format!("neither, {SECRET}"))),
        ok(&format!("{{\"choices\": \"{SECRET}\"}}")),
        vec![Step::Send(format!("HTTP/1.1 {SECRET}\r\n\r\n").into_bytes()), Step::Close],
        vec![Step::Close],
    ];
    let count = answers.len();
    let server = Server::start(answers).await;
    let options = with(ApiKey::bearer(SECRET));
    let source = source(&server, options.clone());
    let mut texts = vec![format!("{options:?} {options:#?}"), format!("{source:?} {source:#?}")];
    for _ in 0..count {
        let error = source.ask(question("x")).await.expect_err("an error");
        texts.push(format!("{error} {error:?} {error:#?}"));
    }
    assert_eq!(server.received().len(), count);
    for text in texts {
        assert!(!text.contains("sk-"), "{text}");
    }
}

#[test]
fn a_key_that_no_header_can_hold_is_refused_without_being_said() {
    for (key, want) in [
        (ApiKey::bearer("sk-\n1"), "the key holds characters that no header can; leave out line breaks and the like"),
        (ApiKey::bearer(""), "the key is empty; leave it out where none is needed"),
        (ApiKey::header("api key", SECRET), "the header of the key is `api key`; name one such as `api-key`"),
    ] {
        let opened = super::ChatSource::open("m", "http://localhost/v1", "small", ["cat", "dog"], with(key));
        let error = opened.expect_err("refused");
        assert!(error.is_request(), "{error:?}");
        assert_eq!(error.to_string(), want);
        assert!(!format!("{error:?}").contains("sk-"), "{error:?}");
    }
}
