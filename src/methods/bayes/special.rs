//! The special functions, over arrays.

use bytemuck::bytes_of;

use super::check::{Domain, check, reading};
use crate::engine::{Engine, Operation, Read, ResidentArray, ResidentPlanes};
use crate::error::{LengthError, Result};
use crate::kernel::Kernel;
use crate::kernel::bayes::special::{BLOCK, Function, Params};
use crate::plan::batch::{Batch, Slot};

/// Checks the arguments and runs the function.
fn run<const N: usize>(
    engine: &Engine,
    function: Function,
    arguments: [(&'static str, Domain, &[f32]); N],
) -> Result<Vec<f32>> {
    let items = arguments.first().map_or(0, |(_, _, values)| values.len());
    for (what, domain, values) in arguments {
        check(what, domain, values, items)?;
    }
    evaluate(engine, function, arguments.map(|(_, _, values)| values))
}

/// Runs the function on arguments that are in its domain.
pub(super) fn evaluate<const N: usize>(
    engine: &Engine,
    function: Function,
    arguments: [&[f32]; N],
) -> Result<Vec<f32>> {
    let items = arguments.first().map_or(0, |values| values.len());
    let mut out = vec![0.0; items];
    engine.run_batch(Batch {
        kernel: Kernel::Special,
        items,
        block: BLOCK,
        operations: function.operations(),
        params: bytes_of(&params(function)),
        inputs: vec![Slot::<&[u8]>::items(&arguments)],
        outputs: vec![Slot::<&mut [u8]>::items([&mut out[..]])],
    })?;
    Ok(out)
}

/// The same over arguments that are held.
fn run_resident<const N: usize>(
    engine: &Engine,
    function: Function,
    arguments: [(&'static str, Domain, ResidentPlanes<'_, f32>); N],
) -> Result<ResidentArray<f32>> {
    let items = arguments.first().map_or(0, |(_, _, planes)| planes.items());
    let mut all = Read::none();
    for argument in arguments {
        LengthError::check(argument.0, items, argument.2.items())?;
        all = all.and(reading(engine, Kernel::Special, argument, 1)?);
    }
    operate(engine, function, items, all)
}

/// The same over arguments, a plane of each, that are in its domain.
pub(super) fn evaluate_resident<'a>(
    engine: &Engine,
    function: Function,
    arguments: impl Into<ResidentPlanes<'a, f32>>,
) -> Result<ResidentArray<f32>> {
    let arguments = arguments.into();
    operate(engine, function, arguments.items(), arguments.reading(engine)?)
}

fn operate(engine: &Engine, function: Function, items: usize, arguments: Read<'_>) -> Result<ResidentArray<f32>> {
    let mut results = engine.new_array(1, items)?;
    engine.operate(Operation {
        kernel: Kernel::Special,
        items,
        block: BLOCK,
        operations: function.operations(),
        params: bytes_of(&params(function)),
        inputs: vec![arguments],
        outputs: vec![results.written()],
        refuses: None,
    })?;
    Ok(results)
}

fn params(function: Function) -> Params {
    Params { which: function as u32, ..Params::default() }
}

/// ln gamma(x), within 1e-6 relative, near its zeros at 1 and 2 too.
///
/// # Errors
///
/// An x is no normal number above 0, or above 2^120; the device fails.
///
/// # Examples
///
/// *Factorials of 4 and of a half.*
///
/// ```
/// # use consilience::{Engine, bayes};
/// let values = bayes::ln_gamma(&Engine::cpu()?, &[5.0, 1.5])?;
/// assert!((values[0] - 24f32.ln()).abs() < 1e-6 && (values[1] + 0.120_782_24).abs() < 1e-6);
/// # Ok::<(), consilience::Error>(())
/// ```
pub fn ln_gamma(engine: &Engine, x: &[f32]) -> Result<Vec<f32>> {
    run(engine, Function::LnGamma, [("x", Domain::Positive, x)])
}

/// The derivative of ln gamma at x, within 1e-6: relative, or absolute where it is below 1, for it is zero at 1.4616.
///
/// # Errors
///
/// As [`ln_gamma`].
pub fn digamma(engine: &Engine, x: &[f32]) -> Result<Vec<f32>> {
    run(engine, Function::Digamma, [("x", Domain::Positive, x)])
}

/// I_x(a, b), the regularised incomplete beta function: the mass of Beta(a, b) below x, within 1e-6 relative. The mass above
/// x is that of Beta(b, a) below 1 - x.
///
/// # Errors
///
/// The arrays differ in length, a parameter is outside [0.001, 1e6], or an x outside [0, 1]; the device fails.
pub fn incomplete_beta(engine: &Engine, a: &[f32], b: &[f32], x: &[f32]) -> Result<Vec<f32>> {
    run(engine, Function::Beta, [("a", Domain::Parameter, a), ("b", Domain::Parameter, b), ("x", Domain::Share, x)])
}

/// The x with I_x(a, b) = p, within 1e-6 relative: the quantile of Beta(a, b). One below the smallest normal number is 0.
///
/// # Errors
///
/// As [`incomplete_beta`], for p in place of x.
///
/// # Examples
///
/// *The middle 95 % of Beta(9, 3).*
///
/// ```
/// # use consilience::{Engine, bayes};
/// let ends = bayes::incomplete_beta_inverse(&Engine::cpu()?, &[9.0; 2], &[3.0; 2], &[0.025, 0.975])?;
/// assert!((ends[0] - 0.482_244).abs() < 1e-6 && (ends[1] - 0.939_782_3).abs() < 1e-6);
/// # Ok::<(), consilience::Error>(())
/// ```
pub fn incomplete_beta_inverse(engine: &Engine, a: &[f32], b: &[f32], p: &[f32]) -> Result<Vec<f32>> {
    let (a, b) = (("a", Domain::Parameter, a), ("b", Domain::Parameter, b));
    run(engine, Function::BetaQuantile, [a, b, ("p", Domain::Share, p)])
}

/// P(a, x), the regularised incomplete gamma function: the mass below x of the gamma distribution of shape a and rate 1,
/// within 1e-6 relative.
///
/// # Errors
///
/// The arrays differ in length, a shape is outside [0.001, 1e6], or an x is negative or not finite; the
/// device fails.
pub fn incomplete_gamma(engine: &Engine, a: &[f32], x: &[f32]) -> Result<Vec<f32>> {
    run(engine, Function::Gamma, [("a", Domain::Parameter, a), ("x", Domain::NotNegative, x)])
}

/// Q(a, x) = 1 - P(a, x), the mass above x, within 1e-6 relative.
///
/// # Errors
///
/// As [`incomplete_gamma`].
pub fn incomplete_gamma_upper(engine: &Engine, a: &[f32], x: &[f32]) -> Result<Vec<f32>> {
    run(engine, Function::GammaAbove, [("a", Domain::Parameter, a), ("x", Domain::NotNegative, x)])
}

/// The x with P(a, x) = p, within 1e-6 relative; infinite for p = 1. One below the smallest normal number is 0.
///
/// # Errors
///
/// As [`incomplete_gamma`], for p in [0, 1] in place of x.
pub fn incomplete_gamma_inverse(engine: &Engine, a: &[f32], p: &[f32]) -> Result<Vec<f32>> {
    run(engine, Function::GammaQuantile, [("a", Domain::Parameter, a), ("p", Domain::Share, p)])
}

/// The x with Q(a, x) = q, within 1e-6 relative; infinite for q = 0.
///
/// # Errors
///
/// As [`incomplete_gamma_inverse`].
pub fn incomplete_gamma_upper_inverse(engine: &Engine, a: &[f32], q: &[f32]) -> Result<Vec<f32>> {
    run(engine, Function::GammaQuantileAbove, [("a", Domain::Parameter, a), ("q", Domain::Share, q)])
}

/// [`ln_gamma`] of arrays that are held, of one plane each; what it answers is held as well.
///
/// # Errors
///
/// The arrays differ in length or have more planes, another engine holds one, the answers pass what may be held, the device
/// fails. Of an argument outside its domain whoever reads the answers is told.
pub fn ln_gamma_resident<'a>(engine: &Engine, x: impl Into<ResidentPlanes<'a, f32>>) -> Result<ResidentArray<f32>> {
    run_resident(engine, Function::LnGamma, [("x", Domain::Positive, x.into())])
}

