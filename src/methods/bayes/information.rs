//! What distributions over classes tell, in nats.

use bytemuck::{bytes_of, cast_slice};

use crate::engine::{Engine, Operation, Read, ResidentArray, ResidentPlanes};
use crate::error::{BayesError, LengthError, Result};
use crate::kernel::Kernel;
use crate::kernel::bayes::information::{BLOCK, MOST_PLANES, Measure, Params};
use crate::plan::batch::{Batch, Slot, lowest_refused};

/// H(p) of each item, in [0, ln C]: how uncertain it is.
///
/// All of these take shares of C classes as [C, B], a plane of B items for each class, each item's summing to 1 within 1e-3,
/// and answer nats, within 2e-6 and 2e-6 relative.
///
/// # Errors
///
/// No class or too many, planes of another length; a share outside [0, 1] or shares that do not sum to 1, with their plane or
/// distribution and item; the device fails.
///
/// # Examples
///
/// *A fair coin, and one that always falls the same way.*
///
/// ```
/// # use consilience::{Engine, bayes};
/// let entropy = bayes::entropy(&Engine::cpu()?, 2, &[0.5, 1.0, 0.5, 0.0])?;
/// assert!((entropy[0] - 2_f32.ln()).abs() < 1e-6 && entropy[1] == 0.0);
/// # Ok::<(), consilience::Error>(())
/// ```
pub fn entropy(engine: &Engine, classes: usize, p: &[f32]) -> Result<Vec<f32>> {
    run(engine, Measure::Entropy, classes, &[p], &[])
}

/// -sum p ln q of each item: what it costs to expect q where p is the case. Infinite where a class that p allows has no
/// share in q; that is an answer, not an error.
///
/// # Errors
///
/// As [`entropy`].
pub fn cross_entropy(engine: &Engine, classes: usize, p: &[f32], q: &[f32]) -> Result<Vec<f32>> {
    run(engine, Measure::CrossEntropy, classes, &[p, q], &[])
}

/// KL(p || q) of each item, at least 0: what expecting q costs beyond what p itself costs. Infinite where a class that p allows
/// has no share in q; that is an answer, not an error.
///
/// # Errors
///
/// As [`entropy`].
pub fn kl_divergence(engine: &Engine, classes: usize, p: &[f32], q: &[f32]) -> Result<Vec<f32>> {
    run(engine, Measure::Divergence, classes, &[p, q], &[])
}

/// The Jensen-Shannon divergence of N distributions with these weights, which are divided by their sum: how much the
/// distributions disagree, from 0 to the entropy of the weights, and always finite.
///
/// # Errors
///
/// As [`entropy`]; no distribution, weights of another number, one that is not finite or below 0, or none above 0.
///
/// # Examples
///
/// *Two that could not disagree more.*
///
/// ```
/// # use consilience::{Engine, bayes};
/// let divergence = bayes::jensen_shannon(&Engine::cpu()?, 2, &[&[1.0, 0.0], &[0.0, 1.0]], &[1.0, 1.0])?;
/// assert!((divergence[0] - 2_f32.ln()).abs() < 1e-6);
/// # Ok::<(), consilience::Error>(())
/// ```
pub fn jensen_shannon(engine: &Engine, classes: usize, sources: &[&[f32]], weights: &[f32]) -> Result<Vec<f32>> {
    let weights = shares(sources.len(), weights)?;
    run(engine, Measure::JensenShannon, classes, sources, &weights)
}

/// The mutual information of each item's joint table: how much the row tells of the column. Entry j of row i is plane
/// `i * columns + j`; a table sums to 1.
///
/// # Errors
///
/// As [`entropy`], for the table.
pub fn mutual_information(engine: &Engine, rows: usize, columns: usize, joint: &[f32]) -> Result<Vec<f32>> {
    let items = joint.len() / rows.saturating_mul(columns).max(1);
    LengthError::check("the joint table", rows.saturating_mul(columns).saturating_mul(items), joint.len())?;
    let rows: Vec<&[f32]> = joint.chunks_exact((columns * items).max(1)).take(rows).collect();
    if items == 0 {
        return Ok(Vec::new());
    }
    run(engine, Measure::MutualInformation, columns, &rows, &[])
}

