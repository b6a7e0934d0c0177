//! Networks of candle.

mod faults;
mod fuse;
mod refused;
mod trained;

use std::sync::{Arc, Mutex};

use ::candle_core::{DType, Device, Result, Tensor};
use consilience::Encoding;
use consilience::candle::Network;
use consilience::orchestration::source::Model;
use consilience::orchestration::{Opinion, Question};
use half::{bf16, f16};

use super::perceptron::{self, HIDDEN, HIDDEN_BIAS, OUT, OUT_BIAS, answers, errors, over};

/// A question's numbers as they are.
fn encode(question: &Question<[f32]>) -> Result<Tensor> {
    Tensor::new(&*question.input, &Device::Cpu)
}

fn perceptron() -> impl Model<[f32]> {
    let weights = |rows: Result<Tensor>| rows.expect("a tensor");
    let hidden = weights(Tensor::new(&HIDDEN, &Device::Cpu));
    let hidden_bias = weights(Tensor::new(&HIDDEN_BIAS, &Device::Cpu));
    let out = weights(Tensor::new(&OUT, &Device::Cpu));
    let out_bias = weights(Tensor::new(&OUT_BIAS, &Device::Cpu));
    let forward = move |x: &Tensor| {
        let on = x.matmul(&hidden)?.broadcast_add(&hidden_bias)?.relu()?;
        on.matmul(&out)?.broadcast_add(&out_bias)
    };
    Network::new(Encoding::Logits, encode, forward)
}

#[tokio::test]
async fn a_network_says_what_it_says_in_f64() {
    perceptron::check(&perceptron());
}

#[tokio::test]
async fn it_is_fused_beside_a_closure() {
    perceptron::check_fused(perceptron()).await;
}

#[tokio::test]
async fn features_of_one_shape_and_type_share_a_pass() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let passes = Arc::clone(&seen);
    // A first number below zero asks for f64.
    let encode = |question: &Question<[f32]>| {
        let dtype = if question.input[0] < 0.0 { DType::F64 } else { DType::F32 };
        Tensor::new(&*question.input, &Device::Cpu)?.to_dtype(dtype)
    };
    let forward = move |x: &Tensor| {
        passes.lock().expect("a lock").push((x.dims().to_vec(), x.dtype()));
        Tensor::cat(&[x.min_keepdim(1)?, x.max_keepdim(1)?], 1)
    };
    let network = Network::new(Encoding::Logits, encode, forward);
    let said = answers(&network, &[&[1.0, 2.0], &[3.0, 5.0, 4.0], &[-1.0, 0.0], &[7.0, 6.0]]);
    let rows: Vec<_> = said.into_iter().map(|answer| answer.expect("an answer")).collect();
    let expected = [[1.0, 2.0], [3.0, 5.0], [-1.0, 0.0], [6.0, 7.0]];
    assert_eq!(rows, expected.map(|row| Opinion::Logits(row.to_vec())));
    let passes = [(vec![2, 2], DType::F32), (vec![1, 3], DType::F32), (vec![1, 2], DType::F64)];
    assert_eq!(*seen.lock().expect("a lock"), passes);
}

#[tokio::test]
async fn rows_of_any_float_type_become_f32() {
    for (dtype, third) in [
        (DType::F64, 1.0 / 3.0),
        (DType::F32, 1.0 / 3.0),
        (DType::F16, f16::from_f32(1.0 / 3.0).to_f32()),
        (DType::BF16, bf16::from_f32(1.0 / 3.0).to_f32()),
    ] {
        let network = Network::new(Encoding::Logits, encode, move |x: &Tensor| x.to_dtype(dtype));
        let said = answers(&network, &[&[1.0 / 3.0, -2.0]]).remove(0).expect("an answer");
        assert_eq!(said, Opinion::Logits(vec![third, -2.0]), "{dtype:?}");
    }
    let network = Network::new(Encoding::Logits, encode, |x: &Tensor| x.to_dtype(DType::U32));
    let said = errors(&network, &[&[1.0, 2.0]]);
    let expected = "its opinion is not valid: the network's output is of the type u32; it must be a float";
    assert_eq!(said, [Some(expected.to_owned())]);
}

#[tokio::test]
async fn rows_are_read_by_their_encoding() {
    let values = vec![0.25, 0.75];
    for (encoding, expected) in [
        (Encoding::Probabilities, Opinion::Probabilities(values.clone())),
        (Encoding::LogProbabilities, Opinion::LogProbabilities(values.clone())),
        (Encoding::Logits, Opinion::Logits(values.clone())),
    ] {
        let network = Network::new(encoding, encode, |x: &Tensor| Ok(x.clone()));
        assert_eq!(answers(&network, &[&values]).remove(0).expect("an answer"), expected);
    }
}

#[tokio::test]
async fn a_transposed_output_is_read_by_its_rows() {
    // Not contiguous: the rows are taken apart and laid side by side again.
    let forward = |x: &Tensor| Tensor::stack(&[x.get_on_dim(1, 0)?, x.get_on_dim(1, 1)?], 0)?.t();
    let network = Network::new(Encoding::Logits, encode, forward);
    let said = answers(&network, &[&[1.0, 2.0], &[3.0, 4.0]]);
    let rows: Vec<_> = said.into_iter().map(|answer| answer.expect("an answer")).collect();
    assert_eq!(rows, [[1.0, 2.0], [3.0, 4.0]].map(|row| Opinion::Logits(row.to_vec())));
}

#[tokio::test]
async fn each_question_has_its_own_classes() {
    let network = Network::new(Encoding::Logits, encode, |x: &Tensor| Ok(x.clone()));
    let replies = network.answer(&[over(2, &[1.0, 2.0]), over(3, &[1.0, 2.0]), over(3, &[1.0, 2.0, 3.0])]);
    let said: Vec<_> = replies.into_iter().map(|reply| reply.map(|reply| reply.opinion)).collect();
    let [Ok(two), Err(error), Ok(three)] = &said[..] else { panic!("{said:?}") };
    assert_eq!((two, three), (&Opinion::Logits(vec![1.0, 2.0]), &Opinion::Logits(vec![1.0, 2.0, 3.0])));
    let expected = "its opinion is not valid: the network's output has the shape [2, 2]; for 2 questions over 3 classes \
                    it must be [2, 3]";
    assert_eq!(error.to_string(), expected);
}
