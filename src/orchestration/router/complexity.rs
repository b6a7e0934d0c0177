//! How complex a request looks.

mod marks;

use serde::{Deserialize, Serialize};

use self::marks::Marks;

/// What the words of a request tell of its complexity.
///
/// The score is min(words / 100, 0.3) + 0.2 \[question\] + 0.3 \[code\] + 0.2 \[math\] + min(0.1 x sentences, 0.3): from 0
/// for an empty text to 1.3, [`Complexity::MOST`]; it is not clamped to 1.
///
/// | part | how it is recognised |
/// |---|---|
/// | words | stretches between white space with a letter or a digit in them |
/// | sentences | stretches with a letter or a digit in them that end at `.`, `!` or `?` before white space, a closing quote or bracket, or the end; at `。`, `！` or `？` anywhere; or with the text. Abbreviations are not known |
/// | question | `?`, `？` or `؟` anywhere |
/// | code | a backtick; one of `::` `->` `=>` `==` `!=` `&&` `\|\|` `</` `/>` `()`; or a line that ends in `;`, `{` or `}` or begins with `fn `, `def ` or `#include` |
/// | math | a character of the block of mathematical operators (∑, √, ≤ …) or one of × ÷ ± π; `\frac`, `\sum`, `\int`, `\sqrt`, `\(` or `\[`; or one of `+` `*` `^` `=` between two operands, spaces aside. An operand is a number, a letter by itself or a bracket |
///
/// # Examples
///
/// *A short question, and one with code in it.*
///
/// ```
/// use consilience::orchestration::router::Complexity;
///
/// let short = Complexity::of("What is the capital of France?");
/// assert_eq!((short.words, short.sentences, short.question), (6, 1, true));
/// assert_eq!(short.score(), 0.36);
/// assert_eq!(Complexity::of("Why does `x = y` not compile?").score(), 0.86);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Complexity {
    /// Words, counted up to [`Complexity::WORDS`].
    pub words: u32,
    /// Sentences, counted up to [`Complexity::SENTENCES`].
    pub sentences: u32,
    /// Whether it asks something.
    pub question: bool,
    /// Whether there is code in it.
    pub code: bool,
    /// Whether there is mathematics in it.
    pub math: bool,
}

impl Complexity {
    /// The largest score.
    pub const MOST: f64 = 1.3;
    /// As many words as make a difference.
    pub const WORDS: u32 = 30;
    /// As many sentences as make a difference.
    pub const SENTENCES: u32 = 3;

    /// The complexity of a text, in time proportional to its length at most.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let words = text.split_whitespace().filter(|word| word.contains(char::is_alphanumeric));
        let words = words.take(Self::WORDS as usize).count() as u32;
        let Marks { sentences, question, code, math } = Marks::of(text);
        Self { words, sentences, question, code, math }
    }

    /// The score, in [0, [`Complexity::MOST`]].
    #[must_use]
    pub fn score(&self) -> f64 {
        // In hundredths, so that a score is the number nearest to what it says.
        let hundredths = self.words.min(Self::WORDS)
            + 20 * u32::from(self.question)
            + 30 * u32::from(self.code)
            + 20 * u32::from(self.math)
            + 10 * self.sentences.min(Self::SENTENCES);
        f64::from(hundredths) / 100.0
    }
}
