//! Tensors of burn's CPU backend: read in place, and the result's memory handed over.

use ::burn::backend::flex::{FlexTensor, Layout};
use ::burn::tensor::{Bytes, DType};
use bytemuck::{pod_collect_to_vec, try_cast_slice};

use super::fuse::Call;
use crate::engine::Engine;
use crate::error::Result;
use crate::tensor::{Evidence, Outline, Output};

/// Fuses one tensor [N, B, C] or N of [B, C].
pub(super) fn fuse(call: &Call<'_>, engine: &Engine, tensors: &[FlexTensor]) -> Result<FlexTensor> {
    let outline = call.outline;
    let readable: Vec<FlexTensor> = tensors.iter().map(|tensor| readable(tensor, outline)).collect();
    // Every one of them is readable now.
    let planes: Vec<&[f32]> = readable.iter().filter_map(|tensor| planes(tensor, outline)).flatten().collect();
    let evidence = Evidence::new(call.encoding, outline.classes, &planes)?;
    let mut fused = engine.fuse(&call.fusion_of_posterior(), &evidence)?;
    let posterior = fused.take_values(Output::Posterior).unwrap_or_default();
    Ok(handed_over(posterior, [outline.items, outline.classes]))
}

/// A tensor whose memory the numbers are.
fn handed_over(posterior: Vec<f32>, shape: [usize; 2]) -> FlexTensor {
    FlexTensor::new(Bytes::from_elems(posterior), Layout::contiguous(shape.into()), DType::F32)
}

/// The tensor itself where its planes can be read in place, else a copy where they can.
fn readable(tensor: &FlexTensor, outline: &Outline) -> FlexTensor {
    if planes(tensor, outline).is_some() {
        return tensor.clone();
    }
    match try_cast_slice::<u8, f32>(tensor.bytes()) {
        Ok(_) => tensor.to_contiguous(),
        // Bytes out of a file may begin anywhere; burn itself does not read those.
        Err(_) => {
            let aligned = Bytes::from_elems(pod_collect_to_vec::<u8, f32>(tensor.bytes()));
            FlexTensor::new(aligned, tensor.layout().clone(), DType::F32).to_contiguous()
        }
    }
}

/// The rows of each source in place, or `None` where the values of a source do not follow each other.
fn planes<'a>(tensor: &'a FlexTensor, outline: &Outline) -> Option<Vec<&'a [f32]>> {
    let (items, classes) = (outline.items, outline.classes);
    let values: &[f32] = try_cast_slice(tensor.bytes()).ok()?;
    let layout = tensor.layout();
    let (sources, source, item, class) = match *layout.strides() {
        [source, item, class] => (outline.sources(), source, item, class),
        [item, class] => (1, 0, item, class),
        _ => return None,
    };
    if (classes > 1 && class != 1) || (items > 1 && usize::try_from(item) != Ok(classes)) {
        return None;
    }
    let plane = |n: usize| {
        let start = layout.start_offset().checked_add_signed(source.checked_mul(n as isize)?)?;
        values.get(start..start + items * classes)
    };
    (0..sources).map(plane).collect()
}

#[cfg(test)]
mod tests {
    use ::burn::backend::Flex;
    use ::burn::tensor::{Device, Tensor, TensorData};

    use super::*;
    use crate::tensor::{Encoding, Form};

    fn outline([n, items, classes]: [usize; 3]) -> Outline {
        let forms = vec![Form::F32(Encoding::Logits); n];
        Outline { items, classes, forms, presence: false, confidence: false }
    }

    fn counting() -> Tensor<3> {
        let values: Vec<f32> = (0..24).map(|i| i as f32).collect();
        Tensor::from_data(TensorData::new(values, [2, 4, 3]), &Device::flex())
    }

    fn primitive<const D: usize>(tensor: &Tensor<D>) -> FlexTensor {
        tensor.clone().try_into_primitive::<Flex>().expect("a tensor of flex")
    }

    /// Where the planes that are read begin, as places in the tensor's storage; `None` for one that is elsewhere.
    fn starts(view: &Tensor<3>, of: &FlexTensor) -> Vec<Option<usize>> {
        let outline = outline(view.dims());
        let readable = readable(&primitive(view), &outline);
        let storage = try_cast_slice::<u8, f32>(of.bytes()).expect("numbers").as_ptr_range();
        let planes = planes(&readable, &outline).expect("planes");
        let place = |plane: &[f32]| {
            let inside = storage.contains(&plane.as_ptr());
            inside.then(|| (plane.as_ptr() as usize - storage.start as usize) / 4)
        };
        planes.into_iter().map(place).collect()
    }

    #[test]
    fn planes_are_the_tensors_own_storage() {
        let tensor = counting();
        let own = primitive(&tensor);
        assert_eq!(starts(&tensor, &own), [Some(0), Some(12)]);
        assert_eq!(starts(&tensor.clone().slice([0..2, 1..3, 0..3]), &own), [Some(3), Some(15)]);
        assert_eq!(starts(&tensor.clone().slice([1..2, 0..4, 0..3]), &own), [Some(12)]);
        assert_eq!(starts(&tensor.clone().flip([0]), &own), [Some(12), Some(0)]);
        assert_eq!(starts(&tensor.clone().narrow(0, 1, 1).expand([3, 4, 3]), &own), [Some(12); 3]);
        // Items or classes that do not follow each other are copied.
        assert_eq!(starts(&tensor.clone().flip([1]), &own), [None, None]);
        assert_eq!(starts(&tensor.clone().slice([0..2, 0..4, 0..2]), &own), [None, None]);
        assert_eq!(starts(&tensor.swap_dims(1, 2), &own), [None, None]);
    }

    #[test]
    fn a_posterior_keeps_its_memory() {
        let posterior = vec![0.25_f32, 0.75];
        let memory = posterior.as_ptr() as usize;
        let tensor = handed_over(posterior, [1, 2]);
        assert_eq!(tensor.bytes().as_ptr() as usize, memory);
        assert_eq!(tensor.as_slice::<f32>(), Some(&[0.25_f32, 0.75][..]));
    }

    #[test]
    fn bytes_that_begin_anywhere_are_copied_to_where_they_can_be_read() {
        let whole: Vec<u8> =
            [0_u8; 3].into_iter().chain([0.5_f32, 0.25, 0.25].map(f32::to_ne_bytes).concat()).collect();
        let bytes = Bytes::from_bytes_vec(whole).shared().view(3, 15).expect("a view");
        let tensor = FlexTensor::new(bytes, Layout::contiguous([1, 1, 3].into()), DType::F32);
        let outline = outline([1, 1, 3]);
        assert!(planes(&tensor, &outline).is_none());
        assert_eq!(planes(&readable(&tensor, &outline), &outline), Some(vec![&[0.5_f32, 0.25, 0.25][..]]));
    }
}
