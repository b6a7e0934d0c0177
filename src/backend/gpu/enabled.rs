//! The GPU executor: programs run through wgpu, in chunks that fit the device.

use std::ops::Range;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use wgpu::{BindGroupDescriptor, Buffer, CommandEncoderDescriptor, ComputePassDescriptor};

use crate::backend::fault::Faults;
use crate::backend::gpu::Wanted;
use crate::backend::gpu::adapter::{self, Opened};
use crate::backend::gpu::batch;
use crate::backend::gpu::buffers::{Nothing, Sets};
use crate::backend::gpu::chain::Chain;
use crate::backend::gpu::encode::{Chunk, Target, upload_opinions};
use crate::backend::gpu::fused::DeviceFused;
use crate::backend::gpu::held::DeviceArray;
use crate::backend::gpu::pipelines::{Pipelines, Switches};
use crate::backend::gpu::profile::{CLOCK_BYTES, Clock};
use crate::backend::gpu::readback::{Piece, Readback, Reading};
use crate::backend::gpu::regression;
use crate::backend::gpu::resident::Resident;
use crate::backend::gpu::upload::Upload;
use crate::backend::held::{HeldArray, HeldBatch, Shape};
use crate::backend::{Adapter, Backend, Held, HeldFused, Regression, Run, Timing};
use crate::error::{DeviceError, InvalidOpinion, Result};
use crate::kernel::stacking::softmax_regression::Features;
use crate::plan::batch::Batch;
use crate::plan::partition::{
    COLUMNS, CONFIDENCE, EVIDENCE, Limits, POSTERIOR, PRESENCE, STATUS, check_loops, cut, dispatch_items,
};
use crate::plan::{Program, Step};
use crate::tensor::{Evidence, FusedMut, Outline, OwnedEvidence};

/// Device memory a chunk may take unless the caller says otherwise.
const DEFAULT_MEMORY_BYTES: u64 = 256 << 20;

/// Bindings are indexed by 32-bit numbers on some drivers.
const MAX_BINDING_BYTES: u64 = (1 << 31) - 4;

/// Values of evidence in a dispatch: some ten milliseconds of a GPU's time at the slowest; of a software driver's, which
/// does ten to forty million a second on two cores, a tenth of a second or two.
pub(super) const HARDWARE_DISPATCH_VALUES: u64 = 1 << 28;
pub(super) const SOFTWARE_DISPATCH_VALUES: u64 = 1 << 21;

/// Steps after which Mesa's llvmpipe ends every loop of an invocation.
const SOFTWARE_LOOP_STEPS: u64 = 65_535;

/// A device and all that is kept on it between runs.
#[derive(Debug)]
pub(crate) struct Gpu {
    pub(super) opened: Opened,
    pub(super) limits: Limits,
    /// Runs take turns. `None` before the first run and after one that failed, which may have left buffers mapped.
    state: Mutex<Option<State>>,
}

/// What runs use again.
#[derive(Debug)]
pub(super) struct State {
    buffers: Sets,
    pub(super) held: batch::Held,
    pub(super) upload: Upload,
    pub(super) readback: Readback,
    pub(super) pipelines: Pipelines,
    pub(super) clock: Option<Clock>,
    pub(super) chain: Chain,
    /// What the dispatches of the chain put aside, one after the other.
    pub(super) aside: Option<Buffer>,
    pub(super) nothing: Nothing,
}

impl Gpu {
    /// Opens a device on the adapter wanted, of whose memory one fusion or one fit takes at most so many bytes.
    pub(crate) fn open(wanted: &Wanted, memory_bytes: Option<u64>, faults: Option<Faults>) -> Result<Self> {
        Ok(Self::on(adapter::open(wanted, faults)?, memory_bytes))
    }

    /// Runs on a device that is open already.
    pub(super) fn on(opened: Opened, memory_bytes: Option<u64>) -> Self {
        let device = opened.device.limits();
        let is_software = adapter::is_software(&opened.info);
        let binding_bytes = device.max_storage_buffer_binding_size.min(device.max_buffer_size).min(MAX_BINDING_BYTES);
        let limits = Limits {
            binding_bytes,
            chunk_bytes: memory_bytes.unwrap_or(DEFAULT_MEMORY_BYTES),
            dispatch_values: if is_software { SOFTWARE_DISPATCH_VALUES } else { HARDWARE_DISPATCH_VALUES },
            loop_steps: is_software.then_some(SOFTWARE_LOOP_STEPS),
        };
        Self { opened, limits, state: Mutex::new(None) }
    }

