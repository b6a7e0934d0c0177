//! How a chat service is asked.

use std::time::Duration;

use serde_json::{Map, Value};

use super::ApiKey;
use super::prompt::OWN_FIELDS;
use super::setting::wrong;
use crate::error::Result;

/// The default system prompt: the answer is to be the name of a class, which suits log probabilities.
pub const NAME_OF_THE_CLASS: &str = "Decide which one of these classes the input belongs to: {classes}. Answer with the \
name of that class, exactly as it is written here, and with nothing else.";

/// A system prompt that asks for a confidence, for services that give no log probabilities.
pub const CLASS_AND_CONFIDENCE: &str = "Decide which one of these classes the input belongs to: {classes}. Answer with \
one JSON object and nothing else: {\"class\": the name of that class, exactly as it is written here, \"confidence\": the \
probability, from 0 to 1, that it is the right one}.";

/// How a chat service is asked; see [`ChatSource::open`](super::ChatSource::open).
#[derive(Debug, Clone)]
pub struct ChatOptions {
    /// The key, where the service asks for one.
    pub key: Option<ApiKey>,
    /// The system prompt; `{classes}` in it becomes the names of the classes. Default: [`NAME_OF_THE_CLASS`].
    pub system: String,
    /// From 0, which always takes the likeliest token, to 2. Default: the service's own.
    pub temperature: Option<f32>,
    /// What makes an answer repeatable, where the service can: sent is this plus the question's attempt, modulo 2^31, so that
    /// several thoughts of one model differ. Default: none.
    pub seed: Option<u32>,
    /// The most tokens an answer may have. Default: 512.
    pub max_tokens: Option<u32>,
    /// How many alternatives to each token to ask for, from 1 to 20, with their log probabilities. A service that offers
    /// none is read by its words. Default: not asked for.
    pub top_logprobs: Option<u8>,
    /// Whether the answer is to come as it is written. What it says so far is then reported through
    /// [`Question::report`](crate::orchestration::Question::report). Default: no.
    pub streamed: bool,
    /// Further fields of the request, for what a service has of its own.
    pub extra: Map<String, Value>,
    /// What tokens cost. Default: nothing.
    pub prices: Prices,
    /// The most bytes of a question, with what others said of it. Default: 1 MB.
    pub question_bytes: usize,
    /// The most bytes of an answer as it is sent. Default: 4 MB; with many alternatives a token takes about 1.5 KB.
    pub answer_bytes: usize,
    /// How long connecting may take. The whole may take until the question's deadline. Default: 5 s.
    pub connect_timeout: Duration,
    /// Certificates in PEM that are trusted beside the operating system's: those of an authority of your own. They are
    /// looked at with the feature `https`. Default: none.
    pub certificates: String,
    /// How often a request is sent again after status 429 or 5xx, within the deadline: after what the service says, else
    /// after 0.2 s and twice that each further time, less up to a half by chance. Default: never, since whoever asks
    /// several sources does better to hear at once that one is busy, and since a request sent twice may cost twice.
    pub retries: u32,
    /// Where the chance in that begins; processes that share a service should not share it. Default: 0.
    pub jitter_seed: u64,
}

/// What tokens cost, in millionths of a currency per million tokens: 2.50 per million are 2,500,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Prices {
    /// Of tokens the model reads.
    pub input: u64,
    /// Of tokens the model writes.
    pub output: u64,
}

impl Prices {
    /// What so many tokens cost, in millionths of the currency, rounded to the nearest.
    #[must_use]
    pub fn micros(self, tokens_in: u64, tokens_out: u64) -> u64 {
        let part = |price: u64, tokens: u64| u128::from(price) * u128::from(tokens);
        let sum = part(self.input, tokens_in).saturating_add(part(self.output, tokens_out));
        u64::try_from(sum.saturating_add(500_000) / 1_000_000).unwrap_or(u64::MAX)
    }
}

impl Default for ChatOptions {
    fn default() -> Self {
        Self {
            key: None,
            system: NAME_OF_THE_CLASS.to_owned(),
            temperature: None,
            seed: None,
            max_tokens: Some(512),
            top_logprobs: None,
            streamed: false,
            extra: Map::new(),
            prices: Prices::default(),
            question_bytes: 1_000_000,
            answer_bytes: 4_000_000,
            connect_timeout: Duration::from_secs(5),
            certificates: String::new(),
            retries: 0,
            jitter_seed: 0,
        }
    }
}

impl ChatOptions {
    pub(super) fn check(&self) -> Result<()> {
        if let Some(temperature) = self.temperature.filter(|t| !(0.0..=2.0).contains(t)) {
            return Err(wrong("the temperature", format!("is {temperature}"), "it must be from 0 to 2"));
        }
        if let Some(count) = self.top_logprobs.filter(|count| !(1..=20).contains(count)) {
            return Err(wrong("`top_logprobs`", format!("is {count}"), "it must be from 1 to 20"));
        }
        if self.max_tokens == Some(0) {
            return Err(wrong("`max_tokens`", "is 0, which leaves no room for an answer", "give it at least 1"));
        }
        match self.extra.keys().find(|key| OWN_FIELDS.contains(&key.as_str())) {
            Some(key) => Err(wrong("`extra`", format!("has the field `{key}`"), "use the option of that name")),
            None => Ok(()),
        }
    }
}
