//! Requests shown as they happen.

use std::sync::Arc;

use consilience::Engine;
use consilience::orchestration::ParallelFusion;
use consilience::orchestration::parallel_fusion::{Event, Options};
use consilience::orchestration::telemetry::Label;
use futures_util::StreamExt;
use tokio::time::Instant;

use crate::Failure;
use crate::digits::CLASSES;
use crate::live::Live;

/// The events of the first requests, with the time at which they came.
pub async fn show(engine: &Arc<Engine>, live: &Arc<Live>, requests: usize) -> Result<(), Failure> {
    let fusion = ParallelFusion::new(Arc::clone(engine), CLASSES, live.sources(), Options::low_latency())?;
    for item in 0..requests.min(live.items()) {
        println!("picture {item}, a {}:", live.truths[item]);
        let began = Instant::now();
        let mut events = Box::pin(fusion.follow(item));
        while let Some(event) = events.next().await {
            let at = began.elapsed().as_secs_f64() * 1e3;
            match event {
                Event::Arrived { source, opinion, decision, confidence, .. } => {
                    let own = opinion.probabilities(CLASSES)?.unwrap_or_default();
                    let says = (0..own.len()).max_by(|&a, &b| own[a].total_cmp(&own[b])).unwrap_or_default();
                    let name = &live.names[source];
                    println!("  {at:6.1} ms  {name:9} says {says}; so far {decision} ({confidence:.2})");
                }
                Event::Failed { source, fate, error } => {
                    println!("  {at:6.1} ms  {:9} {}: {error}", live.names[source], fate.name());
                }
                Event::Hedged { source } => println!("  {at:6.1} ms  {:9} is slow and asked again", live.names[source]),
                Event::Stopped(why) => println!("  {at:6.1} ms  {}", why.name()),
                Event::Answered(outcome) => {
                    println!("  {at:6.1} ms  => {} ({:.2})", outcome.decision, outcome.confidence);
                }
                Event::Refused(error) => println!("  {at:6.1} ms  no answer: {error}"),
                _ => {}
            }
        }
    }
    println!();
    Ok(())
}