    /// Whether kernels sum over the device's subgroups, where they can.
    pub(crate) const fn sums_by_subgroups(&self) -> bool {
        self.opened.by_subgroups
    }

    /// From now on sums over the device's subgroups, if it has any, or else by trees of a workgroup's lanes. What was compiled
    /// is forgotten.
    pub(crate) fn sum_by_subgroups(&mut self, by_subgroups: bool) {
        self.opened.by_subgroups = by_subgroups && self.opened.has_subgroups();
        self.state = Mutex::new(None);
    }

    /// The evidence, if this device holds it.
    fn evidence<'a>(&self, held: &'a Held) -> Result<&'a Resident> {
        let Held::Device(resident) = held else { return Err(DeviceError::HeldElsewhere.into()) };
        self.is_home(resident.device)?;
        Ok(resident)
    }

    /// The answers, if this device holds them.
    fn fused<'a>(&self, held: &'a HeldFused) -> Result<&'a DeviceFused> {
        let HeldFused::Device(fused) = held else { return Err(DeviceError::HeldElsewhere.into()) };
        self.is_home(fused.device)?;
        Ok(fused)
    }

    /// Fails if it is not this device that has the number: the one that had is no longer there.
    pub(super) fn is_home(&self, device: u64) -> Result<()> {
        if device == self.opened.number { Ok(()) } else { Err(DeviceError::HeldLost.into()) }
    }

    /// The adapter's name.
    pub(crate) fn name(&self) -> &str {
        &self.opened.info.name
    }

    /// What its measurements hold for.
    pub(crate) fn identity(&self) -> String {
        let info = &self.opened.info;
        format!("{} {:x}:{:x} {:?}", self.describe(), info.vendor, info.device, self.limits)
    }

    /// Does the work with the state, alone; after a failure the state is made anew.
    pub(super) fn alone<T>(&self, bytes: u64, work: impl FnOnce(&mut State) -> Result<T>) -> Result<T> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut current = state.take();
        let result = self.opened.guarded(bytes, || work(current.get_or_insert_with(|| State::new(&self.opened))));
        if result.is_ok() {
            if let Some(state) = &mut current {
                state.chain.confirm();
            }
            *state = current;
        }
        result
    }

    /// Runs one step over all items.
    fn run_step(&self, step: &Step, evidence: &Evidence<'_>, out: FusedMut<'_>) -> Result<Run> {
        let (opened, items) = (&self.opened, evidence.items());
        let cut = cut(step, items as u64, self.limits)?;
        let at_most = (cut.items as usize).min(items);
        let outline = evidence.outline();
        let largest = Chunk::whole(step, at_most).bytes();
        self.alone(cut.sets as u64 * largest.iter().sum::<u64>(), |state| {
            let bindings = step.kernel().contract().bindings;
            state.buffers.reserve(opened, bindings, &largest, cut.sets, self.limits.chunk_bytes);
            let chunks = (0..items).step_by(at_most).map(|start| start..items.min(start + at_most));
            state.in_turn(opened, cut.sets, chunks, out, |state, set, range, timing| {
                let (chunk, buffers) = (Chunk::whole(step, range.len()), state.buffers.at(set));
                let begin = Instant::now();
                upload_opinions(opened, &mut state.upload, evidence, &outline, range, buffers.target())?;
                chunk.upload(opened, &mut state.upload, buffers)?;
                timing.upload += begin.elapsed();
                state.dispatch(opened, chunk, set, None);
                Ok(())
            })
        })
    }

    /// Runs one step over all items that are held.
    fn run_held_step(&self, step: &Step, resident: &Resident, out: FusedMut<'_>) -> Result<Run> {
        check_loops(step, self.limits)?;
        let opened = &self.opened;
        let at_most = usize::try_from(dispatch_items(step, self.limits)).unwrap_or(usize::MAX);
        let mut largest = Chunk::whole(step, resident.largest()).bytes();
        for bound in [EVIDENCE, PRESENCE, CONFIDENCE] {
            // What is held is bound in its place.
            largest[bound] = 4;
        }
        let together = largest.iter().sum::<u64>();
        let sets = if resident.pieces().len() > 1 && 2 * together <= self.limits.chunk_bytes { 2 } else { 1 };
        self.alone(sets as u64 * together, |state| {
            // What the evidence was stacked of may wait.
            state.chain.submit(opened);
            let bindings = step.kernel().contract().bindings;
            state.buffers.reserve(opened, bindings, &largest, sets, self.limits.chunk_bytes);
            let mut pieces = resident.pieces().iter();
            let ranges = resident.pieces().iter().map(|piece| piece.start..piece.start + piece.items);
            state.in_turn(opened, sets, ranges, out, |state, set, range, timing| {
                let Some(piece) = pieces.next() else { return Ok(()) };
                for first in (0..range.len()).step_by(at_most) {
                    let items = at_most.min(range.len() - first);
                    let chunk = Chunk { first, items, ..Chunk::whole(step, range.len()) };
                    let begin = Instant::now();
                    chunk.upload(opened, &mut state.upload, state.buffers.at(set))?;
                    timing.upload += begin.elapsed();
                    state.dispatch(opened, chunk, set, Some(piece.target()));
                }
                Ok(())
            })
        })
    }
}

