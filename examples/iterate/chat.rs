//! What the built-in server answers: chat completions about drawings.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::digits::CLASSES;
use crate::drawing;
use crate::model::{Model, normalised};

/// A model that is asked in words.
pub struct Chat {
    pub model: Model,
    /// How long a call takes, on average.
    pub service_time: Duration,
}

/// A request, as far as it matters here.
#[derive(Deserialize)]
struct Request {
    model: String,
    messages: Vec<Message>,
    #[serde(default)]
    temperature: f32,
    #[serde(default)]
    seed: u64,
}

#[derive(Deserialize)]
struct Message {
    role: String,
    content: String,
}

impl Chat {
    /// A status, an answer and how long it takes.
    pub fn answer(&self, body: &[u8]) -> (&'static str, Value, Duration) {
        match self.completion(body) {
            Ok((completion, takes)) => ("200 OK", completion, takes),
            Err(message) => ("400 Bad Request", json!({"error": {"message": message}}), Duration::ZERO),
        }
    }

    fn completion(&self, body: &[u8]) -> Result<(Value, Duration), String> {
        let request: Request = serde_json::from_slice(body).map_err(|e| format!("it is no chat request: {e}"))?;
        let asked = request.messages.iter().rfind(|message| message.role == "user").map(|message| &*message.content);
        let asked = asked.ok_or("there is no message of a user")?;
        let pixels = drawing::read(asked).ok_or("there is no drawing in the question")?;
        // Another question is looked at in another way, and the same in the same.
        let mut hasher = DefaultHasher::new();
        (request.seed, asked).hash(&mut hasher);
        let seed = hasher.finish();
        let mut row = self.model.think(&pixels, request.temperature, seed);
        for (class, p) in others(asked) {
            for (other, sum) in row.iter_mut().enumerate() {
                *sum += if other == class { p } else { (1.0 - p) / (CLASSES - 1) as f64 };
            }
        }
        let row = normalised(row);
        let best = (0..CLASSES).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap_or_default();
        let text = format!("{{\"class\": \"{best}\", \"confidence\": {:.3}}}", row[best]);
        let read: usize = request.messages.iter().map(|message| tokens(&message.content)).sum();
        let completion = json!({
            "object": "chat.completion",
            "model": request.model,
            "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": read, "completion_tokens": tokens(&text)}
        });
        // Half to one and a half times the usual, by the question as well.
        let takes = self.service_time.mul_f64(0.5 + (seed >> 11) as f64 / (1_u64 << 53) as f64);
        Ok((completion, takes))
    }
}

/// What a question says that others said: a class with its probability, one on a line.
fn others(asked: &str) -> impl Iterator<Item = (usize, f64)> {
    asked.lines().filter_map(|line| {
        let (said, rest) = line.strip_prefix("- ")?.split_once(" (probability ")?;
        let class = said.rsplit_once(": ")?.1.parse().ok().filter(|class| *class < CLASSES)?;
        let p = rest.split_once(')')?.0.parse().ok().filter(|p| (0.0..=1.0).contains(p))?;
        Some((class, p))
    })
}

/// Words, and characters that belong to none.
fn tokens(text: &str) -> usize {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).count();
    words + text.chars().filter(|c| !c.is_alphanumeric() && !c.is_whitespace()).count()
}