/// [`entropy`] of distributions that are held, as many classes as planes; the entropies are held as well.
///
/// # Errors
///
/// No plane or too many, another engine holds one, the answers pass what may be held, the device fails. Of shares that are
/// none whoever reads the answers is told.
pub fn entropy_resident<'a>(engine: &Engine, p: impl Into<ResidentPlanes<'a, f32>>) -> Result<ResidentArray<f32>> {
    let p = p.into();
    run_resident(engine, Measure::Entropy, p.planes(), &[p], &[])
}

/// [`cross_entropy`] of distributions that are held.
///
/// # Errors
///
/// As [`entropy_resident`], or they differ in shape.
pub fn cross_entropy_resident<'a>(
    engine: &Engine,
    p: impl Into<ResidentPlanes<'a, f32>>,
    q: impl Into<ResidentPlanes<'a, f32>>,
) -> Result<ResidentArray<f32>> {
    let p = p.into();
    run_resident(engine, Measure::CrossEntropy, p.planes(), &[p, q.into()], &[])
}

/// [`kl_divergence`] of distributions that are held.
///
/// # Errors
///
/// As [`cross_entropy_resident`].
pub fn kl_divergence_resident<'a>(
    engine: &Engine,
    p: impl Into<ResidentPlanes<'a, f32>>,
    q: impl Into<ResidentPlanes<'a, f32>>,
) -> Result<ResidentArray<f32>> {
    let p = p.into();
    run_resident(engine, Measure::Divergence, p.planes(), &[p, q.into()], &[])
}

/// [`jensen_shannon`] of distributions that are held.
///
/// # Errors
///
/// As [`cross_entropy_resident`]; no distribution, or weights that [`jensen_shannon`] refuses.
pub fn jensen_shannon_resident(
    engine: &Engine,
    sources: &[ResidentPlanes<'_, f32>],
    weights: &[f32],
) -> Result<ResidentArray<f32>> {
    let weights = shares(sources.len(), weights)?;
    let classes = sources.first().map_or(0, ResidentPlanes::planes);
    run_resident(engine, Measure::JensenShannon, classes, sources, &weights)
}

/// [`mutual_information`] of tables that are held.
///
/// # Errors
///
/// As [`entropy_resident`], or the table has another number of planes.
pub fn mutual_information_resident<'a>(
    engine: &Engine,
    rows: usize,
    columns: usize,
    joint: impl Into<ResidentPlanes<'a, f32>>,
) -> Result<ResidentArray<f32>> {
    let joint = joint.into();
    LengthError::check("the joint table's list of planes", rows.saturating_mul(columns), joint.planes())?;
    let (params, count) = params(Measure::MutualInformation, columns, rows)?;
    operate(engine, &params, count, joint.items(), joint.reading(engine)?, &[])
}

/// The weights over their sum.
fn shares(sources: usize, weights: &[f32]) -> Result<Vec<f32>> {
    LengthError::check("the list of weights", sources, weights.len())?;
    if let Some(plane) = weights.iter().position(|weight| !(0.0..=f32::MAX).contains(weight)) {
        let (what, value) = ("the weight", weights[plane]);
        return Err(BayesError::Model { what, plane, value, must: "at least 0 and finite" }.into());
    }
    let sum: f64 = weights.iter().map(|&weight| f64::from(weight)).sum();
    if sum <= 0.0 {
        return Err(BayesError::Setting { what: "the sum of the weights", value: sum as f32, must: "above 0" }.into());
    }
    Ok(weights.iter().map(|&weight| (f64::from(weight) / sum) as f32).collect())
}

/// The parameters for so many distributions, or rows of a table, and the number of planes.
fn params(measure: Measure, classes: usize, sources: usize) -> Result<(Params, usize)> {
    let count = classes.saturating_mul(sources);
    if !(1..=MOST_PLANES).contains(&count) {
        let (what, must) = ("the number of planes", "from 1 to 8192");
        return Err(BayesError::Setting { what, value: count as f32, must }.into());
    }
    let (measure, sources, classes) = (measure as u32, sources as u32, classes as u32);
    Ok((Params { measure, sources, classes, ..Params::default() }, count))
}

