//! Sources that cannot be set up.

use consilience::http::{ChatOptions, ChatSource};
use consilience::{ErrorKind, RequestError};

fn refused(base: &str, classes: &[&str], options: ChatOptions) -> String {
    let error = ChatSource::open("m", base, "small", classes.iter().copied(), options).expect_err("refused");
    assert!(matches!(error.kind(), ErrorKind::Request(RequestError::Setting { .. })), "{error:?}");
    error.to_string()
}

#[test]
fn a_base_is_an_http_address() {
    let like = "; write it like http://localhost:11434/v1";
    for (base, want) in [
        ("", "the base address is not one: relative URL without a base"),
        ("localhost:11434/v1", "the base address has the scheme `localhost`, not http or https"),
        ("ftp://host/v1", "the base address has the scheme `ftp`, not http or https"),
        ("http://me:secret@host/v1", "the base address holds a user or password, which belongs into the key"),
        ("http://host/v1?key=secret", "the base address has a query or a fragment"),
    ] {
        assert_eq!(refused(base, &["cat", "dog"], ChatOptions::default()), format!("{want}{like}"));
    }
}

#[test]
fn classes_have_names_of_their_own() {
    for (classes, want) in [
        (&[][..], "the list of classes has 0 names; name 1 to 65,534"),
        (&["cat", " "], "the list of classes has no name for class 1; name each"),
        (&["cat", "dog", " CAT"], "the list of classes names both 0 and 2 `CAT` but for capitals; names must differ"),
    ] {
        assert_eq!(refused("http://host/v1", classes, ChatOptions::default()), want);
    }
}

#[test]
fn options_are_in_their_ranges() {
    let options = ChatOptions::default;
    for (options, want) in [
        (ChatOptions { temperature: Some(2.5), ..options() }, "the temperature is 2.5; it must be from 0 to 2"),
        (ChatOptions { temperature: Some(f32::NAN), ..options() }, "the temperature is NaN; it must be from 0 to 2"),
        (ChatOptions { top_logprobs: Some(0), ..options() }, "`top_logprobs` is 0; it must be from 1 to 20"),
        (ChatOptions { top_logprobs: Some(21), ..options() }, "`top_logprobs` is 21; it must be from 1 to 20"),
        (
            ChatOptions { max_tokens: Some(0), ..options() },
            "`max_tokens` is 0, which leaves no room for an answer; give it at least 1",
        ),
        (
            ChatOptions { extra: [("seed".to_owned(), 1.into())].into_iter().collect(), ..options() },
            "`extra` has the field `seed`; use the option of that name",
        ),
    ] {
        assert_eq!(refused("http://host/v1", &["cat", "dog"], options), want);
    }
}

#[test]
#[cfg(not(feature = "https"))]
fn https_is_a_feature() {
    assert_eq!(
        refused("https://host/v1", &["cat", "dog"], ChatOptions::default()),
        "the base address begins with https; that needs the feature `https` of consilience"
    );
}

#[test]
fn a_setting_names_itself_its_value_and_what_would_be_right() {
    let options = ChatOptions { top_logprobs: Some(0), ..ChatOptions::default() };
    let error = ChatSource::open("m", "http://host/v1", "small", ["cat"], options).expect_err("refused");
    let ErrorKind::Request(RequestError::Setting { setting, is, must }) = error.kind() else { panic!("{error:?}") };
    assert_eq!((*setting, &**is, &**must), ("`top_logprobs`", "is 0", "it must be from 1 to 20"));
}

/// A server that does not speak TLS is a failure of the request, not of the set-up.
#[tokio::test]
#[cfg(feature = "https")]
async fn https_meets_a_server_that_knows_none() {
    use consilience::orchestration::Source;

    let server = super::Server::start([vec![super::server::Step::Close]]).await;
    let base = server.base().replace("http:", "https:");
    let source = ChatSource::open("m", &base, "small", ["cat", "dog"], ChatOptions::default()).expect("a source");
    let mut question = super::question("x");
    question.deadline = tokio::time::Instant::now() + std::time::Duration::from_millis(100);
    let error = source.ask(question).await.expect_err("no TLS there");
    assert_eq!(server.received().len(), 0, "{error}");
}
