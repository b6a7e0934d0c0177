//! One round: the opinions of the sources awake in it, their weights and what they lose.

use super::options::Feedback;
use crate::error::Result;
use crate::methods::learning::Loss;
use crate::methods::learning::lesson::{Heard, Lesson};
use crate::methods::learning::resident::Judged;

/// Room for a round, reused by the next.
pub(super) struct Round {
    classes: usize,
    voices: Vec<Voice>,
    /// The opinions, one row of C per voice.
    rows: Vec<f64>,
    /// Where it is not the opinions that are known, the products of their errors, a row per voice.
    products: Vec<f64>,
    pool: Vec<f64>,
    mixture: f64,
}

/// A source that is awake.
#[derive(Debug, Clone, Copy)]
pub(super) struct Voice {
    /// Which source.
    pub source: usize,
    /// The logarithm of its weight among those awake.
    pub log: f64,
    /// Its loss.
    pub loss: f64,
    p: f64,
    feedback: f64,
}

impl Voice {
    /// Of a source of which nothing is known yet.
    fn of(source: usize) -> Self {
        Self { source, log: 0.0, loss: 0.0, p: 0.0, feedback: 0.0 }
    }
}

impl Round {
    pub fn new(sources: usize, classes: usize) -> Self {
        let (voices, rows) = (Vec::with_capacity(sources), Vec::with_capacity(sources * classes));
        Self { classes, voices, rows, products: Vec::new(), pool: vec![0.0; classes], mixture: 0.0 }
    }

    /// Reads the opinions on one item; the logarithmic loss clips them.
    pub fn hear(&mut self, lesson: &mut Lesson<'_, '_>, item: usize, loss: Loss) -> Result<()> {
        self.voices.clear();
        self.rows.clear();
        for source in 0..lesson.sources() {
            if let Heard::Opinion(p) = lesson.hear(source, item)? {
                self.voices.push(Voice::of(source));
                match loss {
                    Loss::Log { floor } => self.rows.extend(p.iter().map(|p| p.clamp(floor, 1.0))),
                    _ => self.rows.extend_from_slice(p),
                }
            }
        }
        Ok(())
    }

    /// Takes the probabilities of an item's true class for opinions on that class alone, all that the logarithmic loss asks for.
    pub fn hear_truths(&mut self, judged: &Judged, item: usize, loss: Loss) {
        let floor = if let Loss::Log { floor } = loss { floor } else { 0.0 };
        self.voices.clear();
        self.rows.clear();
        for source in judged.awake(item) {
            self.voices.push(Voice::of(source));
            self.rows.push(judged.of(source, item).clamp(floor, 1.0));
        }
    }

    /// Takes the products of the opinions' errors, all that half the Brier score and its gradient ask for.
    pub fn hear_products(&mut self, judged: &Judged, item: usize) {
        self.voices.clear();
        self.products.clear();
        self.voices.extend(judged.awake(item).map(Voice::of));
        for one in &self.voices {
            self.products.extend(self.voices.iter().map(|other| judged.product(one.source, other.source, item)));
        }
    }

    /// The sources awake.
    pub fn voices(&self) -> &[Voice] {
        &self.voices
    }

    /// The mixture's loss.
    pub fn mixture(&self) -> f64 {
        self.mixture
    }

    /// Weighs those awake among themselves; the logarithm of their mass.
    pub fn weigh(&mut self, log_weights: &[f64]) -> f64 {
        for voice in &mut self.voices {
            voice.log = log_weights.get(voice.source).copied().unwrap_or_default();
        }
        self.normalise()
    }

    /// What those awake, their mixture and the weights' feedback come to.
    pub fn judge(&mut self, feedback: Feedback, truth: usize) {
        let loss = match feedback {
            Feedback::Loss(loss) => loss,
            Feedback::Gradient => Loss::Brier,
        };
        if !self.products.is_empty() {
            return self.judge_products(feedback);
        }
        let Self { voices, rows, pool, .. } = self;
        pool.fill(0.0);
        for (voice, row) in voices.iter_mut().zip(rows.chunks_exact(self.classes)) {
            voice.loss = loss.of(row, truth);
            pool.iter_mut().zip(row).for_each(|(pool, p)| *pool += voice.p * p);
        }
        self.mixture = match loss {
            Loss::ZeroOne => voices.iter().map(|voice| voice.p * voice.loss).sum::<f64>().min(1.0),
            _ => loss.of(pool, truth),
        };
        for (voice, row) in voices.iter_mut().zip(rows.chunks_exact(self.classes)) {
            voice.feedback = match feedback {
                Feedback::Loss(_) => voice.loss,
                Feedback::Gradient => {
                    let is = |class| f64::from(u8::from(class == truth));
                    let products = row.iter().zip(&*pool).enumerate();
                    0.5 * products.map(|(class, (p, pool))| (pool - is(class)) * (p - is(class))).sum::<f64>()
                }
            };
        }
    }

    /// The same of half the Brier score where the products of the errors are known: with E the errors as rows and p the weights,
    /// the pool's error is E' p, its loss p' E E' p / 2 and the gradient E E' p / 2.
    fn judge_products(&mut self, feedback: Feedback) {
        let Self { voices, products, .. } = self;
        let weights: Vec<f64> = voices.iter().map(|voice| voice.p).collect();
        let mut mixture = 0.0;
        for ((place, voice), products) in voices.iter_mut().enumerate().zip(products.chunks_exact(weights.len())) {
            let pooled: f64 = products.iter().zip(&weights).map(|(product, p)| product * p).sum();
            voice.loss = Loss::Brier.of_found(products[place]);
            voice.feedback = if feedback == Feedback::Gradient { 0.5 * pooled } else { voice.loss };
            mixture += voice.p * pooled;
        }
        self.mixture = Loss::Brier.of_found(mixture);
    }

    /// Moves the weights of those awake, which go on summing to one among themselves.
    pub fn learn(&mut self, eta: f64, share: f64) {
        self.voices.iter_mut().for_each(|voice| voice.log -= eta * voice.feedback);
        self.normalise();
        let others = self.voices.len() as f64 - 1.0;
        if share > 0.0 && others > 0.0 {
            for voice in &mut self.voices {
                voice.log = ((1.0 - share) * voice.p + share * (1.0 - voice.p).max(0.0) / others).ln();
            }
        }
    }

    /// Divides the weights by their sum; its logarithm.
    fn normalise(&mut self) -> f64 {
        let most = self.voices.iter().map(|voice| voice.log).fold(f64::NEG_INFINITY, f64::max);
        let mut sum = 0.0;
        for voice in &mut self.voices {
            // Taken off first, so that weights far from one keep their digits.
            voice.log -= most;
            voice.p = voice.log.exp();
            sum += voice.p;
        }
        let log = sum.ln();
        for voice in &mut self.voices {
            voice.log -= log;
            voice.p /= sum;
        }
        most + log
    }
}
