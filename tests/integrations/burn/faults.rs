//! What cannot be fused, by its message.

use ::burn::tensor::{Device, FloatDType, Tensor};
use consilience::burn::{Input, fuse};
use consilience::{Encoding, Engine, Error, Fusion, Rule, Weighting};

fn refused(input: impl Into<Input>) -> Error {
    refused_by(&Fusion::new(Rule::Linear), input)
}

fn refused_by(fusion: &Fusion, input: impl Into<Input>) -> Error {
    let engine = Engine::cpu().expect("an engine");
    fuse(&engine, fusion, Encoding::Probabilities, input).expect_err("a refusal")
}

fn halves(sources: usize, items: usize) -> Tensor<3> {
    Tensor::full([sources, items, 2], 0.5, &Device::flex())
}

fn plane(items: usize, classes: usize) -> Tensor<2> {
    Tensor::full([items, classes], 1.0 / classes as f32, &Device::flex())
}

#[test]
fn numbers_of_another_type() {
    let error = refused(halves(2, 3).cast(FloatDType::F64));
    assert!(error.is_burn() && !error.is_shape(), "{error:?}");
    assert_eq!(error.to_string(), "the stacked tensor is of f64; fusion reads f32: cast it");
    let error = refused([plane(3, 2), plane(3, 2).cast(FloatDType::F16)]);
    assert_eq!(error.to_string(), "the tensor of source 1 is of f16; fusion reads f32: cast it");
}

#[test]
fn dimensions_of_nothing() {
    for (shape, of) in [([0, 3, 2], "source"), ([2, 0, 2], "item"), ([2, 3, 0], "class")] {
        let error = refused(Tensor::<3>::zeros(shape, &Device::flex()));
        assert!(error.is_shape(), "{error:?}");
        assert_eq!(
            error.to_string(),
            format!("the stacked tensor has the shape {shape:?}; it needs at least one {of}")
        );
    }
    let error = refused([plane(3, 2), plane(0, 2)]);
    assert_eq!(error.to_string(), "the tensor of source 1 has the shape [0, 2]; it needs at least one item");
    let error = refused(Vec::new());
    assert_eq!(error.to_string(), "evidence has no sources; give at least one plane of opinions");
}

#[test]
fn shapes_that_differ() {
    let error = refused([plane(3, 2), plane(3, 2), plane(3, 4)]);
    assert!(error.is_shape(), "{error:?}");
    let message = "the tensor of source 2 has the shape [3, 4], that of source 0 [3, 2]; they must agree";
    assert_eq!(error.to_string(), message);
}

#[test]
fn checkpointing_on_one_and_not_on_the_other() {
    let device = Device::flex().autodiff();
    let apart = [
        Tensor::<2>::full([3, 2], 0.5, &device),
        Tensor::<2>::full([3, 2], 0.5, &Device::flex()),
        Tensor::<2>::full([3, 2], 0.5, &device.gradient_checkpointing()),
    ];
    let error = refused(apart);
    assert!(error.is_burn(), "{error:?}");
    let message = error.to_string();
    assert!(message.starts_with("the tensor of source 2 is on ") && message.contains("Balanced"), "{message}");
}

#[test]
fn a_specification_that_does_not_fit() {
    let error = refused_by(&Fusion::new(Rule::Linear).weighting(Weighting::Fixed(vec![1.0; 3])), halves(2, 3));
    assert!(error.is_spec(), "{error:?}");
}

#[test]
fn an_opinion_that_is_none_is_named() {
    let mut values = [0.5_f32; 12];
    values[9] = -0.25;
    let tensor = Tensor::<1>::from_floats(values, &Device::flex()).reshape([2, 3, 2]);
    for tensor in [tensor.clone(), tensor.clone().autodiff(), tensor.autodiff().require_grad()] {
        let error = refused(tensor);
        assert!(error.is_invalid_evidence(), "{error:?}");
        assert_eq!(error.invalid_opinion().map(|o| (o.source, o.item, o.class)), Some((1, 1, Some(1))));
    }
}
