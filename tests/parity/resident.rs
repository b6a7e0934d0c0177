//! Arrays that an engine holds, and operations over them: what is read is what the same operations give over arrays of the
//! host's.

mod bayes;
mod beam;
pub mod calibration;
mod learning;
mod vortices;

use std::fmt::Debug;

use consilience::vortex::{self, Ring};
use consilience::{Device, DeviceError, Engine, EngineOptions, ErrorKind, LengthError, Result};

use crate::support::engines;
use crate::support::problem::Random;

/// Around a block, and several.
const SIZES: [usize; 5] = [1, 255, 256, 257, 5000];

/// The same numbers to the bit.
fn bits(name: &str, got: &[f32], want: &[f32]) {
    assert_eq!(got.len(), want.len(), "{name}");
    let wrong = got.iter().zip(want).position(|(got, want)| got.to_bits() != want.to_bits());
    assert_eq!(wrong.map(|item| (item, got[item], want[item])), None, "{name}: item, got, want");
}

/// That the operation refused the item.
fn refused<T: Debug>(name: &str, outcome: Result<T>, want: &str, at: usize) {
    let error = outcome.expect_err("an item that is refused");
    let ErrorKind::Device(DeviceError::ItemRefused { operation, item, .. }) = error.kind() else {
        panic!("{name}: {error}")
    };
    assert_eq!((*operation, *item), (want, at), "{name}: {error}");
}

/// An engine like this one that holds so many bytes at most.
fn tight(engine: &Engine, bytes: u64) -> Engine {
    let device = if engine.is_gpu() { Device::Gpu } else { Device::Cpu };
    Engine::open(&EngineOptions { device, threads: Some(1), resident_bytes: Some(bytes), ..Default::default() })
        .expect("an engine")
}

/// A GPU engine of a test's own, where hand-overs are counted: others use the shared one meanwhile.
fn own(engine: &Engine) -> Option<Engine> {
    engine.is_gpu().then(|| tight(engine, 1 << 30))
}

fn numbers(items: usize, seed: u64) -> Vec<u64> {
    let mut random = Random::new(seed);
    (0..items).map(|_| random.bits() >> random.below(64)).collect()
}

#[test]
fn what_is_uploaded_is_read() {
    for (name, engine) in engines::all() {
        for (items, planes) in [(0, 3), (1, 1), (5, 3), (4097, 2)] {
            let values = numbers(items * planes, 3);
            let array = engine.upload_planes(&values, planes).expect("room");
            assert_eq!((array.items(), array.planes()), (items, planes), "{name}");
            assert_eq!(array.read(engine).expect("a device that works"), values, "{name}");
        }
    }
}

#[test]
fn operations_over_arrays_are_one_submission() {
    for (name, engine) in engines::all() {
        let own = own(engine);
        let engine = own.as_ref().unwrap_or(engine);
        for items in [1, 255, 256, 257, 5000] {
            let values = numbers(items, 5);
            let steps: Vec<i32> = (0..items).map(|i| i as i32 % 13 - 6).collect();
            let array = engine.upload_array(&values).expect("room");
            let steps_held = engine.upload_array(&steps).expect("room");
            let before = engine.submissions();
            let roots = vortex::digital_roots_resident(engine, &array).expect("room");
            let squares = vortex::square_map_resident(engine, &roots).expect("room");
            let ring = Ring::new(9, 2).expect("a ring");
            let ends = ring.orbits_resident(engine, &squares, &steps_held).expect("room");
            engine.flush().expect("a device that works");
            assert_eq!(engine.submissions() - before, u64::from(engine.is_gpu()), "{name}");
            let want: Vec<u32> = values
                .iter()
                .zip(&steps)
                .map(|(&value, &steps)| {
                    // Once more by hand: a root is what is left of nine, or nine.
                    let root = if value == 0 { 0 } else { (value - 1) % 9 + 1 };
                    let square = if root == 0 { 0 } else { (root * root - 1) % 9 + 1 };
                    (0..steps.rem_euclid(6)).fold(square, |x, _| if x == 0 { 0 } else { (2 * x - 1) % 9 + 1 }) as u32
                })
                .collect();
            assert_eq!(ends.read(engine).expect("positions"), want, "{name}, {items}");
            assert_eq!(roots.read(engine).expect("numbers"), vortex::digital_roots(engine, &values).unwrap(), "{name}");
        }
    }
}

#[test]
fn a_long_array_takes_several_dispatches() {
    let Some(engine) = engines::gpu(None) else { return };
    // A software driver is given 2^21 values at a time.
    let values = numbers((1 << 21) + 12_345, 7);
    let array = engine.upload_array(&values).expect("room");
    let roots = vortex::digital_roots_resident(&engine, &array).expect("room").read(&engine).expect("numbers");
    let wrong = values.iter().zip(roots).position(|(&value, root)| vortex::digital_root(value) != root);
    assert_eq!(wrong, None);
}

