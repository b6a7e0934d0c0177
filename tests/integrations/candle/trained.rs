//! Gradients through a pool among candle's own operations.

use ::candle_core::{DType, Device, Result, Tensor, Var};
use consilience::candle::{fuse, fuse_outputs, fuse_sources};
use consilience::{Encoding, Fusion, Output, Rule, Weighting};

use super::fuse::ENGINES;

const X: [[f64; 2]; 3] = [[1.0, -0.5], [0.25, 2.0], [-1.5, 0.75]];
const TARGETS: [usize; 3] = [0, 2, 1];
const CLASSES: usize = 3;

/// Weights of two networks [2, 2, 3]: features by classes.
fn weights() -> Vec<f64> {
    (0..12).map(|i| f64::from((i * 7) % 11) / 5.0 - 1.0).collect()
}

/// The loss in f64: logits = x W_n, their pool, the mean of -ln P of the targets.
fn loss(rule: &Rule, weights: &[f64]) -> f64 {
    let item = |x: &[f64; 2], target: usize| {
        let logits = |n: usize, k: usize| (0..2).map(|f| x[f] * weights[(n * 2 + f) * CLASSES + k]).sum::<f64>();
        let softmax = |n: usize, k: usize| logits(n, k).exp() / (0..CLASSES).map(|j| logits(n, j).exp()).sum::<f64>();
        let pooled = |k: usize| match rule {
            Rule::Linear => 0.75 * softmax(0, k) + 0.25 * softmax(1, k),
            Rule::LogPool => (0.75 * softmax(0, k).ln() + 0.25 * softmax(1, k).ln()).exp(),
            // Under a uniform prior.
            _ => softmax(0, k).powf(0.5) * softmax(1, k).powf(1.5),
        };
        -(pooled(target) / (0..CLASSES).map(pooled).sum::<f64>()).ln()
    };
    X.iter().zip(TARGETS).map(|(x, target)| item(x, target)).sum::<f64>() / 3.0
}

fn rules() -> [Rule; 3] {
    [Rule::Linear, Rule::LogPool, Rule::Evidence { exponents: vec![0.5, 1.5] }]
}

fn fusion(rule: &Rule) -> Fusion {
    Fusion::new(rule.clone()).weighting(Weighting::Fixed(vec![3.0, 1.0]))
}

fn x() -> Result<Tensor> {
    Tensor::new(&X, &Device::Cpu)?.to_dtype(DType::F32)
}

/// The mean of -ln P of the targets.
fn loss_of(posterior: &Tensor) -> Result<Tensor> {
    let targets = Tensor::new(&TARGETS.map(|k| [k as u32]), &Device::Cpu)?;
    posterior.gather(&targets, 1)?.log()?.neg()?.mean_all()
}

fn variable() -> Result<Var> {
    Var::from_tensor(&Tensor::from_vec(weights(), (2, 2, 3), &Device::Cpu)?.to_dtype(DType::F32)?)
}

fn check(rule: &Rule, gradient: &Tensor) {
    let found: Vec<f32> = gradient.flatten_all().and_then(|g| g.to_vec1()).expect("a gradient");
    for (i, found) in found.into_iter().enumerate() {
        let moved = |step: f64| {
            let mut weights = weights();
            weights[i] += step;
            loss(rule, &weights)
        };
        let want = (moved(1e-5) - moved(-1e-5)) / 2e-5;
        assert!((f64::from(found) - want).abs() < 3e-6, "{rule}, weight {i}: {found}, not {want}");
    }
}

/// logits [2, 3, 3] of the networks of a variable.
fn logits(weights: &Tensor) -> Result<Tensor> {
    x()?.broadcast_left(2)?.contiguous()?.matmul(weights)
}

#[test]
fn they_go_through_to_the_weights_of_networks() -> Result<()> {
    for engine in &*ENGINES {
        for rule in rules() {
            let weights = variable()?;
            let posterior = fuse(engine, &fusion(&rule), Encoding::Logits, &logits(&weights)?)?;
            let gradients = loss_of(&posterior)?.backward()?;
            check(&rule, gradients.get(&weights).expect("a gradient"));
        }
    }
    Ok(())
}

#[test]
fn probabilities_and_their_logarithms_carry_them_as_well() -> Result<()> {
    let engine = &ENGINES[0];
    for rule in rules() {
        for encoding in [Encoding::Probabilities, Encoding::LogProbabilities] {
            let weights = variable()?;
            let logits = logits(&weights)?;
            let logs = logits.broadcast_sub(&logits.exp()?.sum_keepdim(2)?.log()?)?;
            let opinions = if encoding == Encoding::Probabilities { logs.exp()? } else { logs };
            let posterior = fuse(engine, &fusion(&rule), encoding, &opinions)?;
            let gradients = loss_of(&posterior)?.backward()?;
            check(&rule, gradients.get(&weights).expect("a gradient"));
        }
    }
    Ok(())
}

#[test]
fn they_go_through_stacks_copies_and_outputs_beside() -> Result<()> {
    let engine = &ENGINES[0];
    for rule in rules() {
        let weights = variable()?;
        let logits = logits(&weights)?;
        let sources = [logits.get(0)?, logits.get(1)?];
        let posterior = fuse_sources(engine, &fusion(&rule), Encoding::Logits, &sources)?;
        check(&rule, loss_of(&posterior)?.backward()?.get(&weights).expect("a gradient"));

        // A range of a wider tensor, whose rows do not lie side by side.
        let wide = Tensor::cat(&[&logits, &logits], 2)?.narrow(2, 0, CLASSES)?;
        let fused = fuse_outputs(engine, &fusion(&rule), Encoding::Logits, &wide)?;
        let posterior = fused.get(Output::Posterior).expect("a posterior");
        check(&rule, loss_of(posterior)?.backward()?.get(&weights).expect("a gradient"));
        assert_eq!(fused.get(Output::Decision).expect("decisions").dims(), [3]);
    }
    Ok(())
}

#[test]
fn in_16_bits_they_are_rounded_to_16_bits() -> Result<()> {
    for dtype in [DType::BF16, DType::F16] {
        let opinions = Var::from_tensor(&Tensor::new(&[[[0.75_f32, 0.25]]], &Device::Cpu)?.to_dtype(dtype)?)?;
        let posterior = fuse(&ENGINES[0], &Fusion::new(Rule::Linear), Encoding::Probabilities, &opinions)?;
        let gradients = posterior.narrow(1, 0, 1)?.sum_all()?.backward()?;
        let gradient = gradients.get(&opinions).expect("a gradient");
        assert_eq!(gradient.dtype(), dtype);
        assert_eq!(gradient.to_dtype(DType::F32)?.flatten_all()?.to_vec1::<f32>()?, [0.25, -0.75]);
    }
    Ok(())
}
