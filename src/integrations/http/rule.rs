//! How an answer in words becomes an opinion.

mod classes;
mod logprobs;
mod object;
mod word;

pub(super) use self::classes::Classes;
use super::completion::Token;
use crate::error::SourceError;
use crate::orchestration::Opinion;

/// The characters of an answer that an error repeats.
pub(super) const EXCERPT_CHARS: usize = 200;

/// What an answer says, by the first rule that applies.
pub(super) fn opinion(classes: &Classes, text: &str, tokens: &[Token]) -> Result<Opinion, SourceError> {
    let answer = without_thoughts(text).trim();
    if let Some(probabilities) = logprobs::read(classes, answer, tokens)? {
        return Ok(Opinion::Probabilities(probabilities));
    }
    if let Some(opinion) = object::read(classes, answer)? {
        return Ok(opinion);
    }
    match word::read(classes, answer) {
        Some(class) => Ok(Opinion::label(class)),
        None => Err(no_class(classes, answer)),
    }
}

/// An answer that names no class.
fn no_class(classes: &Classes, answer: &str) -> SourceError {
    SourceError::NoClass { answer: answer.chars().take(EXCERPT_CHARS).collect(), known: classes.to_string() }
}

/// What follows a leading `<think>…</think>`; nothing while that is still open.
fn without_thoughts(text: &str) -> &str {
    let text = text.trim_start();
    match text.strip_prefix("<think>") {
        Some(thoughts) => thoughts.split_once("</think>").map_or("", |(_, answer)| answer),
        None => text,
    }
}
