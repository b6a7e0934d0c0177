//! Kernels compiled for a device, kept by what was switched on in them.

use std::collections::HashMap;

use bytemuck::pod_read_unaligned;
use wgpu::{
    BindGroupLayout, BindGroupLayoutDescriptor, BindGroupLayoutEntry, BindingType, BufferBindingType, ComputePipeline,
    ComputePipelineDescriptor, PipelineCompilationOptions, PipelineLayoutDescriptor, ShaderModule,
    ShaderModuleDescriptor, ShaderSource, ShaderStages,
};

use crate::backend::gpu::adapter::Opened;
use crate::backend::gpu::encode::{MIXED, number};
use crate::kernel::bayes::{conjugate, gaussian, information, special};
use crate::kernel::fusion::pool::{By, Slot};
use crate::kernel::stacking::softmax_regression::Stage;
use crate::kernel::{Access, Binding, Contract, Kernel};
use crate::plan::Step;
use crate::spec::{Conflict, OnInvalid};
use crate::tensor::Form;

/// What may lie in one buffer with answers.
const EVIDENCE: &str = "evidence";

/// The `override` constants of the fusion kernels: code that a fusion has no use for is compiled away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Switches {
    rules: u32,
    outputs: u32,
    encoding: u32,
    on_invalid: u32,
    presence: bool,
    confidence: bool,
    by: u32,
    class_weights: bool,
    yager: bool,
    tempered: bool,
}

impl Switches {
    /// What a step needs.
    pub(super) fn of(step: &Step) -> Self {
        let pool = &step.pool;
        Self {
            rules: pool.rules(),
            outputs: pool.outputs.bits(),
            encoding: pool.encoding().map_or(MIXED, |encoding| number(Form::F32(encoding))),
            on_invalid: match pool.on_invalid {
                OnInvalid::Error => 0,
                OnInvalid::Missing => 1,
                OnInvalid::Renormalise => 2,
            },
            presence: step.presence,
            confidence: step.confidence,
            by: match pool.by {
                By::Max => 0,
                By::Margin => 1,
                By::Entropy => 2,
                By::Hellinger => 3,
                By::JensenShannon => 4,
            },
            class_weights: !pool.class_weights.is_empty(),
            // Without the rule there is nothing to tell apart.
            yager: pool.conflict == Conflict::Ignorance && pool.share(Slot::DempsterShafer) > 0.0,
            tempered: pool.inverse_temperature != 1.0,
        }
    }

    /// By their names in the shaders.
    fn constants(self) -> [(&'static str, f64); 10] {
        let flag = |on: bool| f64::from(u8::from(on));
        [
            ("RULES", f64::from(self.rules)),
            ("OUTPUTS", f64::from(self.outputs)),
            ("ENCODING", f64::from(self.encoding)),
            ("ON_INVALID", f64::from(self.on_invalid)),
            ("HAS_PRESENCE", flag(self.presence)),
            ("HAS_CONFIDENCE", flag(self.confidence)),
            ("BY", f64::from(self.by)),
            ("HAS_CLASS_WEIGHTS", flag(self.class_weights)),
            ("YAGER", flag(self.yager)),
            ("TEMPERED", flag(self.tempered)),
        ]
    }
}

/// The `override` constants of a kernel, and what else it is compiled by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Constants {
    Fusion {
        switches: Switches,
        /// Whether evidence and answers may lie in one buffer: a dispatch may not see one buffer both as what is only read
        /// and as what is written.
        in_place: bool,
    },
    Regression(Stage),
    /// Which special function.
    Special(u32),
    /// Which operation on conjugate families.
    Conjugate(u32),
    /// Which measure of distributions.
    Information(u32),
    /// How many dimensions normal distributions have, and how they are fused.
    Gaussian {
        dimensions: u32,
        mode: u32,
    },
    /// Of a kernel that has none.
    Plain,
}

impl From<Switches> for Constants {
    fn from(switches: Switches) -> Self {
        Self::Fusion { switches, in_place: false }
    }
}

impl Constants {
    /// Those of a kernel over arrays.
    pub(super) fn of(kernel: Kernel, params: &[u8]) -> Self {
        match kernel {
            Kernel::Special => Self::Special(pod_read_unaligned::<special::Params>(params).which),
            Kernel::Conjugate => Self::Conjugate(pod_read_unaligned::<conjugate::Params>(params).operation),
            Kernel::Information => Self::Information(pod_read_unaligned::<information::Params>(params).measure),
            Kernel::Gaussian => {
                let gaussian::Params { dimensions, mode, .. } = pod_read_unaligned(params);
                Self::Gaussian { dimensions, mode }
            }
            _ => Self::Plain,
        }
    }

    /// By their names in the shaders.
    fn named(self) -> Vec<(&'static str, f64)> {
        match self {
            Self::Fusion { switches, .. } => switches.constants().to_vec(),
            Self::Regression(stage) => vec![("STAGE", f64::from(stage as u32))],
            Self::Special(which) => vec![("FUNCTION", f64::from(which))],
            Self::Conjugate(operation) => vec![("OPERATION", f64::from(operation))],
            Self::Information(measure) => vec![("MEASURE", f64::from(measure))],
            Self::Gaussian { dimensions, mode } => {
                vec![("DIMENSIONS", f64::from(dimensions)), ("MODE", f64::from(mode))]
            }
            Self::Plain => Vec::new(),
        }
    }
}

