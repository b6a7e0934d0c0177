//! What a user would compose of another framework's tensor operations instead. They check nothing and know no missing
//! source; ours do.

#[cfg(feature = "burn-wgpu")]
mod burn;
#[cfg(feature = "candle")]
mod candle;

use consilience::Adapter;

use crate::Failure;

/// What is composed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Composed {
    /// Of [N, B, C] opinions a posterior [B, C].
    Linear,
    Vote,
    BayesianAverage,
    LogPool,
    /// The default ensemble; decision, confidence and entropy are computed as well.
    Ensemble,
    /// Of two batches [9, B], [2, 9, B] together, the cosines [B].
    Cosine,
}

/// An operation as another framework can be given it.
#[cfg_attr(
    not(any(feature = "candle", feature = "burn-wgpu")),
    expect(dead_code, reason = "only frameworks look at what they are given")
)]
pub struct Composable<'a> {
    pub what: Composed,
    pub stacked: Vec<f32>,
    pub shape: [usize; 3],
    /// What it is to come to.
    pub ours: &'a [f32],
}

/// A framework.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rival {
    /// candle-core, on the CPU's cores.
    Candle,
    /// burn-wgpu, on the adapter that the report is of.
    Burn,
}

/// A framework, or why there is none.
pub type Opened = Result<Box<dyn Framework>, String>;

/// A framework at hand.
pub trait Framework {
    /// Takes the operation's inputs to where it computes.
    fn take(&self, given: &Composable<'_>) -> Result<Box<dyn Running>, Failure>;
}

/// A composed operation over inputs that the framework holds.
pub trait Running {
    /// Computes, and waits for it.
    fn run(&mut self) -> Result<(), Failure>;

    /// What the last run came to, on the host.
    fn answer(&self) -> Result<Vec<f32>, Failure>;
}

impl Rival {
    pub const ALL: [Self; 2] = [Self::Candle, Self::Burn];

    pub fn name(self) -> &'static str {
        match self {
            Self::Candle => "candle (CPU)",
            Self::Burn => "burn-wgpu",
        }
    }

    /// Opens it, or says why there is none. `adapter` is the one the report is of.
    pub fn open(self, adapter: Option<&Adapter>) -> Opened {
        match self {
            Self::Candle => open_candle(),
            Self::Burn => open_burn(adapter),
        }
    }
}

#[cfg(feature = "candle")]
fn open_candle() -> Opened {
    Ok(Box::new(candle::Candle))
}

#[cfg(not(feature = "candle"))]
fn open_candle() -> Opened {
    Err("not built (feature candle)".to_owned())
}

#[cfg(feature = "burn-wgpu")]
fn open_burn(adapter: Option<&Adapter>) -> Opened {
    let adapter = adapter.ok_or("no GPU")?;
    Ok(Box::new(burn::Burn::on(adapter)?))
}

#[cfg(not(feature = "burn-wgpu"))]
fn open_burn(_adapter: Option<&Adapter>) -> Opened {
    Err("not built (feature burn-wgpu)".to_owned())
}

/// The largest difference between two answers; infinite between answers of different lengths.
pub fn apart(ours: &[f32], theirs: &[f32]) -> f32 {
    if ours.len() != theirs.len() {
        return f32::INFINITY;
    }
    // A NaN is infinitely far from anything.
    let apart = |(a, b): (&f32, &f32)| if (a - b).is_nan() { f32::INFINITY } else { (a - b).abs() };
    ours.iter().zip(theirs).map(apart).fold(0.0, f32::max)
}