/// A chunk whose outputs are on their way back.
struct Flying<'a> {
    set: usize,
    /// Its first item.
    start: usize,
    out: FusedMut<'a>,
    reading: Reading,
}

impl State {
    fn new(opened: &Opened) -> Self {
        Self {
            buffers: Sets::default(),
            held: batch::Held::default(),
            upload: Upload::new(opened),
            readback: Readback::new(opened),
            pipelines: Pipelines::default(),
            clock: Clock::new(opened),
            chain: Chain::new(opened),
            aside: None,
            nothing: Nothing::new(opened),
        }
    }

    /// Runs chunks, each in the next set of buffers: while the outputs of one come back, the next is uploaded and
    /// dispatched. Ends at the first in which an item is invalid.
    fn in_turn(
        &mut self,
        opened: &Opened,
        sets: usize,
        chunks: impl Iterator<Item = Range<usize>>,
        mut out: FusedMut<'_>,
        mut dispatch: impl FnMut(&mut Self, usize, Range<usize>, &mut Timing) -> Result<()>,
    ) -> Result<Run> {
        let (mut run, mut flying) = (Run::default(), None);
        for (turn, range) in chunks.enumerate() {
            let (set, start) = (turn % sets, range.start);
            let (now, rest) = out.split_at(range.len());
            out = rest;
            if sets == 1 {
                // Its buffers are the ones that this chunk is to have.
                self.land(opened, flying.take(), &mut run)?;
            }
            if run.first_invalid.is_some() {
                break;
            }
            dispatch(self, set, range, &mut run.timing)?;
            self.land(opened, flying.take(), &mut run)?;
            if run.first_invalid.is_some() {
                break;
            }
            flying = Some(self.take_off(opened, set, start, now, &mut run));
        }
        self.land(opened, flying, &mut run)?;
        Ok(run)
    }