/// [`digamma`] of arrays that are held, of one plane each; what it answers is held as well.
///
/// # Errors
///
/// As [`ln_gamma_resident`].
pub fn digamma_resident<'a>(engine: &Engine, x: impl Into<ResidentPlanes<'a, f32>>) -> Result<ResidentArray<f32>> {
    run_resident(engine, Function::Digamma, [("x", Domain::Positive, x.into())])
}

/// [`incomplete_beta`] of arrays that are held, of one plane each; what it answers is held as well.
///
/// # Errors
///
/// As [`ln_gamma_resident`].
pub fn incomplete_beta_resident<'a>(
    engine: &Engine,
    a: impl Into<ResidentPlanes<'a, f32>>,
    b: impl Into<ResidentPlanes<'a, f32>>,
    x: impl Into<ResidentPlanes<'a, f32>>,
) -> Result<ResidentArray<f32>> {
    run_resident(
        engine,
        Function::Beta,
        [("a", Domain::Parameter, a.into()), ("b", Domain::Parameter, b.into()), ("x", Domain::Share, x.into())],
    )
}

/// [`incomplete_beta_inverse`] of arrays that are held, of one plane each; what it answers is held as well.
///
/// # Errors
///
/// As [`ln_gamma_resident`].
pub fn incomplete_beta_inverse_resident<'a>(
    engine: &Engine,
    a: impl Into<ResidentPlanes<'a, f32>>,
    b: impl Into<ResidentPlanes<'a, f32>>,
    p: impl Into<ResidentPlanes<'a, f32>>,
) -> Result<ResidentArray<f32>> {
    run_resident(
        engine,
        Function::BetaQuantile,
        [("a", Domain::Parameter, a.into()), ("b", Domain::Parameter, b.into()), ("p", Domain::Share, p.into())],
    )
}

