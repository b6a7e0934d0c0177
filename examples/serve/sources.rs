//! Five sources that say what a customer's message is: quick, simple, and each wrong in its own way.

use std::sync::Arc;
use std::time::Duration;

use consilience::orchestration::control::Governed;
use consilience::orchestration::{Opinion, Question, Reply, Source, source};

use crate::Failure;
use crate::fault::{Fault, Faulty};

/// How often a source that rests is asked on the side.
const PROBE_EVERY: Duration = Duration::from_secs(2);

/// What a message may be.
pub const CLASSES: [&str; 3] = ["praise", "complaint", "question"];

/// The sources of a group.
type Sources = Vec<Arc<Governed<str>>>;

/// A word, or its beginning, and what it says for each class, as logits.
type Cue = (&'static str, [f32; 3]);

const PRAISE: &[Cue] = &[
    ("thank", [2.0, -0.5, -0.5]),
    ("great", [2.0, -0.5, -0.5]),
    ("love", [2.0, -0.5, -0.5]),
    ("perfect", [2.5, -0.5, -0.5]),
    ("excellent", [2.5, -0.5, -0.5]),
    ("happy", [1.5, 0.0, -0.5]),
    ("friendly", [1.5, 0.0, -0.5]),
    ("fast", [1.0, 0.0, 0.0]),
    ("recommend", [1.5, 0.0, 0.0]),
];

const COMPLAINT: &[Cue] = &[
    ("broken", [-0.5, 2.5, 0.0]),
    ("late", [-0.5, 2.0, 0.5]),
    ("refund", [-0.5, 2.0, 0.5]),
    ("never", [-0.5, 1.5, 0.0]),
    ("terrible", [-1.0, 2.5, -0.5]),
    ("worst", [-1.0, 2.5, -0.5]),
    ("wrong", [-0.5, 2.0, 0.0]),
    ("damaged", [-0.5, 2.5, 0.0]),
    ("disappoint", [-0.5, 2.5, -0.5]),
    ("not", [-0.5, 1.0, 0.0]),
    ("cancel", [-0.5, 1.5, 0.5]),
];

const QUESTION: &[Cue] = &[
    ("how", [-0.5, 0.0, 2.0]),
    ("what", [-0.5, 0.0, 2.0]),
    ("when", [-0.5, 0.0, 1.5]),
    ("where", [-0.5, 0.0, 2.0]),
    ("which", [-0.5, 0.0, 2.0]),
    ("who", [-0.5, 0.0, 1.5]),
    ("why", [-0.5, 1.0, 1.5]),
    ("can", [0.0, 0.0, 1.0]),
    ("could", [0.0, 0.0, 1.0]),
    ("do", [0.0, 0.0, 0.5]),
    ("is", [0.0, 0.0, 0.3]),
];

/// The sum of what the words of a text say.
fn by_words(text: &str, cues: &[Cue]) -> [f32; 3] {
    let lower = text.to_lowercase();
    let words = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.fold([0.0; 3], |sum, word| {
        let said = cues.iter().find(|(cue, _)| if cue.len() > 4 { word.starts_with(cue) } else { word == *cue });
        said.map_or(sum, |(_, logits)| std::array::from_fn(|class| sum[class] + logits[class]))
    })
}

fn by_punctuation(text: &str) -> [f32; 3] {
    let count = |mark: char| text.chars().filter(|&c| c == mark).count() as f32;
    let shouted =
        text.split_whitespace().filter(|word| word.len() > 2 && !word.chars().any(char::is_lowercase)).count();
    [0.5 * count('!').min(2.0) - shouted as f32, 0.4 * count('!').min(3.0) + shouted as f32, 2.5 * count('?').min(2.0)]
}

/// Those who complain write more.
fn by_length(text: &str) -> [f32; 3] {
    let words = text.split_whitespace().count() as f32;
    [0.8 - 0.04 * words, -0.6 + 0.05 * words, 0.3 - 0.02 * words]
}

fn reader(name: &'static str, reads: impl Fn(&str) -> [f32; 3] + Send + Sync + 'static) -> Arc<dyn Source<str>> {
    let reads = Arc::new(reads);
    Arc::new(source::of(name, move |question: Question<str>| {
        let reads = Arc::clone(&reads);
        async move { Ok(Reply::from(Opinion::Logits(reads(&question.input).to_vec()))) }
    }))
}

/// The sources that know words, and those that look at how it is written.
///
/// # Errors
///
/// A fault of a source that there is not.
pub fn groups(slow: &[Fault], fails: &[Fault]) -> Result<[Sources; 2], Failure> {
    let words: Vec<Arc<dyn Source<str>>> = vec![
        reader("praise", |text| by_words(text, PRAISE)),
        reader("complaint", |text| by_words(text, COMPLAINT)),
        reader("question", |text| by_words(text, QUESTION)),
    ];
    let readers = vec![reader("punctuation", by_punctuation), reader("length", by_length)];
    let groups = [words, readers];
    let names: Vec<&str> = groups.iter().flatten().map(|source| source.name()).collect();
    if let Some(fault) = slow.iter().chain(fails).find(|fault| !names.contains(&&fault.name[..])) {
        return Err(format!("there is no source `{}`; there are {}", fault.name, names.join(", ")).into());
    }
    let governed = |source: &Arc<dyn Source<str>>| {
        let faulty = Arc::new(Faulty::new(Arc::clone(source), slow, fails));
        Ok(Arc::new(Governed::new(faulty, PROBE_EVERY)?))
    };
    let [words, readers] = groups;
    let governed = |group: Vec<_>| group.iter().map(governed).collect::<Result<Sources, Failure>>();
    Ok([governed(words)?, governed(readers)?])
}