#[test]
fn whoever_reads_is_told_of_an_item_that_was_refused_on_the_way() {
    for (name, engine) in engines::all() {
        let mut starts: Vec<u32> = (0..1000).map(|i| i % 10).collect();
        (starts[700], starts[900]) = (10, 11);
        let starts = engine.upload_array(&starts).expect("room");
        let steps = engine.upload_array(&vec![1_i32; 1000]).expect("room");
        let ends =
            Ring::new(9, 2).expect("a ring").orbits_resident(engine, &starts, &steps).expect("not looked at yet");
        let squares = vortex::square_map_resident(engine, &ends).expect("room");
        for error in
            [squares.read(engine).unwrap_err(), ends.read(engine).unwrap_err(), squares.read(engine).unwrap_err()]
        {
            let ErrorKind::Device(DeviceError::ItemRefused { operation, item, .. }) = error.kind() else {
                panic!("{name}: {error}")
            };
            assert_eq!((*operation, *item), ("vortex/orbit", 700), "{name}");
            assert_eq!(error.to_string(), "vortex/orbit: item 700 must start at a position of the ring", "{name}");
        }
    }
}

#[test]
fn arrays_are_counted_bounded_and_of_their_engine() {
    for (name, engine) in engines::all() {
        let device = if engine.is_gpu() { Device::Gpu } else { Device::Cpu };
        let options = EngineOptions { device, resident_bytes: Some(1000), ..Default::default() };
        let tight = Engine::open(&options).unwrap();
        let array = tight.upload_array(&[1_u32; 200]).expect("room");
        assert_eq!((tight.resident().handles, tight.resident().bytes, array.bytes()), (1, 800, 800), "{name}");
        let error = vortex::digital_roots_resident(&tight, &array).expect_err("no room");
        let ErrorKind::Device(DeviceError::ResidentBudget { needed: 800, held: 800, allowed: 1000 }) = error.kind()
        else {
            panic!("{name}: {error}")
        };
        let error = vortex::digital_roots_resident(engine, &array).expect_err("another engine's");
        assert!(matches!(error.kind(), ErrorKind::Device(DeviceError::HeldElsewhere)), "{name}: {error}");
        assert!(array.read(engine).is_err(), "{name}");
        let error = array.read_into(&tight, &mut [0; 199]).expect_err("199 places");
        assert!(error.is_shape(), "{name}: {error}");
        let (left, right) = (tight.upload_array(&[1_u32; 4]).unwrap(), tight.upload_array(&[1_i32; 3]).unwrap());
        let error = Ring::new(9, 2).unwrap().orbits_resident(&tight, &left, &right).expect_err("3 steps");
        let ErrorKind::Length(LengthError { .. }) = error.kind() else { panic!("{name}: {error}") };
        drop((array, left, right));
        assert_eq!((tight.resident().handles, tight.resident().bytes), (0, 0), "{name}");
        let error = tight.upload_planes(&[1_u32; 5], 2).expect_err("no whole planes");
        assert!(error.is_shape(), "{name}: {error}");
    }
}

/// What waits with something that fails is gone with it, and says so.
#[cfg(feature = "gpu")]
#[test]
fn what_was_never_computed_is_never_read() {
    use consilience::gpu::wgpu::{BufferDescriptor, BufferUsages};
    use consilience::gpu::{AnswerBuffers, EvidenceBuffer};
    use consilience::{Encoding, Fusion, Output};

    let Some(engine) = engines::gpu(None) else { return };
    let values = numbers(100, 1);
    let array = engine.upload_array(&values).expect("room");
    let computed = vortex::digital_roots_resident(&engine, &array).expect("room");
    engine.flush().expect("a device that works");
    let waiting = vortex::digital_roots_resident(&engine, &array).expect("room");

    let open = engine.open_device().expect("a GPU");
    let gone = open.device.create_buffer(&BufferDescriptor {
        label: None,
        size: 96,
        usage: BufferUsages::STORAGE,
        mapped_at_creation: false,
    });
    gone.destroy();
    let from = EvidenceBuffer::new(&gone, Encoding::Probabilities, [2, 6, 2]);
    let fusion = Fusion::default().outputs(&[Output::Posterior]);
    engine.fuse_buffers(&fusion, &from, &AnswerBuffers::posterior(&gone)).expect_err("a buffer that is gone");

    for error in [waiting.read(&engine).err(), vortex::square_map_resident(&engine, &waiting).err()] {
        let error = error.expect("what was never computed");
        assert!(matches!(error.kind(), ErrorKind::Device(DeviceError::Abandoned)), "{error}");
    }
    let want = vortex::digital_roots(&engine, &values).unwrap();
    assert_eq!(computed.read(&engine).expect("computed before"), want);
    let again = vortex::digital_roots_resident(&engine, &array).expect("room");
    assert_eq!(again.read(&engine).expect("the engine works on"), want);
}
