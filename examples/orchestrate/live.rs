//! Trained classifiers as sources that take their time and fail now and then.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use consilience::SourceError;
use consilience::orchestration::{Opinion, Question, Source, source};
use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::{RngCore, SeedableRng};
use tokio::time::sleep;

use crate::digits::Digits;
use crate::models;

/// How long a call usually takes, by the name of the classifier, in milliseconds.
const USUAL: [(&str, f64); 5] = [("knn", 60.0), ("tree", 4.0), ("forest", 90.0), ("logistic", 12.0), ("bayes", 8.0)];

/// Calls of a thousand that fail, and that never end.
const FAIL: u64 = 30;
const HANG: u64 = 10;

/// What every classifier says of every picture of the test third, and what the pictures show.
pub struct Live {
    pub names: Vec<String>,
    /// Per classifier and picture.
    opinions: Vec<Vec<Vec<f32>>>,
    pub truths: Vec<u32>,
    seed: u64,
}

impl Live {
    pub fn new(models: &[models::Source], digits: &Digits, seed: u64) -> Self {
        let rows = |source: &models::Source| {
            let row = |row: ndarray::ArrayView1<'_, f64>| {
                let sum: f64 = row.sum();
                row.iter().map(|p| (p / sum) as f32).collect()
            };
            source.test.rows().into_iter().map(row).collect()
        };
        let name = |(n, source): (usize, &models::Source)| {
            let again = models[..n].iter().filter(|earlier| earlier.name == source.name).count();
            if again == 0 { source.name.to_owned() } else { format!("{} {}", source.name, again + 1) }
        };
        Self {
            names: models.iter().enumerate().map(name).collect(),
            opinions: models.iter().map(rows).collect(),
            truths: digits.test.labels.clone(),
            seed,
        }
    }

    /// Pictures.
    pub fn items(&self) -> usize {
        self.truths.len()
    }

    /// All classifiers as sources that are asked about a picture by its number.
    pub fn sources(self: &Arc<Self>) -> Vec<Arc<dyn Source<usize>>> {
        (0..self.names.len()).map(|n| self.source(n)).collect()
    }

    /// One classifier. What it does on a picture is drawn from the seed, so that it does the same whoever asks.
    pub fn source(self: &Arc<Self>, n: usize) -> Arc<dyn Source<usize>> {
        let live = Arc::clone(self);
        Arc::new(source::of(self.names[n].clone(), move |question: Question<usize>| {
            let live = Arc::clone(&live);
            async move {
                let item = *question.input;
                let mut random = SplitMix64::seed_from_u64(live.seed ^ ((item as u64) << 8) ^ n as u64);
                let fate = random.next_u64() % 1000;
                sleep(live.latency(n, &mut random)).await;
                match fate {
                    0..FAIL => Err(SourceError::failed("the service is restarting")),
                    _ if fate < FAIL + HANG => pending().await,
                    _ => Ok(Opinion::Probabilities(live.opinions[n][item].clone()).into()),
                }
            }
        }))
    }

    /// Half to four times the usual: two to a power that is uniform between -1 and 2.
    fn latency(&self, n: usize, random: &mut SplitMix64) -> Duration {
        let usual = USUAL.iter().find(|(name, _)| self.names[n].starts_with(name)).map_or(10.0, |(_, usual)| *usual);
        let uniform = (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
        Duration::from_secs_f64(usual * 1e-3 * (3.0 * uniform - 1.0).exp2())
    }
}
