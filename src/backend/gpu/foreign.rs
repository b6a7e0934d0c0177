//! Devices and buffers of a caller's: evidence is fused where it lies, on the caller's own device and queue, and no byte of
//! it goes through the host.
//!
//! [`Engine::on_device`](crate::Engine::on_device) makes an engine of a device that the caller opened, and
//! [`Engine::fuse_buffers`](crate::Engine::fuse_buffers) fuses from one buffer into another, submitted and not waited for.
//! [`wgpu`] is the version whose types they take.
//!
//! # Examples
//!
//! *A caller's buffer of two sources' opinions on two items; the answers go to a buffer of the caller's.*
//!
//! ```no_run
//! use consilience::gpu::{AnswerBuffers, EvidenceBuffer, OpenDevice, wgpu};
//! use consilience::{Encoding, Engine, EngineOptions, Fusion};
//!
//! # fn ask(open: OpenDevice, evidence: wgpu::Buffer, posterior: wgpu::Buffer) -> consilience::Result<()> {
//! let engine = Engine::on_device(open, &EngineOptions::default())?;
//! let from = EvidenceBuffer::new(&evidence, Encoding::Probabilities, [2, 2, 10]);
//! let submitted = engine.fuse_buffers(&Fusion::default(), &from, &AnswerBuffers::posterior(&posterior))?;
//! // More work on the same queue finds the answers there. Whether every opinion was valid is told where it is asked for:
//! engine.finish(submitted)?;
//! # Ok(())
//! # }
//! ```

pub use wgpu;
use wgpu::{AdapterInfo, Buffer, BufferBinding, BufferSize, BufferUsages, Device, Queue};

use crate::backend::gpu::adapter::Opened;
use crate::backend::gpu::buffers::storage;
use crate::backend::gpu::enabled::{Gpu, State};
use crate::backend::gpu::encode::{Chunk, Rows};
use crate::backend::gpu::readback::Piece;
use crate::backend::gpu::record::Places;
use crate::error::{DeviceError, Error, ErrorKind, EvidenceError, InvalidOpinion, Result};
use crate::plan::partition::words_of_columns;
use crate::plan::{Program, Step};
use crate::tensor::{Encoding, Form, Outline, Output, OwnedEvidence, OwnedPlane};

/// A device that the caller opened, and goes on using as it likes.
///
/// With the feature `TIMESTAMP_QUERY` the kernels are timed. The limits should be the adapter's own: the defaults allow
/// 128 MiB a binding.
#[derive(Debug, Clone)]
pub struct OpenDevice {
    /// What it is.
    pub info: AdapterInfo,
    /// The device.
    pub device: Device,
    /// Its queue.
    pub queue: Queue,
}

/// Evidence in a buffer of the caller's: f32 rows of N sources on B items over C classes.
#[derive(Debug, Clone, Copy)]
pub struct EvidenceBuffer<'a> {
    buffer: &'a Buffer,
    encoding: Encoding,
    sources: usize,
    items: usize,
    classes: usize,
    offset: u64,
    source_stride: Option<usize>,
    item_stride: Option<usize>,
}

impl<'a> EvidenceBuffer<'a> {
    /// Rows [N, B, C], one behind the other from the buffer's beginning. The buffer needs the usage `STORAGE`; with
    /// `COPY_SRC`, an opinion that is not valid is named with its value.
    #[must_use]
    pub const fn new(buffer: &'a Buffer, encoding: Encoding, [sources, items, classes]: [usize; 3]) -> Self {
        Self { buffer, encoding, sources, items, classes, offset: 0, source_stride: None, item_stride: None }
    }

    /// The byte at which the first row begins, a multiple of four.
    #[must_use]
    pub const fn offset(self, bytes: u64) -> Self {
        Self { offset: bytes, ..self }
    }

    /// From one source's first row to the next one's, and from row to row, in values; not said, B x C and C.
    #[must_use]
    pub const fn strides(self, source: usize, item: usize) -> Self {
        Self { source_stride: Some(source), item_stride: Some(item), ..self }
    }

    /// The same without the values.
    pub(crate) fn outline(&self) -> Result<Outline> {
        let (n, items, classes) = (self.sources, self.items, self.classes);
        if n == 0 {
            return Err(EvidenceError::NoSources.into());
        }
        if classes == 0 {
            return Err(EvidenceError::NoClasses.into());
        }
        Ok(Outline { items, classes, forms: vec![Form::F32(self.encoding); n], presence: false, confidence: false })
    }

