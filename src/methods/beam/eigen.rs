//! Eigenvalues and eigenvectors of symmetric 9 x 9 matrices.

use bytemuck::bytes_of;

use crate::backend::Timing;
use crate::engine::{Engine, Operation, ResidentArray, ResidentPlanes, Within};
use crate::error::{BeamError, LengthError, Result};
use crate::kernel::Kernel;
use crate::kernel::beam::eigen::{BLOCK, ENTRIES, LEADING, OPERATIONS, Params};
use crate::kernel::beam::fuse::DIGITS;
use crate::plan::batch::{Batch, Slot};

/// The largest magnitude of an entry, from which on a sum of nine leaves f32.
const LARGEST: f32 = 1e37;

/// Sweeps of the decomposition in f64.
const SWEEPS: usize = 16;

/// Decompositions A = V L V^T of G symmetric 9 x 9 matrices.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Eigen {
    values: Vec<f32>,
    vectors: Vec<f32>,
}

impl Eigen {
    /// The eigenvalues, [9, G], the largest first.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The eigenvectors, [9, 9, G]: of the first, component by component, then of the second. Of length one; the first
    /// component whose magnitude is at least nine tenths of the largest is positive.
    #[must_use]
    pub fn vectors(&self) -> &[f32] {
        &self.vectors
    }
}

/// Decomposes symmetric 9 x 9 matrices: [45, G], the entries (i, j) with i <= j row by row, each of all matrices.
///
/// # Errors
///
/// A length that is no multiple of 45; an entry that is no number or above 1e37 in magnitude; the device fails.
///
/// # Examples
///
/// *A diagonal matrix, and one in which the digits 1 and 2 are coupled.*
///
/// ```
/// use consilience::{Engine, beam};
///
/// let mut matrix = [0.0; 45];
/// (matrix[0], matrix[1], matrix[9]) = (2.0, 1.0, 2.0); // The entries (1, 1), (1, 2) and (2, 2).
/// let eigen = beam::eigen(&Engine::cpu()?, &matrix)?;
/// assert!((eigen.values()[0] - 3.0).abs() < 1e-5 && (eigen.values()[1] - 1.0).abs() < 1e-5);
/// assert!((eigen.vectors()[0] - 0.5_f32.sqrt()).abs() < 1e-5 && (eigen.vectors()[1] - 0.5_f32.sqrt()).abs() < 1e-5);
/// # Ok::<(), consilience::Error>(())
/// ```
pub fn eigen(engine: &Engine, matrices: &[f32]) -> Result<Eigen> {
    let mut eigen = Eigen::default();
    eigen_into(engine, matrices, &mut eigen)?;
    Ok(eigen)
}

/// Decomposes into memory that an earlier batch left, and says where the time went.
///
/// # Errors
///
/// As [`eigen`]; what the memory then holds means nothing.
pub fn eigen_into(engine: &Engine, matrices: &[f32], out: &mut Eigen) -> Result<Timing> {
    let items = matrices.len() / ENTRIES;
    LengthError::check("matrices", ENTRIES * items, matrices.len())?;
    if let Some(at) = matrices.iter().position(|entry| !(-LARGEST..=LARGEST).contains(entry)) {
        let (what, allowed) = ("an entry of the matrix", "a number of at most 1e37 in magnitude");
        return Err(BeamError::Item { what, item: at % items, value: matrices[at], allowed }.into());
    }
    out.values.resize(DIGITS * items, 0.0);
    out.vectors.resize(DIGITS * DIGITS * items, 0.0);
    if items == 0 {
        return Ok(Timing::default());
    }
    let planes: Vec<&[f32]> = matrices.chunks_exact(items).collect();
    engine.run_batch(Batch {
        kernel: Kernel::BeamEigen,
        items,
        block: BLOCK,
        operations: OPERATIONS,
        params: bytes_of(&Params::default()),
        inputs: vec![Slot::<&[u8]>::items(&planes)],
        outputs: vec![
            Slot::<&mut [u8]>::items(out.values.chunks_exact_mut(items)),
            Slot::<&mut [u8]>::items(out.vectors.chunks_exact_mut(items)),
        ],
    })
}

/// Decompositions that an engine holds. Dropped, the memory is free.
#[derive(Debug)]
pub struct ResidentEigen {
    values: ResidentArray<f32>,
    vectors: ResidentArray<f32>,
}

