//! A source that misbehaves for a while.

use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use consilience::SourceError;
use consilience::orchestration::{Question, Reply, Source};
use futures_util::future::BoxFuture;
use tokio::time::{Instant, sleep};

/// How a source misbehaves, and when: `NAME=AMOUNT@FROM+FOR`, in seconds from the start.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// The source.
    pub name: String,
    /// How much: milliseconds, or calls in a hundred.
    pub amount: u64,
    from: Duration,
    until: Duration,
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = || {
            let (name, rest) = text.split_once('=')?;
            let (amount, rest) = rest.split_once('@')?;
            let (from, lasts) = rest.split_once('+')?;
            let number = |text: &str| text.parse::<u64>().ok();
            let (from, lasts) = (number(from)?, number(lasts)?);
            let until = Duration::from_secs(from.checked_add(lasts)?);
            Some(Self { name: name.to_owned(), amount: number(amount)?, from: Duration::from_secs(from), until })
        };
        parts().ok_or_else(|| "write it like punctuation=800@60+120".to_owned())
    }
}

/// A source with its faults.
pub struct Faulty {
    source: Arc<dyn Source<str>>,
    slow: Vec<Fault>,
    fails: Vec<Fault>,
    began: Instant,
    calls: AtomicU64,
}

impl Faulty {
    pub fn new(source: Arc<dyn Source<str>>, slow: &[Fault], fails: &[Fault]) -> Self {
        let own = |faults: &[Fault]| faults.iter().filter(|fault| fault.name == source.name()).cloned().collect();
        let (slow, fails) = (own(slow), own(fails));
        Self { source, slow, fails, began: Instant::now(), calls: AtomicU64::new(0) }
    }

    /// How much of a kind of fault there is now.
    fn now(&self, faults: &[Fault]) -> u64 {
        let at = self.began.elapsed();
        faults.iter().filter(|fault| (fault.from..fault.until).contains(&at)).map(|fault| fault.amount).sum()
    }
}

impl Source<str> for Faulty {
    fn name(&self) -> &str {
        self.source.name()
    }

    fn ask(&self, question: Question<str>) -> BoxFuture<'_, Result<Reply, SourceError>> {
        let (slow, fails) = (self.now(&self.slow), self.now(&self.fails));
        if slow == 0 && fails == 0 {
            return self.source.ask(question);
        }
        // The same calls of a hundred, spread evenly.
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        let fails = (call * fails) % 100 < fails;
        Box::pin(async move {
            sleep(Duration::from_millis(slow)).await;
            if fails { Err(SourceError::failed("told to fail")) } else { self.source.ask(question).await }
        })
    }
}
