//! What is sent: the request as JSON.

use std::fmt::Write;

use serde::Serialize;
use serde_json::{Map, Value};

use super::ChatOptions;
use super::rule::Classes;
use crate::error::SourceError;
use crate::orchestration::{Opinion, Peer, Question};

/// The fields of a request that options decide.
pub(super) const OWN_FIELDS: [&str; 9] =
    ["model", "messages", "temperature", "seed", "max_tokens", "logprobs", "top_logprobs", "stream", "stream_options"];

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    messages: [Message<'a>; 2],
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logprobs: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_logprobs: Option<u8>,
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_options: Option<StreamOptions>,
    #[serde(flatten)]
    extra: &'a Map<String, Value>,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: &'a str,
}

/// Without it a stream does not say how many tokens it took.
#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

/// The request's body.
pub(super) fn request<I: AsRef<str> + ?Sized>(
    model: &str,
    classes: &Classes,
    options: &ChatOptions,
    question: &Question<I>,
) -> Result<Vec<u8>, SourceError> {
    let input = question.input.as_ref().as_ref();
    let said: usize =
        question.peers.iter().map(|peer| peer.name.len() + peer.content.as_ref().map_or(0, String::len)).sum();
    let (bytes, limit) = (input.len().saturating_add(said), options.question_bytes);
    if bytes > limit {
        return Err(SourceError::TooLarge { what: "the question", bytes, limit });
    }
    if question.classes != classes.len() {
        let why = format!("it knows the names of {} classes and is asked for {}", classes.len(), question.classes);
        return Err(SourceError::Invalid { why });
    }
    let system = options.system.replace("{classes}", &classes.to_string());
    let peers = with_peers(input, &question.peers, classes);
    let request = Request {
        model,
        messages: [
            Message { role: "system", content: &system },
            Message { role: "user", content: peers.as_deref().unwrap_or(input) },
        ],
        temperature: options.temperature,
        seed: options.seed.map(|seed| seed.wrapping_add(question.attempt) & 0x7fff_ffff),
        max_tokens: options.max_tokens,
        logprobs: options.top_logprobs.map(|_| true),
        top_logprobs: options.top_logprobs,
        stream: options.streamed,
        stream_options: options.streamed.then_some(StreamOptions { include_usage: true }),
        extra: &options.extra,
    };
    serde_json::to_vec(&request).map_err(SourceError::caused_by)
}

/// The input, and below it what others said of it; `None` where nobody said anything.
fn with_peers(input: &str, peers: &[Peer], classes: &Classes) -> Option<String> {
    if peers.is_empty() {
        return None;
    }
    let mut text = format!("{input}\n\nWhat others said of it, for you to weigh:");
    for peer in peers {
        // Writing to a string does not fail.
        let _ = write!(text, "\n- {}: {}", peer.name, in_words(&peer.opinion, classes));
        if let Some(content) = peer.content.as_deref().map(str::trim).filter(|content| !content.is_empty()) {
            let _ = write!(text, ": {content}");
        }
    }
    Some(text)
}

/// An opinion as its likeliest class with its probability.
fn in_words(opinion: &Opinion, classes: &Classes) -> String {
    match opinion.probabilities(classes.len()) {
        Ok(Some(row)) => {
            // The first of equals.
            let best = (0..row.len()).rev().max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap_or_default();
            format!("{} (probability {:.2})", classes.name(best), row[best])
        }
        Ok(None) => "no opinion".to_owned(),
        Err(_) => "no valid opinion".to_owned(),
    }
}
