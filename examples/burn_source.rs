//! Two small networks of burn, trained here, as sources of evidence: fused on their own device, through the fusion taught
//! together, and asked live.
//!
//! On handwritten digits one network sees the upper half of each picture and the other the lower. Neither can tell all ten
//! apart; their log pool does better than both, and better still once its gradients have gone back into them. What the two
//! answer one picture at a time, as live sources, is what stands in the row of the tensor.
//!
//! ```sh
//! cargo run --example burn_source --no-default-features --features burn-optim
//! cargo run --example burn_source --no-default-features --features burn-optim,burn-wgpu -- --wgpu
//! ```
#![expect(clippy::print_stdout, reason = "a program talks to its user")]

#[path = "batch_fusion/digits.rs"]
#[expect(dead_code, reason = "here nobody asks for the calibration third, or where a picture stood")]
mod digits;
#[path = "../src/methods/random.rs"]
#[expect(dead_code, reason = "not all of it is needed here")]
mod random;

use std::error::Error;
use std::sync::Arc;

use burn::module::{Module, Param};
use burn::nn::{Linear, LinearConfig};
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::activation::{log_softmax, relu};
use burn::tensor::{Device, Int, Tensor, TensorData};
use consilience::burn::{Network, On, fuse};
use consilience::orchestration::parallel_fusion::{Options, Outcome};
use consilience::orchestration::{ParallelFusion, Question, Source, source};
use consilience::{Encoding, Engine, Fusion, Rule};
use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::{RngCore, SeedableRng};

use self::digits::{CLASSES, Digits, Part, SIDE};

/// What a program may fail with.
type Failure = Box<dyn Error>;

const SEED: u64 = 7;
/// Pixels of half a picture.
const HALF: usize = SIDE * SIDE / 2;
const UNITS: usize = 24;

/// A layer of rectified units and one of logits.
#[derive(Module, Debug)]
struct Perceptron {
    hidden: Linear,
    out: Linear,
}

impl Perceptron {
    fn new(random: &mut SplitMix64, device: &Device) -> Self {
        let mut linear = |from: usize, to: usize| {
            let bound = (6.0 / (from + to) as f32).sqrt();
            let weight = (0..from * to).map(|_| bound * (2.0 * (random.next_u32() as f32 / u32::MAX as f32) - 1.0));
            let weight = TensorData::new(weight.collect::<Vec<f32>>(), [from, to]);
            let layer = LinearConfig::new(from, to).with_bias(false).init(device);
            Linear { weight: Param::from_data(weight, device), ..layer }
        };
        Self { hidden: linear(HALF, UNITS), out: linear(UNITS, CLASSES) }
    }

    fn forward(&self, pixels: Tensor<2>) -> Tensor<2> {
        self.out.forward(relu(self.hidden.forward(pixels)))
    }
}

/// A third of the pictures on the device: upper halves, lower halves, what they show.
struct Pictures {
    halves: [Tensor<2>; 2],
    labels: Tensor<2, Int>,
    part: Part,
}

impl Pictures {
    fn new(part: Part, device: &Device) -> Self {
        let half = |from: usize| {
            let pixels = part.pixels.rows().into_iter().flat_map(|row| row.to_vec().split_off(from)[..HALF].to_vec());
            let pixels: Vec<f32> = pixels.map(|x| x as f32).collect();
            Tensor::from_data(TensorData::new(pixels, [part.labels.len(), HALF]), device)
        };
        let labels: Vec<i32> = part.labels.iter().map(|&label| label as i32).collect();
        let labels = Tensor::<1, Int>::from_data(&labels[..], device).unsqueeze_dim(1);
        Self { halves: [half(0), half(HALF)], labels, part }
    }

    /// Minus the mean logarithm of what is given to the right class.
    fn loss(&self, logarithms: Tensor<2>) -> Tensor<1> {
        -logarithms.gather(1, self.labels.clone()).mean()
    }

    fn accuracy(&self, rows: &Tensor<2>) -> Result<f64, Failure> {
        let decided = rows.clone().argmax(1).to_data().iter::<i64>().collect::<Vec<_>>();
        let right = decided.iter().zip(&self.part.labels).filter(|(decided, label)| **decided == i64::from(**label));
        Ok(right.count() as f64 / decided.len() as f64)
    }
}

fn main() -> Result<(), Failure> {
    let cpu = Engine::cpu()?;
    #[cfg(feature = "burn-wgpu")]
    if std::env::args().any(|argument| argument == "--wgpu") {
        let (device, setup) = Device::wgpu_options().init_with_setup()?;
        let engine = consilience::burn::WgpuEngine::new(&device, &setup, &consilience::EngineOptions::default())?;
        return run(On::from(&engine), &device);
    }
    run(On::from(&cpu), &Device::flex())
}

