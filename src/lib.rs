//! A compute engine for **tensor fusion**: it takes what N sources (models, services, crowd workers, sensors) say about B
//! items over C classes and returns posteriors, decisions and honest uncertainties, in batch, on any GPU or on the CPU.
//!
//! ```
//! use consilience::{Engine, Evidence, Fusion};
//!
//! let (a, b) = ([0.7, 0.2, 0.1], [0.3, 0.5, 0.2]);
//! let evidence = Evidence::probabilities(3, &[&a, &b])?;
//! let fused = Engine::auto()?.fuse(&Fusion::default(), &evidence)?;
//! assert_eq!(fused.decision(), [0]);
//! # Ok::<(), consilience::Error>(())
//! ```
//!
//! # Architecture
//!
//! A fusion goes through these layers, each of which knows those below it and none above:
//!
//! | layer | what it is |
//! |---|---|
//! | `arrow` | evidence, annotations, labels and posteriors as Parquet and CSV files (feature `arrow`) |
//! | `serve` | the service and the engine behind HTTP: requests, batches, metrics, events (feature `serve`) |
//! | `http` | chat services over HTTP as live sources (feature `http`; over TLS, `https`) |
//! | `candle`, `burn` | networks of these frameworks as live sources, and their tensors fused where they lie, with gradients (features `candle`, `burn`, `burn-wgpu`) |
//! | `orchestration` | live sources: asked at once, stopped early, routed, batched, learned from (feature `orchestration`) |
//! | methods | what keeps state or is built on answers: [`learning`] whom to trust, [`truth`] where nobody knows the answer, [`stacking`], [`calibration`], [`decision`], [`provenance`]; operations over arrays: [`vortex`], [`beam`], [`bayes`] |
//! | [`Engine`] | validate, lower, choose, run: what a caller uses; blocking. It holds what is uploaded, goes on on the CPU where a device fails, and takes what is larger than memory as a [`stream`] |
//! | backend | the two executors: `cpu` (SIMD, all cores) and `gpu` (WGSL through wgpu) |
//! | plan | a specification lowered to a program of kernel dispatches that prints itself; chunk and grid sizes |
//! | kernel | per kernel: formula, parameters, bindings, tolerance |
//! | spec | [`Fusion`]: rule, weighting, priors, outputs, as serialisable data |
//! | tensor | [`Evidence`] borrowed from the caller, [`Fused`] answers |
//! | error | one [`Error`] with predicates |
//!
//! # Features
//!
//! `gpu` (default): the GPU executor. `arrow` (default): files. `orchestration` (default): live sources, on tokio. `http` and
//! `https`: chat services as live sources. `serve`: an HTTP server. `candle` and `burn`: networks as live sources, and the fusion of their tensors on
//! the CPU; `burn-wgpu`: of burn's on its wgpu devices. Without any the crate is a pure CPU engine.

mod backend;
mod engine;
mod error;
mod integrations;
pub mod kernel;
mod methods;
#[cfg(feature = "orchestration")]
pub mod orchestration;
mod plan;
mod spec;
mod tensor;

pub use self::backend::cpu::SimdLevel;
#[doc(hidden)]
pub use self::backend::fault;
#[cfg(feature = "gpu")]
pub use self::backend::gpu::foreign as gpu;
pub use self::backend::{Adapter, AdapterKind, AdapterLimits, Timing};
pub use self::engine::{
    Choice, Device, Engine, EngineOptions, Event, Happening, Health, Input, Job, OnDeviceFailure, Reason, Resident,
    ResidentArray, ResidentFused, ResidentPlanes, ResidentStats, Spent, stream,
};
pub use self::error::{
    BayesError, BeamError, BurnError, CalibrationError, CandleError, DeviceError, Error, ErrorKind, EvidenceError,
    FileError, FitError, InvalidOpinion, InvalidReason, LabelError, LedgerError, LengthError, PartialError,
    RequestError, Result, SourceError, SpecError, StateError, TruthError, VortexError,
};
#[cfg(feature = "arrow")]
pub use self::integrations::arrow;
#[cfg(feature = "ballista")]
pub use self::integrations::ballista;
#[cfg(feature = "burn")]
pub use self::integrations::burn;
#[cfg(feature = "candle")]
pub use self::integrations::candle;
#[cfg(feature = "datafusion")]
pub use self::integrations::datafusion;
#[cfg(feature = "http")]
pub use self::integrations::http;
#[cfg(feature = "serve")]
pub use self::integrations::serve;
pub use self::methods::{bayes, beam, calibration, decision, learning, partial, provenance, stacking, truth, vortex};
pub use self::plan::cost::{Estimate, Executor};
pub use self::spec::{
    BeliefFusion, Boost, Conflict, Distance, Divergence, Fusion, LOG_FLOOR, Measure, Member, OnInvalid, RELIABILITY,
    Rule, STEEPNESS, Weighting, penalised,
};
pub use self::tensor::{
    ABSTAINED_U8, ABSTAINED_U16, Answer, Encoding, Evidence, Flags, Form, Fused, MISSING_U8, MISSING_U16, Opinions,
    Output, Outputs, OwnedEvidence, SUM_TOLERANCE, SUM_TOLERANCE_BF16, SUM_TOLERANCE_F16,
};

/// The README's examples, tested.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
