//! What comes back: a chat completion.

use serde::Deserialize;
use serde_json::Value;

/// An answer, whole or as far as it has come.
#[derive(Debug, Default)]
pub(super) struct Completion {
    pub text: String,
    /// Words of refusal, from services that set them apart.
    pub refusal: Option<String>,
    /// The tokens of the text, where their log probabilities are given.
    pub tokens: Vec<Token>,
    pub usage: Usage,
    /// Whether the service said that it was done.
    pub is_whole: bool,
}

/// One place of an answer.
#[derive(Debug, Deserialize)]
pub(super) struct Token {
    pub token: String,
    pub logprob: f64,
    pub top_logprobs: Option<Vec<Alternative>>,
}

/// What could have stood there.
#[derive(Debug, Deserialize)]
pub(super) struct Alternative {
    pub token: String,
    pub logprob: f64,
}

/// What it took.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub(super) struct Usage {
    pub prompt_tokens: Option<u64>,
    pub completion_tokens: Option<u64>,
}

/// An answer as it is sent, whole or one event of a stream.
#[derive(Deserialize)]
struct Sent {
    choices: Option<Vec<Choice>>,
    usage: Option<Usage>,
    error: Option<Value>,
}

/// All that is looked at in an answer that is not understood.
#[derive(Deserialize)]
struct Account {
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(alias = "delta")]
    message: Option<Message>,
    logprobs: Option<Logprobs>,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    content: Option<String>,
    refusal: Option<String>,
}

#[derive(Deserialize)]
struct Logprobs {
    content: Option<Vec<Token>>,
}

impl Completion {
    /// Takes in a whole answer.
    pub fn take_whole(&mut self, json: &[u8]) -> Result<(), String> {
        if !self.take(json)? {
            return Err("there is no choice in it".to_owned());
        }
        self.is_whole = true;
        Ok(())
    }

    /// Adds what is sent; whether there was a choice in it. What it took is known after an error, too.
    pub fn take(&mut self, json: &[u8]) -> Result<bool, String> {
        let sent = serde_json::from_slice(json);
        let usage = match &sent {
            Ok(Sent { usage, .. }) => *usage,
            Err(_) => serde_json::from_slice(json).ok().and_then(|Account { usage }| usage),
        };
        self.usage = usage.unwrap_or(self.usage);
        let sent = sent.map_err(|e| format!("it is no chat completion: {e}"))?;
        if let Some(error) = sent.error {
            let message = error.get("message").and_then(Value::as_str).map_or_else(|| error.to_string(), str::to_owned);
            return Err(format!("the service reports an error: {message}"));
        }
        // Only one choice is ever asked for.
        let Some(choice) = sent.choices.and_then(|choices| choices.into_iter().next()) else { return Ok(false) };
        if let Some(message) = choice.message {
            self.text.push_str(&message.content.unwrap_or_default());
            if let Some(refusal) = message.refusal {
                self.refusal.get_or_insert_default().push_str(&refusal);
            }
        }
        self.tokens.extend(choice.logprobs.and_then(|logprobs| logprobs.content).unwrap_or_default());
        self.is_whole |= choice.finish_reason.is_some();
        Ok(true)
    }
}