    fn region(&self) -> Result<Region<'a>> {
        let row = self.item_stride.unwrap_or(self.classes);
        let plane = self.source_stride.unwrap_or(self.items.saturating_mul(self.classes));
        let what = "the evidence";
        for (what, stride, least) in
            [("between the items of the evidence", row, self.classes), ("between its sources", plane, self.classes)]
        {
            if stride < least {
                return Err(DeviceError::Stride { what, stride, least }.into());
            }
        }
        let last = [(self.sources - 1, plane), (self.items - 1, row)];
        Region::new(what, self.buffer, self.offset, last, [plane, row], self.classes)
    }
}

/// Where answers go in buffers of the caller's, which need the usage `STORAGE`.
#[derive(Debug, Clone, Copy, Default)]
pub struct AnswerBuffers<'a> {
    posterior: Option<(&'a Buffer, u64, Option<usize>)>,
    columns: Option<(&'a Buffer, u64)>,
}

impl<'a> AnswerBuffers<'a> {
    /// The posterior, f32 rows [B, C], to the beginning of a buffer.
    #[must_use]
    pub const fn posterior(buffer: &'a Buffer) -> Self {
        Self::posterior_at(buffer, 0, None)
    }

    /// The posterior from a byte on, a multiple of four; from row to row so many values, C where not said.
    #[must_use]
    pub const fn posterior_at(buffer: &'a Buffer, offset: u64, item_stride: Option<usize>) -> Self {
        Self { posterior: Some((buffer, offset, item_stride)), columns: None }
    }

    /// All that the fusion asks for beside the posterior, in the order of [`Output::ALL`], B words each, f32 but for
    /// decisions and flags, which are u32; contributions come last, [B, N]. From a byte on that is a multiple of the
    /// device's `min_storage_buffer_offset_alignment`.
    #[must_use]
    pub const fn and_columns(self, buffer: &'a Buffer, offset: u64) -> Self {
        Self { columns: Some((buffer, offset)), ..self }
    }

    /// The same and no posterior.
    #[must_use]
    pub const fn columns(buffer: &'a Buffer, offset: u64) -> Self {
        Self { posterior: None, columns: Some((buffer, offset)) }
    }
}

/// A fusion that was submitted and not waited for. Dropped, it is carried out all the same; whether every opinion was valid
/// is then never told.
#[derive(Debug)]
#[must_use = "whether every opinion was valid is told by `Engine::finish`"]
pub struct Submitted {
    /// `None` where there was nothing to do.
    ran: Option<Ran>,
}

#[derive(Debug)]
struct Ran {
    /// The lowest item with an invalid opinion.
    status: Buffer,
    /// Where what is wrong with it can be seen.
    evidence: Buffer,
    rows: Rows,
    outline: Outline,
    /// The number of the device it was submitted to.
    on: u64,
}

/// Part of a buffer of the caller's.
struct Region<'a> {
    what: &'static str,
    buffer: &'a Buffer,
    rows: Rows,
    /// Its end, in bytes.
    end: u64,
}

impl<'a> Region<'a> {
    /// From a byte on, to the end of the row that is so many strides further.
    fn new(
        what: &'static str,
        buffer: &'a Buffer,
        offset: u64,
        last: [(usize, usize); 2],
        [plane, row]: [usize; 2],
        classes: usize,
    ) -> Result<Self> {
        if !offset.is_multiple_of(4) {
            return Err(DeviceError::Misaligned { what, offset, multiple: 4 }.into());
        }
        let far = last.into_iter().try_fold(classes as u64, |end, (times, stride)| {
            end.checked_add((times as u64).checked_mul(stride as u64)?)
        });
        let end = far.and_then(|values| values.checked_mul(4)?.checked_add(offset));
        let end = end.filter(|&end| end <= buffer.size()).ok_or(DeviceError::BufferTooSmall {
            what,
            needed: end.unwrap_or(u64::MAX),
            given: buffer.size(),
        })?;
        check_usage(what, buffer)?;
        // What does not fit has been refused, by the size of the buffer or of a binding.
        let word = |words: u64| u32::try_from(words).unwrap_or(u32::MAX);
        Ok(Self {
            what,
            buffer,
            rows: Rows { at: word(offset / 4), plane: word(plane as u64), row: word(row as u64) },
            end,
        })
    }