/// What was compiled so far.
#[derive(Debug, Default)]
pub(super) struct Pipelines {
    /// By whether what they read may lie where they write, too.
    modules: HashMap<(Kernel, bool), (ShaderModule, BindGroupLayout)>,
    pipelines: HashMap<(Kernel, Constants), ComputePipeline>,
}

impl Pipelines {
    /// The pipeline and the layout of its one bind group, compiled where they are not yet.
    pub(super) fn get(
        &mut self,
        opened: &Opened,
        kernel: Kernel,
        constants: Constants,
    ) -> (ComputePipeline, BindGroupLayout) {
        let in_place = matches!(constants, Constants::Fusion { in_place: true, .. });
        let compiled = || {
            let Contract { name, source, by_subgroups, bindings, .. } = kernel.contract();
            let source = by_subgroups.as_ref().filter(|_| opened.by_subgroups).unwrap_or(source);
            let source = opened.faults.as_ref().map_or((*source).into(), |faults| faults.text(kernel, source));
            let source = if in_place { writable(&source).into() } else { source };
            (module(opened, name, &source), layout(opened, name, bindings, in_place))
        };
        let (module, layout) = self.modules.entry((kernel, in_place)).or_insert_with(compiled);
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
                    constants: &constants.named(),
                    // The kernels write their workgroup memory before they read it.
                    zero_initialize_workgroup_memory: false,
                },
                cache: None,
            })
        };
        (self.pipelines.entry((kernel, constants)).or_insert_with(compile).clone(), layout.clone())
    }
}

/// The text of a fusion kernel that sees its evidence as something that is written.
fn writable(source: &str) -> String {
    let (read, written) = ("var<storage, read> ", "var<storage, read_write> ");
    source.replace(&format!("{read}{EVIDENCE}:"), &format!("{written}{EVIDENCE}:"))
}

/// A shader of ours, compiled.
pub(super) fn module(opened: &Opened, label: &str, source: &str) -> ShaderModule {
    let descriptor = ShaderModuleDescriptor { label: Some(label), source: ShaderSource::Wgsl(source.into()) };
    if cfg!(debug_assertions) {
        return opened.device.create_shader_module(descriptor);
    }
    // SAFETY: every loop of the kernels runs to a bound taken before it from the parameters, with a step above zero;
    // every index into a buffer is below a product of the parameters' counts that `buffers` reserved, lanes outside
    // clamped to the last item and source or masked; a vote is a class, found by a walk over the classes or compared with
    // their number, or that number where `tables` has a row for it; every index into workgroup memory is below its size
    // by `plan::partition::grid` and `HELD`. Of a regression, tiles and features outside are clamped to the last one, and
    // `plan::regression::Cut` has a path only where its lanes stay within workgroup memory. Of a
    // batch, lanes behind the last item return, and `plan::batch::sizes` has every plane filled up to whole vec4s. Loops
    // of special functions run to a constant, and their functions read only the planes of the arguments they take; so do
    // operations on conjugate families, whose classes `Operation::arguments` counts, and normal distributions, of at most
    // six dimensions and with as many planes as their sources have; measures read a plane for each class of each source.
    // Of beams, positions are clamped to the last one, neighbours and steps to the arrays that hold them; segments and
    // tables come from the methods, which fill them themselves. Of what goes round rings, positions that look something up
    // are compared or clamped first. Of posteriors beside labels, rows are read in planes of the array that holds them, and a
    // label indexes one only once it was compared with the number of classes. A copy's lanes stay below the length of its two
    // buffers, which are alike.
    // Cells, segments and known classes are counted and checked by the method that uploads them.
    #[expect(unsafe_code, reason = "our own shaders, built in: the driver's checks cost and find nothing")]
    unsafe {
        opened.device.create_shader_module_trusted(descriptor, wgpu::ShaderRuntimeChecks::unchecked())
    }
}

/// The layout of the one bind group, in which evidence may lie where answers do.
pub(super) fn layout(opened: &Opened, label: &str, bindings: &[Binding], in_place: bool) -> BindGroupLayout {
    let entry = |(number, binding): (u32, &Binding)| BindGroupLayoutEntry {
        binding: number,
        visibility: ShaderStages::COMPUTE,
        ty: BindingType::Buffer {
            ty: match binding.access {
                Access::Uniform => BufferBindingType::Uniform,
                Access::Read => BufferBindingType::Storage { read_only: !(in_place && binding.name == EVIDENCE) },
                Access::ReadWrite => BufferBindingType::Storage { read_only: false },
            },
            has_dynamic_offset: false,
            min_binding_size: None,
        },
        count: None,
    };
    let entries = (0..).zip(bindings).map(entry);
    opened.device.create_bind_group_layout(&BindGroupLayoutDescriptor {
        label: Some(label),
        entries: &entries.collect::<Vec<_>>(),
    })
}