impl ResidentEigen {
    /// The eigenvalues, [9, G], as [`Eigen::values`].
    #[must_use]
    pub const fn values(&self) -> &ResidentArray<f32> {
        &self.values
    }

    /// The eigenvectors, [9, 9, G], as [`Eigen::vectors`].
    #[must_use]
    pub const fn vectors(&self) -> &ResidentArray<f32> {
        &self.vectors
    }

    /// Both on the host.
    ///
    /// # Errors
    ///
    /// Another engine holds them; an entry of a matrix is none; the device fails.
    pub fn read(&self, engine: &Engine) -> Result<Eigen> {
        Ok(Eigen { values: self.values.read(engine)?, vectors: self.vectors.read(engine)? })
    }
}

/// [`eigen`] of matrices that are held, [45, G]; the decompositions are held as well.
///
/// # Errors
///
/// Not 45 planes, another engine holds them, the decompositions pass what may be held, the device fails. Of an entry that is
/// none whoever reads the decompositions is told.
pub fn eigen_resident<'a>(engine: &Engine, matrices: impl Into<ResidentPlanes<'a, f32>>) -> Result<ResidentEigen> {
    let matrices = matrices.into();
    LengthError::check("the matrices' list of planes", ENTRIES, matrices.planes())?;
    let items = matrices.items();
    let check = engine.within(
        matrices.clone(),
        Within {
            operation: Kernel::BeamEigen.name(),
            must: "have entries of at most 1e37 in magnitude",
            ranges: &[[-LARGEST, LARGEST]; ENTRIES],
            sum: None,
        },
    )?;
    let mut values = engine.new_array(DIGITS, items)?;
    let mut vectors = engine.new_array(DIGITS * DIGITS, items)?;
    engine.operate(Operation {
        kernel: Kernel::BeamEigen,
        items,
        block: BLOCK,
        operations: OPERATIONS,
        params: bytes_of(&Params::default()),
        inputs: vec![matrices.reading(engine)?.subject_to(check)],
        outputs: vec![values.written(), vectors.written()],
        refuses: None,
    })?;
    Ok(ResidentEigen { values, vectors })
}

/// The same of one matrix of any size, in f64: eigenvalues that fall, and their vectors.
pub(super) fn symmetric<const N: usize>(mut a: [[f64; N]; N]) -> ([f64; N], [[f64; N]; N]) {
    let mut v: [[f64; N]; N] = std::array::from_fn(|i| std::array::from_fn(|j| f64::from(u8::from(i == j))));
    for _ in 0..SWEEPS {
        let all: f64 = a.as_flattened().iter().map(|entry| entry * entry).sum();
        let on: f64 = (0..N).map(|i| a[i][i] * a[i][i]).sum();
        if all - on <= f64::EPSILON * f64::EPSILON * all {
            break;
        }
        for (p, q) in (0..N).flat_map(|p| (p + 1..N).map(move |q| (p, q))) {
            let (entry, difference) = (a[p][q], a[q][q] - a[p][p]);
            let below = difference + difference.hypot(2.0 * entry).copysign(difference);
            if entry == 0.0 || below == 0.0 {
                continue;
            }
            let t = 2.0 * entry / below;
            let c = 1.0 / t.hypot(1.0);
            let turn = |x: f64, y: f64| (c * x - t * c * y, t * c * x + c * y);
            a[p][p] -= t * entry;
            a[q][q] += t * entry;
            (a[p][q], a[q][p]) = (0.0, 0.0);
            for i in 0..N {
                if i != p && i != q {
                    (a[i][p], a[i][q]) = turn(a[i][p], a[i][q]);
                    (a[p][i], a[q][i]) = (a[i][p], a[i][q]);
                }
                (v[p][i], v[q][i]) = turn(v[p][i], v[q][i]);
            }
        }
    }
    let mut order: [usize; N] = std::array::from_fn(|i| i);
    order.sort_by(|&i, &j| a[j][j].total_cmp(&a[i][i]));
    let signed = |vector: [f64; N]| {
        let most = vector.iter().fold(0.0, |most: f64, component| most.max(component.abs()));
        let leading = vector.iter().find(|component| component.abs() >= f64::from(LEADING) * most);
        if leading.is_some_and(|component| *component < 0.0) { vector.map(|component| -component) } else { vector }
    };
    (order.map(|i| a[i][i]), order.map(|i| signed(v[i])))
}
