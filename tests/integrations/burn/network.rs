//! Modules of burn as live sources, on its CPU backend.

use std::sync::{Arc, Mutex};

use ::burn::module::{Module, Param};
use ::burn::nn::Linear;
use ::burn::tensor::activation::relu;
use ::burn::tensor::{DType, Device, FloatDType, Int, Tensor};
use consilience::burn::Network;
use consilience::orchestration::source::Model;
use consilience::orchestration::{Opinion, Question};
use consilience::{Encoding, SourceError};
use half::bf16;

use crate::integrations::perceptron::{self, HIDDEN, HIDDEN_BIAS, OUT, OUT_BIAS, answers, errors};

/// Two layers with the weights of the test's network.
#[derive(Module, Debug)]
struct Perceptron {
    hidden: Linear,
    out: Linear,
}

impl Perceptron {
    fn new(device: &Device) -> Self {
        let bias = |values: &[f32]| Some(Param::from_data(values, device));
        Self {
            hidden: Linear { weight: Param::from_data(HIDDEN, device), bias: bias(&HIDDEN_BIAS) },
            out: Linear { weight: Param::from_data(OUT, device), bias: bias(&OUT_BIAS) },
        }
    }

    fn forward(&self, features: Tensor<2>) -> Tensor<2> {
        self.out.forward(relu(self.hidden.forward(features)))
    }
}

/// A question's numbers as they are.
fn encode(question: &Question<[f32]>) -> Result<Tensor<1>, SourceError> {
    Ok(Tensor::from_data(&*question.input, &Device::flex()))
}

fn perceptron() -> impl Model<[f32]> {
    let module = Perceptron::new(&Device::flex());
    Network::new(Encoding::Logits, encode, move |features: Tensor<2>| module.forward(features))
}

#[tokio::test]
async fn a_module_says_what_it_says_in_f64() {
    perceptron::check(&perceptron());
}

#[tokio::test]
async fn it_is_fused_beside_a_closure() {
    perceptron::check_fused(perceptron()).await;
}

#[tokio::test]
async fn features_of_one_shape_share_a_pass_and_a_panic_is_its_culprits() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let passes = Arc::clone(&seen);
    // Two features fit, three do not, which burn panics of.
    let forward = move |features: Tensor<2>| {
        passes.lock().expect("a lock").push(features.dims());
        features.matmul(Tensor::from_data([[1.0, 0.0], [0.0, 1.0]], &Device::flex()))
    };
    let network = Network::new(Encoding::Logits, encode, forward);
    let said = answers(&network, &[&[1.0, 2.0], &[3.0, 5.0, 4.0], &[7.0, 6.0]]);
    let [Ok(first), Err(SourceError::Panicked { message }), Ok(last)] = &said[..] else { panic!("{said:?}") };
    assert_eq!((first, last), (&Opinion::Logits(vec![1.0, 2.0]), &Opinion::Logits(vec![7.0, 6.0])));
    assert!(message.to_lowercase().contains("matmul"), "{message}");
    assert_eq!(*seen.lock().expect("a lock"), [[2, 2], [1, 3]]);
}

#[tokio::test]
async fn features_may_be_images_or_words() {
    // An image of two by two, whose rows are averaged.
    let image =
        |question: &Question<[f32]>| Ok(Tensor::<1>::from_data(&*question.input, &Device::flex()).reshape([2, 2]));
    let mean = |images: Tensor<3>| images.mean_dim(2).squeeze_dim(2);
    let images = Network::<2, 3, _, _>::new(Encoding::Logits, image, mean);
    let said = answers(&images, &[&[1.0, 2.0, 3.0, 5.0]]).remove(0).expect("an answer");
    assert_eq!(said, Opinion::Logits(vec![1.5, 4.0]));

    // Words by their numbers.
    let words = |question: &Question<[f32]>| {
        let words: Vec<i32> = question.input.iter().map(|&word| word as i32).collect();
        Ok(Tensor::<1, Int>::from_data(&words[..], &Device::flex()))
    };
    let network = Network::new(Encoding::Logits, words, |words: Tensor<2, Int>| (words * 3).float());
    let said = answers(&network, &[&[1.0, 2.0], &[3.0, 4.0]]);
    assert_eq!(said[0].as_ref().expect("an answer"), &Opinion::Logits(vec![3.0, 6.0]));
    assert_eq!(said[1].as_ref().expect("an answer"), &Opinion::Logits(vec![9.0, 12.0]));
}

#[tokio::test]
async fn rows_of_any_float_type_become_f32() {
    for (dtype, third) in [(FloatDType::F64, 1.0 / 3.0), (FloatDType::BF16, bf16::from_f32(1.0 / 3.0).to_f32())] {
        let network = Network::new(Encoding::Logits, encode, move |features: Tensor<2>| features.cast(dtype));
        let said = answers(&network, &[&[1.0 / 3.0, -2.0]]).remove(0).expect("an answer");
        assert_eq!(said, Opinion::Logits(vec![third, -2.0]), "{dtype:?}");
    }
}

#[tokio::test]
async fn features_of_unlike_types_go_through_separately() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let passes = Arc::clone(&seen);
    let encode = |question: &Question<[f32]>| {
        let dtype = if question.input[0] < 0.0 { FloatDType::F64 } else { FloatDType::F32 };
        Ok(encode(question)?.cast(dtype))
    };
    let forward = move |features: Tensor<2>| {
        passes.lock().expect("a lock").push((features.dims(), features.dtype()));
        features
    };
    let network = Network::new(Encoding::Logits, encode, forward);
    assert_eq!(errors(&network, &[&[1.0, 2.0], &[-1.0, 0.0], &[3.0, 4.0]]), [None, None, None]);
    assert_eq!(*seen.lock().expect("a lock"), [([2, 2], DType::F32), ([1, 2], DType::F64)]);
}

#[tokio::test]
async fn errors_and_shapes_are_as_with_any_network() {
    let encode = |question: &Question<[f32]>| match question.input[0] {
        9.0 => Err(SourceError::failed("nine is no feature")),
        _ => encode(question),
    };
    let network = Network::new(Encoding::Logits, encode, |features: Tensor<2>| features.sum_dim(1));
    let shape = "its opinion is not valid: the network's output has the shape [1, 1]; for 1 question over 2 classes it must \
                 be [1, 2]";
    let said = errors(&network, &[&[9.0, 0.0], &[1.0, 2.0]]);
    assert_eq!(said, [Some("nine is no feature".to_owned()), Some(shape.to_owned())]);
    assert_eq!(format!("{network:?}"), "Network { encoding: Logits, rank: 1, .. }");
}
