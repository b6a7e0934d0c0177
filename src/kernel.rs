//! Contracts: for each kernel its formula, parameters, bindings, tolerance and source, which its shader and its CPU
//! twin both keep.

pub mod bayes;
pub mod beam;
pub mod fusion;
pub mod stacking;
pub mod vortex;

use std::fmt;

/// A kernel by name. Its shader is `shaders/<name>.wgsl`, its contract `kernel/<name>.rs`, its twin
/// `backend/cpu/<name>.rs`, its parity test `tests/parity/<name>.rs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kernel {
    /// [`fusion::pool`]: lanes are (item, class) pairs, C <= 256.
    Pool,
    /// [`fusion::pool_wide`]: a workgroup is one item, C > 256.
    PoolWide,
    /// [`stacking::softmax_regression`]: loss and gradient over features that stay on the device.
    SoftmaxRegression,
    /// [`vortex::digital_root`]: of integers of 32 and 64 bits.
    DigitalRoot,
    /// [`vortex::orbit`]: so many steps round a ring.
    Orbit,
    /// [`vortex::cycle`]: objects going round a path.
    Cycle,
    /// [`vortex::relax`]: payloads relaxing towards anchors.
    Relax,
    /// [`vortex::statistics`]: counts and moments by position.
    Statistics,
    /// [`vortex::coherence`]: how far sequences follow a ring.
    Coherence,
    /// [`bayes::special`]: ln gamma, digamma, incomplete beta and gamma and their inverses.
    Special,
    /// [`bayes::log_odds`]: planes of evidence added to the log odds of cells.
    LogOdds,
    /// [`beam::fuse`]: three channels fused into a beam.
    BeamFuse,
    /// [`beam::similarity`]: cosines between distributions.
    BeamSimilarity,
    /// [`beam::nearest`]: the beams of a corpus nearest to each query.
    BeamNearest,
    /// [`beam::intervene`]: beams changed by what a table says of their position.
    BeamIntervene,
    /// [`beam::relax`]: distributions relaxed to the fixed point of a contraction.
    BeamRelax,
    /// [`beam::eigen`]: eigenvalues and eigenvectors of symmetric 9 x 9 matrices.
    BeamEigen,
    /// [`beam::moments`]: first and second moments of distributions.
    BeamMoments,
    /// [`beam::subspace`]: distributions through an affine map.
    BeamSubspace,
    /// [`beam::measure`]: entropy, mass, decisiveness and dominant digit of a distribution.
    BeamMeasure,
}

impl Kernel {
    /// All of them.
    pub const ALL: [Self; 20] = [
        Self::Pool,
        Self::PoolWide,
        Self::SoftmaxRegression,
        Self::DigitalRoot,
        Self::Orbit,
        Self::Cycle,
        Self::Relax,
        Self::Statistics,
        Self::Coherence,
        Self::BeamFuse,
        Self::BeamMeasure,
        Self::BeamSubspace,
        Self::BeamMoments,
        Self::BeamEigen,
        Self::BeamRelax,
        Self::BeamIntervene,
        Self::BeamNearest,
        Self::BeamSimilarity,
        Self::Special,
        Self::LogOdds,
    ];