/// Arithmetic operations of an item.
const fn operations(count: usize) -> usize {
    32 * count
}

/// One run of the kernel over distributions that are held.
fn run_resident(
    engine: &Engine,
    measure: Measure,
    classes: usize,
    sources: &[ResidentPlanes<'_, f32>],
    weights: &[f32],
) -> Result<ResidentArray<f32>> {
    let (params, count) = params(measure, classes, sources.len())?;
    let items = sources.first().map_or(0, ResidentPlanes::items);
    let mut shares = Read::none();
    for (by, source) in sources.iter().enumerate() {
        LengthError::check(format!("distribution {by}: the list of planes"), classes, source.planes())?;
        LengthError::check(format!("a plane of distribution {by}"), items, source.items())?;
        shares = shares.and(source.reading(engine)?);
    }
    operate(engine, &params, count, items, shares, weights)
}

fn operate(
    engine: &Engine,
    params: &Params,
    count: usize,
    items: usize,
    shares: Read<'_>,
    weights: &[f32],
) -> Result<ResidentArray<f32>> {
    let mut results = engine.new_array(1, items)?;
    engine.operate(Operation {
        kernel: Kernel::Information,
        items,
        block: BLOCK,
        operations: operations(count),
        params: bytes_of(params),
        inputs: vec![shares, Read::Shared(cast_slice(weights))],
        outputs: vec![results.written()],
        refuses: Some((1, "have shares from 0 to 1 that sum to 1 within 0.001")),
    })?;
    Ok(results)
}

/// One run of the kernel over distributions, or the rows of a table.
fn run(engine: &Engine, measure: Measure, classes: usize, sources: &[&[f32]], weights: &[f32]) -> Result<Vec<f32>> {
    let (params, count) = params(measure, classes, sources.len())?;
    let items = sources.first().map_or(0, |source| source.len() / classes);
    for (by, source) in sources.iter().enumerate() {
        LengthError::check(format!("distribution {by}"), classes * items, source.len())?;
    }
    let planes: Vec<&[f32]> = sources.iter().flat_map(|source| source.chunks_exact(items.max(1))).collect();
    let mut results = vec![0.0; items];
    let mut status = vec![u32::MAX; items.div_ceil(BLOCK)];
    engine.run_batch(Batch {
        kernel: Kernel::Information,
        items,
        block: BLOCK,
        operations: operations(count),
        params: bytes_of(&params),
        inputs: vec![Slot::<&[u8]>::items(&planes), Slot::shared(weights)],
        outputs: vec![Slot::<&mut [u8]>::items([&mut results[..]]), Slot::blocks(&mut status)],
    })?;
    match lowest_refused(status, BLOCK) {
        Some(item) => Err(diagnose(measure, &planes, classes, item).into()),
        None => Ok(results),
    }
}

/// Why the item is none.
fn diagnose(measure: Measure, planes: &[&[f32]], classes: usize, item: usize) -> BayesError {
    for (plane, entries) in planes.iter().enumerate() {
        if !(0.0..=1.0).contains(&entries[item]) {
            let (what, value, must) = ("the share", entries[item], "from 0 to 1");
            return BayesError::Entry { what, plane, item, value, must };
        }
    }
    let each = if measure == Measure::MutualInformation { planes.len() } else { classes };
    let sums = planes.chunks(each).map(|planes| planes.iter().map(|plane| f64::from(plane[item])).sum::<f64>());
    let off = |sum: f64| (sum - 1.0).abs();
    let worst = sums.enumerate().reduce(|worst, next| if off(next.1) > off(worst.1) { next } else { worst });
    let (by, sum) = worst.unwrap_or_default();
    BayesError::Source { what: "the sum of the shares", by, item, value: sum as f32, must: "within 0.001 of 1" }
}