fn run(on: On<'_>, device: &Device) -> Result<(), Failure> {
    println!("on {device:?}");
    let autodiff = device.clone().autodiff();
    let Digits { train, test, .. } = Digits::split(SEED);
    let (train, test) = (Pictures::new(train, &autodiff), Pictures::new(test, device));
    let mut random = SplitMix64::seed_from_u64(SEED);
    let mut networks = [(); 2].map(|()| Perceptron::new(&mut random, &autodiff));
    let pool = Fusion::new(Rule::LogPool);

    // Each by itself.
    for (network, half) in networks.iter_mut().zip(&train.halves) {
        let mut optimiser = AdamConfig::new().init();
        for _ in 0..60 {
            let loss = train.loss(log_softmax(network.forward(half.clone()), 1));
            let gradients = GradientsParams::from_grads(loss.backward(), network);
            *network = optimiser.step(0.02, network.clone(), gradients);
        }
    }
    let score = |networks: &[Perceptron; 2]| -> Result<([f64; 3], Tensor<2>), Failure> {
        let valid = networks.each_ref().map(Module::valid);
        let logits = [0, 1].map(|i| valid[i].forward(test.halves[i].clone()));
        let fused = fuse(on, &pool, Encoding::Logits, logits.clone())?.checked()?;
        Ok(([test.accuracy(&logits[0])?, test.accuracy(&logits[1])?, test.accuracy(&fused)?], fused))
    };
    let ([upper, lower, pooled], _) = score(&networks)?;
    println!("each by itself:       upper {upper:.3}  lower {lower:.3}  pool {pooled:.3}");
    assert!(pooled > upper.max(lower) + 0.02, "the pool is better than the better of the two");

    // Both through their pool: the gradient of its loss goes back into the two.
    let mut optimisers = [(); 2].map(|()| AdamConfig::new().init());
    let mut losses = Vec::new();
    for _ in 0..30 {
        let logits = [0, 1].map(|i| networks[i].forward(train.halves[i].clone()));
        let loss = train.loss(fuse(on, &pool, Encoding::Logits, logits)?.into_posterior().log());
        losses.push(loss.to_data().try_to_vec::<f32>()?[0]);
        let mut gradients = loss.backward();
        for (network, optimiser) in networks.iter_mut().zip(&mut optimisers) {
            let own = GradientsParams::from_module(&mut gradients, network);
            *network = optimiser.step(0.01, network.clone(), own);
        }
    }
    let (before, after) = (losses[0], losses[losses.len() - 1]);
    let ([upper, lower, taught], fused) = score(&networks)?;
    println!(
        "through the pool:     upper {upper:.3}  lower {lower:.3}  pool {taught:.3}  loss {before:.3} -> {after:.3}"
    );
    assert!(after < 0.5 * before && taught >= pooled, "its own loss fell, and the pool is no worse");

    // The same two as live sources.
    let rows = fused.to_data().try_to_vec::<f32>()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let mut sources: Vec<Arc<dyn Source<[f32]>>> = Vec::new();
    for (i, network) in networks.iter().enumerate() {
        let (network, device) = (network.valid(), device.clone());
        let encode =
            move |question: &Question<[f32]>| Ok(Tensor::<1>::from_data(&question.input[i * HALF..][..HALF], &device));
        let network = Network::new(Encoding::Logits, encode, move |pixels: Tensor<2>| network.forward(pixels));
        sources.push(Arc::new(source::batched(["upper", "lower"][i], network).build()?));
    }
    let options = Options { learning: None, ..Options::parallel_fusion() }.fusion(pool.clone());
    let live = ParallelFusion::new(Arc::new(Engine::cpu()?), CLASSES, sources, options)?;
    for (item, row) in rows.chunks(CLASSES).enumerate().take(5) {
        let pixels: Vec<f32> = test.part.pixels.row(item).iter().map(|&x| x as f32).collect();
        let Outcome { posterior, .. } = runtime.block_on(live.ask(Arc::from(pixels)))?;
        let apart = posterior.iter().zip(row).map(|(live, row)| (live - row).abs()).fold(0.0, f32::max);
        let likeliest = (1..CLASSES).fold(0, |best, k| if posterior[k] > posterior[best] { k } else { best });
        println!("asked live, a {}: {likeliest} with {:.3}", test.part.labels[item], posterior[likeliest]);
        assert!(apart < 1e-5, "live and in the tensor it is the same: {apart}");
    }
    Ok(())
}
