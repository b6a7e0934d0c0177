//! A model whose calls are held until the test lets them through.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use consilience::SourceError;
use consilience::orchestration::source::{self, Batching, Model};
use consilience::orchestration::{Opinion, Question, Reply};
use tokio::time::Instant;

/// The test's end of the model. Asked a number it names that class; what else it is asked it takes as orders.
#[derive(Debug, Clone, Default)]
pub struct Held(Arc<(Mutex<Calls>, Condvar)>);

#[derive(Debug, Default)]
struct Calls {
    /// The questions of each call, in order.
    begun: Vec<String>,
    /// How many more calls may pass.
    permits: usize,
}

/// No test waits longer for a thread of its own.
const PATIENCE: Duration = Duration::from_secs(20);

impl Held {
    pub fn source(&self) -> Batching<str, Self> {
        source::batched("held", self.clone())
    }

    /// Lets so many calls through.
    pub fn open(&self, calls: usize) {
        self.0.0.lock().expect("a lock").permits += calls;
        self.0.1.notify_all();
    }

    /// Waits until so many calls have begun. It blocks, so that a paused clock stands still.
    pub fn wait_begun(&self, calls: usize) {
        let lock = self.0.0.lock().expect("a lock");
        let (lock, waited) = self.0.1.wait_timeout_while(lock, PATIENCE, |c| c.begun.len() < calls).expect("a lock");
        assert!(!waited.timed_out(), "{calls} calls have not begun: {:?}", lock.begun);
    }

    /// The calls that have begun.
    pub fn begun(&self) -> Vec<String> {
        self.0.0.lock().expect("a lock").begun.clone()
    }
}

impl Model<str> for Held {
    fn answer(&self, questions: &[Question<str>]) -> Vec<Result<Reply, SourceError>> {
        let texts: Vec<&str> = questions.iter().map(|question| &*question.input).collect();
        let (lock, changed) = &*self.0;
        let mut calls = lock.lock().expect("a lock");
        calls.begun.push(texts.join(" "));
        changed.notify_all();
        let (mut calls, waited) = changed.wait_timeout_while(calls, PATIENCE, |c| c.permits == 0).expect("a lock");
        if waited.timed_out() {
            return Vec::new();
        }
        calls.permits -= 1;
        drop(calls);
        assert!(!texts.contains(&"panic"), "a test asked for this panic");
        let lost = usize::from(texts.contains(&"lose"));
        texts.iter().skip(lost).map(|text| answer(text)).collect()
    }
}

fn answer(text: &str) -> Result<Reply, SourceError> {
    let class = text.parse().map_err(|_| SourceError::failed(format!("`{text}` is no number")))?;
    Ok(Opinion::label(class).into())
}

/// A model that gives no answers.
pub fn nothing(_: &[Question<str>]) -> Vec<Result<Reply, SourceError>> {
    Vec::new()
}

pub fn question(text: &str) -> Question<str> {
    after(text, 60)
}

/// A question that has so many seconds.
pub fn after(text: &str, seconds: u64) -> Question<str> {
    Question::new(Arc::from(text), 2, Instant::now() + Duration::from_secs(seconds))
}