    /// Its path below `shaders/` and everywhere else, without ending.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pool => "fusion/pool",
            Self::PoolWide => "fusion/pool_wide",
            Self::SoftmaxRegression => "stacking/softmax_regression",
            Self::DigitalRoot => "vortex/digital_root",
            Self::Orbit => "vortex/orbit",
            Self::Cycle => "vortex/cycle",
            Self::Relax => "vortex/relax",
            Self::Statistics => "vortex/statistics",
            Self::Coherence => "vortex/coherence",
            Self::Special => "bayes/special",
            Self::LogOdds => "bayes/log_odds",
            Self::BeamFuse => "beam/fuse",
            Self::BeamMeasure => "beam/measure",
            Self::BeamSubspace => "beam/subspace",
            Self::BeamMoments => "beam/moments",
            Self::BeamEigen => "beam/eigen",
            Self::BeamRelax => "beam/relax",
            Self::BeamIntervene => "beam/intervene",
            Self::BeamNearest => "beam/nearest",
            Self::BeamSimilarity => "beam/similarity",
        }
    }

    /// The WGSL text, its shared part included.
    #[must_use]
    pub const fn source(self) -> &'static str {
        match self {
            Self::Pool => fusion::pool::SOURCE,
            Self::PoolWide => fusion::pool_wide::SOURCE,
            Self::SoftmaxRegression => stacking::softmax_regression::SOURCE,
            Self::DigitalRoot => vortex::digital_root::SOURCE,
            Self::Orbit => vortex::orbit::SOURCE,
            Self::Cycle => vortex::cycle::SOURCE,
            Self::Relax => vortex::relax::SOURCE,
            Self::Statistics => vortex::statistics::SOURCE,
            Self::Coherence => vortex::coherence::SOURCE,
            Self::Special => bayes::special::SOURCE,
            Self::LogOdds => bayes::log_odds::SOURCE,
            Self::BeamFuse => beam::fuse::SOURCE,
            Self::BeamMeasure => beam::measure::SOURCE,
            Self::BeamSubspace => beam::subspace::SOURCE,
            Self::BeamMoments => beam::moments::SOURCE,
            Self::BeamEigen => beam::eigen::SOURCE,
            Self::BeamRelax => beam::relax::SOURCE,
            Self::BeamIntervene => beam::intervene::SOURCE,
            Self::BeamNearest => beam::nearest::SOURCE,
            Self::BeamSimilarity => beam::similarity::SOURCE,
        }
    }

    /// What the shader binds, in the order of binding numbers in group 0.
    #[must_use]
    pub const fn bindings(self) -> &'static [Binding] {
        match self {
            Self::Pool | Self::PoolWide => &fusion::pool::BINDINGS,
            Self::SoftmaxRegression => &stacking::softmax_regression::BINDINGS,
            Self::DigitalRoot => &vortex::digital_root::BINDINGS,
            Self::Orbit => &vortex::orbit::BINDINGS,
            Self::Cycle => &vortex::cycle::BINDINGS,
            Self::Relax => &vortex::relax::BINDINGS,
            Self::Statistics => &vortex::statistics::BINDINGS,
            Self::Coherence => &vortex::coherence::BINDINGS,
            Self::Special => &bayes::special::BINDINGS,
            Self::LogOdds => &bayes::log_odds::BINDINGS,
            Self::BeamFuse => &beam::fuse::BINDINGS,
            Self::BeamMeasure => &beam::measure::BINDINGS,
            Self::BeamSubspace => &beam::subspace::BINDINGS,
            Self::BeamMoments => &beam::moments::BINDINGS,
            Self::BeamEigen => &beam::eigen::BINDINGS,
            Self::BeamRelax => &beam::relax::BINDINGS,
            Self::BeamIntervene => &beam::intervene::BINDINGS,
            Self::BeamNearest => &beam::nearest::BINDINGS,
            Self::BeamSimilarity => &beam::similarity::BINDINGS,
        }
    }

    /// Size of the parameter struct at binding 0, in bytes.
    #[must_use]
    pub const fn params_bytes(self) -> usize {
        match self {
            Self::Pool | Self::PoolWide => size_of::<fusion::pool::Params>(),
            Self::SoftmaxRegression => size_of::<stacking::softmax_regression::Params>(),
            Self::DigitalRoot => size_of::<vortex::digital_root::Params>(),
            Self::Orbit => size_of::<vortex::orbit::Params>(),
            Self::Cycle => size_of::<vortex::cycle::Params>(),
            Self::Relax => size_of::<vortex::relax::Params>(),
            Self::Statistics => size_of::<vortex::statistics::Params>(),
            Self::Coherence => size_of::<vortex::coherence::Params>(),
            Self::Special => size_of::<bayes::special::Params>(),
            Self::LogOdds => size_of::<bayes::log_odds::Params>(),
            Self::BeamFuse => size_of::<beam::fuse::Params>(),
            Self::BeamMeasure => size_of::<beam::measure::Params>(),
            Self::BeamSubspace => size_of::<beam::subspace::Params>(),
            Self::BeamMoments => size_of::<beam::moments::Params>(),
            Self::BeamEigen => size_of::<beam::eigen::Params>(),
            Self::BeamRelax => size_of::<beam::relax::Params>(),
            Self::BeamIntervene => size_of::<beam::intervene::Params>(),
            Self::BeamNearest => size_of::<beam::nearest::Params>(),
            Self::BeamSimilarity => size_of::<beam::similarity::Params>(),
        }
    }

    /// Lanes in a workgroup.
    #[must_use]
    pub const fn workgroup_lanes(self) -> u32 {
        match self {
            Self::Pool | Self::PoolWide => fusion::pool::WORKGROUP_LANES,
            Self::SoftmaxRegression => stacking::softmax_regression::WORKGROUP_LANES,
            Self::DigitalRoot => vortex::digital_root::WORKGROUP_LANES,
            Self::Orbit => vortex::orbit::WORKGROUP_LANES,
            Self::Cycle => vortex::cycle::WORKGROUP_LANES,
            Self::Relax => vortex::relax::WORKGROUP_LANES,
            Self::Statistics => vortex::statistics::WORKGROUP_LANES,
            Self::Coherence => vortex::coherence::WORKGROUP_LANES,
            Self::Special => bayes::special::WORKGROUP_LANES,
            Self::LogOdds => bayes::log_odds::WORKGROUP_LANES,
            Self::BeamFuse => beam::fuse::WORKGROUP_LANES,
            Self::BeamMeasure => beam::measure::WORKGROUP_LANES,
            Self::BeamSubspace => beam::subspace::WORKGROUP_LANES,
            Self::BeamMoments => beam::moments::WORKGROUP_LANES,
            Self::BeamEigen => beam::eigen::WORKGROUP_LANES,
            Self::BeamRelax => beam::relax::WORKGROUP_LANES,
            Self::BeamIntervene => beam::intervene::WORKGROUP_LANES,
            Self::BeamNearest => beam::nearest::WORKGROUP_LANES,
            Self::BeamSimilarity => beam::similarity::WORKGROUP_LANES,
        }
    }
}

impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One buffer a kernel binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding {
    /// Its name in the shader.
    pub name: &'static str,
    /// How the shader sees it.
    pub access: Access,
}

/// How a shader sees a buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// The parameter struct.
    Uniform,
    /// A storage buffer it reads.
    Read,
    /// A storage buffer it writes.
    ReadWrite,
}
