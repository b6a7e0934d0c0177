//! Contracts: for each kernel its formula, parameters, bindings, tolerance and source, which its shader and its CPU
//! twin both keep.

pub mod bayes;
pub mod beam;
pub mod calibration;
pub mod em;
pub mod fusion;
pub mod reduce;
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
    /// [`bayes::conjugate`]: posteriors, evidence and divergence of conjugate families.
    Conjugate,
    /// [`bayes::gaussian`]: normal distributions fused by precision or by covariance intersection.
    Gaussian,
    /// [`bayes::information`]: entropies, divergences, mutual information.
    Information,
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
    /// [`calibration::likelihood`]: the likelihood of tempered probabilities, and its derivatives.
    Likelihood,
    /// [`calibration::outcome`]: what probabilities said of the true class.
    Outcome,
    /// [`em::expect`]: posteriors of items from what was said of them.
    Expect,
    /// [`em::collect`]: posteriors collected by who said what.
    Collect,
    /// [`em::normalise`]: logarithms of confusions from what was collected.
    Normalise,
    /// [`reduce::domain`]: whether numbers are what an operation takes.
    Domain,
}

impl Kernel {
    /// All of them.
    pub const ALL: [Self; 29] = [
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
        Self::Information,
        Self::Gaussian,
        Self::Conjugate,
        Self::Likelihood,
        Self::Outcome,
        Self::Expect,
        Self::Collect,
        Self::Normalise,
        Self::Domain,
    ];

    /// What every executor keeps to.
    #[must_use]
    pub const fn contract(self) -> &'static Contract {
        match self {
            Self::Pool => &fusion::pool::CONTRACT,
            Self::PoolWide => &fusion::pool_wide::CONTRACT,
            Self::SoftmaxRegression => &stacking::softmax_regression::CONTRACT,
            Self::DigitalRoot => &vortex::digital_root::CONTRACT,
            Self::Orbit => &vortex::orbit::CONTRACT,
            Self::Cycle => &vortex::cycle::CONTRACT,
            Self::Relax => &vortex::relax::CONTRACT,
            Self::Statistics => &vortex::statistics::CONTRACT,
            Self::Coherence => &vortex::coherence::CONTRACT,
            Self::Special => &bayes::special::CONTRACT,
            Self::LogOdds => &bayes::log_odds::CONTRACT,
            Self::Information => &bayes::information::CONTRACT,
            Self::Gaussian => &bayes::gaussian::CONTRACT,
            Self::Conjugate => &bayes::conjugate::CONTRACT,
            Self::BeamFuse => &beam::fuse::CONTRACT,
            Self::BeamMeasure => &beam::measure::CONTRACT,
            Self::BeamSubspace => &beam::subspace::CONTRACT,
            Self::BeamMoments => &beam::moments::CONTRACT,
            Self::BeamEigen => &beam::eigen::CONTRACT,
            Self::BeamRelax => &beam::relax::CONTRACT,
            Self::BeamIntervene => &beam::intervene::CONTRACT,
            Self::BeamNearest => &beam::nearest::CONTRACT,
            Self::BeamSimilarity => &beam::similarity::CONTRACT,
            Self::Likelihood => &calibration::likelihood::CONTRACT,
            Self::Outcome => &calibration::outcome::CONTRACT,
            Self::Expect => &em::expect::CONTRACT,
            Self::Collect => &em::collect::CONTRACT,
            Self::Normalise => &em::normalise::CONTRACT,
            Self::Domain => &reduce::domain::CONTRACT,
        }
    }

    /// Its path below `shaders/` and everywhere else, without ending.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.contract().name
    }
}

/// What a kernel's shader, its twin and the executors agree on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contract {
    /// Its path below `shaders/` and everywhere else, without ending.
    pub name: &'static str,
    /// The WGSL text, its shared parts included.
    pub source: &'static str,
    /// The text for devices on which subgroups may be summed over, where that is another.
    pub by_subgroups: Option<&'static str>,
    /// What the shader binds, in the order of binding numbers in group 0.
    pub bindings: &'static [Binding],
    /// Size of the parameter struct at binding 0, in bytes.
    pub params_bytes: usize,
    /// Lanes in a workgroup.
    pub workgroup_lanes: u32,
}

impl Contract {
    /// One with the parameter struct `P`.
    const fn of<P>(
        name: &'static str,
        source: &'static str,
        bindings: &'static [Binding],
        workgroup_lanes: u32,
    ) -> Self {
        Self { name, source, by_subgroups: None, bindings, params_bytes: size_of::<P>(), workgroup_lanes }
    }

    /// With a text for devices on which subgroups may be summed over.
    const fn or_by_subgroups(self, source: &'static str) -> Self {
        Self { by_subgroups: Some(source), ..self }
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
