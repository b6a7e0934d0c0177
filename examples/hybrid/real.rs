//! What the executor itself takes, on the real clock.

use std::sync::Arc;
use std::time::Instant;

use consilience::orchestration::hybrid::{Hybrid, Member};
use consilience::orchestration::{Opinion, Question, Reply, source};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::Failure;
use crate::world::CLASSES;

const QUESTIONS: usize = 2000;
const SOURCES: [&str; 5] = ["a", "b", "c", "d", "e"];

/// Questions to five sources that answer at once, and the same questions again: the median time of either.
pub async fn measure(seed: u64) -> Result<String, Failure> {
    let mut builder = Hybrid::builder(CLASSES);
    for name in SOURCES {
        let at_once =
            async |_: Question<str>| Ok(Reply::from(Opinion::Probabilities(vec![1.0 / CLASSES as f32; CLASSES])));
        builder = builder.member(Member::new(Arc::new(source::of(name, at_once)), "1"));
    }
    let hybrid = builder.build()?;
    let random = &mut StdRng::seed_from_u64(seed);
    let questions: Vec<Arc<str>> = (0..QUESTIONS).map(|_| Arc::from(random.random::<u64>().to_string())).collect();
    let mut medians = Vec::new();
    for _ in 0..2 {
        let mut times = Vec::with_capacity(QUESTIONS);
        for question in &questions {
            let asked = Instant::now();
            hybrid.ask(Arc::clone(question)).await?;
            times.push(asked.elapsed());
        }
        times.sort_unstable();
        medians.push(1e6 * times[QUESTIONS / 2].as_secs_f64());
    }
    Ok(format!(
        "On the real clock, five sources that answer at once: {:.1} us a question; from the cache: {:.1} us",
        medians[0], medians[1]
    ))
}
