//! A process that holds each batch until it is let through, and says what it was given.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex};
use std::task::Poll;
use std::time::Duration;

use consilience::orchestration::batcher::{Batcher, Builder, Process};
use consilience::{Result, SourceError};

/// A request of the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask {
    pub id: u32,
    pub bytes: usize,
    pub act: Act,
}

/// What a request makes of its batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    Answer,
    /// An error of its own.
    Fail,
    /// The batch panics.
    Panic,
    /// The batch has one answer too few.
    Lose,
}

/// Ten bytes, answered.
pub fn ask(id: u32) -> Ask {
    Ask { id, bytes: 10, act: Act::Answer }
}

/// What a request is answered with.
pub fn answer_to(id: u32) -> u32 {
    id * 10
}

/// The test's end of the process.
#[derive(Debug, Clone, Default)]
pub struct Gate(Arc<(Mutex<Passage>, Condvar)>);

#[derive(Debug, Default)]
struct Passage {
    /// Batches, as they came.
    begun: Vec<Vec<u32>>,
    /// How many more may pass.
    permits: usize,
}

/// No test waits longer for a thread of its own.
const PATIENCE: Duration = Duration::from_secs(20);

impl Gate {
    /// A batcher of it.
    pub fn batcher(&self) -> Builder<Self> {
        Batcher::builder(self.clone()).name("gate")
    }

    /// Lets so many batches through.
    pub fn open(&self, batches: usize) {
        self.0.0.lock().expect("a lock").permits += batches;
        self.0.1.notify_all();
    }

    /// Waits until so many batches have begun. It blocks, so that a paused clock stands still.
    pub fn wait_begun(&self, batches: usize) {
        let passage = self.0.0.lock().expect("a lock");
        let waited = self.0.1.wait_timeout_while(passage, PATIENCE, |p| p.begun.len() < batches).expect("a lock");
        assert!(!waited.1.timed_out(), "{batches} batches have not begun: {:?}", waited.0.begun);
    }

    /// The batches that have begun, in the order in which they did.
    pub fn begun(&self) -> Vec<Vec<u32>> {
        self.0.0.lock().expect("a lock").begun.clone()
    }
}

impl Process for Gate {
    type Input = Ask;
    type Output = u32;

    fn bytes(&self, ask: &Ask) -> usize {
        ask.bytes
    }

    fn process(&self, asks: Vec<Ask>) -> Vec<Result<u32>> {
        let (lock, changed) = &*self.0;
        let mut passage = lock.lock().expect("a lock");
        passage.begun.push(asks.iter().map(|ask| ask.id).collect());
        changed.notify_all();
        let (mut passage, waited) = changed.wait_timeout_while(passage, PATIENCE, |p| p.permits == 0).expect("a lock");
        if waited.timed_out() {
            return Vec::new();
        }
        passage.permits -= 1;
        drop(passage);
        assert!(asks.iter().all(|ask| ask.act != Act::Panic), "a bad batch");
        let lost = usize::from(asks.iter().any(|ask| ask.act == Act::Lose));
        let answer = |ask: &Ask| match ask.act {
            Act::Fail => Err(consilience::RequestError::NothingArrived {
                causes: vec![(ask.id.to_string(), SourceError::Closed)],
            }
            .into()),
            _ => Ok(answer_to(ask.id)),
        };
        asks.iter().skip(lost).map(answer).collect()
    }
}

/// A future that has been polled once and is not done.
pub async fn begun<F: Future>(future: F) -> Pin<Box<F>> {
    let mut future = Box::pin(future);
    let pending = poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_pending())).await;
    assert!(pending, "it was done at once");
    future
}
