//! Kernels compiled for a device, kept by what was switched on in them.

use std::collections::HashMap;

use wgpu::{
    BindGroupLayout, BindGroupLayoutDescriptor, BindGroupLayoutEntry, BindingType, BufferBindingType, ComputePipeline,
    ComputePipelineDescriptor, PipelineCompilationOptions, PipelineLayoutDescriptor, ShaderModule,
    ShaderModuleDescriptor, ShaderSource, ShaderStages,
};

use crate::backend::gpu::adapter::Opened;
use crate::kernel::{Access, Kernel};
use crate::plan::Step;
use crate::spec::OnInvalid;
use crate::tensor::Encoding;

/// The `override` constants of the fusion kernels: code that a fusion has no use for is compiled away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Switches {
    rules: u32,
    outputs: u32,
    encoding: u32,
    on_invalid: u32,
    presence: bool,
    confidence: bool,
}

impl Switches {
    /// What a step needs.
    pub(super) fn of(step: &Step) -> Self {
        Self {
            rules: step.pool.rules(),
            outputs: step.pool.outputs.bits(),
            encoding: match step.pool.encoding {
                Encoding::Probabilities => 0,
                Encoding::LogProbabilities => 1,
                Encoding::Logits => 2,
            },
            on_invalid: match step.pool.on_invalid {
                OnInvalid::Error => 0,
                OnInvalid::Missing => 1,
                OnInvalid::Renormalise => 2,
            },
            presence: step.presence,
            confidence: step.confidence,
        }
    }

    /// By their names in the shaders.
    fn constants(self) -> [(&'static str, f64); 6] {
        [
            ("RULES", f64::from(self.rules)),
            ("OUTPUTS", f64::from(self.outputs)),
            ("ENCODING", f64::from(self.encoding)),
            ("ON_INVALID", f64::from(self.on_invalid)),
            ("HAS_PRESENCE", f64::from(u8::from(self.presence))),
            ("HAS_CONFIDENCE", f64::from(u8::from(self.confidence))),
        ]
    }
}

/// What was compiled so far.
#[derive(Debug, Default)]
pub(super) struct Pipelines {
    modules: HashMap<Kernel, (ShaderModule, BindGroupLayout)>,
    pipelines: HashMap<(Kernel, Switches), ComputePipeline>,
}

impl Pipelines {
    /// The pipeline and the layout of its one bind group, compiled where they are not yet.
    pub(super) fn get(
        &mut self,
        opened: &Opened,
        kernel: Kernel,
        switches: Switches,
    ) -> (ComputePipeline, BindGroupLayout) {
        let (module, layout) =
            self.modules.entry(kernel).or_insert_with(|| (module(opened, kernel), layout(opened, kernel)));
        let compile = || {
            let pipeline_layout = opened.device.create_pipeline_layout(&PipelineLayoutDescriptor {
                label: Some(kernel.name()),
                bind_group_layouts: &[Some(&*layout)],
                immediate_size: 0,
            });
            opened.device.create_compute_pipeline(&ComputePipelineDescriptor {
                label: Some(kernel.name()),
                layout: Some(&pipeline_layout),
                module,
                entry_point: Some("main"),
                compilation_options: PipelineCompilationOptions {
                    constants: &switches.constants(),
                    // The kernels write their workgroup memory before they read it.
                    zero_initialize_workgroup_memory: false,
                },
                cache: None,
            })
        };
        (self.pipelines.entry((kernel, switches)).or_insert_with(compile).clone(), layout.clone())
    }
}

fn module(opened: &Opened, kernel: Kernel) -> ShaderModule {
    let descriptor =
        ShaderModuleDescriptor { label: Some(kernel.name()), source: ShaderSource::Wgsl(kernel.source().into()) };
    if cfg!(debug_assertions) {
        return opened.device.create_shader_module(descriptor);
    }
    // SAFETY: every loop of the kernels runs to a bound taken before it from the parameters, with a step above zero;
    // every index into a buffer is below a product of the parameters' counts that `buffers` reserved, lanes outside
    // clamped to the last item and source or masked; every index into workgroup memory is below its size by
    // `plan::partition::grid` and `HELD`.
    #[expect(unsafe_code, reason = "our own shaders, built in: the driver's checks cost and find nothing")]
    unsafe {
        opened.device.create_shader_module_trusted(descriptor, wgpu::ShaderRuntimeChecks::unchecked())
    }
}

fn layout(opened: &Opened, kernel: Kernel) -> BindGroupLayout {
    let entry = |(binding, access): (u32, Access)| BindGroupLayoutEntry {
        binding,
        visibility: ShaderStages::COMPUTE,
        ty: BindingType::Buffer {
            ty: match access {
                Access::Uniform => BufferBindingType::Uniform,
                Access::Read => BufferBindingType::Storage { read_only: true },
                Access::ReadWrite => BufferBindingType::Storage { read_only: false },
            },
            has_dynamic_offset: false,
            min_binding_size: None,
        },
        count: None,
    };
    let entries = (0..).zip(kernel.bindings()).map(|(number, binding)| entry((number, binding.access)));
    opened.device.create_bind_group_layout(&BindGroupLayoutDescriptor {
        label: Some(kernel.name()),
        entries: &entries.collect::<Vec<_>>(),
    })
}
