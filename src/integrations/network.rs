//! Questions through a network's forward passes, whatever the framework.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::error::SourceError;
use crate::orchestration::source::panic_message;
use crate::orchestration::{Opinion, Question, Reply};
use crate::tensor::Encoding;

/// A network in the terms of its framework.
pub(super) trait Forward<I: ?Sized> {
    /// A question's features. Clones share the numbers.
    type Features: Clone;
    /// What features that go through one pass have in common.
    type Kind: PartialEq;

    fn encode(&self, question: &Question<I>) -> Result<Self::Features, SourceError>;

    fn kind(&self, features: &Self::Features) -> Self::Kind;

    /// One pass over the features stacked in their order.
    fn forward(&self, features: Vec<Self::Features>) -> Result<Rows, SourceError>;
}

/// What comes out of a pass, on the host.
pub(super) struct Rows {
    pub shape: Vec<usize>,
    /// Row-major, as many as the shape says.
    pub values: Vec<f32>,
}

/// A question that goes through a pass: where it stood, itself, its features.
type Entry<'a, I, F> = (usize, &'a Question<I>, F);

/// Questions that go through together.
struct Pass<'a, I: ?Sized, N: Forward<I>> {
    kind: N::Kind,
    entries: Vec<Entry<'a, I, N::Features>>,
}

/// Answers each question, in their order: one pass for each kind of features; where a pass fails, each of its questions by
/// itself.
pub(super) fn answer<I: ?Sized, N: Forward<I>>(
    network: &N,
    encoding: Encoding,
    questions: &[Question<I>],
) -> Vec<Result<Reply, SourceError>> {
    let mut replies: Vec<_> = questions.iter().map(|_| None).collect();
    let mut passes: Vec<Pass<'_, I, N>> = Vec::new();
    for (place, question) in questions.iter().enumerate() {
        let encoded = guarded(|| network.encode(question).map(|features| (network.kind(&features), features)));
        match encoded {
            Ok((kind, features)) => match passes.iter_mut().find(|pass| pass.kind == kind) {
                Some(pass) => pass.entries.push((place, question, features)),
                None => passes.push(Pass { kind, entries: vec![(place, question, features)] }),
            },
            Err(error) => replies[place] = Some(Err(error)),
        }
    }
    for Pass { entries, .. } in passes {
        let rows = run(network, &entries);
        // The others of a pass that failed may be none the worse for it.
        if rows.is_err() && entries.len() > 1 {
            entries.chunks(1).for_each(|entry| share_out(run(network, entry), encoding, entry, &mut replies));
        } else {
            share_out(rows, encoding, &entries, &mut replies);
        }
    }
    // Every question has its reply: that of its features or that of its pass.
    replies.into_iter().flatten().collect()
}

fn run<I: ?Sized, N: Forward<I>>(network: &N, entries: &[Entry<'_, I, N::Features>]) -> Result<Rows, SourceError> {
    guarded(|| network.forward(entries.iter().map(|(_, _, features)| features.clone()).collect()))
}

/// Gives each question of a pass its row, or the error.
fn share_out<I: ?Sized, F>(
    rows: Result<Rows, SourceError>,
    encoding: Encoding,
    entries: &[Entry<'_, I, F>],
    replies: &mut [Option<Result<Reply, SourceError>>],
) {
    for (row, &(place, question, _)) in entries.iter().enumerate() {
        let classes = question.classes;
        replies[place] = Some(match &rows {
            Ok(Rows { shape, values }) if **shape == [entries.len(), classes] => {
                Ok(opinion(encoding, values[row * classes..][..classes].to_vec()).into())
            }
            Ok(Rows { shape, .. }) => Err(SourceError::Invalid { why: wrong_shape(shape, entries.len(), classes) }),
            Err(error) => Err(error.clone()),
        });
    }
}

fn opinion(encoding: Encoding, row: Vec<f32>) -> Opinion {
    match encoding {
        Encoding::Probabilities => Opinion::Probabilities(row),
        Encoding::LogProbabilities => Opinion::LogProbabilities(row),
        Encoding::Logits => Opinion::Logits(row),
    }
}

fn wrong_shape(shape: &[usize], questions: usize, classes: usize) -> String {
    let plural = if questions == 1 { "" } else { "s" };
    format!(
        "the network's output has the shape {shape:?}; for {questions} question{plural} over {classes} classes it must be \
         [{questions}, {classes}]"
    )
}

/// Runs code of the caller's; a panic in it is the error of what it was run for.
fn guarded<T>(call: impl FnOnce() -> Result<T, SourceError>) -> Result<T, SourceError> {
    // What it leaves behind half done is in the caller's own keeping, as it is with any batcher's process.
    catch_unwind(AssertUnwindSafe(call))
        .unwrap_or_else(|panic| Err(SourceError::Panicked { message: panic_message(&*panic) }))
}
