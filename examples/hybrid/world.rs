//! Those who are asked: simulated sources, an accelerator and a cluster.

use std::sync::Arc;
use std::time::Duration;

use consilience::orchestration::cache::{self, Lifetime};
use consilience::orchestration::hybrid::{Batch, Member, Remote};
use consilience::orchestration::{Cost, Opinion, Question, Reply, source};
use consilience::{Result, SourceError};
use futures_util::future::BoxFuture;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::sync::{Mutex, Semaphore};
use tokio::time::{Instant, sleep};

use crate::workload::canonical;

pub const CLASSES: usize = 4;

/// A simulated source.
#[derive(Debug, Clone, Copy)]
struct Simulated {
    name: &'static str,
    /// What a call usually takes, in milliseconds.
    usual: f64,
    /// How often it is right.
    accuracy: f64,
    /// What a call costs.
    micros: u64,
    /// How long its answers are good, in seconds.
    lifetime: u64,
}

const fn simulated(name: &'static str, usual: f64, accuracy: f64, micros: u64, lifetime: u64) -> Simulated {
    Simulated { name, usual, accuracy, micros, lifetime }
}

/// The two of rules err together. What was found changes by the minute.
const SOURCES: [Simulated; 5] = [
    simulated("rules", 2.0, 0.70, 0, 3600),
    simulated("keywords", 5.0, 0.72, 0, 3600),
    simulated("small model", 40.0, 0.80, 20, 900),
    simulated(LARGE, 150.0, 0.92, 400, 900),
    simulated("search", 80.0, 0.75, 50, 60),
];

/// The one that becomes slow, and that answers no more than so many at once.
const LARGE: &str = "large model";
const AT_ONCE: usize = 32;
const SLOWER: f64 = 4.0;

/// Calls of a thousand that fail.
const FAIL: f64 = 0.002;

/// Where questions are asked.
pub struct World {
    seed: u64,
    began: Instant,
    /// Between when and when the large model is slow.
    slow: [Duration; 2],
    large: Semaphore,
    accelerator: Mutex<()>,
}

impl World {
    /// A world that begins now. The large model is slow in the middle third of the time it is there for.
    pub fn new(seed: u64, lasts: Duration) -> Arc<Self> {
        let (slow, large) = (Self::slow(lasts), Semaphore::new(AT_ONCE));
        Arc::new(Self { seed, began: Instant::now(), slow, large, accelerator: Mutex::new(()) })
    }

    pub fn slow(lasts: Duration) -> [Duration; 2] {
        [lasts / 3, lasts / 3 * 2]
    }

    /// All sources as members of an executor.
    pub fn members(self: &Arc<Self>) -> impl Iterator<Item = Member<str>> + use<'_> {
        SOURCES.iter().map(|simulated| {
            let world = Arc::clone(self);
            let ask = move |question: Question<str>| {
                let world = Arc::clone(&world);
                async move { world.ask(simulated, &question.input).await }
            };
            Member::new(Arc::new(source::of(simulated.name, ask)), "1")
        })
    }

    async fn ask(&self, simulated: &Simulated, ticket: &str) -> Result<Reply, SourceError> {
        let _turn = match simulated.name {
            LARGE => Some(self.large.acquire().await.map_err(|_| SourceError::failed("it is closed"))?),
            _ => None,
        };
        let now = self.began.elapsed();
        let is_slow = simulated.name == LARGE && (self.slow[0]..self.slow[1]).contains(&now);
        // Whoever asks the same in the same minute meets the same.
        let random = &mut self.random(ticket, simulated.name, now.as_secs() / 60);
        // Half to four times the usual: two to a power that is uniform between -1 and 2.
        let usual = simulated.usual * if is_slow { SLOWER } else { 1.0 };
        sleep(Duration::from_secs_f64(1e-3 * usual * random.random_range(-1.0_f64..2.0).exp2())).await;
        if random.random_bool(FAIL) {
            return Err(SourceError::failed("the service is restarting"));
        }
        Ok(self.reply(simulated, ticket))
    }

    fn reply(&self, simulated: &Simulated, ticket: &str) -> Reply {
        let truth = self.truth(ticket);
        // What misleads rules misleads keywords.
        let shared = if simulated.usual < 10.0 { "words" } else { simulated.name };
        let random = &mut self.random(ticket, shared, 0);
        let is_right = random.random_bool(simulated.accuracy);
        let other = (truth as usize + random.random_range(1..CLASSES)) % CLASSES;
        let confidence: f32 = random.random_range(0.5..0.95);
        let mut opinion = vec![(1.0 - confidence) / (CLASSES - 1) as f32; CLASSES];
        opinion[if is_right { truth as usize } else { other }] = confidence;
        let cost = Cost { micros: simulated.micros, ..Cost::CALL };
        Reply { cost, ..Reply::from(Opinion::Probabilities(opinion)) }
    }

    /// What a ticket is about.
    pub fn truth(&self, ticket: &str) -> u32 {
        self.random(ticket, "truth", 0).random_range(0..CLASSES as u32)
    }

    fn random(&self, ticket: &str, what: &str, when: u64) -> StdRng {
        // FNV-1a
        let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        let text = canonical(ticket);
        let bytes = text.bytes().chain(what.bytes()).chain(when.to_le_bytes());
        StdRng::seed_from_u64(bytes.fold(0xcbf2_9ce4_8422_2325 ^ self.seed, mix))
    }

    fn replies(&self, batch: &Batch<str>) -> Vec<Result<Reply, SourceError>> {
        let reply = |(name, ticket): &(Arc<str>, Arc<str>)| {
            let simulated = SOURCES.iter().find(|simulated| simulated.name == &**name);
            let simulated = simulated.ok_or_else(|| SourceError::failed(format!("`{name}` is not known here")))?;
            Ok(self.reply(simulated, ticket))
        };
        batch.questions.iter().map(reply).collect()
    }
}

/// The lifetimes of what sources answer.
pub fn lifetimes() -> cache::Options {
    SOURCES.iter().fold(cache::Options::default(), |options, simulated| {
        options.lifetime_of(simulated.name, Lifetime::of(Duration::from_secs(simulated.lifetime)))
    })
}

/// An accelerator that holds all models: quick to begin, and one batch at a time.
pub struct Accelerator(pub Arc<World>);

/// A cluster that does: slow to begin, wide, and any number of batches at a time.
pub struct Cluster(pub Arc<World>);

impl Remote<str> for Accelerator {
    fn carry_out(&self, batch: Batch<str>) -> BoxFuture<'_, Result<Vec<Result<Reply, SourceError>>>> {
        Box::pin(async move {
            let _turn = self.0.accelerator.lock().await;
            sleep(Duration::from_micros(15_000 + 1_200 * batch.questions.len() as u64)).await;
            Ok(self.0.replies(&batch))
        })
    }
}

impl Remote<str> for Cluster {
    fn carry_out(&self, batch: Batch<str>) -> BoxFuture<'_, Result<Vec<Result<Reply, SourceError>>>> {
        Box::pin(async move {
            sleep(Duration::from_micros(500_000 + 100 * batch.questions.len() as u64)).await;
            Ok(self.0.replies(&batch))
        })
    }
}
