//! Identity of storage: what is bound is burn's own memory, by buffer and offset.

use std::sync::OnceLock;

use ::burn::backend::Cube;
use ::burn::tensor::wgpu::WgpuSetup;
use ::burn::tensor::{Device, Tensor, TensorData};
use burn_cubecl::tensor::CubeTensor;

use super::WgpuEngine;
use super::lowered::Lowered;
use super::place::{Opinions, Place};
use crate::backend::gpu::foreign::wgpu::{BufferDescriptor, BufferUsages, CommandEncoderDescriptor, MapMode, PollType};
use crate::engine::EngineOptions;
use crate::integrations::burn::fuse;
use crate::spec::{Fusion, Rule};
use crate::tensor::{Encoding, Form, Outline};

/// Burn's device; `None` on a machine without any, where that is allowed.
fn opened() -> Option<&'static (WgpuSetup, WgpuEngine)> {
    static OPENED: OnceLock<Option<(WgpuSetup, WgpuEngine)>> = OnceLock::new();
    let open = || match Device::wgpu_options().init_with_setup() {
        Ok((device, setup)) => {
            let engine = WgpuEngine::new(&device, &setup, &EngineOptions::default()).expect("an engine");
            Some((setup, engine))
        }
        Err(error) => {
            assert!(std::env::var_os("CONSILIENCE_REQUIRE_GPU").is_none(), "{error}");
            None
        }
    };
    OPENED.get_or_init(open).as_ref()
}

fn outline([n, items, classes]: [usize; 3]) -> Outline {
    let forms = vec![Form::F32(Encoding::Probabilities); n];
    Outline { items, classes, forms, presence: false, confidence: false }
}

fn lowered<const D: usize>(tensor: &Tensor<D>) -> CubeTensor {
    Cube::lower(tensor.clone().try_into_primitive::<Cube>().expect("a tensor of wgpu"))
}

/// How many bytes behind a tensor's own beginning opinions begin, and their strides; `None` where they are in a copy.
fn bound(tensors: Vec<CubeTensor>, shape: [usize; 3], own: &Place) -> Option<(u64, [usize; 2])> {
    let opinions = Opinions::of(tensors, &outline(shape)).expect("opinions");
    let first = opinions.place();
    let [n, items, classes] = shape;
    let inside = first.buffer == own.buffer && first.offset >= own.offset && first.offset < own.offset + own_bytes();
    if !inside {
        assert_eq!(opinions.strides(), [items * classes, classes], "a copy of {n} is dense");
    }
    inside.then(|| (first.offset - own.offset, opinions.strides()))
}

const SHAPE: [usize; 3] = [3, 8, 4];

const fn own_bytes() -> u64 {
    (4 * SHAPE[0] * SHAPE[1] * SHAPE[2]) as u64
}

fn counting(device: &Device) -> Tensor<3> {
    let values: Vec<f32> = (0..96).map(|i| i as f32).collect();
    Tensor::from_data(TensorData::new(values, SHAPE), device)
}

#[test]
fn opinions_are_bound_in_the_tensors_own_buffer() {
    let Some((_, on)) = opened() else { return };
    let tensor = counting(on.device());
    let own = Place::of(&lowered(&tensor)).expect("a place");
    let of = |view: Tensor<3>| bound(vec![lowered(&view)], view.dims(), &own);
    assert_eq!(of(tensor.clone()), Some((0, [32, 4])));
    assert_eq!(of(tensor.clone().swap_dims(0, 1)), Some((0, [4, 32])));
    // Classes that do not follow each other are copied, be it every other one of them.
    assert_eq!(of(tensor.clone().swap_dims(1, 2)), None);
    let mut every_other = lowered(&tensor);
    every_other.meta.shape = [3, 8, 2].into();
    every_other.meta.strides = [32, 4, 2].into();
    assert_eq!(bound(vec![every_other], [3, 8, 2], &own), None);
}

#[test]
fn a_list_is_bound_where_its_tensors_stand_in_line() {
    let Some((_, on)) = opened() else { return };
    let tensor = counting(on.device());
    let whole = lowered(&tensor);
    let own = Place::of(&whole).expect("a place");
    // As burn's views are made: the same memory, begun further on.
    let view = |n: u64| {
        let memory = whole.handle.clone().offset_start(128 * n).offset_end(128 * (2 - n));
        CubeTensor::new_contiguous(whole.client.clone(), whole.device.clone(), [8, 4].into(), memory, whole.dtype)
    };
    assert_eq!(bound(vec![view(0), view(1), view(2)], SHAPE, &own), Some((0, [32, 4])));
    assert_eq!(bound(vec![view(0), view(2)], [2, 8, 4], &own), Some((0, [64, 4])));
    assert_eq!(bound(vec![view(1), view(2)], [2, 8, 4], &own), Some((128, [32, 4])));
    assert_eq!(bound(vec![view(2), view(1), view(0)], SHAPE, &own), None);
    assert_eq!(bound(vec![view(0), view(0)], [2, 8, 4], &own), None);
    assert_eq!(bound(vec![view(0), view(1), view(1)], SHAPE, &own), None);
}

#[test]
fn the_posterior_is_in_burns_memory() {
    let Some((setup, on)) = opened() else { return };
    let tensor = Tensor::<3>::from_data([[[0.75, 0.25], [0.5, 0.5]], [[0.25, 0.75], [1.0, 0.0]]], on.device());
    let fused = fuse(on, &Fusion::new(Rule::Linear), Encoding::Probabilities, tensor).expect("a posterior");
    let posterior = lowered(&fused.into_posterior());
    let Place { buffer, offset, .. } = Place::of(&posterior).expect("a place");

    // Read without burn.
    let usage = BufferUsages::MAP_READ | BufferUsages::COPY_DST;
    let descriptor = BufferDescriptor { label: None, size: 16, usage, mapped_at_creation: false };
    let read = setup.device.create_buffer(&descriptor);
    let mut encoder = setup.device.create_command_encoder(&CommandEncoderDescriptor::default());
    encoder.copy_buffer_to_buffer(&buffer, offset, &read, 0, 16);
    setup.queue.submit([encoder.finish()]);
    read.map_async(MapMode::Read, .., |mapped| mapped.expect("a mapping"));
    setup.device.poll(PollType::wait_indefinitely()).expect("an answer");
    let bytes = read.get_mapped_range(..).expect("mapped").to_vec();
    assert_eq!(bytemuck::pod_collect_to_vec::<u8, f32>(&bytes), [0.5, 0.5, 0.75, 0.25]);
}