    /// Sends back the outputs of the chunk that was dispatched last, which begins at an item.
    fn take_off<'a>(
        &self,
        opened: &Opened,
        set: usize,
        start: usize,
        mut out: FusedMut<'a>,
        run: &mut Run,
    ) -> Flying<'a> {
        let begin = Instant::now();
        let reading = self.readback.begin(opened, self.pieces(set, &mut Marks::default(), out.reborrow()));
        run.timing.read_back += begin.elapsed();
        Flying { set, start, out, reading }
    }

    /// Waits for the outputs of a chunk, if one is on its way.
    fn land(&self, opened: &Opened, flying: Option<Flying<'_>>, run: &mut Run) -> Result<()> {
        let Some(Flying { set, start, out, reading }) = flying else { return Ok(()) };
        let begin = Instant::now();
        let mut marks = Marks::default();
        self.readback.finish(opened, reading, self.pieces(set, &mut marks, out))?;
        run.timing.read_back += begin.elapsed();

        if let Some(clock) = &self.clock {
            *run.timing.kernels.get_or_insert(Duration::ZERO) += clock.between(marks.ticks);
        }
        run.timing.chunks += 1;
        let status = u32::from_ne_bytes(marks.status);
        run.first_invalid = (status != u32::MAX).then_some(start + status as usize);
        Ok(())
    }

    /// What is read back of a chunk, the marks first: the clock is overwritten by the next chunk.
    fn pieces<'a>(&'a self, set: usize, marks: &'a mut Marks, out: FusedMut<'a>) -> Vec<Piece<'a>> {
        let buffers = self.buffers.at(set);
        let mut pieces = vec![Piece { from: buffers.at(STATUS), from_offset: 0, to: &mut marks.status }];
        if let Some(clock) = &self.clock {
            pieces.push(Piece { from: &clock.resolved, from_offset: 0, to: &mut marks.ticks });
        }
        pieces.extend(outputs(buffers.at(POSTERIOR), buffers.at(COLUMNS), out));
        pieces
    }

    /// Submits the chunk's kernel, over evidence that lies elsewhere than in the chunk's own buffers if it does.
    fn dispatch(&mut self, opened: &Opened, chunk: Chunk<'_>, set: usize, held: Option<Target<'_>>) {
        let kernel = chunk.step.kernel();
        let (pipeline, layout) = self.pipelines.get(opened, kernel, Switches::of(chunk.step).into());
        let held =
            held.map(|held| [(EVIDENCE, held.evidence), (PRESENCE, held.presence), (CONFIDENCE, held.confidence)]);
        let group = opened.device.create_bind_group(&BindGroupDescriptor {
            label: Some(kernel.name()),
            layout: &layout,
            entries: &self.buffers.at(set).entries(held.as_ref().map_or(&[], |held| held)),
        });
        let mut encoder =
            opened.device.create_command_encoder(&CommandEncoderDescriptor { label: Some(kernel.name()) });
        let grid = chunk.grid();
        let (is_first, is_last) = (chunk.first == 0, chunk.first + chunk.items == chunk.held);
        let timestamp_writes = self.clock.as_ref().and_then(|clock| clock.one_of(is_first, is_last));
        let mut pass =
            encoder.begin_compute_pass(&ComputePassDescriptor { label: Some(kernel.name()), timestamp_writes });
        pass.set_pipeline(&pipeline);
        pass.set_bind_group(0, &group, &[]);
        pass.dispatch_workgroups(grid.groups_per_row, grid.rows, 1);
        drop(pass);
        if let Some(clock) = self.clock.as_ref().filter(|_| is_last) {
            clock.resolve(&mut encoder);
        }
        opened.submit(encoder);
    }
}

/// What is read back of a chunk beside its outputs.
#[derive(Debug, Default)]
struct Marks {
    /// The first invalid item.
    status: [u8; 4],
    ticks: [u8; CLOCK_BYTES],
}

/// Where the outputs lie in both buffers and where they go; of those not asked for both are empty.
pub(super) fn outputs<'a>(posterior: &'a Buffer, columns: &'a Buffer, out: FusedMut<'a>) -> Vec<Piece<'a>> {
    use bytemuck::cast_slice_mut;
    let each = [
        cast_slice_mut(out.decision),
        cast_slice_mut(out.confidence),
        cast_slice_mut(out.margin),
        cast_slice_mut(out.entropy),
        cast_slice_mut(out.disagreement),
        cast_slice_mut(out.effective_sources),
        cast_slice_mut(out.flags),
        cast_slice_mut(out.conflict),
        cast_slice_mut(out.contributions),
    ];
    let mut pieces = vec![Piece { from: posterior, from_offset: 0, to: cast_slice_mut(out.posterior) }];
    let mut from_offset = 0;
    for to in each {
        let bytes = to.len() as u64;
        pieces.push(Piece { from: columns, from_offset, to });
        from_offset += bytes;
    }
    pieces
}

impl Backend for Gpu {
    fn run(&self, program: &Program, evidence: &Evidence<'_>, mut out: FusedMut<'_>) -> Result<Run> {
        let mut run = Run::default();
        for step in &program.steps {
            run = self.run_step(step, evidence, out.reborrow())?;
        }
        Ok(run)
    }

    fn held_bytes(&self, outline: &Outline) -> Result<u64> {
        Resident::bytes(outline, self.limits)
    }

    fn hold(&self, evidence: &Evidence<'_>) -> Result<Held> {
        Ok(Held::Device(Resident::new(self, evidence)?))
    }

    fn run_held(&self, program: &Program, held: &Held, mut out: FusedMut<'_>) -> Result<Run> {
        let mut run = Run::default();
        for step in &program.steps {
            run = self.run_held_step(step, self.evidence(held)?, out.reborrow())?;
        }
        Ok(run)
    }

