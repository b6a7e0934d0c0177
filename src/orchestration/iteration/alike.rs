//! How alike two thoughts are.

use std::collections::HashSet;

/// When two thoughts count as alike: their opinions are, and their words are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Alike {
    /// The least [`opinion_similarity`], in [0, 1]. Two that abstain are alike; one that does and one that does not are
    /// not. Default: 0.95.
    pub opinions: f64,
    /// The least [`word_similarity`], in [0, 1], asked for where both thoughts have words. Default: 0, any words.
    pub words: f64,
}

impl Default for Alike {
    fn default() -> Self {
        Self { opinions: 0.95, words: 0.0 }
    }
}

/// A thought as it is compared: its probabilities, unless it abstained, and its words.
pub(super) type Said<'a> = (Option<&'a [f32]>, Option<&'a str>);

impl Alike {
    pub(super) fn holds(&self, (p, a): Said<'_>, (q, b): Said<'_>) -> bool {
        let opinions = match (p, q) {
            (Some(p), Some(q)) => opinion_similarity(p, q),
            (None, None) => 1.0,
            _ => 0.0,
        };
        let words = a.zip(b).map_or(1.0, |(a, b)| word_similarity(a, b));
        opinions >= self.opinions && words >= self.words
    }
}

/// 1 less the Jensen-Shannon divergence of two distributions over ln 2: 1 where they are the same, 0 where no class has
/// any probability in both. Classes that one of them lacks have probability 0 in it.
///
/// # Examples
///
/// *The same, and nothing in common.*
///
/// ```
/// use consilience::orchestration::iteration::opinion_similarity;
///
/// assert_eq!(opinion_similarity(&[0.25, 0.75], &[0.25, 0.75]), 1.0);
/// assert_eq!(opinion_similarity(&[1.0, 0.0], &[0.0, 1.0]), 0.0);
/// ```
#[must_use]
pub fn opinion_similarity(p: &[f32], q: &[f32]) -> f64 {
    let at = |row: &[f32], class: usize| row.get(class).map_or(0.0, |x| f64::from(*x));
    let share = |x: f64, middle: f64| if x > 0.0 { x * (x / middle).ln() } else { 0.0 };
    let divergence: f64 = (0..p.len().max(q.len()))
        .map(|class| {
            let (p, q) = (at(p, class), at(q, class));
            let middle = 0.5 * (p + q);
            0.5 * (share(p, middle) + share(q, middle))
        })
        .sum();
    (1.0 - divergence / std::f64::consts::LN_2).clamp(0.0, 1.0)
}

/// The words two texts share over all their words, each counted once, in lower case; 1 where neither has any. A word is a
/// run of letters and digits.
///
/// # Examples
///
/// *Two of four words are shared.*
///
/// ```
/// use consilience::orchestration::iteration::word_similarity;
///
/// assert_eq!(word_similarity("A cat, a small cat!", "a small dog"), 0.5);
/// ```
#[must_use]
pub fn word_similarity(a: &str, b: &str) -> f64 {
    let words = |text: &str| -> HashSet<String> {
        text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
    };
    let (a, b) = (words(a), words(b));
    let shared = a.intersection(&b).count();
    match a.len() + b.len() - shared {
        0 => 1.0,
        all => shared as f64 / all as f64,
    }
}
