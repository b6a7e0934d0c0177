//! Composed of burn's operations, on burn's own device on the adapter that the report is of.

use burn::tensor::{Device, DeviceKind, Int, Tensor, TensorData};
use consilience::{Adapter, AdapterKind};

use super::{Composable, Composed, Framework, Running};
use crate::Failure;

/// burn on a GPU, or on what stands for one.
pub struct Burn {
    device: Device,
}

impl Burn {
    /// On this adapter and no other.
    pub fn on(adapter: &Adapter) -> Result<Self, String> {
        let kind = match adapter.kind {
            AdapterKind::Discrete => DeviceKind::DiscreteGpu(0),
            AdapterKind::Integrated => DeviceKind::IntegratedGpu(0),
            AdapterKind::Virtual => DeviceKind::VirtualGpu(0),
            AdapterKind::Software => DeviceKind::Cpu,
            _ => DeviceKind::DefaultDevice,
        };
        let opened = Device::wgpu_options().device_kind(kind).init_with_setup();
        let (device, setup) = opened.map_err(|error| format!("burn opened no device: {error}"))?;
        let name = setup.adapter.get_info().name;
        if name != adapter.name {
            return Err(format!("burn took the adapter {name}"));
        }
        Ok(Self { device })
    }
}

impl Framework for Burn {
    fn take(&self, given: &Composable<'_>) -> Result<Box<dyn Running>, Failure> {
        let inputs = Tensor::<3>::from_data(TensorData::new(given.stacked.clone(), given.shape), &self.device);
        Ok(Box::new(OnTensors { what: given.what, inputs, found: None }))
    }
}

struct OnTensors {
    what: Composed,
    inputs: Tensor<3>,
    found: Option<Tensor<3>>,
}

impl Running for OnTensors {
    fn run(&mut self) -> Result<(), Failure> {
        self.found = Some(compose(self.what, self.inputs.clone()));
        self.inputs.device().sync().map_err(|error| format!("burn: {error:?}"))?;
        Ok(())
    }

    fn answer(&self) -> Result<Vec<f32>, Failure> {
        let found = self.found.clone().ok_or("it did not run")?;
        found.into_data().try_to_vec().map_err(|error| format!("burn: {error:?}").into())
    }
}

/// What a user of burn would write.
fn compose(what: Composed, x: Tensor<3>) -> Tensor<3> {
    match what {
        Composed::Linear => linear(x),
        Composed::Vote => vote(x),
        Composed::BayesianAverage => bayesian_average(x),
        Composed::LogPool => log_pool(x),
        Composed::Ensemble => ensemble(x),
        Composed::Cosine => cosine(x),
    }
}

/// [N, B, C] to [1, B, C].
fn linear(x: Tensor<3>) -> Tensor<3> {
    x.mean_dim(0)
}

fn log_pool(x: Tensor<3>) -> Tensor<3> {
    let logs = x.clamp(1e-7, 1.0).log().mean_dim(0);
    let powers = (logs.clone() - logs.max_dim(2)).exp();
    powers.clone() / powers.sum_dim(2)
}

fn vote(x: Tensor<3>) -> Tensor<3> {
    let [n, b, c] = x.dims();
    let classes = Tensor::<1, Int>::arange(0..c as i64, &x.device()).reshape([1, 1, c]).expand([n, b, c]);
    x.argmax(2).expand([n, b, c]).equal(classes).float().mean_dim(0)
}

fn bayesian_average(x: Tensor<3>) -> Tensor<3> {
    let confidence = x.clone().max_dim(2);
    (x * confidence.clone()).sum_dim(0) / confidence.sum_dim(0)
}

/// The default ensemble; decision, confidence and entropy are computed as well.
fn ensemble(x: Tensor<3>) -> Tensor<3> {
    let posterior = (linear(x.clone()) + vote(x.clone()) + bayesian_average(x)) / 3.0;
    std::hint::black_box(posterior.clone().argmax(2));
    std::hint::black_box(posterior.clone().max_dim(2));
    std::hint::black_box((posterior.clone() * posterior.clone().clamp(1e-30, 1.0).log()).sum_dim(2));
    posterior
}

/// [2, 9, B] to [1, 1, B].
fn cosine(x: Tensor<3>) -> Tensor<3> {
    let (a, b) = (x.clone().narrow(0, 0, 1), x.narrow(0, 1, 1));
    let length = |x: Tensor<3>| x.powf_scalar(2.0).sum_dim(1).sqrt();
    (a.clone() * b.clone()).sum_dim(1) / (length(a) * length(b))
}
