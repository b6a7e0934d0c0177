//! Chat services over HTTP, against a real server that misbehaves on demand.

mod costs;
mod faults;
mod iteration;
mod keys;
mod limits;
mod request;
mod retries;
mod rules;
mod server;
mod set_up;
mod streams;
#[cfg(feature = "https")]
mod tls;

use std::sync::Arc;
use std::time::Duration;

use consilience::SourceError;
use consilience::http::{ChatOptions, ChatSource};
use consilience::orchestration::{Question, Reply, Source};
use tokio::time::Instant;

use self::server::Server;

/// Longer than any answer here takes; no test waits for it.
const LONG: Duration = Duration::from_secs(30);

fn source(server: &Server, options: ChatOptions) -> ChatSource {
    ChatSource::open("model", &server.base(), "small", ["cat", "dog"], options).expect("a source")
}

fn question(input: &str) -> Question<str> {
    Question::new(Arc::from(input), 2, Instant::now() + LONG)
}

/// The same with something changed.
fn changed(input: &str, change: impl FnOnce(&mut Question<str>)) -> Question<str> {
    let mut question = question(input);
    change(&mut question);
    question
}

async fn ask(server: &Server, options: ChatOptions) -> Result<Reply, SourceError> {
    source(server, options).ask(question("a picture of a tail")).await
}

/// A whole answer with these words.
fn completion(text: &str) -> String {
    serde_json::json!({
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 40, "completion_tokens": 3}
    })
    .to_string()
}