    /// Binds it from where a binding may begin; its rows then count from there.
    fn bind(&mut self, opened: &Opened, allowed: u64) -> Result<BufferBinding<'a>> {
        let multiple = u64::from(opened.device.limits().min_storage_buffer_offset_alignment);
        let offset = 4 * u64::from(self.rows.at) / multiple * multiple;
        let needed = self.end - offset;
        if needed > allowed {
            return Err(DeviceError::BindingTooLarge { what: self.what, needed, allowed }.into());
        }
        self.rows.at -= (offset / 4) as u32;
        Ok(BufferBinding { buffer: self.buffer, offset, size: BufferSize::new(needed) })
    }
}

fn check_usage(what: &'static str, buffer: &Buffer) -> Result<()> {
    if buffer.usage().contains(BufferUsages::STORAGE) {
        return Ok(());
    }
    Err(DeviceError::BufferUsage { what, needed: "STORAGE" }.into())
}

impl Gpu {
    /// Runs on a device of the caller's, whose loss the caller hears of, not we: one callback is all that a device has.
    pub(crate) fn on_device(open: OpenDevice, memory_bytes: Option<u64>) -> Self {
        let OpenDevice { info, device, queue } = open;
        let offered = device.features();
        Self::on(Opened::new(info, offered, device, queue, None), memory_bytes)
    }

    /// The device, to be worked on by others as well.
    pub(crate) fn open_device(&self) -> OpenDevice {
        let Opened { info, device, queue, .. } = &self.opened;
        OpenDevice { info: info.clone(), device: device.clone(), queue: queue.clone() }
    }

    /// Fuses from and into the caller's buffers.
    pub(crate) fn fuse_buffers(
        &self,
        program: &Program,
        outline: Outline,
        from: &EvidenceBuffer<'_>,
        to: &AnswerBuffers<'_>,
    ) -> Result<Submitted> {
        if outline.items == 0 {
            return Ok(Submitted { ran: None });
        }
        let status = storage(&self.opened, "status", 4);
        let mut region = from.region()?;
        let evidence = region.bind(&self.opened, self.limits.binding_bytes)?;
        self.alone(0, |state| {
            self.opened.queue.write_buffer(&status, 0, &u32::MAX.to_ne_bytes());
            for step in &program.steps {
                self.record_step(state, step, &outline, (&evidence, region.rows), to, &status)?;
            }
            state.chain.submit(&self.opened);
            Ok(())
        })
        .map_err(of_the_callers)?;
        let (evidence, on) = (from.buffer.clone(), self.opened.number);
        let rows = Rows { at: (from.offset / 4) as u32, ..region.rows };
        Ok(Submitted { ran: Some(Ran { status, evidence, rows, outline, on }) })
    }

