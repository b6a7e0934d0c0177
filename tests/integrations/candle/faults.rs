//! What fails alone and what fails together.

use std::backtrace::Backtrace;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ::candle_core::{Error, Tensor, bail};
use consilience::Encoding;
use consilience::candle::Network;
use consilience::orchestration::Question;
use consilience::orchestration::source::Model;

use super::super::perceptron::{errors, question};
use super::encode;

/// A network that counts its passes; one whose stack holds a 9 fails, one with an 8 panics.
fn brittle() -> (impl Model<[f32]>, Arc<AtomicUsize>) {
    let passes = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&passes);
    let forward = move |x: &Tensor| {
        count.fetch_add(1, Ordering::SeqCst);
        match x.max_all()?.to_scalar::<f32>()? {
            9.0 => bail!("there is a nine"),
            8.0 => panic!("a test asked for this panic"),
            _ => Ok(x.clone()),
        }
    };
    (Network::new(Encoding::Logits, encode, forward), passes)
}

#[tokio::test]
async fn of_a_pass_that_fails_the_culprit_alone_fails() {
    for (culprit, expected) in [(9.0, "there is a nine"), (8.0, "it panicked: a test asked for this panic")] {
        let (network, passes) = brittle();
        let said = errors(&network, &[&[1.0, 2.0], &[culprit, 0.0], &[3.0, 4.0]]);
        assert_eq!(said, [None, Some(expected.to_owned()), None]);
        // All together, then each by itself.
        assert_eq!(passes.load(Ordering::SeqCst), 4);
    }
}

#[tokio::test]
async fn a_question_that_fails_by_itself_is_not_tried_again() {
    let (network, passes) = brittle();
    assert_eq!(errors(&network, &[&[9.0, 0.0]]), [Some("there is a nine".to_owned())]);
    assert_eq!(passes.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_pass_that_fails_leaves_those_of_other_shapes_alone() {
    let (network, passes) = brittle();
    let questions = [question(&[9.0, 0.0, 0.0]), question(&[1.0, 2.0]), question(&[3.0, 4.0])];
    let replies = network.answer(&questions);
    assert!(replies[0].is_err() && replies[1].is_ok() && replies[2].is_ok(), "{replies:?}");
    assert_eq!(passes.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn features_that_cannot_be_made_are_their_questions_affair() {
    let encode = |question: &Question<[f32]>| match question.input[0] {
        9.0 => bail!("nine is no feature"),
        8.0 => panic!("a test asked for this panic"),
        _ => encode(question),
    };
    let network = Network::new(Encoding::Logits, encode, |x: &Tensor| Ok(x.clone()));
    let said = errors(&network, &[&[9.0, 0.0], &[1.0, 2.0], &[8.0, 0.0]]);
    let panicked = "it panicked: a test asked for this panic";
    assert_eq!(said, [Some("nine is no feature".to_owned()), None, Some(panicked.to_owned())]);
}

#[tokio::test]
async fn an_output_of_another_shape_says_both() {
    let says = |forward: fn(&Tensor) -> ::candle_core::Result<Tensor>| {
        let network = Network::new(Encoding::Logits, encode, forward);
        errors(&network, &[&[1.0, 2.0], &[3.0, 4.0]])
    };
    let expected = |shape: &str| {
        let why =
            format!("the network's output has the shape {shape}; for 2 questions over 2 classes it must be [2, 2]");
        let error = Some(format!("its opinion is not valid: {why}"));
        [error.clone(), error]
    };
    assert_eq!(says(|x| x.sum(1)), expected("[2]"));
    assert_eq!(says(|x| x.get(0)?.unsqueeze(0)), expected("[1, 2]"));
    assert_eq!(says(|x| x.unsqueeze(1)), expected("[2, 1, 2]"));
    assert_eq!(says(|x| Tensor::cat(&[x, x], 1)), expected("[2, 4]"));
    assert_eq!(says(|x| x.sum_all()), expected("[]"));

    let network = Network::new(Encoding::Logits, encode, |x: &Tensor| x.sum(1));
    let one = errors(&network, &[&[1.0, 2.0]]).remove(0).expect("an error");
    assert!(one.contains("has the shape [1]; for 1 question over 2 classes it must be [1, 2]"), "{one}");
}

#[tokio::test]
async fn a_backtrace_is_left_out_of_the_words() {
    let forward = |_: &Tensor| {
        let inner = Box::new(Error::msg("out of memory"));
        Err(Error::WithBacktrace { inner, backtrace: Box::new(Backtrace::force_capture()) })
    };
    let network = Network::new(Encoding::Logits, encode, forward);
    assert_eq!(errors(&network, &[&[1.0, 2.0]]), [Some("out of memory".to_owned())]);
}
