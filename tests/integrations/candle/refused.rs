//! Tensors that cannot be fused, and gradients that there are none of.

use ::candle_core::{DType, Device, Error, Tensor, Var};
use consilience::candle::{cause, fuse, fuse_outputs, fuse_sources, with_evidence};
use consilience::{Encoding, Fusion, Output, Rule};

use super::fuse::ENGINES;

fn zeros(shape: &[usize], dtype: DType) -> Tensor {
    Tensor::zeros(shape, dtype, &Device::Cpu).expect("a tensor")
}

/// What is said, without the trace of calls that candle may add.
fn said(error: &Error) -> String {
    cause(error).expect("an error of ours").to_string()
}

#[test]
fn another_rank_type_or_size_is_named() {
    let engine = &ENGINES[0];
    for (tensor, want) in [
        (zeros(&[2, 3], DType::F32), "the tensor has the shape [2, 3]; it must be [sources, items, classes]"),
        (
            zeros(&[1, 2, 3], DType::F64),
            "the tensor is of f64; fusion reads f32, bf16 and f16: convert it by `to_dtype(DType::F32)`",
        ),
        (
            zeros(&[1, 2, 3], DType::U32),
            "the tensor is of u32; fusion reads f32, bf16 and f16: convert it by `to_dtype(DType::F32)`",
        ),
        (zeros(&[0, 2, 3], DType::F32), "evidence has no sources; give at least one plane of opinions"),
        (zeros(&[1, 2, 0], DType::F32), "evidence has no classes; an opinion needs at least one class"),
    ] {
        let error = fuse(engine, &Fusion::default(), Encoding::Logits, &tensor).expect_err("an error");
        assert_eq!(said(&error), want);
        assert!(error.to_string().contains(want), "{error}");
        let decision = Fusion::default().outputs(&[Output::Decision]);
        let error = fuse_outputs(engine, &decision, Encoding::Logits, &tensor).expect_err("an error");
        assert_eq!(said(&error), want);
    }
    let error = fuse(engine, &Fusion::default(), Encoding::Logits, &zeros(&[3], DType::F32)).expect_err("an error");
    let ours = cause(&error).expect("an error of ours");
    assert!(ours.is_candle() && ours.is_shape() && !ours.is_invalid_evidence());
}

#[test]
fn sources_that_differ_are_named() {
    let engine = &ENGINES[0];
    let of = |sources: &[Tensor]| {
        let error = fuse_sources(engine, &Fusion::default(), Encoding::Logits, sources).expect_err("an error");
        said(&error)
    };
    let two_by_three = zeros(&[2, 3], DType::F32);
    assert_eq!(of(&[]), "evidence has no sources; give at least one plane of opinions");
    assert_eq!(of(&[zeros(&[2], DType::F32)]), "the tensor has the shape [2]; it must be [items, classes]");
    let want = "the tensor of source 1 is [3, 2] of f32 on Cpu, that of source 0 [2, 3] of f32 on Cpu; they must agree";
    assert_eq!(of(&[two_by_three.clone(), zeros(&[3, 2], DType::F32)]), want);
    let want =
        "the tensor of source 1 is [2, 3] of bf16 on Cpu, that of source 0 [2, 3] of f32 on Cpu; they must agree";
    assert_eq!(of(&[two_by_three, zeros(&[2, 3], DType::BF16)]), want);
}

#[test]
fn rows_apart_are_not_lent() {
    let narrow = zeros(&[2, 3, 4], DType::F32).narrow(2, 0, 2).expect("two classes");
    let error = with_evidence(&narrow, Encoding::Logits, |evidence| evidence.items()).expect_err("an error");
    let want = "the rows of the tensor do not lie side by side, with strides of [12, 4, 1]; copy it by `contiguous()`";
    assert_eq!(said(&error), want);
}

#[test]
fn an_invalid_opinion_is_named_through_candle() {
    let rows =
        Tensor::new(&[[[0.5_f32, 0.5], [0.5, 0.5]], [[0.5, 0.5], [0.5, f32::NAN]]], &Device::Cpu).expect("a tensor");
    for engine in &*ENGINES {
        let error = fuse(engine, &Fusion::default(), Encoding::Probabilities, &rows).expect_err("an error");
        // Whoever calls us may add what it was about.
        let error = error.context("in the head of a network");
        let ours = cause(&error).expect("an error of ours");
        let invalid = ours.invalid_opinion().expect("an opinion");
        assert_eq!((invalid.source, invalid.item, invalid.class), (1, 1, Some(1)));
        assert!(ours.is_invalid_evidence() && !ours.is_candle());
    }
}

#[test]
fn a_specification_that_does_not_fit_is_one() {
    let fusion = Fusion::new(Rule::LogPool).class_prior(vec![1.0; 5]);
    let error = fuse(&ENGINES[0], &fusion, Encoding::Logits, &zeros(&[1, 2, 3], DType::F32)).expect_err("an error");
    assert!(cause(&error).expect("an error of ours").is_spec());
}

#[test]
fn errors_of_others_are_not_ours() {
    let error = zeros(&[2, 3], DType::F32).matmul(&zeros(&[2, 3], DType::F32)).expect_err("an error");
    assert!(cause(&error).is_none());
}

#[test]
fn a_rule_without_a_gradient_is_fused_and_says_so_when_asked() {
    let opinions = Var::new(&[[[0.75_f32, 0.25]], [[0.5, 0.5]]], &Device::Cpu).expect("a variable");
    let posterior =
        fuse(&ENGINES[0], &Fusion::new(Rule::Median), Encoding::Probabilities, &opinions).expect("a posterior");
    assert_eq!(posterior.to_vec2::<f32>().expect("rows"), [[0.625, 0.375]]);
    let error = posterior.sum_all().and_then(|sum| sum.backward()).expect_err("an error");
    assert!(said(&error).starts_with("no gradient passes through the rule median: "), "{error}");
    assert!(cause(&error).expect("an error of ours").is_spec());
}