/// [`incomplete_gamma`] of arrays that are held, of one plane each; what it answers is held as well.
///
/// # Errors
///
/// As [`ln_gamma_resident`].
pub fn incomplete_gamma_resident<'a>(
    engine: &Engine,
    a: impl Into<ResidentPlanes<'a, f32>>,
    x: impl Into<ResidentPlanes<'a, f32>>,
) -> Result<ResidentArray<f32>> {
    run_resident(engine, Function::Gamma, [("a", Domain::Parameter, a.into()), ("x", Domain::NotNegative, x.into())])
}

/// [`incomplete_gamma_upper`] of arrays that are held, of one plane each; what it answers is held as well.
///
/// # Errors
///
/// As [`ln_gamma_resident`].
pub fn incomplete_gamma_upper_resident<'a>(
    engine: &Engine,
    a: impl Into<ResidentPlanes<'a, f32>>,
    x: impl Into<ResidentPlanes<'a, f32>>,
) -> Result<ResidentArray<f32>> {
    run_resident(
        engine,
        Function::GammaAbove,
        [("a", Domain::Parameter, a.into()), ("x", Domain::NotNegative, x.into())],
    )
}

/// [`incomplete_gamma_inverse`] of arrays that are held, of one plane each; what it answers is held as well.
///
/// # Errors
///
/// As [`ln_gamma_resident`].
pub fn incomplete_gamma_inverse_resident<'a>(
    engine: &Engine,
    a: impl Into<ResidentPlanes<'a, f32>>,
    p: impl Into<ResidentPlanes<'a, f32>>,
) -> Result<ResidentArray<f32>> {
    run_resident(engine, Function::GammaQuantile, [("a", Domain::Parameter, a.into()), ("p", Domain::Share, p.into())])
}

/// [`incomplete_gamma_upper_inverse`] of arrays that are held, of one plane each; what it answers is held as well.
///
/// # Errors
///
/// As [`ln_gamma_resident`].
pub fn incomplete_gamma_upper_inverse_resident<'a>(
    engine: &Engine,
    a: impl Into<ResidentPlanes<'a, f32>>,
    q: impl Into<ResidentPlanes<'a, f32>>,
) -> Result<ResidentArray<f32>> {
    run_resident(
        engine,
        Function::GammaQuantileAbove,
        [("a", Domain::Parameter, a.into()), ("q", Domain::Share, q.into())],
    )
}