    fn record_step(
        &self,
        state: &mut State,
        step: &Step,
        outline: &Outline,
        (evidence, rows): (&BufferBinding<'_>, Rows),
        to: &AnswerBuffers<'_>,
        status: &Buffer,
    ) -> Result<()> {
        let (opened, classes) = (&self.opened, outline.classes);
        let asked = step.pool.outputs;
        let mut chunk = Chunk { evidence: rows, ..Chunk::whole(step, outline.items) };
        let posterior = match to.posterior {
            Some((buffer, offset, stride)) if asked.contains(Output::Posterior) => {
                let row = stride.unwrap_or(classes);
                if row < classes {
                    let what = "between the items of the posterior";
                    return Err(DeviceError::Stride { what, stride: row, least: classes }.into());
                }
                let last = [(outline.items - 1, row), (0, 0)];
                let mut region = Region::new("the posterior", buffer, offset, last, [0, row], classes)?;
                let bound = region.bind(opened, self.limits.binding_bytes)?;
                chunk.posterior = region.rows;
                Some(bound)
            }
            None if asked.contains(Output::Posterior) => {
                return Err(DeviceError::NoBuffer { what: "the posterior" }.into());
            }
            _ => None,
        };
        let needed = 4 * words_of_columns(step, outline.items as u64);
        let columns = match to.columns {
            Some((buffer, offset)) if needed > 0 => Some(self.columns(buffer, offset, needed)?),
            None if needed > 0 => return Err(DeviceError::NoBuffer { what: "the columns" }.into()),
            _ => None,
        };
        let nothing = state.nothing.clone();
        let read = || nothing.read.as_entire_buffer_binding();
        let written = || nothing.written.as_entire_buffer_binding();
        let in_place = [to.posterior.map(|(buffer, ..)| buffer), to.columns.map(|(buffer, _)| buffer)];
        let places = Places {
            evidence: evidence.clone(),
            presence: read(),
            confidence: read(),
            posterior: posterior.unwrap_or_else(written),
            columns: columns.unwrap_or_else(written),
            status: status.as_entire_buffer_binding(),
            in_place: in_place.into_iter().flatten().any(|buffer| buffer == evidence.buffer),
        };
        state.record(self, chunk, &places)?;
        Ok(())
    }

    fn columns<'a>(&self, buffer: &'a Buffer, offset: u64, needed: u64) -> Result<BufferBinding<'a>> {
        let (what, allowed) = ("the columns", self.limits.binding_bytes);
        let multiple = u64::from(self.opened.device.limits().min_storage_buffer_offset_alignment);
        if !offset.is_multiple_of(multiple) {
            return Err(DeviceError::Misaligned { what, offset, multiple }.into());
        }
        let end = offset.saturating_add(needed);
        if end > buffer.size() {
            return Err(DeviceError::BufferTooSmall { what, needed: end, given: buffer.size() }.into());
        }
        if needed > allowed {
            return Err(DeviceError::BindingTooLarge { what, needed, allowed }.into());
        }
        check_usage(what, buffer)?;
        Ok(BufferBinding { buffer, offset, size: BufferSize::new(needed) })
    }

    /// Waits for a fusion, and says what is wrong with an opinion that is not valid.
    pub(crate) fn finish(&self, submitted: Submitted) -> Result<()> {
        let Some(ran) = submitted.ran else { return Ok(()) };
        if ran.on != self.opened.number {
            return Err(DeviceError::HeldElsewhere.into());
        }
        let [item] = self.read_words(&ran.status, 0)?;
        if item == u32::MAX {
            return Ok(());
        }
        Err(ran.invalid(self, item as usize)?)
    }

    /// Some words of a buffer, from a byte on.
    fn read_words<const N: usize>(&self, from: &Buffer, from_offset: u64) -> Result<[u32; N]> {
        let mut words = [0; N];
        let to = bytemuck::cast_slice_mut(&mut words);
        self.alone(0, |state| state.readback.read(&self.opened, vec![Piece { from, from_offset, to }]))?;
        Ok(words)
    }
}

impl Ran {
    /// What is wrong with the item.
    fn invalid(&self, gpu: &Gpu, item: usize) -> Result<Error> {
        let unseen = || EvidenceError::InvalidUnseen { item }.into();
        if !self.evidence.usage().contains(BufferUsages::COPY_SRC) {
            return Ok(unseen());
        }
        let classes = self.outline.classes;
        let mut rows = vec![vec![0_u32; classes]; self.outline.sources()];
        let Rows { at, plane, row } = self.rows;
        let word = |source: usize| u64::from(at) + source as u64 * u64::from(plane) + item as u64 * u64::from(row);
        gpu.alone(0, |state| {
            let pieces = rows.iter_mut().enumerate().map(|(source, words)| Piece {
                from: &self.evidence,
                from_offset: 4 * word(source),
                to: bytemuck::cast_slice_mut(words),
            });
            state.readback.read(&gpu.opened, pieces.collect())
        })?;
        let plane = |(words, &form): (Vec<u32>, &Form)| {
            let bytes = 4 * words.len();
            OwnedPlane { form, words, bytes, presence: None, confidence: None }
        };
        let planes = rows.into_iter().zip(&self.outline.forms).map(plane).collect();
        let found = OwnedEvidence::new(classes, planes).evidence()?.diagnose(0);
        Ok(EvidenceError::Invalid(InvalidOpinion { item, ..found }).into())
    }
}

/// What wgpu refuses of buffers that the caller made is the caller's: one of another device, or destroyed.
fn of_the_callers(error: Error) -> Error {
    match error.kind() {
        ErrorKind::Device(DeviceError::Refused { message }) => {
            DeviceError::ForeignBuffer { message: message.clone() }.into()
        }
        _ => error,
    }
}
