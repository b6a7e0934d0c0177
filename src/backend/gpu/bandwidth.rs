//! A copy by a kernel of ours: what any kernel that streams could reach at best.

use std::time::Duration;

use bytemuck::{cast_slice, cast_slice_mut};
use wgpu::{
    BindGroupDescriptor, BindGroupEntry, CommandEncoderDescriptor, ComputePassDescriptor, ComputePipelineDescriptor,
    PipelineCompilationOptions, PipelineLayoutDescriptor,
};

use crate::backend::gpu::buffers::storage;
use crate::backend::gpu::enabled::{Gpu, State};
use crate::backend::gpu::pipelines::{layout, module};
use crate::backend::gpu::profile::CLOCK_BYTES;
use crate::backend::gpu::readback::Piece;
use crate::error::{DeviceError, Result};
use crate::kernel::{Access, Binding};

/// Lanes in a workgroup.
const LANES: u64 = 256;

/// Bytes of a vec4.
const VECTOR_BYTES: u64 = 16;

/// Vec4s that a lane reads before it writes the first.
const AT_ONCE: u64 = 4;

/// Workgroups of a grid, at most: some thirty for each unit of the largest devices, few enough that lanes run in step.
const MOST_GROUPS: u64 = 4096;

/// What is copied again and again, in words: more than any device makes smaller, as several do with memory that is all alike.
const PATTERN_WORDS: usize = 1 << 18;

/// Neighbouring lanes read neighbouring vec4s.
const SOURCE: &str = "
@group(0) @binding(0) var<storage, read> from_here: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read_write> to_there: array<vec4<u32>>;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let lanes = 256u * groups.x;
    let len = arrayLength(&from_here);
    for (var a = id.x; a < len; a += 4u * lanes) {
        let b = a + lanes;
        let c = b + lanes;
        let d = c + lanes;
        let last = len - 1u;
        let of_a = from_here[a];
        let of_b = from_here[min(b, last)];
        let of_c = from_here[min(c, last)];
        let of_d = from_here[min(d, last)];
        to_there[a] = of_a;
        if b < len { to_there[b] = of_b; }
        if c < len { to_there[c] = of_c; }
        if d < len { to_there[d] = of_d; }
    }
}
";

/// What the shader binds, in order.
const BINDINGS: [Binding; 2] =
    [Binding { name: "from_here", access: Access::Read }, Binding { name: "to_there", access: Access::ReadWrite }];

impl Gpu {
    /// How long the kernel takes to copy so many bytes, filled up to whole vec4s, once for each dispatch after one that does
    /// not count; `None` without a clock.
    pub(super) fn time_copies(&self, bytes: u64, dispatches: usize) -> Result<Option<Vec<Duration>>> {
        let bytes = bytes.next_multiple_of(VECTOR_BYTES).max(VECTOR_BYTES);
        let allowed = self.limits.binding_bytes;
        if bytes > allowed {
            return Err(DeviceError::ItemTooLarge { needed: bytes, allowed }.into());
        }
        self.alone(2 * bytes, |state| {
            let State { upload, readback, clock, .. } = state;
            let Some(clock) = clock else { return Ok(None) };
            let opened = &self.opened;
            let [from, to] = BINDINGS.each_ref().map(|binding| storage(opened, binding.name, bytes));
            let pattern = pattern();
            let pattern: &[u8] = cast_slice(&pattern);
            for offset in (0..bytes).step_by(pattern.len()) {
                let now = pattern.len().min((bytes - offset) as usize);
                upload.write(opened, &from, offset, &pattern[..now])?;
            }
            upload.flush(opened)?;

            let label = Some("copy");
            let group_layout = layout(opened, "copy", &BINDINGS, false);
            let pipeline_layout = opened.device.create_pipeline_layout(&PipelineLayoutDescriptor {
                label,
                bind_group_layouts: &[Some(&group_layout)],
                immediate_size: 0,
            });
            let pipeline = opened.device.create_compute_pipeline(&ComputePipelineDescriptor {
                label,
                layout: Some(&pipeline_layout),
                module: &module(opened, "copy", SOURCE),
                entry_point: Some("main"),
                compilation_options: PipelineCompilationOptions::default(),
                cache: None,
            });
            let entries = [(0, &from), (1, &to)];
            let entries =
                entries.map(|(binding, buffer)| BindGroupEntry { binding, resource: buffer.as_entire_binding() });
            let group = opened.device.create_bind_group(&BindGroupDescriptor {
                label,
                layout: &group_layout,
                entries: &entries,
            });
            let mut times = Vec::with_capacity(dispatches);
            for dispatch in 0..=dispatches {
                let mut encoder = opened.device.create_command_encoder(&CommandEncoderDescriptor { label });
                let timestamp_writes = Some(clock.whole_pass());
                let mut pass = encoder.begin_compute_pass(&ComputePassDescriptor { label, timestamp_writes });
                pass.set_pipeline(&pipeline);
                pass.set_bind_group(0, &group, &[]);
                pass.dispatch_workgroups(groups(bytes), 1, 1);
                drop(pass);
                clock.resolve(&mut encoder);
                opened.submit(encoder);
                let mut ticks = [0; CLOCK_BYTES];
                readback.read(opened, vec![Piece { from: &clock.resolved, from_offset: 0, to: &mut ticks }])?;
                if dispatch > 0 {
                    times.push(clock.between(ticks));
                }
            }

            // A copy that is none would be the fastest of all: the first block and the last are compared.
            let block = pattern.len() as u64;
            for at in [0, (bytes - 1) / block * block] {
                let mut copied = vec![0_u32; (bytes - at).min(block) as usize / 4];
                readback.read(opened, vec![Piece { from: &to, from_offset: at, to: cast_slice_mut(&mut copied) }])?;
                let copied: &[u8] = cast_slice(&copied);
                if copied != &pattern[..copied.len()] {
                    return Err(DeviceError::WrongCopy { bytes }.into());
                }
            }
            Ok(Some(times))
        })
    }
}

/// Workgroups that copy so many bytes.
fn groups(bytes: u64) -> u32 {
    (bytes / VECTOR_BYTES).div_ceil(LANES * AT_ONCE).min(MOST_GROUPS) as u32
}

/// Words without a pattern that a device could find (xorshift32).
fn pattern() -> Vec<u32> {
    let mut state = 0x9E37_79B9_u32;
    let next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state
    };
    std::iter::repeat_with(next).take(PATTERN_WORDS).collect()
}
