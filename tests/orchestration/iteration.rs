//! Several thoughts and a synthesis, under paused time.

mod faults;
mod measures;
mod parallel;
mod sequential;
mod speculation;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use consilience::orchestration::iteration::{Event, Options, Order, Outcome, Thoughts};
use consilience::orchestration::{Iteration, Opinion, Peer, Question, Reply, Source};
use consilience::{Result, SourceError};
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use tokio::time::{Instant, sleep};

/// What a scripted source does with one question, after so many seconds.
#[derive(Clone)]
enum Say {
    /// The probability of class 0 of two.
    First(f32),
    /// The same with words.
    Words(f32, &'static str),
    Abstain,
    Fail,
    Invalid,
    Panic,
}

/// A source that does the same each time; the last line is repeated.
struct Scripted {
    name: &'static str,
    lines: Vec<(u64, Say)>,
    began: Instant,
    asked: Mutex<Vec<Asked>>,
    running: Arc<AtomicUsize>,
}

/// What it was asked, and when.
#[derive(Clone)]
struct Asked {
    attempt: u32,
    at: u64,
    peers: Vec<Peer>,
}

struct Running(Arc<AtomicUsize>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Scripted {
    fn new(name: &'static str, lines: Vec<(u64, Say)>) -> Arc<Self> {
        Arc::new(Self { name, lines, began: Instant::now(), asked: Mutex::default(), running: Arc::default() })
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("not poisoned").clone()
    }

    fn running(&self) -> usize {
        self.running.load(Ordering::Relaxed)
    }
}

impl Source<str> for Scripted {
    fn name(&self) -> &str {
        self.name
    }

    fn ask(&self, question: Question<str>) -> BoxFuture<'_, Result<Reply, SourceError>> {
        let at = self.began.elapsed().as_secs();
        let asked = Asked { attempt: question.attempt, at, peers: question.peers.to_vec() };
        let mut list = self.asked.lock().expect("not poisoned");
        let (seconds, say) = self.lines[list.len().min(self.lines.len() - 1)].clone();
        list.push(asked);
        self.running.fetch_add(1, Ordering::Relaxed);
        let running = Running(Arc::clone(&self.running));
        Box::pin(async move {
            let _running = running;
            sleep(Duration::from_secs(seconds)).await;
            match say {
                Say::First(p) => Ok(row(p).into()),
                Say::Words(p, words) => Ok(Reply::from(row(p)).content(words)),
                Say::Abstain => Ok(Opinion::Abstained.into()),
                Say::Fail => Err(SourceError::failed("no idea")),
                Say::Invalid => Ok(Opinion::Probabilities(vec![0.5, 0.25, 0.25]).into()),
                Say::Panic => panic!("lost the thread"),
            }
        })
    }
}

fn row(p: f32) -> Opinion {
    Opinion::Probabilities(vec![p, 1.0 - p])
}

/// `(seconds, say)` as many times.
fn all(count: usize, seconds: u64, say: Say) -> Vec<(u64, Say)> {
    vec![(seconds, say); count]
}

fn options(count: u32, order: Order) -> Options<str> {
    Options { thoughts: Thoughts::Fixed(count), order, ..Options::default() }
}

fn iteration(thinker: &Arc<Scripted>, synthesiser: &Arc<Scripted>, options: Options<str>) -> Iteration<str> {
    Iteration::new("iteration", Arc::clone(thinker) as _, Arc::clone(synthesiser) as _, options)
}

/// A question with so many seconds.
fn question(seconds: u64) -> Question<str> {
    Question::new(Arc::from("cat or dog?"), 2, Instant::now() + Duration::from_secs(seconds))
}

/// Thinks with an hour's time.
async fn think(thinker: &Arc<Scripted>, synthesiser: &Arc<Scripted>, options: Options<str>) -> Result<Outcome> {
    iteration(thinker, synthesiser, options).think(question(3600)).await
}

/// Every event as a line: when, and what.
async fn lines(iteration: &Iteration<str>, question: Question<str>) -> Vec<String> {
    let began = Instant::now();
    let mut events = iteration.stream(question).expect("time");
    let mut lines = Vec::new();
    while let Some(event) = events.next().await {
        let what = match event {
            Ok(Event::Thought { thought, posterior }) => match thought.reply {
                Ok(_) => format!("thought {} -> {posterior:?}", thought.index),
                Err(error) => format!("thought {} failed: {error}", thought.index),
            },
            Ok(Event::SynthesisBegan { thoughts, is_speculative }) => {
                format!("{} of {thoughts:?}", if is_speculative { "speculation" } else { "synthesis" })
            }
            Ok(Event::Synthesis(synthesis)) => {
                format!("synthesis of {:?} {}", synthesis.thoughts, if synthesis.is_kept { "kept" } else { "not kept" })
            }
            Ok(Event::Done(outcome)) => format!("done: {:?}", outcome.posterior),
            Ok(other) => panic!("{other:?}"),
            Err(error) => format!("error: {error}"),
        };
        lines.push(format!("{} s: {what}", began.elapsed().as_secs()));
    }
    lines
}