    fn diagnose_held(&self, held: &Held, item: usize) -> Result<InvalidOpinion> {
        let invalid = self.evidence(held)?.item(self, item)?.evidence()?.diagnose(0);
        Ok(InvalidOpinion { item, ..invalid })
    }

    fn run_batch(&self, batch: Batch<'_>) -> Result<Timing> {
        self.run_in_chunks(batch)
    }

    fn regression(self: Arc<Self>, features: Arc<Features>) -> Result<Box<dyn Regression>> {
        Ok(Box::new(regression::Held::new(self, features)?))
    }

    fn fused_bytes(&self, program: &Program, held: &Held) -> Result<u64> {
        Ok(DeviceFused::bytes(program, self.evidence(held)?))
    }

    fn fuse_held(&self, program: &Program, held: &Held, _outline: &Outline) -> Result<HeldFused> {
        Ok(HeldFused::Device(self.fuse_resident(program, self.evidence(held)?)?))
    }

    fn read_fused(&self, fused: &[&HeldFused], out: Vec<FusedMut<'_>>) -> Result<Vec<Option<usize>>> {
        let fused = fused.iter().map(|fused| self.fused(fused)).collect::<Result<Vec<_>>>()?;
        self.read_answers(&fused, out)
    }

    fn copy_posterior(&self, fused: &HeldFused, array: &mut HeldArray, plane: usize) -> Result<()> {
        self.copy_rows(self.fused(fused)?, array, plane)
    }

    fn stack(&self, posteriors: &[&HeldFused], outline: Outline) -> Result<Held> {
        let posteriors = posteriors.iter().map(|fused| self.fused(fused)).collect::<Result<Vec<_>>>()?;
        Ok(Held::Device(self.stack_posteriors(&posteriors, outline)?))
    }

    fn read_held(&self, held: &Held) -> Result<OwnedEvidence> {
        self.evidence(held)?.read(self)
    }

    fn selected_bytes(&self, held: &Held, sources: &[usize]) -> Result<u64> {
        Ok(self.evidence(held)?.selected_bytes(sources))
    }

    fn select(&self, held: &Held, sources: &[usize]) -> Result<Held> {
        Ok(Held::Device(self.evidence(held)?.select(self, sources)?))
    }

    fn array_bytes(&self, shape: Shape) -> u64 {
        DeviceArray::bytes(shape)
    }

    fn new_array(&self, shape: Shape) -> Result<HeldArray> {
        Ok(HeldArray::Device(self.new_array(shape)?))
    }

    fn write_array(&self, array: &mut HeldArray, planes: &[&[u8]]) -> Result<()> {
        self.write_array(self.home(array)?, planes)
    }

    fn read_array(&self, array: &HeldArray, planes: Vec<&mut [u8]>) -> Result<()> {
        self.read_array(self.home(array)?, planes)
    }

    fn run_held_batch(&self, batch: HeldBatch<'_>) -> Result<()> {
        self.record_batch(batch)
    }

    fn flush(&self) -> Result<()> {
        self.settle(None)
    }

    fn loop_steps(&self) -> Option<u64> {
        self.limits.loop_steps
    }

    fn submissions(&self) -> u64 {
        self.opened.submissions.load(Ordering::Relaxed)
    }

    fn describe(&self) -> String {
        let info = &self.opened.info;
        let driver = [info.driver.as_str(), info.driver_info.as_str()];
        let driver = driver.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" ");
        let mebibytes = |bytes: u64| bytes >> 20;
        let software = if adapter::is_software(info) { "; a software driver" } else { "" };
        let sums = if self.opened.by_subgroups { "subgroups" } else { "trees" };
        format!(
            "gpu: {} ({driver}, {}), bindings up to {} MiB, {} MiB at a time, sums by {sums}{software}",
            info.name,
            info.backend,
            mebibytes(self.limits.binding_bytes),
            mebibytes(self.limits.chunk_bytes),
        )
    }

    fn copy_time(&self, bytes: u64) -> Result<Option<Duration>> {
        self.alone(2 * bytes, |state| match &state.clock {
            Some(clock) => clock.copy_time(&self.opened, &state.readback, bytes).map(Some),
            None => Ok(None),
        })
    }

    fn adapter(&self) -> Option<Adapter> {
        Some(self.opened.description())
    }

    fn copy_kernel_times(&self, bytes: u64, dispatches: usize) -> Result<Option<Vec<Duration>>> {
        self.time_copies(bytes, dispatches)
    }
}
