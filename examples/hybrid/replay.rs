//! The workload under one strategy.

use std::sync::Arc;
use std::time::Duration;

use consilience::Result;
use consilience::orchestration::hybrid::{Answer, Hybrid, Told};
use consilience::orchestration::selector::Arm;
use consilience::orchestration::{Cost, Dependencies, Selector};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::Failure;
use crate::strategy::Strategy;
use crate::workload::{Kind, Request};
use crate::world::World;

/// What became of one request.
pub struct Replied {
    /// When it came.
    pub at: Duration,
    pub kind: Kind,
    pub latency: Duration,
    pub arm: Option<Arm>,
    pub cost: Cost,
    /// Tickets answered by all sources, answered at all, and decided right.
    pub whole: usize,
    pub answered: usize,
    pub right: usize,
    pub tickets: usize,
}

impl Replied {
    /// Before its answers are counted.
    fn new(at: Duration, kind: Kind, latency: Duration, tickets: usize) -> Self {
        Self { at, kind, latency, arm: None, cost: Cost::default(), whole: 0, answered: 0, right: 0, tickets }
    }

    /// Counts the answer to one ticket, and has the executor learn from the truth.
    fn take(&mut self, hybrid: &Hybrid<str>, answer: &Answer, truth: u32) -> Result<()> {
        // The truth of a single ticket comes to be known; of an export nobody looks at each.
        if self.tickets == 1 {
            hybrid.learn(answer, truth)?;
        }
        self.arm = Some(answer.choice.arm);
        self.cost += answer.cost;
        self.answered += 1;
        self.whole += usize::from(answer.failed.is_empty());
        self.right += usize::from(answer.fused.decision == truth as usize);
        Ok(())
    }
}

/// What became of all of them.
pub struct Replayed {
    pub strategy: Strategy,
    /// In the order in which they came.
    pub replies: Vec<Replied>,
    pub told: Told,
    pub selector: Selector,
    pub dependencies: Dependencies,
}

impl Replayed {
    pub fn mean(&self) -> Duration {
        let sum: Duration = self.replies.iter().map(|reply| reply.latency).sum();
        sum / u32::try_from(self.replies.len().max(1)).unwrap_or(u32::MAX)
    }
}

/// Every request at its time, whether or not those before it were answered.
pub async fn replay(strategy: Strategy, trace: &[Request], seed: u64) -> Result<Replayed, Failure> {
    let lasts = Duration::from_millis(trace.last().map_or(0, |last| last.at));
    let world = World::new(seed, lasts);
    let hybrid = Arc::new(strategy.executor(&world, seed)?);
    let (began, mut under_way) = (Instant::now(), JoinSet::new());
    for (number, request) in trace.iter().enumerate() {
        let at = Duration::from_millis(request.at);
        sleep_until(began + at).await;
        let (hybrid, world, kind) = (Arc::clone(&hybrid), Arc::clone(&world), request.kind);
        let tickets: Vec<Arc<str>> = request.tickets.iter().map(|ticket| Arc::from(ticket.as_str())).collect();
        under_way.spawn(async move {
            let asked = Instant::now();
            let answers = hybrid.ask_all(tickets.clone()).await?;
            let mut replied = Replied::new(at, kind, asked.elapsed(), tickets.len());
            for (ticket, answer) in tickets.iter().zip(answers) {
                // Those that nobody answered in time are counted by what is missing.
                if let Ok(answer) = answer {
                    replied.take(&hybrid, &answer, world.truth(ticket))?;
                }
            }
            Ok::<_, consilience::Error>((number, replied))
        });
    }
    let mut replies = Vec::with_capacity(trace.len());
    while let Some(replied) = under_way.join_next().await {
        replies.push(replied??);
    }
    replies.sort_by_key(|(number, _)| *number);
    let replies = replies.into_iter().map(|(_, reply)| reply).collect();
    let (told, selector, dependencies) = (hybrid.diagnostics(), hybrid.selector(), hybrid.dependencies());
    let tickets: u64 = trace.iter().map(|request| request.tickets.len() as u64).sum();
    let lookups = told.cache.posteriors.lookups();
    if lookups != tickets {
        return Err(format!("{lookups} answers were looked up for {tickets} tickets").into());
    }
    Ok(Replayed { strategy, replies, told, selector, dependencies })
}
