//! Networks trained by burn's optimiser: as live sources, as evidence on their own device, and through the fusion.

use std::sync::Arc;

use ::burn::module::Module;
use ::burn::nn::{Linear, LinearConfig};
use ::burn::optim::{AdamConfig, GradientsParams};
use ::burn::tensor::activation::{log_softmax, tanh};
use ::burn::tensor::{Device, Int, Tensor, TensorData};
use consilience::burn::{Network, fuse};
use consilience::orchestration::parallel_fusion::{Options, Outcome};
use consilience::orchestration::{ParallelFusion, Question, Source, source};
use consilience::{Encoding, Engine, Fusion, Rule};

use super::fuse::{numbers, places};
use crate::support::compare::agree;
use crate::support::problem::Random;

const CLASSES: usize = 3;

/// Points around the corners of a triangle, in turn, and which corner.
struct Points {
    features: Vec<f32>,
    labels: Vec<i32>,
}

impl Points {
    fn new(len: usize, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let corners = [[1.0, 0.0], [-0.5, 0.866], [-0.5, -0.866]];
        let labels: Vec<i32> = (0..len).map(|i| (i % CLASSES) as i32).collect();
        let mut noise = || random.list(4, -0.5, 0.5).iter().sum::<f32>();
        let features = labels.iter().flat_map(|&label| corners[label as usize].map(|x: f32| x + noise())).collect();
        Self { features, labels }
    }

    fn features(&self, device: &Device) -> Tensor<2> {
        Tensor::from_data(TensorData::new(self.features.clone(), [self.labels.len(), 2]), device)
    }

    fn accuracy(&self, rows: &[f32]) -> f32 {
        let largest = |row: &[f32]| (1..CLASSES).fold(0, |best, k| if row[k] > row[best] { k } else { best });
        let right = rows.chunks(CLASSES).zip(&self.labels).filter(|(row, label)| largest(row) == **label as usize);
        right.count() as f32 / self.labels.len() as f32
    }

    /// Minus the mean logarithm of what the rows give to the right class.
    fn loss(&self, log_rows: Tensor<2>) -> Tensor<1> {
        let labels = Tensor::<1, Int>::from_data(&self.labels[..], &log_rows.device());
        -log_rows.gather(1, labels.unsqueeze_dim(1)).mean()
    }
}

/// A layer of tanh units and one of logits.
#[derive(Module, Debug)]
struct Perceptron {
    hidden: Linear,
    out: Linear,
}

impl Perceptron {
    /// Weights by a rule, so that every run learns alike: the seed of burn's devices is one for all threads.
    fn new(units: usize, seed: u64, device: &Device) -> Self {
        let mut random = Random::new(seed);
        let mut linear = |from: usize, to: usize| {
            let mut layer = LinearConfig::new(from, to).init(device);
            let weights = TensorData::new(random.list(from * to, -0.7, 0.7), [from, to]);
            layer.weight = ::burn::module::Param::from_data(weights, device);
            layer.bias = Some(::burn::module::Param::from_data(&vec![0.0_f32; to][..], device));
            layer
        };
        Self { hidden: linear(2, units), out: linear(units, CLASSES) }
    }

    fn forward(&self, features: Tensor<2>) -> Tensor<2> {
        self.out.forward(tanh(self.hidden.forward(features)))
    }

    fn trained(points: &Points, units: usize, seed: u64, device: &Device) -> Self {
        let mut network = Self::new(units, seed, device);
        let mut optimiser = AdamConfig::new().init();
        let features = points.features(device);
        for _ in 0..40 {
            let loss = points.loss(log_softmax(network.forward(features.clone()), 1));
            let gradients = GradientsParams::from_grads(loss.backward(), &network);
            network = optimiser.step(0.05, network, gradients);
        }
        network
    }
}

#[test]
fn a_trained_network_answers_live_and_is_evidence_on_its_own_device() {
    let (known, new) = (Points::new(90, 1), Points::new(60, 2));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    // The first and the last: with the feature, that is wgpu.
    for (place, device, on) in places().into_iter().step_by(places().len() - 1) {
        let networks = [(6, 3), (3, 4)]
            .map(|(units, seed)| Perceptron::trained(&known, units, seed, &device.clone().autodiff()).valid());
        let features = new.features(&device);
        let logits = networks.clone().map(|network| network.forward(features.clone()));
        let fused = fuse(on, &Fusion::new(Rule::LogPool), Encoding::Logits, logits.clone()).expect("a posterior");
        let fused = numbers(&fused.checked().expect("valid opinions"));
        let [a, b] = logits.map(|logits| new.accuracy(&numbers(&logits)));
        assert!(a > 0.8 && b > 0.8 && new.accuracy(&fused) >= a.min(b), "{place}: {a}, {b}, {}", new.accuracy(&fused));

        // Asked one question at a time, the two are live sources, fused by the same rule.
        let sources = ["a", "b"].into_iter().zip(networks).map(|(name, network)| {
            let device = device.clone();
            let encode = move |question: &Question<[f32]>| Ok(Tensor::<1>::from_data(&*question.input, &device));
            let forward = move |features: Tensor<2>| network.forward(features);
            let built = source::batched(name, Network::new(Encoding::Logits, encode, forward)).build();
            Arc::new(built.expect("a source")) as Arc<dyn Source<[f32]>>
        });
        let options = Options { learning: None, ..Options::parallel_fusion() }.fusion(Fusion::new(Rule::LogPool));
        let cpu = Arc::new(Engine::cpu().expect("an engine"));
        let live = ParallelFusion::new(cpu, CLASSES, sources.collect(), options).expect("a fusion");
        for item in [0, 1, 59] {
            let question = Arc::from(&new.features[2 * item..][..2]);
            let Outcome { posterior, .. } = runtime.block_on(live.ask(question)).expect("an answer");
            for (live, fused) in posterior.iter().zip(&fused[CLASSES * item..]) {
                assert!(agree(*live, f64::from(*fused)), "{place}, item {item}: {posterior:?}");
            }
        }
    }
}

#[test]
fn two_networks_learn_through_their_pool() {
    let points = Points::new(60, 5);
    let (place, device, on) = places().pop().expect("a place");
    let device = device.autodiff();
    let mut pair = [3, 4].map(|seed| Perceptron::new(3, seed, &device));
    let mut optimisers = [(); 2].map(|()| AdamConfig::new().init());
    let features = points.features(&device);
    let mut losses = Vec::new();
    for _ in 0..30 {
        let logits = pair.each_ref().map(|network| network.forward(features.clone()));
        let fused = fuse(on, &Fusion::new(Rule::LogPool), Encoding::Logits, logits).expect("a posterior");
        let loss = points.loss(fused.into_posterior().log());
        losses.push(numbers(&loss)[0]);
        let mut gradients = loss.backward();
        for (network, optimiser) in pair.iter_mut().zip(&mut optimisers) {
            let own = GradientsParams::from_module(&mut gradients, network);
            *network = optimiser.step(0.05, network.clone(), own);
        }
    }
    let (first, last) = (losses[0], losses[29]);
    assert!(first > 0.9 && last < 0.45, "{place}: {losses:?}");
}
